-- Who asked for an import. Whoever works at the queue reads files and writes books with rights of
-- its own; whoever may put a row into it needs to have neither. So the row says whose it is, and
-- nobody can say that of another.

-- Null: from before it was kept. Nobody knows who asked, so nobody is believed.
alter table closebell.import_jobs add column requested_by name;
alter table closebell.import_jobs alter column requested_by set default current_user;
comment on column closebell.import_jobs.requested_by is
  'The role that asked for the import; null: from before it was kept.';
comment on column closebell.import_jobs.digest is
  'SHA-256 of the text; of one that was queued, of what it was then.';

-- Operators are looked up where nobody but the server's owner can put one.
create function closebell.check_import_request() returns trigger language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and new.requested_by is not distinct from old.requested_by
    and new.kind = old.kind and new.source = old.source and new.options = old.options
    and new.is_background = old.is_background
    and (old.digest is null or new.digest is not distinct from old.digest)
    and (new.status = old.status or old.status <> 'completed' and new.status <> 'queued') then
    return null;
  end if;
  if new.requested_by is distinct from current_user and not pg_has_role(current_user,
    (select c.relowner from pg_class c where c.oid = tg_relid), 'usage') then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('role %I may not ask for an import that is another''s', current_user),
      hint = 'closebell.import_jobs.requested_by is whoever writes what is to be imported';
  end if;
  return null;
end $$;
-- After the row: what runs before one could change it, and writers refuse a table that has such.
create trigger import_jobs_request
  after insert or update of kind, source, options, digest, requested_by, is_background, status
  on closebell.import_jobs
  for each row execute function closebell.check_import_request();
