"""The plan that goes with a synthetic year: what commissioners and providers might have agreed beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.columns import PLAN, schema
from tariff.money import PENCE_PER_POUND
from tariff.synthetic.streams import Stream, stream_of

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

WIDEST_MISS: Final = 60
"""Thousandths by which a plan may miss the activity that came, up or down."""

_KEYS: Final = ("commissioner", "provider", "pod", "financial_year")
_MILLE: Final = 1000


def planned_cells(block: pl.DataFrame, pack: RulePack) -> pl.DataFrame:
    """Units and pence of the priced lines of a block by commissioner, provider, point of delivery and year."""
    from tariff.pricing import price

    priced = price(block, pack).filter(pl.col("outcome") == "priced")
    cells = priced.group_by(_KEYS).agg(pl.col("units").sum(), pl.col("price_pence").sum().alias("pence"))
    return cells.with_columns(pl.col("pod").cast(pl.String)).collect()


def make_plan(cells: Iterable[pl.DataFrame], seed: int) -> pl.DataFrame:
    """The plan, as `columns.PLAN`: each cell of the year times its own factor, the same for units and money, drawn evenly from
    −6% to +6%; money in whole pounds. A cell always plans at least one unit."""
    total = pl.concat(cells).group_by(_KEYS).agg(pl.col("units", "pence").sum()).sort(_KEYS)
    rng = stream_of(seed, Stream.PLAN)
    factor = pl.Series(_MILLE + rng.integers(-WIDEST_MISS, WIDEST_MISS + 1, size=total.height))
    planned = total.with_columns(
        _nearest(pl.col("units") * factor, _MILLE).clip(1).alias("units"),
        (_nearest(pl.col("pence") * factor, _MILLE * PENCE_PER_POUND) * PENCE_PER_POUND).alias("pence"),
    )
    return planned.select(
        (pl.col(name) if name in planned.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema(PLAN).items()
    )


def _nearest(amount: pl.Expr, unit: int) -> pl.Expr:
    """`amount` in whole units, halves up; amounts are never negative here."""
    return (amount + unit // 2) // unit
