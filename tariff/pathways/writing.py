"""Pathways of priced lines on disk: the lines get their places, and tables of pathways stand beside them.

Lines of care are laid aside once, in as many files as there are partitions of patients, so that memory is bounded by the largest
partition and nothing is read twice for each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from tariff.best_practice.evidence import NO_EVIDENCE, Evidence
from tariff.pathways.bundling import Formed, form, open_of
from tariff.pathways.care import care_lines
from tariff.pathways.carrying import OPEN, with_carried
from tariff.pathways.definitions import Definitions
from tariff.pathways.partitions import laid_aside, partitions_for
from tariff.pathways.readmitted import readmissions_in


@dataclass(frozen=True, slots=True)
class PathwayTotals:
    """What was formed, for the run card: pathways paid and flagged, what they are paid and what care in them was worth."""

    paid: int
    flagged: int
    still_open: int
    bundle_pence: int
    episodic_pence: int
    readmissions: int
    readmission_pence: int
    register_entries_left_out: int


def write_pathways(
    priced: Sequence[Path],
    activity: Sequence[pl.LazyFrame],
    definitions: Definitions,
    tables: Mapping[str, Path],
    work: Path,
    *,
    registers: pl.LazyFrame | None = None,
    open_pathways: pl.LazyFrame | None = None,
    evidence: Evidence = NO_EVIDENCE,
    until: date | None = None,
    partitions: int | None = None,
) -> PathwayTotals:
    """Form the pathways of the priced lines in the Parquet files `priced`, given the canonical activity they were priced from, in
    their order. Every file is written anew with its pathway columns filled, each in its place when it is whole; each table of
    `columns.PATHWAY_TABLES` goes to its path. `work` is a folder for what is laid aside meanwhile: it is emptied first, so
    that nothing of a run that was killed stays there, and removed at the end. Raises as `bundling.bundle`."""
    heights = [_height(path) for path in priced]
    with _empty(work) as folder:
        formed, again = _formed(
            priced, activity, definitions, folder, tables["pathways_open"],
            registers=registers, opened=open_pathways, evidence=evidence, until=until,
            partitions=partitions or partitions_for(sum(heights)), height=sum(heights),
        )  # fmt: skip
        first = 0
        for path, height in zip(priced, heights, strict=True):
            _put_on(formed, path, first, folder / "lines.parquet")
            first += height
    made = {
        "pathways": formed.pathways,
        "pathways_owed": formed.owed,
        "pathways_restated": formed.restated,
        "readmissions": again,
    }
    for table, rows in made.items():
        rows.write_parquet(tables[table], compression="zstd")
    return _totals(formed, again)


@contextmanager
def _empty(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _formed(
    priced: Sequence[Path],
    activity: Sequence[pl.LazyFrame],
    definitions: Definitions,
    folder: Path,
    hand_on_to: Path,
    *,
    registers: pl.LazyFrame | None,
    opened: pl.LazyFrame | None,
    evidence: Evidence,
    until: date | None,
    partitions: int,
    height: int,
) -> tuple[Formed, pl.DataFrame]:
    """Pathways and readmissions, by way of files in `folder`; what is for the next run is written to `hand_on_to`."""
    parts = laid_aside(care_lines(pl.scan_parquet(list(priced), glob=False), activity), partitions, folder / "care")
    before = None if opened is None else laid_aside(open_of(opened), partitions, folder / "open")
    kept: list[Path] = []

    def hand_on(part: pl.LazyFrame) -> None:
        kept.append(folder / f"kept-{len(kept):05}.parquet")
        part.sink_parquet(kept[-1], compression="lz4")

    formed = form(parts, height, definitions, registers, before, evidence=evidence, until=until, hand_on=hand_on)
    pl.scan_parquet(kept, glob=False).sink_parquet(hand_on_to, compression="zstd", row_group_size=250_000)
    carried = before or [pl.LazyFrame(schema=OPEN)] * len(parts)
    again = readmissions_in((with_carried(part, of_part) for part, of_part in zip(parts, carried, strict=True)), definitions)
    return formed, again


def _height(path: Path) -> int:
    return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())


def _put_on(formed: Formed, path: Path, first: int, anew: Path) -> None:
    """Writes the places of lines, which begin at row `first`, into their file."""
    lines = formed.places.put_on(pl.scan_parquet(path, glob=False), first)
    lines.sink_parquet(anew, compression="zstd", compression_level=1, row_group_size=250_000, maintain_order=True)
    anew.replace(path)


def _totals(formed: Formed, again: pl.DataFrame) -> PathwayTotals:
    pathways = formed.pathways
    paid = pathways.filter(pl.col("flag").is_null())
    return PathwayTotals(
        paid=paid.height,
        flagged=pathways.height - paid.height,
        still_open=int((paid["state"] == "open").sum()),
        bundle_pence=int(paid["price_pence"].sum()),
        episodic_pence=int(paid["episodic_pence"].sum()),
        readmissions=again.height,
        readmission_pence=int(again["pence"].sum()),
        register_entries_left_out=formed.entries_left_out,
    )
