import Sequences
import Storage

extension SequenceCase {
  /// Ways in which a column gets its values.
  static let shapes: [SequenceCase] = [
    SequenceCase(
      rule: "a shared sequence is judged by the table that reaches farthest",
      sql: "create sequence s.q; create table s.t (id bigint default nextval('s.q') primary key); "
        + "create table s.u (id bigint default nextval('s.q') primary key); "
        + "insert into s.t default values; insert into s.u values (40)",
      sequence: "s.q", state: .behind, severity: .medium, next: 2, gap: 39, repaired: 41),
    SequenceCase(
      rule: "a shared sequence, owned by one of its tables",
      sql: "create table s.t (id bigserial primary key); create table s.u (id bigint default "
        + "nextval('s.t_id_seq') primary key); insert into s.u values (3)",
      state: .behind, severity: .low, next: 1, gap: 3, repaired: 4),
    SequenceCase(
      rule: "partitions are read through their table",
      sql: "create table s.t (id bigserial, d integer, primary key (id, d)) partition by list (d);"
        + "create table s.t1 partition of s.t for values in (1);"
        + "create table s.t2 partition of s.t for values in (2);"
        + "insert into s.t (d) values (1), (2); insert into s.t2 values (25, 2)",
      state: .behind, severity: .medium, next: 3, gap: 23, repaired: 26),
    SequenceCase(
      rule: "partitions of partitions, healthy",
      sql: "create table s.t (id bigserial, d integer, primary key (id, d)) partition by list (d);"
        + "create table s.t1 partition of s.t for values in (1) partition by range (d);"
        + "create table s.t11 partition of s.t1 for values from (0) to (9);"
        + "insert into s.t (d) select 1 from generate_series(1, 30)", state: .healthy, next: 31),
    SequenceCase(
      rule: "a table that inherits a default is a user of the sequence",
      sql: "create table s.t (id bigserial primary key); create table s.u () inherits (s.t);"
        + "insert into s.u values (12); create index on s.u (id)",
      state: .behind, severity: .medium, next: 1, gap: 12, repaired: 13),
    SequenceCase(
      rule: "names in mixed case, with blanks and quotes",
      sql: #"create table s."My ""T'able" ("The Id" bigserial primary key);"#
        + #"insert into s."My ""T'able" values (12)"#,
      sequence: #"s."My ""T'able_The Id_seq""#, state: .behind, severity: .medium, next: 1,
      gap: 12, repaired: 13),
    SequenceCase(
      rule: "a sequence in another schema than its table",
      sql: "create schema elsewhere; create sequence elsewhere.q; create table s.t (id bigint "
        + "default nextval('elsewhere.q') primary key); insert into s.t values (2)",
      sequence: "elsewhere.q", state: .behind, severity: .low, next: 1, gap: 2, repaired: 3),
    SequenceCase(
      rule: "a default that looks its sequence up by name",
      sql: "create sequence s.q; create table s.t (id bigint default "
        + "nextval('s.q'::text::regclass) primary key); insert into s.t values (5)",
      sequence: "s.q", state: .behind, severity: .low, next: 1, gap: 5, repaired: 6),
    SequenceCase(
      rule: "a domain over an integer",
      sql: "create domain s.key as integer; create sequence s.q; create table s.t (id s.key "
        + "default nextval('s.q') primary key); insert into s.t values (5)",
      sequence: "s.q", state: .behind, severity: .low, next: 1, gap: 5, repaired: 6),
    SequenceCase(
      rule: "a numeric key",
      sql: "create sequence s.q; create table s.t (id numeric(20) default nextval('s.q') "
        + "primary key); insert into s.t values (5)",
      sequence: "s.q", state: .behind, severity: .low, next: 1, gap: 5, repaired: 6),
    SequenceCase(
      rule: "generated always with values put over it",
      sql: "create table s.t (id integer generated always as identity primary key);"
        + "insert into s.t overriding system value values (9)",
      state: .behind, severity: .low, next: 1, gap: 9, repaired: 10),
    SequenceCase(
      rule: "an owned sequence without a default: programs draw from it",
      sql: "create table s.t (id bigint primary key); create sequence s.q owned by s.t.id;"
        + "insert into s.t values (3)",
      sequence: "s.q", state: .behind, severity: .low, next: 1, gap: 3, repaired: 4),
    SequenceCase(
      rule: "an owned sequence whose column draws from another one has no column",
      sql: "create table s.t (id bigserial primary key); create sequence s.q;"
        + "alter table s.t alter id set default nextval('s.q'); insert into s.t values (3)",
      state: .healthy, next: 1),
    SequenceCase(
      rule: "currval in a default draws nothing",
      sql: "create sequence s.q; create table s.t (id bigint default currval('s.q') primary key);"
        + "insert into s.t values (3)",
      sequence: "s.q", state: .healthy, next: 1),
    SequenceCase(
      rule: "a sequence without a table is healthy",
      sql: "create sequence s.q start 5", sequence: "s.q", state: .healthy, next: 5),
    SequenceCase(
      rule: "a dropped column is no column any more",
      sql: "create sequence s.q; create table s.t (id bigint default nextval('s.q') primary key,"
        + "x integer); insert into s.t values (9); alter table s.t drop id",
      sequence: "s.q", state: .healthy, next: 1),
    SequenceCase(
      rule: "a small table without an index is read whole",
      sql: "create table s.t (id bigserial); insert into s.t values (9), (2)",
      state: .behind, severity: .low, next: 1, gap: 9, repaired: 10),
    SequenceCase(
      rule: "a partial index does not tell the largest value",
      sql: "create table s.t (id bigserial, x integer); create index on s.t (id) where x = 1;"
        + "insert into s.t values (9, 2), (2, 1)",
      state: .behind, severity: .low, next: 1, gap: 9, repaired: 10),
    SequenceCase(
      rule: "a view over a table is not a table",
      sql: "create table s.t (id bigserial primary key); create view s.v as select * from s.t;"
        + "insert into s.v default values", state: .healthy, next: 2),
  ]

  /// Ranges and their ends.
  static let ends: [SequenceCase] = [
    SequenceCase(
      rule: "a smallint that is used up",
      sql: "create table s.t (id smallserial primary key); select setval('s.t_id_seq', 32767)",
      state: .exhausted, severity: .high, next: 32_768),
    SequenceCase(
      rule: "a column that is narrower than its sequence is used up first",
      sql: "create sequence s.q; create table s.t (id smallint default nextval('s.q') "
        + "primary key); select setval('s.q', 40000)",
      sequence: "s.q", state: .exhausted, severity: .high, next: 40_001),
    SequenceCase(
      rule: "over 80 % of the range is a warning, and healthy",
      sql: "create table s.t (id smallserial primary key); select setval('s.t_id_seq', 26300)",
      state: .healthy, severity: .low, next: 26_301),
    SequenceCase(
      rule: "80 % of the range is none",
      sql: "create sequence s.q maxvalue 10; create table s.t (id integer default nextval('s.q') "
        + "primary key); select setval('s.q', 8)", sequence: "s.q", state: .healthy, next: 9),
    SequenceCase(
      rule: "a value by hand at the range's end cannot be repaired by moving",
      sql: "create table s.t (id smallserial primary key); insert into s.t values (32767)",
      state: .behind, severity: .high, next: 1, gap: 32_767),
    SequenceCase(
      rule: "ids beyond the sequence's maximum",
      sql: "create sequence s.q maxvalue 100; create table s.t (id bigint default nextval('s.q') "
        + "primary key); insert into s.t values (5000)",
      sequence: "s.q", state: .beyondRange, severity: .high, next: 1, gap: 5_000),
    SequenceCase(
      rule: "a cycle that has not come to its end",
      sql: "create sequence s.q maxvalue 10 cycle; create table s.t (id integer default "
        + "nextval('s.q') primary key); insert into s.t select from generate_series(1, 5)",
      sequence: "s.q", state: .healthy, next: 6),
    SequenceCase(
      rule: "a cycle that begins anew meets its own rows",
      sql: "create sequence s.q maxvalue 10 cycle; create table s.t (id integer default "
        + "nextval('s.q') primary key); insert into s.t select from generate_series(1, 10)",
      sequence: "s.q", state: .behind, severity: .low, next: 1, gap: 10),
    SequenceCase(
      rule: "a cycle behind a value by hand moves forward",
      sql: "create sequence s.q maxvalue 100 cycle; create table s.t (id integer default "
        + "nextval('s.q') primary key); insert into s.t values (30)",
      sequence: "s.q", state: .behind, severity: .medium, next: 1, gap: 30, repaired: 31),
    SequenceCase(
      rule: "the largest bigint does not overflow",
      sql: "create table s.t (id bigserial primary key); insert into s.t values "
        + "(9223372036854775807)",
      state: .behind, severity: .high, next: 1, gap: .max),
    SequenceCase(
      rule: "a sequence that counts down to its end",
      sql: "create sequence s.q increment -1 minvalue -5; create table s.t (id integer default "
        + "nextval('s.q') primary key); insert into s.t select from generate_series(1, 5)",
      sequence: "s.q", state: .exhausted, severity: .high, next: -6),
  ]

  /// Nothing can be said of these, and that is what is said.
  static let unread: [SequenceCase] = [
    SequenceCase(
      rule: "values that are computed from the sequence's",
      sql: "create sequence s.q; create table s.t (id bigint default nextval('s.q') * 1000 "
        + "primary key); insert into s.t default values",
      sequence: "s.q", state: .unchecked, next: 2),
    SequenceCase(
      rule: "a column of text",
      sql: "create sequence s.q; create table s.t (id text default 'A' || nextval('s.q'));"
        + "insert into s.t default values", sequence: "s.q", state: .unchecked, next: 2),
    SequenceCase(
      rule: "a view with a default of its own",
      sql: "create sequence s.q; create table s.t (id bigint); create view s.v as select * from "
        + "s.t; alter view s.v alter id set default nextval('s.q')",
      sequence: "s.q", state: .unchecked, next: 1),
    SequenceCase(
      rule: "a partitioned table without an index on the column",
      sql: "create table s.t (id bigserial, d integer) partition by list (d);"
        + "create table s.t1 partition of s.t for values in (1); insert into s.t values (9, 1)",
      state: .unchecked, next: 1),
  ]
}
