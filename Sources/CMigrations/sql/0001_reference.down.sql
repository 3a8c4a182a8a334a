-- The way back from 0001: refuses while anything would be lost.
do $$
begin
  if exists (select from closebell.portfolios) or exists (select from closebell.instruments)
    or exists (select from closebell.prices) or exists (select from closebell.fx_rates)
    or exists (select from closebell.calendar_overrides) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 1 would lose reference data',
      hint = 'export and empty the tables of schema closebell first';
  end if;
end $$;
drop table closebell.calendar_overrides, closebell.corporate_actions, closebell.fx_rates,
  closebell.prices, closebell.instruments, closebell.portfolios;
drop type closebell.corporate_action_type, closebell.pricing, closebell.instrument_kind,
  closebell.irr_convention, closebell.dividend_mode, closebell.cash_mode, closebell.lot_relief;
