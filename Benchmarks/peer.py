#!/usr/bin/env python3
"""The bench's night as a good script would do it: reads by the set, pyxirr a series, COPY back.

    peer.py CONNINFO DAY NIGHT

Needs psycopg and pyxirr. Works on the bench's plain tables, where it replaces the night's rows: it
claims a chunk of portfolios, reads their holdings with all flows as arrays, values them, solves every
holding's and every portfolio's rate from all its flows, and writes the rows. It knows nothing of
leases, fingerprints, late data or corrections.
"""

import collections
import datetime
import sys

import psycopg
import pyxirr

CHUNK = 500
TABLES = {"snapshots": "snapshot_date", "valuations": "valuation_date", "holding_irr": "date",
          "portfolio_irr": "date"}

CLAIM = """
insert into plain.snapshots (portfolio_id, snapshot_date, is_complete, claimed_at)
select unnest(%s::bigint[]), %s, false, now() on conflict do nothing returning portfolio_id
"""
HOLDINGS = """
select v.portfolio_id, v.portfolio_fund_id, v.quantity + h.bought, v.cost + h.paid, v.valuation,
  p.close, h.paid, h.days, h.amounts
from plain.valuations v
join closebell.portfolio_funds f on f.portfolio_id = v.portfolio_id and f.id = v.portfolio_fund_id
join plain.prices p on p.instrument_id = f.instrument_id and p.price_date = %(night)s
cross join lateral (
  select array_agg(a.activity_date order by a.activity_date) as days,
    array_agg(a.amount::float8 order by a.activity_date) as amounts,
    coalesce(sum(a.quantity) filter (where a.activity_date = %(night)s), 0) as bought,
    coalesce(sum(a.amount) filter (where a.activity_date = %(night)s), 0) as paid
  from plain.activities a
  where a.portfolio_fund_id = v.portfolio_fund_id and a.activity_date <= %(night)s) h
where v.valuation_date = %(day)s and v.portfolio_id = any(%(portfolios)s)
"""
FILL = """
update plain.snapshots s
set is_complete = true, opening = n.opening, flow = n.flow, daily_pnl = n.pnl, nav = n.nav, cash = 0,
  daily_return = case when n.opening <> 0 then n.pnl / n.opening end
from stage n where s.portfolio_id = n.portfolio_id and s.snapshot_date = %s and not s.is_complete
"""


class Portfolio:
    """What is summed up over a portfolio's holdings."""

    def __init__(self):
        self.opening = self.flow = self.pnl = self.nav = 0
        self.flows = collections.Counter()


def close(cursor, portfolios, day, night):
    """Closes the portfolios of a chunk that nobody else has."""
    mine = [row[0] for row in cursor.execute(CLAIM, (portfolios, night))]
    cursor.connection.commit()
    sums = collections.defaultdict(Portfolio)
    valuations, rates = [], []
    cursor.execute(HOLDINGS, {"day": day, "night": night, "portfolios": mine}, binary=True)
    for portfolio, fund, quantity, cost, before, price, flow, days, amounts in cursor:
        value = round(quantity * price, 4)
        pnl = value - before - flow
        valuations.append((portfolio, fund, night, quantity, cost, price, value, pnl))
        rates.append((portfolio, fund, night,
                      pyxirr.xirr(days + [night], [-amount for amount in amounts] + [float(value)])))
        total = sums[portfolio]
        total.opening += before
        total.flow += flow
        total.pnl += pnl
        total.nav += value
        for booked, amount in zip(days, amounts):
            total.flows[booked] -= amount
    own = [(portfolio, night, pyxirr.xirr(list(total.flows) + [night],
                                          list(total.flows.values()) + [float(total.nav)]))
           for portfolio, total in sums.items()]
    write(cursor, "valuations", "portfolio_id, portfolio_fund_id, valuation_date, quantity, cost,"
          " price, valuation, daily_pnl", valuations)
    write(cursor, "holding_irr", "portfolio_id, fund_id, date, irr_result", rates)
    write(cursor, "portfolio_irr", "portfolio_id, date, irr_result", own)
    cursor.execute("truncate stage")
    with cursor.copy("copy stage from stdin") as copy:
        for portfolio, total in sums.items():
            copy.write_row((portfolio, total.opening, total.flow, total.pnl, total.nav))
    cursor.execute(FILL, (night,))
    cursor.connection.commit()


def write(cursor, table, columns, rows):
    """Copies rows into a plain table."""
    with cursor.copy(f"copy plain.{table} ({columns}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def main():
    conninfo, day, night = sys.argv[1], *map(datetime.date.fromisoformat, sys.argv[2:4])
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        for table, date in TABLES.items():
            cursor.execute(f"delete from plain.{table} where {date} = %s", (night,))
        cursor.execute("create temporary table stage (portfolio_id bigint, opening numeric,"
                       " flow numeric, pnl numeric, nav numeric)")
        cursor.execute("select portfolio_id from plain.snapshots where snapshot_date = %s"
                       " order by portfolio_id", (day,))
        portfolios = [row[0] for row in cursor]
        connection.commit()
        for first in range(0, len(portfolios), CHUNK):
            close(cursor, portfolios[first:first + CHUNK], day, night)


main()
