import Accounting
import Testing

@Suite("Names and keys")
struct IdentifierTests {
  @Test(
    "A currency is three capital letters, and nothing else is one",
    arguments: [
      ("EUR", true), ("XTS", true), ("eur", false), ("EU", false), ("EURO", false), ("", false),
      ("E R", false), ("ÄÖÜ", false), ("US1", false),
    ])
  func currency(code: String, isOne: Bool) {
    #expect((Currency(code) != nil) == isOne)
    if isOne { #expect(Currency(code)?.description == code) }
  }

  @Test("Keys order by number, and are told in decimal")
  func keys() {
    let keys = [ID<Holding>(rawValue: 10), ID(9), ID(-1)]
    #expect(keys.sorted().map(\.description) == ["-1", "9", "10"])
  }
}
