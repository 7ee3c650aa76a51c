"""Priced lines gathered into cells: the smallest groups that a ledger, a plan or a contract term tells apart. Every model is
settled on the cells, so that the lines themselves are read once however many models are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tariff.columns import COMPONENTS
from tariff.errors import DisagreementError, Fault
from tariff.money import pounds
from tariff.reasons import PRICED

CELL: Final = ("commissioner", "provider", "gp_practice", "financial_year", "month", "pod", "treatment_function", "currency")
"""What tells one cell from another."""

NOT_GIVEN: Final = "not given"
"""A code that the activity lacks. A blank would mean all, as in a plan or in what a term pays for a whole contract."""

COMPONENT_LINES: Final = dict(zip(COMPONENTS, ("base", "short_stay", "long_stay", "top_up", "market_forces"), strict=True))
"""The ledger line of each component of price."""


def gather_cells(priced: pl.LazyFrame, *, practice: bool = False) -> pl.DataFrame:
    """The priced lines of `priced` by `CELL`: lines (count), units, each component, the price and what best practice
    adds to it, in pence. In no order: sums do not mind, and sorting would cost more than gathering.

    `gp_practice` is blank unless `practice`: most questions do not ask for it and it multiplies the cells. Lines that are
    not priced carry no money and are left out. DisagreementError where the components do not add to the price."""
    keys = [name for name in CELL if practice or name != "gp_practice"]
    sums = [pl.col(name).sum() for name in ("units", *COMPONENTS, "price_pence", "best_practice_pence")]
    named = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in keys if name != "month"]
    cells = (
        priced.filter(pl.col("outcome") == PRICED)
        .group_by(keys)
        .agg(pl.len().cast(pl.Int64).alias("lines"), *sums)
        .with_columns(named)  # after grouping: there are fewer cells than lines
        .collect()
    )
    if not practice:
        cells = cells.with_columns(pl.lit(None, pl.String).alias("gp_practice"))
    cells = cells.select(*CELL, "lines", "units", *COMPONENTS, "price_pence", "best_practice_pence")
    _require_components_add(cells)
    return cells


def component_lines(cells: pl.DataFrame) -> pl.DataFrame:
    """Ledger lines of the episodic payment: one per cell and component of price.

    Lines and units stand on the base line alone, so that they add; components of 0 pence are left out."""
    frames = [_component(cells, column, line) for column, line in COMPONENT_LINES.items()]
    return pl.concat(frames)


def _component(cells: pl.DataFrame, column: str, line: str) -> pl.DataFrame:
    counts: Sequence[str | pl.Expr] = ("lines", "units")
    if column != COMPONENTS[0]:
        cells = cells.filter(pl.col(column) != 0)
        counts = [pl.lit(0, pl.Int64).alias(name) for name in ("lines", "units")]
    return cells.select(*CELL, pl.lit(line).alias("line"), *counts, pl.col(column).alias("pence"))


def _require_components_add(cells: pl.DataFrame) -> None:
    wrong = cells.filter(pl.sum_horizontal(COMPONENTS) != pl.col("price_pence"))
    if wrong.height:
        apart = wrong.select((pl.sum_horizontal(COMPONENTS) - pl.col("price_pence")).sum()).item()
        what = f"in {wrong.height:,} of {cells.height:,} cells, by {pounds(apart)} in all"
        raise DisagreementError(
            "the components of the priced lines do not add to their prices",
            [Fault("priced lines", what, "price the activity again, or restore the file")],
        )
