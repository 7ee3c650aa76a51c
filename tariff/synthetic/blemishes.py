"""What is wrong with real extracts, sparingly: stays not yet ended, and rows that no engine can price, so that a synthetic
year shows every outcome. HRGs the pack does not know and data invalid for grouping come with the mix (mix.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.synthetic.seasons import Calendar

UNFINISHED_SHARE: Final = 0.002
"""Share of spells with no discharge date: patients still in hospital when the year ends."""

_STILL_IN_HOSPITAL: Final = "8"
_STAYS_OF_LAST_DAYS: Final = 60

WRONG: Final = {"admission_method": "99", "patient_classification": "8"}
"""Codes that are in no national list, by column."""
WRONG_SHARES: Final = {
    "admission_method": 0.0003,
    "patient_classification": 0.0001,
    "age": 0.0001,
    "hrg": 0.0001,
    "commissioner": 0.0001,
    "admission_date": 0.0001,
}
"""Share of rows with a wrong value, by column: a code in no list, an age of 999, else a blank."""
_WRONG_VALUES: Final[Mapping[str, str | int]] = {**WRONG, "age": 999}


def blemish(rng: np.random.Generator, frame: pl.DataFrame, calendar: Calendar, last: NDArray[np.bool_]) -> pl.DataFrame:
    """The frame with some stays unfinished and a few cells wrong, one wrong cell a row at most. `last` marks the spells after
    which their patient has no other."""
    return spoil(rng, _unfinished(rng, frame, calendar, last), WRONG_SHARES, _WRONG_VALUES)


def spoil(
    rng: np.random.Generator, frame: pl.DataFrame, shares: Mapping[str, float], values: Mapping[str, str | int | None]
) -> pl.DataFrame:
    """The frame with `shares` of the cells of some columns replaced by a value, or blanked where there is none; a row loses one
    cell at most."""
    counts = [round(share * frame.height) for share in shares.values()]
    rows = rng.permutation(frame.height)[: sum(counts)]
    for column, chosen in zip(shares, np.split(rows, np.cumsum(counts)[:-1]), strict=True):
        frame = frame.with_columns(_replaced(frame[column], _rows(chosen, frame.height), values.get(column)))
    return frame


def _unfinished(rng: np.random.Generator, frame: pl.DataFrame, calendar: Calendar, last: NDArray[np.bool_]) -> pl.DataFrame:
    """Blank the discharge of some of the stays that end in the year's last days."""
    nearly_over = calendar.first_day + calendar.days - _STAYS_OF_LAST_DAYS
    discharged = frame["discharge_date"].to_physical()
    overnight = (discharged > frame["admission_date"].to_physical()) & (discharged >= nearly_over)
    candidates = np.flatnonzero(overnight.to_numpy() & last)
    chosen = rng.permutation(candidates)[: round(UNFINISHED_SHARE * frame.height)]
    rows = _rows(chosen, frame.height)
    return frame.with_columns(
        _replaced(frame["discharge_date"], rows, None), _replaced(frame["discharge_method"], rows, _STILL_IN_HOSPITAL)
    )


def _rows(chosen: NDArray[np.int64], height: int) -> pl.Series:
    marked = np.zeros(height, np.bool_)
    marked[chosen] = True
    return pl.Series(marked)


def _replaced(column: pl.Series, rows: pl.Series, value: str | int | None) -> pl.Series:
    return pl.select(pl.when(rows).then(pl.lit(value, column.dtype)).otherwise(column)).to_series().alias(column.name)
