-- When in a day a portfolio's external flows count for its time-weighted return.

create type closebell.flow_timing as enum ('inflows_at_start', 'all_at_start', 'all_at_end');
alter table closebell.portfolios
  add column flow_timing closebell.flow_timing not null default 'inflows_at_start';
