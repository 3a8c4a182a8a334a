import Postgres
import TestSupport
import Testing

/// Tables of earlier systems as they come: odd names, views, missing columns and rights.
@Suite struct LegacyTableTests {
  private func books(_ sql: String) async throws -> OperatorBooks {
    let books = try await OperatorBooks.empty()
    try await books.execute(sql)
    return books
  }

  @Test("names and columns in mixed case, and a schema with a blank, are quoted right")
  func mixedCase() async throws {
    let books = try await books(
      """
      create schema "Old Books";
      create table "Old Books"."Portfolio""Snapshots" ("portfolioId" integer, "Snapshot_Date" date,
        "createdAt" timestamp, "netAssetValue" double precision, "dailyPnl" double precision);
      insert into "Old Books"."Portfolio""Snapshots" values
        (7, '2014-03-03', '2014-03-03 21:00', 100.1, 0.1),
        (7, '2014-03-04', '2014-03-04 21:00', 100.3, 0.2),
        (7, '2014-03-04', '2014-03-04 21:20', 100.5, 0.2)
      """)
    let name = "\"Old Books\".\"Portfolio\"\"Snapshots\""
    let unquoted = try await books.run("repair", "duplicates", "public.PORTFOLIO_SNAPSHOTS")
    #expect(unquoted.exitCode == 65)
    try await books.expectDone("repair", "duplicates", name, "--yes")
    let left = try await books.texts(
      "select \"netAssetValue\"::text from \(name) order by \"Snapshot_Date\"")
    #expect(left == ["100.1", "100.3"])
    try await books.expectDone("migrate", "--adopt", name)
    try await books.expectDone("migrate", "--adopt", name)
  }

  @Test("a name that is not quoted enough is answered with the one that is there")
  func unquoted() async throws {
    let books = try await books("create table public.\"PortfolioSnapshots\" (snapshot_date date)")
    let result = try await books.run("repair", "duplicates", "public.PortfolioSnapshots")
    #expect(result.exitCode == 65)
    #expect(result.standardError.contains("public.\"PortfolioSnapshots\""))
  }

  @Test("what is no name of a table at all is answered as one that is not there")
  func noNames() async throws {
    let books = try await OperatorBooks.empty()
    for bad in ["a.b.c.d", "a b", "no\"quote", "1", ".", "a..b", ""] {
      for command in [["repair", "duplicates", bad], ["migrate", "--adopt", bad]] {
        let refused = try await books.run(command)
        #expect(refused.exitCode == 65, "\(command): \(refused.standardError)")
        #expect(
          refused.standardError.hasPrefix("error: there is no table \(bad)\n"),
          "\(command): \(refused.standardError)")
      }
    }
  }

  @Test("a view is refused by what it is, and a table without the columns by what is there")
  func wrongTables() async throws {
    let books = try await books(
      """
      create view public.shown as select 1 as portfolio_id, date '2014-03-04' as snapshot_date;
      create table public.few (portfolio_id integer, snapshot_date text, equity money)
      """)
    let view = try await books.run("migrate", "--adopt", "public.shown")
    #expect(view.exitCode == 65)
    #expect(view.standardError.contains("public.shown is a view"))
    let few = try await books.run("migrate", "--adopt", "public.few")
    #expect(few.exitCode == 65)
    for says in [
      "no column created_at", "snapshot_date is text", "no column closing_equity",
      "detail: there is portfolio_id integer, snapshot_date text, equity money",
    ] {
      #expect(few.standardError.contains(says), "\(few.standardError)")
    }
  }

  @Test("without a table the only one that looks right is meant; of several none is guessed")
  func noName() async throws {
    let columns =
      "(portfolio_id integer, snapshot_date date, created_at timestamptz, "
      + "closing_equity numeric)"
    let books = try await books("create table public.first \(columns)")
    let one = try await books.run("repair", "duplicates")
    #expect(one.exitCode == 0)
    #expect(one.standardOutput.contains("public.first"))
    try await books.execute("create table public.second \(columns)")
    let two = try await books.run("repair", "duplicates")
    #expect(two.exitCode == 65)
    #expect(two.standardError.contains("public.first"))
    #expect(two.standardError.contains("public.second"))
  }

  @Test("who may not delete is told so, and nothing is done")
  func rights() async throws {
    let books = try await books(
      """
      \(try readText(Fixtures.path("incident/legacy.sql")));
      do $$ begin
        create role legacy_reader login;
      exception when duplicate_object then null; end $$;
      grant usage on schema closebell, legacy to legacy_reader;
      grant all on all tables in schema closebell to legacy_reader;
      grant all on all sequences in schema closebell to legacy_reader;
      """)
    let reader = OperatorBooks(url: books.url + "&user=legacy_reader")
    let blind = try await reader.run(
      "repair", "duplicates", "legacy.portfolio_snapshots", "--yes")
    #expect(blind.exitCode == 78, "\(blind.standardError)")
    #expect(blind.standardError.contains("select"))
    try await books.execute("grant select on legacy.portfolio_snapshots to legacy_reader")
    let refused = try await reader.run(
      "repair", "duplicates", "legacy.portfolio_snapshots", "--yes")
    #expect(refused.exitCode == 78, "\(refused.standardError)")
    #expect(refused.standardError.contains("delete"))
    #expect(try await books.legacyRows().count == 16)
  }

  @Test("rows that hang on a removed one by a cascading key are not lost with it")
  func cascade() async throws {
    let books = try await books(
      """
      \(try readText(Fixtures.path("incident/legacy.sql")));
      create table legacy.irr (snapshot_id bigint references legacy.portfolio_snapshots
        on delete cascade);
      insert into legacy.irr select id from legacy.portfolio_snapshots;
      """)
    let refused = try await books.run(
      "repair", "duplicates", "legacy.portfolio_snapshots", "--yes")
    #expect(refused.exitCode == 65)
    #expect(refused.standardError.contains("legacy.irr"))
    #expect(try await books.legacyRows().count == 16)
  }

  @Test("the equity of our own close decides, where we closed the date")
  func ownClose() async throws {
    let books = try await OperatorBooks.incident()
    try await books.execute(
      """
      create table public.navs (portfolio_code text, snapshot_date date, created_at timestamptz,
        net_asset_value numeric(14, 2));
      insert into public.navs values
        ('GULL', '2014-03-04', '2014-03-04 21:30Z', 3650000),
        ('GULL', '2014-03-04', '2014-03-04 21:44Z', -1625000),
        ('GULL', '2014-03-04', '2014-03-04 21:57Z', 14200000),
        ('HERON', '2014-03-05', '2014-03-04 21:30Z', 1), ('HERON', '2014-03-05', now(), 2)
      """)
    try await books.expectDone("repair", "duplicates", "public.navs", "--yes")
    #expect(
      try await books.texts("select net_asset_value::text from public.navs order by 1")
        == ["-1625000.00", "1.00"])
    let adopted = try await books.run("migrate", "--adopt", "public.navs")
    #expect(adopted.standardOutput.contains("1 of them stale"))
    #expect(adopted.standardOutput.contains("1 equal, 1 different"))
  }

  @Test("a partitioned table is repaired, undone and adopted like any other")
  func partitioned() async throws {
    let books = try await books(
      """
      create table public.parts (portfolio_id integer, snapshot_date date, created_at timestamptz,
        closing_equity numeric, opening_equity numeric) partition by range (snapshot_date);
      create table public.march partition of public.parts for values from ('2014-03-01')
        to ('2014-04-01');
      create table public.april partition of public.parts for values from ('2014-04-01')
        to ('2014-05-01');
      insert into public.parts values (1, '2014-03-31', '2014-03-31', 10, 0),
        (1, '2014-04-01', '2014-04-01', 12, 10), (1, '2014-04-01', '2014-04-02', 14, 12)
      """)
    try await books.expectDone("repair", "duplicates", "public.parts", "--yes")
    let count = "select count(*)::text from public.parts"
    #expect(try await books.texts(count) == ["2"])
    try await books.expectDone("repair", "undo", "1", "--yes")
    #expect(try await books.texts(count) == ["3"])
    try await books.expectDone("repair", "duplicates", "public.parts", "--yes")
    try await books.expectDone("migrate", "--adopt", "public.parts")
  }
}
