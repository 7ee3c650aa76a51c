"""From a cell as a file holds it to a canonical value, strictly: a cell that is not blank and cannot be read is a fault of
its row, never a blank and never a guess. Codes stay as they stand apart from case and surrounding blanks, so a code that a
spreadsheet has damaged (`1E05`, a lost leading zero) stays visibly damaged and meets its reason later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from tariff.columns import Column

UNREADABLE_DATE: Final = "unreadable_date"
UNREADABLE_NUMBER: Final = "unreadable_number"

DATE_FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "yyyy-mm-dd": (r"^\d{4}-\d{2}-\d{2}$", "%Y-%m-%d"),
    "dd/mm/yyyy": (r"^\d{1,2}/\d{1,2}/\d{4}$", "%d/%m/%Y"),
    "yyyymmdd": (r"^\d{8}$", "%Y%m%d"),
    "dd-mm-yyyy": (r"^\d{1,2}-\d{1,2}-\d{4}$", "%d-%m-%Y"),
    "dd.mm.yyyy": (r"^\d{1,2}\.\d{1,2}\.\d{4}$", "%d.%m.%Y"),
    "dd-mmm-yyyy": (r"^\d{1,2}-[A-Za-z]{3}-\d{4}$", "%d-%b-%Y"),
    "dd mmm yyyy": (r"^\d{1,2} [A-Za-z]{3} \d{4}$", "%d %b %Y"),
    "ddmmyyyy": (r"^\d{8}$", "%d%m%Y"),
}
"""Formats a column map may name: a shape and a format. The shape is held first, because a bare `%Y` would read `17` as the
year 17. Month before day is not among them: `04/05/2017` would be read both ways."""

DEFAULT_DATE_FORMATS: Final = ("yyyy-mm-dd", "dd/mm/yyyy", "yyyymmdd")
"""No text fits two of these, so no date is ambiguous: with slashes the day always comes first."""

CASE_MATTERS: Final = frozenset(
    {"spell_id", "patient_id", "attendance_id", "line_id", "parent_line_id", "specialised_services", "best_practice"}
)
"""Identifiers, and codes in a rule pack's own words. In every other code the case has no meaning and is raised: `2a` is `2A`."""

_TIME_OF_DAY: Final = r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$"
_WHOLE_NUMBER: Final = r"^-?\d+(\.0*)?$"
_POUNDS: Final = r"^[-−]?£?[-−]?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{0,2})0*)?$"
_LARGEST_DIGITS: Final = 16
"""Digits of whole pounds that int64 pence can hold; a longer amount is unreadable rather than wrapped round."""
_PENNY_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Reading:
    """How one kind's cells are read: accepted date formats, texts that mean blank, and per column the recoded values."""

    date_formats: Sequence[str] = DEFAULT_DATE_FORMATS
    blanks: Sequence[str] = ()
    recode: Mapping[str, Mapping[str, str]] | None = None

    def recode_of(self, column: str) -> Mapping[str, str]:
        """What the values of a column are replaced by; values not named stay."""
        return (self.recode or {}).get(column, {})


@dataclass(frozen=True, slots=True)
class Cell:
    """The value of a canonical column and, where a cell may be unreadable, when it is and the reason code it then gives."""

    value: pl.Expr
    unreadable: pl.Expr | None = None
    reason: str = ""


def type_refused(column: Column, dtype: pl.DataType) -> str:
    """Why a column of type `dtype` in a typed file cannot be read as `column`; empty where it can."""
    if dtype.is_nested() or dtype in (pl.Boolean, pl.Binary, pl.Object, pl.Duration, pl.Time):
        return f"is of type {dtype}; {_wanted(column)}"
    if dtype.is_temporal() and column.dtype != pl.Date:
        return f"holds dates; {_wanted(column)}"
    if column.dtype == pl.Date and (dtype.is_float() or dtype.is_decimal()):
        return f"is of type {dtype}; {_wanted(column)}"
    return ""


def _wanted(column: Column) -> str:
    if column.dtype == pl.Date:
        return "dates are needed"
    return (
        "text is needed"
        if column.dtype == pl.String
        else "whole numbers are needed"
        if not _is_money(column)
        else "pounds are needed"
    )


def _is_money(column: Column) -> bool:
    return column.unit.startswith("pence")


def cell(column: Column, raw: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cell:
    """How to read `raw`, a column or constant of type `dtype`, as the canonical `column`."""
    if dtype == pl.Null:
        return Cell(pl.lit(None, column.dtype))
    if column.dtype == pl.String:
        return Cell(_text(column, raw, dtype, reading))
    if column.dtype == pl.Date:
        return _date(column, raw, dtype, reading)
    return _money(column, raw, dtype, reading) if _is_money(column) else _number(column, raw, dtype, reading)


def _cleaned(column: Column, raw: pl.Expr, reading: Reading) -> pl.Expr:
    """Text without surrounding blanks; blank, or a word the map says means blank, is null; recoded as the map says."""
    stripped = raw.str.strip_chars()
    blank = stripped.is_in(["", *reading.blanks]) if reading.blanks else stripped == ""
    kept = pl.when(~blank).then(stripped)
    recode = reading.recode_of(column.name)
    return kept.replace(list(recode), list(recode.values())) if recode else kept


def _text(column: Column, raw: pl.Expr, dtype: pl.DataType, reading: Reading) -> pl.Expr:
    raised = column.name not in CASE_MATTERS
    if isinstance(dtype, pl.Enum) and _is_clean(dtype, raised, column, reading):
        return raw
    text = _cleaned(column, _as_text(raw, dtype), reading)
    return text.str.to_uppercase() if raised else text


def _is_clean(dtype: pl.Enum, raised: bool, column: Column, reading: Reading) -> bool:
    """Whether every category is canonical already, so that the column can stay dictionary-coded."""
    if reading.blanks or reading.recode_of(column.name):
        return False
    return all(word and word == word.strip() and (not raised or word == word.upper()) for word in dtype.categories)


def _as_text(raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Numbers as their digits: a whole number held as a float (as pandas does beside blanks) loses its `.0`."""
    if dtype == pl.String:
        return raw
    if not dtype.is_float():
        return raw.cast(pl.String)
    number = raw.fill_nan(None)
    whole = number.cast(pl.Int64, strict=False)
    return pl.when(whole.cast(pl.Float64) == number).then(whole.cast(pl.String)).otherwise(number.cast(pl.String))


def _is_text(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Categorical, pl.Enum)


def _date(column: Column, raw: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cell:
    if dtype == pl.Date:
        return Cell(raw)
    if isinstance(dtype, pl.Datetime):
        # A midnight stored as an instant in summer is 23:00 of the day before in UTC: bring it home before cutting the time.
        local = raw.dt.convert_time_zone("Europe/London") if dtype.time_zone else raw
        return Cell(local.dt.date())
    text = _cleaned(column, raw.cast(pl.String), reading)
    day = text.str.replace(_TIME_OF_DAY, "")
    value = pl.coalesce(_dated(day, *DATE_FORMATS[name]) for name in reading.date_formats)
    return Cell(value, text.is_not_null() & value.is_null(), UNREADABLE_DATE)


def _dated(day: pl.Expr, shape: str, written: str) -> pl.Expr:
    return pl.when(day.str.contains(shape)).then(day).str.to_date(written, strict=False)


def _number(column: Column, raw: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cell:
    if dtype.is_integer():
        value = raw.cast(column.dtype, strict=False)
        return Cell(value, raw.is_not_null() & value.is_null(), UNREADABLE_NUMBER)
    if _is_text(dtype):
        given = _cleaned(column, raw.cast(pl.String), reading)
        digits = pl.when(given.str.contains(_WHOLE_NUMBER)).then(given.str.replace(r"\.0*$", ""))
        value = digits.cast(column.dtype, strict=False)
        return Cell(value, given.is_not_null() & value.is_null(), UNREADABLE_NUMBER)
    given = raw.fill_nan(None) if dtype.is_float() else raw
    whole = given.cast(column.dtype, strict=False)
    value = pl.when(whole.cast(dtype) == given).then(whole)
    return Cell(value, given.is_not_null() & value.is_null(), UNREADABLE_NUMBER)


def _money(column: Column, raw: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cell:
    """Pounds to pence, exactly. A float is taken only where it lies within a millionth of a penny of whole pence."""
    if _is_text(dtype):
        given = _cleaned(column, raw.cast(pl.String), reading)
        value = _pence(given)
    elif dtype.is_float():
        given = raw.cast(pl.Float64).fill_nan(None)
        value = _pence_of_float(given)
    else:
        given = raw
        value = _pence(raw.cast(pl.String))
    return Cell(value, given.is_not_null() & value.is_null(), UNREADABLE_NUMBER)


def _pence(text: pl.Expr) -> pl.Expr:
    whole = text.str.extract(_POUNDS, 1).str.replace_all(",", "", literal=True)
    part = pl.coalesce(text.str.extract(_POUNDS, 2), pl.lit("")).str.pad_end(2, "0")
    fits = whole.str.strip_chars_start("0").str.len_bytes() <= _LARGEST_DIGITS
    amount = pl.when(fits).then(whole + part).cast(pl.Int64, strict=False)
    return pl.when(text.str.contains("[-−]")).then(-amount).otherwise(amount)


def _pence_of_float(pounds: pl.Expr) -> pl.Expr:
    hundredfold = pounds * 100
    nearest = hundredfold.round()
    exact = pounds.is_finite() & ((hundredfold - nearest).abs() <= _PENNY_TOLERANCE)
    return pl.when(exact).then(nearest).cast(pl.Int64, strict=False)


def first_fault(cells: Sequence[Cell]) -> pl.Expr:
    """The reason code of the first unreadable cell, dates before numbers, or null: the `read_fault` of the row."""
    spoken = [
        pl.when(pl.any_horizontal(unreadable)).then(pl.lit(reason))
        for reason in (UNREADABLE_DATE, UNREADABLE_NUMBER)
        if (unreadable := [one.unreadable for one in cells if one.unreadable is not None and one.reason == reason])
    ]
    return pl.coalesce(spoken) if spoken else pl.lit(None, pl.String)
