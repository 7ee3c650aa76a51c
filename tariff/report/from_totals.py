"""A comparison from totals (`tariff price --aggregate`) in place of lines: their cells are all that most contract terms look
at. What looks at single lines (pathways, readmissions, referrals, best practice told apart) is refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from tariff.columns import COMPONENTS
from tariff.errors import Fault, RulesError, UsageError
from tariff.payment import CELL, NOT_GIVEN, Model
from tariff.payment.marginal_rate import AS_PACKS, MarginalRate
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


def require_enough(
    totals: pl.DataFrame,
    models: Sequence[Model],
    by: Sequence[str],
    plan: pl.DataFrame | None,
    cards: Sequence[Mapping[str, Any]] = (),
) -> None:
    """UsageError or RulesError where a comparison needs what these totals do not tell: every such need by name. `cards` are the
    run cards of the totals."""
    lacking = [name for name in _NOT_ALWAYS if name not in totals.columns]
    asked = [
        Fault("--by", f"the totals do not tell {name}", f"price with --aggregate-by {name}") for name in by if name in lacking
    ]
    if asked:
        raise UsageError("The totals are too coarse for that comparison.", asked)
    cells = cells_of_totals(totals, practice="gp_practice" in totals.columns)
    faults = [
        Fault(f"model '{model.name}'", what, remedy) for model in models for what, remedy in _needs(model, cells, lacking, cards)
    ]
    if plan is not None and "treatment_function" in lacking and plan["treatment_function"].null_count() < plan.height:
        faults.append(Fault("the plan", "has rows by treatment_function", "price with --aggregate-by treatment_function"))
    if faults:
        raise RulesError("Totals are not enough to settle this.", faults)


def _needs(
    model: Model, cells: pl.DataFrame, lacking: Sequence[str], cards: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """What a model needs beyond these cells, which do not tell what is `lacking`, and what to do."""
    if model.pathways:
        yield "pays pathways, which are formed of lines", _REMEDY
    for term in model.terms:
        columns = frozenset[str]().union(*(scope.columns for scope in term.scopes))
        for name in sorted(columns & set(lacking)):
            yield f"governs some of {name} only", f"price with --aggregate-by {name}"
        for name in sorted((term.goes_by - columns) & set(lacking)):
            yield f"goes by {name} ({term.kind})", f"price with --aggregate-by {name}"
        match term:
            case Readmissions(file=None, absent="refuse"):
                yield "looks for readmissions among the lines", f"{_REMEDY}, or give its file"
            case ReferralCap():
                yield "looks at who referred the patient of each line", _REMEDY
            case MarginalRate() if model.pays_best_practice and _may_leave_out(term, cells.filter(term.scope.covers()), cards):
                yield "leaves best practice outside the marginal rate, tariff by tariff", _REMEDY
            case _:
                pass


def _may_leave_out(rate: MarginalRate, cells: pl.DataFrame, cards: Sequence[Mapping[str, Any]]) -> bool:
    """Whether some of the lines behind these cells may hold best practice that lies outside the rate. Sums of 0 do not tell, as
    what one line gains another may lose; that no tariff outside can be met does. Totals are made without evidence."""
    if not rate.best_practice_outside or not cells.height:
        return False
    if (cells["best_practice_pence"] != 0).any():
        return True
    tariffs = [tariff for card in cards for pack in card.get("packs", ()) for tariff in pack.get("best_practice", ())]
    if rate.best_practice_outside == AS_PACKS:
        return any(tariff["outside_marginal_rate"] and _needs_no_evidence(tariff) for tariff in tariffs)
    return not cards or any(tariff["tariff"] in rate.best_practice_outside and _needs_no_evidence(tariff) for tariff in tariffs)


def _needs_no_evidence(tariff: Mapping[str, Any]) -> bool:
    """Whether the line itself shows a tariff to be met: it has no criteria, and is neither of a provider nor of a patient."""
    return not tariff["criteria"] and tariff["mechanism"] not in {"provider_gate", "year_of_care"}
