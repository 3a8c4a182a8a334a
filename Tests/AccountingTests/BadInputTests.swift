import TestSupport
import Testing

@testable import Accounting

/// A wrong world and what a close says of it.
struct BadInput: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let says: String
  let make: @Sendable (inout BookWorld) -> Void

  init(_ name: String, says: String, _ make: @escaping @Sendable (inout BookWorld) -> Void) {
    testDescription = name
    self.says = says
    self.make = make
  }

  private static let big = "999999999999999999"

  static let all: [BadInput] = [
    BadInput("a product", says: "buy of ACME on 2024-01-02: the result is too large for the books")
    {
      $0.log("2024-01-02", .buy, "ACME", big, at: big)
    },
    BadInput("a value", says: "ACME on 2024-01-05: the result is too large for the books") {
      $0.log("2024-01-02", .buy, "ACME", big, at: "1")
      $0.price("ACME", "2024-01-03", big)
    },
    BadInput("a conversion", says: "deposit on 2024-01-02: the result is too large for the books") {
      $0.rate("CHF", "USD", "2024-01-02", "999999999999")
      $0.log("2024-01-02", .deposit, amount: big, in: "CHF")
    },
    BadInput(
      "a sum", says: "the portfolio's sums on 2024-01-05: the result is too large for the books"
    ) { world in
      world.rate("CHF", "USD", "2024-01-02", "900000")
      for _ in 1...2 { world.log("2024-01-02", .deposit, amount: big, in: "CHF") }
    },
    BadInput("a split", says: "ACME on 2024-01-03: the result is too large for the books") {
      $0.log("2024-01-02", .buy, "ACME", big, at: "1")
      $0.split("ACME", "2024-01-03", "1000000000000")
    },
    BadInput(
      "a dividend", says: "ACME on 2024-01-03: the result is too large for the books"
    ) {
      $0.portfolio = BookWorld(dividends: .automatic).portfolio
      $0.log("2024-01-02", .buy, "ACME", big, at: "1")
      $0.pays("ACME", "2024-01-03", big)
    },
    BadInput("a fee", says: "deposit on 2024-01-02: the result is too large for the books") {
      $0.rate("CHF", "USD", "2024-01-02", "999999999999")
      $0.log("2024-01-02", .deposit, amount: "1", fee: big, in: "CHF")
    },
    BadInput(
      "the fee of a trade",
      says: "buy of SWISS on 2024-01-02: the result is too large for the books"
    ) {
      $0.rate("CHF", "USD", "2024-01-02", "999999999999")
      $0.log("2024-01-02", .buy, "SWISS", "1", at: "0", fee: big)
    },
    BadInput(
      "the fee of income", says: "interest on 2024-01-02: the result is too large for the books"
    ) {
      $0.rate("CHF", "USD", "2024-01-02", "999999999999")
      $0.log("2024-01-02", .interest, amount: "1", fee: big, in: "CHF")
    },
    BadInput(
      "a late quantity after a split",
      says: "buy of ACME on 2024-01-03: the result is too large for the books"
    ) {
      $0.log("2024-01-02", .buy, "ACME", big, at: "0", bookedOn: "2024-01-05")
      $0.split("ACME", "2024-01-03", "1000000000000")
    },
    BadInput(
      "a late quantity at the opening's close",
      says: "buy of ACME on 2024-01-05: the result is too large for the books"
    ) {
      $0.price("ACME", "2024-01-01", big)
      _ = try? $0.close("2024-01-01")
      $0.log("2024-01-01", .buy, "ACME", big, at: "0", bookedOn: "2024-01-05")
    },
    BadInput(
      "a late flow at the opening's rate",
      says: "investment of SWISS FUND on 2024-01-05: the result is too large for the books"
    ) {
      $0.rate("CHF", "USD", "2024-01-01", "1")
      $0.rate("CHF", "USD", "2024-01-02", "999999999999")
      _ = try? $0.close("2024-01-03")
      $0.log("2024-01-01", .investment, "SWISS FUND", amount: big, bookedOn: "2024-01-05")
    },
    BadInput(
      "a future's settlement", says: "ES on 2024-01-05: the result is too large for the books"
    ) {
      $0.log("2024-01-02", .buy, "ES", big, at: "0")
      $0.price("ES", "2024-01-03", big)
    },
    BadInput(
      "a balance at the date's rate",
      says: "cash in CHF on 2024-01-05: the result is too large for the books"
    ) {
      $0.portfolio = BookWorld(cash: .perCurrency).portfolio
      $0.rate("CHF", "USD", "2024-01-02", "1")
      $0.rate("CHF", "USD", "2024-01-03", "999999999999")
      $0.log("2024-01-02", .deposit, amount: big, in: "CHF")
    },
    BadInput(
      "a rate turned twice that does not fit",
      says: "the rate of CHF in USD on 2024-01-02: the result is too large for the books"
    ) {
      $0.rate("SEK", "CHF", "2024-01-02", big)
      $0.rate("USD", "SEK", "2024-01-02", big)
      $0.log("2024-01-02", .deposit, amount: "5", in: "CHF")
    },
    BadInput(
      "a transfer at a close over a split of zero",
      says: "ACME on 2024-01-03: division by zero"
    ) {
      $0.price("ACME", "2024-01-01", "5")
      $0.split("ACME", "2024-01-02", "0")
      $0.log("2024-01-03", .transferIn, "ACME", "1")
    },
    BadInput(
      "a negative price", says: "buy of ACME on 2024-01-02 (activity 1): price may not be negative"
    ) { $0.log("2024-01-02", .buy, "ACME", "1", at: "-1") },
    BadInput(
      "a negative quantity",
      says: "sell of ACME on 2024-01-02 (activity 1): quantity may not be negative"
    ) { $0.log("2024-01-02", .sell, "ACME", "-1", at: "1") },
    BadInput(
      "a negative amount", says: "deposit on 2024-01-02 (activity 1): amount may not be negative"
    ) { $0.log("2024-01-02", .deposit, amount: "-1") },
    BadInput(
      "a negative fee", says: "buy of ACME on 2024-01-02 (activity 1): fee may not be negative"
    ) { $0.log("2024-01-02", .buy, "ACME", "1", at: "1", fee: "-0.01") },
    BadInput(
      "a negative fee of cash", says: "deposit on 2024-01-02 (activity 1): fee may not be negative"
    ) { $0.log("2024-01-02", .deposit, amount: "1", fee: "-0.01") },
    BadInput(
      "a negative fee inside a fund",
      says: "investment of FUND on 2024-01-02 (activity 1): fee may not be negative"
    ) { $0.log("2024-01-02", .investment, "FUND", amount: "1", fee: "-0.01") },
    BadInput(
      "a negative expiry", says: "expire of ACME on 2024-01-03 (activity 2): only 5 held"
    ) {
      $0.log("2024-01-02", .buy, "ACME", "5", at: "1")
      $0.log("2024-01-03", .expire, "ACME", "-1")
    },
    BadInput(
      "a negative statement", says: "statement of FUND on 2024-01-02: -5.00 is negative"
    ) { $0.statement("FUND", "2024-01-02", "-5") },
    BadInput("two statements of a date", says: "two statements of FUND on 2024-01-02") {
      $0.statement("FUND", "2024-01-02", "5")
      $0.statement("FUND", "2024-01-02", "6")
    },
    BadInput(
      "two activities of one key",
      says: "buy of ACME on 2024-01-02 (activity 1): another one has the same key"
    ) {
      $0.log("2024-01-02", .buy, "ACME", "5", at: "1")
      $0.activities.append($0.activities[0])
    },
    BadInput(
      "two cash rows of one key",
      says: "deposit on 2024-01-02 (activity 1): another one has the same key"
    ) {
      $0.log("2024-01-02", .deposit, amount: "5")
      $0.activities.append($0.activities[0])
    },
    BadInput(
      "a currency without a rate", says: "no exchange rate from CHF to USD on or before 2024-01-02"
    ) { $0.log("2024-01-02", .fee, amount: "5", in: "CHF") },
    BadInput(
      "a rate of zero", says: "the rate of CHF in USD on 2024-01-02: 0 is not positive"
    ) {
      $0.rate("CHF", "USD", "2024-01-02", "0")
      $0.log("2024-01-02", .deposit, amount: "5", in: "CHF")
    },
    BadInput(
      "a rate of zero, turned", says: "the rate of CHF in USD on 2024-01-02: 0 is not positive"
    ) {
      $0.rate("USD", "CHF", "2024-01-02", "0")
      $0.log("2024-01-02", .deposit, amount: "5", in: "CHF")
    },
    BadInput(
      "a rate that vanishes when turned",
      says: "the rate of CHF in USD on 2024-01-02: 0 is not positive"
    ) {
      $0.rate("USD", "CHF", "2024-01-02", "9000000000000")
      $0.log("2024-01-02", .deposit, amount: "5", in: "CHF")
    },
    BadInput(
      "a crossed rate too large",
      says: "the rate of CHF in USD on 2024-01-02: the result is too large for the books"
    ) {
      $0.rate("CHF", "SEK", "2024-01-02", big)
      $0.rate("SEK", "USD", "2024-01-02", big)
      $0.log("2024-01-02", .deposit, amount: "5", in: "CHF")
    },
    BadInput(
      "a crossed rate both of whose parts are turned",
      says: "the rate of CHF in USD on 2024-01-02: the result is too large for the books"
    ) {
      $0.rate("SEK", "CHF", "2024-01-02", "1")
      $0.rate("USD", "SEK", "2024-01-02", "1")
      $0.market.rates.removeValue(forKey: CurrencyPair(base: .iso("SEK"), quote: .iso("CHF")))
      $0.rate("CHF", "NOK", "2024-01-02", big)
      $0.rate("NOK", "USD", "2024-01-02", big)
      $0.log("2024-01-02", .deposit, amount: "5", in: "CHF")
    },
    BadInput("a split of zero", says: "split of ACME on 2024-01-03: ratio 0 is not positive") {
      $0.log("2024-01-02", .buy, "ACME", "1", at: "1")
      $0.split("ACME", "2024-01-03", "0")
    },
    BadInput("a negative split", says: "split of ACME on 2024-01-03: ratio -2 is not positive") {
      $0.log("2024-01-02", .buy, "ACME", "1", at: "1")
      $0.split("ACME", "2024-01-03", "-2")
    },
    BadInput(
      "a close carried over a split of zero", says: "ACME on 2024-01-05: division by zero"
    ) {
      $0.price("ACME", "2024-01-01", "5")
      $0.split("ACME", "2024-01-02", "0")
      $0.log("2024-01-03", .buy, "ACME", "1", at: "1")
    },
    BadInput(
      "a switch that does not net",
      says: "fund switches of 2024-01-02 in USD do not net to zero: in nothing, out 5.00 (FUND)"
    ) { $0.log("2024-01-02", .fundSwitchOut, "FUND", amount: "5") },
    BadInput(
      "a sale on a valued fund",
      says: "sell of FUND on 2024-01-02 (activity 1): "
        + "not allowed on a holding that is valued by statements"
    ) { $0.log("2024-01-02", .sell, "FUND", "1", at: "1") },
    BadInput(
      "an investment in a quoted holding",
      says: "investment of ACME on 2024-01-02 (activity 1): "
        + "not allowed on a holding that is valued by closes"
    ) { $0.log("2024-01-02", .investment, "ACME", amount: "1") },
    BadInput(
      "a deposit into a fund",
      says: "deposit of FUND on 2024-01-02 (activity 1): "
        + "takes no symbol"
    ) { $0.log("2024-01-02", .deposit, "FUND", amount: "1") },
    BadInput(
      "a deposit into a share",
      says: "deposit of ACME on 2024-01-02 (activity 1): "
        + "takes no symbol"
    ) { $0.log("2024-01-02", .deposit, "ACME", amount: "1") },
    BadInput(
      "an exchange in base cash",
      says: "exchange_out on 2024-01-02 (activity 1): "
        + "the portfolio keeps its cash in base currency"
    ) { $0.log("2024-01-02", .exchangeOut, amount: "1") },
    BadInput(
      "a dividend where actions count",
      says: "dividend of ACME on 2024-01-02 (activity 1): "
        + "the portfolio takes dividends from corporate actions"
    ) {
      $0.portfolio = BookWorld(dividends: .automatic).portfolio
      $0.log("2024-01-02", .dividend, "ACME", amount: "1")
    },
    BadInput(
      "a transfer without a value",
      says: "transfer_in of ACME on 2024-01-02 (activity 1): no amount, and no close on or before "
        + "the date"
    ) { $0.log("2024-01-02", .transferIn, "ACME", "1") },
    BadInput(
      "an activity of an unknown holding",
      says: "a row of 2024-01-02 names holding 77, which is not the portfolio's"
    ) {
      $0.log("2024-01-02", .buy, "ACME", "1", at: "1")
      $0.activities[0].holding = ID(77)
    },
  ]
}

@Suite("Bad input at the module's edge")
struct BadInputTests {
  @Test("Is an error that names the thing", arguments: BadInput.all)
  func refused(input: BadInput) {
    var world = BookWorld(inception: "2024-01-01")
    world.hold("ACME")
    world.hold("FUND", kind: .fund, pricing: .valued)
    world.hold("SWISS", "CHF")
    world.hold("SWISS FUND", "CHF", kind: .fund, pricing: .valued)
    world.hold("ES", kind: .future)
    input.make(&world)
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-05") }
    #expect(error?.description == input.says)
  }

  @Test("Of two closes of a date the last counts")
  func twoClosesOfADate() throws {
    let acme = ID<Instrument>(1)
    let closes = ["1", "2", "3", "4", "5"].map {
      ClosingPrice(date: .iso("2024-01-0\($0 == "3" ? "2" : $0)"), price: .of($0))
    }
    let market = Market(closes: [acme: closes])
    #expect(try market.close(of: acme, on: .iso("2024-01-02"))?.price == .of("3"))
    #expect(try market.close(of: acme, on: .iso("2024-01-03"))?.price == .of("3"))
  }

  @Test("A market out of order makes other numbers or an error, and never traps")
  func unordered() throws {
    var closed = 0
    for seed in 0..<400 {
      var random = SeededGenerator(seed: UInt64(seed))
      let ledger = RandomLedger(seed: UInt64(seed)).retold { world in
        world.market.closes = world.market.closes.mapValues {
          ($0 + $0.prefix(2)).shuffled(using: &random)
        }
        world.market.rates = world.market.rates.mapValues {
          ($0 + $0.prefix(2)).shuffled(using: &random)
        }
        world.market.actions = world.market.actions.mapValues {
          ($0 + $0.prefix(1)).shuffled(using: &random)
        }
      }
      var book = ledger.newBook()
      do throws(CloseError) {
        for date in ledger.closingDates { _ = try ledger.close(&book, on: date) }
        closed += 1
      } catch {
        continue
      }
    }
    #expect(closed > 100)
  }

  @Test("Zero and negative equity are numbers, and give no return")
  func equity() throws {
    var world = BookWorld(inception: "2024-01-01")
    world.log("2024-01-02", .deposit, amount: "5")
    world.log("2024-01-03", .fee, amount: "5")
    world.log("2024-01-04", .fee, amount: "7")
    #expect(try world.close("2024-01-01").snapshot.closingEquity.isZero)
    #expect(try world.close("2024-01-02").snapshot.closingEquity == .of("5"))
    let lost = try world.close("2024-01-03").snapshot
    #expect(lost.closingEquity.isZero && lost.dailyReturn == -1 && lost.index == 0)
    let owed = try world.close("2024-01-04").snapshot
    #expect(owed.openingEquity.isZero && owed.closingEquity == .of("-7"))
    #expect(owed.dailyReturn == nil && owed.index.isFinite)
  }
}
