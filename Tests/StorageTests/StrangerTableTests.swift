import Postgres
import Problems
import Sequences
import Storage
import TestSupport
import Testing

/// Tables of others on the same server: what their owners attached to them is never run for them.
@Suite("A stranger's table is not read, and moves nothing") struct StrangerTableTests {
  private func reasons(_ healths: [SequenceHealth], _ name: String) -> [String] {
    let health = healths.first { $0.sequence.name == name }
    return (health?.readings ?? []).compactMap { reading in
      if case .none(let why) = reading.coverage { why } else { nil }
    }
  }

  @Test("no function of a table's owner runs while it is looked at, wherever he put it")
  func owners() async throws {
    let world = try await SequenceWorld.made()
    try await world.makeMallory(
      """
      create table m.indexed (id bigserial primary key, x integer);
      insert into m.indexed values (50, 1);
      create index on m.indexed ((m.evil(1) + x));
      create table m.plain (id bigserial primary key); insert into m.plain values (50);
      create table m.part (id bigint not null, x integer);
      create index on m.part ((m.evil(1) + x));
      create sequence m.q;
      """)
    try await world.execute(
      """
      create schema s;
      create table m.ours (id bigserial primary key); insert into m.ours values (50);
      create table s.whole (id bigserial, x integer) partition by range (id);
      create table s.drawn (id bigint primary key default nextval('m.q'));
      insert into s.drawn values (50);
      create table s.good (id bigserial primary key); insert into s.good values (50);
      alter table s.whole owner to \(world.database)_mallory;
      alter schema s owner to \(world.database)_mallory;
      """)
    try await world.asRole("mallory").execute(
      "alter table s.whole attach partition m.part for values from (1) to (100)")
    try await world.execute(
      "alter table s.whole owner to closebell; alter schema s owner to closebell")
    let healths = try await world.check()
    for (name, says) in [
      ("m.indexed_id_seq", "its schema belongs to"), ("m.plain_id_seq", "its schema belongs to"),
      ("m.ours_id_seq", "its schema belongs to"), ("s.whole_id_seq", "its part m.part belongs to"),
      ("m.q", "m.q: its schema belongs to"),
    ] {
      let why = reasons(healths, name)
      #expect(why.count == 1 && why[0].contains(says), "\(name): \(why)")
      #expect(why.first?.contains("_mallory") == true, "\(name): \(why)")
    }
    #expect(healths.first { $0.sequence.name == "s.good_id_seq" }?.gap == 50)
    let outcomes = try await world.repair().map(\.text)
    #expect(outcomes.count { $0 == "1 → 51" } == 1, "\(outcomes)")
    #expect(try await world.malloryActed() == false)
    let own = try await world.asRole("mallory").check(["m.plain"])
    #expect(own.first?.gap == 50, "its owner may")
    try await world.makeRoles("joe")
    let asJoe = world.asRole("joe")
    try await world.execute("grant select on all tables in schema m to \(world.database)_joe")
    try await world.execute("grant select on all sequences in schema m to \(world.database)_joe")
    #expect(reasons(try await asJoe.check(["m.plain"]), "m.plain_id_seq").count == 1)
    try await world.execute("grant \(world.database)_mallory to \(world.database)_joe")
    #expect(try await asJoe.check(["m.plain"]).first?.gap == 50, "so may a member of his role")
  }

  @Test("a table that was replaced after it was found is not read in the other's place")
  func replaced() async throws {
    let world = try await SequenceWorld.made(
      """
      create schema s; create sequence s.q;
      create table s.t (id bigint primary key default nextval('s.q'));
      """)
    try await world.makeMallory()
    let sequences = try await world.perform { db in
      try SequenceCatalogue.find(in: .everything, on: db)
    }
    try await world.execute(
      """
      drop table s.t;
      create view s.t as select m.evil(g)::bigint as id from generate_series(1, 9) g
      """
    )
    let healths = try await world.perform { db in try SequenceReader.check(sequences, on: db) }
    #expect(reasons(healths, "s.q") == ["it was replaced meanwhile"])
    #expect(try await world.malloryActed() == false)
  }

  @Test("Closebell's sequences are moved by Closebell's tables alone, whoever draws from them")
  func ownSequences() async throws {
    let world = try await SequenceWorld.books()
    try await world.execute(
      """
      create table public.claims (claim_id bigint primary key
        default nextval('closebell.claim_id_seq'));
      insert into public.claims values (9223372036854775807);
      create table public.runs (like closebell.batch_runs including all);
      create table public.named (
        id bigint default nextval('closebell.batch_runs_id_seq'::text::regclass));
      insert into public.named values (9223372036854775807);
      """)
    let healths = try await world.check()
    for name in ["closebell.claim_id_seq", "closebell.batch_runs_id_seq"] {
      let health = try #require(healths.first { $0.sequence.name == name })
      #expect(health.state == .healthy, "\(name)")
      #expect(health.sequence.users.allSatisfy { $0.table.hasPrefix("closebell.") }, "\(name)")
      #expect(try await world.next(name) == 1)
    }
    #expect(try await world.repair().allSatisfy { $0.text == "nothing" })
    #expect(try await world.next("closebell.claim_id_seq") == 1)
  }

  @Test("defaults that look for what is no name are listed, and stop neither a check nor a run")
  func impossibleDefaults() async throws {
    let world = try await SequenceWorld.books()
    let impossible = [
      "a.b.c.d", "\"x", "nowhere.q", "lonely", "other.closebell.claim_id_seq", "it''s.q",
    ]
    for (number, name) in impossible.enumerated() {
      try await world.execute(
        "create table public.t\(number) (id bigint default nextval('\(name)'::text::regclass))")
    }
    try await world.execute(
      """
      create schema "S"; create sequence "S"."q'q";
      create table public.fine (id bigint primary key
        default nextval('"S"."q''q"'::text::regclass));
      insert into public.fine values (7);
      create schema hidden; create sequence hidden.q;
      create table public.hidden (id bigint default nextval('hidden.q'::text::regclass));
      insert into closebell.portfolios (code, name, base_currency, inception_date)
      values ('A', 'A', 'USD', '2020-01-01');
      select setval('closebell.portfolios_id_seq', 1, false);
      """)
    let other = try await world.connect()
    try await other.perform { db in
      try db.execute(
        sql: "create temp table t (id bigint default nextval('a.b.c.d'::text::regclass))")
    }
    let (healths, unresolved, moved) = try await world.perform { db in
      (
        try SequenceReader.check(
          SequenceCatalogue.find(in: .everything, on: db), on: db),
        try SequenceCatalogue.unresolved(in: .everything, on: db),
        try OwnSequences.keepAhead(for: .imports, on: db)
      )
    }
    #expect(unresolved.map(\.table) == impossible.indices.map { "public.t\($0)" })
    #expect(unresolved.first?.reason.contains("'a.b.c.d'") == true)
    #expect(healths.first { $0.sequence.name == #""S"."q'q""# }?.gap == 7)
    #expect(moved == ["closebell.portfolios_id_seq"])
    await other.close()
    try await world.makeRoles("joe")
    #expect(try await world.asRole("joe").check().contains { $0.sequence.name == "hidden.q" })
  }

  @Test("no trigger is put where a stranger's code could run with the rights of who puts it")
  func triggers() async throws {
    let world = try await SequenceWorld.made(
      """
      create schema s; create table s.t (id bigserial primary key);
      create table s.u (id bigserial primary key);
      """)
    try await world.makeMallory(
      "create table m.t (id bigserial primary key); create sequence m.q;")
    try await world.execute(
      """
      create table s.drawn (id bigint default nextval('m.q'));
      grant create on schema s to \(world.database)_mallory;
      """)
    let name = try await world.perform { db in
      try db.row(
        Statement.once("name", "select 'closebell_sequence_ahead_' || left(md5('t.id'), 12)")
      ) { try $0.nextString() } ?? ""
    }
    try await world.asRole("mallory").execute(
      "create function s.\(name)() returns trigger language plpgsql as 'begin return null; end'")
    for (table, says) in [
      ("m.t", "its schema belongs to"), ("s.drawn", "m.q: its schema belongs to"),
      ("s.t", "its function would be s.\(name)(), and belongs to"),
    ] {
      let error = await #expect(throws: SequenceError.self) {
        _ = try await world.perform { db in
          try SequenceTrigger.install(on: [table], in: .everything, on: db)
        }
      }
      #expect(error.map { "\($0)" }?.contains(says) == true, "\(table): \(error as Any)")
    }
    _ = try await world.perform { db in
      try SequenceTrigger.install(on: ["s.u"], in: .everything, on: db)
    }
    try await world.execute(
      """
      alter table s.u alter id drop default, drop constraint u_pkey;
      alter table s.u alter id type m.odd using row(id)::m.odd;
      grant usage on schema s to \(world.database)_mallory;
      grant insert on s.u to \(world.database)_mallory;
      """)
    try await world.asRole("mallory").execute("insert into s.u values (row(7)::m.odd)")
    #expect(try await world.malloryActed() == false, "a column of another type is not cast")
  }

  @Test("a table of an earlier system is read as the one that was found, and as nobody else's")
  func legacyTables() async throws {
    let world = try await SequenceWorld.books()
    let columns = """
      portfolio_code text, snapshot_date date, created_at timestamptz, closing_equity numeric
      """
    try await world.makeMallory("create table m.old (\(columns));")
    try await world.execute(
      """
      create schema s; create table s.old (\(columns));
      create table s.typed (\(columns), o m.odd[]);
      create table s.watched (\(columns));
      grant usage on schema s to \(world.database)_mallory;
      grant trigger on s.watched to \(world.database)_mallory;
      """)
    try await world.asRole("mallory").execute(
      "create trigger t after delete on s.watched for each row execute function m.act()")
    for (name, says) in [
      ("m.old", "its schema belongs to"), ("s.typed", "its column o is of the type m.odd[] of"),
      ("s.watched", "its trigger t calls m.act() of"),
    ] {
      let error = await #expect(throws: LegacyTableError.self) {
        _ = try await world.perform { db in try LegacyTable.find(name, on: db) }
      }
      #expect(error.map { "\($0)" }?.contains(says) == true, "\(name): \(error as Any)")
      #expect(error?.stated.code.kind == .configuration)
    }
    let table = try await world.perform { db in try LegacyTable.find("s.old", on: db) }
    try await world.perform { db in try db.transaction { db in try table.hold(on: db) } }
    for change in [
      "alter table s.old add o m.odd",
      "drop table s.old; create view s.old as select * from m.old",
    ] {
      try await world.execute(change)
      await #expect(throws: LegacyTableError.self, "\(change)") {
        try await world.perform { db in try db.transaction { db in try table.hold(on: db) } }
      }
    }
    #expect(try await world.malloryActed() == false)
  }
}
