import Foundation
import TestSupport
import Testing

@testable import closebell
import Console
@testable import Settings

@Suite("The environment is read once, and strictly")
struct SettingsTests {
  private static let nowhere = "postgresql://me@127.0.0.1:1/books?sslmode=disable"

  private func read(_ environment: [String: String?]) -> (settings: Settings, objections: [String])
  {
    var objections: [String] = []
    let settings = Settings(environment, objections: &objections)
    return (settings, objections)
  }

  @Test("a duration is read in any usual form; a bare number is one of seconds")
  func durations() {
    let readings: [(String, Int)] = [
      ("90", 90_000), ("90s", 90_000), ("2m", 120_000), ("2min", 120_000), ("1h30m", 5_400_000),
      ("500ms", 500), ("1.5", 1_500), ("1.5h", 5_400_000), ("0.25s", 250), ("0", 0), ("0ms", 0),
      ("7d", 604_800_000), ("1d2h3m4s5ms", 93_784_005), ("36500d", 3_153_600_000_000),
    ]
    for (text, milliseconds) in readings {
      #expect(TimeSpan(text)?.milliseconds == milliseconds, "\(text)")
    }
    for span in [0, 1, 999, 1_000, 60_001, 86_400_000, 93_784_005].map(TimeSpan.init(milliseconds:))
    {
      #expect(TimeSpan(span.description) == span)
    }
  }

  @Test(
    "what is no duration is refused: nothing is guessed, rounded or cut off",
    arguments: [
      "", " ", "abc", "2x", "2M", "-1", "+5", "1e3", "0x10", "inf", "nan", "infinity", " 5", "5 ",
      "1h 30m", "30m1h", "1m1m", "1h30", "1.", ".5", "1..2", "1,5", "0.0001", "0.5ms", "٣",
      "5\u{2009}s",
      "36501d", "99999999999999999999d", "9223372036854775807h", "1.0000000001", "m", "ms",
    ])
  func noDuration(_ text: String) {
    #expect(TimeSpan(text) == nil)
  }

  @Test("a number of bytes overflows nothing, and takes no letter that only looks like a unit")
  func bytes() {
    #expect(ByteCount("2000000")?.bytes == 2_000_000)
    #expect(ByteCount("500m")?.bytes == 500 << 20 && ByteCount("2G")?.bytes == 2 << 30)
    for text in [
      "9223372036854775807K", "9999999999999G", "5ß", "ß", "K", "-1", "-1K", "1.5G", "+5M",
    ] {
      #expect(ByteCount(text) == nil, "\(text)")
    }
  }

  /// What was silently the default once, or a trap.
  static let refused = [
    ("LEASE_SECONDS", "2x"), ("LEASE_SECONDS", "inf"), ("LEASE_SECONDS", "0.5"),
    ("LEASE_SECONDS", "nan"), ("WORKERS", "abc"), ("WORKERS", "65"), ("WORKERS", "0"),
    ("IMPORT_MAX_ROWS", "1k"), ("IMPORT_MAX_ROWS", "-1"), ("MAX_CATCH_UP", "0"),
    ("MAX_CATCH_UP", "-1"), ("CHUNK", "1e2"), ("IMPORT_BATCH_SIZE", "100001"),
    ("STATEMENT_TIMEOUT", "9223372036854775807"), ("LOCK_TIMEOUT", "9223372036854775807"),
    ("LOCK_TIMEOUT", "-1"), ("CONNECT_TIMEOUT", "soon"), ("IMPORT_TIMEOUT", "inf"),
    ("IMPORT_BACKGROUND_THRESHOLD", "9999999999999G"), ("IMPORT_BACKGROUND_THRESHOLD", "5ß"),
    ("LOG_FORMAT", "xml"), ("DATABASE_URL", "mysql://me:hush@h/b"),
  ]

  @Test("a variable that cannot be read is named with what it takes, and ends the program with 78")
  func refusal() async throws {
    for (name, text) in Self.refused {
      let (_, objections) = read(["CLOSEBELL_" + name: text])
      #expect(objections.count == 1, "\(name)=\(text)")
      #expect(objections.first?.hasPrefix("CLOSEBELL_\(name) takes ") == true, "\(objections)")
      #expect(objections.first?.contains("hush") == false)
    }
    let all = Dictionary(Self.refused.map { ("CLOSEBELL_" + $0.0, $0.1) }) { first, _ in first }
    let run = try await CommandRun.closebell(
      ["status", "--database", Self.nowhere], environment: all)
    #expect(run.exitCode == 78)
    for name in all.keys { #expect(run.standardError.contains("error: \(name) takes"), "\(name)") }
    #expect(
      read(["CLOSEBELL_HOME": nil]).objections == ["CLOSEBELL_HOME is not valid UTF-8"])
  }

  @Test("help is there whatever the environment says")
  func help() async throws {
    let run = try await CommandRun.closebell(["--help"], environment: ["CLOSEBELL_WORKERS": "abc"])
    #expect(run.exitCode == 0)
  }

  @Test("what is set is taken; an empty variable counts as unset")
  func taken() {
    let (settings, objections) = read([
      "CLOSEBELL_LEASE_SECONDS": "2m", "CLOSEBELL_WORKERS": "4", "CLOSEBELL_CHUNK": "",
      "CLOSEBELL_IMPORT_TIMEOUT": "0", "CLOSEBELL_LOCK_TIMEOUT": "500ms",
      "CLOSEBELL_STATEMENT_TIMEOUT": "3", "CLOSEBELL_CONNECT_TIMEOUT": "1500ms",
      "CLOSEBELL_IMPORT_BACKGROUND_THRESHOLD": "1K", "CLOSEBELL_METRICS_FILE": "/m.prom",
    ])
    #expect(objections.isEmpty)
    #expect(settings.lease.seconds == 120 && settings.workers == 4 && settings.chunk == 500)
    #expect(settings.importTimeout == nil && settings.lockTimeout.milliseconds == 500)
    #expect(settings.statementTimeout.milliseconds == 3_000)
    #expect(settings.connectTimeout.wholeSeconds == 2)
    #expect(settings.importBackgroundThreshold?.bytes == 1_024)
    #expect(settings.metricsFile == "/m.prom")
    for variable in Variables.all { #expect(read([variable.name: ""]).objections.isEmpty) }
  }

  @Test("a variable that is no setting is warned about, with the name that was meant")
  func strange() async throws {
    #expect(
      StrangeVariables.warnings(["CLOSEBELL_WORKER", "CLOSEBELL_WORKERS", "PATH", "CLOSEBELL_XYZ"])
        .flatMap(\.lines) == [
          "warning: 'CLOSEBELL_WORKER' is no setting, and has no effect",
          "hint: CLOSEBELL_WORKERS?",
          "warning: 'CLOSEBELL_XYZ' is no setting, and has no effect",
        ])
    #expect(
      StrangeVariables.warnings([
        "CLOSEBELL_SERVICE_HOST", "CLOSEBELL_PORT", "CLOSEBELL_PORT_5432_TCP_ADDR",
        "CLOSEBELL_DB_SERVICE_PORT_PG", "CLOSEBELL_TEST_FUZZ",
      ]).isEmpty)
    let run = try await CommandRun.closebell(
      ["status", "--quiet", "--database", Self.nowhere],
      environment: ["CLOSEBELL_LEASE_SECOND": "60"])
    #expect(run.exitCode == 69)
    #expect(run.standardError.hasPrefix("warning: 'CLOSEBELL_LEASE_SECOND' is no setting"))
    #expect(run.standardError.contains("hint: CLOSEBELL_LEASE_SECONDS?"))
  }

  @Test("the defaults are those that are documented")
  func defaults() {
    func standard<Value>(_ variable: Variable<Value>) -> Value? {
      variable.reading.read(variable.standard == "no limit" ? "0" : variable.standard)
    }
    let settings = Settings()
    #expect(standard(Variables.workers) == settings.workers)
    #expect(standard(Variables.chunk) == settings.chunk)
    #expect(standard(Variables.lease) == settings.lease)
    #expect(standard(Variables.maxCatchUp) == settings.maxCatchUp)
    #expect(standard(Variables.importBatchSize) == settings.importBatchSize)
    #expect(standard(Variables.logFormat) == settings.logFormat)
    #expect(standard(Variables.connectTimeout) == settings.connectTimeout)
    #expect(standard(Variables.statementTimeout) == settings.statementTimeout)
    #expect(standard(Variables.lockTimeout) == settings.lockTimeout)
  }

  @Test("docs/operations.md has the table of settings as the program has it")
  func documented() throws {
    let page = try String(contentsOfFile: Fixtures.path("../docs/operations.md"), encoding: .utf8)
    let rows = page.split(separator: "\n").filter {
      $0.hasPrefix("| `CLOSEBELL_") && $0.hasSuffix("|")
    }
    #expect(rows.map(String.init) == Variables.all.map(\.markdown))
  }

  @Test(
    "what contradicts itself, or names nothing, is wrong usage and not half obeyed",
    arguments: [
      ["status", "--database", ""],
      ["status", "--from", "2017-06-30", "--to", "2017-06-29", "--database", nowhere],
      ["export", "irr", "--from", "2017-06-30", "--to", "2017-06-29", "--database", nowhere],
      ["migrate", "--status", "--to", "3", "--database", nowhere],
      ["migrate", "--status", "--set-search-path", "--database", nowhere],
      ["run", "--no-catch-up", "--max-catch-up", "5", "--database", nowhere],
    ])
  func contradictions(_ arguments: [String]) async throws {
    let refused = try await CommandRun.closebell(
      arguments, environment: ["CLOSEBELL_DATABASE_URL": Self.nowhere])
    #expect(refused.exitCode == 64, "\(arguments): \(refused.standardError)")
    #expect(refused.standardError.hasPrefix("error: --"), "\(refused.standardError)")
  }
}
