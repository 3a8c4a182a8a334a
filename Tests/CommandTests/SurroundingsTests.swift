import Foundation
import TestSupport
import Testing

/// What a container, a unit or a shell can withhold from the program.
@Suite("Poor surroundings are refused by name")
struct SurroundingsTests {
  private static let nowhere = "postgresql://me@127.0.0.1:1/books?sslmode=disable"

  private func run(_ words: String, _ arguments: String) async throws -> CommandRun {
    try await CommandRun.run(
      "/bin/sh", ["-c", "\(words); exec '\(CommandRun.closebell)' \(arguments)"],
      timeLimit: .seconds(120))
  }

  @Test(
    "too few descriptors are an error with the number that is needed", arguments: [5, 9, 12, 20])
  func descriptors(limit: Int) async throws {
    let commands = ["run", "replay --from 2017-01-02 --to 2017-01-03", "verify", "status"]
    for command in commands {
      let run = try await run("ulimit -n \(limit)", "\(command) --database '\(Self.nowhere)'")
      #expect(run.exitCode == 78, "\(command): \(run.standardError)")
      let needed = limit < 16 ? 128 : 132
      #expect(run.standardError.contains("at a time, and needs \(needed)"))
      #expect(run.standardError.contains("hint: raise the hard limit: ulimit -Hn \(needed)"))
    }
    let workers = try await run("ulimit -n 200", "run --workers 64 --database '\(Self.nowhere)'")
    #expect(workers.exitCode == 78 && workers.standardError.contains("needs 256"))
    let help = try await run("ulimit -n \(limit)", "--help")
    #expect(help.exitCode == (limit < 16 ? 78 : 0), "\(help.standardError)")
  }

  @Test("a soft limit on descriptors is raised to what is needed")
  func softLimit() async throws {
    let run = try await run("ulimit -Sn 12", "status --database '\(Self.nowhere)'")
    #expect(run.exitCode == 69, "\(run.standardError)")
  }

  @Test(
    "without /proc there are no arguments, and nothing is taken for done",
    .enabled(if: geteuid() == 0))
  func noProc() async throws {
    let script = "umount -l /proc && exec '\(CommandRun.closebell)' run"
    // What asynchronous work begins with has been known to trap in one of four.
    for _ in 0..<20 {
      let run = try await CommandRun.run("/usr/bin/unshare", ["-m", "sh", "-c", script])
      #expect(run.exitCode == 78, "\(run.standardOutput)\(run.standardError)")
      #expect(run.standardError.hasPrefix("error: the arguments cannot be read"))
      #expect(!run.standardError.contains("***"))
      #expect(run.standardOutput.isEmpty)
    }
  }

  @Test(
    "books are not where a command happens to be started, nor at a name that commands a terminal")
  func homes() async throws {
    for home in ["books", "./books", "../books"] {
      let run = try await CommandRun.closebell(
        ["postgres", "status"], environment: ["CLOSEBELL_HOME": home])
      #expect(run.exitCode == 78)
      #expect(run.standardError.hasPrefix("error: CLOSEBELL_HOME takes a folder by its whole path"))
    }
    for home in ["/tmp/a\nhint: rm -rf /", "/tmp/a\u{1B}[31m", "/tmp/a\u{7F}"] {
      for word in ["status", "start", "stop"] {
        let run = try await CommandRun.closebell(
          ["postgres", word], environment: ["CLOSEBELL_HOME": home])
        #expect(run.exitCode == 78)
        #expect(!run.standardError.contains("rm -rf") && !run.standardError.contains("\u{1B}"))
      }
    }
    let turned = try await CommandRun.closebell(
      ["postgres", "status"], environment: ["CLOSEBELL_HOME": "/tmp/a\u{202E}b"])
    #expect(turned.standardOutput == "absent, in /tmp/a\\u202eb\n")
  }
}
