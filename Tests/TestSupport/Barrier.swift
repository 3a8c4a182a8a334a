import Postgres

/// Holds up whoever writes to a table, until it is opened.
///
/// A trigger waits there for an advisory lock, which a session of the test's own keeps.
public struct Barrier: Sendable {
  private static let key = 4711
  private let keeper: Connection
  private let books: any TestBooks
  private let table: String

  /// A closed barrier: statements that insert into the table stand at their end.
  public init(_ books: some TestBooks, after table: String) async throws {
    self.books = books
    self.table = table
    keeper = try await books.connect()
    try await keeper.perform { db in
      try db.execute(
        sql: """
          create function public.stand() returns trigger language plpgsql as $$ begin
            perform pg_catalog.pg_advisory_xact_lock_shared(\(Self.key)); return null; end $$;
          create trigger stand after insert on closebell.\(table)
            for each statement execute function public.stand();
          select pg_catalog.pg_advisory_lock(\(Self.key))
          """)
    }
  }

  /// Waits until somebody stands here.
  public func reached() async throws {
    try await books.waitUntil(
      """
      exists (select from pg_catalog.pg_locks l
        join pg_catalog.pg_database d on d.oid = l.database
        where l.locktype = 'advisory' and l.objid = \(Self.key) and not l.granted
          and d.datname = pg_catalog.current_database())
      """)
  }

  /// Lets everybody pass from now on.
  public func open() async { await keeper.close() }

  /// Takes the trigger away.
  public func remove() async throws {
    try await books.execute("drop trigger stand on closebell.\(table)")
  }
}
