-- The way back from 0006: without epochs a slot that an earlier epoch closed could be called fresh
-- that is stale, so the way back is open only where none was left behind. Digests can be computed
-- again.
do $$
begin
  if closebell.current_epoch() > 0 then
    raise exception 'this database was restored from a dump; its transaction numbers need epochs';
  end if;
end $$;
alter table closebell.portfolio_snapshots drop column fingerprint, drop column inputs_epoch;
alter table closebell.input_changes drop column epoch;
drop function closebell.current_epoch();
drop table closebell.incarnation;
