"""Columns of a block as arrays, arrays as columns, and memory for them. Blocks come by the thousand, and what costs each a
query of Polars, or fresh pages of memory, would cost as much as the pricing of its lines."""

from __future__ import annotations

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
    return pl.Series([value], dtype=dtype).new_from_index(0, count)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The array as no kernel may write it. Polars gives some so and others not, and a kernel is compiled for either."""
    array.flags.writeable = False
    return array


def numbers_or(column: pl.Series, blank: int) -> NDArray[Any]:
    """A column of whole numbers as a read-only array, `blank` where it is null; of booleans as 0 and 1."""
    column = column.rechunk()
    if column.dtype == pl.Boolean:
        return read_only(_bits(column.fill_null(bool(blank)) if column.null_count() else column))
    if not column.null_count():
        return read_only(column.to_numpy())
    from tariff.kernels.tables import known_or

    array = column.to_arrow()
    known, held = array.buffers()
    values = np.frombuffer(held, array.type.to_pandas_dtype(), array.offset + len(array))[array.offset :]
    found = empty(len(array), values.dtype)
    known_or(values, np.frombuffer(known, np.uint8), array.offset, values.dtype.type(blank), found)
    return read_only(found)


def _bits(column: pl.Series) -> NDArray[np.uint8]:
    array = column.to_arrow()
    last = array.offset + len(array)
    return np.unpackbits(np.frombuffer(array.buffers()[1], np.uint8), count=last, bitorder="little")[array.offset :]
