package import Accounting

/// What a replay would write.
package struct ReplayPreviewResult: Codable, Sendable {
  /// A closed date that would be another one.
  package struct Changed: Codable, Sendable {
    package var portfolio: String
    package var date: Day
    package var values: [ValueChange]
  }

  /// A date that would be closed for the first time.
  package struct New: Codable, Sendable {
    package var portfolio: String
    package var date: Day
    package var closingEquity: Money

    private enum CodingKeys: String, CodingKey {
      case portfolio, date
      case closingEquity = "closing_equity"
    }
  }

  /// Always true.
  package var isDryRun = true
  /// By portfolio and date.
  package var changed: [Changed]
  /// By portfolio and date.
  package var new: [New]
  /// How many closed dates would stay as they are.
  package var unchanged: Int
  package var failures: [SlotFailureResult]

  private enum CodingKeys: String, CodingKey {
    case isDryRun = "dry_run"
    case changed, new, unchanged, failures
  }
}
