import TestSupport
import Testing

@testable import PrivateCluster

@Suite("A program that ends before it has read its input is heard all the same")
struct ProgramTests {
  /// More than a pipe holds, so that it can never be written.
  private static let input = String(repeating: "select 1;\n", count: 50_000)

  @Test("one that PostgreSQL's installation brings", arguments: ["true", "false"])
  func installed(program: String) async throws {
    let programs = PostgresBinaries(folder: "/usr/bin", version: 15)
    for _ in 0..<20 {
      let outcome = try await programs.run(program, [], as: nil, input: Self.input)
      #expect(outcome.succeeded == (program == "true"))
    }
  }

  @Test("one that a test runs")
  func tested() async throws {
    for _ in 0..<20 {
      let refusal = ["-c", "echo no >&2; exit 3"]
      let run = try await CommandRun.run("/bin/sh", refusal, input: Self.input)
      #expect((run.exitCode, run.standardError) == (3, "no\n"))
    }
  }

  @Test("and one that reads it has the whole of it")
  func whole() async throws {
    let programs = PostgresBinaries(folder: "/usr/bin", version: 15)
    let copied = try await programs.run("cat", [], as: nil, input: Self.input)
    #expect(copied.output == Self.input)
    let run = try await CommandRun.run("/bin/cat", [], input: Self.input)
    #expect(run.standardOutput == Self.input)
  }
}
