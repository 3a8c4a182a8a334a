-- What a closed date stands on, so that it can be told later: a digest of its inputs, and in which
-- database's transaction numbers `inputs_seen` and `changed_by` count.

-- A dump carries transaction numbers into a database that counts its own. Each such database is an
-- epoch: numbers are compared within one only, and what a later epoch changed, an earlier slot has
-- not seen.
create table closebell.incarnation (
  only_one boolean not null default true constraint incarnation_key primary key,
  epoch integer not null,
  system_identifier bigint,
  begun_at timestamptz not null default pg_catalog.clock_timestamp(),
  constraint incarnation_only_one check (only_one)
);
insert into closebell.incarnation (epoch) values (0);

create function closebell.current_epoch() returns integer language sql stable parallel safe
  as 'select i.epoch from closebell.incarnation i';

alter table closebell.input_changes
  add column epoch integer not null default 0;
alter table closebell.input_changes
  alter column epoch set default closebell.current_epoch();

alter table closebell.portfolio_snapshots
  add column inputs_epoch integer not null default 0,
  add column fingerprint bytea,
  add constraint portfolio_snapshots_fingerprint_has_128_bits
    check (pg_catalog.octet_length(fingerprint) = 16),
  add constraint portfolio_snapshots_placeholder_has_no_fingerprint
    check (is_complete or fingerprint is null);
comment on column closebell.portfolio_snapshots.fingerprint is
  'Digest of all inputs, chained over the days; null for rows closed before there were any.';
