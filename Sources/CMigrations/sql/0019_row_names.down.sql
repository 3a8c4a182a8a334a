-- The way back from 0019: refuses while accounts or undone imports would be lost.
do $$
begin
  if exists (select from closebell.holding_activity_log
    where account is not null or undone_at is not null) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 19 would lose accounts of activities, or which were undone',
      hint = 'import what was undone again, or leave the schema as it is';
  end if;
end $$;
drop table closebell.import_overlaps, closebell.import_matches, closebell.unnamed_portfolios;
alter table closebell.holding_activity_log
  drop constraint holding_activity_log_undone_is_cancelled,
  drop column account, drop column import_id, drop column updated_import_id,
  drop column undone_at;
drop index closebell.holding_activity_log_late;
create index holding_activity_log_late on closebell.holding_activity_log
  (portfolio_id, activity_date) where booked_on is not null;
