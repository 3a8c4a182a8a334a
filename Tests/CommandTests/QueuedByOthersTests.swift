import Glibc
import Postgres
import TestSupport
import Testing

/// A worker reads files and writes books with its own rights, for whom it knows and what they saw.
@Suite struct QueuedByOthersTests {
  private static let header = "id,portfolio,date,type,amount\n"
  private static let deposits = header + "1,ALPHA,2020-02-03,deposit,10\n"

  /// What may be said nowhere.
  private static let secret = "root:s3cr3t"

  /// A role that may do no more than put rows into the queue.
  private static func makeStranger(_ books: OperatorBooks) async throws -> OperatorBooks {
    let role = "\(books.database)_stranger"
    try await books.execute(
      """
      create role \(role) login;
      grant usage on schema closebell to \(role);
      grant select, insert, update on closebell.import_jobs to \(role)
      """)
    return OperatorBooks(url: books.url.replacing("user=closebell", with: "user=\(role)"))
  }

  /// Queues a file of such a text, or one that the role need not know.
  private static func queue(
    _ source: String, holding text: String? = nil, in books: OperatorBooks
  ) async throws {
    let digest = text.map { "pg_catalog.sha256(pg_catalog.convert_to('\($0)', 'UTF8'))" } ?? "null"
    try await books.execute(
      """
      insert into closebell.import_jobs (kind, source, status, is_background, queued_at, digest)
      values ('activities', '\(source)', 'queued', true, now(), \(digest))
      """)
  }

  private static func jobs(_ books: OperatorBooks) async throws -> [String] {
    try await books.perform { db in
      try db.rows(
        Statement.once(
          "jobs",
          """
          select j.status || coalesce(': ' || j.error, '') from closebell.import_jobs j
          where kind <> 'instruments' and kind <> 'portfolios' order by j.id
          """)
      ) { try $0.nextString() }
    }
  }

  @Test("what a role queues that owns nothing is neither read nor imported, and is named")
  func stranger() async throws {
    let books = try await ImportJobTests.books()
    let stranger = try await Self.makeStranger(books)
    let folder = ScratchFolder()
    let secret = try folder.file("secret", Self.secret + "\nx\n")
    let mine = try folder.file("mine.csv", Self.deposits)
    try await Self.queue(secret, in: stranger)
    try await Self.queue(mine, holding: Self.deposits, in: stranger)
    try await books.expectDone("import", "activities", mine, "--background")
    let worked = try await books.run("imports", "work")
    #expect(worked.exitCode == 0, "\(worked.standardError)")
    #expect(worked.standardOutput.contains("1 rows: 1 new"))
    let role = "\(books.database)_stranger"
    #expect(worked.standardError.contains("warning: 2 queued imports of \(role)"))
    #expect(worked.standardError.contains("closebell imports work --requested-by \(role)"))
    #expect(try await Self.jobs(books) == ["queued", "queued", "completed"])
    let job = try await books.integer(
      "select id from closebell.import_jobs where source = '\(secret)'")
    let resumed = try await books.run("imports", "resume", "\(job)")
    #expect(resumed.exitCode == 78, "\(resumed.standardError)")
    #expect(!(resumed.standardError + worked.standardError).contains(Self.secret))
    let known = try await books.run("imports", "work", "--requested-by", role)
    #expect(known.exitCode == 1, "\(known.standardError)")
    #expect(known.standardOutput.contains("1 rows: 0 new, 1 unchanged"))
    #expect(!known.standardError.contains(Self.secret), "it was queued by nobody who had read it")
    #expect(try await Self.jobs(books).allSatisfy { !$0.contains(Self.secret) })
  }

  @Test("nobody asks for an import in another's name, nor for another file than they asked for")
  func forged() async throws {
    let books = try await ImportJobTests.books()
    let stranger = try await Self.makeStranger(books)
    let folder = ScratchFolder()
    let mine = try folder.file("mine.csv", Self.deposits)
    try await books.expectDone("import", "activities", mine, "--background")
    try await books.execute("create schema evil; grant all on schema evil to public")
    for sql in [
      """
      insert into closebell.import_jobs (kind, source, status, is_background, requested_by)
      values ('activities', '/etc/shadow', 'queued', true, 'closebell')
      """,
      "update closebell.import_jobs set source = '/etc/shadow' where status = 'queued'",
      "update closebell.import_jobs set options = '{restate}' where status = 'queued'",
      "update closebell.import_jobs set kind = 'prices' where status = 'queued'",
      "update closebell.import_jobs set digest = '' where status = 'queued'",
      "update closebell.import_jobs set requested_by = null where status = 'queued'",
      """
      create function evil.same(name, name) returns boolean language sql as 'select true';
      create operator evil.= (leftarg = name, rightarg = name, function = evil.same);
      set search_path = evil, pg_catalog;
      insert into closebell.import_jobs (kind, source, status, is_background, requested_by)
      values ('activities', '/etc/shadow', 'queued', true, 'closebell')
      """,
    ] {
      let error = await #expect(throws: PostgresError.self, "\(sql)") {
        try await stranger.execute(sql)
      }
      #expect(error?.isRefusedToRole == true, "\(sql): \(error?.message ?? "")")
    }
    #expect(try await Self.jobs(books) == ["queued"])
    #expect(try await books.run("imports", "work").exitCode == 0)
    #expect(try await Self.jobs(books) == ["completed"])
    for change in ["status = 'queued'", "status = 'processing'", "is_background = false"] {
      let error = await #expect(throws: PostgresError.self, "what was done is not done again") {
        try await stranger.execute(
          "update closebell.import_jobs set \(change) where status = 'completed'")
      }
      #expect(error?.isRefusedToRole == true, "\(change)")
    }
  }

  @Test("a worker of another role takes what the owner queued, and an owner what a worker queued")
  func otherRoles() async throws {
    let books = try await ImportJobTests.books()
    try await books.makeClerk(limit: 5)
    let folder = ScratchFolder()
    let mine = try folder.file("mine.csv", Self.deposits)
    try await books.expectDone("import", "activities", mine, "--background")
    let worked = try await books.asClerk.run("imports", "work")
    #expect(worked.exitCode == 0, "\(worked.standardError)")
    try await books.asClerk.expectDone("import", "activities", mine, "--background")
    try await books.asClerk.expectDone("imports", "work")
    #expect(try await Self.jobs(books) == ["completed", "completed"])
  }

  @Test("what is not the file that was queued is refused, and nothing of it is said")
  func replaced() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    for text in [Self.secret + "\n1\n", Self.deposits + "2,ALPHA,2020-02-04,\(Self.secret),1\n"] {
      let file = try folder.file("mine.csv", Self.deposits)
      try await books.expectDone("import", "activities", file, "--background")
      try write(text, to: file)
      let worked = try await books.run("imports", "work")
      #expect(worked.exitCode == 1, "\(worked.standardError)")
      #expect(worked.standardError.contains("is not the file that was queued"))
      #expect(!worked.standardError.contains(Self.secret))
    }
    #expect(try await books.integer("select count(*) from closebell.holding_activity_log") == 0)
    #expect(try await books.integer("select count(*) from closebell.import_results") == 0)
    #expect(
      try await Self.jobs(books).allSatisfy {
        $0.hasPrefix("failed: ") && !$0.contains(Self.secret)
      })
  }

  @Test("a queued row that cannot be taken is marked as failed, and the next one is taken")
  func bad() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let file = try folder.file("mine.csv", Self.deposits)
    let pipe = "\(folder.path)/pipe"
    mkfifo(pipe, 0o600)
    symlink("/dev/zero", "\(folder.path)/zero")
    let sources = [
      "-", pipe, "\(folder.path)/zero", "/dev/zero", folder.path, "", "/nowhere/x", file,
    ]
    for source in sources {
      try await Self.queue(source, in: books)
    }
    let changes = [
      "kind = 'nonsense'", "options = '{colour=red}'", "options = '{NULL}'",
      "options = '{{restate},{restate}}'", "options = '{on-error=perhaps}'",
      "options = '{delimiter=10}'", "options = '{delimiter=34}'", "options = '{batch-size=0}'",
      "byte_offset = -5", "byte_offset = 9223372036854775807", "row_number = 9223372036854775807",
      "line_number = 9223372036854775807", "processed_count = 9223372036854775807",
      "refused_count = -9223372036854775808", "source_read = -1",
    ]
    for change in changes {
      try await books.expectDone("import", "activities", file, "--background")
      try await books.execute(
        """
        update closebell.import_jobs set \(change)
        where id = (select max(id) from closebell.import_jobs)
        """)
    }
    try await books.expectDone("import", "activities", file, "--background")
    let worked = try await books.run(["imports", "work"], timeLimit: .seconds(100))
    #expect(worked.exitCode == 1, "\(worked.standardError)")
    let jobs = try await Self.jobs(books)
    #expect(jobs.last == "completed", "\(jobs)")
    for (job, what) in zip(jobs, sources + changes) {
      #expect(job.hasPrefix("failed: "), "\(what): \(job)")
    }
    let again = try await books.run("imports", "work")
    #expect(again.standardOutput == "nothing is queued\n", "\(again.standardError)")
    for command in [["imports", "list"], ["imports", "list", "--json"]] {
      #expect(try await books.run(command).exitCode == 0, "\(command)")
    }
  }
}
