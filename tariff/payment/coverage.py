"""A plan laid over activity: which plan row covers which cell, what that activity is worth at tariff, and what is left."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from tariff.errors import Fault
from tariff.money import pounds
from tariff.payment.plan import by_pattern, first_faults


class Coverage(NamedTuple):
    """`planned`: each plan row with `plan_pence` and the `value_pence`, `lines` and `actual_units` of the activity it covers.
    `unplanned`: the cells that no row covers."""

    planned: pl.DataFrame
    unplanned: pl.DataFrame


def cover(cells: pl.DataFrame, plan: pl.DataFrame) -> Coverage:
    """Lay `plan` (checked, so that at most one row covers a cell) over `cells`."""
    rows = plan.with_row_index("plan_row").rename({"pence": "plan_pence"})
    keyed = cells.with_row_index("cell")
    none = pl.DataFrame(schema={"cell": pl.UInt32, "plan_row": pl.UInt32})
    found = [keyed.join(some.select(*keys, "plan_row"), on=keys).select(none.columns) for keys, some in by_pattern(rows)]
    pairs = pl.concat([none, *found])
    values = (
        pairs.join(keyed.select("cell", "lines", "units", "price_pence"), on="cell")
        .group_by("plan_row")
        .agg(pl.col("lines").sum(), pl.col("units").sum().alias("actual_units"), pl.col("price_pence").sum().alias("value_pence"))
    )
    filled = pl.col("value_pence", "lines", "actual_units").fill_null(0)
    planned = rows.join(values, on="plan_row", how="left").with_columns(filled)
    return Coverage(planned.sort("plan_row"), keyed.join(pairs, on="cell", how="anti").drop("cell"))


def unplanned_faults(unplanned: pl.DataFrame) -> list[Fault]:
    """One fault for each commissioner, provider and year with activity that no plan row covers."""
    keys = ["commissioner", "provider", "financial_year"]
    sums = pl.col("lines").sum(), pl.col("price_pence").sum(), pl.col("pod").unique().sort()
    faults = [
        Fault("", f"the plan has no row for {_in_words(pair)}")
        for pair in unplanned.group_by(keys).agg(sums).sort(keys).iter_rows(named=True)
    ]
    remedy = 'add plan rows (0 where nothing was planned; a blank pod covers all), or let the term pay it: unplanned = "tariff"'
    return [*first_faults(faults), Fault("", "", remedy)]


def _in_words(pair: dict[str, object]) -> str:
    pods = ", ".join(map(str, pair["pod"])) if isinstance(pair["pod"], list) else ""
    worth = pounds(int(str(pair["price_pence"])))
    who = f"commissioner {pair['commissioner']}, provider {pair['provider']}, {pair['financial_year']}"
    return f"{who}: {pair['lines']:,} lines worth {worth} ({pods})"
