-- The incident again, by hand, on Closebell's own tables: the P&L of 2014-03-04 three times more,
-- every check of the row kept, and the next date opened from it. A holding's row is lost, one
-- stands without a snapshot, and a placeholder is nobody's.
update closebell.portfolio_snapshots s
set daily_pnl = 4 * daily_pnl, unrealized_change = unrealized_change + 3 * daily_pnl,
  cumulative_pnl = cumulative_pnl + 3 * daily_pnl, closing_equity = closing_equity + 3 * daily_pnl,
  cash = s.cash + 3 * daily_pnl
from closebell.portfolios p
where p.id = s.portfolio_id and p.code = 'GULL' and s.snapshot_date = '2014-03-04';

update closebell.portfolio_snapshots s
set opening_equity = o.closing_equity, closing_equity = s.closing_equity + 15825000,
  cash = s.cash + 15825000, cumulative_pnl = s.cumulative_pnl + 15825000
from closebell.portfolio_snapshots o, closebell.portfolios p
where p.id = s.portfolio_id and p.code = 'GULL' and s.snapshot_date = '2014-03-05'
  and o.portfolio_id = s.portfolio_id and o.snapshot_date = '2014-03-04';

delete from closebell.portfolio_fund_valuations v using closebell.portfolios p
where p.id = v.portfolio_id and p.code = 'HERON' and v.valuation_date = '2014-03-05';

insert into closebell.portfolio_fund_valuations
  (valuation_date, portfolio_id, portfolio_fund_id, quantity, valuation, cost_basis, daily_pnl)
select '2014-03-08', f.portfolio_id, f.id, 1, 1, 1, 0
from closebell.portfolio_funds f join closebell.portfolios p on p.id = f.portfolio_id
where p.code = 'TERN' limit 1;

insert into closebell.portfolio_snapshots
  (portfolio_id, snapshot_date, opened_from_date, claim_id, claimed_at)
select p.id, '2014-03-08', '2014-03-05', 0, '2014-03-08 21:30:00Z'
from closebell.portfolios p where p.code = 'TERN';
