-- A night at the speed at which rows can be written.

-- A holding's instrument on its own row, so that a night reads yesterday's positions in one walk
-- along the key. Null in rows from before; their holding says it then.
alter table closebell.portfolio_fund_valuations add column instrument_id bigint;
comment on column closebell.portfolio_fund_valuations.instrument_id is
  'What was held; null in rows written before version 11, where portfolio_funds says it.';

-- A placeholder is filled in on its own page, and no index learns of it: nineteen placeholders of
-- some 90 bytes leave the room for their own 340.
alter table closebell.portfolio_snapshots set (fillfactor = 20);
