-- The way back from 0008: refuses while a portfolio's returns rest on another timing.
do $$
begin
  if exists (select from closebell.portfolios where flow_timing <> 'inflows_at_start') then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 8 would lose when flows count in a day',
      hint = 'set portfolios.flow_timing to inflows_at_start first, and replay';
  end if;
end $$;
alter table closebell.portfolios drop column flow_timing;
drop type closebell.flow_timing;
