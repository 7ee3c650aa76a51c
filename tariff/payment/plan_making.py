"""Making a plan: from last year's priced lines, uplifted for prices, grown with the population, and phased over the months. Money
and units are rounded half-up once; the months of a phased row add to the row exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import polars as pl

from tariff.columns import PLAN, schema
from tariff.errors import ActivityError, Fault, RulesError, UsageError
from tariff.money import BASIS_POINTS, half_up, pounds
from tariff.payment.cells import NOT_GIVEN
from tariff.payment.figures import COUNT, FACTOR, FACTOR_SCALE, TEXT, TEXT_OR_ALL, TermFile, read_figures
from tariff.payment.plan import BLANKABLE, check_plan, first_faults
from tariff.payment.scope import ELECTIVE_PODS
from tariff.payment.working_days import Measure, month_weights
from tariff.reasons import PRICED

FINEST: Final = ("provider", "pod", "treatment_function", "currency")
"""What a plan may tell apart beside commissioner, year and month."""


def plan_from_priced(
    priced: pl.LazyFrame,
    *,
    by: Sequence[str] = ("provider", "pod"),
    uplift_bp: int = 0,
    growth: Mapping[str, Fraction] | None = None,
    years_on: int = 1,
) -> pl.DataFrame:
    """Next year's plan, as `columns.PLAN`, from this year's priced lines.

    `by`: what a row tells apart beside the commissioner (`FINEST`). `uplift_bp`: change of prices in basis points. `growth`: by
    commissioner, the factor by which activity grows (`population_growth`); one without a factor stays as it is. `years_on`:
    which year it is for. Lines that are not priced are left out. UsageError for an unknown `by`; ActivityError where a row would
    be less than nothing, as agreed prices below zero make it: a plan is of what activity pays, and could not be read again."""
    unknown = [name for name in by if name not in FINEST]
    if unknown:
        raise UsageError(f"a plan cannot be made by '{unknown[0]}': known: {', '.join(FINEST)}")
    if uplift_bp < -BASIS_POINTS:
        raise UsageError("Prices cannot fall by more than 100%: a plan holds no sums below zero.")
    keys = ["commissioner", *by, "financial_year"]
    paid = priced.filter(pl.col("outcome").cast(pl.String) == PRICED)
    texts = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in keys]
    sums = (
        paid.with_columns(texts)
        .group_by(keys)
        .agg(pl.col("units").sum(), pl.col("price_pence").sum().alias("pence"))
        .sort(keys)
        .collect()
    )
    price = Fraction(BASIS_POINTS + uplift_bp, BASIS_POINTS)
    factors = [(growth or {}).get(who, Fraction(1)) for who in sums["commissioner"]]
    units = [_times(units, factor) for units, factor in zip(sums["units"], factors, strict=True)]
    money = [_times(amount, factor * price) for amount, factor in zip(sums["pence"], factors, strict=True)]
    _require_not_negative(sums)
    return check_plan(
        sums.with_columns(
            pl.Series("units", units, pl.Int64),
            pl.Series("pence", money, pl.Int64),
            pl.Series("financial_year", [_later(year, years_on) for year in sums["financial_year"]], pl.String),
        )
    )


def _require_not_negative(sums: pl.DataFrame) -> None:
    """The prices of a row's lines come to nothing or more."""
    keys = [name for name in sums.columns if name not in {"units", "pence"}]
    faults = [
        Fault(", ".join(f"{name} {row[name]}" for name in keys), f"the prices of its lines come to {pounds(row['pence'])}")
        for row in sums.filter(pl.col("pence") < 0).iter_rows(named=True)
    ]
    if faults:
        remedy = "make the plan coarser (--by), or leave lines with prices below zero out of what it is made from"
        raise ActivityError("No plan can be made: it would hold sums below zero.", [*first_faults(faults), Fault("", "", remedy)])


def population_growth(before: str | Path, after: str | Path, weights: str | Path | None = None) -> dict[str, Fraction]:
    """By commissioner, how far the weighted population grows from one file to another (commissioner, registered and, where they
    have them, gp_practice and age_band; `weights`: age_band, weight – what a head of that age uses).

    RulesError where a file cannot be used, an age band has no weight, or a commissioner has nobody to grow from."""
    weighing = None if weights is None else dict(read_figures(TermFile(Path(weights)), _WEIGHTS, ("age_band",)).iter_rows())
    earlier, later = (_heads(Path(path), weighing) for path in (before, after))
    empty = [who for who, heads in earlier.items() if not heads]
    missing = sorted(set(earlier) ^ set(later))
    faults = [Fault(str(before), f"commissioner {who} has nobody") for who in empty]
    faults += [Fault(f"{before}, {after}", f"commissioner {who} is in one and not in the other") for who in missing]
    if faults:
        raise RulesError("growth cannot be told from these populations", faults)
    return {who: Fraction(later[who], heads) for who, heads in earlier.items()}


def phase_plan(plan: pl.DataFrame, measure: Measure | None = None) -> pl.DataFrame:
    """The plan by month: rows of a whole year are shared out, and rows of a month stay.

    `measure`: calendar or working days of England; unless given, elective points of delivery go by working days and the rest by
    calendar days. The months of a row add to it exactly, in money and units."""
    whole, dated = plan.filter(pl.col("month").is_null()), plan.filter(pl.col("month").is_not_null())
    rows = []
    for row in whole.iter_rows(named=True):
        weights = month_weights(row["financial_year"], measure or _usual_measure(row["pod"]))
        money = shared_out(row["pence"], weights)
        units = [None] * 12 if row["units"] is None else shared_out(row["units"], weights)
        rows += [{**row, "month": month, "units": units[month - 1], "pence": money[month - 1]} for month in range(1, 13)]
    phased = pl.DataFrame(rows, schema=schema(PLAN))
    return pl.concat([dated, phased]).sort("commissioner", "financial_year", *BLANKABLE, nulls_last=True)


def shared_out(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` in whole parts as `weights` go, adding to it exactly: each part is the half-up cumulative share less the one
    before."""
    total, reached, before = sum(weights), 0, 0
    parts = []
    for weight in weights:
        reached += weight
        so_far = half_up(amount * reached, total)
        parts.append(so_far - before)
        before = so_far
    return parts


def write_plan(plan: pl.DataFrame, path: Path) -> None:
    """The plan as CSV that people edit, money in pounds (column `pounds`), readable by `read_plan`."""
    money = [f"{'-' if pence < 0 else ''}{abs(pence) // 100}.{abs(pence) % 100:02}" for pence in plan["pence"]]
    plan.with_columns(pl.Series("pounds", money, pl.String)).drop("pence").write_csv(path)


def _times(amount: int, factor: Fraction) -> int:
    return half_up(amount * factor.numerator, factor.denominator)


def _later(financial_year: str, years: int) -> str:
    first = int(financial_year[:4]) + years
    return f"{first}-{(first + 1) % 100:02}"


def _usual_measure(pod: str | None) -> Measure:
    return "working_days" if pod in ELECTIVE_PODS else "calendar_days"


def _heads(path: Path, weights: Mapping[str | None, int] | None) -> dict[str, int]:
    """Weighted heads by commissioner, in ten-thousandths of a head."""
    people = read_figures(TermFile(path), _POPULATION, ("commissioner", "gp_practice", "age_band"))
    heads: dict[str, int] = {}
    unweighted = sorted(set(people["age_band"]) - set(weights), key=str) if weights is not None else []
    if unweighted:
        told = [Fault(str(path), f"age band {band or '(blank)'} has no weight", "add it to the weights") for band in unweighted]
        raise RulesError("the population cannot be weighted", told)
    for who, band, registered in people.select("commissioner", "age_band", "registered").iter_rows():
        heads[who] = heads.get(who, 0) + registered * (FACTOR_SCALE if weights is None else weights[band])
    return heads


_POPULATION: Final = {"commissioner": TEXT, "gp_practice": TEXT_OR_ALL, "age_band": TEXT_OR_ALL, "registered": COUNT}
_WEIGHTS: Final = {"age_band": TEXT, "weight": FACTOR}
