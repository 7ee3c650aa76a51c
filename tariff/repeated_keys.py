"""Lines whose key (kind, provider, identifier) came before, counted and valued in bounded memory whatever the number of lines:
hashes of the keys are laid aside in a file without a name, in partitions, and looked at one partition at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.whole_files import refused_writing

Number = TypeVar("Number", np.uint64, np.int64)

_PARTITIONS: Final = 64
_SHIFT: Final = np.uint64(58)
"""The highest six bits of a hash tell its partition."""
_HELD_BYTES: Final = 32 << 20
_WIDTH: Final = 16
"""Bytes laid aside for a line: a hash of its key, and its price."""


def repeated_keys(priced: pl.LazyFrame, scratch: Path) -> tuple[int, int]:
    """How many lines of `priced` (`columns.PRICED_LINE`) have a key that came before, and what they are worth, in pence.

    Lines without an identifier have no key. What does not fit in memory is laid aside in the folder `scratch`, where nothing is
    left however the process ends; OutputError where there is no room."""
    key = pl.struct(pl.col("kind").cast(pl.String), "provider", "line_id").hash(seed=0)
    keyed = priced.filter(pl.col("line_id").is_not_null()).select(key.alias("key"), "price_pence")
    try:
        with SpooledTemporaryFile(max_size=_HELD_BYTES, dir=str(scratch)) as file:
            counts = [_lay_aside(batch, file) for batch in keyed.collect_batches(maintain_order=True)]
            found = [_repeats(*part) for part in _partitions(file, np.array(counts, np.int64).reshape(-1, _PARTITIONS))]
    except OSError as error:
        raise refused_writing(scratch, error) from error
    return sum(lines for lines, _ in found), sum(pence for _, pence in found)


def _lay_aside(batch: pl.DataFrame, file: IO[bytes]) -> NDArray[np.int64]:
    """Write keys, then prices, in order of partition; how many lines went into each."""
    keys, pence = batch["key"].to_numpy(), batch["price_pence"].to_numpy()
    partition = (keys >> _SHIFT).astype(np.uint8)
    order = np.argsort(partition, kind="stable")
    file.write(keys[order].tobytes())
    file.write(pence[order].tobytes())
    return np.bincount(partition, minlength=_PARTITIONS).astype(np.int64)


def _partitions(file: IO[bytes], counts: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """Keys and prices of each partition, in the order of the lines. `counts` are by batch and partition."""
    heights = counts.sum(axis=1)
    begins = np.concatenate([[0], np.cumsum(heights)[:-1]]) * _WIDTH if heights.size else heights
    before = np.cumsum(counts, axis=1) - counts
    for number in range(_PARTITIONS):
        keys, pence = [], []
        for batch in np.flatnonzero(counts[:, number]):
            place = int(begins[batch] + 8 * before[batch, number])
            keys.append(_read(file, place, int(counts[batch, number]), np.dtype(np.uint64)))
            pence.append(_read(file, place + 8 * int(heights[batch]), int(counts[batch, number]), np.dtype(np.int64)))
        if keys:
            yield np.concatenate(keys), np.concatenate(pence)


def _read(file: IO[bytes], place: int, count: int, dtype: np.dtype[Number]) -> NDArray[Number]:
    file.seek(place)
    return np.frombuffer(file.read(8 * count), dtype)


def _repeats(keys: NDArray[np.uint64], pence: NDArray[np.int64]) -> tuple[int, int]:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    again = ordered[1:] == ordered[:-1]
    return int(again.sum()), int(pence[order][1:][again].sum())
