-- Months whose numbers were reported, and activities that came too late for them.

-- What holds now. A lock reaches back to the first date, since every date opens from the one
-- before; so one date a portfolio says it all. Row 0 holds for every portfolio without a row.
create table closebell.period_locks (
  portfolio_id bigint not null constraint period_locks_key primary key,
  locked_through date not null
);

-- Who did what, when and why; nothing is ever taken away here.
create table closebell.period_lock_history (
  id bigint generated always as identity constraint period_lock_history_key primary key,
  action text not null,
  from_date date,
  through_date date not null,
  portfolio_ids bigint[],
  reason text not null,
  done_by text not null,
  done_at timestamptz not null default pg_catalog.clock_timestamp(),
  run_id bigint,
  constraint period_lock_history_action check (action in ('lock', 'unlock', 'override')),
  constraint period_lock_history_reason_not_blank check (reason ~ '\S')
);
comment on column closebell.period_lock_history.portfolio_ids is
  'Null: all portfolios, those that come later included.';

alter table closebell.holding_activity_log
  add column booked_on date,
  add constraint holding_activity_log_booked_later check (booked_on > activity_date);
comment on column closebell.holding_activity_log.booked_on is
  'The first open date, of an activity that came after its own date was locked; else null.';

-- The night and a replay read a portfolio's activities by the date on which they are booked.
create index holding_activity_log_by_booking on closebell.holding_activity_log
  (portfolio_id, (coalesce(booked_on, activity_date)), id);
drop index closebell.holding_activity_log_by_date;
-- An unlock looks for what was booked late; there are few.
create index holding_activity_log_late on closebell.holding_activity_log
  (portfolio_id, activity_date) where booked_on is not null;
