import Postgres
import Sequences
import Storage
import TestSupport
import Testing

/// The trigger that keeps a sequence ahead of values by hand.
@Suite struct SequenceTriggerTests {
  private func world(_ sql: String, on table: String = "s.t") async throws -> SequenceWorld {
    let world = try await SequenceWorld.made("create schema s; \(sql)")
    _ = try await world.perform { db in
      try SequenceTrigger.install(on: [table], in: .everything, on: db)
    }
    return world
  }

  @Test("values by hand move the sequence at once, short ways and long ones, and never back")
  func byHand() async throws {
    let world = try await world("create table s.t (id serial primary key, x integer)")
    for (sql, next) in [
      ("insert into s.t values (5), (3)", 6), ("insert into s.t (x) values (1)", 7),
      ("insert into s.t values (2)", 7), ("insert into s.t values (2000000000)", 2_000_000_001),
      ("insert into s.t select g from generate_series(100, 200) g", 2_000_000_001),
      ("insert into s.t values (5) on conflict do nothing", 2_000_000_001),
      ("insert into s.t select 1 where false", 2_000_000_001),
    ] as [(String, Int64)] {
      try await world.execute(sql)
      #expect(try await world.next("s.t_id_seq") == next, "\(sql)")
    }
  }

  @Test("a COPY fires it too")
  func byCopy() async throws {
    let world = try await world("create table s.t (id bigint generated always as identity)")
    try await world.perform { db in
      _ = try db.copyIn("copy", "copy s.t (id) from stdin (format binary)") { rows in
        for id in [40, 41, 700] as [Int64] {
          rows.beginRow(1)
          rows.write(int64: id)
        }
      }
    }
    #expect(try await world.next("s.t_id_seq") == 701)
  }

  @Test("identity, partitioned, shared, descending, stepped and oddly named")
  func shapes() async throws {
    for (sql, table, insert, sequence, next) in [
      (
        "create table s.t (id integer generated always as identity primary key)", "s.t",
        "insert into s.t overriding system value values (8)", "s.t_id_seq", 9
      ),
      (
        "create table s.t (id bigserial, d integer, primary key (id, d)) partition by list (d);"
          + "create table s.t1 partition of s.t for values in (1)", "s.t",
        "insert into s.t values (8, 1)", "s.t_id_seq", 9
      ),
      (
        "create sequence s.q; create table s.t (id bigint default nextval('s.q'));"
          + "create table s.u (id bigint default nextval('s.q'))", "s.u",
        "insert into s.u values (8)", "s.q", 9
      ),
      (
        "create sequence s.q increment -3; create table s.t (id bigint default nextval('s.q'))",
        "s.t", "insert into s.t values (-8)", "s.q", -10
      ),
      (
        "create sequence s.q increment 10 cache 3; create table s.t (id bigint default "
          + "nextval('s.q'))", "s.t", "insert into s.t values (25)", "s.q", 31
      ),
      (
        #"create table s."T ""'x" ("I d" smallserial primary key)"#, #"s."T ""'x""#,
        #"insert into s."T ""'x" values (8)"#, #"s."T ""'x_I d_seq""#, 9
      ),
    ] as [(String, String, String, String, Int64)] {
      let world = try await world(sql, on: table)
      try await world.execute(insert)
      #expect(try await world.next(sequence) == next, "\(sql)")
      #expect(try await world.check([table]).map(\.state) == [.healthy], "\(sql)")
    }
  }

  @Test("at the range's end an insert by hand succeeds, and the sequence stays")
  func end() async throws {
    let world = try await world(
      "create table s.t (id smallserial primary key, x integer); insert into s.t (x) values (1)")
    try await world.execute("insert into s.t values (32767)")
    #expect(try await world.next("s.t_id_seq") == 2)
    let wide = try await self.world(
      "create sequence s.q maxvalue 100; create table s.t (id bigint default nextval('s.q'))")
    try await wide.execute("insert into s.t values (9223372036854775807)")
    #expect(try await wide.next("s.q") == 1)
  }

  @Test("refused with the reason where it cannot stand or would be wrong")
  func refused() async throws {
    let world = try await SequenceWorld.made(
      """
      create schema s; create sequence s.q; create sequence s.c cycle;
      create table s.plain (id bigint primary key);
      create table s.computed (id bigint default nextval('s.q') * 2);
      create table s.words (id text default 'A' || nextval('s.q'));
      create table s.round (id bigint default nextval('s.c'));
      create view s.view as select * from s.plain;
      alter view s.view alter id set default nextval('s.q');
      create foreign data wrapper nowhere; create server nowhere foreign data wrapper nowhere;
      create foreign table s.far (id bigint default nextval('s.q')) server nowhere;
      """)
    for (table, reason) in [
      ("s.plain", "no sequence"), ("s.computed", "computed"), ("s.words", "whole numbers"),
      ("s.round", "cycles"), ("s.view", "view"), ("s.far", "foreign"),
    ] {
      let error = await #expect(throws: SequenceError.self) {
        _ = try await world.perform { db in
          try SequenceTrigger.install(on: [table], in: .everything, on: db)
        }
      }
      #expect(error.map { "\($0)" }?.contains(reason) == true, "\(table)")
    }
    #expect(try await world.integer("select count(*) from pg_trigger") == 0)
  }

  @Test("a table that Citus distributes is refused")
  func distributed() async throws {
    // The catalogue by which Citus says so; the extension itself is not needed to ask it.
    let world = try await SequenceWorld.made(
      """
      set allow_system_table_mods = on;
      create table pg_catalog.pg_dist_partition (logicalrelid regclass);
      create table public.t (id bigserial primary key); create table public.u (id bigserial);
      insert into pg_dist_partition values ('public.t');
      """)
    let error = await #expect(throws: SequenceError.self) {
      _ = try await world.perform { db in
        try SequenceTrigger.install(on: ["public.t"], in: .everything, on: db)
      }
    }
    #expect(error.map { "\($0)" }?.contains("distributed") == true)
    _ = try await world.perform { db in
      try SequenceTrigger.install(on: ["public.u"], in: .everything, on: db)
    }
  }

  @Test("installed twice there is one; removed, nothing is left of it")
  func twice() async throws {
    let world = try await world("create table s.t (id bigserial primary key)")
    _ = try await world.perform { db in
      try SequenceTrigger.install(on: ["s.t"], in: .everything, on: db)
    }
    let triggers = "select count(*) from pg_trigger where not tgisinternal"
    let functions = "select count(*) from pg_proc where proname like 'closebell%'"
    #expect(try await world.integer(triggers) == 1)
    #expect(try await world.integer(functions) == 1)
    let taken = try await world.perform { db in try SequenceTrigger.remove(from: ["s.t"], on: db) }
    #expect(taken.map(\.table) == ["s.t"])
    #expect(try await world.integer(triggers) == 0)
    #expect(try await world.integer(functions) == 0)
    let again = try await world.perform { db in try SequenceTrigger.remove(from: ["s.t"], on: db) }
    #expect(again.isEmpty)
  }

  @Test("who may insert needs no right on the sequence, and no schema of theirs gets in between")
  func definer() async throws {
    let world = try await world(
      """
      create table s.t (id bigserial primary key);
      do $$ begin create role sequence_clerk; exception when duplicate_object then end $$;
      grant usage on schema s to sequence_clerk; grant insert on s.t to sequence_clerk;
      create schema evil authorization sequence_clerk;
      create function evil.nextval(regclass) returns bigint language sql as 'select 1/0::bigint';
      create function evil.max(bigint) returns bigint language sql as 'select 1/0::bigint';
      """)
    try await world.execute(
      "set role sequence_clerk; set search_path = evil, pg_catalog; insert into s.t values (30)")
    #expect(try await world.next("s.t_id_seq") == 31)
    let open = """
      select count(*) from pg_proc p where p.proname like 'closebell%'
        and (not p.prosecdef or p.proconfig is distinct from
          array['search_path=pg_catalog, pg_temp']
          or has_function_privilege('sequence_clerk', p.oid, 'execute'))
      """
    #expect(try await world.integer(open) == 0)
  }

  @Test("it moves before its row is committed, so nobody draws that value; a rollback leaves a gap")
  func uncommitted() async throws {
    let world = try await world("create table s.t (id bigserial primary key, x integer)")
    let writer = try await world.connect()
    try await writer.perform { db in
      try db.execute(sql: "begin")
      try db.execute(sql: "insert into s.t values (5)")
    }
    try await world.execute("insert into s.t (x) values (1), (2)")
    #expect(try await world.integer("select min(id) from s.t") == 6)
    try await writer.perform { db in try db.execute(sql: "rollback") }
    #expect(try await world.next("s.t_id_seq") == 8)
    #expect(try await world.check().map(\.state) == [.healthy])
    await writer.close()
  }

  @Test("a sequence that was renamed fails no insert")
  func renamed() async throws {
    let world = try await world("create table s.t (id bigserial primary key)")
    try await world.execute("alter sequence s.t_id_seq rename to other")
    try await world.execute("insert into s.t values (30)")
    #expect(try await world.next("s.other") == 1)
    _ = try await world.perform { db in
      try SequenceTrigger.install(on: ["s.t"], in: .everything, on: db)
    }
    try await world.execute("insert into s.t values (31)")
    #expect(try await world.next("s.other") == 32)
  }
}
