"""Codes to numbers: a question about a code is answered once per distinct code, a line then costs one look-up a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import filled, numbers_or, read_only
from tariff.facts import Field
from tariff.rulepack.book import trust_of

if TYPE_CHECKING:
    from tariff.texts.answers import Answers


class Codes:
    """A question about a code, answered once per distinct code: `answer` takes the text, `blank` stands for no text.

    Case and surrounding blanks have no meaning in a national code; words of the pack's own are taken `as_written`."""

    def __init__(self, answer: Callable[[str], int], blank: int, dtype: type = np.uint8, *, as_written: bool = False) -> None:
        from tariff.texts.answers import Answers

        self._blank, self._dtype = blank, dtype
        self._answers = Answers(lambda text: _answered(answer, blank, text, as_written) % _WRAP, blank % _WRAP)

    def of(self, column: pl.Series | None, height: int) -> NDArray[Any]:
        """The answer for every row of `column`; `blank` throughout where the file lacks the column."""
        if column is None or column.null_count() == height:
            return filled(height, self._blank, self._dtype)
        found = filled(height, 0, np.uint64)
        self._answers.into(found, column)
        return found.view(np.int64).astype(self._dtype)


_WRAP: Final = 1 << 64
"""Answers are kept as 64 bits without a sign; a negative one comes back as it went in."""


def _answered(answer: Callable[[str], int], blank: int, text: str, as_written: bool) -> int:
    code = text.strip()
    return answer(code if as_written else code.upper()) if code else blank


class Question(NamedTuple):
    """What a field of the facts of a line says: the answer to a question about a code of `column`, `blank` where it has none. The
    answer may be the number of a row of a table that has so many `rows`."""

    column: str
    field: Field
    answer: Callable[[str], int]
    blank: int
    as_written: bool = False
    rows: int = 0

    def asked(self, text: str) -> int:
        """The answer to a text, where it stands in the facts."""
        return self.field.held(_answered(self.answer, self.blank, text, self.as_written))


class Facts:
    """What the codes of a line say to a kernel, all answers in one number of 64 bits a line (`tariff.facts`).

    RulesError where a table of the rule pack has more rows than there is room for."""

    def __init__(self, questions: Iterable[Question]) -> None:
        self._of_column: dict[str, list[Question]] = {}
        for question in questions:
            question.field.held(question.rows)
            self._of_column.setdefault(question.column, []).append(question)
        self._answers = {name: _answers_of(asked) for name, asked in self._of_column.items()}
        self._blank = {name: _together(one.field.held(one.blank) for one in asked) for name, asked in self._of_column.items()}

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are asked."""
        return frozenset(self._of_column)

    def of(self, block: pl.DataFrame) -> NDArray[np.uint64]:
        """The facts of every line of a block; columns that it lacks are blank."""
        absent = _together(blank for name, blank in self._blank.items() if name not in block.columns)
        found = filled(block.height, absent, np.uint64)
        for name, answers in self._answers.items():
            if name in block.columns:
                answers.into(found, block[name])
        return found


def _answers_of(questions: Sequence[Question]) -> Answers:
    from tariff.texts.answers import Answers

    blank = _together(one.field.held(one.blank) for one in questions)
    return Answers(lambda text: _together(one.asked(text) for one in questions), blank)


def _together(bits: Iterable[int]) -> int:
    return reduce(or_, bits, 0)


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
    """A column of days, ages or dates as int32, `blank` where it is null; empty where the file lacks it or it holds nothing, and
    so is blank throughout. Dates count from 1970-01-01."""
    if name not in block.columns or block[name].null_count() == block.height:
        return NOTHING_32
    column = block[name]
    if column.dtype == pl.Date:
        column = column.cast(pl.Int32)
    elif column.dtype != pl.Int32:
        # a count beyond int32 is impossible and must stay so: clipped, it is still out of every range
        column = column.cast(pl.Int64).clip(-(2**31) + 1, 2**31 - 1).cast(pl.Int32)
    return numbers_or(column, blank)


NOTHING_32: Final = read_only(np.empty(0, np.int32))
NOTHING_64: Final = read_only(np.empty(0, np.int64))
"""A column that is blank throughout."""
