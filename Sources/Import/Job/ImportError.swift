internal import Postgres

/// Why a file was refused as a whole; nothing of it was imported unless said otherwise.
public enum ImportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file cannot be opened or read.
  case unreadable(source: String, reason: String, hint: String?)
  /// There is not even a header row.
  case empty(source: String)
  /// There is a header row, and nothing after it.
  case noRows(source: String)
  /// The bytes are not the UTF-8 text of a CSV file.
  case notText(source: String, reason: String, hint: String)
  /// The header row does not fit the kind.
  case header(source: String, problem: String, hint: String)
  /// More rows than allowed; the rows up to the limit were imported.
  case tooManyRows(source: String, limit: Int)
  /// A resumed file does not begin with what was imported from it.
  case changed(source: String, offset: Int)
  /// The file was written to while it was read; the rows before were imported.
  case changing(source: String)
  /// Somebody asked to stop while the file was waited for.
  case interrupted(source: String)
  /// An option does not fit the file or the kind.
  case option(String, hint: String)

  /// The message, and a hint on a line of its own.
  public var description: String { message + (hint.map { "\nhint: \($0)" } ?? "") }

  /// Whether somebody asked to stop; nothing is wrong with the file.
  public var isInterruption: Bool {
    if case .interrupted = self { true } else { false }
  }

  /// What is wrong, in one line.
  public var message: String { words.onOneLine }

  /// What might help, in one line.
  public var hint: String? { advice?.onOneLine }

  private var words: String {
    switch self {
    case .unreadable(let source, let reason, _): "could not read \(source): \(reason)"
    case .empty(let source): "\(source) is empty"
    case .noRows(let source): "\(source) has a header and no rows"
    case .notText(let source, let reason, _): "\(source) is not UTF-8 text: \(reason)"
    case .header(let source, let problem, _): "\(source): \(problem)"
    case .tooManyRows(let source, let limit): "\(source) has more than \(limit) rows"
    case .changed(let source, let offset):
      "\(source) has changed: its first \(offset) bytes are not those that were imported"
    case .changing(let source): "\(source) changed while it was read"
    case .interrupted(let source): "interrupted while \(source) was read"
    case .option(let problem, _): problem
    }
  }

  private var advice: String? {
    switch self {
    case .unreadable(_, _, let hint): hint
    case .empty: "a CSV file begins with a header row that names its columns"
    case .noRows: "a row is a date and an amount"
    case .notText(_, _, let hint): hint
    case .header(_, _, let hint): hint
    case .changed: "import it anew; rows that are stored already change nothing"
    case .changing:
      "import it again once nobody writes to it; rows with ids that are stored change nothing"
    case .interrupted: nil
    case .option(_, let hint): hint
    case .tooManyRows: "the rows up to the limit were imported; raise CLOSEBELL_IMPORT_MAX_ROWS"
    }
  }
}
