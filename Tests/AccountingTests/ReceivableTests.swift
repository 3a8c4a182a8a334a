import TestSupport
import Testing

@testable import Accounting

/// What is earned on one date and paid on another.
@Suite("Pay dates")
struct ReceivableTests {
  private static func payment(
    _ perUnit: String, _ payDate: String, in currency: String? = nil
  ) -> CorporateAction.Payment {
    CorporateAction.Payment(
      perUnit: .of(perUnit), currency: currency.map { .iso($0) }, payDate: .iso(payDate))
  }

  private static func payer(cash: CashMode = .base, recorded: Bool = false) -> BookWorld {
    var world = BookWorld(
      inception: "2026-05-28", cash: cash, dividends: recorded ? .recorded : .automatic)
    world.hold("PAYER")
    world.log("2026-05-28", .deposit, amount: "5000")
    world.log("2026-05-28", .buy, "PAYER", "100", at: "50")
    for (date, close) in [("2026-05-28", "50"), ("2026-05-29", "48"), ("2026-06-08", "48")] {
      world.price("PAYER", date, close)
    }
    if recorded {
      world.log("2026-05-29", .dividend, "PAYER", amount: "200", payDate: "2026-06-08")
    } else {
      world.act("PAYER", "2026-05-29", .dividend(payment("2", "2026-06-08")))
    }
    return world
  }

  @Test(
    "on the ex-date it is income and a receivable, on the pay date cash", arguments: [true, false])
  func paid(recorded: Bool) throws {
    var world = Self.payer(recorded: recorded)
    _ = try world.close("2026-05-28")
    let ex = try world.close("2026-05-29")
    #expect(ex.snapshot.dailyPnL.isZero && ex.snapshot.attribution.income == .of("200"))
    #expect(ex.snapshot.cash.isZero && ex.snapshot.receivables == .of("200"))
    #expect(ex.snapshot.closingEquity == .of("5000") && ex.snapshot.dailyReturn == 0)
    #expect(ex.flows.map(\.amount) == [.of("200")])
    let between = try world.close("2026-06-05")
    #expect(between.snapshot.receivables == .of("200") && between.snapshot.dailyPnL.isZero)
    let paid = try world.close("2026-06-08")
    #expect(paid.snapshot.cash == .of("200") && paid.snapshot.receivables.isZero)
    #expect(paid.snapshot.dailyPnL.isZero && paid.receivables.isEmpty && paid.flows.isEmpty)
  }

  @Test(
    "abroad its currency moves are the portfolio's, at the pay date's rate to the end",
    arguments: CashMode.allCases)
  func revalued(mode: CashMode) throws {
    var world = Self.payer(cash: mode)
    for (date, rate) in [("2026-05-28", "1.1"), ("2026-06-05", "1.2"), ("2026-06-08", "1.25")] {
      world.rate("EUR", "USD", date, rate)
    }
    world.market.actions[ID(1)]?[0].effect = .dividend(
      Self.payment("2", "2026-06-08", in: "EUR"))
    _ = try world.close("2026-05-28")
    let ex = try world.close("2026-05-29")
    #expect(ex.snapshot.receivables == .of("220") && ex.row().dailyPnL == .of("20"))
    let between = try world.close("2026-06-05")
    #expect(between.snapshot.receivables == .of("240"))
    #expect(between.snapshot.attribution.fx == .of("20") && between.row().dailyPnL.isZero)
    let paid = try world.close("2026-06-08")
    #expect(paid.snapshot.cash == .of("250") && paid.snapshot.attribution.fx == .of("10"))
    // In one gap it is the same.
    var once = world
    once.forget()
    _ = try once.close("2026-05-28")
    let whole = try once.close("2026-06-08")
    #expect(whole.snapshot.cash == .of("250") && whole.snapshot.attribution.fx == .of("30"))
    #expect(whole.snapshot.attribution.income == .of("220"))
  }

  @Test("a short's is negative; a tax's too")
  func negative() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ACME")
    world.log("2024-01-01", .sell, "ACME", "10", at: "100")
    world.price("ACME", "2024-01-01", "100")
    world.act("ACME", "2024-01-02", .dividend(Self.payment("3", "2024-01-05")))
    world.log("2024-01-02", .tax, "ACME", amount: "4", payDate: "2024-01-05")
    let close = try world.close("2024-01-02")
    #expect(close.snapshot.receivables == .of("-34") && close.snapshot.cash == .of("1000"))
    #expect(close.snapshot.attribution.income == .of("-30"))
    #expect(close.snapshot.attribution.taxes == .of("4"))
    #expect(try world.close("2024-01-05").snapshot.cash == .of("966"))
  }

  @Test("what came late is booked whole, whenever it is paid")
  func late() throws {
    var world = BookWorld.holdingACME()
    world.log(
      "2024-01-02", .dividend, "ACME", amount: "5", bookedOn: "2024-01-03", payDate: "2024-01-09")
    _ = try world.close("2024-01-02")
    let close = try world.close("2024-01-03")
    #expect(close.snapshot.receivables.isZero && close.snapshot.cash == .of("5"))
    #expect(close.snapshot.attribution.priorPeriod == .of("5"))
  }

  @Test("opened again from what is stored, it is paid as if the book had stayed open")
  func reopened() throws {
    var world = Self.payer()
    _ = try world.close("2026-05-28")
    let ex = try world.close("2026-05-29")
    let expected = try world.close("2026-06-08")
    var again = PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments, opening: BookOpening(after: ex))
    let close = try again.close(
      on: .iso("2026-06-08"), activities: world.activities, statements: [], market: world.market,
      businessDays: { BookWorld.weekdays(after: $0, through: $1) })
    #expect(close == expected)
  }

  @Test("a merger's cash and capital that comes back wait as well")
  func others() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ACME")
    world.log("2024-01-01", .buy, "ACME", "10", at: "100")
    world.price("ACME", "2024-01-01", "100")
    world.act("ACME", "2024-01-02", .returnOfCapital(Self.payment("4", "2024-01-08")))
    world.act(
      "ACME", "2024-01-03",
      .merger(CorporateAction.Merger(shares: nil, cash: Self.payment("97", "2024-01-09"))))
    let close = try world.close("2024-01-03")
    #expect(close.receivables.map(\.amount) == [.of("40"), .of("970")])
    #expect(close.snapshot.attribution.realized == .of("10"))
    #expect(try world.close("2024-01-08").snapshot.cash == .of("-960"))
    #expect(try world.close("2024-01-09").snapshot.cash == .of("10"))
  }
}
