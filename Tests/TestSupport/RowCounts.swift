import Postgres

/// How many rows of each of Closebell's tables were read.
///
/// PostgreSQL counts a database's rows whoever reads them, so this is for a database that a test
/// has to itself, after ``TestBooks/readAlone()``: then they are those that its own sessions read.
public struct RowCounts: Sendable {
  private var counts: [String: Int64]

  /// Rows read of a table since the counting began.
  public subscript(table: String) -> Int64 { counts[table] ?? 0 }

  /// What was read between two countings.
  public static func - (later: RowCounts, earlier: RowCounts) -> RowCounts {
    RowCounts(counts: later.counts.merging(earlier.counts) { $0 - $1 })
  }

  private init(counts: [String: Int64]) { self.counts = counts }

  fileprivate init(on db: isolated Connection) throws {
    let pairs = try db.rows(Self.read) { (try $0.nextString(), try $0.nextInt64()) }
    counts = Dictionary(uniqueKeysWithValues: pairs)
  }

  private static let read = Statement(
    "rows-read",
    """
    select relname::text, seq_tup_read + coalesce(idx_tup_fetch, 0)
    from pg_catalog.pg_stat_user_tables where schemaname = 'closebell'
    """)
}

extension TestBooks {
  /// Keeps everybody but the test's own sessions away from Closebell's tables, and leaves them as
  /// they are in every run of the test: vacuumed whole, and analysed once.
  ///
  /// Whether a row is read twice hangs on both: autovacuum comes when it likes, and a page is known
  /// to be visible only if what was written on it has reached the log by then, which commits here
  /// do not wait for.
  public func readAlone() async throws {
    try await execute(
      """
      do $$ declare t text; begin
        for t in select tablename from pg_catalog.pg_tables where schemaname = 'closebell' loop
          execute pg_catalog.format(
            'alter table closebell.%I set (autovacuum_enabled = off)', t);
        end loop;
      end $$
      """)
    try await vacuum()
  }

  /// Vacuums and analyses what ``readAlone()`` keeps others from.
  public func vacuum() async throws {
    try await waitForNobody()
    // A commit that waits for the log takes along those that did not.
    try await execute(
      """
      set synchronous_commit = on;
      select pg_catalog.pg_logical_emit_message(true, 'closebell-tests', 'written so far')
      """)
    try await execute("vacuum (analyze, disable_page_skipping)")
  }

  /// The rows read so far, by sessions that have ended: each reports before it goes.
  public func rowCounts() async throws -> RowCounts {
    try await waitForNobody()
    return try await perform { db in try RowCounts(on: db) }
  }

  /// The rows that `body` reads.
  public func rowsRead(by body: () async throws -> Void) async throws -> RowCounts {
    let before = try await rowCounts()
    try await body()
    return try await rowCounts() - before
  }
}
