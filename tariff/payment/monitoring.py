"""Plan against actual, and where the year will end: what contract monitoring asks each month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tariff.errors import UsageError, did_you_mean
from tariff.money import half_up
from tariff.payment.activity import CONTRACT
from tariff.payment.coverage import cover
from tariff.payment.plan_making import phase_plan
from tariff.payment.working_days import Measure, month_weights

MONITORED: Final = (*CONTRACT, "pod", "treatment_function", "currency")
"""What a plan against actual may be told by. A blank is what the plan leaves blank: all of it."""

FIGURES: Final = (
    "lines",
    "plan_units",
    "actual_units",
    "variance_units",
    "plan_pence",
    "actual_pence",
    "variance_pence",
    "plan_year_pence",
    "forecast_pence",
    "forecast_variance_pence",
    "unplanned_pence",
)
"""The figures of a plan against actual."""


def plan_against_actual(
    cells: pl.DataFrame,
    plan: pl.DataFrame,
    by: Sequence[str] = CONTRACT,
    *,
    through_month: int | None = None,
    measure: Measure | None = None,
) -> pl.DataFrame:
    """Plan and actual to date, and the forecast for the year, `by` any of `MONITORED`: the keys and `FIGURES`.

    `through_month`: the last month that is complete (1 = April), the last with activity in each year unless given; later
    activity is left out. Plan rows of a whole year are phased first (`phase_plan`). Activity that no row covers is met with a
    plan of nothing and told apart as `unplanned_pence`. The forecast carries what was done to date on as the plan is phased, or
    by days where nothing was planned to date. `plan_units` and `variance_units` are blank where some plan row gives no units.
    UsageError for an unknown `by`."""
    keys = check_monitored(by)
    last = _last_months(cells, through_month)
    within = cells.join(last, on="financial_year").filter(pl.col("month") <= pl.col("last_month")).drop("last_month")
    phased = phase_plan(plan.join(last, on="financial_year", how="semi"), measure)
    covered = cover(within, phased)
    met = pl.concat([_met(covered.planned), _met_with_nothing(covered.unplanned)]).join(last, on="financial_year")
    yearly = _sums(met, list(dict.fromkeys([*keys, "financial_year", "last_month"])))
    forecasts = [_forecast(row) for row in yearly.iter_rows(named=True)]
    forecast = yearly.with_columns(pl.Series("forecast_pence", forecasts, pl.Int64))
    every = pl.col("plan_units").sum(), pl.col("plan_units").has_nulls().alias("unplanned_units")
    others = pl.col(*(name for name in _SUMMED if name != "plan_units"), "forecast_pence").sum()
    told = forecast.group_by(keys).agg(*every, others) if keys else forecast.select(*every, others)
    return _with_variances(told).select(*keys, *FIGURES).sort(keys or ["lines"], nulls_last=True)


def forecast_outturn(actual_pence: int, plan_to_date_pence: int, plan_year_pence: int, days: int, year: str) -> int:
    """What the year comes to if the rest of it goes as it went to date: actual × plan of the year / plan to date, and by days
    of the year where the plan to date is nothing. Half-up once."""
    if plan_to_date_pence > 0:
        return half_up(actual_pence * plan_year_pence, plan_to_date_pence)
    return half_up(actual_pence * sum(month_weights(year, "calendar_days")), days)


_SUMMED: Final = ("lines", "plan_units", "actual_units", "plan_pence", "actual_pence", "plan_year_pence", "unplanned_pence")
_NOTHING: Final = pl.lit(0, pl.Int64)


def check_monitored(by: Sequence[str]) -> list[str]:
    """`by` as a list, each once. UsageError where one is not among `MONITORED`."""
    for name in by:
        if name not in MONITORED:
            nearest = did_you_mean(name, MONITORED)
            told = f"a plan cannot be told by '{name}': {nearest} known: {', '.join(MONITORED)}"
            raise UsageError(told.replace("  ", " "))
    return list(dict.fromkeys(by))


def _last_months(cells: pl.DataFrame, through_month: int | None) -> pl.DataFrame:
    """Each year with activity, and its last month to look at."""
    last = pl.col("month").max() if through_month is None else pl.lit(through_month, pl.Int8)
    return cells.group_by("financial_year").agg(last.alias("last_month")).sort("financial_year")


def _met(planned: pl.DataFrame) -> pl.DataFrame:
    """Plan rows of a month with the activity they cover."""
    names = ("units", "plan_pence", "lines", "actual_units", "value_pence")
    return planned.select(*MONITORED, pl.col("month").cast(pl.Int8), *names, _NOTHING.alias("unplanned_pence"))


def _met_with_nothing(unplanned: pl.DataFrame) -> pl.DataFrame:
    """Activity that no plan row covers, in the same columns."""
    actual = pl.col("units").alias("actual_units"), pl.col("price_pence").alias("value_pence")
    nothing = _NOTHING.alias("units"), _NOTHING.alias("plan_pence")
    value = pl.col("price_pence").alias("unplanned_pence")
    return unplanned.select(*MONITORED, "month", *nothing, "lines", *actual, value)


def _sums(met: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    to_date = pl.col("month") <= pl.col("last_month")
    units = pl.col("units").filter(to_date)
    return met.group_by(keys).agg(
        pl.col("lines").sum(),
        pl.when(~units.has_nulls()).then(units.sum()).alias("plan_units"),
        pl.col("actual_units").sum(),
        pl.col("plan_pence").filter(to_date).sum().alias("plan_pence"),
        pl.col("value_pence").sum().alias("actual_pence"),
        pl.col("plan_pence").sum().alias("plan_year_pence"),
        pl.col("unplanned_pence").sum(),
    )


def _forecast(row: dict[str, object]) -> int:
    year, last = str(row["financial_year"]), int(str(row["last_month"]))
    actual, to_date, whole = (int(str(row[name])) for name in ("actual_pence", "plan_pence", "plan_year_pence"))
    return forecast_outturn(actual, to_date, whole, sum(month_weights(year, "calendar_days")[:last]), year)


def _with_variances(told: pl.DataFrame) -> pl.DataFrame:
    planned = pl.when(~pl.col("unplanned_units")).then(pl.col("plan_units")).alias("plan_units")
    return told.with_columns(planned).with_columns(
        (pl.col("actual_units") - pl.col("plan_units")).alias("variance_units"),
        (pl.col("actual_pence") - pl.col("plan_pence")).alias("variance_pence"),
        (pl.col("forecast_pence") - pl.col("plan_year_pence")).alias("forecast_variance_pence"),
    )
