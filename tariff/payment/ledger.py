"""Settling: from cells of priced lines to what each model makes each commissioner pay, as ledger lines. Activity is never
re-priced. Per-line payment is made once and shared by the models that use it; terms add their own few lines, in order, each
seeing what those before it did. What a term does beyond what it would do alone is kept apart, for the bridge to tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import polars as pl

from tariff.columns import LEDGER, names
from tariff.errors import Fault, RulesError
from tariff.money import pounds
from tariff.payment.activity import Activity, as_lines, no_lines
from tariff.payment.beside import NOTHING, Beside
from tariff.payment.best_practice import with_earned
from tariff.payment.cells import CELL, component_lines
from tariff.payment.marginal_rate import MarginalRate
from tariff.payment.models import BEST_PRACTICE, Model
from tariff.payment.pathways import bundled_lines
from tariff.payment.readmissions import Readmissions
from tariff.payment.readmitted import with_paid
from tariff.payment.term import Cause, ContractTerm

COMPONENT_CAUSES: Final = (
    Cause("base", "Base price", "The national price of the setting, or the agreed local price."),
    Cause("short_stay", "Short-stay reduction", "The reduced price of short emergency stays."),
    Cause("long_stay", "Long-stay payment", "Days beyond the trim point."),
    Cause("top_up", "Specialised top-up", "The percentage added for specialised services."),
    Cause("market_forces", "Market forces factor", "The provider's factor for unavoidable differences in cost."),
)
"""The ledger lines of the price itself."""

INTERACTION: Final = Cause(
    "interaction",
    "Terms acting on each other",
    "A later term works on what earlier terms left: this is what it does beyond what it would do alone.",
)
"""A step of the bridge, never a line of the ledger."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What one model makes commissioners pay. `per_line` is shared between models that pay lines alike; both frames hold
    `CELL`, `line`, `lines` (priced lines behind), `units` and `pence`. `interaction` is the part of `terms` that is owed to
    terms acting on each other, by the line it is in. `notes` say what a reader should know; `outside_plan` are the lines that no
    plan row covers, paid at tariff: how many, and their pence."""

    model: Model
    per_line: pl.DataFrame
    terms: pl.DataFrame
    notes: tuple[str, ...] = ()
    outside_plan: tuple[int, int] = (0, 0)
    interaction: pl.DataFrame = field(default_factory=no_lines)

    def in_order(self, shared: dict[int, pl.DataFrame]) -> Ledger:
        """The same ledger with per-line payment in order, to be written. `shared` keeps what has been sorted already, by id."""
        if id(self.per_line) not in shared:
            shared[id(self.per_line)] = self.per_line.sort([*CELL, "line"], nulls_last=True)
        return replace(self, per_line=shared[id(self.per_line)])

    def frame(self) -> pl.LazyFrame:
        """The ledger as `columns.LEDGER`."""
        both = pl.concat([self.per_line.lazy(), self.terms.lazy()])
        return both.with_columns(pl.lit(self.model.name).alias("model")).select(names(LEDGER))

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Every step its bridge may hold, in the order in which it tells them."""
        return (*COMPONENT_CAUSES, *self.model.causes, INTERACTION)


def settle(
    cells: pl.DataFrame,
    models: Iterable[Model],
    plan: pl.DataFrame | None = None,
    beside: Beside = NOTHING,
) -> tuple[Ledger, ...]:
    """A ledger per model, in the order of `models`, from cells (`gather_cells`), a plan (`read_plan`) and what comes beside them.

    RulesError where a model or term lacks what it needs – a plan, a plan row for a commissioner and provider, a figure – and
    does not say what to do without: all of them are told."""
    chosen = tuple(models)
    known, earned = beside.readmissions, beside.best_practice
    activity = Activity(
        cells,
        plan,
        beside,
        readmitted=None if known is None else with_paid(known),
        earned=None if earned is None else with_earned(earned),
    )
    faults = _by_models([stopped for model in chosen for stopped in _stopped(model, activity)])
    if faults:
        raise RulesError(_summary(faults), faults)
    per_line = component_lines(cells)
    notes = _plan_notes(cells, plan) if plan is not None else ()
    return tuple(_ledger(model, per_line, activity, _own_lines(model, cells, beside), notes) for model in chosen)


def _own_lines(model: Model, cells: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    """What a model changes per line beside the components of price: best practice not paid, and whole pathways."""
    lines = [no_lines()]
    if not model.pays_best_practice:
        line = pl.lit(BEST_PRACTICE.line).alias("line")
        lines.append(as_lines(cells.with_columns(line, (-pl.col("best_practice_pence")).alias("pence"))))
    if model.pathways:
        lines.append(bundled_lines(beside.inside, beside.pathways, model.pathways, best_practice=model.pays_best_practice))
    return pl.concat(lines)


_NO_PATHWAYS: Final = Fault(
    "",
    "it pays pathways, and the priced lines come without them",
    "price the activity with its pathways, give those of every file with --pathways, or take 'pathways' out of the model",
)


_FIND_THEM: Final = "find readmissions when pricing, or list what is taken back as a sanction"
_LISTED_AT_LOCAL_PRICES: Final = (
    "lists readmissions that the model may pay at local prices: what there is to take back is not known"
)
_NO_LINES: Final = Fault(
    "",
    "it does not pay readmissions by their whole price, and which lines they are is not known",
    "give gather_readmissions the lines (readmitted_lines)",
)
_LISTED_OUTSIDE_THE_RATE: Final = (
    "lists readmissions, and does not say what of them is best practice outside the marginal rate: what is left to leave out is "
    "not known"
)


class _Stopped(NamedTuple):
    """A fault, the model that it stops, and where that stands in a models file (nothing where it is in none)."""

    fault: Fault
    model: str
    place: str


def _stopped(model: Model, activity: Activity) -> Iterator[_Stopped]:
    """What a model and its terms lack to settle the activity."""
    for number, term in enumerate(model.terms):
        for fault in (*term.faults(activity), *_readmission_faults(model, term, activity)):
            yield _Stopped(fault, model.name, model.place(number))
    if model.pathways and (activity.beside.inside is None or activity.beside.pathways is None):
        yield _Stopped(_NO_PATHWAYS, model.name, model.place())


def _readmission_faults(model: Model, term: ContractTerm, activity: Activity) -> Iterator[Fault]:
    """Readmissions of which nobody can tell what the model pays for them, and so what there is to take back."""
    if not isinstance(term, Readmissions):
        return
    rates = [other for other in model.terms if isinstance(other, MarginalRate) and other.leaves_out(activity)]
    known = activity.beside.readmissions
    in_part = model.pathways or not model.pays_best_practice or rates
    if term.file is None and in_part and known is not None and known["best_practice_pence"].null_count():
        yield _NO_LINES
    if model.pays_best_practice and any(term.listed_inside(rate.scope, activity) for rate in rates):
        yield Fault(str(term.file), _LISTED_OUTSIDE_THE_RATE, _FIND_THEM)
    pricing = [other for other in model.terms if other.settles == "price"]
    if any(term.listed_in(other.scope, activity) for other in pricing):
        yield Fault(str(term.file), _LISTED_AT_LOCAL_PRICES, _FIND_THEM)


def _by_models(found: Iterable[_Stopped]) -> list[Fault]:
    """Each fault once, with the models it stops and where they stand, unless it stands in a file or only says what to do."""
    stopped: dict[Fault, list[_Stopped]] = {}
    for stop in found:
        stopped.setdefault(stop.fault, []).append(stop)
    return [
        fault if fault.where or not fault.what else Fault(_where(stops), fault.what, fault.remedy)
        for fault, stops in stopped.items()
    ]


def _where(stops: list[_Stopped]) -> str:
    names = list(dict.fromkeys(f"'{stop.model}'" for stop in stops))
    places = ", ".join(dict.fromkeys(stop.place for stop in stops if stop.place))
    models = f"model {names[0]}" if len(names) == 1 else f"models {', '.join(names)}"
    return f"{places}: {models}" if places else models


def _summary(faults: list[Fault]) -> str:
    told = " ".join(fault.what for fault in faults)
    if "none is given" in told:
        return "a plan is needed"
    return (
        "the plan does not cover all the activity" if "the plan has no row" in told else "the payment models lack what they need"
    )


def _plan_notes(cells: pl.DataFrame, plan: pl.DataFrame) -> tuple[str, ...]:
    """Plan rows of years in which nothing was priced, which are left out, and years of which only some months are there."""
    in_year = pl.col("financial_year").is_in(cells["financial_year"].unique().implode())
    left_out, relevant = plan.filter(~in_year), plan.filter(in_year)
    notes = []
    if left_out.height:
        worth = pounds(int(left_out["pence"].sum()), whole=True)
        notes.append(f"Plan rows worth {worth} are for years with no priced activity and are left out.")
    return tuple(notes + _part_years(cells, relevant))


def _part_years(cells: pl.DataFrame, plan: pl.DataFrame) -> list[str]:
    """A warning for each year in which whole-year plan rows meet activity of fewer months."""
    whole = plan.filter(pl.col("month").is_null())["financial_year"].unique().sort().to_list()
    months = dict(cells.group_by("financial_year").agg(pl.col("month").n_unique()).iter_rows())
    return [
        f"The activity of {year} covers {months[year]} of 12 months, but the plan is for the whole year and is compared in full."
        for year in whole
        if months[year] < 12
    ]


def _ledger(model: Model, per_line: pl.DataFrame, activity: Activity, own: pl.DataFrame, plan_notes: tuple[str, ...]) -> Ledger:
    activity = _under(model, activity)
    seen = activity.after(own)
    together, notes = [own], list(plan_notes if model.needs_plan else ())
    beyond = [no_lines()]
    outside = [(0, 0)]
    for number, term in enumerate(model.terms):
        if faults := _by_models([_Stopped(fault, model.name, model.place(number)) for fault in term.faults_after(seen)]):
            raise RulesError(_summary(faults), faults)
        lines, interaction = _term_lines(term, seen)
        seen = seen.after(lines, term.scope).acted_on_by(term)
        together.append(lines)
        beyond.append(interaction)
        notes += [*term.notes(activity), *_governs_nothing(term, activity)]
        outside.append(term.outside(activity))
    counts = [pl.lit(0, pl.Int64).alias(name) for name in ("lines", "units")]
    terms = pl.concat(together).with_columns(counts).select(pl.col(name).cast(dtype) for name, dtype in per_line.schema.items())
    found = (sum(lines for lines, _ in outside), sum(pence for _, pence in outside))
    return Ledger(model, per_line, terms, tuple(dict.fromkeys(notes)), found, pl.concat(beyond))


def _under(model: Model, activity: Activity) -> Activity:
    """The activity with the pathways that the model pays, and with what it pays for each readmission before its terms."""
    known, earned = activity.beside.readmissions, activity.beside.best_practice
    return replace(
        activity,
        readmitted=None if known is None else with_paid(known, model.pathways, best_practice=model.pays_best_practice),
        earned=None if earned is None else with_earned(earned, model.pathways, paid=model.pays_best_practice),
    )


def _governs_nothing(term: ContractTerm, activity: Activity) -> tuple[str, ...]:
    """That a term's scope holds no line, which is most often a code mistyped."""
    if term.scope.is_everything or activity.is_any_in(term.scope):
        return ()
    return (f"The term {term.kind} governs none of the priced lines{term.scope.words}.",)


def _term_lines(term: ContractTerm, seen: Activity) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The ledger lines of one term after those before it, and how they differ from what it would do alone."""
    lines = term.ledger_lines(seen)
    if not seen.earlier.height:
        return lines, no_lines()
    alone = term.ledger_lines(seen.alone)
    apart = pl.concat([lines, alone.with_columns(-pl.col("pence"))]).group_by(*CELL, "line").agg(pl.col("pence").sum())
    return lines, as_lines(apart)
