#!/usr/bin/env python3
"""The independent close: what the snapshots of the demo must be, from the CSV files alone.

    close.py                                   writes every scenario into Fixtures/expected
    close.py --portfolio CODE DATE [DATE …]    prints the snapshots of these dates, in order

It shares no code and no design with the product. Numbers are exact fractions, rounded half to even
only where docs/calculations.md names a rounding; a portfolio's totals since inception are replayed
from its log for every date, and a date's numbers are differences of totals.
"""

import argparse
import csv
import pathlib
import sys
from decimal import Decimal
from fractions import Fraction

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from reference.calendars import business_dates, is_business_date  # noqa: E402
from reference.files import Files, day  # noqa: E402
from reference.irr import monthly_nominal, xirr  # noqa: E402
from reference.ledger import ZERO, Totals  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parent.parent
CARRIED_DAYS_LIMIT = 5
STATEMENT_AGE_LIMIT = 100
# Scenario → the first close, single dates after it, and every business date then up to one.
SCENARIOS = {
    "demo": ("2017-06-29", ["2017-06-30"], None),
    "catch-up": ("2017-06-29", ["2017-06-30"], "2017-07-07"),
    "gap": ("2016-12-30", ["2017-06-30"], None),
    "ex-date": ("2017-08-09", ["2017-08-10"], None),
    "carried": ("2017-11-07", ["2017-11-08"], None),
}
PARTS = ("realized_pnl", "unrealized_change", "income", "fees", "taxes", "fx_pnl")
SNAPSHOT_COLUMNS = (
    "portfolio", "date", "opened_from", "opening_equity", "inflow", "outflow",
    "net_external_flow", "daily_pnl", *PARTS, "unrealized_pnl", "closing_equity", "cash",
    "long_value", "short_value", "daily_return", "index", "index_since", "cumulative_pnl",
    "priced", "carried", "missing", "max_carried_days", "degraded", "irr", "irr_log_growth",
    "irr_status", "irr_roots", "irr_convention")
HOLDING_COLUMNS = (
    "portfolio", "date", "symbol", "quantity", "price", "price_date", "local_value",
    "market_value", "local_cost", "cost_basis", "unrealized", "unrealized_fx", "daily_pnl",
    *PARTS, "irr", "irr_log_growth", "irr_status", "irr_roots")


def position_parts(position):
    """A holding's P&L since inception, by its parts."""
    return {
        "realized_pnl": position.realized,
        "unrealized_change": position.unrealized - position.arrived,
        "income": position.income, "fees": position.fees, "taxes": position.taxes,
        "fx_pnl": position.realized_fx + position.unrealized_fx - position.arrived_fx}


def portfolio_parts(totals):
    parts = {"realized_pnl": ZERO, "unrealized_change": ZERO, "income": totals.income,
             "fees": totals.fees, "taxes": totals.taxes, "fx_pnl": totals.cash_fx + totals.receivable_fx}
    for position in totals.positions.values():
        for name, value in position_parts(position).items():
            parts[name] += value
    return parts


def total(parts):
    return (parts["realized_pnl"] + parts["unrealized_change"] + parts["income"] - parts["fees"]
            - parts["taxes"] + parts["fx_pnl"])


def less(parts, before):
    return {name: value - before[name] for name, value in parts.items()} if before else parts


class Chain:
    """The snapshots of one portfolio, closed one after the other."""

    def __init__(self, files, code):
        self.files, self.code = files, code
        self.terms = files.portfolios[code]
        self.previous, self.index, self.index_since = None, 1.0, None

    def is_business_date(self, date):
        return date >= day(self.terms["inception_date"]) and is_business_date(
            self.terms["calendar"], date, self.files.overrides)

    def close(self, date):
        """The snapshot row and the holding rows of the date."""
        totals, before = Totals(self.files, self.code, date), self.previous
        self.previous = totals
        opening = before.equity if before else ZERO
        inflow = totals.inflow - (before.inflow if before else ZERO)
        outflow = totals.outflow - (before.outflow if before else ZERO)
        parts = less(portfolio_parts(totals), portfolio_parts(before) if before else None)
        holdings = [self._holding(totals, before, position)
                    for _, position in sorted(totals.positions.items())]
        pnl = total(parts)
        assert totals.equity == opening + pnl + inflow - outflow, (self.code, date)
        alone = less(
            {"income": totals.income, "fees": totals.fees, "taxes": totals.taxes,
             "fx": totals.cash_fx + totals.receivable_fx},
            before and {"income": before.income, "fees": before.fees, "taxes": before.taxes,
                        "fx": before.cash_fx + before.receivable_fx})
        assert pnl == sum(Fraction(row["daily_pnl"]) for row in holdings) + (
            alone["income"] - alone["fees"] - alone["taxes"] + alone["fx"]), (self.code, date)
        daily_return = self._link(totals, before, opening, inflow, outflow)
        rate = self._rate(totals.flows, totals.equity, date, all(
            self._complete(position, date) for position in totals.positions.values()))
        row = {
            "portfolio": self.code, "date": date, "opened_from": before.date if before else "",
            "opening_equity": money(opening), "inflow": money(inflow), "outflow": money(outflow),
            "net_external_flow": money(inflow - outflow), "daily_pnl": money(pnl),
            **{name: money(value) for name, value in parts.items()},
            "unrealized_pnl": money(sum(
                (position.unrealized for position in totals.positions.values()), ZERO)),
            "closing_equity": money(totals.equity), "cash": money(totals.cash),
            "long_value": money(totals.long_value), "short_value": money(totals.short_value),
            "daily_return": real(daily_return), "index": real(self.index),
            "index_since": self.index_since,
            "cumulative_pnl": money(total(portfolio_parts(totals))),
            **self._quality(totals, date), **rate_columns(rate),
            "irr_convention": self.terms["irr_convention"]}
        return row, holdings

    def _holding(self, totals, before, position):
        earlier = before.positions.get(position.symbol) if before else None
        parts = less(position_parts(position), position_parts(earlier) if earlier else None)
        rate = self._rate(position.flows, position.market_value, totals.date,
                          self._complete(position, totals.date))
        return {
            "portfolio": self.code, "date": totals.date, "symbol": position.symbol,
            "quantity": plain(position.quantity), "price": plain(position.price),
            "price_date": position.price_date or "", "local_value": money(position.local_value),
            "market_value": money(position.market_value), "local_cost": money(position.cost(1)),
            "cost_basis": money(position.cost(2)), "unrealized": money(position.unrealized),
            "unrealized_fx": money(position.unrealized_fx), "daily_pnl": money(total(parts)),
            **{name: money(value) for name, value in parts.items()}, **rate_columns(rate)}

    def _link(self, totals, before, opening, inflow, outflow):
        """The return since the previous close; moves the index."""
        if before is None and totals.date != day(self.terms["inception_date"]):
            self.index_since = totals.date
            return None
        self.index_since = self.index_since or totals.date
        if opening + inflow <= 0:
            self.index_since = totals.date
            return None
        growth = (totals.equity + outflow) / (opening + inflow)
        self.index *= max(0.0, float(growth))
        return float(growth - 1)

    def _age(self, position, date):
        return len(business_dates(
            self.terms["calendar"], position.price_date, date, self.files.overrides))

    def _complete(self, position, date):
        """Whether the holding's value is good enough for a rate of return."""
        if position.valued:
            if position.value == 0:
                return True
            made = position.statement_date
            if self.terms["irr_convention"] == "monthly_nominal":
                return made is not None and (made.year, made.month) == (date.year, date.month)
            return made is not None and (date - made).days <= STATEMENT_AGE_LIMIT
        if not position.quantity:
            return True
        return position.price is not None and self._age(position, date) <= CARRIED_DAYS_LIMIT

    def _quality(self, totals, date):
        """Counts open quoted holdings; a fund's statement is judged by its age alone."""
        open_now = [p for p in totals.positions.values() if not p.valued and p.quantity]
        ages = [self._age(p, date) for p in open_now if p.price is not None]
        missing = sum(p.price is None for p in open_now)
        worst = max(ages, default=0)
        return {"priced": ages.count(0), "carried": len(ages) - ages.count(0), "missing": missing,
                "max_carried_days": worst,
                "degraded": "true" if missing or worst > CARRIED_DAYS_LIMIT else "false"}

    def _rate(self, flows, closing, date, complete):
        solve = monthly_nominal if self.terms["irr_convention"] == "monthly_nominal" else xirr
        return solve(flows, closing, date, complete)


def rate_columns(rate):
    return {"irr": real(rate.value), "irr_log_growth": real(rate.growth),
            "irr_status": rate.status, "irr_roots": rate.roots or ""}


def money(number):
    assert number * 10_000 == int(number * 10_000), "an unrounded amount reached a report"
    return f"{Decimal(int(number * 10_000)).scaleb(-4):f}"


def plain(number):
    """Up to twelve decimals, without trailing zeros."""
    if number is None:
        return ""
    text = f"{Decimal(int(number * 10**12)).scaleb(-12):f}"
    return text.rstrip("0").rstrip(".")


def real(number):
    return "" if number is None else repr(float(number))


def scenario(files, first, single, through):
    for code in sorted(files.portfolios):
        chain = Chain(files, code)
        dates = [day(first), *map(day, single)]
        if through:
            dates += business_dates(
                chain.terms["calendar"], dates[-1], day(through), files.overrides)
        for date in dates:
            if chain.is_business_date(date):
                yield chain.close(date)


def write(path, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=FIXTURES / "demo")
    parser.add_argument("--out", type=pathlib.Path, default=FIXTURES / "expected")
    parser.add_argument("--portfolio")
    parser.add_argument("dates", nargs="*", type=day)
    arguments = parser.parse_args()
    files = Files(arguments.data)
    if arguments.portfolio:
        chain = Chain(files, arguments.portfolio)
        for date in arguments.dates:
            row, holdings = chain.close(date)
            for line in (row, *holdings):
                print(" ".join(f"{name}={value}" for name, value in line.items()), end="\n\n")
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, dates in SCENARIOS.items():
        closed = list(scenario(files, *dates))
        write(arguments.out / f"{name}-snapshots.csv", SNAPSHOT_COLUMNS,
              (row for row, _ in closed))
        write(arguments.out / f"{name}-holdings.csv", HOLDING_COLUMNS,
              (row for _, rows in closed for row in rows))
        print(f"{name}: {len(closed)} snapshots, {sum(len(rows) for _, rows in closed)} holdings")


if __name__ == "__main__":
    main()
