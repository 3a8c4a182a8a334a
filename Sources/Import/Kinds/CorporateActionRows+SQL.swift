internal import Postgres

extension CorporateActionRows {
  private static let keys = [
    "instrument_id", "ex_date", "type", "new_instrument_id", "portfolio_id", "external_id",
  ]
  /// What an action says beside its key, and whether it is a number.
  private static let terms: [(name: String, isNumeric: Bool)] = [
    ("value", true), ("currency", false), ("ratio_new", true), ("ratio_old", true),
    ("cash", true), ("cost", false), ("cost_share", true), ("fraction_price", true),
    ("pay_date", false),
  ]

  /// SQL that is true where two rows are the same action.
  private static func isSame(_ one: String, _ other: String) -> String {
    let plain = keys.prefix(3).map { "\(one).\($0) = \(other).\($0)" }
    let optional = keys.dropFirst(3).map { "\(one).\($0) is not distinct from \(other).\($0)" }
    return (plain + optional).joined(separator: " and ")
  }

  private static func counted(_ hasStatus: Bool) -> [(name: String, isNumeric: Bool)] {
    hasStatus ? terms + [("status", false)] : terms
  }

  static func comparison(_ hasStatus: Bool) -> StoredRows {
    StoredRows(
      name: hasStatus ? "actions" : "actions-without-status", staging: staging,
      table: "corporate_actions", match: isSame("l", "s"),
      columns: counted(hasStatus).map { name, isNumeric in
        StoredRows.Column(
          name: name, stored: "l.\(name)", staged: "s.\(name)", isNumeric: isNumeric)
      })
  }

  /// Merges the rows; both instruments of an action are concerned.
  static func merging(_ hasStatus: Bool) -> Statement {
    let columns = counted(hasStatus).map(\.name)
    let all = (keys + terms.map(\.name) + ["status"]).joined(separator: ", ")
    let differs = """
      (\(columns.map { "a.\($0)" }.joined(separator: ", ")))
          is distinct from (\(columns.map { "excluded.\($0)" }.joined(separator: ", ")))
      """
    return Statement(
      hasStatus ? "import-actions" : "import-actions-without-status",
      """
      with written as (
        insert into closebell.corporate_actions as a (\(all))
        select \(all) from pg_temp.import_actions
        order by \(keys.joined(separator: ", "))
        on conflict on constraint corporate_actions_key do update set
          \(columns.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
          where \(differs)
        returning instrument_id, new_instrument_id, ex_date, a.xmax = 0 as is_new
      ), concerned as (
        select instrument_id as id from written
        union select new_instrument_id from written where new_instrument_id is not null
      )
      select count(*) filter (where is_new), count(*) filter (where not is_new), min(ex_date),
        (select array_agg(id) from concerned)
      from written
      """)
  }

  /// Rows by which units would come back on the same date to what they came from.
  ///
  /// None of such actions can come first. An action of one portfolio counts as one of all.
  static let findCircles = Statement(
    "import-actions-circles",
    """
    with recursive passes as (
      select s.row_number, s.ex_date, s.type, s.instrument_id, s.new_instrument_id
      from pg_temp.import_actions s
      where s.new_instrument_id is not null and s.status = 'active'
      union all
      select null, l.ex_date, l.type, l.instrument_id, l.new_instrument_id
      from closebell.corporate_actions l
      where l.new_instrument_id is not null and l.status = 'active'
        and exists (select from pg_temp.import_actions s
          where s.ex_date = l.ex_date and s.type = l.type and s.new_instrument_id is not null)
        and not exists (select from pg_temp.import_actions s where \(isSame("l", "s")))
    ), reached as (
      select p.row_number, p.ex_date, p.type, p.instrument_id, p.new_instrument_id as here
      from passes p where p.row_number is not null
      union
      select r.row_number, r.ex_date, r.type, r.instrument_id, p.new_instrument_id
      from reached r
      join passes p on p.ex_date = r.ex_date and p.type = r.type and p.instrument_id = r.here
    )
    select r.row_number, 'new_symbol', 'units would pass in a circle on ' || r.ex_date
      || ': a ' || r.type || ' brings them back to ' || i.symbol
    from reached r join closebell.instruments i on i.id = r.instrument_id
    where r.here = r.instrument_id
    order by r.row_number
    """)
}

extension PortfolioFunds {
  /// Creates the holdings that staged corporate actions pass units to, and those behind them, for
  /// whoever holds what they are about.
  static func passOnActions(on db: isolated Connection) throws { try db.execute(ofActions) }

  /// Creates the holdings that stored corporate actions pass units to, for whoever staged rows are
  /// about.
  static func passOn(from staging: StagingTable, on db: isolated Connection) throws {
    try db.execute(
      passing(
        "import-funds-passed-\(staging.name)",
        """
        select s.portfolio_id, s.instrument_id as id
        from (select distinct portfolio_id, instrument_id from pg_temp.\(staging.name)
          where instrument_id in (select c.instrument_id from closebell.corporate_actions c
            where c.new_instrument_id is not null)) s
        """))
  }

  private static let ofActions = passing(
    "import-funds-passed-actions",
    """
    select f.portfolio_id, f.instrument_id
    from closebell.portfolio_funds f
    where f.instrument_id in (select s.instrument_id from pg_temp.import_actions s
      where s.new_instrument_id is not null)
      and exists (select from pg_temp.import_actions s where s.new_instrument_id is not null)
    """)

  /// - Parameter seeds: A query for portfolios and instruments that they hold.
  private static func passing(_ name: String, _ seeds: String) -> Statement {
    Statement(
      name,
      """
      with recursive held (portfolio_id, instrument_id) as (
        \(seeds)
        union
        select h.portfolio_id, a.new_instrument_id
        from held h
        join closebell.corporate_actions a on a.instrument_id = h.instrument_id
        where a.new_instrument_id is not null and a.status = 'active'
          and (a.portfolio_id is null or a.portfolio_id = h.portfolio_id)
      )
      insert into closebell.portfolio_funds (portfolio_id, instrument_id)
      select s.portfolio_id, s.instrument_id from (
        select portfolio_id, instrument_id from held order by 1, 2 offset 0) s
      where (\(find)) is null
      order by 1, 2
      on conflict do nothing
      """)
  }
}
