"""Totals of lines by the values of some columns, block by block: what is kept grows with the number of cells, not of lines."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import empty, filled, numbers_or
from tariff.errors import Fault, UsageError

if TYPE_CHECKING:
    from tariff.texts.answers import Answers

_WORD: Final = 64
_BITS_OF_TEXT: Final = 20
_LEAST_ROOM: Final = 1 << 12
_AT_ONCE: Final = 1 << 15
"""Lines that are added to the sums at once, and for which there must be room should each be of a new cell."""
_NEAR: Final = 1 << 12
"""Lines whose cells stand near the processor while they are added."""


class _Key:
    """One column that tells cells apart: its values as numbers in some bits of a word, 0 for null."""

    def __init__(self, name: str, dtype: pl.DataType, word: int, shift: int, *, is_code: bool) -> None:
        self.name, self.dtype, self.word, self.shift, self.bits = name, dtype, word, shift, _bits_of(dtype)
        self._numbers: dict[str, int] = {}
        self._is_code = is_code
        self._answers = self._asked() if dtype == pl.String else None

    def _asked(self) -> Answers:
        from tariff.texts.answers import Answers

        return Answers(self._number, 0)

    def _number(self, text: str) -> int:
        """The number of a text that was not met before, where it stands in the word; of a code without case and blanks."""
        value = text.strip().upper() if self._is_code else text
        if not value and self._is_code:
            return 0
        number = self._numbers.setdefault(value, len(self._numbers) + 1)
        if number >= 1 << self.bits:
            told = Fault(self.name, f"has more than {(1 << self.bits) - 1:,} values", "sum by another column")
            raise UsageError("Totals cannot be made by that column.", [told])
        return number << self.shift

    def into(self, words: NDArray[np.uint64], column: pl.Series) -> None:
        """Put the numbers of a column's values into their word."""
        if self._answers is not None:
            self._answers.into(words[self.word], column)
            return
        from tariff.kernels.cells import add_numbers

        numbers = column.to_physical() if isinstance(column.dtype, pl.Enum) else column
        is_small = numbers.dtype == pl.Int8 or (numbers.dtype == pl.UInt8 and not numbers.null_count())
        small = numbers if is_small else numbers.cast(pl.Int64)
        add_numbers(numbers_or(small, -1), np.uint64(self.shift), words[self.word])

    def values(self, cells: NDArray[np.uint64]) -> pl.Series:
        """The values of the cells, given by their words."""
        numbers = self._numbers_of(cells)
        if self._answers is not None:
            return pl.Series(self.name, [None, *self._numbers], dtype=pl.String).gather(pl.Series(numbers.astype(np.uint32)))
        values = pl.Series(self.name, numbers.astype(np.int64)) - 1
        values = values.set(values < 0, None)
        return values.cast(pl.UInt8).cat.to(self.dtype) if isinstance(self.dtype, pl.Enum) else values.cast(self.dtype)

    def ranks(self, cells: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], int]:
        """Numbers that are in order where the values of the cells are, null last; and how many bits they have."""
        numbers = self._numbers_of(cells)
        if self._answers is None:
            return (numbers - np.uint64(1)) & np.uint64((1 << self.bits) - 1), self.bits
        texts = list(self._numbers)
        rank_of = np.full(len(texts) + 1, len(texts), np.uint64)
        rank_of[[1 + place for place in sorted(range(len(texts)), key=texts.__getitem__)]] = np.arange(len(texts))
        return rank_of[numbers], len(texts).bit_length()

    def _numbers_of(self, cells: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return (cells[:, self.word] >> np.uint64(self.shift)) & np.uint64((1 << self.bits) - 1)


def _bits_of(dtype: pl.DataType) -> int:
    if dtype == pl.String:
        return _BITS_OF_TEXT
    if isinstance(dtype, pl.Enum):
        return len(dtype.categories).bit_length()
    if dtype == pl.Int8:
        return 8
    return 32 if dtype == pl.Int32 else _WORD - 1


def _keys(names: Sequence[str], schema: pl.Schema, codes: Container[str]) -> list[_Key]:
    """The columns side by side in few words, each in the first that has room for it, the widest first."""
    keys: dict[str, _Key] = {}
    used: list[int] = []
    for name in sorted(names, key=lambda name: -_bits_of(schema[name])):
        bits = _bits_of(schema[name])
        word = next((word for word, so_far in enumerate(used) if so_far + bits <= _WORD), len(used))
        used.extend([0] * (word + 1 - len(used)))
        keys[name] = _Key(name, schema[name], word, used[word], is_code=name in codes)
        used[word] += bits
    return [keys[name] for name in names]


class Cells:
    """Lines and sums of frames by the values of the columns `keys`: texts, enumerations and whole numbers that are not negative.

    `sums` are whole numbers, null counting nothing. Frames are added one after another and have the columns of `schema`. Texts of
    the columns `codes` are told apart as codes are, without case and surrounding blanks, a blank one as null."""

    def __init__(self, keys: Sequence[str], sums: Sequence[str], schema: pl.Schema, codes: Container[str] = ()) -> None:
        from tariff.kernels.cells import LEAST_WORDS

        self._keys = _keys(keys, schema, codes)
        self._words = max(LEAST_WORDS, 1 + max((key.word for key in self._keys), default=0))
        self._names = tuple(sums)
        self._count = 0
        self._sums = self._no_sums(_LEAST_ROOM)
        self._table, self._shift = self._places(_LEAST_ROOM)

    def __len__(self) -> int:
        return self._count

    def add(self, lines: pl.DataFrame) -> None:
        """Add lines. A sum may be of int64, or of booleans, which count where they hold."""
        words = filled(self._words * lines.height, 0, np.uint64).reshape(self._words, lines.height)
        for key in self._keys:
            key.into(words, lines[key.name])
        amounts = [numbers_or(lines[name], 0) for name in self._names]
        for first in range(0, lines.height, _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            self._add(words[:, some], [of_sum[some] for of_sum in amounts])

    def _add(self, words: NDArray[np.uint64], amounts: Sequence[NDArray[Any]]) -> None:
        """Add so few lines that their amounts cost little memory."""
        from tariff.kernels.cells import add_lines

        lines = words.shape[1]
        self._make_room(self._count + lines)
        of_lines, cell = empty(len(amounts) * lines, np.int64).reshape(-1, lines), np.empty(_NEAR, np.int64)
        for place, of_sum in enumerate(amounts):
            of_lines[place] = of_sum
        with np.errstate(over="ignore"):  # words that are mixed wrap round, which plain Python would warn of
            self._count, _ = add_lines(words, of_lines, self._table, self._shift, self._count, self._sums, cell)

    def _make_room(self, most: int) -> None:
        from tariff.kernels.cells import enter_cells

        room = self._sums.shape[0]
        if most <= room:
            return
        more = max(most, 2 * room)
        sums, entered = self._sums, self._table
        self._sums = self._no_sums(more)
        self._sums[:room] = sums
        self._table, self._shift = self._places(more)
        with np.errstate(over="ignore"):
            enter_cells(entered, self._table, self._shift)

    def _no_sums(self, room: int) -> NDArray[np.int64]:
        """Sums of so many cells, all zero. Seven and the count of lines fill a line of memory; Arrow begins at one."""
        sums = 1 + len(self._names)
        return filled(room * sums, 0, np.int64).reshape(room, sums)

    def _places(self, room: int) -> tuple[NDArray[np.uint64], np.uint64]:
        """An empty table with room for so many cells, at most half of its places taken."""
        bits = (2 * room - 1).bit_length()
        return np.zeros((1 << bits, self._words + 1), np.uint64), np.uint64(_WORD - bits)

    def _cells(self) -> NDArray[np.uint64]:
        """The words of the cells in the order in which they were met."""
        taken = self._table[self._table[:, self._words] > 0]
        cells = np.empty((self._count, self._words), np.uint64)
        cells[taken[:, self._words].astype(np.int64) - 1] = taken[:, : self._words]
        return cells

    def frame(self, *, in_order: bool = False) -> pl.DataFrame:
        """The cells in the order in which they were met, or that of their keys, null last: keys, `lines`, sums."""
        cells, sums = self._cells(), self._sums[: self._count]
        if in_order:
            order = self._order(cells)
            cells, sums = cells[order], sums[order]
        named = [pl.Series(name, sums[:, place]) for place, name in enumerate(("lines", *self._names))]
        return pl.DataFrame([*(key.values(cells) for key in self._keys), *named])

    def _order(self, cells: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Which cell comes first, second and so on: by ranks side by side in as few words as hold them, which is sooner sorted
        than texts."""
        words, room = [np.zeros(len(cells), np.uint64)], _WORD
        for ranks, bits in (key.ranks(cells) for key in self._keys):
            if bits <= room:
                words[-1], room = (words[-1] << np.uint64(bits)) | ranks, room - bits
            else:
                words, room = [*words, ranks], _WORD - bits
        return np.lexsort(words[::-1])
