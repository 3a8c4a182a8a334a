-- What happened on one day, of many portfolios, in one walk.

-- With the source's id first, one key keeps it unique and finds it whatever its portfolio. Before,
-- that took two; the log keeps as many indexes as it had. This comes first, since it locks the log
-- against readers too: an import that has read and is about to write would be waited for in vain.
drop index closebell.holding_activity_log_by_external_id;
alter table closebell.holding_activity_log
  drop constraint holding_activity_log_one_per_external_id,
  add constraint holding_activity_log_one_per_external_id unique (external_id, portfolio_id);

-- A night reads a day or a few of all portfolios. With the portfolio first that is a look-up each,
-- mostly in vain, on pages that nothing else of the night needs. The sums keep the two kinds of
-- index apart: a statement says by them that it means this one, and no statistics choose the other.
create index holding_activity_log_by_day on closebell.holding_activity_log
  ((coalesce(booked_on, activity_date)), (portfolio_id + 0));
create index statement_valuations_by_day on closebell.statement_valuations
  ((valuation_date + 0), (portfolio_id + 0));
