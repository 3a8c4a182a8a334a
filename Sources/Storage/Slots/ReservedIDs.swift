public import Postgres

/// Ids drawn from a sequence in the transaction that uses them: exactly those that the server gave.
///
/// They ascend but are not contiguous, since other sessions draw in between. So the list is kept,
/// and never the first and a count: `nextval` and then `setval(first + n - 1)` gives two sessions
/// the same ids. Of a transaction that rolled back they may be given out again after a crash, so
/// they must not outlive it. An id that is not used is lost, which does no harm.
public struct ReservedIDs: Sendable {
  /// A sequence of our own that ids are reserved from.
  public enum Sequence: String, Sendable {
    /// Of returns of holdings, in blocks.
    case holdingIRRs = "closebell.portfolio_fund_irr_values_id_seq"
    /// Of returns of portfolios, in blocks.
    case portfolioIRRs = "closebell.portfolio_irr_values_id_seq"
    /// Of activities, one by one: the table's own default draws from it too.
    case activities = "closebell.holding_activity_log_id_seq"

    /// How many ids a value stands for: the sequence's increment, as the schema says.
    ///
    /// Where nobody else inserts by default a value of the sequence hands out a whole block.
    var blockSize: Int {
      switch self {
      case .holdingIRRs, .portfolioIRRs: 500
      case .activities: 1
      }
    }
  }

  private let first: [Int64]
  private let blockSize: Int
  private var used = 0

  /// Draws at least `count` ids.
  ///
  /// - Precondition: A transaction is open, and they are used in it.
  public static func reserve(
    _ count: Int, from sequence: Sequence, on db: isolated Connection
  ) throws -> ReservedIDs {
    let size = sequence.blockSize
    guard count > 0 else { return ReservedIDs(first: [], blockSize: size) }
    precondition(db.isInTransaction, "ids are reserved in the transaction that uses them")
    let blocks = Int64((count + size - 1) / size)
    return ReservedIDs(
      first: try db.rows(draw, sequence.rawValue, blocks, as: { try $0.nextInt64() }),
      blockSize: size)
  }

  private init(first: [Int64], blockSize: Int) {
    self.first = first
    self.blockSize = blockSize
  }

  /// The next id that was reserved.
  public mutating func next() throws -> Int64 {
    defer { used += 1 }
    guard used < first.count * blockSize else { throw StorageError.noRow("reserved id") }
    let (id, overflow) = first[used / blockSize].addingReportingOverflow(Int64(used % blockSize))
    guard !overflow else { throw StorageError.noRow("reserved id, since the sequence is used up") }
    return id
  }

  private static let draw = Statement(
    "reserve-ids",
    """
    select pg_catalog.nextval($1::text::regclass) from pg_catalog.generate_series(1, $2::bigint)
    """)
}
