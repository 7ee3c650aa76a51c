"""Settling: from cells of priced lines to what each model makes each commissioner pay, as ledger lines. Activity is never
re-priced. Per-line payment is made once and shared by the models that use it; terms add their own few lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from tariff.columns import LEDGER, names
from tariff.errors import Fault, RulesError
from tariff.money import pounds
from tariff.payment.cells import CELL, component_lines
from tariff.payment.coverage import Coverage, cover, unplanned_faults
from tariff.payment.models import Model
from tariff.payment.term import Cause, PlanTerm

COMPONENT_CAUSES: Final = (
    Cause("base", "Base price", "The national price of the setting, or the agreed local price."),
    Cause("short_stay", "Short-stay reduction", "The reduced price of short emergency stays."),
    Cause("long_stay", "Long-stay payment", "Days beyond the trim point."),
    Cause("top_up", "Specialised top-up", "The percentage added for specialised services."),
    Cause("market_forces", "Market forces factor", "The provider's factor for unavoidable differences in cost."),
)
"""The ledger lines of the price itself."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What one model makes commissioners pay. `per_line` is shared between models that pay lines alike; both frames hold
    `CELL`, `line`, `lines` (priced lines behind), `units` and `pence`. `notes` say what a reader should know; `outside_plan` are
    the lines that no plan row covers, paid at tariff: how many, and their pence."""

    model: Model
    per_line: pl.DataFrame
    terms: pl.DataFrame
    notes: tuple[str, ...] = ()
    outside_plan: tuple[int, int] = (0, 0)

    def frame(self) -> pl.LazyFrame:
        """The ledger as `columns.LEDGER`."""
        both = pl.concat([self.per_line.lazy(), self.terms.lazy()])
        return both.with_columns(pl.lit(self.model.name).alias("model")).select(names(LEDGER))

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Every line it may hold, in the order in which a bridge tells them."""
        return (*COMPONENT_CAUSES, *self.model.causes)


def settle(cells: pl.DataFrame, models: Iterable[Model], plan: pl.DataFrame | None = None) -> tuple[Ledger, ...]:
    """A ledger per model, in the order of `models`, from cells (`gather_cells`) and a plan (`read_plan`).

    RulesError where a model needs a plan and there is none, or where the plan does not cover the activity of a commissioner
    and provider and the term does not say that such activity is paid at tariff: all of them are told."""
    chosen = tuple(models)
    _require_plan(chosen, plan)
    per_line = component_lines(cells)
    coverage, notes = _covered(cells, plan) if plan is not None else (None, ())
    faults = [fault for model in chosen for fault in _faults(model, coverage)]
    if faults:
        raise RulesError("the plan does not cover all the activity", faults)
    return tuple(_ledger(model, per_line, coverage, notes) for model in chosen)


def _require_plan(models: tuple[Model, ...], plan: pl.DataFrame | None) -> None:
    needing = [model.name for model in models if model.needs_plan]
    if needing and plan is None:
        told = "its contract terms pay against a plan, and none is given"
        raise RulesError("a plan is needed", [Fault(f"model '{name}'", told, "give one with --plan FILE") for name in needing])


def _covered(cells: pl.DataFrame, plan: pl.DataFrame) -> tuple[Coverage, tuple[str, ...]]:
    """The plan laid over the cells. Plan rows of years in which nothing was priced are left out, and said so."""
    years = cells["financial_year"].unique()
    relevant = plan.filter(pl.col("financial_year").is_in(years.implode()))
    notes = []
    if relevant.height < plan.height:
        left_out = plan.filter(~pl.col("financial_year").is_in(years.implode()))
        worth = pounds(int(left_out["pence"].sum()), whole=True)
        notes.append(f"Plan rows worth {worth} are for years with no priced activity and are left out.")
    notes += _part_years(cells, relevant)
    return cover(cells, relevant), tuple(notes)


def _part_years(cells: pl.DataFrame, plan: pl.DataFrame) -> list[str]:
    """A warning for each year in which whole-year plan rows meet activity of fewer months."""
    whole = plan.filter(pl.col("month").is_null())["financial_year"].unique().sort().to_list()
    months = dict(cells.group_by("financial_year").agg(pl.col("month").n_unique()).iter_rows())
    return [
        f"The activity of {year} covers {months[year]} of 12 months, but the plan is for the whole year and is compared in full."
        for year in whole
        if months[year] < 12
    ]


def _faults(model: Model, coverage: Coverage | None) -> list[Fault]:
    if coverage is None or not coverage.unplanned.height:
        return []
    refusing = [term for term in model.terms if isinstance(term, PlanTerm) and term.unplanned == "refuse"]
    return unplanned_faults(coverage.unplanned, model.name) if refusing else []


def _ledger(model: Model, per_line: pl.DataFrame, coverage: Coverage | None, notes: tuple[str, ...]) -> Ledger:
    empty = per_line.clear()
    if coverage is None or not model.needs_plan:
        return Ledger(model, per_line, empty)
    lines = [_term_lines(term, coverage, empty) for term in model.terms if isinstance(term, PlanTerm)]
    return Ledger(model, per_line, pl.concat([empty, *lines]), notes, _outside(coverage))


def _term_lines(term: PlanTerm, coverage: Coverage, empty: pl.DataFrame) -> pl.DataFrame:
    """The ledger lines of one term, at the level of the plan row that caused them, and no finer."""
    added = term.adjustments(coverage.planned).filter(pl.col("pence") != 0)
    counts = [pl.lit(0, pl.Int64).alias(name) for name in ("lines", "units")]
    shaped = added.with_columns(pl.lit(None, pl.String).alias("gp_practice"), *counts)
    ordered = shaped.select(pl.col(name).cast(dtype) for name, dtype in empty.schema.items())
    return ordered.sort([*CELL, "line"], nulls_last=True)


def _outside(coverage: Coverage) -> tuple[int, int]:
    lines, pence = coverage.unplanned.select(pl.col("lines", "price_pence").sum()).row(0)
    return lines, pence
