"""Days of the months of a financial year: calendar days and working days in England. Bank holidays follow the standing rules, and
the days that proclamations moved or added are stated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Final, Literal

Measure = Literal["calendar_days", "working_days"]
"""By what a year is shared out among its months."""

MOVED: Final[Mapping[date, date]] = {
    date(2012, 5, 28): date(2012, 6, 4),
    date(2020, 5, 4): date(2020, 5, 8),
    date(2022, 5, 30): date(2022, 6, 2),
}
"""Holidays moved, from the day of the standing rule to the day proclaimed: Diamond Jubilee, VE Day, Platinum Jubilee."""

ADDED: Final = (date(2011, 4, 29), date(2012, 6, 5), date(2022, 6, 3), date(2022, 9, 19), date(2023, 5, 8))
"""Holidays proclaimed for one year: royal wedding, Diamond and Platinum Jubilees, state funeral, coronation."""


def month_weights(financial_year: str, measure: Measure) -> tuple[int, ...]:
    """The days of each month of a financial year such as `2024-25`, April first. ValueError where it is not one."""
    first = _first_year(financial_year)
    count = _working_days if measure == "working_days" else _calendar_days
    return tuple(count(first + (month < 4), month) for month in (*range(4, 13), 1, 2, 3))


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """The bank holidays of England in a calendar year."""
    sunday = easter(year)
    standing = [
        _weekday_from(date(year, 1, 1)),
        sunday - timedelta(days=2),
        sunday + timedelta(days=1),
        _first_monday(date(year, 5, 1)),
        _first_monday(date(year, 5, 25)),
        _first_monday(date(year, 8, 25)),
        *_christmas(year),
    ]
    return frozenset([MOVED.get(day, day) for day in standing] + [day for day in ADDED if day.year == year])


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _christmas(year: int) -> tuple[date, date]:
    """Christmas Day and Boxing Day, or the days in their place: the next weekdays that are free."""
    first = _weekday_from(date(year, 12, 25))
    second = _weekday_from(date(year, 12, 26))
    return (first, _weekday_from(second + timedelta(days=1))) if first == second else (first, second)


def _weekday_from(day: date) -> date:
    """The day, or the Monday after where it falls on a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() > 4 else day


def _first_monday(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def _working_days(year: int, month: int) -> int:
    holidays = bank_holidays(year)
    days = [date(year, month, 1) + timedelta(days=number) for number in range(_calendar_days(year, month))]
    return sum(day.weekday() < 5 and day not in holidays for day in days)


def _calendar_days(year: int, month: int) -> int:
    after = date(year + (month == 12), month % 12 + 1, 1)
    return (after - date(year, month, 1)).days


def _first_year(financial_year: str) -> int:
    first, dash, last = financial_year.partition("-")
    if not (dash and first.isdecimal() and len(first) == 4 and last.isdecimal() and (int(first) + 1) % 100 == int(last)):
        raise ValueError(f"'{financial_year}' is not a financial year such as 2024-25")
    return int(first)
