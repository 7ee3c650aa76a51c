"""The NHS financial year, 1 April to 31 March, looked up by day."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import empty, numbers_or, repeated, with_blanks

_FIRST_YEAR, _LAST_YEAR = 1990, 2090
_CALENDAR_STARTS: Final = np.datetime64(f"{_FIRST_YEAR}-04-01", "D")


def _calendar() -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """For every day from 1 April 1990 to 31 March 2090: its financial year, counted from the first, and month, 1 = April."""
    days = np.arange(_CALENDAR_STARTS, np.datetime64(f"{_LAST_YEAR}-04-01", "D"))
    months = days.astype("datetime64[M]").astype(np.int64) - _CALENDAR_STARTS.astype("datetime64[M]").astype(np.int64)
    return (months // 12).astype(np.uint8), (months % 12 + 1).astype(np.int8)


_YEAR_OF_DAY, _MONTH_OF_DAY = _calendar()
_FIRST_DAY: Final = int(_CALENDAR_STARTS.astype(np.int64))
_YEAR_LABELS: Final = pl.Series([f"{year}-{(year + 1) % 100:02}" for year in range(_FIRST_YEAR, _LAST_YEAR)])


def financial_year(dates: pl.Series) -> pl.Series:
    """Financial year such as `2017-18`; blank where the date is."""
    years = _of_days(dates, _YEAR_OF_DAY)
    if years is None:
        return _computed_year(dates)
    if years.min() == years.max():  # as of nearly every file: labels are texts, of which one costs little and many much
        of_dates = repeated(_YEAR_LABELS[int(years[0])], years.size, pl.String)
    else:
        of_dates = _YEAR_LABELS.gather(years)
    return of_dates.set(dates.is_null(), None) if dates.null_count() else of_dates


def financial_month(dates: pl.Series) -> pl.Series:
    """Month of the financial year, 1 = April; blank where the date is."""
    months = _of_days(dates, _MONTH_OF_DAY)
    return _computed_month(dates) if months is None else with_blanks(months, dates.is_null().to_numpy())


def _of_days(dates: pl.Series, calendar: NDArray[Any]) -> NDArray[Any] | None:
    """What the calendar says of every day, looked up rather than computed, because this is done for every line; that of some day
    where the date is blank, and None where the calendar lacks one of them."""
    if dates.null_count() == len(dates):
        return None
    from tariff.kernels.tables import look_up

    days = dates.cast(pl.Int32)
    some_day = cast(int, days.max())  # of the file's year, so that blanks are of no other
    found = empty(len(days), calendar.dtype)
    return found if look_up(numbers_or(days, some_day), _FIRST_DAY, calendar, found) else None


_DAY: Final = pl.col("day")


def _computed_year(dates: pl.Series) -> pl.Series:
    start = _DAY.dt.year() - (_DAY.dt.month() < 4).cast(pl.Int32)
    year = start.cast(pl.String) + "-" + ((start + 1) % 100).cast(pl.String).str.zfill(2)
    return pl.DataFrame({"day": dates}).select(year).to_series()


def _computed_month(dates: pl.Series) -> pl.Series:
    month = ((_DAY.dt.month().cast(pl.Int16) + 8) % 12 + 1).cast(pl.Int8)
    return pl.DataFrame({"day": dates}).select(month).to_series()
