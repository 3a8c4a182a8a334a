-- Which server it is, and which session of it a lease belongs to.

-- A copy of a server, or a standby that was promoted, has the same system identifier and goes on
-- counting from where it stood; its timeline differs once it was recovered to a point or promoted.
-- The definer may ask even where the caller may not; where neither may, the identifier is null.
create function closebell.this_server(out system_identifier bigint, out timeline integer)
language plpgsql volatile security definer set search_path = '' as $$
begin
  if not pg_catalog.pg_is_in_recovery() then
    -- pg_control_checkpoint() says what was true at the last checkpoint.
    timeline := ('x' || pg_catalog.substr(
      pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::integer;
  end if;
  begin
    system_identifier := s.system_identifier from pg_catalog.pg_control_system() s;
  exception when insufficient_privilege then null;
  end;
end $$;

-- Everything by which a database that a dump was restored into can be told from the one that the
-- row speaks of. The last is the transaction that wrote the row: one that was restored or copied
-- in was written by another, however far the server has counted by then.
alter table closebell.incarnation
  add column database_oid oid,
  add column table_oid oid,
  add column timeline integer,
  add column written_by xid8;

-- A claim id that was lost with a server may be given out again by the one that followed it. So a
-- lease is known by a token that nobody draws twice, and by the session that holds its lock. Runs
-- that began before know no token: they end, and their slots are taken over.
delete from closebell.worker_lease;
alter table closebell.worker_lease
  add column token bigint not null,
  add column backend_pid integer not null,
  add column backend_start timestamptz not null,
  add column system_identifier bigint,
  add column timeline integer,
  add column epoch integer not null;
