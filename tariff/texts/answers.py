"""A question about a text, asked once of each distinct text and looked up for every row by the two words of its view."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import empty
from tariff.compiled import IS_COMPILED, compiled, rule
from tariff.texts.views import IN_FIRST_WORD, LONGEST, Views, views_of

_MULTIPLIER_1, _MULTIPLIER_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_NO_TEXT: Final = (1 << 64) - 1
_FREE = np.uint64(_NO_TEXT)
"""In the place of the first word where a place is free: no text begins so, for it would be no UTF-8."""
_STRIDE = np.uint64(4)
_SECOND, _ANSWER = np.uint64(1), np.uint64(2)
"""Words of a place of the table: the two of a view, the answer, and one more that keeps the place within a line of memory."""
_NO_SECOND = np.uint64(0)
"""The second word of a view whose text stands in the first."""
_NO_ROWS: Final = np.empty(0, np.int64)
_FEW_BLANKS: Final = 8
"""Blanks are few where there is less than one in so many rows."""
_ROOM: Final = 4
"""Places a text, so that nearly all stand where their search begins."""
_FEW: Final = 10_000
"""Up to so many texts are sooner asked one by one than told apart."""
_MOST_TEXTS: Final = 200_000
"""Beyond this a column holds identifiers rather than codes, and its texts are asked anew in each block."""


@rule
def _start(first, second, shift):
    """Where in the table the search for a text begins: the uppermost bits of a product, which depend on all bits of it. It is a
    number without a sign: of any other it would be asked each time whether it counts from the end."""
    return ((first * _MULTIPLIER_1 + second * _MULTIPLIER_2) >> shift) * _STRIDE


@rule
def _is_at(table, at, first, second):
    return table[at] == first and table[at + _SECOND] == second


@rule
def _found(table, first, second, shift):
    """Where in the table a text stands, or the free place where it would."""
    at, last = _start(first, second, shift), np.uint64(table.size - 1)
    while table[at] != _FREE and not _is_at(table, at, first, second):
        at = (at + _STRIDE) & last
    return at


@compiled
def _enter(table, shift, words, answers):
    """Enter texts by the words of their views."""
    for i in range(answers.size):
        at = _found(table, words[2 * i], words[2 * i + 1], shift)
        table[at], table[at + _SECOND], table[at + _ANSWER] = words[2 * i], words[2 * i + 1], answers[i]


@rule
def _look_up_row(words, i, table, shift, found, first_bit, missing, count):
    """`found[i] |= answer << first_bit`, or else the row to `missing`, which holds `count` rows. Returns how many those are."""
    first, second = words[2 * i], words[2 * i + 1]
    at = _start(first, second, shift)
    if not _is_at(table, at, first, second):  # nearly all texts stand where their search begins
        at = _found(table, first, second, shift)
        if table[at] == _FREE:
            missing[count] = i
            return count + 1
    found[i] |= table[at + _ANSWER] << first_bit
    return count


@compiled
def _look_up(words, rows, table, shift, in_first_word, found, first_bit, missing):
    """`found[i] |= answer << first_bit` for the `rows` that hold a text, for all where no rows are given; those whose text is not
    in the table go to `missing`. Returns how many those are. Where all texts of the table stand `in_first_word` of their views,
    nothing else need be compared, as that holds the length."""
    count = 0
    if rows.size != 0:
        for at in range(rows.size):
            count = _look_up_row(words, rows[at], table, shift, found, first_bit, missing, count)
    elif in_first_word:
        for i in range(found.size):
            at = _start(words[2 * i], _NO_SECOND, shift)
            if table[at] == words[2 * i]:
                found[i] |= table[at + _ANSWER] << first_bit
            else:
                count = _look_up_row(words, i, table, shift, found, first_bit, missing, count)
    else:
        for i in range(found.size):
            count = _look_up_row(words, i, table, shift, found, first_bit, missing, count)
    return count


@compiled
def _are_alike(words):
    """Whether the view of every row is the same, and so its text."""
    i = 2
    while i < words.size and words[i] == words[0] and words[i + 1] == words[1]:
        i += 2
    return i >= words.size


class Table(NamedTuple):
    """Open addressing: `places` of `_STRIDE` words; `shift` leaves as many bits of a product as there are places; whether every
    text stands in the first word of its view."""

    places: NDArray[np.uint64]
    shift: np.uint64
    in_first_word: bool


def _empty_table(texts: int) -> Table:
    """Room for so many texts."""
    bits = max(8, (_ROOM * texts).bit_length())
    return Table(np.full(int(_STRIDE) << bits, _NO_TEXT, np.uint64), np.uint64(64 - bits), True)


class Answers:
    """Answers to one question about the texts of a column, as whole numbers of up to 64 bits that are never negative.

    `answer` is asked once of every distinct text; `blank` stands where there is none."""

    def __init__(self, answer: Callable[[str], int], blank: int) -> None:
        self._answer, self._blank = answer, np.uint64(blank)
        self._known: dict[str, int] = {}
        self._table = _empty_table(0)

    def into(self, found: NDArray[np.uint64], column: pl.Series, first_bit: int = 0) -> None:
        """`found |= answer`, from bit `first_bit`, for every row of a column of texts, coded or not."""
        shift = np.uint64(first_bit)
        if column.null_count() == len(column):
            if self._blank:
                found |= self._blank << shift
        elif isinstance(column.dtype, pl.Enum | pl.Categorical):
            found |= self._of_coded(column) << shift
        else:
            self._of_texts(found, column if column.dtype == pl.String else column.cast(pl.String), shift)

    def _of_coded(self, column: pl.Series) -> NDArray[np.uint64]:
        """By the numbers of a coded column; the last answer stands for null."""
        numbers = column.to_physical().cast(pl.UInt32)
        distinct = column.unique().drop_nulls()
        at = distinct.to_physical().cast(pl.UInt32).to_numpy()
        answers = np.full(int(at.max()) + 2, self._blank, np.uint64)
        answers[at] = self._asked(distinct.cast(pl.String))
        found: NDArray[np.uint64] = answers[numbers.fill_null(answers.size - 1).to_numpy()]
        return found

    def _of_texts(self, found: NDArray[np.uint64], column: pl.Series, shift: np.uint64) -> None:
        column = column.rechunk()
        if not self._known and len(column) > _FEW:
            self._of_missing(column.head(_FEW).drop_nulls())
        views = views_of(column) if IS_COMPILED else None
        if views is not None and not views.known.size and _are_alike(views.words):
            found |= self._asked(column.head(1)) << shift  # one text throughout, which may be a long one
            return
        known = column.is_not_null().to_numpy() if views is None else views.known_rows(len(column))
        missing = np.flatnonzero(known) if views is None else self._looked_up(views, known, found, shift)
        if missing.size:
            found[missing] |= self._of_missing(column.gather(missing)) << shift
        if self._blank and column.null_count():
            found[np.flatnonzero(~known)] |= self._blank << shift

    def _looked_up(
        self, views: Views, known: NDArray[np.bool_], found: NDArray[np.uint64], shift: np.uint64
    ) -> NDArray[np.int64]:
        """`found |= answer << shift` for the rows that hold a text of the table. Returns those that hold another."""
        blank = known.size - np.count_nonzero(known)
        are_few = _FEW_BLANKS * blank < known.size
        rows = _NO_ROWS if are_few else np.flatnonzero(known)
        # few blanks are looked up as if they held a text, whatever stands there, which is sooner done than to pass over them
        blanks = np.flatnonzero(~known) if are_few and blank else _NO_ROWS
        as_they_were = found[blanks]
        missing = empty(found.size, np.int64)
        missing = missing[: int(_look_up(views.words, rows, *self._table, found, shift, missing))]
        found[blanks] = as_they_were
        return missing[known[missing]] if blanks.size else missing

    def _of_missing(self, texts: pl.Series) -> NDArray[np.uint64]:
        """The answers to texts that are not in the table; they are in it afterwards, where they can be."""
        if len(texts) <= _FEW:  # the longer of known texts, most likely
            found = [self._known.get(text) for text in texts.to_list()]
            if None not in found:
                return np.array(found, dtype=np.uint64)
        distinct = texts.unique()
        answers = self._asked(distinct)
        if len(self._known) <= _MOST_TEXTS:
            self._table = self._with(distinct, answers)
        return texts.replace_strict(distinct, pl.Series(answers), return_dtype=pl.UInt64).to_numpy()

    def _asked(self, distinct: pl.Series) -> NDArray[np.uint64]:
        known, found = self._known if len(self._known) <= _MOST_TEXTS else {}, []
        for text in distinct.to_list():
            answer = known.get(text)
            if answer is None:
                known[text] = answer = self._answer(text)
            found.append(answer)
        return np.array(found, dtype=np.uint64)

    def _with(self, texts: pl.Series, answers: NDArray[np.uint64]) -> Table:
        """The table with the short ones of some texts. Made whole before it is kept, so that threads never see half of one."""
        if not IS_COMPILED:
            return self._table
        table = self._table._replace(places=self._table.places.copy())
        if _ROOM * len(self._known) > table.places.size // int(_STRIDE):
            known = dict(self._known)  # another thread may add to it meanwhile
            table = _empty_table(2 * len(known))
            texts, answers = pl.Series(list(known), dtype=pl.String), np.array(list(known.values()), dtype=np.uint64)
        lengths = texts.str.len_bytes().to_numpy()
        short = lengths <= LONGEST
        views = views_of(texts.filter(short))
        if views is None:
            return self._table
        _enter(table.places, table.shift, views.words, answers[short])
        return table._replace(in_first_word=table.in_first_word and bool((lengths[short] <= IN_FIRST_WORD).all()))
