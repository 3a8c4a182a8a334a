public import Accounting
public import Postgres

/// The policies under which dates were closed, as their rows keep them.
///
/// A column holds the age that closes may have; the rest of the policy is the same everywhere. It
/// is null in rows from before it was kept, whose policy is one that they fit.
public enum StoredPolicy {
  /// The policies of those of some slots that are complete, and perhaps of others'.
  ///
  /// - Parameter slots: Ascending by date, then portfolio.
  public static func read(
    of slots: [Slot], on db: isolated Connection
  ) throws -> [Slot: ClosePolicy] {
    let spans = LoadSpans(slots)
    let rows = try db.rows(policyRows, spans.dates, spans.firsts, spans.lasts) {
      (try $0.nextSlot(), try $0.nextPolicy())
    }
    return try Dictionary(snapshots: rows)
  }

  /// The columns that a row reader's `nextPolicy` reads.
  static func columns(of row: String) -> String {
    ["carried_days_allowed", "is_degraded", "max_carried_days", "missing_count"]
      .map { "\(row).\($0)" }.joined(separator: ", ")
  }

  private static let policyRows = Statement(
    "snapshots-policies",
    """
    select s.portfolio_id, s.snapshot_date, \(columns(of: "s"))
    from \(LoadSpans.rows(
      of: "portfolio_snapshots", on: "snapshot_date", as: "s", where: "r.is_complete"))
    """)
}

/// A complete slot under our claim, which nobody else changes.
public struct ClaimedClose: Sendable {
  /// The revision that our claim was put on.
  public var revision: Int32
  /// The policy that it was closed under.
  public var policy: ClosePolicy
}

extension ClosePolicy {
  /// As the columns of that name hold it.
  var carriedDaysAllowed: Int16 { Int16(clamping: maxCarriedBusinessDays) }
}

extension RowReader {
  mutating func nextPolicyOrNil() throws -> ClosePolicy? {
    try nextOptional(Int16.self).map { ClosePolicy(maxCarriedBusinessDays: Int($0)) }
  }

  /// What `StoredPolicy.columns(of:)` selects.
  mutating func nextPolicy() throws -> ClosePolicy {
    let kept = try nextPolicyOrNil()
    let isDegraded = try nextBool()
    let oldest = Int(try nextInt32())
    let missing = Int(try nextInt32())
    return kept ?? ClosePolicy(fitting: isDegraded, oldest: oldest, missing: missing)
  }
}

extension CopyWriter {
  mutating func write(_ policy: ClosePolicy) { write(int16: policy.carriedDaysAllowed) }
}
