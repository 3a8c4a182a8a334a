public import Accounting
public import Postgres

/// A change of inputs that a complete slot has not seen.
public struct UnseenChange: Sendable {
  /// The first date that it concerns.
  public var from: Day
  /// When it was made, UTC.
  public var changedAt: String
  /// The instruments whose closes, actions or terms changed; ascending.
  public var symbols: [String]
  /// The currencies whose rates changed.
  public var currencies: [String]
  /// The calendars that changed.
  public var calendars: [String]
  /// Whether the portfolio's own activities, statements or terms changed.
  public var isOfPortfolio: Bool
}

/// Where an activity came from.
public struct ActivitySource: Sendable {
  /// The row's key.
  public var id: Int64
  /// The id that its source gave it.
  public var externalID: String
  /// What its source noted.
  public var note: String?
}

/// Reads of where a slot's numbers came from.
public enum Provenance {
  /// The changes that make a complete slot stale, ascending by time.
  public static func unseenChanges(
    of slot: Slot, on db: isolated Connection
  ) throws -> [UnseenChange] {
    try db.rows(unseen, slot.portfolio.rawValue, slot.date.postgres) {
      UnseenChange(
        from: try $0.nextDay(), changedAt: try $0.nextString(),
        symbols: try $0.nextString().splitWords, currencies: try $0.nextString().splitWords,
        calendars: try $0.nextString().splitWords, isOfPortfolio: try $0.nextBool())
    }
  }

  /// The complete dates next to a date: the last before it and the first after it.
  public static func closedAround(
    _ slot: Slot, on db: isolated Connection
  ) throws -> (before: Day?, after: Day?) {
    try db.row(around, slot.portfolio.rawValue, slot.date.postgres) {
      (try $0.nextDayOrNil(), try $0.nextDayOrNil())
    } ?? (nil, nil)
  }

  /// The sources of some of a portfolio's activities, by key.
  public static func sources(
    of activities: [Int64], in portfolio: ID<Portfolio>, on db: isolated Connection
  ) throws -> [Int64: ActivitySource] {
    let rows = try db.rows(sourceRows, portfolio.rawValue, activities) {
      ActivitySource(
        id: try $0.nextInt64(), externalID: try $0.nextString(),
        note: try $0.nextOptional(String.self))
    }
    return try Dictionary(
      rows: rows.map { ($0.id, $0) }, of: "holding_activity_log",
      name: { "portfolio_id \(portfolio), id \($0)" })
  }

  private static let unseen = Statement(
    "provenance-unseen-changes",
    """
    select c.from_date,
      \(MomentText.sql("c.changed_at")),
      coalesce((select pg_catalog.string_agg(i.symbol, ' ' order by i.symbol)
        from closebell.instruments i
        join closebell.portfolio_funds f on f.instrument_id = i.id
        where f.portfolio_id = s.portfolio_id and i.id = any(c.instrument_ids)), ''),
      coalesce(pg_catalog.array_to_string(c.currencies, ' '), ''),
      coalesce(pg_catalog.array_to_string(c.calendars, ' '), ''), c.portfolio_ids is not null
    from closebell.portfolio_snapshots s join closebell.input_changes c
      on \(Staleness.concerns("s"))
    where s.portfolio_id = $1::bigint and s.snapshot_date = $2::date and s.is_complete
    order by c.id
    """)
  private static let around = Statement(
    "provenance-closed-around",
    """
    select max(s.snapshot_date) filter (where s.snapshot_date < $2::date),
      min(s.snapshot_date) filter (where s.snapshot_date > $2::date)
    from closebell.portfolio_snapshots s
    where s.portfolio_id = $1::bigint and s.is_complete
    """)
  private static let sourceRows = Statement(
    "provenance-activity-sources",
    """
    select a.id, a.external_id, a.note from closebell.holding_activity_log a
    where a.portfolio_id = $1::bigint and a.id = any($2::bigint[])
    """)
}

extension String {
  fileprivate var splitWords: [String] { split(separator: " ").map(String.init) }
}
