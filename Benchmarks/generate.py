#!/usr/bin/env python3
"""Writes a workload for benchmarks in the import formats: one night over many alike portfolios.

    generate.py OUT --portfolios M --holdings H --months K --symbols S

Every portfolio saves into H random symbols once a month for K months. Two dates matter:
FIRST_CLOSE gives the opening equity, MEASURED_NIGHT is the close that is timed; about one holding
in twenty buys on it. The same arguments give the same bytes on every machine: the order of the
draws below is part of the format.
"""

import argparse
import datetime
import pathlib
import random

FIRST_CLOSE = datetime.date(2025, 6, 30)
MEASURED_NIGHT = datetime.date(2025, 7, 1)
ONE_DAY = datetime.timedelta(days=1)
NIGHT_BUYERS = 0.05  # the share of holdings that buy on the measured night


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, help="the folder to write into")
    for name, default, meaning in (
        ("portfolios", 1000, "how many portfolios"),
        ("holdings", 10, "symbols that each portfolio saves into"),
        ("months", 60, "months of savings before the measured night"),
        ("symbols", 500, "instruments in the market"),
        ("seed", 7, "start of the random numbers"),
        ("days", 0, "further business dates after the measured night, for replay"),
        ("history", 0, "business dates with prices before the first close"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=meaning)
    return parser.parse_args()


def on_or_after(date):
    """The date, or the Monday after it when it falls on a weekend."""
    while date.weekday() >= 5:
        date += ONE_DAY
    return date


def savings_dates(count):
    """The second of each month up to June 2025, moved off weekends, ascending."""
    last_month = 2025 * 12 + 5
    months = range(last_month - count + 1, last_month + 1)
    return [on_or_after(datetime.date(m // 12, m % 12 + 1, 2)) for m in months]


def nights(further):
    """The measured night and so many business dates after it."""
    dates = [MEASURED_NIGHT]
    for _ in range(further):
        dates.append(on_or_after(dates[-1] + ONE_DAY))
    return dates


def weekdays_before_first_close(count):
    dates, date = [], FIRST_CLOSE
    while len(dates) < count:
        date -= ONE_DAY
        if date.weekday() < 5:
            dates.append(date)
    return dates


def write_instruments(out, symbols):
    with open(out / "instruments.csv", "w", newline="\n") as file:
        file.write("symbol,name,kind,currency,multiplier,pricing\n")
        for index in range(symbols):
            file.write(f"S{index:04d},Stock {index},equity,USD,1,quoted\n")


def write_prices(out, symbols, dates, draws):
    """A random walk a symbol, never below 1; returns the closes as trades will quote them."""
    closes = {}
    with open(out / "prices.csv", "w", newline="\n") as file:
        file.write("date,symbol,close,currency\n")
        for index in range(symbols):
            level = draws.uniform(20, 200)
            previous = dates[0]
            for date in dates:
                days = max(1, (date - previous).days)
                growth = 1 + draws.gauss(0.0004 * days, 0.012 * days**.5)
                level = max(1, level * growth)
                previous = date
                closes[index, date] = round(level, 4)
                file.write(f"{date},S{index:04d},{level:.4f},USD\n")
    return closes


def write_portfolios(out, count, inception):
    with open(out / "portfolios.csv", "w", newline="\n") as file:
        file.write("code,name,base_currency,inception_date\n")
        for index in range(count):
            file.write(f"P{index:06d},Portfolio {index},USD,{inception}\n")


def write_activities(out, arguments, savings, closes, draws):
    """A deposit and a purchase of the same amount each time; returns the number of rows."""
    rows = 0
    with open(out / "activities.csv", "w", newline="\n") as file:
        file.write("id,portfolio,date,type,symbol,quantity,price,amount,fee,currency\n")
        for index in range(arguments.portfolios):
            code = f"P{index:06d}"
            held = draws.sample(range(arguments.symbols), arguments.holdings)
            for date in savings + [MEASURED_NIGHT]:
                for symbol in held:
                    if date == MEASURED_NIGHT and draws.random() > NIGHT_BUYERS:
                        continue
                    quantity = draws.randint(1, 40)
                    price = closes[symbol, date]
                    amount = quantity * price
                    file.write(f"a{rows + 1},{code},{date},deposit,,,,{amount:.4f},,USD\n")
                    file.write(
                        f"a{rows + 2},{code},{date},buy,S{symbol:04d},{quantity},{price},,0,USD\n")
                    rows += 2
    return rows


def main():
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    draws = random.Random(arguments.seed)
    savings = savings_dates(arguments.months)
    dates = sorted({
        *savings, *weekdays_before_first_close(arguments.history), FIRST_CLOSE,
        *nights(arguments.days)})
    write_instruments(arguments.out, arguments.symbols)
    closes = write_prices(arguments.out, arguments.symbols, dates, draws)
    write_portfolios(arguments.out, arguments.portfolios, savings[0])
    rows = write_activities(arguments.out, arguments, savings, closes, draws)
    print(f"{arguments.portfolios} portfolios of {arguments.holdings} holdings, {rows} activities, "
          f"{len(closes)} closes; first close {FIRST_CLOSE}, measured night {MEASURED_NIGHT}")


if __name__ == "__main__":
    main()
