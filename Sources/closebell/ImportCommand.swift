public import ArgumentParser
public import Import
import Postgres
import Storage

extension ImportKind: ExpressibleByArgument {}

/// CSV files into the books' inputs.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Imports CSV files; a bad row never costs the others.",
    discussion: """
      KIND is one of portfolios, instruments, prices, fx-rates, activities, valuations, \
      corporate-actions, calendars. A file imported twice changes nothing. Exit code 65 where \
      rows were refused; they are listed, and kept: closebell imports show ID.
      """)

  /// What a refused row does to the rest.
  enum OnError: String, ExpressibleByArgument, CaseIterable {
    case skip, abort
  }

  @OptionGroup var common: CommonOptions

  @Argument(help: "What the files hold.")
  var kind: ImportKind

  @Argument(help: "CSV files; - is standard input.")
  var files: [String]

  @Flag(help: "Check everything and say what would change, but change nothing.")
  var dryRun = false

  @Option(help: "skip: go on after a refused row; abort: stop at the first.")
  var onError: OnError = .skip

  @Option(help: ArgumentHelp("Rows a transaction.", valueName: "n"))
  var batchSize: Int?

  @Option(
    name: .customLong("map"),
    help: ArgumentHelp(
      "Reads the column under another header; may be given several times.",
      valueName: "Header=column"))
  var mappings: [String] = []

  @Flag(help: "Allow changes of terms that make every closed date stale.")
  var restate = false

  /// From here on the planner's idea of the tables is worth a new look.
  private static let manyRows = 10_000

  func validate() throws {
    for mapping in mappings where !mapping.dropFirst().contains("=") {
      throw ValidationError("--map takes 'Header=column', not '\(mapping)'")
    }
    if let batchSize, !(1...10_000).contains(batchSize) {
      throw ValidationError("--batch-size is from 1 to 10000")
    }
  }

  func run() async throws {
    var columnMap: [String: String] = [:]
    for mapping in mappings {
      guard let cut = mapping.lastIndex(of: "=") else { continue }
      columnMap[String(mapping[..<cut])] = String(mapping[mapping.index(after: cut)...])
    }
    let connection = try await common.connect(for: "import")
    try await connection.perform { db in try Migrator.requireCurrentSchema(on: db) }
    var refused = 0
    for file in files {
      let request = ImportRequest(
        kind: kind, source: file == "-" ? .standardInput : .file(file), dryRun: dryRun,
        onError: onError == .abort ? .abort : .skip,
        batchSize: batchSize ?? Environment.integer("IMPORT_BATCH_SIZE") ?? 1_000,
        columnMap: columnMap, restate: restate,
        maxRows: Environment.integer("IMPORT_MAX_ROWS"))
      let report = try await runImport(request, on: connection, progress: nil)
      refused += report.refused
      publish(report)
      if !dryRun, report.inserted >= Self.manyRows {
        try await connection.perform { db in try Statistics.refreshInputs(on: db) }
      }
    }
    await connection.close()
    if refused > 0 { throw Failure("", code: 65) }
  }

  private func publish(_ report: ImportReport) {
    if common.json {
      print(ImportText(report).json.text)
    } else if !common.quiet {
      print(ImportText(report).summary)
    }
    for warning in report.warnings.prefix(20) { Terminal.complain("warning: \(warning)") }
    for row in report.refusedRows.prefix(20) {
      Terminal.complain("error: \(report.source), \(ImportText.describe(row))")
    }
    let hidden = report.refused - min(report.refusedRows.count, 20)
    if hidden > 0, let job = report.jobID {
      Terminal.complain("detail: and \(hidden) more; see: closebell imports show \(job)")
    }
  }
}

/// A report of an import as people and programs read it.
struct ImportText {
  let report: ImportReport

  init(_ report: ImportReport) { self.report = report }

  static func describe(_ row: RefusedRow) -> String {
    "row \(row.row)" + (row.field.map { ", \($0)" } ?? "") + ": \(row.message)"
  }

  var summary: String {
    var parts = ["\(report.inserted) new"]
    if report.updated > 0 { parts.append("\(report.updated) changed") }
    if report.unchanged > 0 { parts.append("\(report.unchanged) unchanged") }
    if report.refused > 0 { parts.append("\(report.refused) refused") }
    let counts = parts.joined(separator: ", ")
    return "\(report.kind.rawValue): \(report.processed) rows: \(counts) "
      + "(\(Readable.seconds(report.seconds)))"
  }

  var json: JSON {
    .object([
      ("job_id", report.jobID.map { .integer(Int($0)) } ?? .null),
      ("kind", .string(report.kind.rawValue)), ("source", .string(report.source)),
      ("processed", .integer(report.processed)), ("inserted", .integer(report.inserted)),
      ("updated", .integer(report.updated)), ("unchanged", .integer(report.unchanged)),
      ("refused", .integer(report.refused)),
      (
        "refused_rows",
        .array(
          report.refusedRows.map {
            .object([
              ("row", .integer($0.row)), ("field", .optional($0.field)),
              ("message", .string($0.message)), ("text", .string($0.text)),
            ])
          })
      ),
      ("warnings", .array(report.warnings.map { .string($0.description) })),
      ("duration_seconds", .number(report.seconds)),
    ])
  }
}
