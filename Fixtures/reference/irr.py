"""Money-weighted returns, slowly and surely: every root is bracketed, bisected and certified."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

# Growth rates to look for further roots at: dense where returns live, sparse beyond.
GRID = sorted(
    {index / 1000 for index in range(-4000, 4001)}
    | {index / 50 for index in range(-3000, 3001)} | {index / 2 for index in range(-1400, 1420)})


class Rate:
    """A value and a status; `growth` is the log growth a year (a month for `monthly_nominal`)."""

    def __init__(self, status, value=None, growth=None, roots=0):
        self.status, self.value, self.growth, self.roots = status, value, growth, roots


def xirr(flows, closing, date, complete):
    """Flows are (date, amount), negative into the investment; `closing` comes out on `date`."""
    early = refusal(flows, closing, complete)
    if early:
        return early
    dated = [((day - date).days, amount) for day, amount in flows] + [(0, closing)]
    rate = solve(dated, 365)
    if rate.growth is not None:
        rate.value = math.expm1(rate.growth) if -36 <= rate.growth <= 709 else None
    return rate


def monthly_nominal(flows, closing, date, complete):
    """Flows at the first of their month, `closing` at the first of the next; twelve times."""
    early = refusal(flows, closing, complete)
    if early:
        return early
    def month(day):
        return day.year * 12 + day.month
    dated = [(month(day) - month(date) - 1, amount) for day, amount in flows] + [(0, closing)]
    rate = solve(dated, 1)
    if rate.growth is not None:
        rate.value = 12 * math.expm1(rate.growth)
    return rate


def refusal(flows, closing, complete):
    if not complete:
        return Rate("incomplete")
    amounts = [amount for _, amount in flows]
    if closing == 0 and any(a < 0 for a in amounts) and all(a <= 0 for a in amounts):
        return Rate("total_loss", value=-1.0)
    return None


def solve(dated, unit):
    """`dated` holds (time, amount), time in `unit`ths of the rate's period."""
    netted = {}
    for time, amount in dated:
        netted[time] = netted.get(time, Fraction(0)) + amount
    series = sorted((time, amount) for time, amount in netted.items() if amount != 0)
    if len(series) < 2:
        return Rate("too_short")
    changes = sum((a < 0) != (b < 0) for (_, a), (_, b) in zip(series, series[1:]))
    if changes == 0:
        return Rate("no_sign_change")
    first = series[0][0]
    terms = [((time - first) / unit, float(amount)) for time, amount in series]
    if len(terms) == 2:
        growth = math.log(-terms[1][1] / terms[0][1]) / terms[1][0]
        return Rate("solved", growth=growth, roots=1)
    roots = [bisect(terms, low, high) for low, high in brackets(terms)]
    if not roots:
        return Rate("no_root")
    nearest = min(roots, key=abs)
    certify(series, unit, nearest)
    return Rate("solved" if len(roots) == 1 else "several_roots", growth=nearest,
                roots=len(roots))


def present_value(terms, growth):
    """Scaled by a positive factor so that nothing overflows: only its sign and zeros matter."""
    last = terms[-1][0]
    shift = 0 if growth >= 0 else last
    return math.fsum(amount * math.exp(-(time - shift) * growth) for time, amount in terms)


def brackets(terms):
    previous = GRID[0]
    sign = present_value(terms, previous)
    for growth in GRID[1:]:
        value = present_value(terms, growth)
        if value == 0 or (sign < 0) != (value < 0):
            yield previous, growth
        previous, sign = growth, value


def bisect(terms, low, high):
    negative = present_value(terms, low) < 0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if (present_value(terms, middle) < 0) == negative:
            low = middle
        else:
            high = middle


def certify(series, unit, growth):
    """The exact sum changes sign within 1e-12 of the root, in fifty digits."""
    with localcontext() as context:
        context.prec = 50
        signs = []
        for shifted in (Decimal(growth) - Decimal("1e-12"), Decimal(growth) + Decimal("1e-12")):
            total = sum(
                Decimal(amount.numerator) / Decimal(amount.denominator)
                * (-Decimal(time) / unit * shifted).exp() for time, amount in series)
            signs.append(total < 0)
        assert signs[0] != signs[1], "the root does not hold in fifty digits"
