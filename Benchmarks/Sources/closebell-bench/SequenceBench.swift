import Accounting
import Glibc
import Postgres
import PrivateCluster
import Sequences
import Storage

/// `closebell-bench sequences`: the check, the trigger and reserved ids, on a server of its own.
enum SequenceBench {
  private static let everything = SequenceScope.database(apart: "closebell")

  /// A measured case.
  private struct Figure {
    var name: String
    /// In the unit of the name.
    var values: [Double]
    var target: Double?
  }

  static func run() async throws {
    try await BenchServer.run("closebell-bench-sequences") { url, _, _ in
      show(try await measure(url))
    }
  }

  private static func connect(_ url: String) async throws -> Connection {
    try await Connection.connect(
      Configuration(conninfo: url, applicationName: "closebell-bench"))
  }

  private static func measure(_ url: String) async throws -> [Figure] {
    let connection = try await connect(url)
    try await connection.perform { db in
      _ = try Migrator.migrate(on: db)
      try db.execute(sql: thousandTables)
      try db.execute(sql: "vacuum analyze")
    }
    var figures = try await check(connection, url)
    figures += try await trigger(connection)
    figures.append(try await reservation(connection))
    figures.append(try await savers(url))
    await connection.close()
    return figures
  }

  // MARK: - Cases

  private static func check(_ connection: Connection, _ url: String) async throws -> [Figure] {
    var whole: [Double] = []
    for _ in 0..<11 {
      let fresh = try await connect(url)
      whole.append(
        try await fresh.perform { db in
          let started = ContinuousClock.now
          let healths = try SequenceReader.check(
            SequenceCatalogue.find(in: everything, on: db), on: db)
          precondition(healths.count >= 1_000 && healths.allSatisfy { $0.state == .healthy })
          return (ContinuousClock.now - started) / .milliseconds(1)
        })
      await fresh.close()
    }
    var (first, later): ([Double], [Double]) = ([], [])
    for _ in 0..<31 {
      let fresh = try await connect(url)
      let times = try await fresh.perform { db in
        try Migrator.requireCurrentSchema(on: db)
        return try (0..<3).map { _ in
          let started = ContinuousClock.now
          try OwnSequences.keepAhead(on: db)
          return (ContinuousClock.now - started) / .milliseconds(1)
        }
      }
      first.append(times[0])
      later.append(times[2])
      await fresh.close()
    }
    return [
      Figure(name: "check of 1 000 tables, new session, ms", values: whole, target: 1_000),
      Figure(name: "look before a run, first of its session, ms", values: first),
      Figure(name: "look before a run, again, ms", values: later, target: 1),
    ]
  }

  /// The same inserts with and without the trigger, in alternating pairs: the server process's own
  /// processor time, which neighbours on the machine do not swell.
  private static func trigger(_ connection: Connection) async throws -> [Figure] {
    let rows = 200_000
    let statements = 2_000
    try await connection.perform { db in
      try db.execute(sql: plainTables)
      _ = try SequenceTrigger.install(on: ["bench.kept"], in: everything, on: db)
    }
    func seconds(_ table: String, rows: Int, times: Int) async throws -> Double {
      let insert = Statement.once(
        "insert-\(table)",
        """
        insert into bench.\(table) (x)
        select g from pg_catalog.generate_series(1, \(rows)) g
        """)
      return try await connection.perform { db in
        try db.execute(sql: "truncate bench.\(table); checkpoint")
        let started = try processorSeconds(of: db.backendPID)
        try db.transaction { db in for _ in 0..<times { try db.execute(insert) } }
        return try processorSeconds(of: db.backendPID) - started
      }
    }
    var (ofRow, ofStatement): ([Double], [Double]) = ([], [])
    for pair in 0..<15 {
      let order = pair.isMultiple(of: 2) ? ["plain", "kept"] : ["kept", "plain"]
      var (bulk, single): ([String: Double], [String: Double]) = ([:], [:])
      for table in order {
        bulk[table] = try await seconds(table, rows: rows, times: 1)
        single[table] = try await seconds(table, rows: 1, times: statements)
      }
      ofRow.append(((bulk["kept"] ?? 0) - (bulk["plain"] ?? 0)) / Double(rows) * 1e6)
      ofStatement.append(
        ((single["kept"] ?? 0) - (single["plain"] ?? 0)) / Double(statements) * 1e3)
    }
    return [
      Figure(name: "trigger, a row of 200 000, µs of processor more", values: ofRow, target: 0.2),
      Figure(name: "trigger, a statement of one row, ms more", values: ofStatement),
    ]
  }

  /// Time on a processor of a process on this machine, as the kernel's scheduler counts it.
  private static func processorSeconds(of process: Int32) throws -> Double {
    guard let file = fopen("/proc/\(process)/schedstat", "r") else { throw NoSchedulerStatistics() }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, 128, file) != nil else { throw NoSchedulerStatistics() }
    return Double(strtoull(text, nil, 10)) / 1e9
  }

  private struct NoSchedulerStatistics: Error, CustomStringConvertible {
    var description: String { "/proc has no schedstat of the server's process" }
  }

  private static func reservation(_ connection: Connection) async throws -> Figure {
    let times = try await connection.perform { db in
      try (0..<21).map { _ in
        let started = ContinuousClock.now
        try db.transaction { db in
          _ = try ReservedIDs.reserve(50_000, from: .holdingIRRs, on: db)
        }
        return (ContinuousClock.now - started) / .milliseconds(1)
      }
    }
    return Figure(name: "50 000 ids reserved in blocks, ms", values: times)
  }

  /// Ten sessions, each saving fifty activities again and again, every call durable.
  private static func savers(_ url: String) async throws -> Figure {
    let connection = try await connect(url)
    try await connection.perform { db in
      try db.execute(
        sql: """
          insert into closebell.portfolios (code, name, base_currency, inception_date)
          select 'P' || g, 'P', 'USD', '2020-01-01' from pg_catalog.generate_series(1, 10) g
          """)
    }
    await connection.close()
    guard let date = Day("2020-02-03"), let currency = Currency("USD") else {
      preconditionFailure("a date and a currency")
    }
    let times = try await withThrowingTaskGroup(of: [Double].self) { group in
      for saver in 0..<10 {
        group.addTask {
          let connection = try await connect(url)
          var times: [Double] = []
          for round in 0..<60 {
            let activities = (0..<50).map { number in
              NewActivity(
                portfolio: ID(rawValue: Int64(saver + 1)), type: "deposit", date: date,
                amount: Money(units: 123_400), currency: currency,
                externalID: "\(saver)-\(round)-\(number)")
            }
            let started = ContinuousClock.now
            let ids = try await connection.perform { db in
              try SavedActivities.save(activities, on: db)
            }
            precondition(ids.count == 50)
            times.append((ContinuousClock.now - started) / .milliseconds(1))
          }
          await connection.close()
          return Array(times.dropFirst(10))
        }
      }
      return try await group.reduce([], +)
    }
    return Figure(name: "50 activities saved, 10 savers at once, ms", values: times, target: 10)
  }

  // MARK: - Tables

  private static let thousandTables = """
    create schema many;
    do $$ begin
      for i in 1..1000 loop
        execute format('create table many.t%s (id bigint generated by default as identity '
          || 'primary key, x integer)', i);
        execute format('insert into many.t%s (x) select g from generate_series(1, 20) g', i);
      end loop;
    end $$
    """
  private static let plainTables = """
    create schema bench;
    create table bench.plain (id bigserial primary key, x bigint);
    create table bench.kept (id bigserial primary key, x bigint);
    """

  // MARK: - Report

  private static func show(_ figures: [Figure]) {
    var members: [String] = []
    for figure in figures {
      let sorted = figure.values.sorted()
      let middle = median(sorted)
      let most = sorted[min(sorted.count - 1, sorted.count * 95 / 100)]
      let target = figure.target.map { " (\(middle <= $0 ? "≤" : "over") \(twoPlaces($0)))" } ?? ""
      let space = String(repeating: " ", count: max(1, 48 - figure.name.count))
      print(
        "\(figure.name)\(space)\(signed(middle))\(target)   least \(signed(sorted[0])), 95 % "
          + "within \(signed(most))")
      members.append(
        """
        {"case":"\(figure.name)","median":\(middle),"least":\(sorted[0]),"p95":\(most),\
        "target":\(figure.target.map { "\($0)" } ?? "null")}
        """)
    }
    writeReport("{\"sequences\":[\(members.joined(separator: ","))]}\n")
  }

  /// A difference may come out negative.
  private static func signed(_ value: Double) -> String {
    value < 0 ? "-" + twoPlaces(-value) : twoPlaces(value)
  }
}
