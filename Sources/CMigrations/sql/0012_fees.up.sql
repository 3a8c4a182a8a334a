-- What a close refuses, the log refuses too. Older rows are not looked at: one of them that says
-- otherwise is named by the close, and must not stand in the way of an upgrade.
alter table closebell.holding_activity_log
  add constraint holding_activity_log_fee_not_negative check (fee >= 0) not valid;
