"""A portfolio's activities while its story is told."""

import random
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from .market import FUNDS, INVENTED, day

CENT = Decimal("0.01")
TICK = {"USD": CENT, "GBP": Decimal("0.0001")}
FEE = {"USD": Decimal("4.95"), "GBP": Decimal("5.95")}


class Book:
    """Collects one portfolio's rows; `rows` gives them in date order with their ids.

    Trades happen on the first date with a close on or after the one asked for, within a few
    hundredths of a per cent of that close. Cash is followed roughly, in base currency, and a
    story that spends money it does not have fails unless it borrows on purpose.
    """

    def __init__(self, market, code, name, base, inception, may_borrow=False, **terms):
        self.market, self.code, self.name, self.base = market, code, name, base
        self.inception, self.may_borrow, self.terms = day(inception), may_borrow, terms
        self.draws = random.Random(f"book {code}")
        self.activities = []

    # Money

    def deposit(self, date, amount, currency=None, note=""):
        self._add(date, "deposit", amount=amount, currency=currency, note=note)

    def withdraw(self, date, amount, currency=None, note=""):
        self._add(date, "withdrawal", amount=amount, currency=currency, note=note)

    def cash_row(self, kind, date, amount, symbol=None, currency=None, note=""):
        """`dividend`, `interest`, `fee` or `tax`, of a symbol or of the portfolio."""
        currency = currency or (self.market.currency(symbol) if symbol else None)
        self._add(date, kind, symbol=symbol, amount=amount, currency=currency, note=note)

    def exchange(self, date, sold, sold_currency, bought, bought_currency, fee=0):
        self._add(date, "exchange_out", amount=sold, currency=sold_currency, fee=fee)
        self._add(date, "exchange_in", amount=bought, currency=bought_currency)

    # Trades

    def buy(self, date, symbol, quantity, fee=None, price=None, note=""):
        return self._trade("buy", date, symbol, quantity, fee, price, note)

    def sell(self, date, symbol, quantity, fee=None, price=None, note=""):
        return self._trade("sell", date, symbol, quantity, fee, price, note)

    def spend(self, date, symbol, amount, fee=None, note=""):
        """Buys as many whole units as the amount, in the symbol's currency, pays for."""
        date = self.market.trading_date(symbol, self._day(date))
        close = self.market.close(symbol, date)
        quantity = (Decimal(amount) / close).to_integral_value(ROUND_DOWN)
        return self.buy(date, symbol, quantity, fee, note=note)

    def _trade(self, kind, date, symbol, quantity, fee, price, note):
        market = self.market
        date = market.trading_date(symbol, self._day(date))
        currency = market.currency(symbol)
        if price is None:
            spread = Decimal(self.draws.randint(0, 6)) / 10_000
            factor = 1 + spread if kind == "buy" else 1 - spread
            price = market.close(symbol, date) * factor
            price = max(TICK[currency], price.quantize(TICK[currency], ROUND_HALF_EVEN))
        fee = FEE[currency] if fee is None else fee
        self._add(date, kind, symbol=symbol, quantity=quantity, price=price, fee=fee,
                  currency=currency, note=note)
        return date

    def buy_unquoted(self, date, symbol, quantity, price, fee, note=""):
        """A purchase of something without closes, on any date."""
        self._add(date, "buy", symbol=symbol, quantity=quantity, price=price, fee=fee,
                  currency=self.market.currency(symbol), note=note)

    def expire(self, date, symbol, note=""):
        self._add(date, "expire", symbol=symbol, currency=self.market.currency(symbol), note=note)

    def transfer_in(self, date, symbol, quantity, cost=None, amount=None, acquired=None, note=""):
        self._add(date, "transfer_in", symbol=symbol, quantity=quantity, price=cost,
                  amount=amount, currency=self.market.currency(symbol), acquired=acquired,
                  note=note)

    def transfer_out(self, date, symbol, quantity, amount=None, note=""):
        self._add(date, "transfer_out", symbol=symbol, quantity=quantity, amount=amount,
                  currency=self.market.currency(symbol), note=note)

    # Valued funds

    def fund_flow(self, kind, date, symbol, amount, note=""):
        self._add(date, kind, symbol=symbol, amount=amount, currency="GBP", note=note)

    def switch(self, date, source, target, amount):
        self.fund_flow("fund_switch_out", date, source, amount)
        self.fund_flow("fund_switch_in", date, target, amount)

    def cancel(self):
        """Marks the row told last as cancelled: it is kept and no longer counts."""
        self.activities[-1]["status"] = "cancelled"

    # Rows

    @staticmethod
    def _day(date):
        return day(date) if isinstance(date, str) else date

    def _add(self, date, kind, symbol=None, quantity=None, price=None, amount=None, fee=0,
             currency=None, acquired=None, note=""):
        date = self._day(date)
        assert date >= self.inception, (self.code, date, kind)
        self.activities.append({
            "date": date, "type": kind, "symbol": symbol or "", "quantity": quantity,
            "price": price, "amount": amount, "fee": fee or None,
            "currency": currency or self.base, "acquired": acquired or "", "status": "active",
            "note": note})

    def rows(self):
        """The activities in date order; rows of one date stay in the order they were told."""
        ordered = sorted(self.activities, key=lambda row: row["date"])
        self._check_cash(ordered)
        for number, row in enumerate(ordered, start=1):
            yield [
                f"{self.code}-{number:04d}", self.code, row["date"].isoformat(), row["type"],
                row["symbol"], plain(row["quantity"]), plain(row["price"]), plain(row["amount"]),
                plain(row["fee"]), row["currency"], row["acquired"], row["status"],
                row["note"]]

    def _check_cash(self, ordered):
        cash = Decimal(0)
        signs = {"deposit": 1, "withdrawal": -1, "dividend": 1, "interest": 1, "fee": -1,
                 "tax": -1, "exchange_in": 1, "exchange_out": -1}
        for row in ordered:
            if row["status"] == "cancelled":
                continue
            value = Decimal(0)
            if row["type"] in ("buy", "sell"):
                multiplier = multiplier_of(row["symbol"])
                value = Decimal(row["quantity"]) * Decimal(row["price"]) * multiplier
                value = -value if row["type"] == "buy" else value
            elif row["type"] in signs and row["symbol"] not in FUNDS:
                value = signs[row["type"]] * Decimal(row["amount"])
            value -= Decimal(row["fee"] or 0)
            cash += value * self.market.rate(row["currency"], self.base, row["date"])
            assert self.may_borrow or cash >= 0, (self.code, row["date"], row["symbol"], cash)
        self.final_cash = cash


def plain(number):
    """Decimal text without an exponent; nothing for None."""
    return "" if number is None else format(Decimal(number), "f")


def multiplier_of(symbol):
    return Decimal(INVENTED[symbol][2]) if symbol in INVENTED else Decimal(1)
