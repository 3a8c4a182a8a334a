"""Replays a portfolio's log up to a date and totals everything since inception.

A daily number is never computed here: it is the difference of two of these totals, so that a
date's P&L can only be what the totals say.
"""

from fractions import Fraction

from .files import day, rounded
from .moves import Moves

ZERO = Fraction(0)
FUND_IN = {"investment", "regular_investment", "government_uplift", "product_switch_in",
           "fund_switch_in"}
FUND_OUT = {"withdrawal", "regular_withdrawal", "product_switch_out", "fund_switch_out"}


class Position:
    """One holding: its lots or carried value, and its totals since inception, in base currency."""

    def __init__(self, instrument):
        self.terms = instrument
        self.symbol, self.currency = instrument["symbol"], instrument["currency"]
        self.multiplier = Fraction(instrument["multiplier"])
        self.valued = instrument["pricing"] == "valued"
        self.lots = []  # [quantity, local cost, base cost, acquired], signs alike
        self.value, self.statement_date = ZERO, None
        self.realized = self.realized_fx = self.income = self.fees = self.taxes = ZERO
        self.arrived = self.arrived_fx = ZERO  # unrealized that came in kind, less what left
        self.flows = []

    @property
    def quantity(self):
        return sum((lot[0] for lot in self.lots), ZERO)

    def cost(self, index):
        return sum((lot[index] for lot in self.lots), ZERO)

    def open(self, quantity, local, base, acquired, average):
        if average and self.lots:
            lot = self.lots[0]
            lot[0], lot[1], lot[2] = lot[0] + quantity, lot[1] + local, lot[2] + base
            return
        place = len(self.lots)
        while place and acquired and self.lots[place - 1][3] > acquired:
            place -= 1
        self.lots.insert(place, [quantity, local, base, acquired])

    def relieve(self, quantity, newest_first):
        """Takes so many units (unsigned) out of the lots; returns their local and base cost."""
        local = base = ZERO
        while quantity:
            lot = self.lots[-1 if newest_first else 0]
            taken = min(quantity, abs(lot[0]))
            share = taken / abs(lot[0])
            part = lot[1] if share == 1 else rounded(lot[1] * share)
            part_base = lot[2] if share == 1 else rounded(lot[2] * share)
            local, base = local + part, base + part_base
            lot[0] -= taken if lot[0] > 0 else -taken
            lot[1], lot[2] = lot[1] - part, lot[2] - part_base
            if share == 1:
                self.lots.remove(lot)
            quantity -= taken
        return local, base

    def realize(self, local, base, cost, cost_base, rate):
        """Proceeds against relieved cost: the price's part, and the currency's."""
        gain = rounded((local - cost) * rate)
        self.realized += gain
        self.realized_fx += base - cost_base - gain


class Totals:
    """A portfolio at the close of a date."""

    def __init__(self, files, code, date):
        self.files, self.code, self.date = files, code, date
        terms = files.portfolios[code]
        self.base, self.relief = terms["base_currency"], terms["lot_relief"]
        self.per_currency = terms["cash"] == "per_currency"
        self.automatic = terms["dividends"] == "automatic"
        self.positions, self.balances, self.receivables = {}, {}, {}
        self.effects = ZERO  # every cash effect in base currency, conversions apart
        self.inflow = self.outflow = self.income = self.fees = self.taxes = ZERO
        self.flows = []
        self._replay()
        self._value()

    # The log

    def _replay(self):
        activities = [row for row in self.files.activities[self.code] if self._counts(row)]
        dates = {day(row["date"]) for row in activities}
        dates |= {action.ex_date for action in self.files.all_actions
                  if action.ex_date <= self.date}
        for symbol in {row["symbol"] for row in activities if row["symbol"]}:
            dates |= {made for made in self._statements(symbol) if made <= self.date}
        for date in sorted(dates):
            Moves(self, date).apply()
            switched = ZERO
            for row in activities:
                if day(row["date"]) == date:
                    switched += self._apply(row, date)
            assert switched == 0, f"{self.code} {date}: fund switches do not net to zero"
            for position in self.positions.values():
                if position.valued and date in self._statements(position.symbol):
                    position.value = self._statements(position.symbol)[date]
                    position.statement_date = date

    def _counts(self, row):
        date = day(row["date"])
        assert date >= day(self.files.portfolios[self.code]["inception_date"])
        return date <= self.date

    def _statements(self, symbol):
        return self.files.statements.get((self.code, symbol), {})

    def position(self, symbol):
        if symbol not in self.positions:
            self.positions[symbol] = Position(self.files.instruments[symbol])
        return self.positions[symbol]

    def _rate(self, currency, date):
        return self.files.rate(currency, self.base, date)

    def _cash(self, currency, local, base):
        self.balances[currency] = self.balances.get(currency, ZERO) + local
        self.effects += base

    def receive(self, currency, local, base, date, pay_date):
        """Cash, or what is paid on a later date."""
        if pay_date is None or pay_date <= date:
            self._cash(currency, local, base)
            return
        owed = self.receivables.get((pay_date, currency), (ZERO, ZERO))
        self.receivables[pay_date, currency] = owed[0] + local, owed[1] + base

    def _external(self, date, base):
        """A flow of the portfolio: positive in, negative out."""
        self.inflow += max(base, ZERO)
        self.outflow += max(-base, ZERO)
        self.flows.append((date, -base))

    def _income(self, position, date, currency, local, base, paid_on):
        self.receive(currency, local, base, date, paid_on)
        if position:
            position.income += base
            position.flows.append((date, base))
        else:
            self.income += base

    def _apply(self, row, date):
        """Applies one activity; returns what it adds to its date's net of fund switches."""
        kind, currency = row["type"], row["currency"]
        rate = self._rate(currency, date)
        amount = Fraction(row["amount"] or 0)
        base = rounded(amount * rate)
        position = self.position(row["symbol"]) if row["symbol"] else None
        if position and position.valued:
            return self._fund_flow(kind, date, position, amount, base, rate)
        paid_on = day(row["pay_date"]) if row.get("pay_date") else None
        fee = Fraction(row["fee"] or 0)
        fee_base = rounded(fee * rate)
        if fee:
            self._cash(currency, -fee, -fee_base)
            self._cost(position, date, fee_base, "fees")
        if kind in ("buy", "sell", "expire"):
            self._trade(row, kind, date, position, rate)
        elif kind in ("transfer_in", "transfer_out"):
            self._transfer(row, kind, date, position, rate)
        elif kind in ("deposit", "withdrawal"):
            sign = 1 if kind == "deposit" else -1
            self._cash(currency, sign * amount, sign * base)
            self._external(date, sign * base)
        elif kind in ("dividend", "interest"):
            assert not (kind == "dividend" and self.automatic and position)
            self._income(position, date, currency, amount, base, paid_on)
        elif kind == "return_of_capital":
            self.receive(currency, amount, base, date, paid_on)
            position.flows.append((date, base))
            Moves(self, date).give_back(position, amount, base)
        elif kind in ("fee", "tax"):
            self.receive(currency, -amount, -base, date, paid_on)
            self._cost(position, date, base, "fees" if kind == "fee" else "taxes")
        elif kind in ("exchange_out", "exchange_in"):
            assert self.per_currency
            self._cash(currency, amount if kind == "exchange_in" else -amount, ZERO)
        else:
            raise ValueError(kind)
        return ZERO

    def _cost(self, position, date, base, total):
        target = position or self
        setattr(target, total, getattr(target, total) + base)
        if position:
            position.flows.append((date, -base))

    def _trade(self, row, kind, date, position, rate):
        held = position.quantity
        price = Fraction(row["price"] or 0)
        quantity = abs(held) if kind == "expire" else Fraction(row["quantity"])
        sign = 1 if held > 0 else -1  # a close of a long brings money, of a short takes it
        if kind != "expire":
            sign = 1 if kind == "sell" else -1
        unit = price * position.multiplier
        local, base = rounded(quantity * unit), rounded(quantity * unit * rate)
        if kind != "expire":
            self._cash(row["currency"], sign * local, sign * base)
            position.flows.append((date, sign * base))
        if kind != "expire":
            quantity = self._closing(position, quantity, sign, date)
        self.change(position, -sign * quantity, -sign * local, -sign * base, rate, date)

    def _closing(self, position, quantity, sign, date):
        """What is held, where a trade would leave no more of it than ratios have rounded."""
        held = position.quantity
        left = abs(held) - quantity
        if held * sign <= 0 or not left or abs(left) > Fraction(1, 10**6):
            return quantity
        limit, last = ZERO, Fraction(1, 10**12)
        for action in self.files.actions.get(position.symbol, []):
            if action.ex_date > date or action.kind not in ("split", "stock_dividend"):
                continue
            new, old = action.ratio or (action.value, Fraction(1))
            if action.kind == "stock_dividend":
                new += old
            limit = limit * new / old + (last / 2 if old != 1 else 0)
        return abs(held) if abs(left) <= limit else quantity

    def change(self, position, quantity, local, base, rate, date):
        """A trade of so many units for so much: closes one side, opens the other."""
        held = position.quantity
        closing = min(abs(quantity), abs(held)) if held * quantity < 0 else ZERO
        if closing:
            part, part_base = local, base
            if closing != abs(quantity):
                share = closing / abs(quantity)
                part, part_base = rounded(local * share), rounded(base * share)
            cost, cost_base = position.relieve(closing, self.relief == "lifo")
            position.realize(-part, -part_base, cost, cost_base, rate)
            local, base = local - part, base - part_base
        if abs(quantity) > closing:
            sign = 1 if quantity > 0 else -1
            position.open(sign * (abs(quantity) - closing), local, base, date,
                          self.relief == "average")

    def _transfer(self, row, kind, date, position, rate):
        quantity = Fraction(row["quantity"])
        if row["amount"]:
            local, base = Fraction(row["amount"]), rounded(Fraction(row["amount"]) * rate)
        else:
            unit = self.files.close(position.symbol, date)[1] * position.multiplier
            local, base = rounded(quantity * unit), rounded(quantity * unit * rate)
        if kind == "transfer_in":
            cost, cost_base, sign = local, base, 1
            if row["price"]:
                unit = Fraction(row["price"]) * position.multiplier
                cost, cost_base = rounded(quantity * unit), rounded(quantity * unit * rate)
            acquired = day(row["acquired"]) if row.get("acquired") else date
            position.open(quantity, cost, cost_base, acquired, self.relief == "average")
        else:
            assert 0 < quantity <= position.quantity
            cost, cost_base = position.relieve(quantity, self.relief == "lifo")
            sign = -1
        unrealized = rounded((local - cost) * rate)
        position.arrived += sign * unrealized
        position.arrived_fx += sign * (base - cost_base - unrealized)
        self._external(date, sign * base)
        position.flows.append((date, -sign * base))

    def _fund_flow(self, kind, date, position, amount, base, rate):
        if kind in ("fee", "tax", "dividend"):
            return ZERO  # happened inside the fund
        switched = ZERO
        if kind in FUND_IN:
            position.open(ZERO, amount, base, None, True)
            position.value += amount
            sign = 1
        else:
            assert kind in FUND_OUT, kind
            sign = -1
            share = min(Fraction(1), amount / position.value) if position.value else Fraction(1)
            cost, cost_base = position.cost(1), position.cost(2)
            if share < 1:
                cost, cost_base = rounded(cost * share), rounded(cost_base * share)
            position.open(ZERO, -cost, -cost_base, None, True)
            position.realize(amount, base, cost, cost_base, rate)
            position.value = max(ZERO, position.value - amount)
        position.flows.append((date, -sign * base))
        if kind.startswith("fund_switch"):
            switched = sign * base
        else:
            self._external(date, sign * base)
        return switched

    # The close

    def _value(self):
        for position in self.positions.values():
            rate = self._rate(position.currency, self.date)
            quantity, cost, base_cost = position.quantity, position.cost(1), position.cost(2)
            position.price = position.price_date = None
            if position.valued:
                position.price_date = position.statement_date
                local, value = position.value, rounded(position.value * rate)
            elif not quantity:
                local = value = ZERO
            elif found := self.files.close(position.symbol, self.date):
                position.price_date, position.price = found
                unit = quantity * position.price * position.multiplier
                local, value = rounded(unit), rounded(unit * rate)
            else:
                local, value = cost, base_cost  # never quoted: at cost
            position.local_value, position.market_value = local, value
            position.unrealized = rounded((local - cost) * rate)
            position.unrealized_fx = value - base_cost - position.unrealized
            if not position.valued and quantity and position.price is None:
                position.unrealized = position.unrealized_fx = ZERO
        self._pay_receivables()
        if self.per_currency:
            self.cash = sum(
                (rounded(balance * self._rate(currency, self.date))
                 for currency, balance in self.balances.items()), ZERO)
        else:
            self.cash = self.effects
        self.cash_fx = self.cash - self.effects
        values = [position.market_value for position in self.positions.values()]
        self.long_value = sum((value for value in values if value > 0), ZERO)
        self.short_value = sum((value for value in values if value < 0), ZERO)
        self.equity = self.long_value + self.short_value + self.cash + self.receivable

    def _pay_receivables(self):
        """What is due is cash, at its pay date's rate; the rest is worth the date's rate."""
        self.receivable = self.receivable_fx = ZERO
        for (pay_date, currency), (local, base) in self.receivables.items():
            due = pay_date <= self.date
            value = rounded(local * self._rate(currency, pay_date if due else self.date))
            if due:
                self._cash(currency, local, value)
            else:
                self.receivable += value
            self.receivable_fx += value - base
