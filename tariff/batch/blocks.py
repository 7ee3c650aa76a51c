"""Priced lines in bounded blocks, and how many of them there will be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from tariff.intake import Intake


def blocks_of(batches: Iterable[pl.DataFrame], rows: int, schema: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """Lines in order, `rows` at a time and contiguous in memory, so that the same lines give the same bytes however they come.
    The last block holds the rest; there is always one."""
    held: list[pl.DataFrame] = []
    height, written = 0, False
    for batch in batches:
        held.append(batch)
        height += batch.height
        while height >= rows:
            whole = pl.concat(held)
            yield whole.head(rows).rechunk()
            held, height, written = [whole.slice(rows)], height - rows, True
    if height or not written:
        yield pl.concat(held).rechunk() if held else pl.DataFrame(schema=schema)


def lines_expected(intake: Intake, inputs: Sequence[Mapping[str, Any]]) -> list[int]:
    """How many lines each part of the intake holds; items attached to spells come last."""
    counts = iter([facts["lines"] for facts in inputs])
    own = [sum(next(counts) for _ in part.paths) for part in intake.of_files]
    return [*own, *(part.items for part in intake.parts if part.items)]
