"""The number of a code, looked up by its bytes. A column of text comes as Arrow's string views, sixteen bytes a row: the length
and, up to twelve bytes, the text itself. So two words of a row tell its code, and a hash table of them its number – several
times faster than numbering the texts anew."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.kernels.compiled import compiled, rule

LONGEST: Final = 12
"""Bytes of a text that stands in its view; a longer one stands elsewhere and cannot be looked up."""
_LENGTH_BITS: Final = np.uint64(0xFFFFFFFF)
_FREE: Final = -1
_MULTIPLIER_1, _MULTIPLIER_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


class CodeTable(NamedTuple):
    """Codes by the two words of their views, open addressing; `number` is -1 where a place is free."""

    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    number: NDArray[np.int64]


@rule
def _place(first, second, places):
    """Where the search for a code begins: the upper bits of a product, which depend on all bits of it."""
    mixed = (first * _MULTIPLIER_1) ^ (second * _MULTIPLIER_2)
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MULTIPLIER_2
    return np.int64((mixed >> np.uint64(33)) & np.uint64(places - 1))


@compiled
def _fill(first, second, number, views, numbers):
    """Enter codes with their numbers into the free table."""
    places = number.size
    for i in range(numbers.size):
        place = _place(views[2 * i], views[2 * i + 1], places)
        while number[place] != _FREE:
            place = (place + 1) & (places - 1)
        first[place], second[place], number[place] = views[2 * i], views[2 * i + 1], numbers[i]


@compiled
def _look_up(views, first, second, number, found):
    """Numbers of the rows of `views` into `found`; the first row whose code is not in the table, or the count of rows."""
    places = number.size
    last_first, last_second, last_number = np.uint64(0), np.uint64(0), np.uint32(0)  # the empty text is number 0
    for i in range(found.size):
        word_1, word_2 = views[2 * i], views[2 * i + 1]
        if word_1 != last_first or word_2 != last_second:
            place = _place(word_1, word_2, places)
            while number[place] != _FREE and (first[place] != word_1 or second[place] != word_2):
                place = (place + 1) & (places - 1)
            if number[place] == _FREE:
                return i
            last_first, last_second, last_number = word_1, word_2, np.uint32(number[place])
        found[i] = last_number
    return found.size


def table_of(views: NDArray[np.uint64], numbers: NDArray[np.int64]) -> CodeTable:
    """A table of distinct codes given by their views; at most a quarter of its places are taken."""
    places = 1 << max(6, int(4 * numbers.size - 1).bit_length())
    table = CodeTable(np.zeros(places, np.uint64), np.zeros(places, np.uint64), np.full(places, _FREE, np.int64))
    _fill(*table, views, numbers)
    return table


def look_up(views: NDArray[np.uint64], table: CodeTable, found: NDArray[np.uint32]) -> int:
    """`_look_up` with types: fills `found`, and says at which row a code was missing."""
    missing: Any = _look_up(views, *table, found)
    return int(missing)


def all_in_views(views: NDArray[np.uint64]) -> bool:
    """Whether every text stands in its view."""
    return bool((views[::2] & _LENGTH_BITS <= LONGEST).all())
