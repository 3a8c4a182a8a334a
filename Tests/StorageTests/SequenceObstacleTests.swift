import Postgres
import Sequences
import Storage
import TestSupport
import Testing

/// What keeps one table from being read keeps no other from it, and is said.
@Suite struct SequenceObstacleTests {
  private static let two = """
    create schema s;
    create table s.a (id bigserial primary key); insert into s.a values (7);
    create table s.b (id bigserial primary key); insert into s.b values (7);
    """

  private func reason(_ health: SequenceHealth?) -> String {
    guard case .none(let why)? = health?.readings.first?.coverage else { return "" }
    return why
  }

  private func found(_ healths: [SequenceHealth], _ name: String) -> SequenceHealth? {
    healths.first { $0.sequence.name == name }
  }

  @Test("a table that is locked is named, and the others are read at once")
  func locked() async throws {
    let world = try await SequenceWorld.made(Self.two)
    let holder = try await world.connect()
    try await holder.perform { db in
      try db.execute(sql: "begin")
      try db.execute(sql: "lock table s.a in access exclusive mode")
    }
    let healths = try await world.check()
    #expect(found(healths, "s.a_id_seq")?.state == .unchecked)
    #expect(reason(found(healths, "s.a_id_seq")).contains("locked"))
    #expect(found(healths, "s.b_id_seq")?.gap == 7)
    await holder.close()
  }

  @Test("a table locked only after it was found is named too, after a short wait")
  func lockedLater() async throws {
    let world = try await SequenceWorld.made(Self.two)
    let sequences = try await world.perform { db in
      try SequenceCatalogue.find(in: .everything, on: db)
    }
    let holder = try await world.connect()
    try await holder.perform { db in
      try db.execute(sql: "begin")
      try db.execute(sql: "lock table s.a in access exclusive mode")
    }
    let (healths, waits) = try await world.perform { db in
      let healths = try SequenceReader.check(sequences, on: db)
      let setting = Statement.once("waits", "select current_setting('lock_timeout')")
      return (healths, try db.row(setting) { try $0.nextString() })
    }
    #expect(reason(found(healths, "s.a_id_seq")).contains("locked"))
    #expect(found(healths, "s.b_id_seq")?.gap == 7)
    #expect(waits == "10s", "the session's own limit holds again")
    await holder.close()
  }

  @Test("a table that was dropped after it was found is said to be gone")
  func dropped() async throws {
    let world = try await SequenceWorld.made(Self.two)
    let sequences = try await world.perform { db in
      try SequenceCatalogue.find(in: .everything, on: db)
    }
    try await world.execute("drop table s.a")
    let healths = try await world.perform { db in try SequenceReader.check(sequences, on: db) }
    #expect(reason(found(healths, "s.a_id_seq")) == "it was dropped meanwhile")
    #expect(found(healths, "s.b_id_seq")?.gap == 7)
  }

  @Test("a table, a sequence and a schema that may not be read are named")
  func forbidden() async throws {
    let world = try await SequenceWorld.made(
      Self.two + """
        create table s.c (id bigserial primary key);
        create table s.d (id bigserial primary key, owner name default current_user);
        alter table s.d enable row level security;
        create schema hidden; create table hidden.e (id bigserial primary key);
        do $$ begin create role sequence_reader; exception when duplicate_object then end $$;
        grant usage on schema s to sequence_reader;
        grant select on s.a, s.c, s.d, s.a_id_seq, s.b_id_seq, s.d_id_seq to sequence_reader;
        """)
    let healths = try await world.perform { db in
      try db.execute(sql: "set role sequence_reader")
      return try SequenceReader.check(SequenceCatalogue.find(in: .everything, on: db), on: db)
    }
    #expect(found(healths, "s.a_id_seq")?.gap == 7)
    #expect(reason(found(healths, "s.b_id_seq")) == "the right to select from it is missing")
    #expect(reason(found(healths, "s.c_id_seq")).contains("the sequence is missing"))
    #expect(reason(found(healths, "s.d_id_seq")).contains("row-level security"))
    #expect(reason(found(healths, "hidden.e_id_seq")).contains("missing"))
    #expect(healths.count { $0.state == .unchecked } == 4)
  }

  @Test("statement_timeout holds for each table, and keeps no other from being read")
  func slow() async throws {
    let world = try await SequenceWorld.made(
      Self.two + """
        create table s.slow (id bigserial);
        insert into s.slow select from generate_series(1, 3000000);
        """)
    let healths = try await world.perform { db in
      let sequences = try SequenceCatalogue.find(["s.slow", "s.b"], in: .everything, on: db)
      try db.execute(sql: "set statement_timeout = '90ms'; set max_parallel_workers_per_gather = 0")
      return try SequenceReader.check(sequences, scans: true, on: db)
    }
    #expect(reason(found(healths, "s.slow_id_seq")).contains("statement_timeout"))
    #expect(found(healths, "s.b_id_seq")?.gap == 7)
  }

  @Test("a foreign table is named")
  func foreign() async throws {
    let world = try await SequenceWorld.made(
      Self.two + """
        create foreign data wrapper nowhere; create server nowhere foreign data wrapper nowhere;
        create foreign table s.f (id bigint default nextval('s.a_id_seq')) server nowhere;
        """)
    let healths = try await world.check()
    let health = try #require(found(healths, "s.a_id_seq"))
    #expect(health.gap == 7, "its other table is judged all the same")
    let index = try #require(health.sequence.users.firstIndex { $0.table == "s.f" })
    #expect(health.readings[index].coverage == .none("it is a foreign table"))
  }

  @Test("a role that may draw but not alter repairs too; one that may not says so")
  func rights() async throws {
    let world = try await SequenceWorld.made(
      Self.two + """
        do $$ begin create role sequence_drawer; exception when duplicate_object then end $$;
        grant usage on schema s to sequence_drawer;
        grant select on s.a, s.b, s.b_id_seq to sequence_drawer;
        grant select, usage on s.a_id_seq to sequence_drawer;
        insert into s.a values (300000);
        """)
    let outcomes = try await world.perform { db in
      try db.execute(sql: "set role sequence_drawer")
      return try SequenceCatalogue.find(in: .everything, on: db).map {
        try SequenceRepair.repair($0, on: db).0
      }
    }
    #expect(outcomes.map(\.text) == ["1 → 300001", "refused"])
  }

  @Test("a long way waits for sessions that drew at most lock_timeout, and draws nothing then")
  func lockTimeout() async throws {
    let world = try await SequenceWorld.made(Self.two + "insert into s.a values (5000000000)")
    let holder = try await world.connect()
    try await holder.perform { db in
      try db.execute(sql: "begin")
      try db.execute(sql: "select nextval('s.a_id_seq')")
    }
    let refused = try await world.repair(["s.a"], lockTimeout: 300)
    #expect(refused.map(\.text) == ["refused"])
    #expect(try await world.next("s.a_id_seq") == 2)
    let waiting = Task { try await world.repair(["s.a"], lockTimeout: 600_000) }
    try await world.waitForLock()
    try await holder.perform { db in try db.execute(sql: "commit") }
    #expect(try await waiting.value.map(\.text) == ["2 → 5000000001"])
    await holder.close()
  }
}
