-- The way back from 0002: refuses while anything would be lost.
do $$
begin
  if exists (select from closebell.holding_activity_log)
    or exists (select from closebell.statement_valuations) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 2 would lose activities or valuations',
      hint = 'export and empty the tables of schema closebell first';
  end if;
end $$;
drop table closebell.statement_valuations, closebell.holding_activity_log,
  closebell.portfolio_funds;
drop type closebell.activity_status, closebell.activity_type;
