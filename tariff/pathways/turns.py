"""The order in which sweeps take lines: patient by patient, by first and last day, and then by what breaks ties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Whole = NDArray[np.int64]
NUMBER: Final = "patient_number"
_DAYS, _STAY_DAYS = 1 << 17, 1 << 14
"""Room in the key for a first day (179 years either side of 1970-01-01) and a stay (44 years); what goes beyond ties there."""


def turns(lines: pl.DataFrame, ties: Sequence[str]) -> Whole:
    """The places of lines in the order of `patient_number`, `start`, `end` and the columns `ties`. One whole number stands for
    the first three, so that text is looked at only where two lines of a patient lie on the same days."""
    key = _key(lines)
    order = np.argsort(key, kind="stable")
    in_order = key[order]
    same = in_order[1:] == in_order[:-1]
    tied = np.flatnonzero(np.append(same, np.False_) | np.insert(same, 0, np.False_)) if len(same) else order[:0]
    if len(tied):
        rows = order[tied]
        by = ("key", "start", "end", *ties)
        by_text = lines[rows].select(pl.Series("key", in_order[tied]), *by[1:], place=pl.Series(rows)).sort(by)
        order[tied] = by_text["place"].to_numpy()
    return order


def numbered(patients: pl.Series) -> Whole:
    """A number for every patient, from 0 on."""
    numbers: Whole = patients.rank("dense").cast(pl.Int64).to_numpy() - 1
    return numbers


def firsts(numbers: Whole, patients: int) -> Whole:
    """Where the rows of each patient begin among rows sorted by number, and how many rows there are."""
    return np.searchsorted(numbers, np.arange(patients + 1)).astype(np.int64)


def _key(lines: pl.DataFrame) -> Whole:
    numbers = lines[NUMBER].cast(pl.Int64).to_numpy()
    start, end = (lines[name].to_physical().cast(pl.Int64).to_numpy() for name in ("start", "end"))
    day = np.clip(start + _DAYS // 2, 0, _DAYS - 1)
    key: Whole = (numbers * _DAYS + day) * _STAY_DAYS + np.clip(end - start, 0, _STAY_DAYS - 1)
    return key
