"""Pathways of the priced lines, counted for their section of the report; empty where the lines have none."""

from __future__ import annotations

import polars as pl

from tariff.reasons import PRICED


def count_pathways(priced: pl.LazyFrame) -> pl.DataFrame:
    """By pathway definition: how many pathways, the lines inside them and what those are worth by the line. Sorted."""
    parts = pl.col("pathway_id").str.split(":").list.first()
    return (
        priced.filter((pl.col("outcome").cast(pl.String) == PRICED) & pl.col("pathway_id").is_not_null())
        .group_by(parts.alias("pathway"))
        .agg(
            pl.col("pathway_id").n_unique().cast(pl.Int64).alias("pathways"),
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("price_pence").sum(),
        )
        .sort("pathway")
        .collect()
    )
