import Postgres
import TestSupport

/// A role with rights of its own in a database of a test's own, and what it makes there.
///
/// It may connect and create schemas. Functions of its own that run with the rights of somebody
/// else draw from `m.seen`, so that they are known by it.
extension SequenceWorld {
  /// The database's name, which is in that of its roles.
  var database: String {
    let rest = conninfo.split(separator: "/").last ?? ""
    return String(rest.prefix { $0 != "?" })
  }

  /// The same database, as another role.
  func asRole(_ name: String) -> SequenceWorld {
    SequenceWorld(conninfo: conninfo.replacing("user=closebell", with: "user=\(database)_\(name)"))
  }

  /// Makes roles that may create schemas.
  func makeRoles(_ names: String...) async throws {
    for name in names {
      try await execute(
        """
        create role \(database)_\(name) login;
        grant create, temporary on database \(database) to \(database)_\(name)
        """)
    }
  }

  /// Makes the role `mallory` and its schema `m`, with functions that somebody else might run.
  func makeMallory(_ sql: String = "") async throws {
    try await makeRoles("mallory")
    try await asRole("mallory").execute(
      """
      create schema m; create sequence m.seen; grant usage on schema m to public;
      create function m.evil(i integer) returns integer language plpgsql immutable as $$ begin
        if current_user <> '\(database)_mallory' then perform nextval('m.seen'); end if;
        return i;
      end $$;
      create function m.act() returns trigger language plpgsql as $$ begin
        perform m.evil(1); return new;
      end $$;
      create type m.odd as (i bigint);
      create function m.plain(m.odd) returns bigint language plpgsql immutable as $$ begin
        return m.evil(1);
      end $$;
      create cast (m.odd as bigint) with function m.plain(m.odd) as implicit;
      \(sql)
      """)
  }

  /// Whether a function of mallory's ran with the rights of somebody else.
  func malloryActed() async throws -> Bool {
    try await integer("select is_called::integer from m.seen") == 1
  }
}
