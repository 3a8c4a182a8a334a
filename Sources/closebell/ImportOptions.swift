internal import Accounting
import ArgumentParser
import Console
import Import
import Settings

extension ExportFormat: ExpressibleByArgument {}

/// How a file is written, and how its rows are taken.
struct ImportOptions: ParsableArguments {
  /// What a refused row does to the rest.
  enum OnError: String, ExpressibleByArgument, CaseIterable {
    case skip, abort
  }

  @Option(help: "skip: go on after a refused row; abort: stop at the first.")
  var onError: OnError = .skip

  @Option(
    help: ArgumentHelp("Rows a transaction.", valueName: "n"),
    transform: Variables.importBatchSize.reading.argument)
  var batchSize: Int?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Gives a column that the file lacks the same value in every row.",
      valueName: "column=value"))
  var constants: [String] = []

  @OptionGroup var file: FileOptions

  @Flag(help: "Round numbers to the places that are kept, half to even, and say how many.")
  var round = false

  @Option(
    name: .customLong("word"),
    help: ArgumentHelp(
      "Says what a word of the file means; may be given several times.",
      valueName: "Word=meaning"))
  var words: [String] = []

  @Option(help: "Reads another program's export as it is, CSV or XML.")
  var format: ExportFormat?

  @Option(
    help: ArgumentHelp(
      "The account within the portfolio: equal rows of two accounts are two.", valueName: "name"))
  var account: String?

  @Flag(help: "Book rows without ids although equal ones are there.")
  var distinct = false

  @Flag(help: "Allow changes of terms that make every closed date stale.")
  var restate = false

  func validate() throws {
    for constant in constants where !constant.dropFirst().contains("=") {
      throw ValidationError("--set takes 'column=value', not '\(constant)'")
    }
    if account?.isEmpty == true { throw ValidationError("--account takes a name") }
    if account != nil, constants.contains(where: { $0.hasPrefix("account=") }) {
      throw ValidationError("--account and --set account=… are one and the same: give one of them")
    }
    for word in words where !word.dropFirst().contains("=") {
      throw ValidationError("--word takes 'Word=meaning', not '\(word)'")
    }
  }

  /// What is asked of a file.
  func request(_ kind: ImportKind, _ file: String, dryRun: Bool) throws -> ImportRequest {
    var request = ImportRequest(
      kind: kind, source: file == "-" ? .standardInput : .file(file), dryRun: dryRun,
      onError: onError == .abort ? .abort : .skip,
      batchSize: batchSize ?? Settings.current.importBatchSize,
      restate: restate)
    try self.file.apply(to: &request)
    request.rounds = round
    for word in words {
      guard let cut = word.lastIndex(of: "=") else { continue }
      request.meanings[ExactText(String(word[..<cut]))] = String(word[word.index(after: cut)...])
    }
    for constant in constants {
      guard let cut = constant.firstIndex(of: "=") else { continue }
      request.constants[String(constant[..<cut])] = String(constant[constant.index(after: cut)...])
    }
    if let account { request.constants["account"] = account }
    request.isDistinct = distinct
    request.format = format
    return request
  }
}

/// Refuses two results in one stream.
func requireOwnStream(_ rejects: String?, _ common: CommonOptions) throws {
  guard rejects != RejectsFile.standardOutput || !common.json else {
    throw ValidationError("--json and the rows of --rejects - exclude one another")
  }
}
