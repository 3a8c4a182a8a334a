import Postgres
import Problems
import Storage
import TestSupport
import Testing

/// A schema by our name that somebody else made, or something in it.
@Suite("Nothing of our name is trusted that a stranger owns") struct SchemaOwnersTests {
  /// What every command does first, and what `migrate` and `migrate --status` do.
  private static let beginnings: [@Sendable (isolated Connection) throws -> Void] = [
    { db in try Migrator.requireCurrentSchema(on: db) },
    { db in _ = try Migrator.status(on: db) },
    { db in _ = try Migrator.migrate(on: db) },
  ]

  private func expectRefused(_ world: SequenceWorld, _ says: String) async throws {
    for beginning in Self.beginnings {
      let error = await #expect(throws: SchemaError.self, "\(says)") {
        try await world.perform { db in try beginning(db) }
      }
      #expect(error.map { "\($0)" }?.contains(says) == true, "\(says): \(error as Any)")
      #expect(error?.stated.code.name == "schema_of_stranger")
    }
  }

  @Test("a schema, a table of migrations or a function made beforehand is not read, nor called")
  func beforehand() async throws {
    let world = try await SequenceWorld.made()
    try await world.makeMallory()
    let mallory = world.asRole("mallory")
    try await mallory.execute(
      """
      create schema closebell;
      create view closebell.schema_migrations as select m.evil(g) as version, 'a' as name,
        'b' as checksum, now() as applied_at from generate_series(1, 16) g;
      """)
    try await expectRefused(world, "the schema closebell belongs to \(world.database)_mallory")
    try await world.execute("alter schema closebell owner to closebell")
    try await expectRefused(world, "closebell.schema_migrations belongs to")
    try await world.execute(
      """
      drop view closebell.schema_migrations;
      grant create, usage on schema closebell to \(world.database)_mallory
      """)
    try await mallory.execute(
      """
      create function closebell.this_server(out system_identifier bigint, out timeline integer)
      language sql as 'select m.evil(1), 1'
      """)
    try await expectRefused(world, "function closebell.this_server belongs to")
    try await world.execute("drop function closebell.this_server()")
    try await mallory.execute("create sequence closebell.claim_id_seq")
    try await expectRefused(world, "closebell.claim_id_seq belongs to")
    #expect(try await world.malloryActed() == false)
    try await world.execute("drop sequence closebell.claim_id_seq")
    let steps = try await world.perform { db in try Migrator.migrate(on: db).count }
    #expect(steps == Migration.latestVersion, "a schema of a role that is trusted will do")
  }

  @Test("a view in the place of the table of migrations is not read, whoever owns it")
  func viewOfOurs() async throws {
    let world = try await SequenceWorld.made(
      """
      create schema closebell;
      create view closebell.schema_migrations as select 1 as version
      """)
    try await expectRefused(world, "closebell.schema_migrations is no table")
  }

  @Test("trusted are our role, roles it is a member of, superusers and the database's owner")
  func trusted() async throws {
    let world = try await SequenceWorld.made()
    try await world.makeRoles("keeper", "clerk")
    let (keeper, clerk) = ("\(world.database)_keeper", "\(world.database)_clerk")
    _ = try await world.asRole("keeper").perform { db in try Migrator.migrate(on: db) }
    try await world.asRole("keeper").execute(
      """
      grant usage on schema closebell to \(clerk);
      grant all on all tables in schema closebell to \(clerk);
      """)
    func begins(_ role: String?) async throws -> Bool {
      let there = role.map { world.asRole($0) } ?? world
      do {
        try await there.perform { db in try Migrator.requireCurrentSchema(on: db) }
        return true
      } catch let error as SchemaError {
        #expect("\(error)".contains("grant \(keeper) to"), "\(error)")
        return false
      }
    }
    #expect(try await begins("keeper"))
    #expect(try await begins("clerk") == false)
    #expect(try await begins(nil) == false, "a superuser is no member for it")
    try await world.makeRoles("lead")
    try await world.execute("grant \(keeper) to \(world.database)_lead with admin option")
    try await world.asRole("lead").execute("grant \(keeper) to \(clerk)")
    #expect(try await begins("clerk") == false, "nobody is asked who is made a member")
    try await world.asRole("lead").execute("revoke \(keeper) from \(clerk)")
    try await world.execute("grant \(keeper) to \(clerk)")
    #expect(try await begins("clerk"))
    try await world.execute(
      "revoke \(keeper) from \(clerk); alter database \(world.database) owner to \(keeper)")
    let both = try await [begins("clerk"), begins(nil)]
    #expect(both == [true, true])
    try await world.execute(
      "alter database \(world.database) owner to closebell; alter role \(keeper) superuser")
    #expect(try await begins("clerk"))
    try await world.execute("alter role \(keeper) nosuperuser")
  }
}
