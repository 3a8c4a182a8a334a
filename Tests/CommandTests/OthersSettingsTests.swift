import Foundation
import Postgres
import TestSupport
import Testing

/// What a role, a database or the connection itself sets for a session of the program's.
@Suite("Others' settings of a session change neither a number nor a wait")
struct OthersSettingsTests {
  private static let night = ["run", "--date", "2017-06-30", "--workers", "2", "--wait", "0"]

  @Test(
    "a run on a database with settings of its own ends in the same tables",
    arguments: [
      "standard_conforming_strings = off", "transform_null_equals = on",
      "default_transaction_isolation = serializable",
      "default_transaction_isolation = 'repeatable read'", "enable_nestloop = off",
      "enable_indexscan = off", "\"TimeZone\" = 'Asia/Kathmandu'", "\"DateStyle\" = 'SQL, DMY'",
      "extra_float_digits = -15",
      "client_encoding = 'LATIN1'", "search_path = 'public, closebell'", "array_nulls = off",
    ])
  func ofADatabase(_ setting: String) async throws {
    let quiet = try await OperatorBooks.small()
    try await quiet.expectDone(Self.night)
    let books = try await OperatorBooks.small()
    try await books.execute("alter database \(books.database) set \(setting)")
    let imported = try await books.run(
      ["import", SmallWorld.files[0].kind, "-"], input: SmallWorld.files[0].csv)
    #expect(imported.exitCode == 0, "\(imported.standardError)")
    for command in [Self.night, ["verify"], ["cleanup"]] {
      let done = try await books.run(command)
      #expect(done.exitCode == 0, "\(command): \(done.standardError)")
    }
    #expect(try await books.tables() == (try await quiet.tables()))
  }

  @Test("nobody's serializable transaction is waited for, whatever a database has for a default")
  func deferrable() async throws {
    let books = try await OperatorBooks.small()
    try await books.execute(
      """
      alter database \(books.database) set default_transaction_isolation = serializable;
      alter database \(books.database) set default_transaction_deferrable = on
      """)
    let stranger = try await books.connect()
    try await stranger.perform { db in
      try db.execute(
        sql: "begin isolation level serializable, read write; select count(*) from pg_class")
    }
    for command in [["verify"], ["status"], ["repair", "equity", "--dry-run"], Self.night] {
      let done = try await books.run(command, timeLimit: .seconds(120))
      #expect([0, 1].contains(done.exitCode), "\(command): \(done.standardError)")
    }
    await stranger.close()
  }

  @Test("what the connection's options set in vain is said, with what does set it")
  func options() async throws {
    let books = try await OperatorBooks.small()
    for (conninfo, environment) in [
      (books.url + "&options=-c%20lock_timeout%3D7%20--statement-timeout%3D9", [:]),
      (books.url, ["PGOPTIONS": "-c lock_timeout=7 -cstatement_timeout=9"]),
    ] {
      let said = try await CommandRun.closebell(
        ["status", "--database", conninfo], environment: environment
      ).standardError
      for name in ["lock_timeout", "statement_timeout"] {
        let warning = "warning: \(name), set by the options of the connection, has no effect\n"
        #expect(said.contains(warning + "hint: CLOSEBELL_\(name.uppercased()) sets it"), "\(said)")
      }
    }
    let plain = try await CommandRun.closebell(
      ["status", "--database", books.url], environment: ["PGOPTIONS": "-c geqo=off"])
    #expect(plain.standardError.isEmpty, "\(plain.standardError)")
  }

  @Test("what libpq or the server does not take is a wrong configuration, and no lost server")
  func misconfigured() async throws {
    let books = try await OperatorBooks.small()
    let services = ScratchFile("[books]\nno setting\n", suffix: ".conf")
    for environment in [
      ["PGSSLMODE": "bogus"], ["PGPORT": "0"], ["PGPORT": "70000"],
      ["PGCONNECT_TIMEOUT": "abc"], ["PGTARGETSESSIONATTRS": "bogus"], ["PGSERVICE": "nobody"],
      ["PGSERVICE": "books", "PGSERVICEFILE": services.path], ["PGOPTIONS": "-c bogus=1"],
      ["PGTZ": "bogus"], ["PGOPTIONS": "-c role=nobody"],
    ] {
      let conninfo = books.url.replacing("&port=5432", with: "")
      let refused = try await CommandRun.closebell(
        ["status", "--database", conninfo], environment: environment)
      #expect(refused.exitCode == 78, "\(environment): \(refused.standardError)")
    }
  }

  @Test("books are made in UTF-8 alone, and an older book in another encoding is closed as ever")
  func encodings() async throws {
    let quiet = try await OperatorBooks.small()
    try await quiet.expectDone(Self.night)
    let books = try await OperatorBooks.small()
    for encoding in ["LATIN1", "SQL_ASCII"] {
      let name = "\(books.database)_\(encoding.lowercased())"
      try await books.execute(
        """
        create database \(name) template template0 encoding '\(encoding)' lc_collate 'C'
          lc_ctype 'C'
        """)
      let there = OperatorBooks(url: books.url.replacing("/\(books.database)?", with: "/\(name)?"))
      let refused = try await there.run("migrate")
      #expect(refused.exitCode == 78, "\(refused.standardError)")
      #expect(refused.standardError.contains("encoded in \(encoding)"), "\(refused.standardError)")
      // As an older program made it, which did not ask.
      try await there.execute("create schema closebell")
      try await there.execute(
        """
        create table closebell.schema_migrations (
          version integer not null constraint schema_migrations_key primary key,
          name text not null, checksum text not null,
          applied_at timestamptz not null default pg_catalog.clock_timestamp())
        """)
      try await there.prepareSmallWorld()
      try await there.expectDone(Self.night)
      #expect(try await there.tables() == (try await quiet.tables()))
    }
  }
}
