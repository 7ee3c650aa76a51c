"""Whole pathways instead of lines: what lies inside a pathway that a model bundles is not paid by the line, and each pathway is
paid its price to the lead provider. Pathways are formed and priced with the lines (`pathway_id`); here they are only paid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tariff.payment.activity import as_lines
from tariff.payment.cells import CELL, NOT_GIVEN
from tariff.payment.term import Cause
from tariff.reasons import PRICED

INSIDE: Final = Cause(
    "bundled_lines",
    "Care inside pathways, not paid by line",
    "What lies inside a bundled pathway is paid by the pathway's price.",
)
BUNDLE: Final = Cause("pathway_price", "Prices of pathways", "What each bundled pathway pays its lead provider.")

EVERY: Final = "all"
"""In a model's list of pathways: every pathway that the lines are in."""

BUNDLES: Final = {
    "pathway": pl.String(),
    "commissioner": pl.String(),
    "provider": pl.String(),
    "financial_year": pl.String(),
    "month": pl.Int8(),
    "pence": pl.Int64(),
}
"""Priced pathways as a ledger takes them, one row each or summed: the definition, who pays, the lead provider, when, how much."""


def gather_inside(priced: pl.LazyFrame) -> pl.DataFrame | None:
    """What lines inside pathways are worth, by the keys of a cell (practices apart) and `pathway`; None where none are inside."""
    keys = [name for name in CELL if name != "gp_practice"]
    texts = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in keys if name != "month"]
    inside = (
        priced.filter((pl.col("outcome").cast(pl.String) == PRICED) & pl.col("pathway_id").is_not_null())
        .with_columns(*texts, pl.col("pathway_id").str.split(":").list.first().alias("pathway"))
        .group_by(*keys, "pathway")
        .agg(pl.col("price_pence", "best_practice_pence").sum())
        .sort(*keys, "pathway")
        .collect()
    )
    return inside if inside.height else None


def bundled_lines(
    inside: pl.DataFrame | None, bundles: pl.DataFrame | None, pathways: Sequence[str], *, best_practice: bool
) -> pl.DataFrame:
    """The ledger lines that take bundled care off and pay its pathways' prices."""
    chosen = pl.lit(value=True) if EVERY in pathways else pl.col("pathway").is_in(list(pathways))
    frames = []
    if inside is not None:
        paid = pl.col("price_pence") + (pl.col("best_practice_pence") if best_practice else 0)
        frames.append(as_lines(inside.filter(chosen).with_columns(pl.lit(INSIDE.line).alias("line"), (-paid).alias("pence"))))
    if bundles is not None:
        named = bundles.filter(chosen).with_columns(pl.col("pathway").alias("currency"), pl.lit(BUNDLE.line).alias("line"))
        frames.append(as_lines(named))
    return as_lines(pl.concat(frames).group_by(*CELL, "line").agg(pl.col("pence").sum()))
