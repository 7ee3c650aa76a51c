"""What became of every line: priced, excluded by policy, unpriced or rejected, each counted and valued by its one reason.
And which rule pack priced how much."""

from __future__ import annotations

import polars as pl

from tariff.reasons import OUTCOMES, REASON_NUMBER, REASONS


def count_outcomes(priced: pl.LazyFrame) -> pl.DataFrame:
    """Lines by outcome and reason: `lines`, `price_pence` (priced lines alone carry money), `indicative_pence` (value at the
    best price known of lines not priced) and `valued` (lines that have one). In the order of `reasons.REASONS`."""
    sums = (
        priced.group_by(pl.col("outcome", "reason").cast(pl.String))
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("price_pence", "indicative_pence").sum(),
            pl.col("indicative_pence").count().cast(pl.Int64).alias("valued"),
        )
        .collect()
    )
    order = pl.col("outcome").replace_strict({outcome: number for number, outcome in enumerate(OUTCOMES)}, return_dtype=pl.Int32)
    within = pl.col("reason").replace_strict(REASON_NUMBER, return_dtype=pl.Int32)
    return sums.sort(order, within)


def count_packs(priced: pl.LazyFrame) -> pl.DataFrame:
    """Priced lines by the rule pack that priced them: `pack`, `lines`, `price_pence`."""
    sums = pl.len().cast(pl.Int64).alias("lines"), pl.col("price_pence").sum()
    return priced.filter(pl.col("outcome").cast(pl.String) == OUTCOMES[0]).group_by("pack").agg(sums).sort("pack").collect()


def reason_sentence(code: str) -> str:
    """The sentence for a clerk of a reason."""
    return REASONS[REASON_NUMBER[code]].sentence
