import Glibc
import Postgres
import PrivateCluster

/// Measures an import of activities against PostgreSQL copying the same rows into the same table
/// with the same indexes, keys and checks, and an import of the same file once more.
///
/// Usage: closebell-bench import CLOSEBELL GENERATOR [PORTFOLIOS [ROUNDS]]
struct ImportBench {
  let closebell: String
  let generator: String
  let portfolios: Int
  let rounds: Int

  private static let columns = """
    portfolio_id, portfolio_fund_id, activity_type, activity_date, quantity, price, amount, fee,
    currency, acquired, status, external_id, note, booked_on
    """

  /// 850 portfolios have a million activities.
  init?(_ arguments: [String]) {
    guard arguments.count >= 2 else { return nil }
    closebell = arguments[0]
    generator = arguments[1]
    portfolios = arguments.count > 2 ? Int(arguments[2]) ?? 850 : 850
    rounds = arguments.count > 3 ? Int(arguments[3]) ?? 3 : 3
  }

  func run() async throws {
    try await BenchServer.run("closebell-bench-import") { url, workload, _ in
      try await measure(url, workload: workload)
    }
  }

  private func measure(_ url: String, workload: String) async throws {
    _ = try MeasuredCommand.run(
      ["python3", generator, workload, "--portfolios", String(portfolios)])
    _ = try command(url, "migrate")
    for kind in ["instruments", "portfolios"] {
      _ = try command(url, "import", kind, "\(workload)/\(kind).csv")
    }
    let file = "\(workload)/activities.csv"
    let connection = try await Connection.connect(
      Configuration(conninfo: url, applicationName: "closebell-bench"))
    _ = try command(url, "import", "activities", file)
    let (rows, bytes) = try await keep(connection)
    var (copies, firsts, agains): ([Double], [MeasuredCommand], [MeasuredCommand]) = ([], [], [])
    for _ in 0..<rounds {
      try await empty(connection)
      copies.append(try await copy(bytes, connection))
      try await empty(connection)
      firsts.append(try command(url, "import", "activities", file))
      try await connection.perform { db in try db.execute(sql: "checkpoint") }
      agains.append(try command(url, "import", "activities", file))
    }
    await connection.close()
    report(rows, copies, firsts, agains)
  }

  private func command(_ url: String, _ arguments: String...) throws -> MeasuredCommand {
    try MeasuredCommand.run([closebell] + arguments + ["--quiet", "--database", url])
  }

  /// The imported rows as binary COPY gives them, in the order of the file.
  private func keep(_ connection: Connection) async throws -> (Int, [[UInt8]]) {
    try await connection.perform { db in
      var pieces: [[UInt8]] = [[]]
      try db.copyOutText(
        "keep",
        """
        copy (select \(Self.columns) from closebell.holding_activity_log order by id)
        to stdout (format binary)
        """, isBinary: true
      ) { piece in
        if pieces[pieces.count - 1].count > 1 << 20 { pieces.append([]) }
        pieces[pieces.count - 1].append(contentsOf: piece)
      }
      let count = Statement("count", "select count(*) from closebell.holding_activity_log")
      return (Int(try db.row(count) { try $0.nextInt64() } ?? 0), pieces)
    }
  }

  private func empty(_ connection: Connection) async throws {
    try await connection.perform { db in
      try db.execute(
        sql: "truncate closebell.holding_activity_log, closebell.input_changes")
      try db.execute(sql: "checkpoint")
    }
  }

  private func copy(_ pieces: [[UInt8]], _ connection: Connection) async throws -> Double {
    try await connection.perform { db in
      let started = ContinuousClock.now
      _ = try db.copyInText(
        "floor",
        "copy closebell.holding_activity_log (\(Self.columns)) from stdin (format binary)",
        isBinary: true
      ) { writer in for piece in pieces { writer.write(piece) } }
      return (ContinuousClock.now - started) / .seconds(1)
    }
  }

  private func report(
    _ rows: Int, _ copies: [Double], _ firsts: [MeasuredCommand], _ agains: [MeasuredCommand]
  ) {
    let (copy, first) = (median(copies), median(firsts.map(\.seconds)))
    let again = median(agains.map(\.seconds))
    let share = median(zip(copies, firsts).map { $0 / $1.seconds })
    let factor = median(zip(firsts, agains).map { $0.seconds / $1.seconds })
    let peak = (firsts + agains).map(\.peakMegabytes).max() ?? 0
    func line(_ name: String, _ seconds: Double) {
      print("\(name): \(twoPlaces(seconds)) s, \(Int(Double(rows) / seconds)) rows/s")
    }
    print("\(rows) activities, \(rounds) rounds, medians")
    line("plain COPY into the same table", copy)
    line("import, whole process", first)
    line("import again, nothing changes", again)
    print("import ÷ COPY, in rows/s: \(twoPlaces(share))")
    print("again ÷ first, in rows/s: \(twoPlaces(factor))")
    print("peak memory of the process: \(twoPlaces(peak)) MB")
    writeReport(
      """
      {"rows":\(rows),"rounds":\(rounds),"copy_seconds":\(copy),"import_seconds":\(first),\
      "again_seconds":\(again),"share_of_copy":\(share),"again_factor":\(factor),\
      "peak_megabytes":\(peak)}

      """)
  }
}
