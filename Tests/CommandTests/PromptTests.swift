import Postgres
import TestSupport
import Testing

/// A repair on a terminal, as `script` makes one: it asks before it does anything.
@Suite("A question on a terminal can be answered with Ctrl-C")
struct PromptTests {
  /// The demo's books with one closed date damaged.
  private static func damaged() async throws -> OperatorBooks {
    let books = try await OperatorBooks.demo()
    try await books.execute(
      """
      update closebell.portfolio_snapshots
      set closing_equity = closing_equity + 1, cash = cash + 1, daily_pnl = daily_pnl + 1,
        income = income + 1
      where portfolio_id = (select id from closebell.portfolios where code = 'THAMES')
      """)
    return books
  }

  /// Runs a repair on a terminal, and answers with some keys once it has asked.
  private static func repair(
    _ books: OperatorBooks, answering keys: String
  ) async throws -> CommandRun {
    let typescript = ScratchFile("")
    let command = "'\(CommandRun.closebell)' repair equity --database '\(books.url)'"
    // The program's own exit code is what `script` ends with.
    let session = """
      (until grep -q 'y/N' '\(typescript.path)'; do sleep 0.05; done; printf '\(keys)') |
        script -qefc "\(command)" '\(typescript.path)'
      """
    return try await CommandRun.run("/bin/sh", ["-c", session], timeLimit: .seconds(120))
  }

  @Test("Ctrl-C at the question ends the program with 130, and nothing was changed")
  func interrupted() async throws {
    let books = try await Self.damaged()
    let before = try await books.tables()
    let ended = try await Self.repair(books, answering: "\\003")
    #expect(ended.exitCode == 130, "\(ended.standardOutput)")
    #expect(try await books.tables() == before)
  }

  @Test("an answer is taken as before")
  func answered() async throws {
    let books = try await Self.damaged()
    let refused = try await Self.repair(books, answering: "n\\n")
    #expect(refused.exitCode == 1, "\(refused.standardOutput)")
    let agreed = try await Self.repair(books, answering: "y\\n")
    #expect(agreed.exitCode == 0, "\(agreed.standardOutput)")
    try await books.expectDone("verify")
  }
}
