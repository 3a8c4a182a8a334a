import FoundationEssentials
import TestSupport
import Testing

/// XML exports as an operator imports them: from files and pipes, broken, hostile, killed.
@Suite("XML exports through the command")
struct ExportDocumentCommandTests {
  private static let client = Fixtures.path("exports/portfolio-performance/client.xml")
  private static let flex = Fixtures.path("exports/interactive-brokers/flex.xml")

  private static func performance(_ kind: String, _ file: String = client) -> [String] {
    let portfolio = kind == "activities" ? ["--set", "portfolio=DEPOT"] : []
    return ["import", kind, file, "--format", "portfolio-performance"] + portfolio
  }

  /// A portfolio in euros with cash of its own in each currency.
  private static func books() async throws -> OperatorBooks {
    let books = try await ImportJobTests.books()
    let portfolios = ScratchFile(
      "code,name,base_currency,inception_date,cash\n"
        + "DEPOT,Depot,EUR,2024-01-01,per_currency\nU1000001,IB,USD,2026-01-01,per_currency\n")
    try await books.expectDone("import", "portfolios", portfolios.path)
    return books
  }

  private static func log(_ books: OperatorBooks) async throws -> [String] {
    try await books.texts(
      "select external_id || ' ' || activity_type || ' ' || activity_date "
        + "from closebell.holding_activity_log order by external_id")
  }

  @Test("one file of Portfolio Performance: its kinds one after the other, then again nothing")
  func portfolioPerformance() async throws {
    let books = try await Self.books()
    let instruments = try await books.run(Self.performance("instruments"))
    #expect(instruments.exitCode == 65, "\(instruments.standardError)")
    #expect(
      instruments.standardOutput.contains("4 rows: 2 new, 2 refused"),
      "\(instruments.standardOutput)"
    )
    #expect(try await books.run(Self.performance("prices")).exitCode == 65)
    // The same bytes from a pipe.
    let text = try String(
      decoding: Data(contentsOf: URL(filePath: Self.client)), as: UTF8.self)
    let piped = try await books.run(Self.performance("activities", "-"), input: text)
    #expect(piped.exitCode == 0, "\(piped.standardError)")
    #expect(piped.standardOutput.contains("24 new"), "\(piped.standardOutput)")
    let again = try await books.run(Self.performance("activities"))
    #expect(again.standardOutput.contains("0 new, 24 unchanged"), "\(again.standardOutput)")
  }

  @Test("one Flex query: instruments, rates and activities; what is refused says line and way out")
  func flexQuery() async throws {
    let books = try await Self.books()
    let format = ["--format", "interactive-brokers"]
    #expect(try await books.run(["import", "instruments", Self.flex] + format).exitCode == 65)
    #expect(try await books.run(["import", "fx-rates", Self.flex] + format).exitCode == 0)
    let activities = try await books.run(["import", "activities", Self.flex] + format)
    #expect(activities.exitCode == 65)
    #expect(activities.standardOutput.contains("15 new"), "\(activities.standardOutput)")
    #expect(
      activities.standardError.contains(
        "row 16 (line 29): a corporate action (FS ACME(US0000ACME12) SPLIT 4 FOR 1): "
          + "import the split as one of corporate-actions"), "\(activities.standardError)")
  }

  @Test("broken, hostile and foreign XML is refused with 65, by line and element, with a way out")
  func refused() async throws {
    let books = try await Self.books()
    let secret = ScratchFile("secret-of-root")
    let begin = "<client>\n<version>69</version>\n"
    for (text, place, way) in [
      (
        begin + "<accounts><account>\n</accounts></client>", "line 4, in <account>",
        "export the file"
      ),
      (begin + "<accounts>\n<account>", "line 4, in <account>", "fetch the file again"),
      (
        "<!DOCTYPE client [<!ENTITY x SYSTEM \"file://\(secret.path)\">]>\n" + begin
          + "&x;</client>",
        "line 1 on: it declares a document type", "take the declaration out"
      ),
      (begin + "<a>&x;</a></client>", "line 3, in <a>", "entities are not read"),
      ("<html><body/></html>", "line 1 on: its root is <html>", "save the file in Portfolio"),
      ("<?xml version='1.0' encoding='KOI8-R'?>" + begin, "line 1", "iconv -t utf8"),
    ] {
      let file = ScratchFile(text)
      let result = try await books.run(Self.performance("activities", file.path))
      #expect(result.exitCode == 65, "\(text): \(result.standardError)")
      #expect(
        result.standardError.contains("\(file.path) cannot be read from \(place)"),
        "\(result.standardError)")
      #expect(result.standardError.contains("hint: "), "\(result.standardError)")
      #expect(result.standardError.contains(way), "\(result.standardError)")
      #expect(!result.standardError.contains("secret-of-root"))
    }
    let plain = try await books.run("import", "activities", Self.flex)
    #expect(
      plain.exitCode == 65
        && plain.standardError.contains("--format interactive-brokers reads a Flex query"),
      "\(plain.standardError)")
  }

  @Test("killed at any chunk and resumed, an XML file leaves what an undisturbed one leaves")
  func killed() async throws {
    let calm = try await Self.books()
    _ = try await calm.run(Self.performance("instruments"))
    #expect(try await calm.run(Self.performance("activities")).exitCode == 0)
    let expected = try await Self.log(calm)
    for chunk in [1, 3, 7] {
      let books = try await Self.books()
      _ = try await books.run(Self.performance("instruments"))
      let killed = try await books.run(
        Self.performance("activities") + ["--batch-size", "2"],
        environment: ["CLOSEBELL_FAULT": "stage-import_activities#\(chunk):kill"])
      #expect(killed.exitCode == 137, "\(killed.standardError)")
      let job = try #require(try await ImportJobTests.lastJob(books))
      let next = try await ImportJobTests.resume(books, job)
      #expect(next.exitCode == 0, "\(next.standardError)")
      #expect(try await Self.log(books) == expected)
    }
  }
}
