import Problems
import TestSupport
import Testing

@testable import closebell

/// What the parser would take in silence, or for ever.
@Suite("Arguments mean what they say, or are refused")
struct ArgumentRulesTests {
  private static let nowhere = ["--database", "postgresql://me@127.0.0.1:1/books?sslmode=disable"]

  @Test(
    "what is no option, no command or said twice is wrong usage, and no cry for help",
    arguments: [
      ["-xh"], ["-help-me"], ["-help"], ["run", "-xh"], ["run", "-h1"], ["imports", "show", "-5"],
      ["help", "nonsense"], ["help", "imports", "nonsense"], ["nonsense", "--help"],
      ["imports", "nonsense", "-h"], ["run", "--help=me"], ["--version=2"],
      ["run", "--date", "2017-06-29", "--date", "2017-06-30"],
      ["run", "--date=2017-06-29", "--date", "2017-06-29"], ["run", "--workers=1", "--workers=2"],
      ["status", "--json", "--json"],
    ])
  func refused(_ arguments: [String]) async throws {
    let run = try await CommandRun.closebell(arguments + (arguments.count > 1 ? Self.nowhere : []))
    #expect(run.exitCode == 64, "\(arguments): \(run.standardOutput)")
    #expect(run.standardError.hasPrefix("error: ") && run.standardOutput.isEmpty)
  }

  @Test(
    "what the parser understands is left to it",
    arguments: [
      [], ["-h"], ["--help"], ["help"], ["help", "run"], ["help", "imports", "show"],
      ["help", "help"],
      ["run", "-h"], ["run", "--help"], ["imports"], ["imports", "--json"], ["--version"],
      ["run", "--portfolio", "A", "--portfolio", "B", "--portfolio", "A"],
      ["import", "prices", "-", "--map", "a=b", "--map=c=d", "--set", "e=f", "--set", "g=h"],
      ["import", "prices", "--", "-xh", "--json", "--json"], ["lock", "--reason=-xh", "--month=x"],
      ["--generate-completion-script", "bash"], ["--experimental-dump-help"],
    ])
  func understood(_ arguments: [String]) throws {
    try ArgumentRules.require(arguments)
  }

  @Test("an option that may stand more than once is one that adds up, as its help says")
  func repeatable() async throws {
    for (words, parameters) in try await CommandTree.read() {
      for parameter in parameters {
        guard let option = parameter.option else { continue }
        #expect(
          parameter.isRepeating == ArgumentRules.repeatable.contains(Substring(option)),
          "\(words) \(option)")
      }
    }
  }

  @Test("more arguments than the parser can take are refused by their number, at once")
  func many() throws {
    let many = ["import", "prices"] + (0..<100_000).map { "f\($0)" }
    let problem = #expect(throws: StatedProblem.self) { try ArgumentRules.require(many) }
    #expect(problem?.code.kind == .usage)
    #expect(problem?.message == "100002 arguments are more than 10000")
  }

  @Test("what is wrong with the arguments is logged as everything else is, where they say how")
  func logFormat() async throws {
    for arguments in [
      ["status", "--log-format", "json", "--bogus"], ["status", "--bogus", "--log-format=json"],
      ["--log-format=json", "--bogus"], ["run", "--log-format", "json", "-xh"],
      ["run", "--log-format", "json", "--workers", "0"],
    ] {
      let run = try await CommandRun.closebell(arguments)
      #expect(run.exitCode == 64)
      #expect(run.standardError.hasPrefix(#"{"ts":""#), "\(arguments): \(run.standardError)")
      #expect(run.standardError.hasSuffix("\"code\":\"wrong_usage\"}\n"), "\(run.standardError)")
      #expect(run.standardError.split(separator: "\n").count == 1)
    }
    let text = try await CommandRun.closebell(
      ["status", "--log-format", "text", "--bogus"], environment: ["CLOSEBELL_LOG_FORMAT": "json"])
    #expect(text.standardError.hasPrefix("error: "))
  }

  @Test("help is written on a terminal of any width")
  func width() async throws {
    for columns in ["0", "1", "20", "26", "27", "39", "-5", "99999999999999999999", "1000000", "x"]
    {
      for arguments in [
        ["--help"], ["help", "export"], ["repair", "--help"], ["run", "--bogus"],
      ] {
        let run = try await CommandRun.closebell(arguments, environment: ["COLUMNS": columns])
        #expect([0, 64].contains(run.exitCode), "\(columns) \(arguments): \(run.exitCode)")
      }
    }
  }

  @Test("--json is JSON with every command that takes it, or is refused")
  func json() async throws {
    let books = try await OperatorBooks.small()
    for arguments in [["export", "snapshots"], ["pause"], ["resume"], ["resume"], ["migrate"]] {
      let run = try await books.run(arguments + ["--json"])
      #expect(run.exitCode == 0, "\(arguments): \(run.standardError)")
      #expect(
        run.standardOutput.split(separator: "\n").allSatisfy { $0.hasPrefix("{") },
        "\(arguments): \(run.standardOutput)")
    }
    #expect(
      try await books.run("pause", "--json").standardOutput == "{\"paused\":true}\n")
    #expect(
      try await books.run("resume", "--json").standardOutput
        == "{\"paused\":false,\"was_paused\":true}\n")
    let both = try await books.run("export", "snapshots", "--json", "--format", "csv")
    #expect(both.exitCode == 64)
    #expect(try await books.run("imports", "rejects", "1", "--json").exitCode == 64)
  }
}
