import TestSupport
import Testing

/// What machines read of a run: log lines as JSON, and metrics in a file.
@Suite struct LogAndMetricsTests {
  private static let nowhere = "postgresql://me@127.0.0.1:1/books?sslmode=disable"

  @Test("with --log-format json each message is one object with time, level, hint and SQLSTATE")
  func jsonLines() async throws {
    let result = try await CommandRun.closebell(
      ["run", "--log-format", "json", "--database", Self.nowhere])
    #expect(result.exitCode == 69)
    let lines = result.standardError.split(separator: "\n")
    #expect(lines.count == 1, "\(result.standardError)")
    let line = try #require(lines.first)
    #expect(line.hasPrefix(#"{"ts":"20"#) && line.hasSuffix("}"), "\(line)")
    #expect(line.contains(#"Z","level":"error","message":"cannot connect"#), "\(line)")
    #expect(line.contains(#""sqlstate":"08001""#), "\(line)")
    #expect(line.contains(#""detail":"#), "\(line)")
  }

  @Test("CLOSEBELL_LOG_FORMAT does the same; the option wins; anything else is refused")
  func environment() async throws {
    let fromEnvironment = try await CommandRun.closebell(
      ["run", "--database", Self.nowhere], environment: ["CLOSEBELL_LOG_FORMAT": "json"])
    #expect(fromEnvironment.standardError.hasPrefix("{"))
    let option = try await CommandRun.closebell(
      ["run", "--log-format", "text", "--database", Self.nowhere],
      environment: ["CLOSEBELL_LOG_FORMAT": "json"])
    #expect(option.standardError.hasPrefix("error: "))
    let wrong = try await CommandRun.closebell(
      ["status"], environment: ["CLOSEBELL_LOG_FORMAT": "xml"])
    #expect(wrong.exitCode == 78)
    #expect(wrong.standardError.contains("CLOSEBELL_LOG_FORMAT takes text or json, not 'xml'"))
  }

  @Test("the metrics file has what became of the slots, and outlives a failure's lost success")
  func metrics() async throws {
    let books = try await OperatorBooks.demo()
    let file = ScratchFile("", suffix: ".prom")
    let environment = ["CLOSEBELL_METRICS_FILE": file.path]
    func text() -> String { String(decoding: file.bytes ?? [], as: UTF8.self) }
    func value(_ name: String) -> Substring? {
      text().split(separator: "\n").first { $0.hasPrefix(name + " ") }?.split(separator: " ").last
    }
    let night = try await books.run(["run", "--date", "2017-06-30"], environment: environment)
    #expect(night.exitCode == 0, "\(night.standardError)")
    #expect(value("closebell_run_exit_code") == "0")
    #expect(value(#"closebell_run_slots{outcome="completed"}"#) == "23")
    #expect(value(#"closebell_run_slots{outcome="failed"}"#) == "0")
    let success = try #require(value("closebell_run_last_success_timestamp_seconds"))
    #expect(value("closebell_run_finished_timestamp_seconds") == success)

    let failure = try await CommandRun.closebell(
      ["run", "--database", Self.nowhere], environment: environment)
    #expect(failure.exitCode == 69)
    #expect(value("closebell_run_exit_code") == "69")
    #expect(value("closebell_run_last_success_timestamp_seconds") == success)
    #expect(value(#"closebell_run_slots{outcome="completed"}"#) == nil)
  }

  @Test("what a metrics file held before, other than a time, is not carried over")
  func garbage() async throws {
    let books = try await OperatorBooks.demo()
    let name = "closebell_run_last_success_timestamp_seconds"
    for text in ["12x}{ \u{1B}[2J", "", "1e400", "12 34"] {
      let file = ScratchFile("\(name) \(text)\nother 1\n")
      let failed = try await books.run(
        ["run", "--date", "2199-01-01"], environment: ["CLOSEBELL_METRICS_FILE": file.path])
      #expect(failed.exitCode == 64)
      let written = try readText(file.path)
      #expect(written.contains("closebell_run_exit_code 64\n"))
      #expect(!written.contains(name), "\(written)")
    }
  }

  @Test("metrics have the code that the program ends with, where its result was lost too")
  func lostResult() async throws {
    let books = try await OperatorBooks.demo()
    let file = ScratchFile("")
    let lost = try await CommandRun.run(
      "/bin/sh", ["-c", "'\(CommandRun.closebell)' run --date 2017-06-29 > /dev/full"],
      environment: ["CLOSEBELL_DATABASE_URL": books.url, "CLOSEBELL_METRICS_FILE": file.path])
    #expect(lost.exitCode == 2)
    #expect(try readText(file.path).contains("closebell_run_exit_code 2\n"))
  }

  @Test("a metrics file that cannot be written is warned about, and costs no night")
  func unwritable() async throws {
    let books = try await OperatorBooks.demo()
    let night = try await books.run(
      ["run", "--date", "2017-06-30"],
      environment: ["CLOSEBELL_METRICS_FILE": "/nonexistent/closebell.prom"])
    #expect(night.exitCode == 0)
    #expect(night.standardError.contains("warning: no metrics were written"))
  }
}
