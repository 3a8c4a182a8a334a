internal import Accounting
public import ArgumentParser
public import Import
import Postgres

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
    name: .customLong("map"),
    help: ArgumentHelp(
      "Reads the column under another header; may be given several times.",
      valueName: "Header=column"))
  var mappings: [String] = []

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Gives a column that the file lacks the same value in every row.",
      valueName: "column=value"))
  var constants: [String] = []

  @Option(help: ArgumentHelp("What separates fields: one character, or tab.", valueName: "c"))
  var delimiter: String?

  @Flag(help: "Numbers are written as 1.234,56; fields are then separated by semicolons.")
  var decimalComma = false

  @Option(help: ArgumentHelp("How dates are written, such as DD.MM.YYYY.", valueName: "pattern"))
  var dateFormat: String?

  @Option(help: "Reads another program's export as it is.")
  var format: ExportFormat?

  @Flag(help: "Allow changes of terms that make every closed date stale.")
  var restate = false

  func validate() throws {
    for mapping in mappings where !mapping.dropFirst().contains("=") {
      throw ValidationError("--map takes 'Header=column', not '\(mapping)'")
    }
    for constant in constants where !constant.dropFirst().contains("=") {
      throw ValidationError("--set takes 'column=value', not '\(constant)'")
    }
    if let dateFormat, DateFormat(dateFormat) == nil {
      throw ValidationError("--date-format takes YYYY, MM and DD once each, not '\(dateFormat)'")
    }
    _ = try delimiterByte()
  }

  private func delimiterByte() throws -> UInt8? {
    guard let delimiter else { return nil }
    if delimiter == "tab" { return UInt8(ascii: "\t") }
    guard delimiter.utf8.count == 1, let byte = delimiter.utf8.first, byte < 0x80,
      !ImportRequest.bannedDelimiters.contains(byte)
    else { throw ValidationError("--delimiter takes one character, not '\(delimiter)'") }
    return byte
  }

  /// What is asked of a file.
  func request(_ kind: ImportKind, _ file: String, dryRun: Bool) throws -> ImportRequest {
    var request = ImportRequest(
      kind: kind, source: file == "-" ? .standardInput : .file(file), dryRun: dryRun,
      onError: onError == .abort ? .abort : .skip,
      batchSize: batchSize ?? Settings.current.importBatchSize,
      restate: restate, maxRows: Settings.current.importMaxRows)
    for mapping in mappings {
      guard let cut = mapping.lastIndex(of: "=") else { continue }
      request.columnMap[ExactText(String(mapping[..<cut]))] = String(
        mapping[mapping.index(after: cut)...])
    }
    for constant in constants {
      guard let cut = constant.firstIndex(of: "=") else { continue }
      request.constants[String(constant[..<cut])] = String(constant[constant.index(after: cut)...])
    }
    request.format = format
    request.decimalComma = decimalComma
    request.dateFormat = dateFormat.flatMap(DateFormat.init)
    request.delimiter = try delimiterByte() ?? UInt8(ascii: decimalComma ? ";" : ",")
    return request
  }
}
