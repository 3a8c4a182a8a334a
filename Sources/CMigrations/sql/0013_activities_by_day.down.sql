-- The way back from 0013.
alter table closebell.holding_activity_log
  drop constraint holding_activity_log_one_per_external_id,
  add constraint holding_activity_log_one_per_external_id unique (portfolio_id, external_id);
create index holding_activity_log_by_external_id on closebell.holding_activity_log (external_id);
drop index closebell.holding_activity_log_by_day, closebell.statement_valuations_by_day;
