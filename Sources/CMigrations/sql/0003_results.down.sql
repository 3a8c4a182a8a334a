-- The way back from 0003: refuses while a complete snapshot would be lost.
do $$
begin
  if exists (select from closebell.portfolio_snapshots where is_complete) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 3 would lose closed dates',
      hint = 'export the snapshots first: closebell export snapshots';
  end if;
end $$;
drop table closebell.portfolio_irr_moments, closebell.portfolio_irr_values,
  closebell.portfolio_fund_irr_values, closebell.portfolio_cash_balances,
  closebell.portfolio_fund_valuations, closebell.portfolio_snapshots;
drop type closebell.irr_status, closebell.slot_state;
