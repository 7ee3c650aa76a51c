"""Memory for arrays of a block. Blocks come by the thousand, and the C library gives the memory of each back to the system, so
that every block would pay for fresh pages again – as much as its pricing costs. Arrow's pool keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def empty(count: int, dtype: Any) -> NDArray[Any]:
    """An array of `count` values that are not set yet."""
    if not count:
        return np.empty(0, dtype=dtype)
    return np.frombuffer(pa.allocate_buffer(count * np.dtype(dtype).itemsize), dtype=dtype)


def filled(count: int, value: int, dtype: Any) -> NDArray[Any]:
    """An array of `count` times `value`."""
    array = empty(count, dtype)
    array[:] = value
    return array
