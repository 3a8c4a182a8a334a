import Foundation
import TestSupport
import Testing

/// The calculator: flows in, rates out, no database.
@Suite struct IRRCommandTests {
  private func irr(_ input: String, _ arguments: String...) async throws -> CommandRun {
    // A database that cannot be reached shows that none is asked.
    try await CommandRun.closebell(
      ["irr"] + arguments, environment: ["CLOSEBELL_DATABASE_URL": "host=127.0.0.1 port=1"],
      input: input)
  }

  private func objects(_ run: CommandRun) throws -> [[String: Any]] {
    try run.standardOutput.split(separator: "\n").map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// A published case as rows of a file, with all its roots as growth.
  private struct Published {
    let id: String
    var rows: [String]
    var growths: [Double]

    /// Nil where the day count is not ours.
    init?(_ fields: [String: Any]) {
      guard let id = fields["id"] as? String, fields["day_count"] == nil else { return nil }
      self.id = id
      if let dated = fields["flows"] as? [[Any]] {
        rows = dated.map { "\(id),\($0[0]),\(Self.plain($0[1]))" }
      } else if let amounts = fields["amounts"] as? [NSNumber] {
        // Periods of exactly one year of 365 days.
        let start = 1_262_304_000.0  // 2010-01-01
        rows = amounts.enumerated().map { index, amount in
          let date = Date(timeIntervalSince1970: start + Double(index * 365) * 86_400)
          return "\(id),\(date.ISO8601Format().prefix(10)),\(Self.plain(amount))"
        }
      } else {
        return nil
      }
      let one = (fields["root"] as? NSNumber).map { [$0] }
      let rates = (fields["roots"] as? [NSNumber]) ?? one ?? []
      growths =
        (fields["ln1p_roots"] as? [NSNumber])?.map(\.doubleValue)
        ?? rates.map { log1p($0.doubleValue) }
    }

    /// The digits that the case has, without an exponent.
    private static func plain(_ amount: Any) -> String {
      let text = "\(amount)"
      guard text.contains("e"), let number = Double(text) else { return text }
      return String(format: "%.400f", number)
    }
  }

  @Test("every published case has its root, in one file with all rows shuffled")
  func published() async throws {
    let cases = try ["xirr", "irr_periodic"].flatMap { name in
      try String(contentsOfFile: Fixtures.path("cases/\(name).jsonl"), encoding: .utf8)
        .split(separator: "\n").compactMap { line in
          try (JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            .flatMap(Published.init)
        }
    }.filter { !$0.rows.isEmpty }
    #expect(cases.count > 120)
    var rows = cases.flatMap(\.rows)
    var state: UInt64 = 88_172_645_463_325_252
    for index in rows.indices.reversed() {
      // Xorshift (Marsaglia 2003): the same order on every machine.
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      rows.swapAt(index, Int(state % UInt64(index + 1)))
    }
    let run = try await irr(
      "series,date,amount\n" + rows.joined(separator: "\n") + "\n", "--json")
    #expect(run.exitCode == 0, "\(run.standardError)")
    var found: [String: [String: Any]] = [:]
    for object in try objects(run) { found[object["series"] as? String ?? ""] = object }
    #expect(found.count == cases.count)
    for item in cases {
      let object = try #require(found[item.id])
      let growth = object["log_growth"] as? Double
      guard let chosen = item.growths.min(by: { abs($0) < abs($1) }) else {
        // Roots outside −58 … 708 are not listed; either answer passes there.
        if let growth { #expect(growth < -58 || growth > 708, "\(item.id)") }
        continue
      }
      // Half a step of the grid, and what a rate near −1 has lost of its growth.
      let tolerance = 6e-12 + 2e-12 * abs(chosen) + 4e-16 * exp(min(36, max(0, -chosen)))
      #expect(abs(try #require(growth, "\(item.id)") - chosen) <= tolerance, "\(item.id)")
    }
  }

  @Test("a plain file of dates and amounts gives a spreadsheet's rate, and the period's beside it")
  func documented() async throws {
    // The example of Excel's documentation of XIRR: 0.373362535.
    let flows = """
      date,amount
      2008-01-01,-10000
      2008-03-01,2750
      2008-10-30,4250
      2009-02-15,3250
      2009-04-01,2750

      """
    let table = try await irr(flows)
    #expect(table.exitCode == 0 && table.standardError.isEmpty)
    #expect(table.standardOutput.contains("37.3363%"))
    #expect(table.standardOutput.contains("48.6405%"))
    let run = try await irr(flows, "-", "--json")
    let object = try #require(try objects(run).first)
    #expect(abs(try #require(object["rate"] as? Double) - 0.373362535) < 5e-9)
    #expect(object["series"] is NSNull)
    #expect(object["status"] as? String == "solved")
    #expect(object["convention"] as? String == "xirr_act365")
    #expect(object["first_date"] as? String == "2008-01-01")
    #expect(object["last_date"] as? String == "2009-04-01")
    #expect(object["flows"] as? Int == 5)
  }

  @Test("columns stand in any order; a mark, CRLF, quotes and scattered rows are read as they are")
  func shapes() async throws {
    let run = try await irr(
      "\u{FEFF}amount,Series,date\r\n-100,\"a, \"\"b\"\"\",2024-01-01\r\n-1,c,2024-01-01\r\n"
        + "\r\n110,\"a, \"\"b\"\"\",2024-12-31\r\n0,c,2024-05-01", "--json")
    let objects = try objects(run)
    #expect(objects.map { $0["series"] as? String } == ["a, \"b\"", "c"])
    #expect(abs(try #require(objects[0]["rate"] as? Double) - 0.1) < 1e-11)
    #expect(objects[1]["status"] as? String == "total_loss")
    #expect(objects[1]["rate"] as? Double == -1)
  }

  @Test("monthly_nominal nets by month and multiplies by twelve")
  func monthly() async throws {
    let run = try await irr(
      "date,amount\n2024-01-10,-60\n2024-01-25,-40\n2024-03-05,102.01\n", "--json",
      "--convention", "monthly_nominal")
    let object = try #require(try objects(run).first)
    #expect(abs(try #require(object["rate"] as? Double) - 0.12) < 1e-10)
    #expect(object["convention"] as? String == "monthly_nominal")
  }

  @Test("the options of every command are taken, and no database is opened for them")
  func commonOptions() async throws {
    let flows = "date,amount\n2023-01-01,-100\n2024-01-01,110\n"
    let unreachable = "host=127.0.0.1 port=1"
    let quiet = try await irr(flows, "--quiet", "--database", unreachable)
    #expect(quiet.exitCode == 0 && quiet.standardOutput.isEmpty && quiet.standardError.isEmpty)
    let json = try await irr(flows, "--quiet", "--json", "--database", unreachable)
    #expect(try objects(json).first?["status"] as? String == "solved")
    let verbose = try await irr(flows, "--verbose")
    #expect(verbose.standardOutput.contains("10.0000%"))
    #expect(verbose.standardError == "standard input: 2 flows, 1 series\n")
    let wrong = try await irr("date,amount\n2023-01-01,x\n", "--quiet")
    #expect(wrong.exitCode == 65 && wrong.standardError.contains("row 1"))
  }

  @Test("where nothing balances the rate is null, never a number")
  func noRate() async throws {
    let run = try await irr(
      "series,date,amount\na,2024-01-01,-1\na,2025-01-01,-1\nb,2024-01-01,5\n", "--json")
    for object in try objects(run) {
      #expect(object["rate"] is NSNull && object["log_growth"] is NSNull)
      #expect(object["period_return"] is NSNull)
    }
    #expect(try objects(run).map { $0["status"] as? String } == ["no_sign_change", "too_short"])
    let table = try await irr("date,amount\n2024-01-01,-1\n")
    #expect(table.standardOutput.contains("–") && table.exitCode == 0)
  }

  @Test("an amount with an exponent is one; of a series with a bad row only that is left out")
  func seriesWithoutABadRow() async throws {
    let run = try await irr(
      """
      series,date,amount
      a,2023-01-01,-1E2
      b,2023-01-01,-100
      a,2024-01-01 16:00:00,1.1e+02
      b,2024-01-01,x
      c,2023-01-01,-100
      c,2024-01-01,120

      """, "--json")
    #expect(run.exitCode == 65)
    let found = try objects(run)
    #expect(found.map { $0["series"] as? String } == ["a", "c"])
    #expect(abs(try #require(found[0]["rate"] as? Double) - 0.1) < 1e-11)
    #expect(abs(try #require(found[1]["rate"] as? Double) - 0.2) < 1e-11)
    #expect(run.standardError.contains("row 4 (line 5), amount: 'x'"))
    #expect(run.standardError.contains("not calculated were: b;"))
    let nobodys = try await irr(
      "series,date,amount\na,2023-01-01,-1\na,2024-01-01,1\n,2024-01-01,5\n", "--json")
    #expect(nobodys.exitCode == 65 && nobodys.standardOutput.isEmpty)
  }

  @Test("flows are read as imports read files: other headers, decimal commas, dates, totals")
  func writtenInOtherWays() async throws {
    let run = try await irr(
      """
      Konto 12
      Datum;Betrag;Notiz
      31.12.2022;-1.000,00;x
      31.12.2023;1.100,00;y
      Summe;100,00;
      """, "--json", "--decimal-comma", "--date-format", "DD.MM.YYYY", "--map", "Datum=date",
      "--map", "Betrag=amount", "--ignore", "notiz", "--header-line", "2", "--skip-rows", "summe")
    #expect(run.exitCode == 0, "\(run.standardError)")
    #expect(abs(try #require(try objects(run).first?["rate"] as? Double) - 0.1) < 1e-11)
    let points = try await irr(
      "date;amount\n2023-01-01;-1.000\n2024-01-01;1100.5\n", "--decimal-comma")
    #expect(points.exitCode == 65 && points.standardOutput.isEmpty)
    #expect(points.standardError.contains("row 2 (line 3), amount: '1100.5' has a decimal point"))
  }

  @Test("every bad row is named with its line and column, and nothing is calculated")
  func badRows() async throws {
    let run = try await irr(
      """
      date,amount
      2024-01-01,-100
      2024-13-01,5
      2024-02-01,1e5x

      2024-02-02,
      2024-02-03,1,2
      2024-02-04,12,345.60
      2024-02-05,1\(String(repeating: "0", count: 300))
      2024-02-06,"5
      """, "--json")
    #expect(run.exitCode == 65)
    #expect(run.standardOutput.isEmpty)
    for says in [
      "row 2 (line 3), date: '2024-13-01' is not a date",
      "row 3 (line 4), amount: '1e5x' is not a decimal",
      "row 4 (line 6), amount: a value is required",
      "row 5 (line 7): the row has 3 fields, the header has 2",
      "row 6 (line 8): the row has 3 fields",
      "out of range: the magnitude must be below 10^300", "row 8 (line 10)", "hint: ",
    ] {
      #expect(run.standardError.contains(says), "\(says) in \(run.standardError)")
    }
  }

  @Test("amounts of any number of digits are read to the nearest double")
  func digits() async throws {
    let zeros = String(repeating: "0", count: 290)
    let run = try await irr(
      """
      series,date,amount
      long,2023-01-01,-0.10000000000000000000000000000001
      long,2024-01-01,+.11
      large,2023-01-01,-10\(zeros)
      large,2024-01-01,11\(zeros).000
      small,2023-01-01,-0.\(zeros)10
      small,2024-01-01,0.\(zeros)11

      """, "--json")
    #expect(run.exitCode == 0, "\(run.standardError)")
    for object in try objects(run) {
      #expect(abs(try #require(object["rate"] as? Double) - 0.1) < 1e-11, "\(object)")
    }
  }

  @Test("many bad rows are counted, not all listed")
  func manyBadRows() async throws {
    let run = try await irr("date,amount\n" + String(repeating: "x,1\n", count: 500))
    #expect(run.exitCode == 65)
    #expect(run.standardError.contains("and 480 more"))
    // Twenty rows, how many more, what helps them, and what was not calculated.
    #expect(run.standardError.split(separator: "\n").count == 23)
  }

  @Test("a file that is none is refused in a sentence, with exit code 65")
  func badFiles() async throws {
    for (input, says) in [
      ("", "is empty"), ("date,amount\n", "a header and no rows"),
      ("date,amuont\n2024-01-01,1\n", "did you mean 'amount'"),
      ("date\n2024-01-01\n", "column 'amount' is missing"),
      ("date;amount\n2024-01-01;1\n", "fields seem to be separated by ';': --delimiter ';'"),
    ] {
      let run = try await irr(input)
      #expect(run.exitCode == 65 && run.standardOutput.isEmpty)
      #expect(run.standardError.contains(says), "\(run.standardError)")
    }
    let missing = try await irr("", "/nonexistent/flows.csv")
    #expect(missing.exitCode == 65)
    #expect(missing.standardError.contains("/nonexistent/flows.csv"))
    #expect(try await irr("", "a.csv", "b.csv").exitCode == 64)
    #expect(try await irr("", "--convention", "weekly").exitCode == 64)
  }
}
