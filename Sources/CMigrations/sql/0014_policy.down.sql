-- The way back from 0014: refuses while a date was closed under another policy than the usual one.
do $$
begin
  if exists (select from closebell.portfolio_snapshots where carried_days_allowed <> 5) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 14 would lose under which policy dates were closed',
      hint = 'replay the dates of portfolio_snapshots where carried_days_allowed is not 5 '
        || 'with --max-carried-days 5 first';
  end if;
end $$;
alter table closebell.batch_runs drop column carried_days_allowed;
alter table closebell.portfolio_snapshots drop column carried_days_allowed;
