import ArgumentParser
import Glibc
import Postgres
import TestSupport
import Testing

@testable import closebell

/// Whoever writes asks first whose transaction numbers count, in a database that was restored.
@Suite("Every writer settles on the epoch before it writes")
struct WriterEpochTests {
  /// A command that writes, and what it needs.
  struct Writer: Sendable, CustomTestStringConvertible {
    /// The words that name it.
    var name: String
    /// What follows them.
    var arguments: [String] = []
    var input = ""
    /// Commands, and SQL, before.
    var before: [[String]] = []
    var sql = ""

    var words: [String] { name.split(separator: " ").map(String.init) }
    var testDescription: String { ([name] + arguments).joined(separator: " ") }
  }

  private static let correction = "date,symbol,close\n2017-06-28,OAK,60.77\n"
  private static let damage = """
    update closebell.portfolio_snapshots set return_index = 2 where snapshot_date = '2017-06-28'
    """
  private static let file = ScratchFile(correction)
  private static let month = ["--month", "2017-05", "--reason", "reported"]
  private static let duplicates = """
    create schema old;
    create table old.slots (portfolio_code text, snapshot_date date, created_at timestamp,
      opening_equity numeric, closing_equity numeric, daily_pnl numeric);
    insert into old.slots values
      ('ASH', '2014-03-03', '2014-03-03 21:00', 100, 110, 10),
      ('ASH', '2014-03-03', '2014-03-03 21:05', 100, 120, 20)
    """

  static let writers = [
    Writer(name: "migrate"),
    Writer(
      name: "migrate", arguments: ["--adopt", "old.slots"],
      sql: duplicates + "; delete from old.slots where daily_pnl = 20"),
    Writer(name: "import", arguments: ["prices", "-"], input: correction),
    Writer(name: "import", arguments: ["prices", file.path, "--background"]),
    Writer(name: "imports work", before: [["import", "prices", file.path, "--background"]]),
    Writer(
      name: "imports cancel", arguments: ["8"],
      before: [["import", "prices", file.path, "--background"]]),
    Writer(
      name: "imports resume", arguments: ["8"],
      before: [["import", "prices", file.path, "--background"], ["imports", "cancel", "8"]]),
    Writer(name: "run", arguments: ["--date", "2017-06-29"]),
    Writer(
      name: "replay", arguments: ["--from", "2017-06-28", "--to", "2017-06-28"],
      before: [["run", "--date", "2017-06-29"]]),
    Writer(name: "repair duplicates", arguments: ["old.slots", "--yes"], sql: duplicates),
    Writer(name: "repair equity", arguments: ["--yes"], sql: damage),
    Writer(name: "repair equity", arguments: ["--yes"]),
    Writer(
      name: "repair undo", arguments: ["2", "--yes"],
      before: [["repair", "duplicates", "old.slots", "--yes"]], sql: duplicates),
    Writer(name: "cleanup"), Writer(name: "pause"),
    Writer(name: "resume", before: [["pause"]]),
    Writer(name: "lock", arguments: month),
    Writer(name: "unlock", arguments: month, before: [["lock"] + month]),
  ]

  /// Commands that write no row of the books: they read, they are not about a database of ours, or
  /// they work on sequences of whatever database.
  private static let others: Set<String> = [
    "postgres start", "postgres stop", "postgres status", "postgres url", "imports list",
    "imports show", "imports rejects", "verify", "repair sequences", "sequences check",
    "sequences repair", "sequences install-trigger", "sequences remove-trigger", "status", "show",
    "explain", "export", "irr",
  ]

  @Test("each command is known to write, or not to")
  func everyCommand() {
    func leaves(_ command: any ParsableCommand.Type, _ words: [String]) -> [String] {
      let under = command.configuration.subcommands
      guard !under.isEmpty else { return [words.joined(separator: " ")] }
      return under.flatMap { leaves($0, words + [$0._commandName]) }
    }
    let all = Set(leaves(Closebell.self, []))
    let known = Self.others.union(Self.writers.map(\.name))
    #expect(known == all, "\(known.symmetricDifference(all).sorted())")
    #expect(Self.others.isDisjoint(with: Self.writers.map(\.name)))
  }

  /// Books that were restored from elsewhere since they were last written.
  private static func restored(for writer: Writer) async throws -> OperatorBooks {
    let books = try await OperatorBooks.small()
    if !writer.sql.isEmpty { try await books.execute(writer.sql) }
    for arguments in writer.before { try await books.expectDone(arguments) }
    // A copy by the server is a database of its own already.
    try await books.expectDone("cleanup")
    try await books.execute("update closebell.incarnation set system_identifier = 1")
    return books
  }

  @Test("in a restored database it begins an epoch", arguments: writers)
  func begins(_ writer: Writer) async throws {
    let books = try await Self.restored(for: writer)
    let epoch = "select epoch from closebell.incarnation"
    let before = try await books.integer(epoch)
    let done = try await books.run(writer.words + writer.arguments, input: writer.input)
    #expect(done.exitCode == 0, "\(done.standardError)")
    #expect(try await books.integer(epoch) == before + 1)
  }

  @Test("where no epoch can begin it writes nothing", arguments: writers)
  func writesNothing(_ writer: Writer) async throws {
    let books = try await Self.restored(for: writer)
    try await books.execute(
      """
      create function public.refuse() returns trigger language plpgsql as
        $$ begin raise 'no epoch begins here'; end $$;
      create trigger refuse before update on closebell.incarnation
        execute function public.refuse()
      """)
    let before = try await books.everyRow()
    let refused = try await books.run(writer.words + writer.arguments, input: writer.input)
    #expect(refused.exitCode != 0)
    #expect(refused.standardError.contains("no epoch begins here"), "\(refused.standardError)")
    #expect(try await books.everyRow() == before)
  }
}

extension OperatorBooks {
  /// Every table that is no system's, with its rows.
  fileprivate func everyRow() async throws -> [String] {
    try await perform { db in
      let tables = try db.rows(
        Statement(
          "every-table",
          """
          select pg_catalog.format('%I.%I', schemaname, tablename) from pg_catalog.pg_tables
          where schemaname in ('closebell', 'old') order by 1
          """)
      ) { try $0.nextString() }
      return try tables.flatMap { table in
        try db.rows(
          .once("every-row", "select '\(table): ' || t::text from \(table) t order by 1")
        ) { try $0.nextString() }
      }
    }
  }
}
