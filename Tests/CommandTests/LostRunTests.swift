import Glibc
import TestSupport
import Testing

/// A run that is gone is not said to be running.
@Suite struct LostRunTests {
  private static let night = ["run", "--date", "2017-06-30", "--workers", "1", "--wait", "0"]

  @Test("a run is running while its lease lives, and lost when it was killed, before any other")
  func killed() async throws {
    let books = try await OperatorBooks.small()
    let killed = try await books.run(
      Self.night, environment: ["CLOSEBELL_FAULT": "populate-fill:stop"]
    ) { process in
      while process.isAtWork { try await Task.sleep(for: .milliseconds(5)) }
      #expect(try await books.lastRun() == "running")
      process.send(SIGKILL)
    }
    #expect(killed.exitCode == 137)
    try await books.waitForNobody()
    #expect(try await books.lastRun() == "lost")
    let text = try await books.run("status").standardOutput
    #expect(text.contains(" lost "), "\(text)")
    // Whoever comes next records it.
    try await books.execute(
      "update closebell.batch_runs set started_at = started_at - interval '1 hour'")
    try await books.expectDone("cleanup")
    #expect(
      try await books.count("select count(*) from closebell.batch_runs where exit_code = -1") == 1)
    #expect(try await books.lastRun() == "lost")
    try await books.expectDone(Self.night)
    #expect(try await books.lastRun() == "done")
  }
}

extension OperatorBooks {
  /// The status of the latest run, as `status` says it.
  fileprivate func lastRun() async throws -> String {
    let said = try await run("status", "--json").standardOutput
    let runs = said.split(separator: "\"runs\":").last ?? ""
    let status = runs.firstRange(of: "\"status\":\"").map { runs[$0.upperBound...] } ?? ""
    return String(status.prefix { $0 != "\"" })
  }
}
