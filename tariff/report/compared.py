"""What a comparison found, as the page, the workbook and the terminal tell it: ledgers side by side by any dimension, what became
of the lines, and which figures are too small to print."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, Final

import polars as pl

from tariff.comparison import bridge_ledgers, compare_ledgers
from tariff.money import pounds
from tariff.payment import Ledger, Model, Models
from tariff.reasons import PRICED
from tariff.report.best_practice import BestPractice
from tariff.report.pathway_section import PathwayFigures
from tariff.report.repeats import Repeats
from tariff.report.suppression import Hidden, Key, hide_between, hide_small, is_small
from tariff.report.words import counted, headline

_TOLD_BY: Final = ("provider", "treatment_function", "hrg_chapter", "financial_year", "month")


@dataclass(frozen=True)
class PlanFacts:
    """The plan of a report: file name and sha256 where it was a file, rows, and pence."""

    name: str
    digest: str | None
    rows: int
    pence: int


@dataclass(frozen=True)
class Compared:
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
    tables_given: tuple[Mapping[str, str], ...] = ()
    repeats: Repeats = field(default_factory=Repeats)
    suppress: bool = True
    best_practice: BestPractice = field(default_factory=BestPractice)
    pathways: pl.DataFrame = field(default_factory=pl.DataFrame)
    pathway_figures: PathwayFigures = field(default_factory=PathwayFigures)
    _compared: dict[tuple[str, ...], pl.DataFrame] = field(default_factory=dict, repr=False)
    _bridged: dict[tuple[str, ...], pl.DataFrame] = field(default_factory=dict, repr=False)

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
        return tuple(dict.fromkeys([*self._repeated(), *told]))

    def _repeated(self) -> list[str]:
        lines, pence = self.repeats
        if not lines:
            return []
        many = (
            "A few lines"
            if self.suppress and is_small(lines)
            else f"{counted(lines, 'line', 'lines')} worth {pounds(pence, whole=True)}"
        )
        return [f"Warning: {many} with an identifier that came before for the provider, paid again. Look for files that overlap."]

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
        if dimension in self._margins:
            return frozenset(self._margins[dimension])
        return frozenset(hide_small(*_counted(self.compare_by((dimension,)), (dimension,))).margins[0])

    @cached_property
    def _margins(self) -> dict[str, set[Hashable]]:
        """By dimension, the values hidden in the page, the workbook and what is written by `by`. All of these hide together: what
        one hides another would tell, along a row or column, or where values belong together."""
        tables = [names for names in dict.fromkeys([self.dimensions, self.by]) if names]
        tables += [(name,) for name in self.told_by if name not in self.dimensions]
        counted = {names: _counted(self.compare_by(names), names) for names in tables}
        alone = {name: _counted(self.compare_by((name,)), (name,))[0] for name in self.told_by}
        margins: dict[str, set[Hashable]] = {name: set() for name in self.told_by}
        settled: dict[tuple[str, ...], list[frozenset[Hashable]]] = {}
        before = -1
        while before != (before := sum(map(len, margins.values()))):
            for names, figures in counted.items():
                given = [frozenset(margins[name]) for name in names]
                if settled.get(names) == given:  # nothing that another table hides is new to this one
                    continue
                settled[names] = list(hide_small(*figures, given).margins)
                for name, values in zip(names, settled[names], strict=False):
                    margins[name] |= values
            for first, second, met in self._met:
                pair = {key[0]: count for key, count in alone[first].items()}, {key[0]: n for key, n in alone[second].items()}
                more = hide_between(pair, (margins[first], margins[second]), met)
                margins[first] |= more[0]
                margins[second] |= more[1]
        return margins

    @cached_property
    def _met(self) -> list[tuple[str, str, list[tuple[Hashable, Hashable]]]]:
        """For any two dimensions of the workbook, which values share lines, and which share lines or money."""
        whole = self.compare_by(self.told_by)
        sharing = [whole.filter(pl.col("lines") > 0), whole.filter((pl.col("lines") > 0) | (pl.col("pence") != 0))]
        return [
            (first, second, frame.select(first, second).unique().rows())
            for first, second in combinations(self.told_by, 2)
            for frame in sharing
        ]

    @cached_property
    def _written(self) -> Hidden:
        """What to hide of the table that is written by `by`, and with it what other tables hide of these dimensions."""
        return hide_small(*_counted(self.comparison, self.by), [self._margins[name] for name in self.by])

    def _is_hidden(self, frame: pl.DataFrame) -> pl.Series:
        """For each row of a frame by `by`, whether its figures are hidden."""
        if not self.suppress or not self.by or self.is_too_small:
            return pl.Series([self.is_too_small] * frame.height, dtype=pl.Boolean)
        return pl.Series([key in self._written.cells for key in frame.select(self.by).iter_rows()], dtype=pl.Boolean)


def _counted(frame: pl.DataFrame, by: Sequence[str]) -> tuple[dict[Key, int], frozenset[Key]]:
    """The counts of a comparison by `by`, and what holds money and no lines: what a term pays for a whole contract is hidden
    where the contract is, and where the rest of its kind would tell it."""
    held = frame.group_by(by, maintain_order=True).agg(pl.col("lines").first(), (pl.col("pence") != 0).any().alias("holds"))
    counts = {row[:-2]: row[-2] for row in held.iter_rows()}
    return counts, frozenset(row[:-2] for row in held.iter_rows() if row[-1] and not row[-2])
