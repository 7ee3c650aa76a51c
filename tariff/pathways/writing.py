"""Pathways of priced lines on disk: the lines get their places, and tables of pathways stand beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from tariff.pathways.bundling import bundle_care
from tariff.pathways.care import care_lines
from tariff.pathways.definitions import Definitions
from tariff.pathways.partitions import partitions_for
from tariff.pathways.readmitted import readmissions

TABLES: Final = ("pathways", "pathways_open", "pathways_owed", "pathways_restated", "readmissions")
"""The tables beside `X.parquet`, as `X.<table>.parquet`."""


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


def write_pathways(
    priced: Path,
    activity: Sequence[pl.LazyFrame],
    definitions: Definitions,
    tables: Mapping[str, Path],
    *,
    registers: pl.LazyFrame | None = None,
    open_pathways: pl.LazyFrame | None = None,
    until: date | None = None,
    partitions: int | None = None,
) -> PathwayTotals:
    """Form the pathways of the priced lines in the Parquet file `priced`, given the canonical activity they were priced from, in
    its order. The file is written anew with its pathway columns filled; each table of `TABLES` goes to its path. Lines of care
    are read once and kept beside the file while patients are taken in parts. Raises as `bundle`."""
    with TemporaryDirectory(dir=priced.parent) as folder:
        kept = Path(folder) / "care.parquet"
        care_lines(pl.scan_parquet(priced), activity).sink_parquet(kept, compression="lz4", row_group_size=1_000_000)
        care = pl.scan_parquet(kept)
        lines = int(care.select(pl.len()).collect().item())
        count = partitions or partitions_for(lines)
        kept_open: list[Path] = []

        def hand_on(part: pl.DataFrame) -> None:
            kept_open.append(Path(folder) / f"open-{len(kept_open):05}.parquet")
            part.write_parquet(kept_open[-1], compression="lz4")

        bundled = bundle_care(
            pl.scan_parquet(priced), care, definitions, registers, open_pathways, until=until, partitions=count, hand_on=hand_on
        )
        pl.scan_parquet(kept_open).sink_parquet(tables["pathways_open"], compression="zstd")
        again = readmissions(care, definitions, open_pathways, partitions=count)
        placed = Path(folder) / "lines.parquet"
        bundled.lines.sink_parquet(placed, compression="zstd", compression_level=1, row_group_size=250_000, maintain_order=True)
        placed.replace(priced)
    made = {
        "pathways": bundled.pathways,
        "pathways_owed": bundled.owed,
        "pathways_restated": bundled.restated,
        "readmissions": again,
    }
    for name, table in made.items():
        table.write_parquet(tables[name], compression="zstd")
    paid = bundled.pathways.filter(pl.col("flag").is_null())
    return PathwayTotals(
        paid=paid.height,
        flagged=bundled.pathways.height - paid.height,
        still_open=int((paid["state"] == "open").sum()),
        bundle_pence=int(paid["price_pence"].sum()),
        episodic_pence=int(paid["episodic_pence"].sum()),
        readmissions=again.height,
        readmission_pence=int(again["pence"].sum()),
    )


def table_paths(priced: Path) -> dict[str, Path]:
    """Where the tables beside the file `priced` stand."""
    return {name: priced.with_suffix(f".{name}.parquet") for name in TABLES}
