"""Portfolios in dollars."""

import datetime
from decimal import Decimal

from .book import Book
from .market import ONE_DAY, day


def months(first, last):
    """The given first date and the same day of each later month, up to `last`."""
    date, last = day(first), day(last)
    while date <= last:
        yield date
        year, month = divmod(date.year * 12 + date.month, 12)
        date = datetime.date(year, month + 1, date.day)


def acorn(market):
    """Monthly savings into five American shares, first come first sold."""
    book = Book(market, "ACORN", "Acorn Savings", "USD", "2014-01-02", calendar="XNYS")
    symbols = ["AMZN", "MA", "SBUX", "WMT", "BAC"]
    for index, date in enumerate(months("2014-01-02", "2017-12-02")):
        symbol = symbols[index % 5]
        date = market.trading_date(symbol, date)
        book.deposit(date, 1200, note="monthly saving")
        book.spend(date, symbol, 1150)
    book.sell("2015-11-18", "WMT", 12, note="takes some retail off")
    book.sell("2016-08-09", "SBUX", 25)
    book.withdraw("2016-08-15", "1000", note="new bicycle")
    book.sell("2017-06-30", "BAC", 70, note="across several lots")
    book.sell("2017-06-30", "BAC", 70, note="the broker sent it twice")
    book.cancel()
    book.buy("2017-06-30", "MA", 9)
    book.cash_row("fee", "2017-06-29", "12.50", note="custody, half a year")
    return book


def heron(market):
    """Long growth, short the slow; one long turned short on the demo night."""
    book = Book(market, "HERON", "Heron Long/Short", "USD", "2015-03-02")
    book.deposit("2015-03-02", 250000)
    book.buy("2015-03-03", "AMZN", 180)
    book.buy("2015-03-03", "MA", 500)
    book.buy("2015-03-04", "GOOGL", 90)
    book.sell("2015-03-05", "T", 1500, note="opens a short")
    book.sell("2015-03-06", "XOM", 600, note="opens a short")
    book.sell("2015-06-10", "GE", 2000, note="opens a short")
    book.buy("2016-02-11", "XOM", 250, note="covers in part")
    book.sell("2015-09-01", "AMD", 5000, note="opens a short")
    book.buy("2016-05-04", "AMD", 8000, note="crosses zero: covers 5000, now long 3000")
    book.buy("2016-11-10", "GM", 300)
    book.sell("2017-06-30", "GM", 500, note="crosses zero: sells 300, now short 200")
    for date in months("2015-04-15", "2017-12-15"):
        book.cash_row("fee", market.trading_date("AMZN", date), "118.40", note="stock borrow")
    for date, amount in (("2015-07-10", 705), ("2016-01-08", 720), ("2017-01-10", 735)):
        book.cash_row("interest", date, -amount, symbol="T", note="in lieu of a dividend")
    book.cash_row("interest", "2017-06-30", "41.17", note="rebate on short proceeds")
    book.withdraw("2017-07-05", 20000, note="distribution")
    return book


def falcon(market):
    """Borrows to hold three shares: cash is negative, interest is paid every month."""
    book = Book(market, "FALCON", "Falcon Leveraged", "USD", "2015-01-02", may_borrow=True,
                calendar="XNYS")
    book.deposit("2015-01-02", 100000)
    book.spend("2015-01-05", "TSLA", 60000)
    book.spend("2015-01-05", "GOOGL", 60000)
    book.spend("2015-01-06", "AAPL", 50000)
    month_ends = [
        date for date, later in zip(market.us_dates, market.us_dates[1:])
        if date.month != later.month and date >= day("2015-01-05")]
    for index, date in enumerate(month_ends):
        book.cash_row("interest", date, -(Decimal("190.10") + index * Decimal("1.37")),
                      note="margin interest")
    book.sell("2016-02-08", "TSLA", 60, note="margin call")
    book.deposit("2016-02-09", 15000, note="margin call")
    book.sell("2017-06-29", "AAPL", 100)
    book.buy("2017-06-30", "TSLA", 40)
    book.cash_row("dividend", "2017-05-18", "210.42", symbol="AAPL")
    return book


def cola(market):
    """Dividends by the statement: each is recorded when it is paid, with tax withheld."""
    book = Book(market, "COLA", "Cola & Apples Income", "USD", "2015-01-12", calendar="XNYS",
                dividends="recorded")
    book.deposit("2015-01-12", 60000)
    book.buy("2015-01-13", "COKE", 300)
    book.buy("2015-01-13", "AAPL", 250)
    book.buy("2016-06-20", "AAPL", 50)
    book.sell("2016-10-03", "COKE", 40)
    _record_dividends(market, book, {"COKE": 300, "AAPL": 250})
    book.withdraw("2017-06-30", "450.00", note="the year's income")
    book.cash_row("tax", "2017-07-05", "-31.20", symbol="AAPL", note="withholding refunded")
    return book


def _record_dividends(market, book, held):
    changes = {("AAPL", "2016-06-20"): 50, ("COKE", "2016-10-03"): -40}
    for ex_date, symbol, _, amount, _ in market.dividend_rows:
        quantity = held[symbol] + sum(
            change for (name, date), change in changes.items()
            if name == symbol and date < ex_date)
        paid = market.trading_date(symbol, day(ex_date) + 8 * ONE_DAY)
        gross = quantity * Decimal(amount)
        book.cash_row("dividend", paid, gross, symbol=symbol)
        tax = (gross * Decimal("0.15")).quantize(Decimal("0.01"))
        book.cash_row("tax", paid, tax, symbol=symbol, note="15 % withheld")


def kestrel(market):
    """Listed options: one dies, one is exercised on the demo night, one is written, one lives."""
    book = Book(market, "KESTREL", "Kestrel Options", "USD", "2017-03-01", calendar="XNYS")
    book.deposit("2017-03-01", 90000)
    book.buy("2017-03-02", "AAPL", 200)
    book.sell("2017-03-20", "TSLA170519P00280000", 2, note="writes two puts")
    book.buy("2017-04-03", "AAPL170616C00145000", 5)
    book.buy("2017-05-01", "AAPL170630C00140000", 4)
    book.buy("2017-05-15", "GOOGL170915C00950000", 1)
    book.expire("2017-05-19", "TSLA170519P00280000", note="worthless: the premium is kept")
    book.sell("2017-06-07", "AAPL170616C00145000", 2, note="takes the gain on two")
    book.expire("2017-06-16", "AAPL170616C00145000", note="worthless")
    book.expire("2017-06-30", "AAPL170630C00140000", note="exercised")
    book.buy("2017-06-30", "AAPL", 400, price=Decimal("140"), note="at the strike")
    book.expire("2017-09-15", "GOOGL170915C00950000", note="worthless")
    return book


def willow(market):
    """Average cost: every sale relieves the same cost a unit."""
    book = Book(market, "WILLOW", "Willow Average Cost", "USD", "2014-10-01",
                lot_relief="average")
    book.deposit("2014-10-01", 40000)
    for date, symbol, quantity in (
            ("2014-10-01", "BABA", 101), ("2015-01-22", "BABA", 57), ("2015-08-24", "BABA", 143),
            ("2014-11-03", "PFE", 211), ("2016-01-15", "PFE", 89), ("2014-12-01", "JPM", 97)):
        book.buy(date, symbol, quantity)
    book.sell("2015-05-12", "BABA", 37)
    book.sell("2016-09-22", "BABA", 71)
    book.sell("2016-12-08", "JPM", 40)
    book.sell("2017-06-30", "BABA", 83, note="relieves cost pro rata")
    book.buy("2017-07-06", "PFE", 64)
    return book


def linden(market):
    """Opened half-way: shares and a bond quoted in per cent of par."""
    book = Book(market, "LINDEN", "Linden Balanced", "USD", "2016-07-01", calendar="XNYS")
    book.deposit("2016-07-01", 80000)
    book.buy("2016-07-05", "FEDB27", 40000, fee=Decimal("12"), note="40 000 par")
    book.spend("2016-07-05", "BBY", 15000)
    book.spend("2016-07-06", "WMT", 15000)
    book.cash_row("interest", "2017-01-03", "450.00", symbol="FEDB27", note="coupon")
    book.sell("2017-03-15", "FEDB27", 15000, fee=Decimal("12"))
    book.cash_row("interest", "2017-06-30", "281.25", symbol="FEDB27", note="coupon")
    book.sell("2017-06-30", "BBY", 100)
    return book


def ember(market):
    """Opened, traded, sold out and paid out: nothing is left in 2017 but the record."""
    book = Book(market, "EMBER", "Ember (closed out)", "USD", "2014-05-01")
    book.deposit("2014-05-01", 30000)
    book.buy("2014-05-02", "GE", 500)
    book.buy("2014-05-02", "AMD", 2000)
    book.sell("2015-12-09", "GE", 200)
    book.sell("2017-02-14", "AMD", 2000)
    book.sell("2017-02-15", "GE", 300)
    list(book.rows())  # follows the cash
    book.withdraw("2017-05-04", book.final_cash, note="the account is emptied")
    return book


def fern(market):
    """Splits: long over a reverse split and a 3:2, short over a 4:1 on the demo night."""
    book = Book(market, "FERN", "Fern Splits", "USD", "2015-02-02")
    book.deposit("2015-02-02", 60000)
    book.buy("2015-02-03", "QVLT", 133)
    book.buy("2015-02-03", "PALR", 1210)
    book.buy("2015-03-10", "PALR", 455)
    book.sell("2015-10-06", "QVLT", Decimal("49.5"), note="leaves 150 after the 3:2")
    book.sell("2016-05-10", "NWRB", 150, note="opens a short")
    book.sell("2016-09-15", "PALR", 100, note="on the ex-date, in new units")
    book.buy("2016-11-01", "ORBN", 80)
    book.buy("2017-06-30", "NWRB", 200, note="covers in part, in new units")
    book.sell("2017-07-05", "ORBN", 60, note="in new units")
    return book


def osprey(market):
    """An inheritance: shares arrive in kind with their old cost, some are given away."""
    book = Book(market, "OSPREY", "Osprey Estate", "USD", "2015-05-04")
    book.transfer_in("2015-05-04", "XOM", 400, cost=Decimal("41.125"), acquired="2003-07-15",
                     note="at that date's close")
    book.transfer_in("2015-05-04", "JPM", 300, cost=Decimal("38.50"), amount=Decimal("18250"),
                     acquired="2009-11-02", note="at the executor's value")
    book.transfer_in("2015-05-05", "PFE", 500, note="cost unknown: the flow value is the cost")
    book.deposit("2015-05-06", 5000)
    book.sell("2016-03-17", "XOM", 150)
    book.buy("2016-03-18", "JPM", 60)
    book.transfer_out("2017-01-20", "PFE", 120, amount=Decimal("3810"), note="a gift, as agreed")
    book.sell("2017-06-29", "JPM", 50)
    book.transfer_out("2017-06-30", "XOM", 100, note="a gift, at that date's close")
    return book


def river(market):
    """What has no fresh price: one share suspended for weeks, one note never quoted."""
    book = Book(market, "RIVER", "River Illiquids", "USD", "2015-06-01")
    book.deposit("2015-06-01", 40000)
    book.buy("2015-06-02", "LAKE", 900)
    book.buy("2015-06-02", "SBUX", 120)
    book.buy_unquoted("2016-02-01", "UNLS", 100, price=Decimal("95.00"), fee=Decimal("25"),
                      note="private placement")
    book.sell("2017-02-07", "LAKE", 200)
    return book


def dawn(market):
    """Opened on the demo night itself."""
    book = Book(market, "DAWN", "Dawn", "USD", "2017-06-30")
    book.deposit("2017-06-30", 10000)
    book.buy("2017-06-30", "GOOGL", 6, price=Decimal("928.15"))
    book.buy("2017-07-03", "SBUX", 50)
    return book


def nimbus(market):
    """A coin that trades every day, week-ends too, in fractions."""
    book = Book(market, "NIMBUS", "Nimbus Coins", "USD", "2017-01-14", calendar="every_day")
    book.deposit("2017-01-14", 9000)
    for date, quantity in (
            ("2017-01-14", "3.71"), ("2017-02-18", "2.04815"), ("2017-04-29", "1.33333333")):
        book.buy(date, "OAKCOIN", Decimal(quantity), fee=Decimal("1.50"))
    book.sell("2017-06-30", "OAKCOIN", Decimal("0.87654321"), fee=Decimal("1.50"))
    book.sell("2017-07-01", "OAKCOIN", Decimal("0.5"), fee=Decimal("1.50"))
    return book


STORIES = [acorn, heron, falcon, cola, kestrel, willow, linden, ember, fern, osprey, river, dawn,
           nimbus]
