package import Operations

/// What a replay would write, as a person reads it.
package struct ReplayPreviewText {
  private let preview: ReplayPreviewResult

  package init(_ preview: ReplayPreviewResult) { self.preview = preview }

  package var lines: [String] {
    var lines: [String] = []
    for slot in preview.changed {
      lines.append("portfolio \(slot.portfolio), \(slot.date):")
      lines += slot.values.map { "  " + $0.text }
    }
    for slot in preview.new {
      lines.append(
        "portfolio \(slot.portfolio), \(slot.date): would be closed, closing equity "
          + "\(slot.closingEquity)")
    }
    lines.append(
      "nothing was written; a replay would change \(preview.changed.count) closed dates, leave "
        + "\(preview.unchanged) as they are and close \(preview.new.count) for the first time")
    return lines
  }
}

extension ValueChange {
  /// `holding AMZN price: 968.45 → 976.10`.
  package var text: String { "\(row) \(column): \(old ?? "none") → \(new ?? "none")" }
}
