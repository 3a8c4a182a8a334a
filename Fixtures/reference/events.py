#!/usr/bin/env python3
"""The independent close of Fixtures/events: portfolios full of corporate actions.

    events.py            writes Fixtures/events/expected-snapshots.csv and expected-holdings.csv
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from reference.close import FIXTURES, PARTS, Chain, money, write  # noqa: E402
from reference.files import Files, day  # noqa: E402
from reference.ledger import ZERO  # noqa: E402

FOLDER = FIXTURES / "events"
# Some dates are closed one after the other, and some are gaps.
DATES = [day(f"2024-03-{number:02}") for number in (4, 5, 6, 7, 8, 11, 12, 13, 18)]
SNAPSHOT_COLUMNS = (
    "portfolio", "date", "opening_equity", "inflow", "outflow", "daily_pnl", *PARTS,
    "unrealized_pnl", "closing_equity", "cash", "receivables", "long_value", "short_value",
    "daily_return", "cumulative_pnl")
HOLDING_COLUMNS = (
    "portfolio", "date", "symbol", "quantity", "price", "local_value", "market_value",
    "local_cost", "cost_basis", "unrealized", "unrealized_fx", "daily_pnl", *PARTS, "flows")


def main():
    files, snapshots, holdings = Files(FOLDER), [], []
    for code in files.portfolios:
        chain = Chain(files, code)
        for date in DATES:
            row, rows = chain.close(date)
            totals = chain.previous
            row["receivables"] = money(totals.receivable)
            for holding in rows:
                flows = totals.positions[holding["symbol"]].flows
                holding["flows"] = money(sum((amount for _, amount in flows), ZERO))
            snapshots.append({name: row[name] for name in SNAPSHOT_COLUMNS})
            holdings += [{name: one[name] for name in HOLDING_COLUMNS} for one in rows]
    write(FOLDER / "expected-snapshots.csv", SNAPSHOT_COLUMNS, snapshots)
    write(FOLDER / "expected-holdings.csv", HOLDING_COLUMNS, holdings)


if __name__ == "__main__":
    main()
