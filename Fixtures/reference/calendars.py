"""Business dates by rule, for the calendars of the fixtures."""

import datetime
from functools import lru_cache

ONE_DAY = datetime.timedelta(days=1)


def easter(year):
    """Western Easter Sunday (the anonymous Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, date = divmod(h + m - 7 * n + 114, 31)
    return datetime.date(year, month, date + 1)


def nth_weekday(year, month, weekday, n):
    """The nth such weekday (Monday is 0) of a month; n = -1 is the last."""
    if n > 0:
        first = datetime.date(year, month, 1)
        return first + ONE_DAY * ((weekday - first.weekday()) % 7 + 7 * (n - 1))
    last = datetime.date(year + month // 12, month % 12 + 1, 1) - ONE_DAY
    return last - ONE_DAY * ((last.weekday() - weekday) % 7)


def observed(date):
    """New York: a Saturday holiday is kept on Friday, a Sunday one on Monday."""
    return date + ONE_DAY * {5: -1, 6: 1}.get(date.weekday(), 0)


@lru_cache
def holidays(calendar, year):
    date = datetime.date
    if calendar == "XNYS":
        new_year = date(year, 1, 1)
        days = {
            nth_weekday(year, 1, 0, 3), nth_weekday(year, 2, 0, 3), easter(year) - 2 * ONE_DAY,
            nth_weekday(year, 5, 0, -1), observed(date(year, 7, 4)), nth_weekday(year, 9, 0, 1),
            nth_weekday(year, 11, 3, 4), observed(date(year, 12, 25))}
        if new_year.weekday() != 5:  # a Saturday one would fall in the old year
            days.add(observed(new_year))
        if year >= 2022:
            days.add(observed(date(year, 6, 19)))
        return days
    if calendar == "XLON":
        days = {
            easter(year) - 2 * ONE_DAY, easter(year) + ONE_DAY, nth_weekday(year, 5, 0, 1),
            nth_weekday(year, 5, 0, -1), nth_weekday(year, 8, 0, -1)}
        for month, number in ((1, 1), (12, 25), (12, 26)):  # each has a weekday of its own
            day = date(year, month, number)
            while day.weekday() > 4 or day in days:
                day += ONE_DAY
            days.add(day)
        return days
    return set()


def is_business_date(calendar, date, overrides):
    if (calendar, date) in overrides:
        return overrides[calendar, date]
    if calendar == "every_day":
        return True
    return date.weekday() < 5 and date not in holidays(calendar, date.year)


def business_dates(calendar, after, last, overrides):
    """Business dates later than `after`, up to and including `last`."""
    dates, date = [], after + ONE_DAY
    while date <= last:
        if is_business_date(calendar, date, overrides):
            dates.append(date)
        date += ONE_DAY
    return dates
