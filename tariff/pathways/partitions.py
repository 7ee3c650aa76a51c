"""Patients are the unit of every sweep, so lines are taken in parts by a hash of the patient: each part holds its patients whole
and is small enough to sort. How many parts there are changes nothing but memory."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

LINES_A_PARTITION: Final = 1_000_000
PATIENT: Final = "patient_id"
_PART: Final = "part"


def partitions_for(lines: int) -> int:
    """How many parts keep each within about `LINES_A_PARTITION` lines."""
    return max(1, -(-lines // LINES_A_PARTITION))


def of_partition(number: int, partitions: int) -> pl.Expr:
    """Whether the patient of a line belongs to a part."""
    return _part_of(partitions) == number


def in_parts(lines: pl.LazyFrame, partitions: int) -> list[pl.LazyFrame]:
    """The lines part by part; each is read from the whole."""
    return [lines] if partitions == 1 else [lines.filter(of_partition(number, partitions)) for number in range(partitions)]


def laid_aside(lines: pl.LazyFrame, partitions: int, folder: Path) -> list[pl.LazyFrame]:
    """The lines part by part, written to a file each in one pass, so that no part is read through the others."""
    empty = pl.LazyFrame(schema=lines.collect_schema())
    by_part = pl.PartitionBy(folder, key=_PART, include_key=False)
    parts = lines.with_columns(_part_of(partitions).alias(_PART))
    parts.sink_parquet(by_part, compression="lz4", statistics=False, mkdir=True, maintain_order=False)
    return [_scanned(sorted((folder / f"{_PART}={number}").glob("*.parquet")), empty) for number in range(partitions)]


def _scanned(files: list[Path], empty: pl.LazyFrame) -> pl.LazyFrame:
    return pl.scan_parquet(files, glob=False) if files else empty


def _part_of(partitions: int) -> pl.Expr:
    return (pl.col(PATIENT).hash(seed=0) % partitions).cast(pl.UInt32)
