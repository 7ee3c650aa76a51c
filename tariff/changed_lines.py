"""Which lines of two runs are not the same, told by hashes of 64 bits: of the key, under two seeds, and of the whole line.

Hashes lie in files, one a partition by the key, so that memory is for a partition and for a mark a line. That a changed line
goes unseen needs its two hashes to agree by chance, 1 in 2^64 a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.errors import ActivityError, Fault

_KEY: Final = ["key", "key_too", "occurrence"]
_HASHES: Final = np.dtype([("place", "<u8"), ("key", "<u8"), ("key_too", "<u8"), ("line", "<u8")])


@dataclass(frozen=True, slots=True)
class Marked:
    """Lines of a run that are gone, new or changed: a mark for each line of the run, and which of its key's lines (from 0) a
    marked line is, where it is not the first: `further` are places, in order, `numbers` what they are."""

    changed: NDArray[np.bool_]
    further: NDArray[np.uint64]
    numbers: NDArray[np.uint32]

    def __len__(self) -> int:
        return int(self.changed.sum())

    def within(self, block: pl.DataFrame, first: int) -> pl.DataFrame:
        """The marked lines of a block that begins at line `first`, with `occurrence`. ActivityError where it goes beyond the
        lines that were marked."""
        marks = self.changed[first : first + block.height]
        if marks.size != block.height:
            told = [Fault("the priced lines", "have changed while they were compared", "compare them again")]
            raise ActivityError("Priced lines could not be read to their end.", told)
        places = np.flatnonzero(marks).astype(np.uint64) + np.uint64(first)
        occurrence = np.zeros(places.size, np.uint32)
        since, until = np.searchsorted(self.further, [first, first + block.height])
        occurrence[np.searchsorted(places, self.further[since:until])] = self.numbers[since:until]
        return block.filter(pl.Series(marks)).with_columns(occurrence=pl.Series(occurrence))


def partition_of(block: pl.DataFrame, key: Sequence[str], partitions: int) -> NDArray[np.uint64]:
    """The partition of every line, which depends on its key alone."""
    return _hash(block, key, 0) % np.uint64(partitions)


def _hash(block: pl.DataFrame, columns: Sequence[str], seed: int) -> NDArray[np.uint64]:
    return block.select(pl.struct(columns).hash(seed=seed)).to_series().to_numpy()


def lay_hashes_aside(blocks: Iterable[pl.DataFrame], key: Sequence[str], partitions: int, folder: Path) -> int:
    """Hashes of the lines, in a file a partition. Returns how many lines there are."""
    folder.mkdir()
    first = 0
    for block in blocks:
        hashes = np.empty(block.height, _HASHES)
        hashes["place"] = np.arange(first, first + block.height)
        hashes["key"], hashes["key_too"] = _hash(block, key, 0), _hash(block, key, 1)
        hashes["line"] = _hash(block, block.columns, 2)
        own = hashes["key"] % np.uint64(partitions)
        order = np.argsort(own, kind="stable")
        bounds = np.searchsorted(own[order], np.arange(partitions + 1))
        for number in range(partitions):
            with (folder / str(number)).open("ab") as file:
                hashes[order[bounds[number] : bounds[number + 1]]].tofile(file)
        first += block.height
    return first


def differing(folders: Sequence[Path], lines: Sequence[int], partitions: int) -> tuple[Marked, Marked]:
    """The lines of two runs that are not in the other as they are, from hashes laid aside. Lines of the same key are matched in
    their order."""
    marks = [np.zeros(count, np.bool_) for count in lines]
    further: list[list[pl.DataFrame]] = [[], []]
    for number in range(partitions):
        first, second = (_numbered(folder / str(number)) for folder in folders)
        joined = first.join(second, on=_KEY, how="full", suffix="_after", coalesce=True)
        changed = joined.filter(pl.col("line").ne_missing(pl.col("line_after")))
        for side, place in enumerate(("place", "place_after")):
            found = changed.select(pl.col(place).alias("place"), "occurrence").drop_nulls("place")
            marks[side][found["place"].to_numpy()] = True
            further[side].append(found.filter(pl.col("occurrence") > 0))
    before, after = (_marked(*one) for one in zip(marks, further, strict=True))
    return before, after


def _marked(changed: NDArray[np.bool_], further: Sequence[pl.DataFrame]) -> Marked:
    repeated = pl.concat(further).sort("place")
    return Marked(changed, repeated["place"].to_numpy(), repeated["occurrence"].to_numpy())


def _numbered(path: Path) -> pl.DataFrame:
    """The hashes of a partition, with how many lines of the same key came before each."""
    hashes = np.fromfile(path, _HASHES) if path.exists() else np.empty(0, _HASHES)
    frame = pl.DataFrame({name: np.ascontiguousarray(hashes[name]) for name in hashes.dtype.names or ()})
    if frame["key"].n_unique() == frame.height:  # nearly always, and then cheap
        return frame.with_columns(occurrence=pl.lit(0, pl.UInt32))
    return frame.with_columns(occurrence=pl.int_range(pl.len(), dtype=pl.UInt32).over("key", "key_too"))
