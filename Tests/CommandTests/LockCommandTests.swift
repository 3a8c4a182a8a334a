import TestSupport
import Testing

/// `lock`, `unlock`, and what `status`, `replay` and `import` say of a locked month.
@Suite struct LockCommandTests {
  /// June 2017 of the demo, of which the last two dates are closed.
  private func june() async throws -> OperatorBooks {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    return books
  }

  @Test("lock, status, replay, unlock: what an operator sees of a reported month")
  func month() async throws {
    let books = try await june()
    let locked = try await books.run("lock", "--month", "2017-06", "--reason", "June reported")
    #expect(locked.exitCode == 0, "\(locked.standardError)")
    #expect(locked.standardOutput == "locked through 2017-06-30: all portfolios\n")
    let again = try await books.run(
      "lock", "--month", "2017-06", "--reason", "June reported", "--json")
    #expect(
      again.standardOutput == """
        {"month":"2017-06","portfolios":[],"locked_through":"2017-06-30","changed":false,\
        "discarded":0}

        """)
    let status = try await books.run("status", "--json")
    #expect(status.exitCode == 0)
    #expect(status.standardOutput.contains("\"locked\":"))
    #expect(
      status.standardOutput.contains("\"through\":\"2017-06-30\",\"reason\":\"June reported\""))
    let before = try await books.tables()
    let replay = try await books.run("replay", "--from", "2017-06-29", "--to", "2017-06-30")
    #expect(replay.exitCode == 1)
    #expect(replay.standardError.hasPrefix("error: the range is locked: "))
    #expect(replay.standardError.contains("hint: closebell unlock --month 2017-06 --reason"))
    let overridden = try await books.run(
      "replay", "--from", "2017-06-29", "--to", "2017-06-30", "--override-lock", "audit")
    #expect(overridden.exitCode == 0, "\(overridden.standardError)")
    #expect(try await books.tables() == before)
    let unlocked = try await books.run("unlock", "--month", "2017-06", "--reason", "correction")
    #expect(unlocked.standardOutput == "open from 2017-06-01 on: all portfolios\n")
    try await books.expectDone("replay", "--from", "2017-06-29", "--to", "2017-06-30")
  }

  @Test("a month that is not clean is refused with its dates, and code 1")
  func unclean() async throws {
    let books = try await june()
    try await books.execute(
      """
      insert into closebell.input_changes (from_date, portfolio_ids)
      select '2017-06-30', array[id] from closebell.portfolios where code = 'THAMES'
      """)
    let refused = try await books.run("lock", "--month", "2017-06", "--reason", "June reported")
    #expect(refused.exitCode == 1)
    #expect(
      refused.standardError.hasPrefix(
        "error: 2017-06 cannot be locked\ndetail: portfolio THAMES, 2017-06-30: stale\n"
          + "detail: 2017-06-30: 1 stale\nhint: "))
    #expect(refused.standardOutput.isEmpty)
  }

  @Test("a late row is imported with a word on when it is booked, and the demo's books go on")
  func late() async throws {
    let books = try await june()
    try await books.expectDone("lock", "--month", "2017-06", "--reason", "June reported")
    let report = try await books.run(
      ["import", "activities", "-"],
      input: "id,portfolio,date,type,amount\nLATE-1,THAMES,2017-06-29,deposit,250\n")
    #expect(report.exitCode == 0)
    let said = report.standardOutput + report.standardError
    #expect(said.contains("2017-06-29 is locked: booked on 2017-07-03"), "\(said)")
    #expect(try await books.run("status").exitCode == 0)
    try await books.expectDone("run", "--date", "2017-07-03")
    let shown = try await books.run("show", "THAMES", "--date", "2017-07-03", "--json")
    #expect(shown.standardOutput.contains("\"net_external_flow\":\"250.0000\""))
  }

  @Test("a month that is not over, no month and no reason are usage")
  func usage() async throws {
    let books = try await OperatorBooks.empty()
    for arguments in [
      ["--month", "2099-12", "--reason", "x"], ["--month", "2017-13", "--reason", "x"],
      ["--month", "2017-06", "--reason", " "], ["--month", "2017-06"],
    ] {
      #expect(try await books.run(["lock"] + arguments).exitCode == 64)
    }
    let unknown = try await books.run(
      "unlock", "--month", "2017-06", "--portfolio", "NOBODY", "--reason", "x")
    #expect(unknown.exitCode == 65)
  }
}
