"""Best practice and pathways of the priced lines, counted for their sections of the report; empty where the lines have none."""

from __future__ import annotations

import polars as pl

from tariff.reasons import PRICED


def count_best_practice(priced: pl.LazyFrame) -> pl.DataFrame:
    """By provider, the lines that a best-practice tariff looks at, what evidence makes of their prices (`gained_pence`,
    `lost_pence`) and what is at stake where evidence is lacking. Sorted by provider."""
    candidate = (pl.col("best_practice_row") > 0) | (pl.col("best_practice_pence") != 0)
    found = (pl.col("outcome").cast(pl.String) == PRICED) & (candidate | (pl.col("best_practice_at_stake_pence") != 0))
    return (
        priced.filter(found)
        .group_by("provider")
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("best_practice_pence").clip(lower_bound=0).sum().alias("gained_pence"),
            pl.col("best_practice_pence").clip(upper_bound=0).sum().alias("lost_pence"),
            pl.col("best_practice_at_stake_pence").sum().alias("at_stake_pence"),
        )
        .sort("provider")
        .collect()
    )


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
