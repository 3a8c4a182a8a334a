import Postgres
import Storage
import TestSupport
import Testing

/// `closebell sequences`, its other name, and the look that a run takes before it writes.
@Suite struct SequencesCommandTests {
  /// One table that is behind, one that is not, in a database that knows nothing of us.
  private func foreignDatabase() async throws -> OperatorBooks {
    let books = OperatorBooks(url: try await TestCluster.shared.freshDatabase())
    try await books.execute(
      """
      create schema shop;
      create table shop."Orders" (id serial primary key);
      insert into shop."Orders" values (150);
      create table shop.items (id bigserial primary key);
      insert into shop.items default values;
      """)
    return books
  }

  @Test("check, repair, check: an operator's way through a foreign database")
  func wayThrough() async throws {
    let books = try await foreignDatabase()
    let check = try await books.run("sequences", "check")
    #expect(check.exitCode == 1)
    #expect(check.standardOutput.contains(#"shop."Orders_id_seq"     1  shop."Orders".id"#))
    #expect(!check.standardOutput.contains("items"))
    #expect(check.standardOutput.hasSuffix("2 sequences, 1 unhealthy\n"))
    #expect(
      check.standardError == #"""
        error: sequence shop."Orders_id_seq": gives 1 next, and shop."Orders".id holds 150
        hint: closebell sequences repair

        """#)
    let dry = try await books.run("sequences", "repair", "--dry-run")
    #expect(dry.standardOutput == "shop.\"Orders_id_seq\": 1 → 151 (not done)\n")
    #expect(dry.exitCode == 0)
    let repair = try await books.run("repair", "sequences", "shop.\"Orders\"", "--yes")
    #expect(repair.standardOutput == "shop.\"Orders_id_seq\": 1 → 151\n")
    #expect(repair.exitCode == 0)
    let again = try await books.run("sequences", "repair")
    #expect(again.standardOutput == "nothing to do\n")
    let healthy = try await books.run("sequences", "check")
    #expect(healthy.exitCode == 0)
    #expect(healthy.standardOutput == "2 sequences, 0 unhealthy\n")
    #expect(healthy.standardError.isEmpty)
  }

  @Test("check --json has every sequence; --quiet is silent unless something is wrong")
  func json() async throws {
    let books = try await foreignDatabase()
    let json = try await books.run("sequences", "check", "--json", "shop.\"Orders\"")
    #expect(json.exitCode == 1)
    #expect(json.standardOutput.hasPrefix(#"{"healthy":false,"checked":1,"unhealthy":1,"#))
    #expect(
      json.standardOutput.contains(
        #""state":"behind","severity":"high","last_value":1,"is_called":false,"increment":1,"#
          + #""next":1,"gap":150,"#))
    #expect(
      json.standardOutput.contains(
        #"{"table":"shop.\"Orders\"","column":"id","origin":"owned","farthest":150,"#
          + #""coverage":"whole","reason":null}"#))
    let repair = try await books.run("sequences", "repair", "--json")
    #expect(
      repair.standardOutput
        == #"{"dry_run":false,"moved":1,"sequences":[{"sequence":"shop.\"Orders_id_seq\"","#
        + #""outcome":"moved","old_next":1,"new_next":151}]}"# + "\n")
    let quiet = try await books.run("sequences", "check", "--quiet")
    #expect(quiet.exitCode == 0)
    #expect(quiet.standardOutput.isEmpty && quiet.standardError.isEmpty)
  }

  @Test("what stays behind is an error with its reason; a doubt is one with --strict only")
  func refused() async throws {
    let books = try await foreignDatabase()
    try await books.execute(
      """
      drop table shop."Orders"; create table shop.small (id smallserial primary key);
      select setval('shop.small_id_seq', 32767)
      """)
    let repair = try await books.run("sequences", "repair")
    #expect(repair.exitCode == 1)
    #expect(repair.standardError.contains("shop.small_id_seq stays as it is: its range is used up"))
    try await books.execute("select setval('shop.small_id_seq', 30000)")
    let warned = try await books.run("sequences", "check")
    #expect(warned.exitCode == 0)
    #expect(warned.standardOutput.contains("%  nearly used up"))
    #expect(try await books.run("sequences", "check", "--strict").exitCode == 1)
    try await books.execute(
      "drop table shop.small; alter table shop.items alter id set default nextval("
        + "'shop.items_id_seq') * 10")
    let unchecked = try await books.run("sequences", "check")
    #expect(unchecked.exitCode == 0)
    #expect(unchecked.standardOutput.contains("shop.items.id was not looked at: its values are"))
    #expect(try await books.run("sequences", "check", "--strict").exitCode == 1)
    #expect(try await books.run("sequences", "check", "shop.none").exitCode == 65)
  }

  @Test("metrics are written whole, in Prometheus' text format")
  func metrics() async throws {
    let books = try await foreignDatabase()
    let path = "/tmp/closebell-test-\(books.url.count)-\(UInt32.random(in: 0 ... .max)).prom"
    let check = try await books.run("sequences", "check", "--quiet", "--metrics", path)
    #expect(check.exitCode == 1)
    let text = try readText(path)
    #expect(text.contains(#"closebell_sequence_healthy{sequence="shop.\"Orders_id_seq\""} 0"#))
    #expect(text.contains(#"closebell_sequence_healthy{sequence="shop.items_id_seq"} 1"#))
    #expect(text.contains(#"closebell_sequence_gap{sequence="shop.\"Orders_id_seq\""} 150"#))
    #expect(text.contains("\nclosebell_sequences_checked_timestamp_seconds 1"))
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      #expect(line.split(separator: " ").count == 2, "\(line)")
    }
    _ = try await CommandRun.run("/bin/rm", [path])
  }

  @Test("what a stranger wrote into a default is shown on one line, and commands nothing")
  func strangersWords() async throws {
    let books = try await foreignDatabase()
    try await books.execute(
      """
      create table shop.odd (id bigint
        default nextval(E'a\\x1b[2J\\nhint: drop it'::text::regclass))
      """)
    let check = try await books.run("sequences", "check", "shop.odd")
    #expect(check.exitCode == 0, "\(check.standardError)")
    #expect(!check.standardOutput.contains("\u{1B}") && !check.standardOutput.contains("\nhint"))
    #expect(check.standardOutput.contains("note: shop.odd.id was not looked at: its default looks"))
  }

  @Test("install-trigger and remove-trigger say what they did, or why not")
  func triggers() async throws {
    let books = try await foreignDatabase()
    let installed = try await books.run("sequences", "install-trigger", "shop.items")
    #expect(
      installed.standardOutput
        == "shop.items: trigger installed, keeps shop.items_id_seq ahead of id\n")
    try await books.execute("insert into shop.items values (70)")
    #expect(try await books.run("sequences", "check", "shop.items").exitCode == 0)
    let removed = try await books.run("sequences", "remove-trigger", "shop.items")
    #expect(removed.standardOutput == "shop.items: trigger removed\n")
    try await books.execute("create table shop.plain (id bigint)")
    let refused = try await books.run("sequences", "install-trigger", "shop.items", "shop.plain")
    #expect(refused.exitCode == 1)
    #expect(refused.standardError.contains("no sequence fills a column of it"))
    let left = try await books.run("sequences", "remove-trigger", "shop.items")
    #expect(left.standardOutput == "nothing to do\n", "the refusal took all of it back")
  }
}

/// The look at our own sequences with which a run begins.
@Suite struct RunStartSequenceTests {
  /// What a night and a replay moved, by name.
  private static let standing = """
    select coalesce(string_agg(schemaname || '.' || sequencename || '=' || last_value, ','
      order by sequencename), '') from pg_sequences where schemaname = 'closebell'
    """

  private func standing(_ books: OperatorBooks) async throws -> Set<Substring> {
    let text = try await books.perform { db in
      try db.row(Statement.once("standing", Self.standing)) { try $0.nextString() } ?? ""
    }
    return Set(text.split(separator: ","))
  }

  @Test("every sequence that a night, a replay or an import of activities moves is looked at")
  func listIsWhole() async throws {
    let books = try await OperatorBooks.demo()
    let before = try await standing(books)
    try await books.expectDone("run", "--date", "2017-06-30")
    try await books.execute("update closebell.prices set close = close * 1.01")
    try await books.expectDone("replay", "--from", "2017-06-29", "--to", "2017-06-30")
    let moved = try await standing(books).subtracting(before).map { entry in
      String(entry.prefix { $0 != "=" })
    }
    #expect(moved.count >= 4)
    #expect(Set(moved).subtracting(OwnSequences.names()) == [])
    for name in OwnSequences.names() {
      #expect(before.contains { $0.hasPrefix(name + "=") } || moved.contains(name), "\(name)")
    }
  }

  @Test("a run that finds its sequences set back moves them forward, and gives no id twice")
  func repairs() async throws {
    let books = try await OperatorBooks.demo()
    try await books.execute(
      """
      select setval('closebell.portfolio_fund_irr_values_id_seq', 1, false);
      select setval('closebell.portfolio_irr_values_id_seq', 1, false);
      select setval('closebell.batch_runs_id_seq', 1, false);
      select setval('closebell.claim_id_seq', 1, false);
      select setval('closebell.holding_activity_log_id_seq', 1, false);
      """)
    try await books.expectDone("run", "--date", "2017-06-30")
    let undisturbed = try await OperatorBooks.undisturbed()
    #expect(try await books.tables() == undisturbed)
    let twice = try await books.perform { db in
      try db.rows(
        Statement.once(
          "twice",
          """
          select id from closebell.portfolio_fund_irr_values group by id having count(*) > 1
          union all
          select id from closebell.portfolio_irr_values group by id having count(*) > 1
          """)
      ) { try $0.nextInt64() }
    }
    #expect(twice == [])
    #expect(try await books.run("sequences", "check", "--scan", "--quiet").exitCode == 0)
  }

  @Test("where the role may not move them the run ends with 2 before anything is written")
  func refuses() async throws {
    let books = try await OperatorBooks.demo()
    try await books.execute(
      """
      do $$ begin create role sequence_batch; exception when duplicate_object then end $$;
      grant usage on schema closebell to sequence_batch;
      grant select, insert, update, delete on all tables in schema closebell to sequence_batch;
      grant select on all sequences in schema closebell to sequence_batch;
      select setval('closebell.portfolio_irr_values_id_seq', 1, false);
      """)
    let before = try await standing(books)
    let tables = try await books.tables()
    let run = try await books.run(
      ["run", "--date", "2017-06-30"], environment: ["PGOPTIONS": "-c role=sequence_batch"])
    #expect(run.exitCode == 2)
    #expect(run.standardError.hasPrefix("error: ids that are taken already would be given"))
    #expect(run.standardError.contains("closebell.portfolio_irr_values_id_seq gives 1 next"))
    #expect(run.standardError.contains("hint: as the owner of the schema: closebell sequences"))
    #expect(try await standing(books) == before)
    #expect(try await books.tables() == tables)
    try await books.expectDone("sequences", "repair")
    try await books.expectDone("run", "--date", "2017-06-30")
  }
}
