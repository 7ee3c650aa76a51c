"""Plan against actual, and where the year will end: what contract monitoring asks each month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tariff.errors import Fault, RulesError
from tariff.money import half_up
from tariff.payment.activity import CONTRACT
from tariff.payment.coverage import cover
from tariff.payment.plan_making import phase_plan
from tariff.payment.working_days import Measure, month_weights

MONITORED: Final = (*CONTRACT, "pod", "treatment_function", "currency")
"""What a plan against actual may be told by. A blank is what the plan leaves blank: all of it."""


def plan_against_actual(
    cells: pl.DataFrame,
    plan: pl.DataFrame,
    by: Sequence[str] = CONTRACT,
    *,
    through_month: int | None = None,
    measure: Measure | None = None,
) -> pl.DataFrame:
    """Plan and actual to date, and the forecast for the year, `by` any of `MONITORED`, in units and pence.

    `through_month`: the last month that is complete (1 = April), the last with activity unless given; later activity is left
    out. Whole-year plan rows are phased first (`phase_plan`). Columns: the keys, `plan_units, actual_units, variance_units,
    plan_pence, actual_pence, variance_pence`, `plan_year_pence, forecast_pence, forecast_variance_pence`. The forecast carries
    what was done to date on as the plan is phased, or by days where nothing was planned to date. RulesError where the plan does
    not cover activity."""
    last = through_month or int(cells["month"].max() or 12)  # type: ignore[arg-type]
    within = cells.filter(pl.col("month") <= last)
    years = within["financial_year"].unique().implode()
    phased = phase_plan(plan.filter(pl.col("financial_year").is_in(years)), measure)
    covered = cover(within, phased)
    _require_covered(covered.unplanned)
    to_date = pl.col("month") <= last
    sums = (
        covered.planned.group_by(by)
        .agg(
            pl.col("units").filter(to_date).sum().alias("plan_units"),
            pl.col("actual_units").sum(),
            pl.col("plan_pence").filter(to_date).sum().alias("plan_to_date_pence"),
            pl.col("plan_pence").sum().alias("plan_year_pence"),
            pl.col("value_pence").sum().alias("actual_pence"),
            pl.col("financial_year").first().alias("year"),
        )
        .sort(by, nulls_last=True)
    )
    forecast = [
        forecast_outturn(actual, to_date_plan, whole, sum(month_weights(year, "calendar_days")[:last]), year)
        for actual, to_date_plan, whole, year in sums.select(
            "actual_pence", "plan_to_date_pence", "plan_year_pence", "year"
        ).iter_rows()
    ]
    told = sums.rename({"plan_to_date_pence": "plan_pence"}).with_columns(
        pl.Series("forecast_pence", forecast, pl.Int64),
        (pl.col("actual_units") - pl.col("plan_units")).alias("variance_units"),
    )
    money = told.with_columns(
        (pl.col("actual_pence") - pl.col("plan_pence")).alias("variance_pence"),
        (pl.col("forecast_pence") - pl.col("plan_year_pence")).alias("forecast_variance_pence"),
    )
    return money.select(*by, *_FIGURES)


_FIGURES: Final = (
    "plan_units",
    "actual_units",
    "variance_units",
    "plan_pence",
    "actual_pence",
    "variance_pence",
    "plan_year_pence",
    "forecast_pence",
    "forecast_variance_pence",
)


def forecast_outturn(actual_pence: int, plan_to_date_pence: int, plan_year_pence: int, days: int, year: str) -> int:
    """What the year comes to if the rest of it goes as it went to date: actual × plan of the year / plan to date, and by days
    of the year where the plan to date is nothing. Half-up once."""
    if plan_to_date_pence > 0:
        return half_up(actual_pence * plan_year_pence, plan_to_date_pence)
    return half_up(actual_pence * sum(month_weights(year, "calendar_days")), days)


def _require_covered(unplanned: pl.DataFrame) -> None:
    if not unplanned.height:
        return
    pairs = unplanned.select(CONTRACT).unique().sort(CONTRACT, nulls_last=True).head(20).iter_rows()
    faults = [Fault("plan", f"has no row for commissioner {who}, provider {where}, {year}") for who, where, year in pairs]
    raise RulesError("the plan does not cover all the activity", faults)
