"""How care that comes in courses falls on days: cycles of chemotherapy, daily fractions, dialysis three times a week, monthly
supplies and visits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.seasons import Calendar

_WEEK: Final = 7
_MONTH: Final = 30


class Course(NamedTuple):
    """The days of a course's lines after its first, and the fewest and most units of a line. `in_days` tells that a line covers
    as many days as it has units."""

    offsets: tuple[int, ...]
    units: tuple[int, int] = (1, 1)
    in_days: bool = False

    @property
    def mean_units(self) -> float:
        """Units of a whole course, on average."""
        return len(self.offsets) * sum(self.units) / 2


def _every(days: int, times: int) -> tuple[int, ...]:
    return tuple(range(0, days * times, days))


ONCE: Final = Course((0,))
CYCLES: Final = Course(_every(21, 6))
FRACTIONS: Final = Course(tuple(_WEEK * (number // 5) + number % 5 for number in range(15)))
THREE_A_WEEK: Final = Course(tuple(_WEEK * (number // 3) + 2 * (number % 3) for number in range(156)))
DAILY_AT_HOME: Final = Course(_every(_MONTH, 12), (_MONTH, _MONTH), in_days=True)
MONTHLY_SUPPLY: Final = Course(_every(_MONTH, 12))
VISITS_OF_A_MONTH: Final = Course(_every(_MONTH, 4), (1, 7))
CONTACTS_OF_A_MONTH: Final = Course(_every(_MONTH, 6), (1, 5))
WEEKLY: Final = Course(_every(_WEEK, 6))
ON_A_WARD: Final = Course((0,), (4, 56), in_days=True)
"""Every length is invented."""


class Lines(NamedTuple):
    """The lines of courses: whose course each is of, its day of the year counted from the first, and its units."""

    course: NDArray[np.int64]
    since: NDArray[np.int64]
    units: NDArray[np.int64]


def lines_of(
    rng: np.random.Generator,
    calendar: Calendar,
    courses: Sequence[Course],
    kind: NDArray[np.int8],
    begins: NDArray[np.integer],
) -> Lines:
    """The lines of courses that begin on the days `begins` of the year; `kind` is a position in `courses`. A course that runs
    past the end of the year goes on at its beginning."""
    counts = np.array([len(course.offsets) for course in courses])[kind]
    whose = np.repeat(np.arange(len(kind)), counts)
    number = np.arange(len(whose)) - np.repeat(np.cumsum(counts) - counts, counts)
    longest = max(len(course.offsets) for course in courses)
    offsets = np.array([course.offsets + (0,) * (longest - len(course.offsets)) for course in courses])
    fewest, most = (np.array([course.units[end] for course in courses])[kind][whose] for end in (0, 1))
    since = (begins[whose] + offsets[kind[whose], number]) % calendar.days
    return Lines(whose, since, rng.integers(fewest, most + 1))


def to_mondays(calendar: Calendar, days: NDArray[np.int64]) -> NDArray[np.int64]:
    """The Monday of each day's week, or the one after where that lies before the year."""
    monday = days - calendar.weekday[days]
    monday = np.where(monday < 0, monday + _WEEK, monday)
    return monday.astype(np.int64)
