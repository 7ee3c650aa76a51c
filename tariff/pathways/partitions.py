"""Patients are the unit of every sweep, so lines are taken in parts by a hash of the patient: each part holds its patients whole
and is small enough to sort. How many parts there are changes nothing but memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

LINES_A_PARTITION: Final = 4_000_000
PATIENT: Final = "patient_id"


def partitions_for(lines: int) -> int:
    """How many parts keep each within about `LINES_A_PARTITION` lines."""
    return max(1, -(-lines // LINES_A_PARTITION))


def of_partition(number: int, partitions: int) -> pl.Expr:
    """Whether the patient of a line belongs to a part."""
    return pl.col(PATIENT).hash(seed=0) % partitions == number


def in_partitions(lines: pl.LazyFrame, partitions: int) -> Iterator[pl.DataFrame]:
    """The lines part by part, read again for each."""
    for number in range(partitions):
        part = lines if partitions == 1 else lines.filter(of_partition(number, partitions))
        yield part.collect(engine="streaming")
