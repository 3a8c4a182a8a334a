"""British wealth portfolios of valued funds: no quantities, only flows and statements."""

import datetime
import random
from decimal import ROUND_HALF_EVEN, Decimal

from .book import Book
from .market import ONE_DAY, day

CENT = Decimal("0.01")
INWARD = {"investment", "regular_investment", "government_uplift", "product_switch_in",
          "fund_switch_in"}
OUTWARD = {"withdrawal", "regular_withdrawal", "product_switch_out", "fund_switch_out"}


def weekday_on_or_after(date):
    while date.weekday() > 4:
        date += ONE_DAY
    return date


def monthly(first, last):
    """The same day of each month, moved off week-ends."""
    date, last = day(first), day(last)
    while date <= last:
        yield weekday_on_or_after(date)
        year, month = divmod(date.year * 12 + date.month, 12)
        date = datetime.date(year, month + 1, date.day)


def month_ends(first, last):
    """The last weekday of each month."""
    date, last = day(first), day(last)
    while date <= last:
        later = date + ONE_DAY
        while later.weekday() > 4:
            later += ONE_DAY
        if date.weekday() < 5 and later.month != date.month:
            yield date
        date += ONE_DAY


def statements(book, symbol, dates, drift, volatility):
    """What the fund's value is said to be on each date, after all flows of that date."""
    draws = random.Random(f"statements {book.code} {symbol}")
    flows = sorted(
        ((row["date"], row["amount"] if row["type"] in INWARD else -Decimal(row["amount"]))
         for row in book.activities
         if row["symbol"] == symbol and row["type"] in INWARD | OUTWARD),
        key=lambda flow: flow[0])
    value, position = Decimal(0), 0
    for date in dates:
        growth = Decimal(repr(1 + draws.gauss(drift, volatility)))
        value *= growth
        while position < len(flows) and flows[position][0] <= date:
            value = max(Decimal(0), value + Decimal(flows[position][1]))
            position += 1
        value = value.quantize(CENT, ROUND_HALF_EVEN)
        if position:
            yield [book.code, symbol, date.isoformat(), format(value, "f")]


def heather(market):
    """A pension: savings with government uplift, switches, and later an income."""
    book = Book(market, "HEATHER", "Heather Pension", "GBP", "2014-04-07")
    flow = book.fund_flow
    flow("product_switch_in", "2014-04-07", "LOWCAUT", 42000, note="from a former employer")
    flow("investment", "2014-04-14", "HIGHGROW", 12000)
    for date in monthly("2014-05-05", "2017-12-05"):
        flow("regular_investment", date, "HIGHGROW", 400)
        uplift = weekday_on_or_after(date + 21 * ONE_DAY)
        flow("government_uplift", uplift, "HIGHGROW", 100, note="tax relief at source")
    book.switch("2015-02-10", "LOWCAUT", "SEAINC", 15000)
    for date in monthly("2016-01-15", "2017-12-15"):
        flow("regular_withdrawal", date, "SEAINC", "85.50")
    flow("fee", "2016-04-05", "LOWCAUT", "31.40", note="taken inside the fund")
    flow("withdrawal", "2016-11-21", "LOWCAUT", 5000)
    flow("product_switch_out", "2017-03-06", "SEAINC", 4000, note="to a spouse's plan")
    book.switch("2017-06-30", "HIGHGROW", "LOWCAUT", "7500.25")
    flow("government_uplift", "2017-06-30", "HIGHGROW", 100, note="a relief claim, late")
    flow("investment", "2017-06-29", "FENBOND", 3000, note="new: no statement before month end")
    flow("regular_withdrawal", "2017-07-03", "LOWCAUT", 250)
    dates = list(month_ends("2014-04-01", "2017-12-31"))
    rows = []
    for symbol, drift, volatility in (
            ("LOWCAUT", 0.0028, 0.008), ("HIGHGROW", 0.0071, 0.027), ("SEAINC", 0.0035, 0.013)):
        rows += statements(book, symbol, dates, drift, volatility)
    rows += statements(book, "FENBOND", [d for d in dates if d > day("2017-06-15")], 0.0006, 0.001)
    return book, rows


def thistle(market):
    """A savings plan by calendar months: one fund kept, one redeemed."""
    book = Book(market, "THISTLE", "Thistle Savings Plan", "GBP", "2015-01-05",
                irr_convention="monthly_nominal")
    flow = book.fund_flow
    flow("investment", "2015-01-05", "ISLETRK", 6000)
    for date in monthly("2015-02-03", "2017-12-03"):
        flow("regular_investment", date, "ISLETRK", 250)
    flow("investment", "2015-03-02", "FENBOND", 4000)
    flow("withdrawal", "2017-06-14", "FENBOND", "4127.35",
         note="redeemed in full, above the last statement")
    dates = list(month_ends("2015-01-01", "2017-12-31"))
    rows = list(statements(book, "ISLETRK", dates, 0.0062, 0.024))
    rows += statements(book, "FENBOND", [d for d in dates if d < day("2017-06-01")], 0.0007, 0.001)
    return book, rows


def bramble(market):
    """A property fund whose statements stopped: too old for a rate of return."""
    book = Book(market, "BRAMBLE", "Bramble Property Plan", "GBP", "2015-09-01")
    flow = book.fund_flow
    flow("investment", "2015-09-01", "MOORPROP", 20000)
    flow("investment", "2015-09-01", "LOWCAUT", 10000)
    flow("withdrawal", "2016-10-03", "MOORPROP", 2500)
    flow("regular_withdrawal", "2017-05-15", "MOORPROP", "120.00")
    flow("regular_withdrawal", "2017-06-30", "LOWCAUT", "60.00")
    dates = list(month_ends("2015-09-01", "2017-12-31"))
    rows = list(statements(book, "LOWCAUT", dates, 0.003, 0.008))
    rows += statements(
        book, "MOORPROP", [d for d in dates if d < day("2017-02-15")], 0.004, 0.006)
    return book, rows


STORIES = [heather, thistle, bramble]
