-- The way back from 0012.
alter table closebell.holding_activity_log drop constraint holding_activity_log_fee_not_negative;
