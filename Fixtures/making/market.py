"""The market of the demo: real closes and rates from the data folder, and a few invented series."""

import csv
import datetime
import random
from bisect import bisect_right
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
TWELVE_PLACES = Decimal("1e-12")
ONE_DAY = datetime.timedelta(days=1)

US_NAMES = {
    "AAPL": "Apple", "AMD": "Advanced Micro Devices", "AMZN": "Amazon.com", "BABA": "Alibaba ADR",
    "BAC": "Bank of America", "BBY": "Best Buy", "COKE": "Coca-Cola Bottling Consolidated",
    "GE": "General Electric", "GM": "General Motors", "GOOGL": "Alphabet A",
    "JPM": "JPMorgan Chase", "MA": "Mastercard", "PFE": "Pfizer", "SBUX": "Starbucks",
    "T": "AT&T", "TSLA": "Tesla", "WMT": "Walmart", "XOM": "Exxon Mobil",
}
LONDON_NAMES = {
    "AZN.L": "AstraZeneca", "BA.L": "BAE Systems", "BARC.L": "Barclays",
    "BATS.L": "British American Tobacco", "BP.L": "BP", "DGE.L": "Diageo",
    "GSK.L": "GlaxoSmithKline", "HSBA.L": "HSBC Holdings", "LLOY.L": "Lloyds Banking Group",
    "RIO.L": "Rio Tinto", "ULVR.L": "Unilever", "VOD.L": "Vodafone Group",
}
# Invented instruments: symbol → name, kind, multiplier. All are priced in USD.
INVENTED = {
    "NWRB": ("Northwind Robotics", "equity", "1"),
    "PALR": ("Palermo Resources", "equity", "1"),
    "QVLT": ("Quiet Valley Telecom", "equity", "1"),
    "ORBN": ("Orbis Numerics", "equity", "1"),
    "LAKE": ("Lakeside Timber", "equity", "1"),
    "UNLS": ("Unlisted Harbour Note", "equity", "1"),
    "FEDB27": ("Federal Bond 2.25 % 2027", "bond", "0.01"),
    "OAKCOIN": ("Oakcoin", "crypto", "1"),
    "AAPL170616C00145000": ("AAPL 16 Jun 2017 145 call", "option", "100"),
    "AAPL170630C00140000": ("AAPL 30 Jun 2017 140 call", "option", "100"),
    "TSLA170519P00280000": ("TSLA 19 May 2017 280 put", "option", "100"),
    "GOOGL170915C00950000": ("GOOGL 15 Sep 2017 950 call", "option", "100"),
}
# Valued funds: reported by statement, in pounds.
FUNDS = {
    "LOWCAUT": "Lowland Cautious Fund", "HIGHGROW": "Highland Growth Fund",
    "SEAINC": "Seaboard Income Fund", "MOORPROP": "Moorland Property Fund",
    "ISLETRK": "Isle Index Tracker", "FENBOND": "Fenland Short Bond Fund",
}
SPLITS = [  # symbol, ex-date, new units for one old
    ("QVLT", "2015-06-15", "1.5"), ("PALR", "2016-09-15", "0.2"), ("NWRB", "2017-06-30", "4"),
    ("ORBN", "2017-07-03", "2"),
]


def day(text):
    return datetime.date.fromisoformat(text)


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


class Market:
    """Closes by symbol and date, and rates of the euro by currency and date, as exact decimals."""

    def __init__(self, data, seed):
        self.price_rows = [
            (row["date"], row["symbol"], row["close"], row["currency"])
            for row in read_rows(data / "prices.csv")]
        self.rate_rows = [
            (row["date"], row["base"], row["quote"], row["rate"])
            for row in read_rows(data / "fx_rates.csv")]
        self.dividend_rows = [
            (row["ex_date"], row["symbol"], "dividend", row["amount_per_share"], row["currency"])
            for row in read_rows(data / "dividends.csv")]
        self.closes = {}
        for date, symbol, close, _ in self.price_rows:
            self.closes.setdefault(symbol, {})[day(date)] = Decimal(close)
        self.rates = {}
        for date, _, quote, rate in self.rate_rows:
            self.rates.setdefault(quote, {})[day(date)] = Decimal(rate)
        self.us_dates = sorted(self.closes["AMZN"])
        self._invent(seed)
        self.sorted_dates = {symbol: sorted(series) for symbol, series in self.closes.items()}
        self.sorted_rate_dates = {quote: sorted(series) for quote, series in self.rates.items()}

    def currency(self, symbol):
        return "GBP" if symbol in LONDON_NAMES or symbol in FUNDS else "USD"

    def trading_date(self, symbol, date):
        """The first date on or after `date` with a close of the symbol."""
        dates = self.sorted_dates[symbol]
        index = bisect_right(dates, date - ONE_DAY)
        return dates[index]

    def close(self, symbol, date):
        return self.closes[symbol][date]

    def close_on_or_before(self, symbol, date):
        dates = self.sorted_dates[symbol]
        return self.closes[symbol][dates[bisect_right(dates, date) - 1]]

    def rate(self, currency, base, date):
        """Units of `base` for one unit of `currency`, from the euro rates, to twelve decimals."""
        if currency == base:
            return Decimal(1)
        crossed = self._per_euro(base, date) / self._per_euro(currency, date)
        return crossed.quantize(TWELVE_PLACES, ROUND_HALF_EVEN)

    def _per_euro(self, currency, date):
        if currency == "EUR":
            return Decimal(1)
        dates = self.sorted_rate_dates[currency]
        return self.rates[currency][dates[bisect_right(dates, date) - 1]]

    # Invented series

    def _invent(self, seed):
        def walk(symbol, dates, start, drift, volatility):
            """A random walk in cents; a split divides the level on its ex-date."""
            draws = random.Random(f"{seed} {symbol}")
            ratios = {day(ex): float(ratio) for name, ex, ratio in SPLITS if name == symbol}
            level, previous = start, dates[0]
            for date in dates:
                for ex_date, ratio in ratios.items():
                    level /= ratio if previous < ex_date <= date else 1
                level, previous = max(0.5, level * (1 + draws.gauss(drift, volatility))), date
                self._add(symbol, date, Decimal(level).quantize(CENT, ROUND_HALF_EVEN))

        us_dates = [date for date in self.us_dates if date >= day("2015-01-02")]
        walk("NWRB", us_dates, 96.0, 0.0011, 0.014)
        walk("PALR", us_dates, 5.1, -0.0012, 0.022)
        walk("QVLT", us_dates, 61.0, 0.0004, 0.011)
        unpublished = day("2017-07-03")
        walk("ORBN", [d for d in us_dates if d != unpublished], 140.0, 0.0005, 0.012)
        suspended = day("2017-06-13"), day("2017-07-05")
        walk("LAKE", [d for d in us_dates if not suspended[0] <= d < suspended[1]],
             18.0, 0.0003, 0.009)
        walk("FEDB27", us_dates, 97.5, 0.00003, 0.0024)
        every_day, date = [], day("2017-01-01")
        while date <= day("2017-12-29"):
            every_day.append(date)
            date += ONE_DAY
        walk("OAKCOIN", every_day, 412.0, 0.0042, 0.045)
        self._options()

    def _options(self):
        """Prices of options: what exercise would give, and a premium that melts towards expiry."""
        for symbol, first, expiry, underlying, strike, is_call, premium in (
            ("AAPL170616C00145000", "2017-04-03", "2017-06-16", "AAPL", 145, True, 3.2),
            ("AAPL170630C00140000", "2017-05-01", "2017-06-30", "AAPL", 140, True, 4.1),
            ("TSLA170519P00280000", "2017-03-20", "2017-05-19", "TSLA", 280, False, 17.5),
            ("GOOGL170915C00950000", "2017-05-15", "2017-09-15", "GOOGL", 950, True, 39.0),
        ):
            first, expiry = day(first), day(expiry)
            span = (expiry - first).days
            for date in sorted(self.closes[underlying]):
                if not first <= date <= expiry:
                    continue
                distance = float(self.closes[underlying][date]) - strike
                inner = max(0.0, distance if is_call else -distance)
                left = (expiry - date).days / span
                time_value = premium * left**0.5 / (1 + abs(distance) / strike * 12)
                price = max(Decimal("0.01"), Decimal(inner + time_value).quantize(CENT))
                self._add(symbol, date, price)

    def _add(self, symbol, date, close):
        self.closes.setdefault(symbol, {})[date] = close
        self.price_rows.append((date.isoformat(), symbol, str(close), "USD"))
