-- The way back from 0007: refuses while anything is locked or was booked late.
do $$
begin
  if exists (select from closebell.period_lock_history)
    or exists (select from closebell.holding_activity_log where booked_on is not null) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 7 would lose period locks or booking dates',
      hint = 'unlock all months, and empty closebell.period_lock_history first';
  end if;
end $$;
create index holding_activity_log_by_date
  on closebell.holding_activity_log (portfolio_id, activity_date, id);
drop index closebell.holding_activity_log_by_booking;
alter table closebell.holding_activity_log drop column booked_on;
drop table closebell.period_lock_history, closebell.period_locks;
