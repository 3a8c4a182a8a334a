internal import Postgres

extension ActivityRows {
  /// Rows whose id the source has used for another portfolio.
  ///
  /// The limit keeps the planner from turning the join round, which would read the whole log.
  static let findForeign = Statement(
    "import-activities-foreign",
    """
    select s.row_number, 'id', '''' || s.external_id || ''' belongs to portfolio '
      || (select p.code from closebell.portfolios p where p.id = other.portfolio_id)
    from pg_temp.import_activities s cross join lateral (
      select l.portfolio_id from closebell.holding_activity_log l
      where l.external_id = s.external_id and l.portfolio_id <> s.portfolio_id limit 1) other
    """)

  /// The stored column behind each optional column of the file.
  private static let stored = [
    (Column.symbol, "portfolio_fund_id"), (Column.quantity, "quantity"), (Column.price, "price"),
    (Column.amount, "amount"), (Column.fee, "fee"), (Column.currency, "currency"),
    (Column.acquired, "acquired"), (Column.status, "status"), (Column.account, "account"),
    (Column.payDate, "pay_date"),
  ]

  /// What changes a number, of the columns that the file has.
  ///
  /// A row that says what was undone says that it counts again.
  private static func counted(_ header: Header) -> [String] {
    ["activity_type", "activity_date", "undone_at"]
      + stored.filter { header.has($0.0) }.map(\.1)
  }

  /// SQL of what a staged row `s` says of a stored column.
  private static func said(_ column: String) -> String {
    switch column {
    case "portfolio_fund_id": "(\(PortfolioFunds.find))"
    case "undone_at": "null::timestamptz"
    default: "s.\(column)"
    }
  }

  /// SQL that is true where a staged row `s` says something else than the stored row `l`.
  static func changes(_ header: Header) -> (name: String, condition: String) {
    let columns = counted(header)
    let staged = columns.map(said)
    return (
      name(header),
      """
      ((\(columns.map { "l.\($0)" }.joined(separator: ", ")))
        is distinct from (\(staged.joined(separator: ", "))))
      """
    )
  }

  /// SQL that is true where two rows have one id: it is looked up in the index of ids.
  ///
  /// A plan made while the log is empty takes whatever index begins with the portfolio, and reads
  /// all of a portfolio for each row once it is not; the difference, which no index has, leaves it
  /// none.
  static func isOfID(_ one: String, _ other: String) -> String {
    """
    \(one).external_id = \(other).external_id
      and \(one).portfolio_id - 0 = \(other).portfolio_id
    """
  }

  /// A stored activity beside the staged one, in the columns that the file has.
  static func comparison(_ header: Header) -> StoredRows {
    let columns = counted(header) + (header.has(Column.note) ? ["note"] : [])
    let numeric: Set = ["quantity", "price", "amount", "fee"]
    return StoredRows(
      name: "activities-\(name(header))", staging: staging, table: "holding_activity_log",
      match: isOfID("l", "s"),
      columns: columns.map { column in
        guard column == "portfolio_fund_id" else {
          let shown = column.replacing("activity_", with: "")
          return StoredRows.Column(
            name: shown, stored: "l.\(column)", staged: said(column),
            isNumeric: numeric.contains(column))
        }
        return StoredRows.Column(
          name: "symbol",
          stored: """
            (select f.instrument_id from closebell.portfolio_funds f
            where f.portfolio_id = l.portfolio_id and f.id = l.portfolio_fund_id)
            """, staged: "s.instrument_id")
      })
  }

  /// A name for the set of optional columns: a statement's name is at most 63 bytes.
  private static func name(_ header: Header) -> String {
    columns.indices.map { header.has($0) ? "1" : "0" }.joined()
  }

  /// Whether the log has any of the ids, for whatever portfolio.
  static let isAnyKnown = Statement(
    "import-activities-known",
    """
    select exists (select from pg_temp.import_activities s where (
      select true from closebell.holding_activity_log l
      where l.external_id = s.external_id limit 1))
    """)

  private static let columnList = """
    portfolio_id, portfolio_fund_id, activity_type, activity_date, quantity, price, amount, fee,
      currency, acquired, status, external_id, note, account, booked_on, import_id,
      pay_date
    """

  /// The staged rows as they are inserted, with an id given as SQL; `$1` is the import's number.
  private static func insertion(id: String) -> String {
    """
    (\(columnList))
      select s.portfolio_id, (\(PortfolioFunds.find)), s.activity_type, s.activity_date, s.quantity,
        s.price, s.amount, s.fee, s.currency, s.acquired, s.status, \(id), s.note, s.account,
        s.booked_on, $1::bigint, s.pay_date
      from pg_temp.import_activities s order by s.row_number
    """
  }

  /// Writes rows of which none is known: half the work of a merge.
  ///
  /// Somebody else's row of the same id that comes in between is a violation of the key; the chunk
  /// is then written again part by part, which finds it.
  static let insert = inserting("import-activities-new", id: "s.external_id")

  /// The same, of rows without ids: what has the name of one was one, before somebody changed it.
  static let insertByContent = inserting(
    "import-activities-new-said",
    id: "case when s.origin is null then \(firstName("s")) "
      + "else s.external_id end",
    "on conflict on constraint holding_activity_log_one_per_external_id do nothing")

  private static func inserting(
    _ name: String, id: String, _ onConflict: String = ""
  ) -> Statement {
    Statement(
      name,
      """
      with written as (
        insert into closebell.holding_activity_log \(insertion(id: id))
        \(onConflict)
        returning true
      )
      select (select count(*) from written), 0::bigint, min(coalesce(booked_on, activity_date)),
        array_agg(distinct portfolio_id)
      from pg_temp.import_activities
      """)
  }

  /// Merges the rows in the order of the file, since rows of one date are applied in that order.
  ///
  /// A column that the file leaves out keeps what is stored. A change of the note alone changes no
  /// number, and marks nothing.
  ///
  /// When it is booked is settled before; a row that does not change stays booked where it is. One
  /// that was undone counts again, and as this import's.
  static func merging(_ header: Header) -> Statement {
    let counted = counted(header)
    let written = counted + (header.has(Column.note) ? ["note"] : [])
    func list(_ columns: [String], _ table: String) -> String {
      columns.map { "\(table).\($0)" }.joined(separator: ", ")
    }
    let differs =
      "(\(list(counted, "l"))) is distinct from (\(list(counted, "excluded")))"
    func revived(_ column: String) -> String {
      "\(column) = case when l.undone_at is null then l.\(column) else excluded.\(column) end"
    }
    let assignments =
      (written.map { "\($0) = excluded.\($0)" }
      + (header.has(Column.status) ? [] : [revived("status")])
      + [
        revived("import_id"), "updated_import_id = excluded.import_id",
        "booked_on = case when \(differs) then excluded.booked_on else l.booked_on end",
      ])
      .joined(separator: ", ")
    return Statement(
      "import-activities-\(name(header))",
      """
      with written as (
        insert into closebell.holding_activity_log as l \(insertion(id: "s.external_id"))
        on conflict on constraint holding_activity_log_one_per_external_id
        do update set \(assignments)
        where (\(list(written, "l"))) is distinct from (\(list(written, "excluded")))
        returning l.portfolio_id, l.external_id, \(list(counted, "l")),
          coalesce(l.booked_on, l.activity_date) as booked, l.xmax = 0 as is_new
      ), changed as (
        select w.portfolio_id, w.booked as from_date from written w where w.is_new
        union all
        select w.portfolio_id, least(w.booked, coalesce(old.booked_on, old.activity_date))
        from written w cross join lateral (
          select o.* from closebell.holding_activity_log o
          where not w.is_new and \(isOfID("o", "w")) offset 0) old
        where (\(list(counted, "w"))) is distinct from (\(list(counted, "old")))
      )
      select w.inserted, w.updated, c.from_date, c.portfolio_ids
      from (select count(*) filter (where is_new) as inserted,
          count(*) filter (where not is_new) as updated from written) w,
        (select min(from_date) as from_date, array_agg(distinct portfolio_id) as portfolio_ids
         from changed) c
      """)
  }
}
