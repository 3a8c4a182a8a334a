import Glibc
import Postgres

/// Many dates of each portfolio at once.
struct Sweeps {
  /// Dates closed for the first time, in one run.
  var catchUp = MeasuredCommand()
  /// The night and these dates closed again, after one close of every symbol was corrected.
  var replay = MeasuredCommand()
  /// All of these dates computed once more, and compared.
  var verify = MeasuredCommand()
  /// The coverage of these dates.
  var status = MeasuredCommand()
  /// Their holdings written as CSV.
  var export = MeasuredCommand()
  /// PostgreSQL only copying what the replay reads and writes.
  var floor = 0.0
  /// The slots of the replay.
  var slots = 0
  /// The slots of the catch-up.
  var caughtUp = 0

  var commands: [MeasuredCommand] { [catchUp, replay, verify, status, export] }

  var json: String {
    """
    "sweep_slots":\(slots),"catch_up_slots":\(caughtUp),\
    "catch_up_seconds":\(catchUp.seconds),"replay_seconds":\(replay.seconds),\
    "replay_floor_seconds":\(floor),"verify_seconds":\(verify.seconds),\
    "status_seconds":\(status.seconds),"export_seconds":\(export.seconds),
    """
  }
}

extension Bench {
  /// Closes further dates, verifies them, and closes them again after a close of the first was
  /// corrected for every symbol.
  func measureSweeps(
    _ url: String, _ connection: Connection, workload: String
  ) async throws -> Sweeps {
    let floor = SweepFloor(connection: connection, from: Self.night)
    var sweeps = Sweeps()
    let last = try await floor.lastPricedDate()
    try await connection.perform { db in
      try db.execute(sql: "vacuum analyze")
      try db.execute(sql: "checkpoint")
    }
    sweeps.catchUp = try command(
      url, "run", "--date", last, "--workers", "2", "--max-catch-up", String(dates))
    sweeps.slots = try await floor.slots()
    sweeps.caughtUp = sweeps.slots - portfolios
    sweeps.verify = try command(url, "verify", "--from", Self.night, "--to", last)
    sweeps.status = try command(url, "status", "--from", Self.night, "--to", last)
    sweeps.export = try command(url, "export", "holdings", "--from", Self.night, "--to", last)
    let corrected = workload + "/corrected.csv"
    try await floor.writeCorrectedCloses(to: corrected)
    try command(url, "import", "prices", corrected)
    sweeps.floor = try await floor.seconds()
    sweeps.replay = try command(
      url, "replay", "--from", Self.night, "--to", last, "--workers", "2")
    return sweeps
  }

  func report(_ sweeps: Sweeps, night: Double) {
    row("\(dates - 1) dates caught up", sweeps.catchUp.seconds, slots: sweeps.caughtUp)
    row("\(dates) dates closed again", sweeps.replay.seconds, slots: sweeps.slots)
    row("floor: only copying these dates", sweeps.floor, slots: sweeps.slots)
    ratio("replay / its floor", [sweeps.replay.seconds / sweeps.floor])
    let aSlot = sweeps.replay.seconds / Double(sweeps.slots)
    ratio("a slot of it / one of the night", [aSlot / (night / Double(portfolios))])
    row("\(dates) dates verified", sweeps.verify.seconds, slots: sweeps.slots)
    row("status of these dates", sweeps.status.seconds, slots: nil)
    row("export of their holdings", sweeps.export.seconds, slots: sweeps.slots)
  }
}

/// What a replay or a first close costs at least: its inputs and its old rows copied out, its rows
/// copied in.
struct SweepFloor {
  let connection: Connection
  /// The first date whose rows are copied.
  let from: String
  /// The first date whose inputs are.
  var readsFrom: String?
  /// Whether old rows are read too, as by a replay.
  var readsOldRows = true

  /// Copies into empty tables like our own, in seconds.
  func seconds() async throws -> Double {
    try await connection.perform { [from, readsOldRows, inputsFrom = readsFrom ?? from] db in
      try db.execute(sql: "drop schema if exists sweep cascade; create schema sweep")
      for table in OwnTables.tables {
        try db.execute(
          sql: "create table sweep.\(table.name) (like closebell.\(table.name) including all)")
      }
      try db.execute(sql: "checkpoint")
      let started = ContinuousClock.now
      for query in Self.inputs(from: inputsFrom) {
        try db.copyOutText(
          "sweep-in", "copy (\(query)) to stdout (format binary)", isBinary: true
        ) { _ in }
      }
      var seconds = (ContinuousClock.now - started) / .seconds(1)
      for table in OwnTables.tables {
        let (out, back) = try Self.copy(table.name, table.date, from, on: db)
        seconds += readsOldRows ? out + back : back
      }
      return seconds
    }
  }

  /// A date at a time, as much as one keeps in memory; the seconds of either way.
  private static func copy(
    _ table: String, _ date: String, _ from: String, on db: isolated Connection
  ) throws -> (out: Double, back: Double) {
    var seconds = (out: 0.0, back: 0.0)
    let dates = try db.rows(
      Statement.once(
        "sweep-dates",
        """
        select distinct \(date)::text from closebell.\(table)
        where \(date) >= '\(from)' order by 1
        """
      )
    ) { try $0.nextString() }
    for day in dates {
      var bytes: [UInt8] = []
      let started = ContinuousClock.now
      let rows = "select * from closebell.\(table) where \(date) = '\(day)'"
      try db.copyOutText("sweep-out", "copy (\(rows)) to stdout (format binary)", isBinary: true) {
        bytes.append(contentsOf: $0)
      }
      let turned = ContinuousClock.now
      _ = try db.copyInText(
        "sweep-back", "copy sweep.\(table) from stdin (format binary)", isBinary: true
      ) { $0.write(bytes) }
      seconds.out += (turned - started) / .seconds(1)
      seconds.back += (ContinuousClock.now - turned) / .seconds(1)
    }
    return seconds
  }

  private static func inputs(from: String) -> [String] {
    [
      "select * from closebell.prices where price_date >= '\(from)'",
      "select * from closebell.portfolio_irr_moments",
      """
      select a.* from closebell.portfolios p cross join lateral (
        select * from closebell.holding_activity_log l where l.portfolio_id = p.id
          and coalesce(l.booked_on, l.activity_date) >= '\(from)' offset 0) a
      """,
    ]
  }

  /// The closes of the first date, each one dearer, in the import format.
  func writeCorrectedCloses(to path: String) async throws {
    let query = Statement(
      "corrected-closes",
      """
      select pg_catalog.concat_ws(',', p.price_date, i.symbol, p.close + 1, i.currency)
      from closebell.prices p join closebell.instruments i on i.id = p.instrument_id
      where p.price_date = '\(from)' order by i.symbol
      """)
    let rows = try await connection.perform { db in try db.rows(query) { try $0.nextString() } }
    guard let file = fopen(path, "w") else { return }
    fputs((["date,symbol,close,currency"] + rows).joined(separator: "\n") + "\n", file)
    fclose(file)
  }

  /// The last date with closes.
  func lastPricedDate() async throws -> String {
    let query = Statement("last-priced", "select max(price_date)::text from closebell.prices")
    return try await connection.perform { db in
      try db.row(query) { try $0.nextString() } ?? ""
    }
  }

  /// How many slots are complete from the first date on.
  func slots() async throws -> Int {
    let query = Statement(
      "sweep-slots",
      """
      select count(*) from closebell.portfolio_snapshots
      where snapshot_date >= '\(from)' and is_complete
      """)
    let count = try await connection.perform { db in try db.row(query) { try $0.nextInt64() } }
    return Int(count ?? 0)
  }
}
