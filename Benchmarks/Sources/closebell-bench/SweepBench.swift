import Glibc
import Postgres

/// Many dates of each portfolio at once.
struct Sweeps {
  /// Dates closed for the first time, in one run.
  var catchUp = MeasuredCommand()
  /// The night and these dates closed again, each time after a close of every symbol was corrected.
  var replays: [MeasuredCommand] = []
  /// All of these dates computed once more, and compared.
  var verified: [MeasuredCommand] = []
  /// The coverage of these dates.
  var statuses: [MeasuredCommand] = []
  /// Their holdings written as CSV.
  var exports: [MeasuredCommand] = []
  /// PostgreSQL only copying what the replay reads and writes.
  var floors: [Double] = []
  /// The slots of the replay.
  var slots = 0
  /// The slots of the catch-up.
  var caughtUp = 0

  var commands: [MeasuredCommand] { [catchUp] + replays + verified + statuses + exports }

  var json: String {
    func middle(_ commands: [MeasuredCommand]) -> Double { median(commands.map(\.seconds)) }
    return """
      "sweep_slots":\(slots),"catch_up_slots":\(caughtUp),\
      "catch_up_seconds":\(catchUp.seconds),"replay_seconds":\(middle(replays)),\
      "replay_floor_seconds":\(median(floors)),"verify_seconds":\(middle(verified)),\
      "status_seconds":\(middle(statuses)),"export_seconds":\(middle(exports)),
      """
  }
}

extension Bench {
  /// Closes further dates; reads them, and closes them again after a close of the first was
  /// corrected for every symbol, as often as there are pairs.
  func measureSweeps(
    _ url: String, _ connection: Connection, workload: String
  ) async throws -> Sweeps {
    let floor = SweepFloor(connection: connection, from: Self.night)
    var sweeps = Sweeps()
    let last = try await floor.lastPricedDate()
    try await floor.tidy()
    sweeps.catchUp = try command(
      url, "run", "--date", last, "--workers", "2", "--max-catch-up", String(dates))
    sweeps.slots = try await floor.slots()
    sweeps.caughtUp = sweeps.slots - portfolios
    let range = ["--from", Self.night, "--to", last]
    let corrected = workload + "/corrected.csv"
    for _ in 0..<pairs {
      try await floor.tidy()
      sweeps.verified.append(try command(url, ["verify"] + range))
      sweeps.statuses.append(try command(url, ["status"] + range))
      sweeps.exports.append(try command(url, ["export", "holdings"] + range))
      try await floor.writeCorrectedCloses(to: corrected)
      try command(url, "import", "prices", corrected)
      sweeps.floors.append(try await floor.seconds())
      try await floor.tidy()
      sweeps.replays.append(try command(url, ["replay"] + range + ["--workers", "2"]))
    }
    return sweeps
  }

  func report(_ sweeps: Sweeps, night: Double) {
    func row(_ name: String, _ commands: [MeasuredCommand], slots: Int?) {
      self.row(name, median(commands.map(\.seconds)), slots: slots)
    }
    row("\(dates - 1) dates caught up", [sweeps.catchUp], slots: sweeps.caughtUp)
    row("\(dates) dates closed again", sweeps.replays, slots: sweeps.slots)
    self.row("floor: only copying these dates", median(sweeps.floors), slots: sweeps.slots)
    ratio("replay / its floor", zip(sweeps.replays, sweeps.floors).map { $0.seconds / $1 })
    let aNight = night / Double(portfolios)
    ratio(
      "a slot of it / one of the night",
      sweeps.replays.map { $0.seconds / Double(sweeps.slots) / aNight })
    row("\(dates) dates verified", sweeps.verified, slots: sweeps.slots)
    row("status of these dates", sweeps.statuses, slots: nil)
    row("export of their holdings", sweeps.exports, slots: sweeps.slots)
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

  /// Vacuums, and writes what is to be written, so that what comes next pays for itself only.
  func tidy() async throws {
    try await connection.perform { db in
      try db.execute(sql: "drop schema if exists sweep cascade")
      try db.execute(sql: "vacuum analyze")
      try db.execute(sql: "checkpoint")
    }
  }

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
      select * from closebell.holding_activity_log
      where coalesce(booked_on, activity_date) >= '\(from)'
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
