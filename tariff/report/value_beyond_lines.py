"""Best practice and pathways of the priced lines, counted for their sections of the report; empty where the lines have none."""

from __future__ import annotations

import polars as pl

from tariff.reasons import PRICED


def count_best_practice(priced: pl.LazyFrame) -> pl.DataFrame:
    """By provider, the lines that a best-practice tariff looks at: what evidence makes of their prices (`gained_pence`), what
    criteria not met lose (`lost_pence`), and what is at stake where evidence is lacking. Sorted by provider."""
    money = [pl.col(f"best_practice_{name}") != 0 for name in ("pence", "lost_pence", "at_stake_pence")]
    candidate = pl.any_horizontal(pl.col("best_practice_tariff").is_not_null(), pl.col("best_practice_row") > 0, *money)
    found = (pl.col("outcome").cast(pl.String) == PRICED) & candidate
    return (
        priced.filter(found)
        .group_by("provider")
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("best_practice_pence").sum().alias("gained_pence"),
            pl.col("best_practice_lost_pence").sum().alias("lost_pence"),
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
