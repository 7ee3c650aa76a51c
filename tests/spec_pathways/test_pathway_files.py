"""Pathways on disk: the priced file gets its places, tables stand beside it, and nothing else changes."""

from __future__ import annotations

import polars as pl

from tariff.columns import PATHWAY_TABLES
from tariff.pathways.writing import write_pathways


def test_files_hold_what_bundling_gives(world, histories, tmp_path):
    lines, entries = histories(21, 200)
    priced, activity = world.frames(lines)
    file = tmp_path / "priced.parquet"
    priced.write_parquet(file)
    tables = {name: tmp_path / f"priced.{name}.parquet" for name in PATHWAY_TABLES}
    columns = ["patient_id", "register", "level", "start_date", "end_date", "provider", "commissioner"]
    registers = pl.DataFrame(entries, infer_schema_length=None).select(columns).lazy()
    totals = write_pathways(
        [file],
        [frame.lazy() for frame in activity],
        world.definitions,
        tables,
        tmp_path / "work",
        registers=registers,
        until=world.ends,
        partitions=3,
    )
    told = world.bundle(lines, entries)
    assert pl.read_parquet(file).equals(told.lines.collect())
    assert pl.read_parquet(tables["pathways"]).equals(told.pathways)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["priced.parquet", *(f"priced.{name}.parquet" for name in PATHWAY_TABLES)]
    )
    assert pl.read_parquet(tables["pathways_open"]).sort(pl.all()).equals(told.open.sort(pl.all()))
    paid = told.pathways.filter(pl.col("flag").is_null())
    assert (totals.paid, totals.bundle_pence) == (paid.height, paid["price_pence"].sum())
    assert totals.readmissions == len(world.readmissions_by_sweep(lines))
