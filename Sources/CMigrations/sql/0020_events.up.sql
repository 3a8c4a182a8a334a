-- Everything that a company can do to its shares, beside splits and dividends of the date.

create type closebell.merger_cost as enum ('carried', 'realized');

-- A new type, since words that are added to an enumeration cannot be used in the transaction that
-- adds them. In the order in which they happen on one date.
alter type closebell.corporate_action_type rename to corporate_action_type_before_20;
create type closebell.corporate_action_type as enum (
  'split', 'dividend', 'return_of_capital', 'spin_off', 'rights', 'stock_dividend', 'merger');

alter table closebell.corporate_actions
  alter column type type closebell.corporate_action_type
    using type::text::closebell.corporate_action_type,
  alter column value drop not null,
  add column new_instrument_id bigint,
  add column portfolio_id bigint,
  add column external_id text,
  add column status closebell.activity_status not null default 'active',
  add column currency text,
  add column ratio_new numeric(38, 12),
  add column ratio_old numeric(38, 12),
  add column cash numeric(38, 12),
  add column cost_share numeric(38, 12),
  add column fraction_price numeric(38, 12),
  add column cost closebell.merger_cost,
  add column pay_date date,
  drop constraint corporate_actions_key,
  add constraint corporate_actions_key unique nulls not distinct
    (instrument_id, ex_date, type, new_instrument_id, portfolio_id, external_id),
  add constraint corporate_actions_into_an_instrument foreign key (new_instrument_id)
    references closebell.instruments (id),
  add constraint corporate_actions_of_a_portfolio foreign key (portfolio_id)
    references closebell.portfolios (id),
  add constraint corporate_actions_not_into_itself check (new_instrument_id <> instrument_id),
  add constraint corporate_actions_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
  add constraint corporate_actions_ratio_is_two_numbers
    check ((ratio_new is null) = (ratio_old is null)),
  add constraint corporate_actions_ratio_positive check (
    ratio_new > 0 and ratio_old > 0 and ratio_new <> 'NaN' and ratio_old <> 'NaN'),
  add constraint corporate_actions_cash_positive check (cash > 0 and cash <> 'NaN'),
  add constraint corporate_actions_cost_share_is_a_part 
    check (cost_share between 0 and 1 and cost_share <> 'NaN'),
  add constraint corporate_actions_fraction_price_not_negative
    check (fraction_price >= 0 and fraction_price <> 'NaN'),
  add constraint corporate_actions_paid_after_ex_date check (pay_date >= ex_date),
  add constraint corporate_actions_say_what_happened check (case type
    when 'split' then (value is null) <> (ratio_new is null)
    when 'dividend' then value is not null
    when 'return_of_capital' then value is not null
    when 'stock_dividend' then ratio_new is not null
    when 'merger' then cash is not null or new_instrument_id is not null
    else new_instrument_id is not null end
    and (new_instrument_id is null or ratio_new is not null));
drop type closebell.corporate_action_type_before_20;

-- What may pass units is looked for with each import of activities.
create index corporate_actions_passing_units on closebell.corporate_actions
  (instrument_id, new_instrument_id) where new_instrument_id is not null;
-- Whose rates count where cash is paid in a currency that is not the instrument's.
create index corporate_actions_abroad on closebell.corporate_actions
  (instrument_id, currency) where currency is not null;

comment on column closebell.corporate_actions.pay_date is
  'When cash is paid, until when it is a receivable; null: on the ex-date.';
comment on column closebell.corporate_actions.value is
  'Cash per unit; of a split new units for one old one, where there is no ratio.';
comment on column closebell.corporate_actions.currency is
  'Of value or cash; null: the instrument''s own.';
comment on column closebell.corporate_actions.portfolio_id is
  'The only portfolio that it concerns; null: all.';
comment on column closebell.corporate_actions.cost_share is
  'The part of the cost that goes along, 0 to 1.';
comment on column closebell.corporate_actions.fraction_price is
  'What is received below one unit is paid in cash at this price; null: it is kept.';

-- What was earned and is paid later.
alter table closebell.holding_activity_log
  add column pay_date date,
  add constraint holding_activity_log_paid_after_date check (pay_date >= activity_date) not valid;
comment on column closebell.holding_activity_log.pay_date is
  'When cash is paid, until when it is a receivable; null: on the date.';

-- Null: a row from before, put back from an archive; nothing was owed then.
alter table closebell.portfolio_snapshots
  add column receivables numeric(28, 4) default 0,
  add column receivable_count smallint default 0,
  drop constraint portfolio_snapshots_equity_is_what_is_held,
  add constraint portfolio_snapshots_equity_is_what_is_held check (
    closing_equity = long_value + short_value + cash + coalesce(receivables, 0));
comment on column closebell.portfolio_snapshots.receivables is
  'What was earned and is not paid yet, in base currency; negative is owed.';
comment on column closebell.portfolio_snapshots.receivable_count is
  'How many rows of portfolio_receivables the date has.';

-- A row a date of payment and currency; no foreign keys, as in every result table.
create table closebell.portfolio_receivables (
  balance_date date not null,
  portfolio_id bigint not null,
  pay_date date not null,
  currency text not null,
  amount numeric(28, 4) not null,
  base_value numeric(28, 4) not null,
  constraint portfolio_receivables_key
    primary key (balance_date, portfolio_id, pay_date, currency)
);
