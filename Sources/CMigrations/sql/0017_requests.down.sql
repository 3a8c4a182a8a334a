-- The way back from 0017: refuses while an import is queued, since nobody would ask whose it is.
do $$
begin
  if exists (select from closebell.import_jobs where status in ('queued', 'processing')) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 17 would lose who asked for imports that are queued',
      hint = 'let closebell imports work finish them, or cancel them';
  end if;
end $$;
drop trigger import_jobs_request on closebell.import_jobs;
drop function closebell.check_import_request();
alter table closebell.import_jobs drop column requested_by;
