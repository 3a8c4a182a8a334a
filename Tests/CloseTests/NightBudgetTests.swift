import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// What a night may cost: so many calls a chunk, and no row of the database that it does not need.
///
/// These are counts of the night's own sessions, which no neighbour on the machine can change;
/// times are for benchmarks.
@Suite(.serialized) struct NightBudgetTests {
  /// A night without activities: plan, claim, load and populate of one more chunk.
  private static let callsOfAChunk = 24
  /// The same with one chunk, from connecting to the end, each statement's preparation included;
  /// four of them open the connection that plans, beside the one that keeps the lease, which one
  /// more names.
  private static let callsOfANight = 76

  @Test("a night's calls do not depend on the number of portfolios, only on that of chunks")
  func calls() async throws {
    let books = try await ManyBooks.closed(portfolios: 60)
    _ = try await books.calls(ofNight: "2017-06-29", chunk: 60)
    let wide = try await books.calls(ofNight: "2017-06-30", chunk: 60)
    let narrow = try await books.calls(ofNight: "2017-07-03", chunk: 20)
    // Statements are prepared once: what the two chunks more cost is a chunk's own price.
    #expect(narrow.count - wide.count == 2 * Self.callsOfAChunk, "\(narrow)")
    #expect(wide.count == Self.callsOfANight, "\(wide)")
    for name in ["load-history", "load-external-flows"] {
      #expect(!wide.contains(name) && !narrow.contains(name))
    }
  }

  @Test("a night reads the date before it and what is booked on its own, and nothing else")
  func rowsRead() async throws {
    let books = try await ManyBooks.closed(portfolios: 300)
    try await books.repeatFirstClose(dates: 40)
    let read = try await books.books.rowsRead {
      _ = try await books.calls(ofNight: "2017-06-29", chunk: 100)
    }
    let holdings: Int64 = 300 * ManyBooks.holdings
    #expect(read["portfolio_fund_valuations"] == holdings)
    #expect(read["portfolio_irr_moments"] <= 2 * 300)
    // Three activities each, and the newest pages, for the look at the sequence of ids.
    #expect(read["holding_activity_log"] <= 3 * 300 + 8 * 120)
    // Three activities each, looked up among two holdings.
    #expect(read["portfolio_funds"] <= 6 * 300)
    // The latest close of each, its opening, the claim and what is filled in; not forty dates.
    #expect(read["portfolio_snapshots"] <= 10 * 300)
  }
}

/// Many alike portfolios, each with two holdings, closed for 2017-06-28.
struct ManyBooks {
  let books: DemoBooks
  static let holdings: Int64 = 2

  static func closed(portfolios: Int) async throws -> ManyBooks {
    let books = try await DemoBooks.empty()
    try await books.importText(
      .instruments,
      """
      symbol,name,kind,currency,multiplier,pricing
      OAK,Oak Corporation,equity,USD,1,quoted
      ELM,Elm Corporation,equity,USD,1,quoted

      """)
    let dates = ["2017-01-03", "2017-06-28", "2017-06-29", "2017-06-30", "2017-07-03"]
    let closes = dates.enumerated().map {
      "\($1),OAK,10.5\($0),USD\n\($1),ELM,20.2\($0),USD\n"
    }
    try await books.importText(.prices, "date,symbol,close,currency\n" + closes.joined())
    let codes = (0..<portfolios).map { "P\($0)" }
    try await books.importText(
      .portfolios,
      "code,name,base_currency,inception_date\n"
        + codes.map { "\($0),\($0),USD,2017-01-02\n" }.joined())
    let days = ["2017-01-03", "2017-02-03", "2017-03-03", "2017-04-03", "2017-06-29"]
    let rows = codes.flatMap { code in
      days.enumerated().flatMap { index, day in
        [
          "\(code)-\(index)d,\(code),\(day),deposit,,,,400,,USD\n",
          "\(code)-\(index)o,\(code),\(day),buy,OAK,10,10.5,,0,USD\n",
          "\(code)-\(index)e,\(code),\(day),buy,ELM,10,20.25,,0,USD\n",
        ]
      }
    }
    try await books.importText(
      .activities,
      "id,portfolio,date,type,symbol,quantity,price,amount,fee,currency\n" + rows.joined())
    let report = try await books.close("2017-06-28")
    #expect(report.counts.completed == portfolios)
    // A change is forgotten once every transaction of the server is younger, of other tests too.
    try await books.execute("delete from closebell.input_changes")
    try await books.readAlone()
    return ManyBooks(books: books)
  }

  /// The names of a night's calls in their order, with one worker.
  func calls(ofNight date: String, chunk: Int) async throws -> [String] {
    let plan = FaultPlan()
    var configuration = books.configuration
    configuration.faultPlan = plan
    let watched = configuration
    var settings = DemoBooks.settings(workers: 1, chunk: chunk)
    // However slow the machine is, the lease need not be prolonged.
    settings.leaseSeconds = 86_400
    let report = try await CloseRun(.night(Day(date) ?? .earliest), settings: settings) {
      try await Connection.connect(watched)
    }.run()
    #expect(report.exitCode == 0)
    return plan.names
  }

  /// Gives every portfolio so many earlier dates that say what the first close does.
  func repeatFirstClose(dates: Int) async throws {
    for back in 1...dates {
      try await books.execute(
        """
        create temporary table copied as select * from closebell.portfolio_snapshots
          where snapshot_date = '2017-06-28';
        update copied set snapshot_date = snapshot_date - \(back),
          opened_from_date = \(back == dates ? "null" : "snapshot_date - \(back + 1)"),
          opened_from_revision = \(back == dates ? "null" : "1");
        update closebell.portfolio_snapshots
          set opened_from_date = snapshot_date - 1, opened_from_revision = 1
          where snapshot_date = '2017-06-28' and opened_from_date is null;
        insert into closebell.portfolio_snapshots select * from copied;
        create temporary table holdings as select * from closebell.portfolio_fund_valuations
          where valuation_date = '2017-06-28';
        update holdings set valuation_date = valuation_date - \(back);
        insert into closebell.portfolio_fund_valuations select * from holdings
        """)
    }
    try await books.vacuum()
  }
}
