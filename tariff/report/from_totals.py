"""A comparison from totals (`tariff price --aggregate`) in place of lines: their cells are all that most contract terms look
at. What looks at single lines (pathways, readmissions, referrals, best practice told apart) is refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from tariff.columns import COMPONENTS
from tariff.errors import Fault, RulesError, UsageError
from tariff.payment import CELL, NOT_GIVEN, Model
from tariff.payment.marginal_rate import MarginalRate
from tariff.payment.readmissions import Readmissions
from tariff.payment.referral_cap import ReferralCap
from tariff.reasons import OUTCOMES, PRICED, REASON_NUMBER

_NOT_ALWAYS: Final = ("treatment_function", "gp_practice")
_REMEDY: Final = "price the lines, without --aggregate"


def cells_of_totals(totals: pl.DataFrame, *, practice: bool) -> pl.DataFrame:
    """The cells of totals, as `payment.gather_cells` gives those of lines."""
    told = set(totals.columns) - {"month", *(() if practice else ("gp_practice",))}
    named = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in CELL if name in told]
    blank = [pl.lit(None, pl.String).alias(name) for name in _NOT_ALWAYS if name not in told]
    cells = totals.filter(pl.col("outcome") == PRICED).with_columns(named).with_columns(blank)
    sums = ("lines", "units", *COMPONENTS, "price_pence", "best_practice_pence")
    return cells.group_by(CELL).agg(pl.col(sums).sum()).select(*CELL, *sums)


def outcomes_of_totals(totals: pl.DataFrame) -> pl.DataFrame:
    """Lines by outcome and reason, as `outcomes.count_outcomes` gives them."""
    sums = totals.group_by("outcome", "reason").agg(
        pl.col("lines", "price_pence", "indicative_pence").sum(), pl.col("lines_valued").sum().alias("valued")
    )
    order = pl.col("outcome").replace_strict({outcome: number for number, outcome in enumerate(OUTCOMES)}, return_dtype=pl.Int32)
    return sums.sort(order, pl.col("reason").replace_strict(REASON_NUMBER, return_dtype=pl.Int32))


def packs_of_totals(totals: pl.DataFrame) -> pl.DataFrame:
    """Priced lines by rule pack."""
    priced = totals.filter(pl.col("outcome") == PRICED)
    return priced.group_by("pack").agg(pl.col("lines", "price_pence").sum()).sort("pack")


def coverage_of_totals(totals: pl.DataFrame) -> dict[str, Any]:
    """Who and when the totals are about; months are all that they tell of dates."""
    priced = totals.filter(pl.col("outcome") == PRICED)
    months = sorted(priced.select("financial_year", "month").drop_nulls().unique().rows())
    return {
        "commissioners": priced["commissioner"].unique().sort().to_list(),
        "providers": priced["provider"].n_unique(),
        "kinds": priced["kind"].unique().sort().to_list(),
        "first_date": _first_day(*months[0]).isoformat() if months else None,
        "last_date": _last_day(*months[-1]).isoformat() if months else None,
    }


def _first_day(year: str, month: int) -> date:
    """The first day of a month of a financial year; 1 = April."""
    return date(int(year[:4]) + (month > 9), (month + 2) % 12 + 1, 1)


def _last_day(year: str, month: int) -> date:
    following = _first_day(year, month + 1) if month < 12 else date(int(year[:4]) + 1, 4, 1)
    return date.fromordinal(following.toordinal() - 1)


def require_enough(totals: pl.DataFrame, models: Sequence[Model], by: Sequence[str], plan: pl.DataFrame | None) -> None:
    """UsageError or RulesError where a comparison needs what these totals do not tell: every such need by name."""
    lacking = [name for name in _NOT_ALWAYS if name not in totals.columns]
    asked = [
        Fault("--by", f"the totals do not tell {name}", f"price with --aggregate-by {name}") for name in by if name in lacking
    ]
    if asked:
        raise UsageError("The totals are too coarse for that comparison.", asked)
    cells = cells_of_totals(totals, practice="gp_practice" in totals.columns)
    faults = [Fault(f"model '{model.name}'", what, remedy) for model in models for what, remedy in _needs(model, cells, lacking)]
    if plan is not None and "treatment_function" in lacking and plan["treatment_function"].null_count() < plan.height:
        faults.append(Fault("the plan", "has rows by treatment_function", "price with --aggregate-by treatment_function"))
    if faults:
        raise RulesError("Totals are not enough to settle this.", faults)


def _needs(model: Model, cells: pl.DataFrame, lacking: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What a model needs beyond these cells, which do not tell what is `lacking`, and what to do."""
    if model.pathways:
        yield "pays pathways, which are formed of lines", _REMEDY
    for term in model.terms:
        columns = frozenset[str]().union(*(scope.columns for scope in term.scopes))
        for name in sorted(columns & set(lacking)):
            yield f"governs some of {name} only", f"price with --aggregate-by {name}"
        match term:
            case Readmissions(file=None, absent="refuse"):
                yield "looks for readmissions among the lines", f"{_REMEDY}, or give its file"
            case ReferralCap():
                yield "looks at who referred the patient of each line", _REMEDY
            case MarginalRate() if term.best_practice_outside and _is_best_practice_in(cells.filter(term.scope.covers())):
                yield "leaves best practice outside the marginal rate, tariff by tariff", _REMEDY
            case _:
                pass


def _is_best_practice_in(cells: pl.DataFrame) -> bool:
    return bool((cells["best_practice_pence"] != 0).any())
