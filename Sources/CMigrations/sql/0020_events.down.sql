-- The way back from 0020: refuses while there is an action that could not be said before.
do $$
begin
  if exists (
    select from closebell.corporate_actions a
    where a.type not in ('split', 'dividend') or a.value is null or a.status <> 'active'
      or a.portfolio_id is not null or a.external_id is not null or a.currency is not null
      or a.fraction_price is not null or a.pay_date is not null) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 20 would lose corporate actions',
      hint = 'delete from closebell.corporate_actions what is more than a split by value or a '
        || 'dividend in the instrument''s currency first';
  end if;
  if exists (select from closebell.portfolio_receivables)
    or exists (select from closebell.portfolio_snapshots s where s.receivables <> 0)
    or exists (select from closebell.holding_activity_log a where a.pay_date is not null) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'going back before version 20 would lose what is paid later',
      hint = 'take the pay dates out, and replay the dates of portfolio_receivables';
  end if;
end $$;
drop table closebell.portfolio_receivables;
alter table closebell.portfolio_snapshots
  drop constraint portfolio_snapshots_equity_is_what_is_held,
  drop column receivables,
  drop column receivable_count,
  add constraint portfolio_snapshots_equity_is_what_is_held
    check (closing_equity = long_value + short_value + cash);
alter table closebell.holding_activity_log drop column pay_date;
drop index closebell.corporate_actions_passing_units, closebell.corporate_actions_abroad;
alter type closebell.corporate_action_type rename to corporate_action_type_of_20;
create type closebell.corporate_action_type as enum ('split', 'dividend');
alter table closebell.corporate_actions
  drop constraint corporate_actions_say_what_happened,
  drop constraint corporate_actions_key,
  drop column new_instrument_id,
  drop column portfolio_id,
  drop column external_id,
  drop column status,
  drop column currency,
  drop column ratio_new,
  drop column ratio_old,
  drop column cash,
  drop column cost_share,
  drop column fraction_price,
  drop column cost,
  drop column pay_date,
  alter column value set not null,
  alter column type type closebell.corporate_action_type
    using type::text::closebell.corporate_action_type,
  add constraint corporate_actions_key primary key (instrument_id, ex_date, type);
drop type closebell.corporate_action_type_of_20;
drop type closebell.merger_cost;
