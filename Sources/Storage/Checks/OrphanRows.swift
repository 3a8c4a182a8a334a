public import Accounting
public import Postgres

/// Rows of the result tables that belong to no closed date, and places where the chain is torn:
/// what SQL by hand or a half restored table leaves behind.
public enum OrphanRows {
  /// The rows of one table, portfolio and date.
  public struct Group: Sendable {
    /// The table, without its schema.
    public var table: String
    /// The slot that they name.
    public var slot: Slot
    /// How many there are.
    public var count: Int64
    /// SHA-256 of all of them.
    public var digest: String
    /// Why they are stray.
    public var reason: String
  }

  /// A closed date that its successor's row contradicts.
  public struct Tear: Sendable {
    /// The slot whose opening is torn.
    public var slot: Slot
    /// The date that it opened from.
    public var openedFrom: Day
    /// Whether nothing is closed there; else it is there with another revision.
    public var isMissing: Bool
  }

  /// Rows without a closed date of a portfolio, and placeholders that nobody owns, ascending.
  ///
  /// - Parameter selection: Only these portfolios.
  public static func find(
    of selection: PortfolioSelection, from first: Day, through last: Day,
    on db: isolated Connection
  ) throws -> [Group] {
    try db.rows(
      everything, selection.ids, first.postgres, last.postgres
    ) {
      Group(
        table: try $0.nextString(), slot: try $0.nextSlot(), count: try $0.nextInt64(),
        digest: try $0.nextString(), reason: try $0.nextString())
    }
  }

  /// Closed dates that opened from one that is not closed, or from an older revision of it
  /// without being known as stale.
  public static func tears(
    of selection: PortfolioSelection, from first: Day, through last: Day,
    on db: isolated Connection
  ) throws -> [Tear] {
    try db.rows(tearing, selection.ids, first.postgres, last.postgres) {
      Tear(
        slot: try $0.nextSlot(), openedFrom: try $0.nextDay(), isMissing: try $0.nextBool())
    }
  }

  /// Takes stray rows out and archives them with the run, in the caller's transaction.
  ///
  /// - Returns: How many rows.
  public static func remove(
    _ groups: [Group], run: Int64, on db: isolated Connection
  ) throws -> Int {
    var removed = 0
    for table in tables {
      let mine = groups.filter { $0.table == table.name }
      guard !mine.isEmpty else { continue }
      removed += try db.execute(
        Statement.once("stray-remove-\(table.name)", removal(table)),
        mine.map(\.slot.portfolio.rawValue), mine.map(\.slot.date.postgres), run,
        mine.map(\.reason))
    }
    return removed
  }

  // MARK: - SQL

  /// A result table, the column of its date, and the order in which its rows are told apart.
  struct Table {
    var name: String
    var date: String
    /// The column of its holding, if it has one.
    var fund: String?
  }

  /// The slot's own table comes first: it is put back first, too.
  static let tables = [
    Table(name: "portfolio_snapshots", date: "snapshot_date"),
    Table(
      name: "portfolio_fund_valuations", date: "valuation_date", fund: "portfolio_fund_id"),
    Table(name: "portfolio_cash_balances", date: "balance_date"),
    Table(name: "portfolio_receivables", date: "balance_date"),
    Table(name: "portfolio_fund_irr_values", date: "date", fund: "fund_id"),
    Table(name: "portfolio_irr_values", date: "date"),
  ]

  /// SQL that is true for a stray row `t`.
  ///
  /// A failed slot is none, nor a placeholder whose lease is known: the next run takes those.
  private static func isOrphan(_ table: Table) -> String {
    let isOfNobody =
      "not exists (select from closebell.portfolios p where p.id = t.portfolio_id)"
    guard table.name != "portfolio_snapshots" else {
      return """
        (\(isOfNobody) or t.state = 'claimed' and not exists (
          select from closebell.worker_lease l where l.claim_id = t.claim_id))
        """
    }
    let isOfNothing = table.fund.map {
      """
       or not exists (select from closebell.portfolio_funds f
        where f.portfolio_id = t.portfolio_id and f.id = t.\($0))
      """
    }
    return """
      (\(isOfNobody) or not exists (select from closebell.portfolio_snapshots s
        where s.snapshot_date = t.\(table.date) and s.portfolio_id = t.portfolio_id
          and s.is_complete)\(isOfNothing ?? ""))
      """
  }

  private static func reason(_ table: Table) -> String {
    table.name == "portfolio_snapshots"
      ? "case when t.is_complete then 'its portfolio is not there' "
        + "else 'a placeholder that nobody owns' end"
      : table.fund == nil
        ? "'no closed date that it belongs to'"
        : "'no closed date or no holding that it belongs to'"
  }

  private static func selection(_ table: Table) -> String {
    """
    select '\(table.name)' as place, t.portfolio_id, t.\(table.date) as slot_date,
      count(*) as rows, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
        pg_catalog.string_agg(pg_catalog.to_jsonb(t)::text, E'\\n'
          order by pg_catalog.to_jsonb(t)::text collate "C"), 'UTF8')), 'hex'),
      min(\(reason(table)))
    from closebell.\(table.name) t
    where \(PortfolioSelection.contains("t.portfolio_id", "$1::bigint[]"))
      and t.\(table.date) between $2::date and $3::date and \(isOrphan(table))
    group by t.portfolio_id, t.\(table.date)
    """
  }

  private static let everything = Statement.once(
    "stray-find",
    tables.map { selection($0) }.joined(separator: "\nunion all\n") + "\norder by 2, 3, 1")

  private static func removal(_ table: Table) -> String {
    """
    with c as (
      select * from unnest($1::bigint[], $2::date[], $4::text[])
        as c (portfolio_id, slot_date, reason)),
    gone as (
      delete from closebell.\(table.name) t using c
      where t.portfolio_id = c.portfolio_id and t.\(table.date) = c.slot_date
        and \(isOrphan(table))
      returning t.portfolio_id, c.slot_date, c.reason, pg_catalog.to_jsonb(t) as row_data)
    insert into closebell.repair_archive
      (run_id, table_name, portfolio, slot_date, action, reason, row_data)
    select $3::bigint, 'closebell.\(table.name)', portfolio_id::text, slot_date, 'removed', reason,
      row_data
    from gone
    """
  }

  private static let tearing = Statement.once(
    "stray-tears",
    """
    select s.portfolio_id, s.snapshot_date, s.opened_from_date, o.portfolio_id is null
    from closebell.portfolio_snapshots s
    join closebell.portfolios p on p.id = s.portfolio_id
    left join closebell.portfolio_snapshots o
      on o.portfolio_id = s.portfolio_id and o.snapshot_date = s.opened_from_date
        and o.is_complete
    where s.is_complete and s.opened_from_date is not null
      and \(PortfolioSelection.contains("s.portfolio_id", "$1::bigint[]"))
      and s.snapshot_date between $2::date and $3::date
      and (o.portfolio_id is null
        or o.revision <> s.opened_from_revision and not \(Staleness.isStale("s")))
    order by 1, 2
    """)
}
