"""Reads the demo's CSV files into exact numbers; answers what a close, rate or ratio was."""

import csv
import datetime
import types
from bisect import bisect_right
from fractions import Fraction


ZERO = Fraction(0)


def rounded(number, places=4):
    """Half to even, the only rounding of the books."""
    scale = 10**places
    return Fraction(round(Fraction(number) * scale), scale)


def day(text):
    return datetime.date.fromisoformat(text)


def rows(folder, name):
    path = folder / name
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def action(row):
    """A row of corporate-actions.csv; what is not said is None, a ratio is (new, old)."""
    def number(name):
        return Fraction(row[name]) if row.get(name) else None
    ratio = (row.get("ratio") or "").replace("/", ":")
    share = number("cost_share")
    return types.SimpleNamespace(
        ex_date=day(row["ex_date"]), symbol=row["symbol"], kind=row["type"],
        portfolio=row.get("portfolio") or "", value=number("value"),
        currency=row.get("currency") or None, cash=number("cash"),
        ratio=tuple(Fraction(part) for part in ratio.split(":")) if ratio else None,
        new_symbol=row.get("new_symbol") or None, cost=row.get("cost") or "carried",
        cost_share=ZERO if row["type"] == "rights" and share is None else share,
        pay_date=day(row["pay_date"]) if row.get("pay_date") else None,
        fraction_price=number("fraction_price"))


class Series:
    """Dated values, asked for the last one on or before a date."""

    def __init__(self, dated):
        self.dated = sorted(dated)
        self.dates = [date for date, _ in self.dated]

    def at(self, date):
        index = bisect_right(self.dates, date)
        return self.dated[index - 1] if index else None


class Files:
    """Everything that was imported."""

    def __init__(self, folder):
        self.portfolios = {row["code"]: row for row in rows(folder, "portfolios.csv")}
        self.instruments = {row["symbol"]: row for row in rows(folder, "instruments.csv")}
        self.activities = {code: [] for code in self.portfolios}
        for row in rows(folder, "activities.csv"):
            if row["status"] != "cancelled":
                self.activities[row["portfolio"]].append(row)
        closes, rates, statements = {}, {}, {}
        for row in rows(folder, "prices.csv"):
            closes.setdefault(row["symbol"], []).append((day(row["date"]), Fraction(row["close"])))
        for row in rows(folder, "fx-rates.csv"):
            rates.setdefault((row["base"], row["quote"]), []).append(
                (day(row["date"]), Fraction(row["rate"])))
        for row in rows(folder, "valuations.csv"):
            statements.setdefault((row["portfolio"], row["symbol"]), {})[day(row["date"])] = (
                Fraction(row["value"]))
        self.closes = {symbol: Series(dated) for symbol, dated in closes.items()}
        self.rates = {pair: Series(dated) for pair, dated in rates.items()}
        self.statements = statements
        self.all_actions = sorted(
            (action(row) for row in rows(folder, "corporate-actions.csv")
             if row.get("status") != "cancelled"), key=lambda one: one.ex_date)
        self.actions = {}
        for one in self.all_actions:
            self.actions.setdefault(one.symbol, []).append(one)
        self.overrides = {
            (row["calendar"], day(row["date"])): row["open"] == "true"
            for row in rows(folder, "calendars.csv")}

    def close(self, symbol, date):
        """(date, price) of the last close, in the units of `date`; None if there never was one."""
        found = self.closes[symbol].at(date) if symbol in self.closes else None
        if found is None:
            return None
        made, price = found
        for one in self.actions.get(symbol, []):
            if one.portfolio:
                continue
            if one.kind in ("split", "stock_dividend") and made < one.ex_date <= date:
                new, old = one.ratio or (one.value, Fraction(1))
                price = rounded(
                    price * old / (new if one.kind == "split" else new + old), 12)
        return made, price

    def rate(self, currency, base, date):
        """Units of `base` for one of `currency`: published, turned round, or through a third."""
        if currency == base:
            return Fraction(1)
        published = self._published(currency, base, date)
        if published:
            return published
        turned = self._published(base, currency, date)
        if turned:
            return rounded(1 / turned, 12)
        for pivot in sorted({pair[0] for pair in self.rates}):
            to_base = self._published(pivot, base, date)
            to_currency = self._published(pivot, currency, date)
            if to_base and to_currency:
                return rounded(to_base / to_currency, 12)
        raise LookupError(f"no rate {currency}/{base} on or before {date}")

    def _published(self, base, quote, date):
        found = self.rates[base, quote].at(date) if (base, quote) in self.rates else None
        return found[1] if found else None
