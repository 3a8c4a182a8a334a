import Glibc
import Postgres
import PrivateCluster

/// Measures one night end to end against PostgreSQL only copying the same rows, in alternating
/// pairs on the same server, and prints medians.
///
/// Usage: closebell-bench CLOSEBELL GENERATOR [PORTFOLIOS [PAIRS]], closebell-bench kernels [NAME…]
/// for the arithmetic alone (see `Kernels`), closebell-bench sequences (see `SequenceBench`), or
/// closebell-bench import … (see `ImportBench`).
@main
struct Bench {
  let closebell: String
  let generator: String
  let portfolios: Int
  let pairs: Int

  static let before = "2025-06-30"
  static let night = "2025-07-01"

  static func main() async {
    let arguments = CommandLine.arguments
    if arguments.dropFirst().first == "kernels" {
      if Kernels.run(Array(arguments.dropFirst(2))) { return }
      let names = Kernels.all.map { $0.name }.joined(separator: " ")
      complain("usage: closebell-bench kernels [NAME…]; the kernels are \(names)")
      exit(64)
    }
    if arguments.dropFirst().first == "sequences" {
      return await attempt(SequenceBench.run)
    }
    if arguments.dropFirst().first == "import" {
      guard let bench = ImportBench(Array(arguments.dropFirst(2))) else {
        complain("usage: closebell-bench import CLOSEBELL GENERATOR [PORTFOLIOS [ROUNDS]]")
        exit(64)
      }
      return await attempt(bench.run)
    }
    guard arguments.count >= 3 else {
      complain(
        "usage: closebell-bench CLOSEBELL GENERATOR [PORTFOLIOS [PAIRS]] | import … | kernels …")
      exit(64)
    }
    let bench = Bench(
      closebell: arguments[1], generator: arguments[2],
      portfolios: arguments.count > 3 ? Int(arguments[3]) ?? 1_000 : 1_000,
      pairs: arguments.count > 4 ? Int(arguments[4]) ?? 5 : 5)
    await attempt(bench.run)
  }

  private static func attempt(_ body: () async throws -> Void) async {
    do {
      try await body()
    } catch {
      complain("error: \(error)")
      exit(2)
    }
  }

  private static func complain(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }

  private func run() async throws {
    let home = "/tmp/closebell-bench-\(getuid())"
    try removeFolder(home)
    setenv("CLOSEBELL_HOME", home, 1)
    let cluster = PrivateCluster(dataFolder: home)
    let url = try await cluster.start()
    do {
      try await measure(url, workload: home + "-workload")
    } catch {
      try? await cluster.stop()
      throw error
    }
    try await cluster.stop()
    try removeFolder(home)
    try removeFolder(home + "-workload")
  }

  private func removeFolder(_ path: String) throws {
    _ = try MeasuredCommand.run(["rm", "-rf", path])
  }

  private func measure(_ url: String, workload: String) async throws {
    _ = try MeasuredCommand.run(
      ["python3", generator, workload, "--portfolios", String(portfolios)])
    try command(url, "migrate")
    let importing = try importAll(url, workload)
    let first = try command(url, "run", "--date", Self.before, "--workers", "2")
    let connection = try await Connection.connect(
      Configuration(conninfo: url, applicationName: "closebell-bench"))
    try await connection.perform { db in
      try db.execute(
        sql: "create table public.kept_moments as select * from closebell.portfolio_irr_moments")
      try db.execute(sql: "vacuum analyze")
    }
    try command(url, "run", "--date", Self.night, "--workers", "2")
    let digest = try await digest(connection)
    let plain = PlainTables(connection: connection)
    try await plain.build(day: Self.before, night: Self.night)
    var nights: [MeasuredCommand] = []
    var floors: [Double] = []
    for _ in 0..<pairs {
      floors.append(try await plain.copySeconds(day: Self.before, night: Self.night))
      try await reopenNight(connection)
      nights.append(try command(url, "run", "--date", Self.night, "--workers", "2"))
    }
    let again = try command(url, "run", "--date", Self.night)
    let same = try await self.digest(connection)
    await connection.close()
    guard same == digest else { throw Changed(before: digest, after: same) }
    report(importing, first, nights, floors, again, digest)
  }

  struct Changed: Error, CustomStringConvertible {
    var before: String
    var after: String
    var description: String { "the night's digest changed: \(before), then \(after)" }
  }

  @discardableResult
  private func command(_ url: String, _ arguments: String...) throws -> MeasuredCommand {
    try MeasuredCommand.run([closebell] + arguments + ["--database", url])
  }

  private func importAll(_ url: String, _ workload: String) throws -> MeasuredCommand {
    var total = MeasuredCommand(seconds: 0, peakMegabytes: 0, cpuSeconds: 0)
    for kind in ["instruments", "portfolios", "prices", "activities"] {
      let one = try command(url, "import", kind, "\(workload)/\(kind).csv")
      total.seconds += one.seconds
      total.cpuSeconds += one.cpuSeconds
      total.peakMegabytes = max(total.peakMegabytes, one.peakMegabytes)
    }
    return total
  }

  /// Takes the night's rows away again, as if it had not been closed.
  private func reopenNight(_ connection: Connection) async throws {
    try await connection.perform { db in
      for (table, date) in [
        ("portfolio_snapshots", "snapshot_date"), ("portfolio_fund_valuations", "valuation_date"),
        ("portfolio_fund_irr_values", "date"), ("portfolio_irr_values", "date"),
      ] {
        try db.execute(sql: "delete from closebell.\(table) where \(date) = '\(Self.night)'")
        try db.execute(sql: "vacuum analyze closebell.\(table)")
      }
      try db.execute(
        sql: """
          update closebell.portfolio_irr_moments m set as_of = k.as_of, moments = k.moments
          from public.kept_moments k
          where k.portfolio_id = m.portfolio_id and k.as_of <> m.as_of
          """)
      try db.execute(sql: "vacuum analyze closebell.portfolio_irr_moments")
      try db.execute(sql: "checkpoint")
    }
  }

  /// Slots, Σ closing equity, Σ P&L, Σ IRR of holdings and of portfolios to six decimals.
  private func digest(_ connection: Connection) async throws -> String {
    let query = Statement(
      "digest",
      """
      select pg_catalog.concat_ws(' ', count(*), sum(closing_equity), sum(daily_pnl),
        (select round(sum(irr_result)::numeric, 6) from closebell.portfolio_fund_irr_values
         where date = '\(Self.night)'),
        (select round(sum(irr_result)::numeric, 6) from closebell.portfolio_irr_values
         where date = '\(Self.night)'))
      from closebell.portfolio_snapshots where snapshot_date = '\(Self.night)' and is_complete
      """)
    return try await connection.perform { db in
      try db.row(query) { try $0.nextString() } ?? ""
    }
  }
}
