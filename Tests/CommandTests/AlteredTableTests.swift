import Postgres
import TestSupport
import Testing

/// Triggers, rules and views that others put between a statement and its table.
@Suite struct AlteredTableTests {
  private static let night = ["run", "--date", "2017-06-30", "--workers", "1", "--wait", "0"]
  private static let eater = """
    create function public.eat() returns trigger language plpgsql as 'begin return null; end'
    """

  @Test("a trigger that may drop or change rows is refused with 78, whichever table has it")
  func everyTable() async throws {
    let books = try await OperatorBooks.small()
    try await books.execute(Self.eater)
    let before = try await books.tables()
    for table in try await books.tableNames() {
      try await books.execute(
        """
        create trigger eats before insert or update or delete on closebell.\(table)
        for each row execute function public.eat()
        """)
      let refused = try await books.run(Self.night)
      #expect(refused.exitCode == 78, "\(table): \(refused.standardError)")
      #expect(
        refused.standardError.contains("closebell.\(table) has the trigger eats"),
        "\(refused.standardError)")
      try await books.execute("drop trigger eats on closebell.\(table)")
      #expect(try await books.tables() == before, "\(table)")
    }
    try await books.expectDone(Self.night)
  }

  @Test("nor is anything imported, replayed, locked or taken back there")
  func everyWriter() async throws {
    let books = try await OperatorBooks.small()
    try await books.execute(
      """
      \(Self.eater);
      create trigger eats before insert on closebell.prices for each row
      execute function public.eat()
      """)
    for command in [
      ["import", "prices", "-"], ["imports", "cancel", "1"], ["cleanup"], ["pause"],
      ["replay", "--from", "2017-06-28", "--to", "2017-06-28"],
      ["lock", "--month", "2017-05", "--reason", "reported"],
      ["unlock", "--month", "2017-05", "--reason", "early"],
    ] {
      let refused = try await books.run(
        command, input: "date,symbol,close\n2017-06-30,OAK,31.5\n")
      #expect(refused.exitCode == 78, "\(command): \(refused.standardError)")
      #expect(refused.standardError.contains("closebell.prices has the trigger eats"))
    }
    for command in [["status"], ["verify"], ["show", "ASH", "--date", "2017-06-28"]] {
      let done = try await books.run(command)
      #expect(done.exitCode == 0, "what reads goes on: \(command) \(done.standardError)")
    }
  }

  @Test("a view or a rule in a table's place is refused; what runs after a row is not")
  func otherKinds() async throws {
    let books = try await OperatorBooks.small()
    for (change, objection, back) in [
      (
        """
        alter table closebell.prices rename to prices_of_old;
        create view closebell.prices as
          select instrument_id, price_date, close * 2 as close from closebell.prices_of_old
        """, "closebell.prices is no table any more",
        "drop view closebell.prices; alter table closebell.prices_of_old rename to prices"
      ),
      (
        "create rule forget as on insert to closebell.input_changes do instead nothing",
        "closebell.input_changes has the rule forget",
        "drop rule forget on closebell.input_changes"
      ),
    ] {
      try await books.execute(change)
      let refused = try await books.run(Self.night)
      #expect(refused.exitCode == 78, "\(change): \(refused.standardError)")
      #expect(refused.standardError.contains(objection), "\(refused.standardError)")
      try await books.execute(back)
    }
    try await books.execute(
      """
      \(Self.eater);
      create trigger audits after insert on closebell.prices for each row
      execute function public.eat();
      create trigger sleeps before insert on closebell.prices for each row
      execute function public.eat();
      alter table closebell.prices disable trigger sleeps
      """)
    try await books.expectDone(Self.night)
  }

  @Test("nor does a trigger run a stranger's function with our rights, before a row or after it")
  func strangersTrigger() async throws {
    let books = try await OperatorBooks.small()
    let mallory = "\(books.database)_mallory"
    try await books.execute(
      """
      create role \(mallory) login; create schema theirs authorization \(mallory);
      set role \(mallory);
      create function theirs.act() returns trigger language plpgsql as 'begin return null; end';
      reset role;
      create trigger acts after insert on closebell.prices for each row
      execute function theirs.act()
      """)
    let refused = try await books.run(Self.night)
    #expect(refused.exitCode == 78, "\(refused.standardError)")
    #expect(
      refused.standardError.contains(
        "closebell.prices: its trigger acts calls theirs.act() of \(mallory)"),
      "\(refused.standardError)")
    try await books.execute("alter function theirs.act() owner to closebell")
    try await books.expectDone(Self.night)
  }

  @Test("a schema that a stranger made by our name ends every command with 78 and his name")
  func strangersSchema() async throws {
    let books = OperatorBooks(url: try await TestCluster.shared.freshDatabase())
    let mallory = "\(books.database)_mallory"
    try await books.execute(
      "create role \(mallory) login; create schema closebell authorization \(mallory)")
    for command in [["migrate"], ["migrate", "--status"], ["status"], Self.night, ["cleanup"]] {
      let refused = try await books.run(command)
      #expect(refused.exitCode == 78, "\(command): \(refused.standardError)")
      #expect(
        refused.standardError.hasPrefix("error: the schema closebell belongs to \(mallory)"),
        "\(refused.standardError)")
      #expect(refused.standardError.contains("hint: nothing was read of it; if \(mallory) keeps"))
    }
    try await books.execute("drop schema closebell")
    try await books.expectDone(["migrate"])
  }
}
