"""The string views of a column: two words a row. The first holds the length in its lower half and the first four bytes in its
upper; the second the bytes five to twelve, zero beyond the text, or where a longer text stands."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

LONGEST: Final = 12
"""Bytes of a text that stands in its view."""
NO_BITMAP: Final = np.frombuffer(b"", np.uint8)


class Views(NamedTuple):
    """`words`: two a row. `known`: the bitmap of rows that hold a text, from bit `first_bit`; empty where all do."""

    words: NDArray[np.uint64]
    known: NDArray[np.uint8]
    first_bit: int


def views_of(column: pl.Series) -> Views | None:
    """The views of a String column; None where Arrow does not give them."""
    array = column.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    if str(array.type) != "string_view":
        return None
    if not len(array):
        return Views(np.frombuffer(b"", np.uint64), NO_BITMAP, 0)
    validity, words = array.buffers()[:2]
    known = NO_BITMAP if validity is None or not array.null_count else np.frombuffer(validity, np.uint8)
    return Views(np.frombuffer(words, np.uint64, 2 * len(array), 16 * array.offset), known, array.offset)
