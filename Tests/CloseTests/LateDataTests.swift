import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// Whatever is imported late makes stale what depends on it, and the next run puts just that right.
@Suite struct LateDataTests {
  /// One late file.
  struct Late: CustomTestStringConvertible, Sendable {
    var kind: ImportKind
    var text: String
    /// The first date whose numbers depend on it.
    var from: String
    /// Whose, if not everybody's who holds it.
    var codes: [String] = []
    var restate = false

    var testDescription: String { "\(kind.rawValue) \(text.split(separator: "\n").last ?? "")" }
  }

  static let lateFiles: [Late] = [
    Late(
      kind: .activities,
      text: "id,portfolio,date,type,amount\nLATE-1,COLA,2017-06-27,deposit,1234.56\n",
      from: "2017-06-27", codes: ["COLA"]),
    Late(
      kind: .activities,
      text: """
        id,portfolio,date,type,symbol,quantity,price
        LATE-2,COLA,2017-06-26,buy,AMZN,1,990
        """, from: "2017-06-26", codes: ["COLA"]),
    Late(kind: .prices, text: "date,symbol,close\n2017-06-28,AMZN,1000.01\n", from: "2017-06-28"),
    Late(
      kind: .fxRates, text: "date,base,quote,rate\n2017-06-28,USD,JPY,113\n", from: "2017-06-28"),
    Late(
      kind: .corporateActions, text: "ex_date,symbol,type,value\n2017-06-28,AMZN,split,2\n",
      from: "2017-06-28"),
    Late(
      kind: .portfolios,
      text: """
        code,name,base_currency,inception_date,calendar,lot_relief,cash,dividends,irr_convention
        MAPLE,Maple Last-In,GBP,2014-01-06,weekdays,fifo,base,recorded,xirr_act365
        """, from: "2017-06-22", codes: ["MAPLE"], restate: true),
    Late(
      kind: .instruments,
      text: "symbol,name,kind,currency,multiplier\nAMZN,Amazon,equity,USD,2\n",
      from: "2017-06-22", restate: true),
  ]

  @Test(
    "late data of every kind: stale exactly where it counts, and right after the next run",
    arguments: lateFiles)
  func everyKind(_ late: Late) async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-22")
    let before = try await books.tables()
    try await books.importing(late)
    let found = try await books.verify()
    #expect(!found.findings.isEmpty)
    for finding in found.findings {
      #expect(finding.first?.cause == .stale && finding.dates.count == 1, "\(finding)")
      #expect(finding.first.map { $0.date >= Day(late.from)! } == true, "\(finding)")
    }
    if !late.codes.isEmpty { #expect(found.findings.map(\.portfolio.code) == late.codes) }

    let night = try await books.close("2017-06-30")
    #expect(night.exitCode == 0, "\(night.failures)")
    let after = try await books.verify()
    #expect(after.isClean, "\(after.findings) \(after.chain)")
    let left = try await books.perform { db in try Planning.stale(through: .latest, on: db) }
    #expect(left.isEmpty)

    // Only those portfolios were given other numbers, and only from that date on.
    let changed = Set(before.map(Self.numbers))
      .symmetricDifference((try await books.tables()).map(Self.numbers))
    let keys = try await books.keys(of: found.findings.map(\.portfolio.code))
    #expect(Set(changed.map { Self.value("portfolio_id", $0) }) == keys)
    for line in changed {
      let keys = ["snapshot_date", "valuation_date", "date", "balance_date"]
      let dates = keys.map { Self.value($0, line) }
      #expect(dates.contains { $0 >= "\"\(late.from)\"" && $0.hasPrefix("\"20") }, "\(line)")
    }
  }

  /// A row without the digest of its inputs.
  private static func numbers(_ row: String) -> String {
    let digest = value("fingerprint", row)
    return digest.isEmpty ? row : row.replacing(digest, with: "")
  }

  private static func value(_ key: String, _ json: String) -> String {
    guard let start = json.firstRange(of: "\"\(key)\": ")?.upperBound else { return "" }
    return String(json[start...].prefix { $0 != "," && $0 != "}" })
  }

  @Test("a late statement counts from its date on")
  func statement() async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-22")
    let symbol = try await books.perform { db in
      try db.row(
        Postgres.Statement(
          "valued",
          """
          select i.symbol from closebell.portfolio_funds f
          join closebell.portfolios p on p.id = f.portfolio_id and p.code = 'THISTLE'
          join closebell.instruments i on i.id = f.instrument_id and i.pricing = 'valued'
          join closebell.portfolio_fund_valuations v
            on v.portfolio_id = p.id and v.portfolio_fund_id = f.id
            and v.valuation_date = '2017-06-30' and v.valuation > 0
          order by 1 limit 1
          """)
      ) { try $0.nextString() }
    }
    let late = Late(
      kind: .valuations,
      text: "portfolio,symbol,date,value\nTHISTLE,\(try #require(symbol)),2017-06-28,4321\n",
      from: "2017-06-28")
    try await books.importing(late)
    let found = try await books.verify()
    #expect(found.findings.map(\.portfolio.code) == ["THISTLE"])
    #expect(found.findings.first?.first?.date == Day("2017-06-28"))
    #expect(found.findings.first?.first?.cause == .stale)
    _ = try await books.close("2017-06-30")
    #expect(try await books.verify().isClean)
  }

  @Test("a calendar's change is stale even where no number moves, and is settled without a write")
  func calendar() async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-22")
    try await books.importing(
      Late(kind: .calendars, text: "calendar,date,open\nXNYS,2017-06-23,no\n", from: "2017-06-23"))
    let stale = try await books.perform { db in try Planning.stale(through: .latest, on: db) }
    #expect(!stale.isEmpty)
    _ = try await books.close("2017-06-30")
    #expect(try await books.verify().isClean)
    let left = try await books.perform { db in try Planning.stale(through: .latest, on: db) }
    #expect(left.isEmpty)
  }

  @Test("inputs that changed to the same effect: new fingerprints, the same numbers and revisions")
  func sameEffect() async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-22")
    let header = "id,portfolio,date,type,amount\n"
    try await books.importing(
      Late(
        kind: .activities, text: header + "ONE,COLA,2017-06-27,deposit,100\n", from: "2017-06-27"))
    _ = try await books.close("2017-06-30")
    let revisions = "select sum(revision * 31 + portfolio_id) from closebell.portfolio_snapshots"
    let before = try await books.integer(revisions)
    try await books.importing(
      Late(
        kind: .activities,
        text: header + "ONE,COLA,2017-06-27,deposit,60\nTWO,COLA,2017-06-27,deposit,40\n",
        from: "2017-06-27"))
    let inputs = try await books.recompute(RecomputeScope())
    #expect(inputs.differing.isEmpty)
    #expect(
      inputs.otherInputs.sorted()
        == ["2017-06-27", "2017-06-28", "2017-06-29", "2017-06-30"].map { "COLA \($0)" })
    _ = try await books.close("2017-06-30")
    #expect(try await books.integer(revisions) == before)
    #expect(try await books.recompute(RecomputeScope()).otherInputs.isEmpty)
    #expect(try await books.verify().isClean)
  }

  @Test("an import that commits between load and populate leaves the slot stale, never missed")
  func betweenLoadAndPopulate() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-28")
    // The night's last table waits for us: its inputs were read long before.
    let barrier = try await Barrier(books, after: "portfolio_irr_values")
    async let night = books.close("2017-06-29", DemoBooks.settings(workers: 1, chunk: 500))
    try await barrier.reached()
    let late = Self.lateFiles[0]
    try await books.importing(
      Late(
        kind: .activities, text: late.text.replacing("2017-06-27", with: "2017-06-29"),
        from: "2017-06-29"))
    await barrier.open()
    #expect(try await night.exitCode == 0)
    let found = try await books.verify()
    #expect(found.findings.map(\.portfolio.code) == ["COLA"])
    #expect(found.findings.first?.first?.cause == .stale)
    _ = try await books.close("2017-06-29")
    #expect(try await books.verify().isClean)
  }
}

extension DemoBooks {
  fileprivate func keys(of codes: [String]) async throws -> Set<String> {
    try await perform { db in
      let portfolios = try Planning.portfolios(
        after: 0, limit: 1_000, activeOn: .latest,
        of: NamedPortfolios(codes, on: .latest, on: db).selection, on: db)
      return Set(portfolios.map { "\($0.portfolio.id)" })
    }
  }

  func importing(_ late: LateDataTests.Late) async throws {
    let connection = try await connect()
    let report = try await runImport(
      ImportRequest(
        kind: late.kind, source: .bytes(Array(late.text.utf8)), restate: late.restate),
      on: connection)
    await connection.close()
    guard report.refused == 0 else { throw Refused(rows: report.refusedRows) }
  }
}
