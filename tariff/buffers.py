"""Columns of a block as arrays, arrays as columns, and memory for them. Blocks come by the thousand, and what costs each a
query of Polars, or fresh pages of memory, would cost as much as the pricing of its lines."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray


def empty(count: int, dtype: Any) -> NDArray[Any]:
    """An array of `count` values that are not set yet. The C library would give its memory back to the system; Arrow's pool keeps
    it for the next block."""
    if not count:
        return np.empty(0, dtype=dtype)
    return np.frombuffer(pa.allocate_buffer(count * np.dtype(dtype).itemsize), dtype=dtype)


def filled(count: int, value: int, dtype: Any) -> NDArray[Any]:
    """An array of `count` times `value`."""
    array = empty(count, dtype)
    array[:] = value
    return array


def repeated(value: Any, count: int, dtype: Any) -> pl.Series:
    """A column of `count` times `value`, which may be None."""
    return _repeated(value, 1 << count.bit_length(), dtype).head(count)


@lru_cache(maxsize=16, typed=True)
def _repeated(value: Any, count: int, dtype: Any) -> pl.Series:
    """Kept, as every block has the same."""
    return pl.Series([value], dtype=dtype).new_from_index(0, count)


def with_blanks(numbers: NDArray[Any], is_blank: NDArray[np.bool_]) -> pl.Series:
    """An array that nobody changes any more as a column, null where a number `is_blank`."""
    if not is_blank.any():
        return pl.Series(numbers)
    known = np.packbits(~is_blank, bitorder="little")
    buffers = [pa.py_buffer(known), pa.py_buffer(numbers)]
    return pl.Series(pa.Array.from_buffers(pa.from_numpy_dtype(numbers.dtype), numbers.size, buffers))


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The array as no kernel may write it. Polars gives some so and others not, and a kernel is compiled for either."""
    array.flags.writeable = False
    return array


def numbers_or(column: pl.Series, blank: int) -> NDArray[Any]:
    """A column of whole numbers as a read-only array, `blank` where it is null; of booleans as 0 and 1."""
    column = column.rechunk()
    if column.dtype == pl.Boolean:
        return read_only(_bits_of((column.fill_null(bool(blank)) if column.null_count() else column).to_arrow(), 1))
    if not column.null_count():
        return read_only(column.to_numpy())
    array = column.to_arrow()
    held, is_blank = array.buffers()[1], ~_bits_of(array, 0).view(np.bool_)
    values = np.frombuffer(held, array.type.to_pandas_dtype(), array.offset + len(array))[array.offset :]
    if 2 * array.null_count < len(array):  # the fewer are put one by one
        found = empty(len(array), values.dtype)
        found[:] = values
        found[np.flatnonzero(is_blank)] = blank
    else:
        found = filled(len(array), blank, values.dtype)
        known = np.flatnonzero(~is_blank)
        found[known] = values[known]
    return read_only(found)


def _bits_of(array: pa.Array, buffer: int) -> NDArray[np.uint8]:
    """The bits of one buffer of an Arrow array: which rows are known (0), or the booleans (1)."""
    last = array.offset + len(array)
    return np.unpackbits(np.frombuffer(array.buffers()[buffer], np.uint8), count=last, bitorder="little")[array.offset :]
