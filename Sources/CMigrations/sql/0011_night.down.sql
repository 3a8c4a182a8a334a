-- The way back from 0011; what goes is said by portfolio_funds too.
alter table closebell.portfolio_snapshots set (fillfactor = 50);
alter table closebell.portfolio_fund_valuations drop column instrument_id;
