"""Totals of lines by the values of some columns, block by block: what is kept grows with the number of cells, not of lines."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import empty, filled, numbers_or, read_only
from tariff.errors import Fault, UsageError

if TYPE_CHECKING:
    from tariff.texts.answers import Answers

_WORD: Final = 64
_MOST_TEXTS: Final = (1 << 20) - 1
"""A column of more texts than these holds no codes."""
_LEAST_ROOM: Final = 1 << 12
_AT_ONCE: Final = 1 << 15
"""Lines that are added to the sums at once, for which there must be room should each be of a new cell."""
_MOST_TOGETHER: Final = 7
"""Sums that stand together: they and the count of lines fill a line of memory."""
_MOST_PLACES: Final = 24
"""Cells that are told by so many bits have a place each in an array: 64 MB, of which only what is used is taken."""


class _Key:
    """One column that tells cells apart: its values as numbers, 0 for null, in as few `bits` of a word as hold those met so
    far."""

    def __init__(self, name: str, dtype: pl.DataType, *, is_code: bool) -> None:
        self.name, self.dtype = name, dtype
        self.word = self.shift = self.bits = self._highest = 0
        self._numbers: dict[str, int] = {}
        self._is_code = is_code
        self._answers = self._asked() if dtype == pl.String else None

    def _asked(self) -> Answers:
        from tariff.texts.answers import Answers

        return Answers(self._number, 0)

    def _number(self, text: str) -> int:
        """The number of a text that was not met before; of a code without case and blanks."""
        value = text.strip().upper() if self._is_code else text
        if not value and self._is_code:
            return 0
        number = self._numbers.setdefault(value, len(self._numbers) + 1)
        if number > _MOST_TEXTS:
            told = Fault(self.name, f"has more than {_MOST_TEXTS:,} values", "sum by another column")
            raise UsageError("Totals cannot be made by that column.", [told])
        return number

    def into(self, words: NDArray[np.uint64], column: pl.Series) -> None:
        """Put the numbers of a column's values into their word. Where they need more bits, `bits_needed` says so afterwards, and
        the words are of no use."""
        if self._answers is not None:
            self._answers.into(words[self.word], column, self.shift)
            return
        from tariff.kernels.cells import add_numbers

        numbers = column.to_physical() if isinstance(column.dtype, pl.Enum) else column
        self._highest = max(self._highest, 1 + int(cast(int, numbers.max()) if numbers.null_count() < len(numbers) else -1))
        is_small = numbers.dtype == pl.Int8 or (numbers.dtype == pl.UInt8 and not numbers.null_count())
        small = numbers if is_small else numbers.cast(pl.Int64)
        add_numbers(numbers_or(small, -1), np.uint64(self.shift), words[self.word])

    @property
    def bits_needed(self) -> int:
        """Bits that hold the numbers met so far."""
        return max(self._highest, len(self._numbers)).bit_length()

    def values(self, cells: NDArray[np.uint64], *, as_texts: bool = False) -> pl.Series:
        """The values of the cells, given by their words; those of an enumeration `as_texts`."""
        numbers = self.numbers(cells)
        if (texts := self._texts(as_texts)) is not None:
            return pl.Series(self.name, [None, *texts], dtype=pl.String).gather(pl.Series(numbers.astype(np.uint32)))
        values = pl.Series(self.name, numbers.astype(np.int64)) - 1
        values = values.set(values < 0, None)
        return values.cast(pl.UInt8).cat.to(self.dtype) if isinstance(self.dtype, pl.Enum) else values.cast(self.dtype)

    def ranks(self, cells: NDArray[np.uint64], *, as_texts: bool = False) -> tuple[NDArray[np.uint64], int]:
        """Numbers that are in order where those values of the cells are, null last; and how many bits they have."""
        numbers = self.numbers(cells)
        if (texts := self._texts(as_texts)) is None:
            return (numbers - np.uint64(1)) & np.uint64((1 << self.bits) - 1), self.bits
        rank_of = np.full(len(texts) + 1, len(texts), np.uint64)
        rank_of[[1 + place for place in sorted(range(len(texts)), key=texts.__getitem__)]] = np.arange(len(texts))
        return rank_of[numbers], len(texts).bit_length()

    def _texts(self, of_enumerations: bool) -> list[str] | None:
        """The texts that the numbers stand for, from 1; None where they stand for no texts."""
        if self._answers is not None:
            return list(self._numbers)
        return self.dtype.categories.to_list() if of_enumerations and isinstance(self.dtype, pl.Enum) else None

    def numbers(self, cells: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The numbers of the values of the cells, given by their words."""
        return (cells[:, self.word] >> np.uint64(self.shift)) & np.uint64((1 << self.bits) - 1)


def _lay_out(keys: Sequence[_Key]) -> int:
    """Put the keys side by side into few words, each in the first that has room for it, the widest first. Returns how many words
    those are."""
    used = [0]
    for key in sorted(keys, key=lambda key: -key.bits_needed):
        key.bits = key.bits_needed
        key.word = next((word for word, so_far in enumerate(used) if so_far + key.bits <= _WORD), len(used))
        used.extend([0] * (key.word + 1 - len(used)))
        key.shift = used[key.word]
        used[key.word] += key.bits
    return len(used)


class _Lines(NamedTuple):
    """Some lines from the `first` on: the words that tell their cells (a row a word), and the amounts of all (an array a sum)
    that stand together."""

    words: NDArray[np.uint64]
    first: int
    amounts: tuple[NDArray[np.int64], ...]


class _Places:
    """Cells that one word of few bits tells, by an array with a place for every such word."""

    def __init__(self, bits: int, cells: NDArray[np.uint64]) -> None:
        self._numbers = np.zeros(1 << bits, np.int32)
        self._numbers[cells[:, 0]] = np.arange(1, len(cells) + 1)

    def add(
        self, lines: _Lines, of_cells: NDArray[np.uint64], count: int, sums: NDArray[np.int64], cell: NDArray[np.int64]
    ) -> int:
        """Add lines to the sums of `count` cells and of new ones, whose words go to `of_cells` (a row a cell). There is room for
        one more a line. The cell of every line goes to `cell`. Returns how many cells there are then."""
        from tariff.kernels.cells import add_by_place

        return int(add_by_place(*lines, self._numbers, of_cells, count, sums, cell)[0])


class _Table:
    """Cells that any words tell, by a table with a place for twice the `room` at least, in which they are searched for."""

    def __init__(self, room: int, cells: NDArray[np.uint64]) -> None:
        from tariff.kernels.cells import enter_cells

        bits = (2 * room - 1).bit_length()
        self._table, self._shift = np.zeros((1 << bits, cells.shape[1] + 1), np.uint64), np.uint64(_WORD - bits)
        with np.errstate(over="ignore"):
            enter_cells(cells, self._table, self._shift)

    def add(
        self, lines: _Lines, of_cells: NDArray[np.uint64], count: int, sums: NDArray[np.int64], cell: NDArray[np.int64]
    ) -> int:
        """The same."""
        from tariff.kernels.cells import add_by_search

        return int(add_by_search(*lines, self._table, self._shift, of_cells, count, sums, cell)[0])


def _amounts(column: pl.Series) -> NDArray[np.int64]:
    amounts: NDArray[np.int64] = read_only(np.ascontiguousarray(numbers_or(column, 0), np.int64))
    return amounts


class _Sums:
    """The sums of cells and their counts of lines, with `room` for so many cells.

    Of many sums those that most lines add to stand together, and each of the others by itself: nearly all of its amounts are
    nothing, and are passed over without a look at their cell."""

    def __init__(self, names: Sequence[str], apart: Sequence[str] = (), room: int = _LEAST_ROOM) -> None:
        self._names, self._apart = names, tuple(apart)
        self.together = tuple(name for name in names if name not in apart)
        # seven and the count of lines fill a line of memory, at which Arrow begins
        width = 1 + len(self.together)
        self.rows: NDArray[np.int64] = filled(room * width, 0, np.int64).reshape(room, width)
        self._columns = {name: np.zeros(room, np.int64) for name in apart}

    def __len__(self) -> int:
        return len(self.rows)

    def larger(self, room: int) -> _Sums:
        """The same with more room."""
        larger = _Sums(self._names, self._apart, room)
        larger.rows[: len(self)] = self.rows
        for name, column in self._columns.items():
            larger._columns[name][: len(self)] = column
        return larger

    def add_apart(self, cell: NDArray[np.int64], first: int, amounts: Mapping[str, NDArray[np.int64]]) -> None:
        """Add amounts of the lines from `first` on to the sums that stand by themselves."""
        from tariff.kernels.cells import add_where_any

        for name, column in self._columns.items():
            add_where_any(cell, amounts[name][first : first + cell.size], column)

    def of(self, name: str) -> NDArray[np.int64]:
        """One sum of every cell, or the count of lines."""
        if name in self._columns:
            return self._columns[name]
        return self.rows[:, ("lines", *self.together).index(name)]


def _seldom(amounts: Mapping[str, NDArray[np.int64]]) -> list[str]:
    """The sums that fewest lines add to, of those for which there is no room together."""
    lines = {name: int(np.count_nonzero(of_lines)) for name, of_lines in amounts.items()}
    return sorted(amounts, key=lines.__getitem__)[: max(0, len(amounts) - _MOST_TOGETHER)]


class Cells:
    """Lines and sums of frames by the values of the columns `keys`: texts, enumerations and whole numbers that are not negative.

    `sums`, of which there is one at least, are whole numbers, null counting nothing. Frames are added one after another and have
    the columns of `schema`. Texts of the columns `codes` are told apart as codes are, without case and surrounding blanks, a
    blank one as null."""

    def __init__(self, keys: Sequence[str], sums: Sequence[str], schema: pl.Schema, codes: Container[str] = ()) -> None:
        self._keys = [_Key(name, schema[name], is_code=name in codes) for name in keys]
        self._names = tuple(sums)
        self._count = 0
        self._words = _lay_out(self._keys)
        self._of_cells = np.empty((_LEAST_ROOM, self._words), np.uint64)
        self._sums = _Sums(self._names)
        self._index = self._index_of_cells()

    def __len__(self) -> int:
        return self._count

    def add(self, lines: pl.DataFrame) -> None:
        """Add lines. A sum may be of int64, or of booleans, which count where they hold."""
        words, amounts = self._words_of(lines), {name: _amounts(lines[name]) for name in self._names}
        if not self._count:  # the first lines tell which sums stand by themselves
            self._sums = _Sums(self._names, _seldom(amounts))
        together = tuple(amounts[name] for name in self._sums.together)
        for first in range(0, lines.height, _AT_ONCE):
            cell = self._add(_Lines(words[:, first : first + _AT_ONCE], first, together))
            self._sums.add_apart(cell, first, amounts)

    def _words_of(self, lines: pl.DataFrame) -> NDArray[np.uint64]:
        """What tells the cells of lines: a row a word."""
        words = self._put_into_words(lines)
        if any(key.bits_needed > key.bits for key in self._keys):
            self._widen()
            words = self._put_into_words(lines)
        return words

    def _put_into_words(self, lines: pl.DataFrame) -> NDArray[np.uint64]:
        words: NDArray[np.uint64] = filled(self._words * lines.height, 0, np.uint64).reshape(self._words, lines.height)
        for key in self._keys:
            key.into(words, lines[key.name])
        return words

    def _widen(self) -> None:
        """Give every key the bits that it needs by now."""
        numbers = [key.numbers(self._cells) for key in self._keys]
        self._words = _lay_out(self._keys)
        self._of_cells = np.zeros((len(self._of_cells), self._words), np.uint64)
        for key, of_key in zip(self._keys, numbers, strict=True):
            self._cells[:, key.word] |= of_key << np.uint64(key.shift)
        self._index = self._index_of_cells()

    @property
    def _cells(self) -> NDArray[np.uint64]:
        """The words of the cells in the order in which they were met: a row a cell."""
        return self._of_cells[: self._count]

    def _index_of_cells(self) -> _Places | _Table:
        bits = sum(key.bits for key in self._keys)
        return _Places(bits, self._cells) if bits <= _MOST_PLACES else _Table(len(self._of_cells), self._cells)

    def _add(self, lines: _Lines) -> NDArray[np.int64]:
        """Add so few lines that room for their cells costs little memory. Returns the cell of each."""
        self._make_room(self._count + lines.words.shape[1])
        cell: NDArray[np.int64] = empty(lines.words.shape[1], np.int64)
        with np.errstate(over="ignore"):  # words that are mixed wrap round, which plain Python would warn of
            self._count = self._index.add(lines, self._of_cells, self._count, self._sums.rows, cell)
        return cell

    def _make_room(self, most: int) -> None:
        if most <= len(self._sums):
            return
        room, cells = max(most, 2 * len(self._sums)), self._cells
        self._sums, self._of_cells = self._sums.larger(room), np.empty((room, self._words), np.uint64)
        self._cells[:] = cells
        if isinstance(self._index, _Table):
            self._index = self._index_of_cells()

    def frame(self, *, in_order: bool = False, as_texts: bool = False) -> pl.DataFrame:
        """The cells in the order in which they were met, or that of their keys, null last: keys, `lines`, sums. Enumerations come
        as such, in their own order, or `as_texts` in that of texts."""
        cells = self._cells
        chosen = self._order(cells, as_texts) if in_order else np.arange(self._count)
        sums = [pl.Series(name, self._sums.of(name)[chosen]) for name in ("lines", *self._names)]
        return pl.DataFrame([*(key.values(cells[chosen], as_texts=as_texts) for key in self._keys), *sums])

    def _order(self, cells: NDArray[np.uint64], as_texts: bool) -> NDArray[np.intp]:
        """Which cell comes first, second and so on: by ranks side by side in as few words as hold them, which is sooner sorted
        than texts."""
        words, room = [np.zeros(len(cells), np.uint64)], _WORD
        for ranks, bits in (key.ranks(cells, as_texts=as_texts) for key in self._keys):
            if bits <= room:
                words[-1], room = (words[-1] << np.uint64(bits)) | ranks, room - bits
            else:
                words, room = [*words, ranks], _WORD - bits
        return np.lexsort(words[::-1])
