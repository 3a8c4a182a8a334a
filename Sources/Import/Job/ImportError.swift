package import Problems

/// Why a file was refused as a whole; nothing of it was imported unless said otherwise.
package enum ImportError: Problem, Hashable {
  /// The file cannot be opened or read.
  case unreadable(source: String, reason: String, hint: String?)
  /// There is not even a header row.
  case empty(source: String)
  /// There is a header row, and nothing after it.
  case noRows(source: String)
  /// The bytes are not the UTF-8 text of a CSV file.
  case notText(source: String, reason: String, hint: String)
  /// The file is of another form than CSV.
  case notCSV(source: String, form: String, hint: String)
  /// A number speaks against how the file was said to write them.
  case notation(place: String, problem: String, hint: String)
  /// The bytes are not those of a whole XML document, or of one that is refused.
  case notXML(source: String, place: String, reason: String, hint: String)
  /// The header row does not fit the kind.
  case header(source: String, problem: String, hint: String)
  /// More rows than allowed; the rows up to the limit were imported.
  case tooManyRows(source: String, limit: Int)
  /// A resumed file does not begin with what was imported from it.
  case changed(source: String, offset: Int)
  /// What was queued is not what is there now.
  case notAsQueued(source: String)
  /// The file was written to while it was read; the rows before were imported.
  case changing(source: String)
  /// Somebody asked to stop while the file was waited for.
  case interrupted(source: String)
  /// An option does not fit the file or the kind.
  case option(String, remedy: Remedy)

  /// What is read once has no place to be kept meanwhile; nothing is wrong with the file.
  case noTemporaryFile(folder: String, reason: String)

  /// What is wrong, and what might help.
  package var stated: StatedProblem {
    let (code, problem, remedy) = said
    return StatedProblem(code, problem, remedy: remedy)
  }

  /// Whether somebody asked to stop; nothing is wrong with the file.
  var isInterruption: Bool {
    if case .interrupted = self { true } else { false }
  }

  /// What is wrong, in one line.
  package var message: String { stated.message }

  /// What might help, in one line.
  package var hint: String? { stated.remedy?.text }

  private static func said(
    _ code: ProblemCode, _ message: String, _ hint: String
  ) -> (ProblemCode, String, Remedy?) {
    (code, message, Remedy(prose: hint))
  }

  private var said: (ProblemCode, String, Remedy?) {
    switch self {
    case .unreadable(let source, let reason, let hint):
      (
        ProblemCode("file_unreadable", .badInput), "could not read \(source): \(reason)",
        hint.map { Remedy(prose: $0) }
      )
    case .empty(let source):
      (
        ProblemCode("file_empty", .badInput), "\(source) is empty",
        "a CSV file begins with a header row that names its columns"
      )
    case .noRows(let source):
      (
        ProblemCode("file_without_rows", .badInput), "\(source) has a header and no rows",
        "a row is a date and an amount"
      )
    case .notText(let source, let reason, let hint):
      Self.said(
        ProblemCode("file_not_text", .badInput), "\(source) is not UTF-8 text: \(reason)", hint)
    case .notCSV(let source, let form, let hint):
      Self.said(ProblemCode("file_not_csv", .badInput), "\(source) is \(form), not CSV", hint)
    case .notXML(let source, let place, let reason, let hint):
      Self.said(
        ProblemCode("file_not_xml", .badInput),
        "\(source) cannot be read from \(place) on: \(reason)", hint)
    case .notation(let place, let problem, let hint):
      Self.said(ProblemCode("notation_refused", .badInput), "\(place): \(problem)", hint)
    case .header(let source, let problem, let hint):
      Self.said(ProblemCode("header_refused", .badInput), "\(source): \(problem)", hint)
    case .tooManyRows(let source, let limit):
      (
        ProblemCode("too_many_rows", .badInput), "\(source) has more than \(limit) rows",
        "the rows up to the limit were imported; raise \(.setting(.importMaxRows))"
      )
    case .changed(let source, let offset):
      (
        ProblemCode("file_changed", .badInput),
        "\(source) has changed: its first \(offset) bytes are not those that were imported",
        "import it anew; rows that are stored already change nothing"
      )
    case .notAsQueued(let source):
      (
        ProblemCode("file_not_as_queued", .badInput),
        "\(source) is not the file that was queued: its bytes are others",
        "queue it again once it is as it is meant"
      )
    case .changing(let source):
      (
        ProblemCode("file_changing", .badInput), "\(source) changed while it was read",
        Remedy(
          prose: "import it again once nobody writes to it; "
            + "rows that are stored change nothing")
      )
    case .interrupted(let source):
      (
        ProblemCode("import_interrupted", .interrupted), "interrupted while \(source) was read", nil
      )
    case .option(let problem, let remedy):
      (ProblemCode("option_refused", .badInput), problem, remedy)
    case .noTemporaryFile(let folder, let reason):
      (
        ProblemCode("no_temporary_file", .failed),
        "could not write a temporary file in \(folder): \(reason)",
        "TMPDIR names a folder with room for what is read from a pipe"
      )
    }
  }
}
