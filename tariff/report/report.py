"""What each payment model would make commissioners pay: `compare` settles the priced lines under every model and gathers
what a report says; `Report.write` puts it on disk, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff._version import __version__
from tariff.activity.files import digest
from tariff.comparison import check_grouping
from tariff.errors import ActivityError, DisagreementError, Fault, OutputError
from tariff.payment import (
    Beside,
    Ledger,
    Models,
    check_plan,
    gather_best_practice,
    gather_cells,
    gather_inside,
    gather_readmissions,
    gather_referrals,
    load_models,
    read_plan,
    readmitted_lines,
    settle,
    with_restated,
)
from tariff.priced_lines import (
    Priced,
    RunCards,
    TableBeside,
    are_totals,
    find_beside,
    find_cards,
    paths_given,
    require_own_cards,
    scan_lines,
    scan_written,
)
from tariff.reasons import PRICED
from tariff.report.best_practice import achieved
from tariff.report.compared import Compared, PlanFacts
from tariff.report.from_totals import (
    cells_of_totals,
    coverage_of_totals,
    outcomes_of_totals,
    packs_of_totals,
    require_enough,
)
from tariff.report.outcomes import count_outcomes, count_packs
from tariff.report.page import render_page
from tariff.report.pathway_section import pathway_figures
from tariff.report.repeats import repeats_of, require_each_once
from tariff.report.terminal import as_text
from tariff.report.text_files import write_csv
from tariff.report.value_beyond_lines import count_pathways
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


class Report(Compared):
    """What each payment model makes commissioners pay, as text (`str`) and as a folder of files (`write`)."""

    def __str__(self) -> str:
        return as_text(self)

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
            "tables_given": [dict(told) for told in self.tables_given],
            "activity": dict(self.coverage),
            "outcomes": self.outcomes.to_dicts(),
            "repeated_keys": {"lines": self.repeats.lines, "price_pence": self.repeats.pence},
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
    pathways: TableBeside = None,
    readmissions: TableBeside = None,
    run_card: RunCards = None,
    baseline: str | None = None,
    suppress: bool = True,
) -> Report:
    """Settle priced lines under each payment model and compare what commissioners pay.

    `priced`: a frame of `columns.PRICED_LINE`, a Parquet file, a run folder, several files, or totals (`--aggregate`).
    `models`: from `load_models`, or what it takes. `by`: dimensions of the comparison (`comparison.DIMENSIONS`). `plan`: a file
    or a frame of `columns.PLAN`; contract terms that pay against a plan need it. `pathways` (`columns.PATHWAY`) and
    `readmissions` (`columns.READMISSION`), frames or files: for models that pay or withhold them; looked for beside files where
    they are not given. `run_card`: of the pricing run; looked for beside files where it is not given. `baseline`: the model
    others are compared with, the first unless named. `suppress`: whether the page, the workbook, the CSV and the terminal hide
    counts of 1 to 7 and their money.

    Raises ActivityError (priced lines), RulesError (models, plan), UsageError (`by`, `baseline`), DisagreementError (the
    lines or the ledgers do not reconcile)."""
    keys = tuple(check_grouping(by))
    chosen = models if isinstance(models, Models) else load_models(models)
    agreed, facts = _plan(plan)
    require_each_once(priced)
    if are_totals(scan_written(priced)):
        return _compare_totals(priced, chosen, keys, agreed, facts, run_card, baseline, suppress=suppress)
    frame = scan_lines(priced)
    outcomes = count_outcomes(frame)
    if not outcomes.height:
        raise ActivityError("there is nothing to compare", [Fault("priced lines", "there are no lines", "price some activity")])
    cells = gather_cells(frame, practice="gp_practice" in keys)
    found, formed = find_beside(priced, "readmissions", readmissions), find_beside(priced, "pathways", pathways)
    restated = find_beside(priced, "pathways_restated", None) if pathways is None else None
    owed = find_beside(priced, "pathways_owed", None) if pathways is None else None
    inside = None if formed is None else gather_inside(frame, formed)
    if inside is not None and restated is not None:
        inside = with_restated(inside, restated)
    net = found is not None and any(model.needs_readmitted_lines for model in chosen)
    again = (
        None if found is None else gather_readmissions(found, readmitted_lines(found, frame, formed, restated) if net else None)
    )
    cards = _own_cards(priced, run_card, outcomes)
    earned = gather_best_practice(frame, _outside_marginal_rate(cards), formed, restated)
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
        repeats=repeats_of(priced, frame, cards),
        tables_given=(*_files_given("pathways", pathways), *_files_given("readmissions", readmissions)),
        suppress=suppress,
        best_practice=achieved(frame, cards, suppress=suppress),
        pathways=count_pathways(frame),
        pathway_figures=pathway_figures(frame, formed, owed, cards, suppress=suppress),
    )
    report.compare_by(())
    return report


def _compare_totals(
    priced: Priced,
    models: Models,
    keys: tuple[str, ...],
    plan: pl.DataFrame | None,
    facts: PlanFacts | None,
    run_card: RunCards,
    baseline: str | None,
    *,
    suppress: bool,
) -> Report:
    """`compare` of totals, which are the cells already."""
    totals = scan_written(priced).collect()
    outcomes = outcomes_of_totals(totals)
    if not outcomes.height:
        raise ActivityError("there is nothing to compare", [Fault("totals", "there are no lines", "price some activity")])
    cards = _own_cards(priced, run_card, outcomes)
    require_enough(totals, tuple(models), keys, plan, cards)
    ledgers = settle(cells_of_totals(totals, practice="gp_practice" in keys), models, plan)
    _require_conservation(ledgers, outcomes)
    report = Report(
        models=models,
        baseline=baseline or models.names[0],
        by=keys,
        ledgers=ledgers,
        outcomes=outcomes,
        packs=packs_of_totals(totals),
        coverage=coverage_of_totals(totals),
        cards=cards,
        plan=facts,
        suppress=suppress,
    )
    report.compare_by(())
    return report


def _own_cards(priced: Priced, given: RunCards, outcomes: pl.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """The run cards of what was priced."""
    cards = find_cards(priced, given)
    lines = outcomes.group_by("outcome").agg(pl.col("lines").sum())
    require_own_cards(priced, given, cards, dict(lines.iter_rows()), int(outcomes["price_pence"].sum()))
    return cards


def _plan(plan: pl.DataFrame | str | Path | None) -> tuple[pl.DataFrame | None, PlanFacts | None]:
    if plan is None:
        return None, None
    if isinstance(plan, pl.DataFrame):
        agreed, name, told = check_plan(plan), "given as a frame", None
    else:
        path = Path(plan)
        agreed, name, told = read_plan(path), path.name, digest(path)
    return agreed, PlanFacts(name, told, agreed.height, int(agreed["pence"].sum()))


def _files_given(table: str, given: TableBeside) -> list[dict[str, str]]:
    """Name and sha256 of files that were given for what stands beside priced lines otherwise."""
    if given is None or isinstance(given, pl.DataFrame):
        return []
    return [{"table": table, "name": path.name, "sha256": digest(path)} for path in paths_given(given)]


def _outside_marginal_rate(cards: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By rule pack, as the run cards tell them, the best-practice tariffs outside the marginal rate."""
    packs = [pack for card in cards for pack in card.get("packs", ()) if "best_practice" in pack]
    return {pack["label"]: [said["tariff"] for said in pack["best_practice"] if said["outside_marginal_rate"]] for pack in packs}


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
