#!/usr/bin/env python3
"""Writes Fixtures/events: small portfolios to which every corporate action happens, by chance.

The same files each time. Six portfolios share a market of five shares over three weeks; they
differ in how lots are relieved, how cash is kept and where dividends come from.
"""

import csv
import datetime
import pathlib
import random

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "events"
MARKETS, SHARES, DAYS = 16, 5, 15
FIRST = datetime.date(2024, 3, 4)
RELIEFS, CURRENCIES = ("fifo", "lifo", "average"), ("USD", "EUR", "GBP")
RATIOS = ("1:1", "2:1", "3:2", "1:3", "1:10", "7:3", "25/29", "0.333333333333:1")
ACTION_COLUMNS = (
    "ex_date", "symbol", "type", "status", "portfolio", "value", "currency", "ratio",
    "new_symbol", "cash", "cost_share", "pay_date", "fraction_price", "cost", "id")
ACTIVITY_COLUMNS = (
    "id", "portfolio", "date", "type", "symbol", "quantity", "price", "amount", "fee", "currency",
    "acquired", "status", "pay_date")


def dates():
    return [FIRST + datetime.timedelta(days=offset) for offset in range(DAYS)]


def cents(rng, low, high):
    return f"{rng.randint(low * 100, high * 100) / 100:.2f}"


def action(rng, symbols, currencies, date):
    """One action of a date, or None where it would make no sense."""
    symbol, other = rng.sample(symbols, 2)
    row = {"ex_date": date, "symbol": symbol, "status": "active"}
    kind = rng.choice(
        ("split", "split", "stock_dividend", "dividend", "return_of_capital", "merger", "merger",
         "spin_off", "spin_off", "rights"))
    row["type"] = kind
    if kind in ("dividend", "return_of_capital"):
        row["value"] = cents(rng, 0, 6) if rng.random() < 0.9 else cents(rng, 60, 90)
        if row["value"] == "0.00":
            return None
        row["currency"] = rng.choice(("",) + CURRENCIES)
        row["pay_date"] = rng.choice(("", date + datetime.timedelta(days=rng.randint(0, 9))))
    elif kind == "split" and rng.random() < 0.3:
        row["value"] = rng.choice(("2", "0.5", "0.333333333333"))
    else:
        row["ratio"] = rng.choice(RATIOS)
    if kind in ("merger", "spin_off", "rights"):
        row["new_symbol"] = other
    if kind == "spin_off" or kind == "rights" and rng.random() < 0.3:
        row["cost_share"] = rng.choice(("0", "0.1", "0.271828", "1"))
    if kind == "merger":
        shape = rng.random()
        if shape < 0.6:
            row["cash"] = cents(rng, 1, 40)
            row["currency"] = rng.choice(("",) + CURRENCIES)
            row["pay_date"] = rng.choice(("", date + datetime.timedelta(days=rng.randint(0, 9))))
        if shape < 0.2:
            row["ratio"] = row["new_symbol"] = ""
        elif shape < 0.3:
            row["cost_share"] = "0.4"
        elif rng.random() < 0.3:
            row["cost"] = "realized"
    if row.get("ratio") and rng.random() < 0.4:
        row["fraction_price"] = cents(rng, 20, 120)
    if rng.random() < 0.1:
        row["status"] = "cancelled"
    return row


def is_circle(rows):
    """Whether units pass in a circle on one date, by one type."""
    edges = {(row["symbol"], row["new_symbol"]) for row in rows if row.get("new_symbol")}
    for start, _ in edges:
        reached, todo = set(), [start]
        while todo:
            here = todo.pop()
            for one, other in edges:
                if one == here and other not in reached:
                    reached.add(other)
                    todo.append(other)
        if start in reached:
            return True
    return False


def actions(rng, market, symbols, currencies):
    result, keys = [], set()
    for date in dates()[2:]:
        today = []
        for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
            row = action(rng, symbols, currencies, date)
            key = row and (row["symbol"], row["type"])
            # One number for one key; a merged share has nothing else happen on its date.
            if not row or key in keys or is_circle(today + [row]):
                continue
            if rng.random() < 0.15:
                row["portfolio"] = f"M{market}P{rng.randint(0, 5)}"
            # Two of one date and type stand where they have names.
            if any(key == (other["symbol"], other["type"]) for other in today):
                row["id"] = f"{len(today)}"
            today.append(row)
        keys = {(row["symbol"], row["type"]) for row in today}
        result += today
    return result


def activities(rng, code, symbols, currencies, automatic):
    rows = []

    def log(date, kind, symbol="", currency="USD", **fields):
        rows.append({
            "id": f"{code}-{len(rows)}", "portfolio": code, "date": date, "type": kind,
            "symbol": symbol, "currency": currency, "status": "active", **fields})

    log(FIRST, "deposit", amount="20000")
    for symbol in rng.sample(symbols, 2):
        log(FIRST, "transfer_in", symbol, currencies[symbol], quantity=str(rng.randint(1, 99) / 4),
            price=cents(rng, 20, 120), acquired=FIRST - datetime.timedelta(days=rng.randint(0, 99)))
    for date in dates():
        for _ in range(rng.choice((0, 1, 1, 2))):
            symbol = rng.choice(symbols)
            currency, chance = currencies[symbol], rng.random()
            quantity = rng.choice((str(rng.randint(1, 40)), f"{rng.randint(1, 400) / 8}"))
            price = cents(rng, 20, 120)
            if chance < 0.75:
                log(date, "buy" if rng.random() < 0.6 else "sell", symbol, currency,
                    quantity=quantity, price=price, fee=rng.choice(("", "1.25")))
            else:
                kinds = ("interest", "tax") if automatic else ("dividend", "interest", "tax")
                log(date, rng.choice(kinds), symbol, rng.choice(CURRENCIES),
                    amount=cents(rng, 1, 90),
                    pay_date=rng.choice(("", date + datetime.timedelta(days=rng.randint(0, 6)))))
    return rows


def write(name, columns, rows):
    with open(FOLDER / name, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)


def main():
    rng = random.Random(20240304)
    FOLDER.mkdir(exist_ok=True)
    instruments, portfolios, prices, rates, log, acts = [], [], [], [], [], []
    for market in range(MARKETS):
        symbols = [f"M{market}{letter}" for letter in "ABCDE"[:SHARES]]
        currencies = {symbol: rng.choice(CURRENCIES) for symbol in symbols}
        for symbol in symbols:
            instruments.append({
                "symbol": symbol, "name": symbol, "kind": "equity",
                "currency": currencies[symbol], "multiplier": "1", "pricing": "quoted"})
            for date in dates():
                if date == FIRST or rng.random() < 0.8:
                    prices.append({"date": date, "symbol": symbol, "close": cents(rng, 20, 120),
                                   "currency": currencies[symbol]})
        acts += actions(rng, market, symbols, currencies)
        for number in range(6):
            code, automatic = f"M{market}P{number}", rng.random() < 0.6
            portfolios.append({
                "code": code, "name": code, "base_currency": "USD", "inception_date": FIRST,
                "calendar": "every_day", "lot_relief": RELIEFS[number % 3],
                "cash": "base" if number < 3 else "per_currency",
                "dividends": "automatic" if automatic else "recorded",
                "irr_convention": "xirr_act365"})
            log += activities(rng, code, symbols, currencies, automatic)
    for date in dates():
        for quote, low, high in (("USD", 105, 125), ("GBP", 82, 90)):
            rates.append({"date": date, "base": "EUR", "quote": quote,
                          "rate":
                          f"{rng.randint(low * 100, high * 100) / 10000:.4f}"})
    write("instruments.csv", instruments[0], instruments)
    write("portfolios.csv", portfolios[0], portfolios)
    write("prices.csv", prices[0], prices)
    write("fx-rates.csv", rates[0], rates)
    write("corporate-actions.csv", ACTION_COLUMNS, acts)
    write("activities.csv", ACTIVITY_COLUMNS, log)


if __name__ == "__main__":
    main()
