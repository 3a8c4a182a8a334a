import Foundation
import TestSupport
import Testing

/// Every published scenario, run through import and close where it has books.
@Suite struct PublishedCaseTests {
  typealias Scenario = @Sendable (PublishedCase) async throws -> Findings

  static let scenarios: [String: Scenario] = [
    "ghostfolio-baln-round-trip-one": GhostfolioCases.roundTrip,
    "ghostfolio-baln-round-trip-two": GhostfolioCases.roundTrip,
    "ghostfolio-btcusd": GhostfolioCases.bitcoin,
    "ghostfolio-btcusd-short": GhostfolioCases.short,
    "ghostfolio-jnug-two-round-trips": GhostfolioCases.twoRoundTrips,
    "hledger-roi-03-monthly": HledgerCases.monthly,
    "hledger-roi-04-two-deposits": HledgerCases.twoDeposits,
    "hledger-roi-05-near-total-loss": HledgerCases.twoDeposits,
    "hledger-roi-06-quarters-total": HledgerCases.quarters,
    "hledger-roi-06-q4": HledgerCases.lastQuarter,
    "hledger-roi-10-one-day": HledgerCases.oneDay,
    "hledger-roi-11-fx-then": HledgerCases.foreignFund,
    "hledger-roi-16-price-only": HledgerCases.priceOnly,
    "hledger-roi-17-months": HledgerCases.months,
    "pp-interest-no-assets": PortfolioPerformanceCases.interestWithoutAssets,
    "pp-fifo-1": PortfolioPerformanceCases.relief,
    "pp-fifo-3-eur": PortfolioPerformanceCases.foreignRelief,
    "pp-usd-account": PortfolioPerformanceCases.dollarAccount,
    "pp-forex-gains": PortfolioPerformanceCases.forexGains,
    "pp-currency-sample": PortfolioPerformanceCases.currencySample,
    "pp-client-snapshot": PortfolioPerformanceBooks.clientSnapshot,
    "pp-adidas-fees-taxes": PortfolioPerformanceBooks.feesAndTaxes,
    "pp-account-taxes": PortfolioPerformanceCases.accountTaxes,
    "pp-transfer-371": PortfolioPerformanceBooks.transferBetweenAccounts,
    "pp-transfer-672": PortfolioPerformanceBooks.receivedInKind,
    "dietz-wiki-100-300": TextbookCases.modifiedDietz,
    "dietz-cfa-oct": TextbookCases.modifiedDietz,
    "dietz-jp-fund-mar": TextbookCases.modifiedDietz,
    "dietz-90-days": TextbookCases.modifiedDietz,
    "link-jp-fund-q1": TextbookCases.linked,
    "link-tubedude": TextbookCases.linked,
    "alice-bob": TextbookCases.aliceAndBob,
    "cfa-share-two-years": TextbookCases.shareOverTwoYears,
  ]

  @Test("every published expectation agrees to its tolerance, or is listed with the reason")
  func everyExpectation() async throws {
    let cases = try PublishedCase.all()
    #expect(Set(cases.map(\.id)) == Set(Self.scenarios.keys))
    var table = ["| scenario | number | published | ours | where |", "|---|---|---|---|---|"]
    for item in cases {
      guard let scenario = Self.scenarios[item.id] else { continue }
      let found = try await scenario(item)
      #expect(found.keys == item.expected.keys.sorted(), "\(item.id)")
      for comparison in found.compared { check(comparison, item) }
      table += rows(found, item)
    }
    try checkPage(table.joined(separator: "\n"))
  }

  private func check(_ comparison: Findings.Comparison, _ item: PublishedCase) {
    let expected = item.expected[comparison.key] ?? []
    #expect(!expected.isEmpty && comparison.ours.count == expected.count, "\(item.id)")
    for (ours, published) in zip(comparison.ours, expected) {
      #expect(
        abs(ours - published) <= item.tolerance,
        "\(item.id) \(comparison.key): \(ours), published \(published)")
    }
  }

  private func rows(_ found: Findings, _ item: PublishedCase) -> [String] {
    func text(_ numbers: [Double]) -> String {
      numbers.map { decimal(($0 * 1e8).rounded() / 1e8, 8) }
        .map { $0 == "-0" ? "0" : $0 }.joined(separator: ", ")
    }
    return item.expected.sorted { $0.key < $1.key }.map { key, published in
      let number = "| `\(item.id)` | `\(key)` | \(text(published)) | "
      if let comparison = found.compared.first(where: { $0.key == key }) {
        return number + "\(text(comparison.ours)) | \(comparison.place) |"
      }
      let reason = found.listed.first { $0.key == key }?.reason ?? ""
      return number + "– | not comparable: \(reason) |"
    }
  }

  /// The page's table is what was just computed; `CLOSEBELL_WRITE_TABLES=1` writes it anew.
  private func checkPage(_ table: String) throws {
    let path = Fixtures.path("../docs/reference-cases.md")
    let page = try String(contentsOfFile: path, encoding: .utf8)
    let parts = page.components(separatedBy: "\n\n")
    guard let place = parts.firstIndex(where: { $0.hasPrefix("| scenario |") }) else {
      Issue.record("docs/reference-cases.md has no table")
      return
    }
    if ProcessInfo.processInfo.environment["CLOSEBELL_WRITE_TABLES"] == "1" {
      var written = parts
      written[place] = table
      try written.joined(separator: "\n\n").write(toFile: path, atomically: true, encoding: .utf8)
    } else {
      let stands = parts[place].trimmingCharacters(in: .newlines)
      #expect(stands == table, "CLOSEBELL_WRITE_TABLES=1 writes docs/reference-cases.md anew")
    }
  }
}
