import Postgres
import TestSupport
import Testing

/// Sessions of others in the same database, which hold advisory locks, or tables.
@Suite struct AdvisoryLockTests {
  private static let night = ["run", "--date", "2017-06-30", "--workers", "1", "--wait", "0"]
  private static let deposit = "id,portfolio,date,type,amount\nLATE,ASH,2017-06-30,deposit,5\n"

  @Test("whoever locks numbers of their own, small or hashed, stands in nobody's way")
  func numbersOfTheirOwn() async throws {
    let books = try await OperatorBooks.small()
    let stranger = try await books.connect()
    try await stranger.perform { db in
      try db.execute(
        sql: """
          select pg_advisory_lock(n) from generate_series(1, 2000) n;
          select pg_advisory_lock(0, n), pg_advisory_lock(1, n) from generate_series(0, 200) n;
          select pg_advisory_lock(7164775598221616492), pg_advisory_lock(7164775598221616493),
            pg_advisory_lock(7166184990592262514), pg_advisory_lock(hashtext('closebell locks'), 0);
          select pg_advisory_lock(hashtext('closebell import'), hashtext('import_' || kind))
          from unnest(array['activities', 'prices', 'instruments']) kind
          """)
    }
    let atOnce = ["CLOSEBELL_LOCK_TIMEOUT": "1"]
    for (command, input) in [
      (["migrate"], ""), (["import", "activities", "-"], Self.deposit), (Self.night, ""),
      (["replay", "--from", "2017-06-30", "--to", "2017-06-30"], ""),
      (["lock", "--month", "2017-06", "--reason", "reported"], ""),
      (["repair", "equity", "--yes"], ""),
    ] {
      let done = try await books.run(command, environment: atOnce, input: input)
      #expect(done.exitCode == 0, "\(command): \(done.standardError)")
    }
    await stranger.close()
  }

  @Test("claim ids whose locks a stranger holds are passed over")
  func claims() async throws {
    let books = try await OperatorBooks.small()
    let last = try await books.count("select last_value from closebell.claim_id_seq")
    let stranger = try await books.connect()
    try await stranger.perform { db in
      try db.execute(
        sql: """
          select pg_advisory_lock('closebell.worker_lease'::regclass::oid::int, n::int),
            pg_advisory_lock('closebell.import_jobs'::regclass::oid::int, n::int)
          from generate_series(\(last), \(last) + 20) n
          """)
    }
    let imported = try await books.run(["import", "activities", "-"], input: Self.deposit)
    #expect(imported.exitCode == 0, "\(imported.standardError)")
    let done = try await books.run(Self.night)
    #expect(done.exitCode == 0, "\(done.standardError)")
    await stranger.close()
  }

  @Test("claims 2³² apart share a lock, and nobody takes one owner for the other")
  func beyondTwoToThe32() async throws {
    let books = try await OperatorBooks.small()
    try await books.execute("select setval('closebell.claim_id_seq', \(UInt32.max) - 5)")
    for date in ["2017-06-29", "2017-06-30"] {
      let killed = try await books.run(
        ["run", "--date", date, "--workers", "1"],
        environment: ["CLOSEBELL_FAULT": "populate-fill:kill"])
      #expect(killed.exitCode == 137, "\(killed.standardError)")
      // Another owner holds the lock of the same lower half.
      let claim = try await books.count("select max(claim_id) from closebell.worker_lease")
      let other = try await books.connect()
      try await other.perform { db in
        try db.execute(
          sql: """
            select pg_advisory_lock_shared('closebell.worker_lease'::regclass::oid::int,
              (\(claim) & 4294967295)::oid::int)
            """)
      }
      try await books.execute("select setval('closebell.claim_id_seq', \(claim) + 4294967290)")
      let next = try await books.run(["run", "--date", date, "--wait", "0"])
      #expect(next.exitCode == 0, "a dead owner's slots are free: \(next.standardError)")
      await other.close()
    }
    let quiet = try await OperatorBooks.small()
    try await quiet.expectDone(["run", "--date", "2017-06-29"])
    try await quiet.expectDone(["run", "--date", "2017-06-30"])
    #expect(try await books.tables() == (try await quiet.tables()))
  }

  @Test("whoever holds the lock on period locks is named, and nobody waits for it without end")
  func periodLocks() async throws {
    let books = try await OperatorBooks.small()
    let before = try await books.tables()
    try await books.makeClerk(limit: 5)
    var configuration = Configuration(
      conninfo: books.asClerk.url, applicationName: "idle hands")
    configuration.onNotice = nil
    let stranger = try await Connection.connect(configuration)
    let pid = try await stranger.perform { db in
      try db.execute(
        sql: "select pg_advisory_lock('closebell.period_locks'::regclass::oid::int, 0)")
      return try db.row(Statement.once("pid", "select pg_backend_pid()")) { try $0.nextInt32() }
    }
    for (command, input) in [
      (Self.night, ""), (["import", "activities", "-"], Self.deposit),
      (["replay", "--from", "2017-06-28", "--to", "2017-06-28"], ""),
      (["lock", "--month", "2017-05", "--reason", "reported"], ""),
    ] {
      let ended = try await books.run(
        command, environment: ["CLOSEBELL_LOCK_TIMEOUT": "1"], input: input)
      let said = ended.standardError
      #expect(ended.exitCode == 75, "\(command): \(said)")
      #expect(said.contains("session \(pid ?? 0) of role \"\(books.database)_clerk\""), "\(said)")
      #expect(said.contains("application \"idle hands\", since 20"), "\(said)")
      #expect(said.contains("pg_terminate_backend(\(pid ?? 0))"), "\(said)")
    }
    #expect(try await books.tables() == before)
    await stranger.close()
    try await books.expectDone(Self.night)
    #expect(try await books.leftovers() == [])
  }

  @Test("a prepared transaction that holds a lock of ours is named, with what ends it")
  func preparedTransaction() async throws {
    let books = try await OperatorBooks.small()
    let name = "\(books.database)'s"
    try await books.execute(
      """
      begin;
      select pg_advisory_xact_lock('closebell.period_locks'::regclass::oid::int, 0);
      prepare transaction '\(books.database)''s'
      """)
    let ended = try await books.run(
      ["lock", "--month", "2017-05", "--reason", "reported"],
      environment: ["CLOSEBELL_LOCK_TIMEOUT": "1"])
    let said = ended.standardError
    try await books.execute("rollback prepared '\(books.database)''s'")
    #expect(ended.exitCode == 75, "\(said)")
    let quoted = "'\(name.replacing("'", with: "''"))'"
    #expect(
      said.contains("prepared transaction \(quoted) of role \"closebell\", since 20"), "\(said)")
    #expect(said.contains("commit or rollback prepared \(quoted)"), "\(said)")
  }

  @Test("whoever holds a table for too long is somebody else at it: 75, and a way to find them")
  func tables() async throws {
    let books = try await OperatorBooks.small()
    let before = try await books.tables()
    for table in [
      "worker_lease", "portfolios", "pause", "schema_migrations", "portfolio_snapshots",
      "batch_runs", "input_changes", "period_locks", "prices",
    ] {
      let stranger = try await books.connect()
      try await stranger.perform { db in
        try db.execute(sql: "begin; lock table closebell.\(table) in access exclusive mode")
      }
      let ended = try await books.run(
        Self.night, environment: ["CLOSEBELL_LOCK_TIMEOUT": "100ms"])
      #expect(ended.exitCode == 75, "\(table): \(ended.standardError)")
      #expect(ended.standardError.contains("hint: "), "\(table): \(ended.standardError)")
      await stranger.close()
      #expect(try await books.tables() == before, "\(table)")
    }
    try await books.expectDone(Self.night)
  }
}
