import Foundation
import TestSupport
import Testing

/// What programs read has one shape for one thing.
@Suite struct ShapesTests {
  private func value(_ text: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try value(text) as? [String: Any], "\(text)")
  }

  /// Every text in a value, wherever it stands.
  private func texts(_ value: Any) -> [String] {
    switch value {
    case let text as String: [text]
    case let list as [Any]: list.flatMap(texts)
    case let object as [String: Any]: object.values.flatMap(texts)
    default: []
    }
  }

  @Test("exported numbers and truth are such in JSON, and money is a string")
  func exported() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    func lines(_ series: String) async throws -> [[String: Any]] {
      let said = try await books.run("export", series, "--format", "json")
      return try said.standardOutput.split(separator: "\n").map { try object(String($0)) }
    }
    for line in try await lines("snapshots") {
      #expect(line["opening_equity"] is String && line["cumulative_pnl"] is String)
      #expect(line["degraded"] is Bool)
      #expect((line["return_index"] as? Double) != nil)
      #expect((line["daily_return"] as? Double) != nil || line["daily_return"] is NSNull)
    }
    #expect(try await lines("snapshots").contains { $0["daily_return"] is Double })
    for line in try await lines("holdings") {
      #expect(line["quantity"] is String && line["market_value"] is String)
    }
    #expect(try await lines("irr").contains { $0["irr_result"] is Double })
    #expect(try await lines("irr").allSatisfy { !($0["log_growth"] is String) })
  }

  @Test("every moment is written in one way")
  func moments() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    try await books.expectDone("lock", "--month", "2017-05", "--reason", "reported")
    _ = try await books.run(
      ["import", "prices", "-"], input: "date,symbol,close\n2017-06-30,AAPL,145.02\n")
    var moments = 0
    for arguments in [
      ["status"], ["imports", "list"], ["imports", "show", "1"],
      ["explain", "MERIDIAN", "--date", "2017-06-30"],
    ] {
      let said = try await books.run(arguments + ["--json"])
      for text in texts(try object(said.standardOutput)) {
        guard text.firstMatch(of: #/^\d{4}-\d\d-\d\d.*\d\d:\d\d/#) != nil else { continue }
        moments += 1
        #expect(text.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/#) != nil, "\(text)")
      }
    }
    #expect(moments > 20)
    let shown = try await books.run("imports", "show", "1")
    #expect(shown.standardOutput.contains(#/began \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, ended /#))
  }

  @Test("a changed value has one shape: in verify, explain, replay, an import and a repair")
  func changes() async throws {
    let books = try await OperatorBooks.demo()
    let correction = "date,symbol,close\n2017-06-29,AAPL,145.02\n"
    let preview = try await books.run(
      ["import", "prices", "-", "--dry-run", "--json"], input: correction)
    let changes = try #require(
      try object(preview.standardOutput)["changes"] as? [[String: Any]], "\(preview)")
    #expect(changes.count == 1)
    #expect(changes[0]["row"] as? Int == 1 && changes[0]["column"] as? String == "close")
    #expect(changes[0]["old"] is String && changes[0]["new"] as? String == "145.02")

    try await books.execute(
      """
      update closebell.prices set close = 145.02
      where price_date = '2017-06-29'
        and instrument_id = (select id from closebell.instruments where symbol = 'AAPL')
      """)
    let names: Set = ["row", "column", "old", "new"]
    func expectShape(_ values: Any?, _ command: String) {
      let values = values as? [[String: Any]] ?? []
      #expect(!values.isEmpty, "\(command)")
      #expect(values.allSatisfy { Set($0.keys) == names }, "\(command): \(values)")
    }
    let verified = try object(try await books.run("verify", "--json").standardOutput)
    expectShape((verified["differing"] as? [[String: Any]])?.first?["values"], "verify")
    let replay = try await books.run(
      "replay", "--from", "2017-06-29", "--to", "2017-06-29", "--dry-run", "--json")
    let replayed = try object(replay.standardOutput)
    expectShape((replayed["changed"] as? [[String: Any]])?.first?["values"], "replay")
    let explained = try object(
      try await books.run("explain", "MERIDIAN", "--date", "2017-06-29", "--json").standardOutput)
    expectShape(explained["differences"], "explain")
    let plan = try object(
      try await books.run("repair", "equity", "--dry-run", "--json").standardOutput)
    let decision = try #require((plan["decisions"] as? [[String: Any]])?.first, "\(plan)")
    let date = try #require((decision["dates"] as? [[String: Any]])?.first)
    #expect(date["column"] as? String == "closing_equity")
    #expect(date["old"] is String && date["new"] is String)
  }

  @Test("a run that is paused says so, and what its stages took")
  func paused() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("pause")
    let paused = try await books.run("run", "--date", "2017-06-30", "--json")
    #expect(paused.exitCode == 75)
    let report = try object(paused.standardOutput)
    #expect(report["outcome"] as? String == "paused")
    #expect((report["stages"] as? [String: Double])?.values.allSatisfy { $0 == 0 } == true)
    try await books.expectDone("resume")
    let done = try object(
      try await books.run("run", "--date", "2017-06-30", "--json").standardOutput)
    #expect(done["outcome"] as? String == "completed")
    let stages = try #require(done["stages"] as? [String: Double])
    #expect(Set(stages.keys) == ["plan", "claim", "load", "compute", "populate"])
    #expect(stages.values.contains { $0 > 0 })
  }
}
