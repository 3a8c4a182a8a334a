import Postgres

/// What was waited for and has not come to pass.
public struct InVain: Error, CustomStringConvertible {
  /// The fact, in words or in SQL.
  public let fact: String
  /// Names the fact.
  public var description: String { "waited in vain: \(fact)" }
}

/// Waits until something is so, however long a busy machine takes.
///
/// Tests wait for facts and never for a time; what a fact takes is nobody's promise. The limit is
/// for a test that would never end, which then names what it waited for; it is within the time that
/// a program is given in tests.
public func waitUntil(
  _ fact: @autoclosure @Sendable () -> String, _ isSo: () async throws -> Bool
) async throws {
  let limit = ContinuousClock.now + .seconds(270)
  while try await !isSo() {
    guard ContinuousClock.now < limit else { throw InVain(fact: fact()) }
    try await Task.sleep(for: .milliseconds(5))
  }
}

extension TestBooks {
  /// Waits until a condition is true, in SQL.
  public func waitUntil(_ condition: String) async throws {
    let query = Statement.once("wait", "select (\(condition))::int::bigint")
    let connection = try await connect()
    do {
      try await TestSupport.waitUntil(condition) {
        try await connection.perform { db in try db.row(query) { try $0.nextInt64() } } == 1
      }
    } catch {
      await connection.close()
      throw error
    }
    await connection.close()
  }

  /// SQL that is true while somebody who works on this database waits for a lock.
  public static var someoneWaits: String {
    """
    exists (select from pg_catalog.pg_stat_activity
      where datname = pg_catalog.current_database() and wait_event_type = 'Lock')
    """
  }

  /// Waits until somebody who works on this database waits for a lock.
  public func waitForLock() async throws { try await waitUntil(Self.someoneWaits) }

  /// Waits until nobody else is connected whose session has such a name, as in `like`.
  ///
  /// A session needs a moment to end once its process is gone, and so do its locks.
  public func waitForNobody(named name: String = "%") async throws {
    try await waitUntil(
      """
      not exists (select from pg_catalog.pg_stat_activity
        where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid()
          and backend_type = 'client backend' and application_name like '\(name)')
      """)
  }
}

extension TestBooks {
  /// What a stall does: the server sees every lease as ended, the owners think theirs valid.
  public func expireLeases() async throws {
    try await execute(
      "update closebell.worker_lease set lease_until = clock_timestamp() - interval '1 second'")
  }

  /// Waits until every lease has ended, by the owners' clocks too: where they are to notice it
  /// themselves.
  public func waitForEndOfLeases() async throws {
    try await waitUntil(
      "not exists (select from closebell.worker_lease where lease_until > clock_timestamp())")
  }
}

extension CommandRun.Running {
  /// Waits until it was stopped, as by SIGSTOP, or has ended.
  public func waitUntilAtRest() async throws {
    try await waitUntil("process \(processID) stops or ends") { !isAtWork }
  }
}
