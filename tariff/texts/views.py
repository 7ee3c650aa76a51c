"""The string views of a column: two words a row. The first holds the length in its lower half and the first four bytes in its
upper; the second the bytes five to twelve, zero beyond the text, or where a longer text stands."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

_NEWEST: Final = pl.CompatLevel.newest()
LONGEST: Final = 12
"""Bytes of a text that stands in its view."""
IN_FIRST_WORD: Final = 4
"""Bytes of a text that stands in the first word of its view; the second is then zero."""
NO_BITMAP: Final = np.frombuffer(b"", np.uint8)


class Views(NamedTuple):
    """`words`: two a row. `known`: the bitmap of rows that hold a text, from bit `first_bit`; empty where all do."""

    words: NDArray[np.uint64]
    known: NDArray[np.uint8]
    first_bit: int

    def known_rows(self, count: int) -> NDArray[np.bool_]:
        """Which of all `count` rows hold a text."""
        if not self.known.size:
            return np.ones(count, np.bool_)
        return np.unpackbits(self.known, count=self.first_bit + count, bitorder="little")[self.first_bit :].view(np.bool_)


def views_of(column: pl.Series) -> Views | None:
    """The views of a String column; None where Arrow does not give them."""
    array = column.rechunk().to_arrow(compat_level=_NEWEST)
    if str(array.type) != "string_view":
        return None
    if not len(array):
        return Views(np.frombuffer(b"", np.uint64), NO_BITMAP, 0)
    validity, words = array.buffers()[:2]
    known = NO_BITMAP if validity is None or not array.null_count else np.frombuffer(validity, np.uint8)
    return Views(np.frombuffer(words, np.uint64, 2 * len(array), 16 * array.offset), known, array.offset)


def with_nulls_of(views: Views, values: NDArray[np.int64]) -> pl.Series:
    """Values of every row as a column that is null where the texts are."""
    bitmap = pa.py_buffer(views.known) if views.known.size else None
    if views.first_bit and bitmap is not None:
        # a bitmap from the middle of a byte: the values would have to begin there too
        bitmap = pa.py_buffer(np.packbits(views.known_rows(values.size), bitorder="little"))
    array = pa.Array.from_buffers(pa.int64(), values.size, [bitmap, pa.py_buffer(values)])
    return pl.Series(array)
