#!/usr/bin/env python3
"""Writes the demo's import files from a folder of real market data.

    generate.py --data DIR [--out DIR]

DIR holds `prices.csv` (date,symbol,close,currency), `fx_rates.csv` (date,base,quote,rate) and
`dividends.csv` (ex_date,symbol,amount_per_share,currency). The same data give the same bytes.
"""

import argparse
import csv
import pathlib

from making import abroad, american, wealth
from making.market import FUNDS, INVENTED, LONDON_NAMES, SPLITS, US_NAMES, Market

HERE = pathlib.Path(__file__).resolve().parent
SEED = 20170630
TERMS = {"calendar": "weekdays", "lot_relief": "fifo", "cash": "base", "dividends": "recorded",
            "irr_convention": "xirr_act365"}
# Days on which the real exchanges departed from their rules since the rules were written.
EXCEPTIONAL_DATES = [
    ("XLON", "2020-05-04", "true"), ("XLON", "2020-05-08", "false"),
    ("XLON", "2022-05-30", "true"), ("XLON", "2022-06-02", "false"),
    ("XLON", "2022-06-03", "false"), ("XLON", "2022-09-19", "false"),
    ("XLON", "2023-05-08", "false"), ("XNYS", "2018-12-05", "false"),
    ("XNYS", "2025-01-09", "false"),
]


def write(out, name, header, rows):
    with open(out / name, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def instruments():
    for symbol, name in US_NAMES.items():
        yield symbol, name, "equity", "USD", "1", "quoted"
    for symbol, name in LONDON_NAMES.items():
        yield symbol, name, "equity", "GBP", "1", "quoted"
    for symbol, (name, kind, multiplier) in INVENTED.items():
        yield symbol, name, kind, "USD", multiplier, "quoted"
    for symbol, name in FUNDS.items():
        yield symbol, name, "fund", "GBP", "1", "valued"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the market data folder")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "demo")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    market = Market(arguments.data, SEED)
    books = [story(market) for story in american.STORIES + abroad.STORIES]
    valuations = []
    for story in wealth.STORIES:
        book, rows = story(market)
        books.append(book)
        valuations += rows
    books.sort(key=lambda book: book.code)

    def save(name, header, rows):
        write(arguments.out, name, header, rows)

    save("instruments.csv", "symbol,name,kind,currency,multiplier,pricing", instruments())
    save("prices.csv", "date,symbol,close,currency", sorted(market.price_rows))
    save("fx-rates.csv", "date,base,quote,rate", market.rate_rows)
    splits = [(ex_date, symbol, "split", ratio, "") for symbol, ex_date, ratio in SPLITS]
    save("corporate-actions.csv", "ex_date,symbol,type,value,currency",
         sorted(market.dividend_rows + splits))
    save("calendars.csv", "calendar,date,open", EXCEPTIONAL_DATES)
    save("portfolios.csv",
         "code,name,base_currency,inception_date,calendar,lot_relief,cash,dividends,irr_convention",
         ([book.code, book.name, book.base, book.inception.isoformat(),
           *(book.terms.get(term, usual) for term, usual in TERMS.items())] for book in books))
    save("activities.csv",
         "id,portfolio,date,type,symbol,quantity,price,amount,fee,currency,acquired,status,note",
         (row for book in books for row in book.rows()))
    save("valuations.csv", "portfolio,symbol,date,value", valuations)


if __name__ == "__main__":
    main()
