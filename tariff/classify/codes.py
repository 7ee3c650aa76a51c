"""Codes to numbers: a question about a code is answered once per distinct code, a block then costs one look-up a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import empty, filled
from tariff.rulepack.book import trust_of

CODED: Final = pl.Categorical(pl.Categories(name="codes", namespace="tariff"))
"""How code columns are numbered: every distinct code has one number in the whole process."""
_NUMBERING: Final = pl.Series([""], dtype=CODED)
"""Polars forgets a numbering when no series uses it; this one keeps it. The empty text is number 0 and stands for blanks."""


class Codes:
    """A question about a code, answered once per distinct code: `answer` takes the text, `blank` stands for no text.

    Answers are kept by the number of the code (see CODED), so that a block costs one look-up a row."""

    def __init__(self, answer: Callable[[str], int], blank: int, dtype: type = np.uint8, *, as_written: bool = False) -> None:
        self._answer, self._blank, self._dtype, self._as_written = answer, blank, dtype, as_written
        self._answers: NDArray[Any] = np.array([blank], dtype=dtype)

    def of(self, column: pl.Series | None, height: int) -> NDArray[Any]:
        """The answer for every row of `column`; `blank` throughout where the file lacks the column."""
        if column is None or column.null_count() == height:
            return filled(height, self._blank, self._dtype)
        numbers = _numbers(column)
        highest = int(numbers.max())
        answers = self._answers if highest < self._answers.size else self._ask(highest)
        return np.take(answers, numbers, out=empty(height, self._dtype), mode="clip")  # no number is beyond the answers

    def _ask(self, highest: int) -> NDArray[Any]:
        """The answers to all codes up to the number `highest`. A new array, so that threads never see half of one."""
        known = self._answers
        new = pl.Series(np.arange(known.size, highest + 1, dtype=np.uint32)).cat.to(CODED).cast(pl.String)
        asked: NDArray[Any] = np.array([self._answer_to(text) for text in new], dtype=self._dtype)
        self._answers = np.concatenate([known, asked])
        return self._answers

    def _answer_to(self, text: str) -> int:
        """Case and surrounding blanks have no meaning in a national code; words of the pack's own are taken as written."""
        code = text.strip()
        return self._answer(code if self._as_written else code.upper()) if code else self._blank


def as_codes(column: pl.Series) -> pl.Series:
    """The column with its distinct texts numbered by `CODED`; a blank may be null or number 0."""
    return column if column.dtype == CODED else pl.Series(column.name, _numbers(column)).cat.to(CODED)


def _numbers(column: pl.Series) -> NDArray[np.uint32]:
    """The number of every row's text by `CODED`; 0 for a blank."""
    if column.dtype == pl.String:
        numbers = _BYTES.numbers(column)
        if numbers is not None:
            return numbers
    coded = column if column.dtype == CODED else column.cast(pl.String).cast(CODED)
    physical = coded.to_physical()
    return (physical.fill_null(0) if physical.null_count() else physical).to_numpy()


class _CodesByBytes:
    """The numbers of codes by their bytes. Codes come few at a time and stay, so the table is made anew where one is missing."""

    def __init__(self) -> None:
        self._codes = pl.Series([""], dtype=pl.String)
        self._table: Any = None

    def numbers(self, column: pl.Series) -> NDArray[np.uint32] | None:
        """The number of every row, 0 for a blank; None where texts are too long or too many to be looked up."""
        from tariff.kernels.code_numbers import all_in_views, look_up
        from tariff.kernels.compiled import IS_COMPILED

        views = _views(column) if IS_COMPILED else None
        if views is None:
            return None
        found = empty(len(column), np.uint32)
        known = column.is_not_null().to_numpy() if column.null_count() else None
        if look_up(views, self._table or self._with(self._codes), found) < found.size:
            distinct = column.unique().drop_nulls()
            new = _views(distinct)
            if new is None or not all_in_views(new) or len(self._codes) + len(distinct) > _MOST_CODES:
                return None
            if known is not None:  # what stands behind a null may be anything
                views = (views.reshape(-1, 2) * known.astype(np.uint64)[:, None]).reshape(-1)
            look_up(views, self._with(pl.concat([self._codes, distinct]).unique()), found)
        if known is not None:
            found *= known
        return found

    def _with(self, codes: pl.Series) -> Any:
        """A table of `codes`, kept for the blocks to come. Made whole before it is kept, so that threads never see half."""
        from tariff.kernels.code_numbers import table_of

        codes = codes.rechunk()
        views = _views(codes)
        if views is None:
            raise AssertionError("texts of Polars are no string views")
        table = table_of(views, codes.cast(CODED).to_physical().cast(pl.Int64).to_numpy())
        self._codes, self._table = codes, table
        return table


_MOST_CODES: Final = 200_000
"""Beyond this a column holds identifiers rather than codes."""
_BYTES: Final = _CodesByBytes()


def _views(column: pl.Series) -> NDArray[np.uint64] | None:
    """The string views of a column, two words a row; None where Arrow does not give them."""
    array = column.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    if str(array.type) != "string_view":
        return None
    if not len(array):
        return np.empty(0, dtype=np.uint64)
    return np.frombuffer(array.buffers()[1], np.uint64, 2 * len(array), 16 * array.offset)


def with_codes(block: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The block with the texts of these columns numbered, where more than one question is asked about them."""
    return block.with_columns(as_codes(block[name]) for name in columns if name in block.columns)


CODE_UNKNOWN, CODE_BLANK, CODE_UNGROUPED = 0, -1, -2
"""Rows of an HRG or currency that are no row, as the kernels know them."""


def grouped_row(codes: Iterable[str]) -> Callable[[str], int]:
    """Row of an HRG or currency in a table; UZ is not a currency but a failure to group (RULES 1.1)."""
    row_of = {code: row for row, code in enumerate(codes, start=1)}

    def row(code: str) -> int:
        return CODE_UNGROUPED if code.startswith("UZ") else row_of.get(code, CODE_UNKNOWN)

    return row


def by_code_or_trust(codes: Iterable[str]) -> Callable[[str], int]:
    """Row of a provider in a list: matched whole, then by its first three characters (the row is then negative); 0 none."""
    row_of = {code: row for row, code in enumerate(codes, start=1)}

    def row(code: str) -> int:
        return row_of.get(code) or -row_of.get(trust_of(code), 0)

    return row


def numbers_of(block: pl.DataFrame, name: str, blank: int) -> NDArray[np.int32]:
    """A column of days, ages or dates as int32, `blank` where it is null or the file lacks it. Dates count from 1970-01-01."""
    if name not in block.columns:
        return filled(block.height, blank, np.int32)
    column = block[name].to_physical()
    if column.dtype != pl.Int32:
        # a count beyond int32 is impossible and must stay so: clipped, it is still out of every range
        column = column.clip(-(2**31) + 1, 2**31 - 1).cast(pl.Int32) if column.dtype.is_integer() else column.cast(pl.Int32)
    return (column.fill_null(blank) if column.null_count() else column).rechunk().to_numpy()
