"""The NHS financial year, 1 April to 31 March, looked up by day."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_FIRST_YEAR, _LAST_YEAR = 1990, 2090
_CALENDAR_STARTS: Final = np.datetime64(f"{_FIRST_YEAR}-04-01", "D")


def _calendar() -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """For every day from 1 April 1990 to 31 March 2090: its financial year, counted from the first, and month, 1 = April."""
    days = np.arange(_CALENDAR_STARTS, np.datetime64(f"{_LAST_YEAR}-04-01", "D"))
    months = days.astype("datetime64[M]").astype(np.int64) - _CALENDAR_STARTS.astype("datetime64[M]").astype(np.int64)
    return (months // 12).astype(np.int32), (months % 12 + 1).astype(np.int8)


_YEAR_OF_DAY, _MONTH_OF_DAY = _calendar()
_YEAR_LABELS: Final = pl.Series([f"{year}-{(year + 1) % 100:02}" for year in range(_FIRST_YEAR, _LAST_YEAR)])


def financial_year_and_month(dates: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Financial year such as `2017-18`, and its month, 1 = April; blank where the date is. A calendar is looked up rather
    than computed, because this is done for every line."""
    physical = dates.to_physical()
    latest = physical.max()
    if not isinstance(latest, int):
        nothing = pl.repeat(None, len(dates), dtype=pl.String, eager=True)
        return nothing, nothing.cast(pl.Int8)
    blank = physical.is_null()
    days = (physical.fill_null(latest) if blank.any() else physical).to_numpy() - int(_CALENDAR_STARTS.astype(np.int64))
    if not 0 <= int(days.min()) <= int(days.max()) < _YEAR_OF_DAY.size:
        return _computed_year_and_month(dates)
    years, months = _YEAR_LABELS.gather(_YEAR_OF_DAY[days]), pl.Series(_MONTH_OF_DAY[days])
    return (years.set(blank, None), months.set(blank, None)) if blank.any() else (years, months)


def _computed_year_and_month(dates: pl.Series) -> tuple[pl.Series, pl.Series]:
    day = pl.col("day")
    start = day.dt.year() - (day.dt.month() < 4).cast(pl.Int32)
    found = pl.DataFrame({"day": dates}).select(
        year=start.cast(pl.String) + "-" + ((start + 1) % 100).cast(pl.String).str.zfill(2),
        month=((day.dt.month().cast(pl.Int16) + 8) % 12 + 1).cast(pl.Int8),
    )
    return found["year"], found["month"]
