-- The policy on carried prices that a date was closed under, in business days; of a run the one that
-- it was given. Null: from before it was kept, or of a run that was given none.

alter table closebell.portfolio_snapshots add column carried_days_allowed smallint;
alter table closebell.batch_runs add column carried_days_allowed smallint;
comment on column closebell.portfolio_snapshots.carried_days_allowed is
  'Oldest close or rate, in business days, with which it is not degraded; null: not known.';
comment on column closebell.batch_runs.carried_days_allowed is
  'As asked for, for every date; null: each date''s own, and the usual five for new ones.';
