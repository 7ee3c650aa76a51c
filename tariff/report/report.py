"""What each payment model would make commissioners pay: `compare` settles the priced lines under every model and gathers
what a report says; `Report.write` puts it on disk, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff._version import __version__
from tariff.comparison import bridge_ledgers, check_grouping, compare_ledgers
from tariff.errors import ActivityError, DisagreementError, Fault, OutputError
from tariff.money import pounds
from tariff.payment import (
    Beside,
    Ledger,
    Model,
    Models,
    check_plan,
    gather_best_practice,
    gather_cells,
    gather_inside,
    gather_readmissions,
    gather_referrals,
    load_models,
    read_plan,
    settle,
)
from tariff.reasons import PRICED
from tariff.report.outcomes import count_outcomes, count_packs
from tariff.report.page import render_page
from tariff.report.priced_lines import Priced, RunCards, find_beside, find_cards, scan_lines
from tariff.report.suppression import Hidden, Key, hide_small, is_small
from tariff.report.terminal import as_text
from tariff.report.text_files import write_csv
from tariff.report.value_beyond_lines import count_best_practice, count_pathways
from tariff.report.words import headline
from tariff.report.workbook import write_workbook
from tariff.run_card import versions
from tariff.whole_files import whole_folder

FILES: Final = (
    "report.html",
    "report.xlsx",
    "comparison.parquet",
    "comparison.csv",
    "ledger.parquet",
    "bridge.csv",
    "run_card.json",
)
"""What a report folder holds."""

_TOLD_BY: Final = ("provider", "treatment_function", "hrg_chapter", "financial_year", "month")


@dataclass(frozen=True)
class PlanFacts:
    """The plan of a report: file name and sha256 where it was a file, rows, and pence."""

    name: str
    digest: str | None
    rows: int
    pence: int


@dataclass(frozen=True)
class Report:
    """What each payment model makes commissioners pay. Frames are complete; `suppress` governs what people read."""

    models: Models
    baseline: str
    by: tuple[str, ...]
    ledgers: tuple[Ledger, ...]
    outcomes: pl.DataFrame
    packs: pl.DataFrame
    coverage: Mapping[str, Any]
    cards: tuple[Mapping[str, Any], ...] = ()
    plan: PlanFacts | None = None
    suppress: bool = True
    best_practice: pl.DataFrame = field(default_factory=pl.DataFrame)
    pathways: pl.DataFrame = field(default_factory=pl.DataFrame)
    _compared: dict[tuple[str, ...], pl.DataFrame] = field(default_factory=dict, repr=False)
    _bridged: dict[tuple[str, ...], pl.DataFrame] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return as_text(self)

    @property
    def comparison(self) -> pl.DataFrame:
        """The comparison by `by`, complete: see `comparison.compare_ledgers`."""
        return self.compare_by(self.by)

    @property
    def bridge(self) -> pl.DataFrame:
        """The bridge by `by`, complete: see `comparison.bridge_ledgers`."""
        return self.bridge_by(self.by)

    @property
    def ledger(self) -> pl.LazyFrame:
        """Every model's ledger lines, complete and in order: `columns.LEDGER`."""
        shared: dict[int, pl.DataFrame] = {}
        return pl.concat([ledger.in_order(shared).frame() for ledger in self.ledgers])

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that have a table of their own."""
        return tuple(dict.fromkeys(["commissioner", "pod", *self.by]))

    @cached_property
    def told_by(self) -> tuple[str, ...]:
        """The dimensions of the workbook: those of the page, providers, and what more there is to tell apart."""
        more = [name for name in _TOLD_BY if name == "provider" or self.compare_by((name,))[name].n_unique() > 1]
        return tuple(dict.fromkeys([*self.dimensions, *more]))

    @property
    def others(self) -> list[Model]:
        """The models beside the baseline, in order."""
        return [model for model in self.models if model.name != self.baseline]

    @property
    def baseline_title(self) -> str:
        """The title of the baseline."""
        return self.models[self.baseline].title

    @property
    def lines(self) -> int:
        """Lines read, whatever became of them."""
        return int(self.outcomes["lines"].sum())

    @property
    def priced_lines(self) -> int:
        """Lines priced."""
        return int(self.outcomes.filter(pl.col("outcome") == PRICED)["lines"].sum())

    @property
    def is_too_small(self) -> bool:
        """Whether there are so few priced lines that even their total is hidden."""
        return self.suppress and is_small(self.priced_lines)

    @cached_property
    def hidden_reasons(self) -> frozenset[str]:
        """The reasons whose counts are hidden. How many lines were priced is told beside them, so a hidden one among the
        rest needs a companion among the rest."""
        if not self.suppress:
            return frozenset()
        counts = {row["reason"]: row["lines"] for row in self.outcomes.iter_rows(named=True)}
        rest: dict[Key, int] = {(reason,): count for reason, count in counts.items() if reason != PRICED}
        priced = {PRICED} if self.is_too_small else set()
        return frozenset(priced.union(str(key[0]) for key in hide_small(rest).cells))

    @property
    def hides_line_count(self) -> bool:
        """Whether the count of all lines would give a single hidden reason away."""
        return len(self.hidden_reasons) == 1

    @property
    def totals(self) -> list[dict[str, Any]]:
        """What each model makes commissioners pay in all, in the order of the models."""
        return self.compare_by(()).to_dicts()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the comparison."""
        told = [note for ledger in self.ledgers for note in (*ledger.notes, *self._outside_plan(ledger))]
        return tuple(dict.fromkeys(told))

    def _outside_plan(self, ledger: Ledger) -> list[str]:
        lines, pence = ledger.outside_plan
        if not lines:
            return []
        if self.suppress and is_small(lines):
            return ["A few lines are outside the plan and are paid at tariff."]
        return [f"{lines:,} lines worth {pounds(pence, whole=True)} are outside the plan and are paid at tariff."]

    @property
    def assumptions(self) -> list[dict[str, Any]]:
        """Pounds by component, label and source, from the run cards; empty where there is none."""
        return [dict(row) for card in self.cards for row in card.get("assumptions", ())]

    @property
    def headline(self) -> str:
        """The finding in one sentence."""
        if self.is_too_small:
            return "There are too few priced lines to tell what is paid without pointing to a person."
        if not self.priced_lines:
            return "No line was priced, so there is nothing to compare."
        commissioners = self.coverage["commissioners"]
        payer = f"The {len(commissioners):,} commissioners" if len(commissioners) != 1 else f"Commissioner {commissioners[0]}"
        ordered = sorted(self.totals, key=lambda row: row["model"] != self.baseline)
        told = [(self.models[row["model"]].in_a_sentence, row["pence"], row["difference_pence"]) for row in ordered]
        return headline(payer, len(commissioners) != 1, told)

    def compare_by(self, by: Iterable[str]) -> pl.DataFrame:
        """The comparison by any dimensions, complete."""
        keys = tuple(by)
        if keys not in self._compared:
            self._compared[keys] = compare_ledgers(self.ledgers, keys, self.baseline)
        return self._compared[keys]

    def bridge_by(self, by: Iterable[str]) -> pl.DataFrame:
        """The bridge by any dimensions, complete."""
        keys = tuple(by)
        if keys not in self._bridged:
            self._bridged[keys] = bridge_ledgers(self.ledgers, keys, self.baseline)
        return self._bridged[keys]

    def hidden_values(self, dimension: str) -> frozenset[object]:
        """The values of a dimension whose figures are hidden in its table."""
        if not self.suppress:
            return frozenset()
        if self.is_too_small:
            return frozenset(self.compare_by((dimension,))[dimension])
        if dimension not in self.dimensions:
            margins = _hidden(self.compare_by((dimension,)), (dimension,)).margins
            return margins[0] if margins else frozenset()
        return self._hidden.margins[self.dimensions.index(dimension)] if self._hidden.margins else frozenset()

    @cached_property
    def _hidden(self) -> Hidden:
        return _hidden(self.compare_by(self.dimensions), self.dimensions)

    def _is_hidden(self, frame: pl.DataFrame) -> pl.Series:
        """For each row of a frame by `by`, whether its figures are hidden."""
        if not self.suppress or not self.by or self.is_too_small:
            return pl.Series([self.is_too_small] * frame.height, dtype=pl.Boolean)
        hidden = self._hidden if set(self.by) == set(self.dimensions) else _hidden(self.comparison, self.by)
        order = self.dimensions if hidden is self._hidden else self.by
        return pl.Series([key in hidden.cells for key in frame.select(order).iter_rows()], dtype=pl.Boolean)

    def write(self, folder: str | Path, *, overwrite: bool = False, written: date | None = None) -> Path:
        """Write `FILES` into `folder`, which appears only when it is whole, and return it.

        Parquet is complete; the page, the workbook and the CSV hide small numbers where `suppress`. `written` is the date on
        the page and in the workbook, today unless given. OutputError where the folder exists and is not to be overwritten,
        holds anything but a report, or cannot be written."""
        target = Path(folder)
        _refuse_other_folder(target, overwrite=overwrite)
        with whole_folder(target, overwrite=overwrite or _is_empty(target)) as partial:
            self.comparison.write_parquet(partial / "comparison.parquet")
            self.ledger.sink_parquet(partial / "ledger.parquet", compression="zstd")
            write_csv(self.comparison, partial / "comparison.csv", hidden=self._is_hidden(self.comparison))
            write_csv(self.bridge, partial / "bridge.csv", hidden=self._is_hidden(self.bridge))
            day = written or date.today()
            write_workbook(self, partial / "report.xlsx", day)
            (partial / "report.html").write_text(render_page(self, day), encoding="utf-8", newline="\n")
            text = json.dumps(self.run_card(day), ensure_ascii=False, indent=1)
            (partial / "run_card.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        return target

    def run_card(self, written: date) -> dict[str, Any]:
        """What was compared, with what, and what came of it, as plain data."""
        return {
            "comparison_card": 1,
            "tariff": __version__,
            "command": "compare",
            "written": written.isoformat(),
            "baseline": self.baseline,
            "by": list(self.by),
            "suppressed": self.suppress,
            "models": [model.model_dump(mode="json") for model in self.models],
            "models_from": [{"name": origin.name, "sha256": origin.digest} for origin in self.models.origins],
            "plan": None
            if self.plan is None
            else {"name": self.plan.name, "sha256": self.plan.digest, "rows": self.plan.rows, "pence": self.plan.pence},
            "activity": dict(self.coverage),
            "outcomes": self.outcomes.to_dicts(),
            "packs": self.packs.to_dicts(),
            "totals": [{name: row[name] for name in ("model", "lines", "pence", "difference_pence")} for row in self.totals],
            "notes": list(self.notes),
            "versions": versions(),
            "priced_by": [{name: value for name, value in card.items() if name != "control_totals"} for card in self.cards],
        }


def compare(
    priced: Priced,
    models: Models | str | Path | Sequence[str | Path],
    by: Iterable[str] = ("commissioner", "pod"),
    *,
    plan: pl.DataFrame | str | Path | None = None,
    pathways: pl.DataFrame | str | Path | None = None,
    readmissions: pl.DataFrame | str | Path | None = None,
    run_card: RunCards = None,
    baseline: str | None = None,
    suppress: bool = True,
) -> Report:
    """Settle priced lines under each payment model and compare what commissioners pay.

    `priced`: a frame of `columns.PRICED_LINE`, a Parquet file, a run folder, or several files. `models`: from
    `load_models`, or what it takes. `by`: dimensions of the comparison (`comparison.DIMENSIONS`). `plan`: a file or a frame of
    `columns.PLAN`; contract terms that pay against a plan need it. `pathways` (`columns.PATHWAY`) and `readmissions`
    (`columns.READMISSION`): for models that pay or withhold them; looked for beside files where they are not given. `run_card`:
    of the pricing run; looked for beside files where it is not given. `baseline`: the model others are compared with, the first
    unless named. `suppress`: whether the page, the workbook, the CSV and the terminal hide counts of 1 to 7 and their money.

    Raises ActivityError (priced lines), RulesError (models, plan), UsageError (`by`, `baseline`), DisagreementError (the
    lines or the ledgers do not reconcile)."""
    keys = tuple(check_grouping(by))
    chosen = models if isinstance(models, Models) else load_models(models)
    frame = scan_lines(priced)
    agreed, facts = _plan(plan)
    outcomes = count_outcomes(frame)
    if not outcomes.height:
        raise ActivityError("there is nothing to compare", [Fault("priced lines", "there are no lines", "price some activity")])
    cells = gather_cells(frame, practice="gp_practice" in keys)
    found, formed = find_beside(priced, "readmissions", readmissions), find_beside(priced, "pathways", pathways)
    again = None if found is None else gather_readmissions(found)
    inside = None if formed is None else gather_inside(frame, formed)
    cards = find_cards(priced, run_card)
    earned = gather_best_practice(frame, _outside_marginal_rate(cards))
    referrals = gather_referrals(frame) if any(model.needs_referrals for model in chosen) else None
    ledgers = settle(cells, chosen, agreed, Beside(again, inside, formed, earned, referrals))
    _require_conservation(ledgers, outcomes)
    report = Report(
        models=chosen,
        baseline=baseline or chosen.names[0],
        by=keys,
        ledgers=ledgers,
        outcomes=outcomes,
        packs=count_packs(frame),
        coverage=_coverage(frame),
        cards=cards,
        plan=facts,
        suppress=suppress,
        best_practice=count_best_practice(frame),
        pathways=count_pathways(frame),
    )
    report.compare_by(())
    return report


def _plan(plan: pl.DataFrame | str | Path | None) -> tuple[pl.DataFrame | None, PlanFacts | None]:
    if plan is None:
        return None, None
    if isinstance(plan, pl.DataFrame):
        agreed, name, digest = check_plan(plan), "given as a frame", None
    else:
        path = Path(plan)
        agreed, name, digest = read_plan(path), path.name, sha256(path.read_bytes()).hexdigest()
    return agreed, PlanFacts(name, digest, agreed.height, int(agreed["pence"].sum()))


def _outside_marginal_rate(cards: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """By rule pack, as the run cards tell them, the best-practice tariffs outside the marginal rate."""
    packs = [pack for card in cards for pack in card.get("packs", ()) if "outside_marginal_rate" in pack]
    return {pack["label"]: tuple(pack["outside_marginal_rate"]) for pack in packs}


def _coverage(frame: pl.LazyFrame) -> dict[str, Any]:
    """Who and when the priced lines are about."""
    found = (
        frame.filter(pl.col("outcome").cast(pl.String) == PRICED)
        .select(
            pl.col("commissioner").unique().sort().implode(),
            pl.col("provider").n_unique(),
            pl.col("kind").cast(pl.String).unique().sort().implode(),
            pl.col("activity_date").min().alias("first"),
            pl.col("activity_date").max().alias("last"),
        )
        .collect()
        .row(0, named=True)
    )
    return {
        "commissioners": found["commissioner"],
        "providers": found["provider"],
        "kinds": found["kind"],
        "first_date": found["first"].isoformat() if found["first"] else None,
        "last_date": found["last"].isoformat() if found["last"] else None,
    }


def _hidden(frame: pl.DataFrame, by: Sequence[str]) -> Hidden:
    """What to hide of a comparison by `by`. What a term pays for a whole contract has no lines of its own: it is hidden
    where the contract is."""
    rows = frame.unique(subset=list(by), keep="first", maintain_order=True).select(*by, "lines").iter_rows()
    counts = {row[:-1]: row[-1] for row in rows}
    hidden = hide_small(counts)
    whole = {
        key
        for key, count in counts.items()
        if count == 0 and any(value is not None and value in hidden.margins[number] for number, value in enumerate(key))
    }
    return Hidden(hidden.cells | whole, hidden.margins)


def _require_conservation(ledgers: Sequence[Ledger], outcomes: pl.DataFrame) -> None:
    """Per-line payment comes to the priced total, line for line and penny for penny."""
    priced = outcomes.filter(pl.col("outcome") == PRICED).select(pl.col("lines", "price_pence").sum()).row(0)
    for ledger in ledgers:
        paid = ledger.per_line.select(pl.col("lines", "pence").sum()).row(0)
        if paid != priced:
            told = f"the ledger holds {paid[0]:,} lines and {paid[1]}p, the priced lines {priced[0]:,} and {priced[1]}p"
            raise DisagreementError("the ledger does not reconcile", [Fault(f"model '{ledger.model.name}'", told)])


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _refuse_other_folder(folder: Path, *, overwrite: bool) -> None:
    """Overwriting replaces the whole folder, so it must hold a report and nothing else."""
    if not overwrite or not folder.is_dir():
        return
    others = sorted(entry.name for entry in folder.iterdir() if entry.name not in FILES)
    if others:
        told = f"holds what is no part of a report: {', '.join(others[:3])}"
        raise OutputError("The report cannot be written.", [Fault(str(folder), told, "choose a folder of its own")])
