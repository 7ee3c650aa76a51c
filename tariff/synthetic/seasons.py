"""When in the year things happen: the months of a hospital year and the days of its week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

EPOCH: Final = date(1970, 1, 1)

# fmt: off
_ELECTIVE_MONTHS: Final = (0.98, 1.00, 1.02, 0.95, 1.01, 1.03, 1.06, 0.94, 1.02, 1.08, 1.07, 0.88)
_EMERGENCY_MONTHS: Final = (1.03, 1.00, 1.01, 0.98, 0.99, 0.98, 0.99, 0.96, 0.98, 1.01, 1.03, 1.05)
_ELECTIVE_WEEK: Final = (1.22, 1.34, 1.32, 1.32, 1.22, 0.36, 0.22)
_EMERGENCY_WEEK: Final = (1.02, 1.06, 1.07, 1.08, 1.17, 0.86, 0.74)
# fmt: on
"""Invented weights of a day: by month, January first, and by day, Monday first."""
_HOLIDAYS: Final = frozenset({(12, 25), (12, 26), (1, 1)})
_HOLIDAY_FACTOR: Final = 0.15


@dataclass(frozen=True, slots=True)
class Calendar:
    """The year that activity falls in. `weekday` is 0 on Mondays; the chances are cumulative, of a discharge by each day."""

    first_day: int
    weekday: NDArray[np.int8]
    emergency_chances: NDArray[np.float64]
    elective_chances: NDArray[np.float64]

    @property
    def days(self) -> int:
        """Days in the year."""
        return len(self.weekday)


def calendar_of(starts: date, ends: date) -> Calendar:
    """The year from `starts` to `ends`, both included."""
    days = [starts + timedelta(days=number) for number in range((ends - starts).days + 1)]
    emergency = [_EMERGENCY_MONTHS[day.month - 1] * _EMERGENCY_WEEK[day.weekday()] for day in days]
    elective = [_ELECTIVE_MONTHS[day.month - 1] * _ELECTIVE_WEEK[day.weekday()] * _holiday(day) for day in days]
    return Calendar(
        (starts - EPOCH).days, np.array([day.weekday() for day in days], np.int8), _cumulative(emergency), _cumulative(elective)
    )


def _holiday(day: date) -> float:
    return _HOLIDAY_FACTOR if (day.month, day.day) in _HOLIDAYS else 1.0


def _cumulative(weights: list[float]) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = np.cumsum(weights) / np.sum(weights)
    return chances
