-- Moments could be kept as of a date that others were closed after, and then lacked what was booked
-- on those. The next night reads the flows once and keeps what they give.
truncate closebell.portfolio_irr_moments;

-- A run that goes on behind dates that it replaced opens from these, and has seen what they are.
alter table closebell.input_changes add column is_replacement boolean not null default false;
comment on column closebell.input_changes.is_replacement is
  'No input changed, but the close that later dates opened from.';
