"""What corporate actions do to holdings: units and cost that change, pass on, or come back.

Written from docs/calculations.md alone. A position's lots are [quantity, local cost, base cost,
acquired], signs alike; an amount in a pair is (in a currency, in base currency).
"""

from fractions import Fraction

from .files import rounded

ZERO = Fraction(0)
ORDER = ("split", "dividend", "return_of_capital", "spin_off", "rights", "stock_dividend", "merger")


def running(numbers, change):
    """Each number's part of the changed total: differences of rounded running totals."""
    before = done = ZERO
    for number in numbers:
        before += number
        total = change(before)
        yield total - done
        done = total


def scale(lots, new, old):
    """Multiplies units by new : old; what became nothing leaves its cost to its neighbour."""
    units = list(running([lot[0] for lot in lots], lambda total: rounded(total * new / old, 12)))
    result, carried = [], [ZERO, ZERO]
    for lot, quantity in zip(lots, units):
        if not quantity:
            carried = [carried[0] + lot[1], carried[1] + lot[2]]
            continue
        result.append([quantity, lot[1] + carried[0], lot[2] + carried[1], lot[3]])
        carried = [ZERO, ZERO]
    if result:
        result[-1][1] += carried[0]
        result[-1][2] += carried[1]
    return result


def part_of_cost(lots, share):
    """Of each lot a share of the cost: [(local, base)]."""
    return list(zip(
        running([lot[1] for lot in lots], lambda total: rounded(total * share)),
        running([lot[2] for lot in lots], lambda total: rounded(total * share))))


def in_order(actions):
    """By type, and what brings units before what passes them on."""
    result = []
    for kind in ORDER:
        group = sorted((a for a in actions if a.kind == kind), key=lambda action: action.symbol)
        while group:
            free = [a for a in group if not any(
                b.new_symbol == a.symbol and b.symbol != a.symbol for b in group)]
            assert free, f"{group[0].ex_date}: a circle"
            result.append(free[0])
            group.remove(free[0])
    return result


class Moves:
    """Applies the actions of a date to a portfolio's totals."""

    def __init__(self, totals, date):
        self.totals, self.date, self.files = totals, date, totals.files

    def apply(self):
        due = [action for action in self.files.all_actions
               if action.ex_date == self.date
               and action.portfolio in ("", self.totals.code)]
        for action in in_order(due):
            position = self.totals.positions.get(action.symbol)
            if position and position.quantity:
                getattr(self, action.kind)(position, action)

    def rate(self, currency):
        return self.files.rate(currency, self.totals.base, self.date)

    # Units and cash of one holding

    def split(self, position, action):
        new, old = action.ratio or (action.value, Fraction(1))
        self._multiply(position, new, old)
        self._fraction(position, position.quantity, action)

    def stock_dividend(self, position, action):
        before, (new, old) = position.quantity, action.ratio
        self._multiply(position, new + old, old)
        self._fraction(position, position.quantity - before, action)

    def _multiply(self, position, new, old):
        lots = scale(position.lots, new, old)
        if not lots:
            position.realize(ZERO, ZERO, position.cost(1), position.cost(2),
                             self.rate(position.currency))
        position.lots = lots

    def dividend(self, position, action):
        if self.totals.automatic:
            paid = self._pay(position, action, action.value)
            position.income += paid[1]

    def return_of_capital(self, position, action):
        if not self.totals.automatic:
            return
        paid = self._pay(position, action, action.value)
        self.give_back(position, self._own(position, action, paid), paid[1])

    def give_back(self, position, local, base):
        """Relieves each lot's cost of what it is paid, at most of all of it."""
        held, relieved, relieved_base = position.quantity, ZERO, ZERO
        parts = running([lot[0] for lot in position.lots], lambda total: rounded(
            local * total / held) if total != held else local)
        for lot, part in zip(position.lots, parts):
            if abs(part) >= abs(lot[1]):
                cost, cost_base = (lot[1], lot[2]) if part else (ZERO, ZERO)
            else:
                cost, cost_base = part, rounded(lot[2] * part / lot[1])
            lot[1], lot[2] = lot[1] - cost, lot[2] - cost_base
            relieved, relieved_base = relieved + cost, relieved_base + cost_base
        position.realize(local, base, relieved, relieved_base, self.rate(position.currency))

    def _pay(self, position, action, per_unit):
        """Cash per unit, in cash or as a receivable, and a flow of the holding."""
        currency = action.currency or position.currency
        paid = (rounded(position.quantity * per_unit),
                rounded(position.quantity * per_unit * self.rate(currency)))
        self.totals.receive(currency, *paid, self.date, action.pay_date)
        position.flows.append((self.date, paid[1]))
        return paid

    def _own(self, position, action, paid):
        """The amount in the instrument's currency."""
        currency = action.currency or position.currency
        if currency == position.currency:
            return paid[0]
        return rounded(paid[0] * self.files.rate(currency, position.currency, self.date))

    def _fraction(self, position, received, action):
        """Sells what was received below one unit."""
        if action.fraction_price is None:
            return
        whole = abs(received) // 1
        part = (abs(received) - whole) * (1 if received > 0 else -1)
        if not part:
            return
        unit = action.fraction_price * position.multiplier
        rate = self.rate(position.currency)
        local, base = rounded(part * unit), rounded(part * unit * rate)
        self.totals.receive(position.currency, local, base, self.date, None)
        position.flows.append((self.date, base))
        self.totals.change(position, -part, -local, -base, rate, self.date)

    # From one holding to another

    def spin_off(self, position, action):
        target, units = self._target(position, action)
        if not units:
            return
        moved = part_of_cost(position.lots, action.cost_share)
        passing = [[lot[0], *cost, lot[3]] for lot, cost in zip(position.lots, moved)]
        for lot, cost in zip(position.lots, moved):
            lot[1], lot[2] = lot[1] - cost[0], lot[2] - cost[1]
        self._pass(position, target, passing, units, action)

    rights = spin_off

    def merger(self, position, action):
        cash, own = (ZERO, ZERO), ZERO
        if action.cash is not None:
            cash = self._pay(position, action, action.cash)
            own = self._own(position, action, cash)
        cost, cost_base = position.cost(1), position.cost(2)
        rate = self.rate(position.currency)
        target, units = self._target(position, action) if action.new_symbol else (None, ZERO)
        if not units:
            position.lots = []
            position.realize(own, cash[1], cost, cost_base, rate)
            return
        priced = self.files.close(target.symbol, self.date) is not None
        assert priced or action.cash is None or action.cost_share is not None, "no close"
        lots, position.lots = position.lots, []
        if action.cost == "realized":
            local, base = self._value(target, units, cost)
            old_local = self._cross(local, target, position)
            position.realize(old_local + own, base + cash[1], cost, cost_base, rate)
            position.flows.append((self.date, base))
            target.flows.append((self.date, -base))
            self._arrive(target, [[units, local, base, self.date]], units, action)
            return
        if action.cost_share is not None:
            kept = part_of_cost(lots, action.cost_share)
        elif action.cash is not None:
            worth = self._value(target, units, None)[1]
            share = cash[1] / (cash[1] + worth) if cash[1] + worth else ZERO
            taken = part_of_cost(lots, share)
            kept = [(lot[1] - part[0], lot[2] - part[1]) for lot, part in zip(lots, taken)]
        else:
            kept = [(lot[1], lot[2]) for lot in lots]
        passing = [[lot[0], *part, lot[3]] for lot, part in zip(lots, kept)]
        position.realize(own, cash[1], cost - sum(part[0] for part in kept),
                         cost_base - sum(part[1] for part in kept), rate)
        self._pass(position, target, passing, units, action)

    def _target(self, position, action):
        target = self.totals.position(action.new_symbol)
        new, old = action.ratio
        return target, rounded(position.quantity * new / old, 12)

    def _cross(self, local, source, target):
        if source.currency == target.currency:
            return local
        return rounded(local * self.files.rate(source.currency, target.currency, self.date))

    def _value(self, target, units, cost):
        """The value moved, local and base; the cost where there never was a close."""
        rate, found = self.rate(target.currency), self.files.close(target.symbol, self.date)
        if found is None:
            return cost, rounded(cost * rate)
        unit = units * found[1] * target.multiplier
        return rounded(unit), rounded(unit * rate)

    def _pass(self, position, target, passing, units, action):
        """Passes lots on with their cost; the unrealized that goes along is nobody's P&L."""
        cost, cost_base = sum(lot[1] for lot in passing), sum(lot[2] for lot in passing)
        new, old = action.ratio
        arriving = scale(passing, new, old)
        if position.currency != target.currency:
            cross = self.files.rate(position.currency, target.currency, self.date)
            converted = running([lot[1] for lot in arriving], lambda total: rounded(total * cross))
            for lot, local in zip(arriving, list(converted)):
                lot[1] = local
        new_cost = sum(lot[1] for lot in arriving)
        local, base = self._value(target, units, new_cost)
        left = rounded(
            (self._cross(local, target, position) - cost) * self.rate(position.currency))
        position.arrived -= left
        position.arrived_fx -= base - cost_base - left
        came = rounded((local - new_cost) * self.rate(target.currency))
        target.arrived += came
        target.arrived_fx += base - cost_base - came
        position.flows.append((self.date, base))
        target.flows.append((self.date, -base))
        self._arrive(target, arriving, units, action)

    def _arrive(self, target, lots, units, action):
        """Closes what is held on the other side at the cost of what arrives; takes the rest in."""
        held = target.quantity
        if held * units < 0:
            closing = min(abs(held), abs(units))
            arriving = type(target)(target.terms)
            arriving.lots = lots
            local, base = arriving.relieve(closing, self.totals.relief == "lifo")
            cost, cost_base = target.relieve(closing, self.totals.relief == "lifo")
            target.realize(-local, -base, cost, cost_base, self.rate(target.currency))
            lots = arriving.lots
        for lot in lots:
            target.open(*lot, self.totals.relief == "average")
        self._fraction(target, units, action)
