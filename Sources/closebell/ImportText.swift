import Import
import Presentation
import Storage

/// A report of an import as people and programs read it.
struct ImportText {
  let report: ImportReport
  /// Where the refused rows were written, nil for nowhere.
  let rejectsFile: String?

  init(_ report: ImportReport, rejectsFile: String? = nil) {
    self.report = report
    self.rejectsFile = rejectsFile
  }

  static func describe(_ row: RefusedRow) -> String {
    "row \(row.row)" + (row.field.map { ", \($0)" } ?? "") + ": \(row.message)"
  }

  var summary: String {
    var parts = ["\(report.inserted) new"]
    if report.updated > 0 { parts.append("\(report.updated) changed") }
    if report.unchanged > 0 { parts.append("\(report.unchanged) unchanged") }
    if report.refused > 0 { parts.append("\(report.refused) refused") }
    if report.replaced > 0 { parts.append("\(report.replaced) skipped") }
    let counts = parts.joined(separator: ", ")
    let begun = report.resumedAfter > 0 ? ", resumed after row \(report.resumedAfter)" : ""
    let dryRun = report.jobID == nil ? "dry run: " : ""
    return "\(dryRun)\(report.kind.rawValue): \(report.processed) rows: \(counts) "
      + "(\(Readable.seconds(report.seconds))\(begun))"
  }

  var json: JSON {
    .object([
      ("job_id", report.jobID.map { .integer(Int($0)) } ?? .null),
      ("kind", .string(report.kind.rawValue)), ("source", .string(report.source)),
      ("outcome", .string(report.outcome.rawValue)),
      ("processed", .integer(report.processed)), ("inserted", .integer(report.inserted)),
      ("updated", .integer(report.updated)), ("unchanged", .integer(report.unchanged)),
      ("refused", .integer(report.refused)), ("skipped", .integer(report.replaced)),
      ("resumed_after", .integer(report.resumedAfter)),
      ("refused_rows", .array(report.refusedRows.map(Self.json))),
      ("rejects_file", .optional(rejectsFile)),
      ("changes", .array(report.changes.map(Self.json))),
      ("warnings", .array(report.warnings.map { .string($0.description) })),
      ("duration_seconds", .number(report.seconds)),
    ])
  }

  private static func json(_ change: ImportChange) -> JSON {
    .object([
      ("row", .integer(change.row)), ("column", .string(change.column)),
      ("old", .optional(change.old)), ("new", .optional(change.new)),
    ])
  }

  private static func json(_ row: RefusedRow) -> JSON {
    .object([
      ("row", .integer(row.row)), ("line", .integer(row.line)), ("field", .optional(row.field)),
      ("message", .string(row.message)), ("text", .string(row.text)),
    ])
  }
}

/// An import as `closebell imports` shows it.
struct PastImportText {
  let job: PastImport

  /// Counts, progress and end, a line each.
  var lines: [String] {
    var lines = ["import \(job.id): \(job.kind) from \(job.source.shown), \(job.status)"]
    lines.append(
      "\(job.processed) rows: \(job.inserted) new, \(job.updated) changed, "
        + "\(job.unchanged) unchanged, \(job.refused) refused, \(job.replaced) skipped")
    if let started = job.startedAt {
      let end = job.finishedAt.map { ", ended \($0)" } ?? ""
      lines.append("began \(started)\(end)\(job.claimedBy.map { ", by \($0.shown)" } ?? "")")
    }
    if let progress { lines.append(progress) }
    if let error = job.error { lines.append(error.shown) }
    if ["failed", "cancelled", "interrupted"].contains(job.status), job.canResume {
      lines.append("hint: closebell imports resume \(job.id)")
    }
    return lines
  }

  /// Per cent, rate and time left, as far as they are known.
  var progress: String? {
    guard job.status != "completed", job.status != "queued" else { return nil }
    var parts: [String] = []
    if let fraction = job.fraction { parts.append("\(Readable.whole(fraction * 100)) %") }
    if let rate = job.rowsPerSecond { parts.append("\(Readable.whole(rate)) rows/s") }
    if let left = job.secondsLeft { parts.append("\(Readable.whole(left + 0.5)) s left") }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  var json: JSON {
    .object([
      ("job_id", .integer(Int(job.id))), ("kind", .string(job.kind)),
      ("source", .string(job.source)), ("status", .string(job.status)),
      ("processed", .integer(job.processed)), ("inserted", .integer(job.inserted)),
      ("updated", .integer(job.updated)), ("unchanged", .integer(job.unchanged)),
      ("refused", .integer(job.refused)), ("skipped", .integer(job.replaced)),
      ("percent", .optional(job.fraction.map { $0 * 100 })),
      ("rows_per_second", .optional(job.rowsPerSecond)),
      ("seconds_left", .optional(job.secondsLeft)),
      ("started_at", .optional(job.startedAt)), ("finished_at", .optional(job.finishedAt)),
      ("claimed_by", .optional(job.claimedBy)), ("error", .optional(job.error)),
      ("can_resume", .bool(job.canResume && job.status != "completed")),
    ])
  }
}
