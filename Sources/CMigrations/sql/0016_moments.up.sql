-- Moments could be kept as of a date that others were closed after, and then lacked what was booked
-- on those. The next night reads the flows once and keeps what they give.
truncate closebell.portfolio_irr_moments;
