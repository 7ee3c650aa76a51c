"""Activity in bounded blocks, a few at a time: how a file of any size is gone through with memory for a few blocks.

Of a Parquet file some row groups are read at once, which costs half the memory of a stream that reads further ahead, and less
time. What cannot be had so, delimited text and episodes, streams."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.io.plugins import register_io_source

T = TypeVar("T")
_ROWS: Final = 250_000
"""Rows read at once, or those of one row group where it has more."""
_MOST_ROWS: Final = 2_000_000
"""A file with a larger row group is streamed."""


class Made(Protocol):
    """How the columns asked for are made of those that a file has, block by block and without a query."""

    def filed(self, columns: Sequence[str]) -> list[str]:
        """The columns of the file that these are made of."""

    def made(self, block: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """These columns of a block that has what they are made of."""


@dataclass(frozen=True, slots=True)
class Filed:
    """Rows of a file, lazily, of which lines are `made`; the lines themselves where nothing is to be made of them."""

    rows: pl.LazyFrame
    making: Made | None = None

    def slice(self, first: int, rows: int) -> Filed:
        """Some of them."""
        return Filed(self.rows.slice(first, rows), self.making)

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """These columns of all of them."""
        if self.making is None:
            return _collected(self.rows.select(columns))
        return self.making.made(_collected(self.rows.select(self.making.filed(columns))), columns)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one kind, lazily: all of them, and in `pieces` that follow one another where they can be had so. Where they are
    `identified`, every line is known to have an identifier, and the column is left out."""

    whole: pl.LazyFrame
    pieces: tuple[Filed, ...] = ()
    kind: str = ""
    identified: bool = False

    def each_block(self, columns: Sequence[str], told: Callable[[pl.DataFrame], T]) -> Iterator[T]:
        """What `told` says of every block of these columns, in the order of the lines; the next block is read meanwhile."""
        for read in self._read_ahead(columns):
            # of a large row group some rows at a time, so that what is told of them is bounded; of no rows, one block without any
            yield from map(told, read.iter_slices(_ROWS) if read.height > _ROWS else (read,))

    def _read_ahead(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        if not self.pieces:
            yield from self.whole.select(columns).collect_batches(maintain_order=True)
            return
        with ThreadPoolExecutor(max_workers=1) as reader:
            coming: Future[pl.DataFrame] | None = None
            for piece in self.pieces:
                read, coming = coming, reader.submit(piece.read, columns)
                if read is not None:
                    yield read.result()
                    del read  # or its memory would stay while the next is waited for
            if coming is not None:
                yield coming.result()


def _collected(piece: pl.LazyFrame) -> pl.DataFrame:
    try:
        return piece.collect(engine="in-memory")
    except pl.exceptions.PanicException:  # no Exception: it would go past all who take blocks, and be printed on its way
        raise pl.exceptions.ComputeError("the file is damaged in a way that its reader does not know") from None


def as_they_come(blocks: Callable[[], Iterator[pl.DataFrame]], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """A frame of the blocks that are made as somebody takes them, one after another."""

    def taken(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        for block in blocks():
            # as Polars asks its sources: the first rows, then those of them that the predicate keeps
            first = block if rows is None else block.head(rows)
            kept = first if predicate is None else first.filter(predicate)
            yield kept if columns is None else kept.select(columns)
            if rows is not None:
                rows -= first.height
                if not rows:
                    return

    return register_io_source(taken, schema=dict(schema), is_pure=False)


def all_between(parquet: Path, heading: str, first: str, last: str, none_of: Collection[str]) -> bool:
    """Whether the statistics of a Parquet file prove that the column holds a text in every row, none before `first`, after
    `last`, or one of `none_of`. Statistics may be cut short, but are never within what they bound."""
    try:
        metadata = pq.read_metadata(parquet)
    except (pa.ArrowException, OSError):
        return False
    place = metadata.schema.names.index(heading) if heading in metadata.schema.names else None
    if place is None or metadata.schema.names.count(heading) > 1:
        return False
    for number in range(metadata.num_row_groups):
        column = metadata.row_group(number).column(place)
        told = column.statistics if column.path_in_schema == heading else None
        if told is None or not told.has_min_max or not told.has_null_count or told.null_count:
            return False
        lowest, highest = told.min, told.max
        if not isinstance(lowest, str) or not first <= lowest <= highest <= last:
            return False
        if any(lowest <= word <= highest for word in none_of):
            return False
    return True


def pieces_of(files: Sequence[tuple[Filed, Path]]) -> tuple[Filed, ...]:
    """The lines of Parquet files that hold one a row, in pieces of some row groups; nothing where one has none to be had."""
    ranges = [(filed, _ranges(path)) for filed, path in files]
    if not all(of_file for _, of_file in ranges):
        return ()
    return tuple(filed.slice(first, rows) for filed, of_file in ranges for first, rows in of_file)


def _ranges(parquet: Path) -> list[tuple[int, int]]:
    """First row and rows of as many row groups as make a block."""
    try:
        metadata = pq.read_metadata(parquet)
    except (pa.ArrowException, OSError):  # Polars may read it all the same, or says what is wrong with it
        return []
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    if not groups or max(groups) > _MOST_ROWS:
        return []
    ranges, first, rows = [], 0, 0
    for number, of_group in enumerate(groups, start=1):
        rows += of_group
        if rows >= _ROWS or number == len(groups):
            ranges.append((first, rows))
            first, rows = first + rows, 0
    return ranges
