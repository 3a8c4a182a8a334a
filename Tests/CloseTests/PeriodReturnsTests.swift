import Accounting
import Close
import Import
import Glibc
import Postgres
import Storage
import TestSupport
import Testing

/// Returns over periods as `show` reads them, against the stored rows and sums of our own.
@Suite struct PeriodReturnsTests {
  /// HERON pays an advisory fee every month; every one of its dates is closed.
  private func heron() async throws -> DemoBooks {
    let books = try await DemoBooks.fresh()
    let settings = DemoBooks.settings {
      $0.codes = ["HERON"]
      $0.maxCatchUp = 1_000
    }
    for date in ["2015-03-02", "2017-06-30"] {
      let report = try await books.close(date, settings)
      #expect(report.counts.failed == 0, "\(report.failures)")
    }
    return books
  }

  private func double(_ sql: String, _ books: DemoBooks) async throws -> Double? {
    try await books.perform { db in
      try db.row(Postgres.Statement("ask-double", "select (\(sql))::float8")) {
        try $0.nextDoubleOrNil()
      } ?? nil
    }
  }

  private func value(_ period: ReturnPeriod, _ shown: ShownSnapshot) throws -> PeriodReturn {
    try #require(shown.returns.first { $0.period == period }?.value)
  }

  @Test("every period of a closed date equals the server's own product of the stored returns")
  func heronsReturns() async throws {
    let books = try await heron()
    let shown = try #require(try await books.shown("HERON", "2017-06-30"))
    #expect(shown.returns.map(\.period) == ReturnPeriod.allCases)
    let all = try value(.sinceInception, shown)
    #expect(abs((all.linked ?? 0) - (shown.stored.snapshot.index - 1)) < 1e-13)
    #expect(all.from == Day("2015-03-01"))
    #expect(all.days == 852)
    for (period, from) in [
      (ReturnPeriod.daily, "2017-06-29"), (.monthToDate, "2017-05-31"),
      (.quarterToDate, "2017-03-31"), (.yearToDate, "2016-12-30"),
      (.trailingYear, "2016-06-30"), (.sinceInception, "2015-03-01"),
    ] {
      let result = try value(period, shown)
      #expect(result.from == Day(from), "\(period)")
      let product = "exp(sum(ln(1 + s.daily_return%))) - 1"
      let fees = """
        coalesce((select sum(a.amount) from closebell.holding_activity_log a
          where a.portfolio_id = s.portfolio_id and a.activity_type = 'fee'
            and a.activity_date = s.snapshot_date), 0) / (s.opening_equity + s.inflow)
        """
      for (measure, added) in [(result.linked, ""), (result.grossOfFees, " + \(fees)")] {
        let ask = product.split(separator: "%", omittingEmptySubsequences: false)
        let expected = try await double(
          """
          select \(ask[0])\(added)\(ask[1]) from closebell.portfolio_snapshots s
          where s.snapshot_date > '\(from)'
          """, books)
        let difference = abs((measure ?? .nan) - (expected ?? .nan))
        #expect(difference < 1e-11, "\(period) \(added.isEmpty ? "net" : "gross")")
      }
    }
    for period in [ReturnPeriod.trailingThreeYears, .trailingFiveYears] {
      #expect(try value(period, shown).reason == .beforeFirstClose)
    }
  }

  private func expectNear(_ value: Double?, _ expected: Double) {
    #expect(abs((value ?? .nan) - expected) < 5e-9, "\(value as Any), expected \(expected)")
  }

  @Test("the worked examples of docs/calculations.md")
  func workedExamples() async throws {
    let heron = try #require(try await heron().shown("HERON", "2017-06-30"))
    let month = try value(.monthToDate, heron)
    expectNear(month.linked, -0.012643230)
    expectNear(month.grossOfFees, -0.012347552)
    expectNear(try value(.yearToDate, heron).linked, 0.245030257)
    expectNear(try value(.sinceInception, heron).linked, 0.609052164)
    expectNear(try value(.sinceInception, heron).annualized, 0.226013964)
    let books = try await DemoBooks.fresh()
    let settings = DemoBooks.settings {
      $0.codes = ["THAMES"]
      $0.maxCatchUp = 30
    }
    for date in ["2017-05-31", "2017-06-30"] { _ = try await books.close(date, settings) }
    let thames = try value(
      .monthToDate, try #require(try await books.shown("THAMES", "2017-06-30")))
    expectNear(thames.modifiedDietz, -72.7623 / (74_855.7344 + 2_500.0 / 30))
    expectNear(thames.linked, -0.000943592)
  }

  @Test("a fee that arrives late leaves the gross unknown until its date is closed again")
  func lateFee() async throws {
    let books = try await heron()
    let before = try value(
      .monthToDate, try #require(try await books.shown("HERON", "2017-06-30")))
    try await books.importText(
      .activities,
      "id,portfolio,date,type,amount,currency\nlate,HERON,2017-06-20,fee,500.00,USD\n")
    let late = try value(.monthToDate, try #require(try await books.shown("HERON", "2017-06-30")))
    #expect(late.linked == before.linked)
    #expect(late.grossOfFees == nil)
    #expect(late.reason == .stale)
    let report = try await books.replay(
      "2017-06-20", "2017-06-30", DemoBooks.settings { $0.codes = ["HERON"] })
    #expect(report.counts.failed == 0)
    let after = try value(.monthToDate, try #require(try await books.shown("HERON", "2017-06-30")))
    #expect(after.reason == nil)
    #expect((after.linked ?? 0) < (before.linked ?? 0))
    // The fee is not performance before fees, but it is not there to earn afterwards either.
    #expect(abs((after.grossOfFees ?? 0) - (before.grossOfFees ?? 0)) < 1e-4)
  }

  @Test("a portfolio whose flows count at the end is closed and shown by that")
  func timing() async throws {
    let books = try await DemoBooks.fresh()
    try await books.importText(
      .portfolios,
      """
      code,name,base_currency,inception_date,flow_timing
      THAMES,Thames Equity Income,GBP,2014-02-03,all_at_end
      """)
    for date in ["2017-06-29", "2017-06-30"] { _ = try await books.close(date) }
    let shown = try #require(try await books.shown("THAMES", "2017-06-30"))
    // The day of docs/calculations.md: −65.8710 on the opening 74 848.8431, without the deposit.
    #expect(shown.stored.snapshot.dailyReturn == -65.8710 / 74_848.8431)
    #expect(try value(.daily, shown).modifiedDietz == -65.8710 / 74_848.8431)
  }
}
