-- The way back from 0010: refuses while an import is queued or under way, which nothing would
-- remember; else only progress and checkpoints are lost, and the files can be imported again.
do $$
begin
  if exists (select from closebell.import_jobs where status in ('queued', 'processing')) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 10 would lose imports that are queued or under way',
      hint = 'let closebell imports work finish them, or cancel them';
  end if;
end $$;
drop index closebell.import_jobs_waiting, closebell.import_jobs_by_digest;
alter table closebell.import_results drop column row_bytes;
update closebell.import_jobs set started_at = queued_at where started_at is null;
update closebell.import_jobs set started_at = pg_catalog.clock_timestamp()
where started_at is null;
alter table closebell.import_jobs
  alter column started_at set not null,
  drop column options, drop column is_background, drop column queued_at, drop column claim_id,
  drop column claimed_by, drop column lease_until, drop column replaced_count,
  drop column row_number, drop column line_number, drop column prefix_digest,
  drop column header_row, drop column can_resume, drop column source_size,
  drop column source_read, drop column checkpoint_at, drop column session_at,
  drop column session_rows, drop column session_read;
