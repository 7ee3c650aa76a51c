"""What `tariff plan` says: the plan that was made of priced lines, and plan against actual with where the year will end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from tariff.errors import ActivityError, Fault, UsageError
from tariff.money import BASIS_POINTS, half_up, pounds
from tariff.payment import gather_cells, phase_plan, plan_against_actual, plan_from_priced, read_plan
from tariff.payment.figures import percentage as share
from tariff.payment.monitoring import check_monitored
from tariff.payment.working_days import Measure
from tariff.priced_lines import Priced, scan_lines
from tariff.reasons import PRICED
from tariff.report.suppression import CONFIDENTIAL, Key, hide_small
from tariff.report.table import Cell, Table
from tariff.report.terminal import table_text
from tariff.report.text_files import write_csv
from tariff.report.words import DIMENSION_NAMES, MONTH_NAMES, listed, percentage, signed, value_name

Phasing = Literal["calendar-days", "working-days", "usual"]
"""How a plan is phased; usual: elective points of delivery by working days, the rest by calendar days."""

MEASURES: Final[Mapping[Phasing, Measure | None]] = {
    "calendar-days": "calendar_days",
    "working-days": "working_days",
    "usual": None,
}
MOST_ROWS: Final = 60
"""Rows of a plan against actual that are printed; a file holds all."""
ALL: Final = "all"
"""A key that the plan leaves blank."""


@dataclass(frozen=True)
class MadePlan:
    """A plan and what it was made of: the priced lines by year (`lines`, `pence`, `months` of 12), those not priced, the
    uplift, and the growth by commissioner."""

    plan: pl.DataFrame
    by: tuple[str, ...]
    years: pl.DataFrame
    not_priced: int
    uplift_bp: int
    growth: Mapping[str, Fraction] = field(default_factory=dict)
    phased: bool = False

    def __str__(self) -> str:
        return "\n".join(self._told())

    @property
    def part_years(self) -> list[str]:
        """The years of which the lines hold some months only, in words."""
        rows = self.years.filter(pl.col("months") < 12).iter_rows(named=True)
        return [f"{row['financial_year']} ({row['months']} of 12 months)" for row in rows]

    def _told(self) -> Iterator[str]:
        for row in self.years.iter_rows(named=True):
            yield f"{row['lines']:>14,}  lines priced in {row['financial_year']}"
        if self.not_priced:
            yield f"{self.not_priced:>14,}  lines not priced, which the plan leaves out"
        told = listed([DIMENSION_NAMES[name].lower() for name in ("commissioner", *self.by)])
        months = " and month" if self.phased else ""
        years = listed(self.plan["financial_year"].unique().sort().to_list())
        yield f"{self.plan.height:>14,}  plan rows for {years}, by {told}{months}"
        yield ""
        yield f"{pounds(int(self.years['pence'].sum())):>22}  priced"
        if self.uplift_bp:
            yield f"{signed(share(self.uplift_bp)):>22}  change of prices"
        if self.growth:
            yield f"{self._growth():>22}  growth of activity with the population"
        yield f"{pounds(int(self.plan['pence'].sum())):>22}  planned"

    def _growth(self) -> str:
        changes = sorted(half_up((factor - 1).numerator * BASIS_POINTS, factor.denominator) for factor in self.growth.values())
        least, most = (signed(share(change)) for change in (changes[0], changes[-1]))
        return least if least == most else f"{least} to {most}"


def make_plan(
    priced: Priced,
    *,
    by: Sequence[str] = ("provider", "pod"),
    uplift_bp: int = 0,
    growth: Mapping[str, Fraction] | None = None,
    phase: Phasing | None = None,
    years_on: int = 1,
) -> MadePlan:
    """A plan for the year after the priced lines': see `plan_from_priced`, `population_growth` and `phase_plan`.

    Raises ActivityError where no line is priced, UsageError for an unknown `by`."""
    lines = scan_lines(priced)
    is_priced = pl.col("outcome").cast(pl.String) == PRICED
    sums = pl.len().cast(pl.Int64).alias("lines"), pl.col("price_pence").sum().alias("pence"), pl.col("month").n_unique()
    years = lines.filter(is_priced).group_by("financial_year").agg(*sums).rename({"month": "months"}).sort("financial_year")
    found, not_priced = years.collect(), lines.filter(~is_priced).select(pl.len()).collect()
    if not found.height:
        raise ActivityError("No plan can be made.", [Fault("priced lines", "no line is priced", "price some activity")])
    plan = plan_from_priced(lines, by=by, uplift_bp=uplift_bp, growth=growth, years_on=years_on)
    if phase is not None:
        plan = phase_plan(plan, MEASURES[phase])
    return MadePlan(plan, tuple(by), found, not_priced.item(), uplift_bp, growth or {}, phase is not None)


@dataclass(frozen=True)
class PlanAgainstActual:
    """Plan against actual, `by` some keys, to date and at the end of the year: `payment.plan_against_actual`. `suppress` governs
    what people read."""

    figures: pl.DataFrame
    by: tuple[str, ...]
    through: tuple[str, ...]
    suppress: bool = True

    def __str__(self) -> str:
        return table_text(self.table)

    @cached_property
    def hidden(self) -> pl.Series:
        """For each row, whether its figures are hidden."""
        keys: list[Key] = list(self.figures.select(self.by).iter_rows())
        counts = dict(zip(keys, self.figures["lines"], strict=True))
        cells = hide_small(counts).cells if self.suppress else frozenset()
        return pl.Series([key in cells for key in keys], dtype=pl.Boolean)

    @property
    def table(self) -> Table:
        """The table that is printed."""
        rows = [
            _row(_names(self.by, row), row, hide=hide)
            for row, hide in zip(self.figures.iter_rows(named=True), self.hidden, strict=True)
        ]
        more = len(rows) - MOST_ROWS
        rest = f"; {more:,} more rows: give --out" if more > 0 else ""
        return Table(
            name="plan-against-actual",
            finding=f"{self.finding}{rest}",
            caption="",
            columns=(*(DIMENSION_NAMES[name] for name in self.by), *_HEADING),
            rows=tuple(rows[:MOST_ROWS]),
            total=_row(["Total", *[""] * (len(self.by) - 1)], self._total, hide=False),
        )

    @property
    def finding(self) -> str:
        """The variance to date and at the end of the year, in words."""
        total = self._total
        to_date, year = (
            f"{signed(pounds(total[variance], whole=True))} ({signed(percentage(total[variance], total[plan]))})"
            for variance, plan in (("variance_pence", "plan_pence"), ("forecast_variance_pence", "plan_year_pence"))
        )
        unplanned = f"; {_money(total['unplanned_pence'])} is in no row of the plan" if total["unplanned_pence"] else ""
        return f"Against plan to {listed(self.through)}: {to_date}; forecast for the year: {year}{unplanned}"

    @property
    def _total(self) -> dict[str, Any]:
        sums = self.figures.select(
            pl.when(~pl.col(name).has_nulls()).then(pl.col(name).sum()).alias(name)
            for name in self.figures.columns[len(self.by) :]
        )
        return sums.row(0, named=True)

    def write(self, path: Path) -> None:
        """Write a CSV for a spreadsheet, money in pounds; small numbers hidden where `suppress`."""
        counts = ("lines", "plan_units", "actual_units", "variance_units")
        write_csv(self.figures, path, hidden=self.hidden, counts=counts)


def monitor(
    priced: Priced,
    plan: str | Path,
    *,
    by: Sequence[str] = ("commissioner", "provider"),
    through_month: int | None = None,
    phase: Phasing = "usual",
    suppress: bool = True,
) -> PlanAgainstActual:
    """Priced lines against a plan file: see `payment.plan_against_actual`.

    Raises RulesError (the plan), UsageError (`by`, or a plan that is for other years), ActivityError (priced lines)."""
    keys = check_monitored(by)
    agreed = read_plan(plan)
    cells = gather_cells(scan_lines(priced))
    years, planned = (frame["financial_year"].unique().sort().to_list() for frame in (cells, agreed))
    if not set(years) & set(planned):
        told = f"The plan is for {listed(planned) or 'no year'}, and the priced lines are of {listed(years) or 'no year'}."
        raise UsageError(told, [Fault(str(plan), "has no row of those years", "give the plan of the year")])
    figures = plan_against_actual(cells, agreed, keys, through_month=through_month, measure=MEASURES[phase])
    lasts = cells.group_by("financial_year").agg(pl.col("month").max()).sort("financial_year").iter_rows()
    through = tuple(f"{MONTH_NAMES[(through_month or last) - 1]} of {year}" for year, last in lasts)
    return PlanAgainstActual(figures, tuple(keys), through, suppress)


_HEADING: Final = (
    "Plan",
    "Actual",
    "Plan, £",
    "Actual, £",
    "Variance, £",
    "%",
    "Year's plan, £",
    "Forecast, £",
    "Forecast variance, £",
)


def _names(by: Sequence[str], row: Mapping[str, Any]) -> list[str]:
    return [ALL if row[name] is None else value_name(name, row[name]) for name in by]


def _row(names: Sequence[str], row: Mapping[str, Any], *, hide: bool) -> tuple[Cell, ...]:
    units = [_units(row[name]) for name in ("plan_units", "actual_units")]
    plan, actual, variance, year, forecast, beyond = (_money(row[name]) for name in _MONEY)
    change = signed(percentage(row["variance_pence"], row["plan_pence"]))
    told = [*units, plan, actual, signed(variance), change, year, forecast, signed(beyond)]
    return (*(Cell(name, number=False) for name in names), *(Cell(CONFIDENTIAL if hide else text) for text in told))


_MONEY: Final = (
    "plan_pence",
    "actual_pence",
    "variance_pence",
    "plan_year_pence",
    "forecast_pence",
    "forecast_variance_pence",
)


def _units(units: int | None) -> str:
    return "–" if units is None else f"{units:,}"


def _money(pence: int) -> str:
    return pounds(pence, whole=True)
