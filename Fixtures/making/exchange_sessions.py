#!/usr/bin/env python3
"""Writes a digest of every exchange's sessions, as the package exchange_calendars knows them.

    python3 -m venv DIR
    DIR/bin/pip install exchange_calendars==4.13.2 'pandas<2.3'
    DIR/bin/python Fixtures/making/exchange_sessions.py > Fixtures/cases/exchange_sessions.csv

A row is a calendar's year: how many sessions it has, the CRC-32 of their dates (`MM-DD` and a line
feed each), and from 2020 on (New York and London: from 1990) the CRC-32 of when they end
(`MM-DD@minutes`, the minutes since 00:00 UTC, and a line feed each). Years that the package knows
only in part have no row, nor has 2034 in Hong Kong and Taipei: there the package forgets the leap
month of 2033 (after the eleventh), and has that year's feasts a month too early. Under pandas 3 the
package loses the Saturdays of Seoul and the Sundays of Tel Aviv without a word.
"""

import sys
import warnings
import zlib

import exchange_calendars
import pandas

CALENDARS = """24/7 XNYS XTSE XMEX BVMF XLON XDUB XLIS XETR XPAR XAMS XBRU XMIL XMAD XSWX XWBO XSTO
    XOSL XCSE XHEL XTKS XHKG XSHG XKRX XTAI XSES XBOM XTAE XSAU XIST XJSE XASX XNZE""".split()
FIRST, LAST = 1990, 2035
WRONG = {("XHKG", 2034), ("XTAI", 2034)}


def years(name):
    """The years that the package knows from the first of January to the last of December."""
    dispatcher = exchange_calendars.calendar_utils.global_calendar_dispatcher
    known = dispatcher._calendar_factories[name]
    first, last = known.bound_min(), known.bound_max()
    start = FIRST if first is None else max(FIRST, first.year + (first.dayofyear > 1))
    return range(start, (LAST if last is None else min(LAST, last.year)) + 1)


def crc(lines):
    return f"{zlib.crc32(''.join(line + chr(10) for line in lines).encode()):08x}"


def main():
    warnings.filterwarnings("ignore")
    if int(pandas.__version__.split(".")[0]) > 2:
        sys.exit("pandas 3 and exchange_calendars do not agree on weeks: install 'pandas<2.3'")
    print("calendar,year,sessions,dates,ends")
    for name in CALENDARS:
        span = years(name)
        calendar = exchange_calendars.get_calendar(
            name, start=f"{span[0]}-01-01", end=f"{span[-1]}-12-31")
        ends_from = {"XNYS": FIRST, "XLON": FIRST, "24/7": LAST + 1}.get(name, 2020)
        dates, ends = {year: [] for year in span}, {year: [] for year in span}
        for session, end in calendar.closes.items():
            date = session.strftime("%m-%d")
            minutes = (end - session.tz_localize("UTC")) // pandas.Timedelta(minutes=1)
            dates[session.year].append(date)
            ends[session.year].append(f"{date}@{minutes}")
        for year in (year for year in span if (name, year) not in WRONG):
            end = crc(ends[year]) if year >= ends_from else ""
            print(f"{name},{year},{len(dates[year])},{crc(dates[year])},{end}")


if __name__ == "__main__":
    main()
