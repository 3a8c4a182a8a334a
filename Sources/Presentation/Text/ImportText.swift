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

  /// What was noticed of the rows that were taken.
  private var remarks: [String] {
    func said(_ count: Int, _ one: String, _ several: String) -> [String] {
      count == 0 ? [] : ["  \(count) \(count == 1 ? one : several)"]
    }
    return said(
      result.roundedNumbers, "number was rounded to the places that are kept, half to even",
      "numbers were rounded to the places that are kept, half to even")
      + said(
        result.datesWithTime, "date has a time behind it: the date counts, in the file's own zone",
        "dates have a time behind them: the date counts, in the file's own zone")
      + said(
        result.rowsPassedOver, "row was passed over, as asked",
        "rows were passed over, as asked")
      + result.equalRows.prefix(20).flatMap { equal in
        let whose = equal.importID.map { "of import \($0)" } ?? "that are there already"
        return said(equal.rows, "row equals a row \(whose)", "rows equal rows \(whose)")
      }
  }

  /// The summary, and the first values that would change.
  package var lines: [String] {
    let changes = result.changes.prefix(20).map { change in
      "  row \(change.row) (line \(change.line)): \(change.column) \(change.old ?? "nothing") → "
        + (change.new ?? "nothing")
    }
    return [summary] + remarks + changes + (result.changes.count > 20 ? ["  … and more"] : [])
  }
}

extension ImportResult.Refusal {
  /// `row 7 (line 8), price: is not a number`.
  package var summary: String {
    "row \(row) (line \(line))" + (field.map { ", \($0)" } ?? "") + ": \(message)"
  }
}

/// Symbols of a file that are no instruments, as one list.
package struct MissingSymbolsText {
  /// What is missing, on one line.
  package let list: String
  /// What to do.
  package let proposal: String
  /// A header of instruments, and a row for each symbol that only has to be filled in.
  package let rows: [String]

  /// So many symbols are named.
  private static let named = 50

  /// nil where none is missing.
  package init?(_ result: ImportResult) {
    let symbols = result.missingSymbols
    guard !symbols.isEmpty else { return nil }
    let named = symbols.prefix(Self.named).map { missing in
      let rows =
        missing.rows == 1 ? "row \(missing.row) (line \(missing.line))" : "\(missing.rows) rows"
      return "\(missing.symbol) (\(missing.currency.map { "\($0), " } ?? "")\(rows))"
    }
    let more = symbols.count > Self.named ? ", and \(symbols.count - Self.named) more" : ""
    list =
      (symbols.count == 1
        ? "1 symbol is not an instrument: " : "\(symbols.count) symbols are not instruments: ")
      + named.joined(separator: ", ") + more
    proposal =
      "complete these rows, with a name and a kind each, and import them as instruments first:"
    self.rows =
      ["symbol,name,kind,currency"]
      + symbols.prefix(Self.named).map { "\($0.symbol),,,\($0.currency ?? "")" }
  }
}

/// What is left in the queue, and why.
package struct UntakenImportsText {
  package let message: String
  package let hint: String

  package init(_ left: UntakenImports) {
    let imports = left.count == 1 ? "1 queued import" : "\(left.count) queued imports"
    let cancel = Action.cancelImport(left.first).command
    if let role = left.role {
      message = "\(imports) of \(role) left: that role does not own the tables"
      hint = "if they are meant: \(Action.workImportsOf(role: role).command); else: \(cancel)"
    } else {
      message = "\(imports) left that nobody knows who asked for"
      hint = "import those files again, and cancel these: \(cancel)"
    }
  }
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
