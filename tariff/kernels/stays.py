"""The stay of a spell: what is taken off it, and what remains (RULES 1.2). A blank number is `BLANK`."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.buffers import filled
from tariff.compiled import compiled, rule
from tariff.kernels.settling import BLANK

MOST_DAYS: Final = 200_000


class DaysOff(NamedTuple):
    """The days that are no part of a spell's stay (RULES 1.2), one element a spell."""

    taken_off: NDArray[np.int64]
    are_possible: NDArray[np.bool_]


@rule
def days_in_range(days):
    """Whether a count of days is blank or possible."""
    return days == BLANK or 0 <= days <= MOST_DAYS


@rule
def given(days):
    """A count of days, none where it is blank."""
    return 0 if days == BLANK else days


@rule
def nights_between(admission_date, discharge_date):
    """Days from admission to discharge; BLANK where one is blank or they stand the wrong way round."""
    if admission_date == BLANK or discharge_date == BLANK or discharge_date < admission_date:
        return BLANK
    return discharge_date - admission_date


@rule
def adjusted_stay(gross, days_taken_off, adjusted_given):
    """Net stay: as given, else the gross stay without critical care, rehabilitation, palliative and delayed days (RULES 1.2)."""
    if adjusted_given != BLANK:
        return adjusted_given
    return max(0, gross - days_taken_off)


@compiled
def take_off(days, taken_off, are_possible):
    """Add a column of days that are no part of a stay to what is taken off it, and tell where they are not possible. It is a loop
    of its own, because the processor does it for many lines at once."""
    for i in range(days.size):
        taken_off[i] += given(days[i])
        are_possible[i] &= days_in_range(days[i])


def days_not_counted(spells: int, columns: Iterable[NDArray[np.int32]]) -> DaysOff:
    """The days of all `columns` together: critical care, rehabilitation, palliative care and delayed discharge. A column that is
    blank throughout may be empty."""
    off = DaysOff(filled(spells, 0, np.int64), filled(spells, 1, np.bool_))
    for days in columns:
        take_off(days, off.taken_off, off.are_possible)
    return off
