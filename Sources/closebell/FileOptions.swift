import Accounting
import ArgumentParser
import Import
import Settings

/// How a CSV file is written, and what of it is read.
struct FileOptions: ParsableArguments {
  @Option(
    name: .customLong("map"),
    help: ArgumentHelp(
      "Reads the column under another header; may be given several times.",
      valueName: "Header=column"))
  var mappings: [String] = []

  @Option(
    name: .customLong("ignore"),
    help: ArgumentHelp(
      "Passes a column over; may be given several times.", valueName: "Header"))
  var ignored: [String] = []

  @Option(
    help: ArgumentHelp(
      "The line on which the header stands; those before it are passed over.", valueName: "n"),
    transform: Reading.whole(ImportRequest.headerLines).argument)
  var headerLine: Int?

  @Option(
    name: .customLong("skip-rows"),
    help: ArgumentHelp(
      "Passes over rows that begin so, such as totals; may be given several times.",
      valueName: "text"))
  var passedOver: [String] = []

  @Option(help: ArgumentHelp("What separates fields: one character, or tab.", valueName: "c"))
  var delimiter: String?

  @Flag(help: "Numbers are written as 1.234,56; fields are then separated by semicolons.")
  var decimalComma = false

  @Flag(help: "Numbers are written as people do: 1,234.56, $1,234.56, (123.45).")
  var grouping = false

  @Option(help: ArgumentHelp("How dates are written, such as DD.MM.YYYY.", valueName: "pattern"))
  var dateFormat: String?

  func validate() throws {
    for mapping in mappings where !mapping.dropFirst().contains("=") {
      throw ValidationError("--map takes 'Header=column', not '\(mapping)'")
    }
    for beginning in passedOver where beginning.isEmpty {
      throw ValidationError("--skip-rows takes what rows begin with, not nothing")
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

  /// Takes what was asked over.
  func apply(to request: inout ImportRequest) throws {
    for mapping in mappings {
      guard let cut = mapping.lastIndex(of: "=") else { continue }
      request.columnMap[ExactText(String(mapping[..<cut]))] = String(
        mapping[mapping.index(after: cut)...])
    }
    request.ignored = ignored
    request.headerLine = headerLine ?? 1
    request.passedOver = passedOver
    request.decimalComma = decimalComma
    request.grouping = grouping
    request.dateFormat = dateFormat.flatMap(DateFormat.init)
    request.delimiter = try delimiterByte() ?? UInt8(ascii: decimalComma ? ";" : ",")
  }
}
