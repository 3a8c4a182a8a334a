import Glibc
import Postgres
import TestSupport
import Testing

/// An older batch's table, healed with the program's own commands.
@Suite struct RepairDuplicatesTests {
  static let table = "legacy.portfolio_snapshots"

  private func incident() async throws -> OperatorBooks {
    let books = try await OperatorBooks.empty()
    try await books.execute(try readText(Fixtures.path("incident/legacy.sql")))
    return books
  }

  @Test("adopting lists duplicates and the command that repairs; after it the key is there")
  func adopt() async throws {
    let books = try await incident()
    let refused = try await books.run("migrate", "--adopt", Self.table)
    #expect(refused.exitCode == 65)
    #expect(refused.standardError.contains("3 slots stand more than once"))
    #expect(refused.standardError.contains("portfolio GULL, 2014-03-04: 4 rows"))
    #expect(refused.standardError.contains("hint: closebell repair duplicates"))
    let repaired = try await books.run("repair", "duplicates", Self.table, "--yes")
    #expect(repaired.exitCode == 0, "\(repaired.standardError)")
    #expect(repaired.standardOutput.contains("7 rows removed and archived, 2 marked stale"))
    #expect(
      try await books.texts(
        "select portfolio_code || ' ' || closing_equity from \(Self.table) "
          + "where snapshot_date = '2014-03-04' order by 1")
        == ["GULL -1625000.00", "HERON 1020000.00", "TERN 510000.00"])
    for _ in 1...2 {
      let adopted = try await books.run("migrate", "--adopt", Self.table)
      #expect(adopted.exitCode == 0, "\(adopted.standardError)")
      #expect(adopted.standardOutput.contains("9 slots recorded, 2 of them stale"))
    }
    let again = """
      insert into \(Self.table) (portfolio_code, snapshot_date, closing_equity)
      values ('GULL', '2014-03-04', 14200000)
      """
    let error = await #expect(throws: PostgresError.self) { try await books.execute(again) }
    #expect(error?.sqlState == "23505")
  }

  @Test("undo gives the rows back as they were, and the same plan can be applied again")
  func undo() async throws {
    let books = try await incident()
    let plan = try Self.path("undo")
    defer { unlink(plan) }
    let before = try await books.legacyRows()
    try await books.expectDone("repair", "duplicates", Self.table, "--plan", plan)
    #expect(try await books.legacyRows() == before)
    try await books.expectDone("repair", "duplicates", "--apply", plan)
    let after = try await books.legacyRows()
    #expect(after.count == 9)
    let twice = try await books.run("repair", "duplicates", "--apply", plan)
    #expect(twice.exitCode == 0)
    #expect(twice.standardOutput.contains("nothing to do"))
    try await books.expectDone("repair", "undo", "1", "--yes")
    #expect(try await books.legacyRows() == before)
    try await books.expectDone("repair", "duplicates", "--apply", plan)
    #expect(try await books.legacyRows() == after)
  }

  @Test("undo is refused where rows changed since, or the key is there by now")
  func undoRefused() async throws {
    let changed = try await incident()
    try await changed.expectDone("repair", "duplicates", Self.table, "--yes")
    try await changed.execute(
      "update \(Self.table) set closing_equity = 1 where portfolio_code = 'GULL' "
        + "and snapshot_date = '2014-03-04'")
    let refused = try await changed.run("repair", "undo", "1", "--yes")
    #expect(refused.exitCode == 1)
    #expect(refused.standardError.contains("portfolio GULL, 2014-03-04"))
    let adopted = try await incident()
    try await adopted.expectDone("repair", "duplicates", Self.table, "--yes")
    try await adopted.expectDone("migrate", "--adopt", Self.table)
    let keyed = try await adopted.run("repair", "undo", "1", "--yes")
    #expect(keyed.exitCode == 1)
    #expect(keyed.standardError.contains("unique key"))
    #expect(try await adopted.legacyRows().count == 9)
  }

  @Test("an edited plan is refused, and so is one whose data changed: each names the place")
  func plans() async throws {
    let books = try await incident()
    let plan = try Self.path("plans")
    defer { unlink(plan) }
    try await books.expectDone("repair", "duplicates", Self.table, "--plan", plan)
    let text = try readText(plan)
    let edits = [
      (
        text.replacing("3650000.0000", with: "3650001.0000", maxReplacements: 1), "GULL, 2014-03-04"
      ),
      (text.replacing("\"kept\"", with: "\"removed\""), "TERN, 2014-03-04"),
      (text.replacing("\"rows_removed\": 7", with: "\"rows_removed\": 8"), "its head"),
      ("{}", "no plan"), ("not JSON", "no plan"),
    ]
    for (edited, says) in edits {
      try write(edited, to: plan)
      let refused = try await books.run("repair", "duplicates", "--apply", plan)
      #expect(refused.exitCode == 65, "\(says)")
      #expect(refused.standardError.contains(says), "\(refused.standardError)")
    }
    try write(text, to: plan)
    try await books.execute(
      "update \(Self.table) set run_host = 'other' where portfolio_code = 'TERN' "
        + "and snapshot_date = '2014-03-05'")
    let changed = try await books.run("repair", "duplicates", "--apply", plan)
    #expect(changed.exitCode == 65)
    #expect(changed.standardError.contains("data changed since the plan"))
    #expect(changed.standardError.contains("portfolio TERN"))
    #expect(changed.standardError.contains("HERON") == false)
    #expect(try await books.legacyRows().count == 16)
  }

  @Test("a repair that is killed before its commit did nothing, and is done by the next")
  func killed() async throws {
    let books = try await incident()
    let before = try await books.legacyRows()
    let holder = try await books.connect()
    try await holder.perform { db in
      try db.execute(sql: "begin; lock table legacy.portfolio_snapshots in row exclusive mode")
    }
    let killed = try await books.run(["repair", "duplicates", Self.table, "--yes"]) { process in
      try await books.waitForLock()
      process.send(SIGKILL)
    }
    #expect(killed.exitCode == 137)
    try await holder.perform { db in try db.execute(sql: "rollback") }
    await holder.close()
    try await books.waitForNobody(named: "closebell/repair")
    #expect(try await books.legacyRows() == before)
    try await books.expectDone("repair", "duplicates", Self.table, "--yes")
    #expect(try await books.legacyRows().count == 9)
    #expect(
      try await books.texts("select status from closebell.batch_runs order by id")
        == ["failed", "done"])
  }

  @Test("of two repairs at once one wins, the other leaves with 75")
  func twice() async throws {
    let books = try await incident()
    let holder = try await books.connect()
    try await holder.perform { db in
      try db.execute(sql: "begin; lock table legacy.portfolio_snapshots in row exclusive mode")
    }
    let first = try await books.run(["repair", "duplicates", Self.table, "--yes"]) { _ in
      try await books.waitForLock()
      let second = try await books.run("repair", "duplicates", Self.table, "--yes")
      #expect(second.exitCode == 75)
      #expect(second.standardError.contains("another repair is at work"))
      try await holder.perform { db in try db.execute(sql: "rollback") }
    }
    await holder.close()
    #expect(first.exitCode == 0, "\(first.standardError)")
    #expect(try await books.legacyRows().count == 9)
  }

  static func path(_ name: String) throws -> String { "/tmp/closebell-plan-\(getpid())-\(name)" }
}

extension OperatorBooks {
  func texts(_ sql: String) async throws -> [String] {
    try await perform { db in
      try db.rows(Statement.once("texts", sql)) { try $0.nextString() }
    }
  }

  func legacyRows() async throws -> [String] {
    try await texts(
      "select to_jsonb(t)::text from legacy.portfolio_snapshots t order by id")
  }
}

/// A whole file as text.
func readText(_ path: String) throws -> String {
  guard let stream = fopen(path, "r") else {
    throw OperatorBooks.Unexpected(description: "no file \(path)")
  }
  defer { fclose(stream) }
  var bytes: [UInt8] = []
  while true {
    let byte = getc(stream)
    if byte == EOF { break }
    bytes.append(UInt8(truncatingIfNeeded: byte))
  }
  return String(decoding: bytes, as: UTF8.self)
}

func write(_ text: String, to path: String) throws {
  guard let stream = fopen(path, "w") else {
    throw OperatorBooks.Unexpected(description: "cannot write \(path)")
  }
  fputs(text, stream)
  fclose(stream)
}
