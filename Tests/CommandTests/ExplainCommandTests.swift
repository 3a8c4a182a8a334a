import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct ExplainCommandTests {
  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("the text can be redone with a pocket calculator, and fits a wide terminal")
  func text() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    var calculations = 0
    for code in ["MERIDIAN", "HARBOUR", "FERN", "SAKURA", "HEATHER"] {
      let said = try await books.run("explain", code, "--date", "2017-06-30")
      #expect(said.exitCode == 0 && said.standardError.isEmpty, "\(said.standardError)")
      #expect(said.standardOutput.contains("The stored snapshot says the same."))
      let lines = said.standardOutput.split(separator: "\n").map(String.init)
      #expect(lines.filter { $0.count > 110 } == [])
      for line in lines where line.contains(" × ") && line.contains(" = ") {
        guard let formula = Self.calculation(line) else { continue }
        let decimals = formula.result.split(separator: ".").last?.count ?? 0
        let objection = Calculator.objection(
          to: formula.text, result: formula.result, rounding: decimals == 4 ? "money" : "binary")
        #expect(objection == nil, "\(code): \(line)")
        calculations += 1
      }
    }
    #expect(calculations > 50)
  }

  /// What stands on a line after its name, which two blanks end.
  private static func calculation(_ line: String) -> (text: String, result: String)? {
    guard let start = line.ranges(of: "  ").last?.upperBound else { return nil }
    let sides = line[start...].replacing(",", with: "").replacing("×", with: "*")
      .components(separatedBy: " = ")
    return sides.count == 2 ? (sides[0], sides[1]) : nil
  }

  @Test("the JSON has these members, and every calculation in it is right")
  func json() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    let said = try await books.run("explain", "MERIDIAN", "--date", "2017-06-30", "--json")
    #expect(said.exitCode == 0)
    let explained = try object(said.standardOutput)
    #expect(
      Set(explained.keys) == [
        "portfolio", "date", "base_currency", "state", "degraded", "stale", "revision", "run_id",
        "terms", "business_days", "opening", "rates", "activities", "holdings", "cash", "sums",
        "returns", "no_daily_return", "irr", "quality", "stale_inputs", "differences",
      ])
    let holdings = try #require(explained["holdings"] as? [[String: Any]])
    #expect(
      Set(holdings[0].keys) == [
        "symbol", "kind", "currency", "multiplier", "pricing", "opening", "opening_lots", "steps",
        "close", "closing_lots", "formulas", "quantity", "price", "price_date", "local_value",
        "market_value", "local_cost", "cost_basis", "unrealized", "unrealized_fx", "daily_pnl",
        "attribution", "quality", "irr",
      ])
    let sold = try #require(holdings.first { $0["symbol"] as? String == "MA" })
    let step = try #require((sold["steps"] as? [[String: Any]])?.first)
    #expect(
      Set(step.keys) == [
        "event", "date", "booked_on", "type", "id", "quantity", "price", "amount", "fee",
        "currency", "acquired", "pay_date", "note", "formulas", "lots_closed", "lot_opened", "cash",
        "flow_in", "flow_out", "attribution", "portfolio_attribution", "quantity_after",
        "local_cost_after", "cost_basis_after", "carried_value_after",
      ])
    #expect((step["lots_closed"] as? [Any])?.count == 2)
    let rates = try #require(explained["rates"] as? [[String: Any]])
    #expect(rates.compactMap { $0["formed"] as? String } == ["turned", "turned"])
    #expect(Self.formulas(in: explained).count > 50)
    for formula in Self.formulas(in: explained) {
      let objection = Calculator.objection(
        to: formula["formula"] ?? "", result: formula["result"] ?? "",
        rounding: formula["rounding"] ?? "")
      #expect(objection == nil, "\(formula["name"] ?? "")")
    }
  }

  /// Every calculation of an explanation, wherever it stands.
  static func formulas(in value: Any) -> [[String: String]] {
    if let list = value as? [Any] { return list.flatMap { formulas(in: $0) } }
    guard let members = value as? [String: Any] else { return [] }
    if let formula = members as? [String: String], formula["rounding"] != nil { return [formula] }
    return members.values.flatMap { formulas(in: $0) }
  }

  @Test("a corrected price is told loudly, with the command that closes the date again: exit 1")
  func stale() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    let correction = try await books.run(
      ["import", "prices", "-"], input: "date,symbol,close\n2017-06-30,AAPL,145.02\n")
    #expect(correction.exitCode == 0, "\(correction.standardError)")
    let said = try await books.run("explain", "MERIDIAN", "--date", "2017-06-30")
    #expect(said.exitCode == 1)
    #expect(said.standardOutput.contains("THE STORED SNAPSHOT SAYS SOMETHING ELSE"))
    #expect(said.standardOutput.contains("closes, actions or terms of AAPL, from 2017-06-30 on"))
    #expect(
      said.standardError.contains(
        "hint: closebell replay --from 2017-06-30 --to 2017-06-30 --only-stale --portfolio MERIDIAN"
      ), "\(said.standardError)")
    let json = try await books.run("explain", "MERIDIAN", "--date", "2017-06-30", "--json")
    #expect(json.exitCode == 1)
    let explained = try object(json.standardOutput)
    #expect(explained["stale"] as? Bool == true)
    let differences = try #require(explained["differences"] as? [[String: String]])
    #expect(
      differences.contains([
        "row": "holding AAPL", "column": "price", "old": "144.02", "new": "145.02",
      ]))
    try await books.expectDone(
      "replay", "--from", "2017-06-30", "--to", "2017-06-30", "--only-stale", "--portfolio",
      "MERIDIAN")
    try await books.expectDone("explain", "MERIDIAN", "--date", "2017-06-30")
  }

  @Test("a sum of present values keeps every digit before its point, however large it is")
  func largeNumbers() async throws {
    let books = try await OperatorBooks.empty()
    for (kind, text) in [
      ("instruments", "symbol,name,kind,currency\nACME,Acme,equity,USD\n"),
      (
        "portfolios",
        "code,name,base_currency,inception_date,calendar\nBIG,B,USD,2024-01-01,every_day\n"
      ),
      ("prices", "date,symbol,close\n2024-01-01,ACME,10\n2024-05-01,ACME,11.37\n"),
      (
        "activities",
        """
        id,portfolio,date,type,symbol,quantity,price,amount
        1,BIG,2024-01-01,deposit,,,,900000000000000005
        2,BIG,2024-01-01,buy,ACME,51234567890123456,10,
        3,BIG,2024-02-03,deposit,,,,999123456789012345

        """
      ),
    ] {
      let file = ScratchFile(text)
      try await books.expectDone("import", kind, file.path)
    }
    try await books.expectDone("run", "--date", "2024-05-01")
    let text = try await books.run("explain", "BIG", "--date", "2024-05-01").standardOutput
    let json = try await books.run("explain", "BIG", "--date", "2024-05-01", "--json")
    let irr = try #require(try object(json.standardOutput)["irr"] as? [String: Any])
    let value = try #require(irr["present_value"] as? Double)
    #expect(abs(value) >= 10_000, "the case has to be a large one: \(value)")
    let shown = text.split(separator: "\n").filter { $0.contains("present values") }
      .map { $0.replacing(",", with: "") }
    #expect(
      shown.contains { $0.contains("at that growth sum to \(Int(value)) of ") }, "\(shown)")
  }

  @Test("what cannot be explained says why: unknown, not closed, failed; a retired one can be")
  func refusals() async throws {
    let books = try await OperatorBooks.demo()
    let unknown = try await books.run("explain", "NOBODY", "--date", "2017-06-29")
    #expect(unknown.exitCode == 65)
    let missing = try await books.run("explain", "THAMES", "--date", "2017-06-30")
    #expect(missing.exitCode == 1)
    #expect(missing.standardError.contains("its last closed date is 2017-06-29"))
    try await books.execute(
      """
      insert into closebell.portfolio_snapshots
        (portfolio_id, snapshot_date, opened_from_date, state, claim_id, claimed_at, error)
      select p.id, '2017-06-30', '2017-06-29', 'failed', 1, pg_catalog.now(), 'no rate of XYZ'
      from closebell.portfolios p where p.code = 'THAMES'
      """)
    let failed = try await books.run("explain", "THAMES", "--date", "2017-06-30")
    #expect(failed.exitCode == 1)
    #expect(failed.standardError.contains("the slot is failed\ndetail: no rate of XYZ"))
    try await books.execute(
      "update closebell.portfolios set retired_on = '2017-07-01' where code = 'MAPLE'")
    let key = try await books.perform { db in
      try db.row(
        Statement("maple", "select p.id from closebell.portfolios p where p.code = 'MAPLE'")
      ) { try $0.nextInt64() } ?? 0
    }
    let retired = try await books.run("explain", "MAPLE#\(key)", "--date", "2017-06-29")
    #expect(retired.exitCode == 0, "\(retired.standardError)")
    #expect(try await books.run("explain", "MAPLE", "--date", "2017-06-29").exitCode == 65)
  }
}
