"""Portfolios outside the dollar, and across currencies."""

from decimal import Decimal

from .book import Book

STAMP_DUTY = Decimal("0.005")


def _buy_in_london(book, date, symbol, quantity):
    """A purchase and the half per cent of stamp duty on it."""
    date = book.buy(date, symbol, quantity)
    paid = Decimal(book.activities[-1]["price"]) * quantity
    duty = (paid * STAMP_DUTY).quantize(Decimal("0.01"))
    book.cash_row("tax", date, duty, symbol=symbol, note="stamp duty")


def thames(market):
    """London shares in pounds, with stamp duty; part sold on the demo night."""
    book = Book(market, "THAMES", "Thames Equity Income", "GBP", "2014-02-03", calendar="XLON")
    book.deposit("2014-02-03", 60000)
    for date, symbol, quantity in (
            ("2014-02-04", "ULVR.L", 400), ("2014-02-04", "GSK.L", 900),
            ("2014-02-05", "HSBA.L", 2500), ("2014-02-06", "BP.L", 3000),
            ("2014-09-22", "LLOY.L", 12000), ("2015-04-07", "GSK.L", 350)):
        _buy_in_london(book, date, symbol, quantity)
    book.sell("2015-08-28", "BP.L", 1200)
    book.sell("2016-06-24", "LLOY.L", 12000, note="the morning after the referendum")
    _buy_in_london(book, "2016-07-01", "RIO.L", 260)
    for date, symbol, amount in (
            ("2015-06-10", "ULVR.L", "129.60"), ("2016-06-01", "ULVR.L", "142.00"),
            ("2017-06-07", "ULVR.L", "157.36"), ("2017-06-23", "BP.L", "138.60")):
        book.cash_row("dividend", date, amount, symbol=symbol)
    book.deposit("2017-06-30", 2500, note="half-yearly saving")
    book.sell("2017-06-30", "GSK.L", 1000, price=Decimal("11.4405"),
              note="all of the first lot, part of the second")
    _buy_in_london(book, "2017-06-30", "BATS.L", 90)
    book.cash_row("dividend", "2017-06-30", "212.50", symbol="HSBA.L")
    book.withdraw("2017-07-04", 1800)
    return book


def meridian(market):
    """Euro books over American and British shares: each effect at its date's euro rate."""
    book = Book(market, "MERIDIAN", "Meridian Global", "EUR", "2014-03-03")
    book.deposit("2014-03-03", 90000)
    book.buy("2014-03-04", "MA", 220)
    book.buy("2014-03-04", "AZN.L", 450)
    book.buy("2014-03-05", "AMZN", 40)
    book.buy("2015-01-05", "AAPL", 150)
    book.buy("2015-09-10", "MA", 60)
    book.buy("2016-06-27", "DGE.L", 500, note="after the referendum")
    book.sell("2016-12-01", "AMZN", 15)
    book.cash_row("dividend", "2017-05-18", "94.50", symbol="AAPL")
    book.cash_row("tax", "2017-05-18", "14.18", symbol="AAPL", note="15 % withheld")
    book.sell("2017-06-30", "MA", 250, price=Decimal("120.61"),
              note="all of the first lot, part of the second")
    book.buy("2017-06-30", "BARC.L", 3000, price=Decimal("1.6752"))
    book.cash_row("fee", "2017-06-30", "35.00", note="custody, quarterly")
    book.withdraw("2017-06-30", 4000)
    return book


def alpine(market):
    """Franc books: dollars and pounds reach the franc only through the euro."""
    book = Book(market, "ALPINE", "Alpine Reserve", "CHF", "2014-06-02", lot_relief="average")
    book.deposit("2014-06-02", 120000)
    book.buy("2014-06-03", "JPM", 500)
    book.buy("2014-06-03", "ULVR.L", 700)
    book.buy("2015-01-16", "JPM", 211, note="the day after the franc was let go")
    book.buy("2015-01-16", "XOM", 320)
    book.sell("2016-11-09", "JPM", 260)
    book.deposit("2016-11-10", 5000, currency="EUR")
    book.buy("2016-11-10", "WMT", 150)
    book.buy("2017-06-29", "VOD.L", 4000)
    book.sell("2017-06-30", "ULVR.L", 233)
    return book


def maple(market):
    """Pound books over American shares, last in first out."""
    book = Book(market, "MAPLE", "Maple Last-In", "GBP", "2014-01-06", lot_relief="lifo")
    book.deposit("2014-01-06", 45000)
    for date, quantity in (
            ("2014-01-07", 300), ("2014-10-15", 200), ("2015-08-25", 175), ("2016-06-24", 125)):
        book.buy(date, "BBY", quantity)
    book.buy("2015-03-19", "SBUX", 240)
    book.sell("2016-01-20", "BBY", 100)
    book.sell("2016-11-18", "BBY", 90, note="within the youngest lot")
    book.sell("2017-06-30", "BBY", 150, note="the youngest lot and part of the one before")
    book.sell("2017-07-03", "SBUX", 60)
    return book


def sakura(market):
    """Yen books, where a rate above a hundred meets small prices."""
    book = Book(market, "SAKURA", "Sakura Overseas", "JPY", "2015-07-01")
    book.deposit("2015-07-01", 6000000)
    book.buy("2015-07-02", "GE", 700)
    book.buy("2015-07-02", "VOD.L", 6000)
    book.sell("2016-10-05", "GE", 233)
    book.buy("2017-06-30", "AMD", 800)
    return book


def cider(market):
    """Automatic dividends: the ex-dates pay whoever holds, and a short pays them."""
    book = Book(market, "CIDER", "Cider Automatic", "EUR", "2015-01-02", dividends="automatic")
    book.deposit("2015-01-02", 40000)
    book.buy("2015-01-05", "AAPL", 180)
    book.sell("2015-04-28", "COKE", 60, note="short over an ex-date")
    book.buy("2015-08-20", "COKE", 60, note="covers")
    book.buy("2015-08-21", "COKE", 90)
    book.buy("2017-05-11", "AAPL", 40, note="on the ex-date: too late for the dividend")
    book.sell("2017-08-10", "AAPL", 70, note="on the ex-date: sold with the dividend kept")
    return book


def harbour(market):
    """A balance a currency: deposits in two, conversions between three."""
    book = Book(market, "HARBOUR", "Harbour Multi-Currency", "EUR", "2015-02-02",
                cash="per_currency")
    book.deposit("2015-02-02", 50000)
    book.deposit("2015-02-02", 30000, currency="USD")
    book.buy("2015-02-03", "AMZN", 40)
    book.exchange("2015-02-05", "20000", "EUR", "15031.50", "GBP", fee=Decimal("15"))
    book.buy("2015-02-06", "AZN.L", 300)
    book.cash_row("interest", "2015-12-31", "4.18")
    book.cash_row("dividend", "2016-03-24", "190.40", symbol="AZN.L")
    book.exchange("2016-04-06", "8000", "USD", "7018.25", "EUR")
    book.sell("2016-12-14", "AMZN", 10)
    book.withdraw("2017-03-31", 2000)
    book.exchange("2017-06-30", "5000", "EUR", "5699.12", "USD", fee=Decimal("7.50"))
    book.buy("2017-06-30", "BAC", 180)
    book.cash_row("interest", "2017-06-30", "-3.06", currency="USD")
    book.deposit("2017-07-04", 1000, currency="USD")
    return book


STORIES = [thames, meridian, alpine, maple, sakura, cider, harbour]
