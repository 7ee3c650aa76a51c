"""Proof that a block of texts is canonical already, so that it can stay as it is.

Nearly every code in a file needs no cleaning, and looking for the few that do is most of the cost of reading Parquet. The
proof looks at eight bytes at a time, in the layout of Arrow's string views: sixteen bytes a text, its length in the first
four, a text of up to twelve bytes in the others, filled up with zeros. Where it proves nothing the texts are cleaned as
usual, so it can only save time."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_LONGEST: Final = 12
"""Bytes of a text that lies in its view; a longer one lies elsewhere, and nothing is proved of it."""
_PREFIX: Final = 4
_ROWS: Final = 1 << 13
"""Rows looked at together: few enough to stay in the processor's cache, and below the size at which memory is asked of
the system anew for every array."""


def is_clean(texts: pl.Series, *, raised: bool) -> bool:
    """Whether it is proved that no text of a String series is blank, holds a space or any other than an ASCII character, or,
    where `raised`, a letter that is not a capital. Nulls are passed over."""
    if texts.null_count() == texts.len():
        return True
    views = texts.to_arrow(compat_level=pl.CompatLevel.newest())
    if str(views.type) != "string_view":
        return False
    words = np.frombuffer(views.buffers()[1], np.uint32, 4 * len(views), 16 * views.offset).reshape(-1, 4)
    return all(_block_is_clean(words[at : at + _ROWS], texts[at : at + _ROWS], raised) for at in range(0, len(words), _ROWS))


def _block_is_clean(words: NDArray[np.uint32], texts: pl.Series, raised: bool) -> bool:
    lengths = words[:, 0].copy()
    longest = int(lengths.max())
    if longest > _LONGEST or _has_blanks(lengths, texts):
        return False
    rest = words.view(np.uint64)[:, 1]
    return _bytes_are_clean(words[:, 1].copy(), raised) and (longest <= _PREFIX or _bytes_are_clean(rest.copy(), raised))


def _has_blanks(lengths: NDArray[np.uint32], texts: pl.Series) -> bool:
    if lengths.all():
        return False
    return not texts.null_count() or bool(((lengths == 0) & texts.is_not_null().to_numpy()).any())


def _bytes_are_clean(words: NDArray[Any], raised: bool) -> bool:
    """Whether every byte is zero or lies from `!` to `~`, without `a` to `z` and what follows where `raised`.

    The top bit of each byte is the answer for that byte: it is set in the bytes of `above_0` that are not zero, and in those
    of `above_space` that are greater than a space; a byte that is only in the first, or beyond ASCII, is not clean."""
    low_bits = words & _every_byte(words.dtype, 0x7F)
    above_0 = low_bits + _every_byte(words.dtype, 0x7F)
    above_space = low_bits + _every_byte(words.dtype, 0x7F - ord(" "))
    wrong = above_0 ^ above_space
    wrong |= words
    if raised:
        # small letters are the bytes with the bits 0x40 and 0x20
        wrong |= (words << 1) & (words << 2)
    return not int(np.bitwise_or.reduce(wrong)) & int(_every_byte(words.dtype, 0x80))


def _every_byte(dtype: np.dtype[Any], byte: int) -> Any:
    return np.frombuffer(bytes([byte]) * dtype.itemsize, dtype)[0]
