package import Import
package import Operations
internal import Problems
internal import Text

/// A report of an import as a person reads it.
package struct ImportText {
  private let result: ImportResult

  package init(_ result: ImportResult) { self.result = result }

  /// Counts and time on one line.
  package var summary: String {
    var parts = ["\(result.inserted) new"]
    if result.updated > 0 { parts.append("\(result.updated) changed") }
    if result.unchanged > 0 { parts.append("\(result.unchanged) unchanged") }
    if result.refused > 0 { parts.append("\(result.refused) refused") }
    if result.skipped > 0 { parts.append("\(result.skipped) skipped") }
    let begun = result.resumedAfter > 0 ? ", resumed after row \(result.resumedAfter)" : ""
    return "\(result.id == nil ? "dry run: " : "")\(result.kind): \(result.processed) rows: "
      + "\(parts.joined(separator: ", ")) (\(Readable.seconds(result.seconds))\(begun))"
  }

  /// The summary, and the first values that would change.
  package var lines: [String] {
    let changes = result.changes.prefix(20).map { change in
      "  row \(change.row): \(change.column) \(change.old ?? "nothing") → "
        + (change.new ?? "nothing")
    }
    return [summary] + changes + (result.changes.count > 20 ? ["  … and more"] : [])
  }
}

extension ImportResult.Refusal {
  /// `row 7, price: is not a number`.
  package var summary: String { "row \(row)" + (field.map { ", \($0)" } ?? "") + ": \(message)" }
}

/// How far an import is, in one line.
package struct ImportProgressText {
  package let percent: Int
  package let text: String

  /// nil where the size of the file is not known.
  package init?(_ progress: ImportProgress) {
    guard let total = progress.bytesTotal, total > 0 else { return nil }
    let fraction = min(1, Double(progress.bytesRead) / Double(total))
    percent = Int(fraction * 100)
    let rate = Double(progress.processed) / max(progress.seconds, 0.001)
    var text = "import \(progress.job.map(String.init) ?? "(dry run)"): \(percent) %, "
    text += "\(progress.processed) rows, \(Readable.whole(rate)) rows/s"
    if fraction > 0, fraction < 1 {
      text += ", \(Readable.whole(progress.seconds * (1 - fraction) / fraction + 0.5)) s left"
    }
    self.text = text
  }
}

/// The latest imports as a table.
package struct ImportListText {
  private let list: ImportList

  package init(_ list: ImportList) { self.list = list }

  package var lines: [String] {
    guard !list.imports.isEmpty else { return ["nothing was imported yet"] }
    var table = TextTable([
      ("import", .right), ("kind", .left), ("status", .left), ("done", .right),
      ("rows", .right), ("new", .right), ("changed", .right), ("unchanged", .right),
      ("refused", .right), ("skipped", .right), ("source", .left),
    ])
    for job in list.imports {
      let counts = [
        job.processed, job.inserted, job.updated, job.unchanged, job.refused, job.skipped,
      ]
      table.add(
        [
          String(job.id), job.kind, job.status,
          job.percent.map { "\(Readable.whole($0)) %" } ?? "–",
        ] + counts.map(String.init) + [job.source])
    }
    return table.lines
  }
}

/// An import of the past: counts, progress and end, a line each.
package struct PastImportText {
  private let job: PastImportResult

  package init(_ job: PastImportResult) { self.job = job }

  package var lines: [String] {
    var lines = ["import \(job.id): \(job.kind) from \(job.source), \(job.status)"]
    lines.append(
      "\(job.processed) rows: \(job.inserted) new, \(job.updated) changed, "
        + "\(job.unchanged) unchanged, \(job.refused) refused, \(job.skipped) skipped")
    if let started = job.startedAt {
      let end = job.finishedAt.map { ", ended \($0)" } ?? ""
      lines.append("began \(started)\(end)\(job.claimedBy.map { ", by \($0)" } ?? "")")
    }
    if let progress { lines.append(progress) }
    if let error = job.error { lines += error.setIn }
    if ["failed", "cancelled", "interrupted"].contains(job.status), job.canResume {
      lines.append("hint: \(Action.resumeImport(job.id).command)")
    }
    return lines
  }

  /// Per cent, rate and time left, as far as they are known.
  private var progress: String? {
    guard job.status != "completed", job.status != "queued" else { return nil }
    var parts: [String] = []
    if let percent = job.percent { parts.append("\(Readable.whole(percent)) %") }
    if let rate = job.rowsPerSecond { parts.append("\(Readable.whole(rate)) rows/s") }
    if let left = job.secondsLeft { parts.append("\(Readable.whole(left + 0.5)) s left") }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}
