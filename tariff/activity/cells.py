"""From a cell as a file holds it to a canonical value, strictly: a cell that is not blank and cannot be read is a fault of
its row, never a blank and never a guess. Codes stay as they stand apart from case and surrounding blanks, so a code that a
spreadsheet has damaged (`1E05`, a lost leading zero) stays visibly damaged and meets its reason later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

import polars as pl

from tariff.buffers import repeated
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

MOSTLY_DISTINCT: Final = frozenset(
    {"spell_id", "patient_id", "attendance_id", "line_id", "parent_line_id", "secondary_diagnoses", "local_price"}
)
"""Columns whose cells seldom repeat: they are read cell by cell, the others once for each distinct text of a block."""

_TIME_OF_DAY: Final = r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$"
_WHOLE_NUMBER: Final = r"^-?\d+(\.0*)?$"
_POUNDS: Final = r"^[-−]?£?[-−]?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{0,2})0*)?$"
_LARGEST_DIGITS: Final = 16
"""Digits of whole pounds that int64 pence can hold; a longer amount is unreadable rather than wrapped round."""
_PENNY_TOLERANCE: Final = 1e-6

_ReadText: TypeAlias = Callable[[pl.Expr], pl.Expr]
"""From the text of cells to their values."""
ReadCells: TypeAlias = Callable[[pl.Series], pl.Series]
"""From a column of cells to their values."""


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
    """The value of a canonical column. Where a cell may be unreadable, `holds` says which cells of the column as it is `filed`
    hold something at all (such a cell with a null value is unreadable) and `reason` is the code it then gives. Where that takes
    no query, `read` makes the values of a column in memory."""

    value: pl.Expr
    filed: pl.Expr | None = None
    holds: ReadCells = pl.Series.is_not_null
    reason: str = ""
    read: ReadCells | None = None

    @property
    def given(self) -> pl.Expr | None:
        """Which cells hold something, where one may be unreadable."""
        return None if self.filed is None else _elementwise(self.filed, self.holds, pl.Boolean())

    def unreadable(self, values: pl.Series, filed: pl.Series) -> pl.Series | None:
        """Which cells are unreadable, by the values and what is filed; None where it is known that none is."""
        if values.null_count() == filed.null_count():  # a value comes of a cell that is filed: these are the same rows
            return None
        return self.holds(filed) & values.is_null()


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


def cell(column: Column, raw: pl.Expr, dtype: pl.DataType, reading: Reading, *, as_filed: bool = False) -> Cell:
    """How to read `raw`, a column or constant of type `dtype`, as the canonical `column`; a code may keep the case and blanks
    that it has `as_filed`."""
    if dtype == pl.Null:
        return Cell(raw.cast(column.dtype))  # not a literal: a file of nothing else would lose its number of rows
    if column.dtype == pl.String:
        return _code(column, raw, dtype, reading, as_filed=as_filed)
    if _is_text(dtype):
        text = _from_text(column, raw.cast(pl.String), reading)
        return text if dtype == pl.String else replace(text, read=None)
    if column.dtype == pl.Date:
        return _date(column, raw, dtype, reading)
    return _amount(raw, dtype) if _is_money(column) else _number(column, raw, dtype)


def constant(column: Column, text: str, reading: Reading) -> pl.Series:
    """A column of one cell holding what `text` means in `column`; null where it cannot be read."""
    return (
        pl.Series([text], dtype=pl.String)
        .to_frame("text")
        .select(cell(column, pl.col("text"), pl.String(), reading).value)
        .to_series()
    )


def _is_text(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Categorical, pl.Enum)


def _from_text(column: Column, raw: pl.Expr, reading: Reading) -> Cell:
    """A date, number or amount written as text."""
    clean = partial(_cleaned, column=column, reading=reading)

    def holds(texts: pl.Series) -> pl.Series:
        return _given_of(texts, clean, reading)

    if column.dtype == pl.Date:
        return Cell(_each(column, raw, lambda text: _dated(clean(text), reading)), raw, holds, UNREADABLE_DATE)
    if _is_money(column):

        def read(texts: pl.Series) -> pl.Series:
            return _pence_of(texts, lambda text: _pence(clean(text)))

        return Cell(_elementwise(raw, read, column.dtype), raw, holds, UNREADABLE_NUMBER, read)
    return Cell(_each(column, raw, lambda text: whole_number(clean(text), column.dtype)), raw, holds, UNREADABLE_NUMBER)


def _given_of(texts: pl.Series, clean: _ReadText, reading: Reading) -> pl.Series:
    """Which cells hold something: neither nothing, nor blanks, nor a word that means blank."""
    from tariff.texts.scanning import none_blank

    if not reading.blanks and none_blank(texts):
        return texts.is_not_null()
    return _read_given(texts, pl.Boolean(), lambda text: clean(text).is_not_null()).fill_null(value=False)


def _pence_of(texts: pl.Series, read: _ReadText) -> pl.Series:
    """Pounds as pence: plain ones by their bytes, the others as they may be written."""
    from tariff.texts.amounts import plain_pence

    plain = plain_pence(texts)
    if plain is None:
        return _read_given(texts, pl.Int64(), read)
    pence, others = plain
    if not others:
        return pence
    rows = (pence.is_null() & texts.is_not_null()).arg_true()
    return pence.scatter(rows, _read_all(texts.gather(rows), read))


def _each(column: Column, raw: pl.Expr, read: _ReadText) -> pl.Expr:
    """`read`, applied once to each distinct text of a block: codes, dates and ages repeat thousands of times."""
    if column.name in MOSTLY_DISTINCT:
        return _where_given(raw, column.dtype, read)
    return _elementwise(raw, lambda texts: _read_distinct(texts, column.dtype, read), column.dtype)


def _where_given(raw: pl.Expr, dtype: pl.DataType, read: _ReadText) -> pl.Expr:
    """`read`, applied to the texts that are given: of local prices, say, nearly none is. Null where nothing is."""
    return _elementwise(raw, lambda texts: _read_given(texts, dtype, read), dtype)


def _read_given(texts: pl.Series, dtype: pl.DataType, read: _ReadText) -> pl.Series:
    if not texts.null_count():
        return _read_all(texts, read)
    nothing = repeated(None, len(texts), dtype)
    rows = texts.is_not_null().arg_true()
    return nothing.scatter(rows, _read_all(texts.gather(rows), read)) if len(rows) else nothing


def _read_all(texts: pl.Series, read: _ReadText) -> pl.Series:
    return texts.to_frame("text").select(read(pl.col("text"))).to_series()


def _read_distinct(texts: pl.Series, dtype: pl.DataType, read: _ReadText) -> pl.Series:
    distinct = (texts.drop_nulls() if texts.null_count() else texts).unique()
    answers = _read_all(distinct, read)
    if answers.dtype == texts.dtype and answers.equals(distinct, null_equal=True):
        return texts
    return texts.replace_strict(distinct, answers, default=None, return_dtype=dtype)


def _cleaned(raw: pl.Expr, column: Column, reading: Reading) -> pl.Expr:
    """Text without surrounding blanks; blank, or a word the map says means blank, is null; recoded as the map says."""
    kept = raw.str.strip_chars().replace(list({"", *reading.blanks}), None)
    recode = reading.recode_of(column.name)
    return kept.replace(list(recode), list(recode.values())) if recode else kept


def _code(column: Column, raw: pl.Expr, dtype: pl.DataType, reading: Reading, *, as_filed: bool) -> Cell:
    if as_filed and dtype == pl.String and not reading.blanks and not reading.recode_of(column.name):
        return Cell(raw, read=as_it_stands)
    raised = column.name not in CASE_MATTERS
    if isinstance(dtype, pl.Enum) and _is_clean(dtype, raised, column, reading):
        return Cell(raw, read=as_it_stands)

    def read(text: pl.Expr) -> pl.Expr:
        code = _cleaned(text, column, reading)
        return code.str.to_uppercase() if raised else code

    may_stay = not (reading.blanks or reading.recode_of(column.name))

    def read_block(texts: pl.Series) -> pl.Series:
        from tariff.texts.scanning import all_clean

        if may_stay and all_clean(texts, raised=raised):
            return texts
        return _read_all(texts, read) if column.name in MOSTLY_DISTINCT else _read_distinct(texts, column.dtype, read)

    value = _elementwise(_as_text(raw, dtype), read_block, column.dtype)
    return Cell(value, read=read_block if dtype == pl.String else None)


def as_it_stands(values: pl.Series) -> pl.Series:
    """The column itself: its cells are the values."""
    return values


def _elementwise(raw: pl.Expr, read: ReadCells, dtype: pl.DataType) -> pl.Expr:
    return raw.map_batches(read, return_dtype=dtype, is_elementwise=True)


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


def _date(column: Column, raw: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cell:
    if dtype == pl.Date:
        return Cell(raw, read=as_it_stands)
    if isinstance(dtype, pl.Datetime):
        # A midnight stored as an instant in summer is 23:00 of the day before in UTC: bring it home before cutting the time.
        local = raw.dt.convert_time_zone("Europe/London") if dtype.time_zone else raw
        return Cell(local.dt.date())
    return _from_text(column, raw.cast(pl.String), reading)


def _dated(text: pl.Expr, reading: Reading) -> pl.Expr:
    day = text.str.replace(_TIME_OF_DAY, "")
    tried = [DATE_FORMATS[name] for name in reading.date_formats]
    return pl.coalesce(pl.when(day.str.contains(shape)).then(day).str.to_date(written, strict=False) for shape, written in tried)


def _number(column: Column, raw: pl.Expr, dtype: pl.DataType) -> Cell:
    if dtype == column.dtype:
        return Cell(raw, read=as_it_stands)
    given = raw.fill_nan(None) if dtype.is_float() else raw
    whole = given.cast(column.dtype, strict=False)
    if dtype.is_integer():
        return Cell(whole, given, reason=UNREADABLE_NUMBER, read=lambda numbers: numbers.cast(column.dtype, strict=False))
    return Cell(pl.when(whole.cast(dtype) == given).then(whole), given, reason=UNREADABLE_NUMBER)


def whole_number(text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The whole number that `text` is; null where it is none, or is beyond `dtype`."""
    return pl.when(text.str.contains(_WHOLE_NUMBER)).then(text.str.replace(r"\.0*$", "")).cast(dtype, strict=False)


def _amount(raw: pl.Expr, dtype: pl.DataType) -> Cell:
    """Pounds to pence, exactly. A float is taken only where it lies within a millionth of a penny of whole pence."""
    if dtype.is_float():
        given = raw.cast(pl.Float64).fill_nan(None)
        return Cell(_pence_of_float(given), given, reason=UNREADABLE_NUMBER)
    if dtype.is_integer():
        pounds = raw.cast(pl.Int64, strict=False)
        return Cell(pl.when(pounds.abs() < 10**_LARGEST_DIGITS).then(pounds * 100), raw, reason=UNREADABLE_NUMBER)
    return Cell(_pence(raw.cast(pl.String)), raw, reason=UNREADABLE_NUMBER)


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
