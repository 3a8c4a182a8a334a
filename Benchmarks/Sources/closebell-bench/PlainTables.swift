import Postgres

/// The yardstick: the same night's inputs and results in plain tables, and PostgreSQL only copying
/// the needed inputs out and the result rows in, on one connection.
///
/// Nothing is computed.
///
/// The tables are what one would write down first: serial keys, portfolio or holding before date.
struct PlainTables {
  let connection: Connection

  /// Builds the tables from the imported inputs and the rows that our own night wrote.
  func build(day before: String, night: String) async throws {
    try await connection.perform { db in
      try db.execute(sql: Self.schema)
      try db.execute(sql: Self.inputs(before: before, night: night))
      try db.execute(sql: Self.results(night: night))
      try db.execute(sql: "vacuum analyze")
    }
  }

  /// One measurement, in seconds.
  func copySeconds(day before: String, night: String) async throws -> Double {
    let batches = try await batches()
    try await connection.perform { db in
      for table in Self.resultTables {
        try db.execute(sql: "delete from plain.\(table.name) where \(table.date) = '\(night)'")
      }
      for table in Self.resultTables { try db.execute(sql: "vacuum analyze plain.\(table.name)") }
      try db.execute(sql: "checkpoint")
    }
    return try await connection.perform { db in
      let started = ContinuousClock.now
      for query in Self.inputQueries(before: before, night: night) {
        try db.copyOutText(
          "floor-out", "copy (\(query)) to stdout (format binary)", isBinary: true
        ) { _ in }
      }
      for (table, bytes) in batches {
        _ = try db.copyInText(
          "floor-in", "copy plain.\(table) from stdin (format binary)", isBinary: true
        ) { $0.write(bytes) }
      }
      return (ContinuousClock.now - started) / .seconds(1)
    }
  }

  /// The night's sums, in the words of the bench's own digest.
  func digest(_ night: String) async throws -> String {
    let query = Statement(
      "plain-digest",
      """
      select pg_catalog.concat_ws(' ', count(*), sum(nav), sum(daily_pnl),
        (select round(sum(irr_result)::numeric, 6) from plain.holding_irr where date = '\(night)'),
        (select round(sum(irr_result)::numeric, 6) from plain.portfolio_irr
         where date = '\(night)'))
      from plain.snapshots where snapshot_date = '\(night)' and is_complete
      """)
    return try await connection.perform { db in
      try db.row(query) { try $0.nextString() } ?? ""
    }
  }

  /// The night's result rows as binary COPY gives them.
  private func batches() async throws -> [(String, [UInt8])] {
    try await connection.perform { db in
      try Self.resultTables.map { table in
        var bytes: [UInt8] = []
        try db.copyOutText(
          "floor-keep", "copy plain.kept_\(table.name) to stdout (format binary)",
          isBinary: true
        ) { bytes.append(contentsOf: $0) }
        return (table.name, bytes)
      }
    }
  }

  private static let resultTables = [
    (name: "snapshots", date: "snapshot_date"), (name: "valuations", date: "valuation_date"),
    (name: "holding_irr", date: "date"), (name: "portfolio_irr", date: "date"),
  ]

  private static func inputQueries(before: String, night: String) -> [String] {
    [
      """
      select portfolio_id, portfolio_fund_id, quantity, cost, price, valuation
      from plain.valuations where valuation_date = '\(before)'
      """,
      "select * from plain.prices where price_date = '\(night)'",
      """
      select portfolio_fund_id, quantity, amount from plain.activities
      where activity_date = '\(night)'
      """,
      "select * from plain.snapshots where snapshot_date = '\(before)'",
    ]
  }

  private static let schema = """
    drop schema if exists plain cascade;
    create schema plain;
    create table plain.prices (instrument_id int, price_date date, close numeric(20, 8) not null,
      primary key (instrument_id, price_date));
    create table plain.activities (id bigserial primary key, portfolio_id bigint,
      portfolio_fund_id bigint, activity_type text, activity_date date, quantity numeric(28, 8),
      price numeric(20, 8), amount numeric(20, 4));
    create table plain.valuations (id bigserial primary key, portfolio_id bigint,
      portfolio_fund_id bigint, valuation_date date, quantity numeric(28, 8), cost numeric(20, 4),
      price numeric(20, 8), valuation numeric(20, 4), daily_pnl numeric(20, 4),
      unique (portfolio_fund_id, valuation_date));
    create table plain.snapshots (portfolio_id bigint, snapshot_date date,
      is_complete boolean not null default false, claim_token bigint, claimed_at timestamptz,
      opening numeric(20, 4), flow numeric(20, 4), daily_pnl numeric(20, 4), nav numeric(20, 4),
      cash numeric(20, 4), daily_return float8, primary key (portfolio_id, snapshot_date));
    create table plain.holding_irr (id bigserial primary key, portfolio_id bigint,
      fund_id bigint, date date, irr_result float8, unique (fund_id, date));
    create table plain.portfolio_irr (id bigserial primary key, portfolio_id bigint, date date,
      irr_result float8, unique (portfolio_id, date));
    """

  private static func inputs(before: String, night: String) -> String {
    """
    insert into plain.prices select instrument_id, price_date, close from closebell.prices;
    insert into plain.activities (portfolio_id, portfolio_fund_id, activity_type, activity_date,
      quantity, price, amount)
    select portfolio_id, portfolio_fund_id, activity_type, activity_date, quantity, price,
      quantity * price from closebell.holding_activity_log where activity_type = 'buy'
    order by portfolio_fund_id, activity_date;
    create index on plain.activities (portfolio_fund_id, activity_date);
    create index on plain.activities (activity_date);
    """
  }

  /// All dates' rows, one night after the other, and a copy of the night's own to take them from.
  private static func results(night: String) -> String {
    """
    insert into plain.valuations (portfolio_id, portfolio_fund_id, valuation_date, quantity, cost,
      price, valuation, daily_pnl)
    select portfolio_id, portfolio_fund_id, valuation_date, quantity, cost_basis, price,
      valuation, daily_pnl from closebell.portfolio_fund_valuations
    order by valuation_date, portfolio_id, portfolio_fund_id;
    insert into plain.snapshots
    select portfolio_id, snapshot_date, true, 1, now(), opening_equity, net_external_flow,
      daily_pnl, closing_equity, cash, daily_return from closebell.portfolio_snapshots
    order by snapshot_date, portfolio_id;
    insert into plain.holding_irr (portfolio_id, fund_id, date, irr_result)
    select portfolio_id, fund_id, date, irr_result from closebell.portfolio_fund_irr_values
    order by date, portfolio_id, fund_id;
    insert into plain.portfolio_irr (portfolio_id, date, irr_result)
    select portfolio_id, date, irr_result from closebell.portfolio_irr_values
    order by date, portfolio_id;
    create table plain.kept_valuations as
      select * from plain.valuations where valuation_date = '\(night)';
    create table plain.kept_snapshots as
      select * from plain.snapshots where snapshot_date = '\(night)';
    create table plain.kept_holding_irr as
      select * from plain.holding_irr where date = '\(night)';
    create table plain.kept_portfolio_irr as
      select * from plain.portfolio_irr where date = '\(night)';
    """
  }
}
