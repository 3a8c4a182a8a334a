import Accounting
import Close
import Storage
import TestSupport
import Testing

/// When a close is good enough: for a snapshot, for `--strict`, for a money-weighted return.
@Suite struct CompletenessTests {
  /// Five ACME at 100 of 1 000, of which nothing is quoted after the first date.
  private static func quotedOnce() -> CaseBooks {
    var books = CaseBooks(base: "USD", inception: "2024-01-01")
    books.hold("ACME", in: "USD")
    books.price("ACME", "2024-01-01", 100)
    books.log("2024-01-01", "deposit", amount: 1000)
    books.log("2024-01-01", "buy", "ACME", quantity: 5, price: 100)
    return books
  }

  @Test("a close carried up to five business days makes a return, a day later it is incomplete")
  func carriedClose() async throws {
    let closed = try await Self.quotedOnce().closed(on: ["2024-01-01", "2024-01-06", "2024-01-07"])
    #expect(try await closed.status("ACME", "2024-01-01") == .tooShort)
    let usual = try #require(try await closed.shown("2024-01-06"))
    #expect(usual.holdings[0].result?.rate == 0 && usual.result?.status == .solved)
    #expect(!usual.stored.snapshot.isDegraded)
    let old = try #require(try await closed.shown("2024-01-07"))
    #expect(old.holdings[0].result == .incomplete && old.result == .incomplete)
    #expect(old.stored.snapshot.isDegraded && old.stored.snapshot.maxCarriedDays == 6)
  }

  @Test("a holding that never had a close makes its return and the portfolio's incomplete")
  func neverQuoted() async throws {
    var books = Self.quotedOnce()
    books.hold("NOTE", in: "USD")
    books.log("2024-01-01", "buy", "NOTE", quantity: 1, price: 10)
    let closed = try await books.closed(on: ["2024-01-01", "2024-01-03"])
    #expect(try await closed.status("NOTE") == .incomplete)
    #expect(try await closed.status("ACME") == .solved)
    #expect(try await closed.shown()?.result == .incomplete)
  }

  @Test("--strict refuses a degraded close with its reason, and leaves the date open")
  func strict() async throws {
    let closed = try await Self.quotedOnce().closed(on: ["2024-01-01"])
    let settings = DemoBooks.settings(workers: 1) {
      $0.catchesUp = false
      $0.isStrict = true
    }
    let refused = try await closed.books.close("2024-01-07", settings)
    #expect(refused.exitCode == 1 && refused.counts.failed == 1)
    #expect(refused.failures.first?.error.contains("refused by --strict") == true)
    #expect(try await closed.shown("2024-01-07") == nil)
    // The day before is within the policy, and strict about nothing.
    #expect(try await closed.books.close("2024-01-06", settings).exitCode == 0)
  }

  @Test("a fund's return needs a statement of the last 100 days")
  func statementAge() async throws {
    var books = CaseBooks(base: "USD", inception: "2024-01-01")
    books.hold("ALPHA", in: "USD", isValued: true)
    books.log("2024-01-01", "investment", "ALPHA", amount: 1000)
    books.state("ALPHA", "2024-01-10", 1010)
    let closed = try await books.closed(
      on: ["2024-01-09", "2024-01-10", "2024-04-19", "2024-04-20"])
    let statuses = try await closed.statuses(
      "ALPHA", ["2024-01-09", "2024-01-10", "2024-04-19", "2024-04-20"])
    #expect(statuses == [.incomplete, .solved, .solved, .incomplete])
    #expect(try await closed.shown()?.result == .incomplete)
    // How old a statement may be is no question of degradation.
    #expect(try await closed.shown()?.stored.snapshot.isDegraded == false)
  }

  @Test("by months a fund's return needs a statement of the calendar month")
  func statementOfTheMonth() async throws {
    var books = CaseBooks(
      base: "USD", inception: "2024-01-01", convention: "monthly_nominal")
    books.hold("ALPHA", in: "USD", isValued: true)
    books.log("2024-01-01", "investment", "ALPHA", amount: 1000)
    books.state("ALPHA", "2024-01-10", 1010)
    let closed = try await books.closed(on: ["2024-01-31", "2024-02-01"])
    // One month at 1 %, times twelve.
    let january = try #require(try await closed.shown("2024-01-31")?.holdings.first?.result)
    #expect(january.status == .solved && abs((january.rate ?? 0) - 0.12) < 1e-10)
    #expect(try await closed.status("ALPHA") == .incomplete)
  }

  // Pitfall 36.
  @Test("what was left needs no value any more, and its flows stay")
  func exited() async throws {
    var books = CaseBooks(base: "USD", inception: "2024-01-01")
    books.hold("ALPHA", in: "USD", isValued: true)
    books.hold("BETA", in: "USD", isValued: true)
    books.log("2024-01-01", "investment", "ALPHA", amount: 1000)
    books.log("2024-01-11", "fund_switch_out", "ALPHA", amount: 1000)
    books.log("2024-01-11", "fund_switch_in", "BETA", amount: 1000)
    books.state("BETA", "2024-12-31", 1100)
    let closed = try await books.closed(on: ["2024-01-11", "2024-12-31"])
    // ALPHA never had a statement: it came back as it went, and BETA is unknown yet.
    let switched = try #require(try await closed.shown("2024-01-11"))
    #expect(switched.holdings.map(\.result?.status) == [.solved, .incomplete])
    #expect(switched.holdings[0].result?.rate == 0 && switched.result == .incomplete)
    // 365 days from the first investment: neither leg is a flow of the portfolio.
    let year = try #require(try await closed.shown())
    #expect(abs((year.result?.rate ?? 0) - 0.1) < 1e-10)
    #expect(year.holdings.count == 1)
    #expect((year.holdings[0].result?.rate ?? 0) > 0.1)
  }
}

extension ClosedCase {
  /// The status of a holding's money-weighted return on a date.
  fileprivate func status(_ symbol: String, _ date: String? = nil) async throws -> IRRStatus? {
    try await shown(date)?.holdings.first { $0.instrument.symbol == symbol }?.result?.status
  }

  fileprivate func statuses(_ symbol: String, _ dates: [String]) async throws -> [IRRStatus?] {
    var result: [IRRStatus?] = []
    for date in dates { result.append(try await status(symbol, date)) }
    return result
  }
}
