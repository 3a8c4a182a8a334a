import Glibc
import Postgres
import PrivateCluster

/// Measures one night end to end against PostgreSQL only copying the same rows, in alternating
/// pairs on the same server, and prints medians.
///
/// Usage: closebell-bench CLOSEBELL GENERATOR [PORTFOLIOS [PAIRS [HISTORY [DATES [MONTHS]]]]],
/// closebell-bench kernels [NAME…] for the arithmetic alone (see `Kernels`), closebell-bench
/// sequences (see `SequenceBench`), or closebell-bench import … (see `ImportBench`).
@main
struct Bench {
  let closebell: String
  let generator: String
  let portfolios: Int
  let pairs: Int
  /// Earlier dates that stand in the tables, ours and the floor's.
  let history: Int
  /// Dates from the night on that are closed, closed again, and verified.
  let dates: Int
  /// Months of activities before the first close.
  let months: Int

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
        "usage: closebell-bench CLOSEBELL GENERATOR [PORTFOLIOS [PAIRS [HISTORY [DATES [MONTHS]]]]]"
          + " | import … | kernels [NAME…] | sequences")
      exit(64)
    }
    func number(_ position: Int, _ otherwise: Int) -> Int {
      arguments.count > position ? Int(arguments[position]) ?? otherwise : otherwise
    }
    let bench = Bench(
      closebell: arguments[1], generator: arguments[2], portfolios: number(3, 1_000),
      pairs: number(4, 5), history: number(5, 0), dates: number(6, 0), months: number(7, 60))
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
    try await BenchServer.run("closebell-bench") { url, workload, logFile in
      try await measure(url, workload: workload, logFile: logFile)
    }
  }

  private func measure(_ url: String, workload: String, logFile: String) async throws {
    _ = try MeasuredCommand.run([
      "python3", generator, workload, "--portfolios", String(portfolios),
      "--days", String(max(0, dates - 1)), "--months", String(months),
    ])
    try command(url, "migrate")
    var figures = Figures()
    figures.importing = try importAll(url, workload)
    let connection = try await Connection.connect(
      Configuration(conninfo: url, applicationName: "closebell-bench"))
    let own = OwnTables(connection: connection, night: Self.night)
    try await measureFirstCloses(url, own, &figures)
    try await own.extend(by: history, before: Self.before)
    try command(url, "run", "--date", Self.night, "--workers", "2")
    try await own.keepNight()
    figures.digest = try await digest(connection)
    let plain = PlainTables(connection: connection)
    try await plain.build(day: Self.before, night: Self.night)
    let server = ServerTime(processID: try await own.postmaster())
    for _ in 0..<pairs {
      figures.floors.append(try await plain.copySeconds(day: Self.before, night: Self.night))
      figures.ownFloors.append(try await own.copySeconds(day: Self.before))
      try await own.reopen()
      let before = server.seconds()
      figures.nights.append(try command(url, "run", "--date", Self.night, "--workers", "2"))
      figures.serverSeconds.append(server.seconds() - before)
    }
    for _ in 0..<pairs {
      figures.again.append(try command(url, "run", "--date", Self.night, "--workers", "2"))
      figures.verified.append(
        try command(url, "verify", "--from", Self.night, "--to", Self.night, "--trust-opening"))
    }
    figures.peer = try await measurePeer(url, connection)
    try await own.reopen()
    figures.profile = try await StatementProfile(connection: connection, logFile: logFile)
      .measure { try command(url, "run", "--date", Self.night, "--workers", "2") }
    let same = try await digest(connection)
    guard same == figures.digest else { throw Changed(before: figures.digest, after: same) }
    if dates > 0 {
      figures.sweeps = try await measureSweeps(url, connection, workload: workload)
    }
    await connection.close()
    report(figures)
  }

  /// The first close, from nothing each time, and what it costs at least.
  ///
  /// All of them find the inputs vacuumed; the very first read after an import would mark each row.
  private func measureFirstCloses(
    _ url: String, _ own: OwnTables, _ figures: inout Figures
  ) async throws {
    let floor = SweepFloor(
      connection: own.connection, from: Self.before, readsFrom: "-infinity", readsOldRows: false)
    for _ in 0..<max(1, min(pairs, 5)) {
      try await own.empty()
      figures.firsts.append(try command(url, "run", "--date", Self.before, "--workers", "2"))
      figures.firstFloors.append(try await floor.seconds())
    }
  }

  /// The night as a script beside the generator does it; nil where its libraries are not installed.
  private func measurePeer(_ url: String, _ connection: Connection) async throws -> Peer? {
    let libraries = ["python3", "-c", "import psycopg, pyxirr"]
    guard (try? MeasuredCommand.run(libraries, showsErrors: false)) != nil else { return nil }
    let script = generator.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let night = try MeasuredCommand.run([
      "python3", (script + ["peer.py"]).joined(separator: "/"), url, Self.before, Self.night,
    ])
    let plain = PlainTables(connection: connection)
    return Peer(seconds: night.seconds, digest: try await plain.digest(Self.night))
  }

  struct Changed: Error, CustomStringConvertible {
    var before: String
    var after: String
    var description: String { "the night's digest changed: \(before), then \(after)" }
  }

  @discardableResult
  func command(_ url: String, _ arguments: String...) throws -> MeasuredCommand {
    try command(url, arguments)
  }

  @discardableResult
  func command(_ url: String, _ arguments: [String]) throws -> MeasuredCommand {
    try MeasuredCommand.run([closebell] + arguments + ["--database", url])
  }

  private func importAll(_ url: String, _ workload: String) throws -> MeasuredCommand {
    var total = MeasuredCommand()
    for kind in ["instruments", "portfolios", "prices", "activities"] {
      let one = try command(url, "import", kind, "\(workload)/\(kind).csv")
      total.seconds += one.seconds
      total.cpuSeconds += one.cpuSeconds
      total.peakMegabytes = max(total.peakMegabytes, one.peakMegabytes)
    }
    return total
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
