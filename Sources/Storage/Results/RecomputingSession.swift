public import Accounting
public import Postgres

/// What a session that only reads the books needs.
public enum RecomputingSession {
  /// Settles how the session's statements are planned, as those of a night are, and lets it write
  /// nothing; needed once a connection.
  public static func prepare(on db: isolated Connection) throws {
    try db.execute(
      sql: "\(Populating.looksUpOnly); set default_transaction_read_only = on")
  }

  /// How many complete slots a range of dates has.
  public static func slotCount(
    from first: Day, through last: Day, of selection: PortfolioSelection,
    on db: isolated Connection
  ) throws -> Int {
    try db.row(countSlots, first.postgres, last.postgres, selection.ids) {
      Int(try $0.nextInt64())
    } ?? 0
  }

  private static let countSlots = Statement(
    "recompute-count",
    """
    select count(*)
    from closebell.portfolio_snapshots s join closebell.portfolios p on p.id = s.portfolio_id
    where s.is_complete and s.snapshot_date between $1::date and $2::date
      and \(PortfolioSelection.contains("p.id", "$3::bigint[]"))
    """)
}
