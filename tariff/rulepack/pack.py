"""The rule pack: what a year's rules and tables say, after overlays, every figure with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from tariff.rulepack.best_practice_rows import BestPracticeRow, Criterion
from tariff.rulepack.examples import Example
from tariff.rulepack.model import Rules
from tariff.rulepack.pathway_model import PathwayFile
from tariff.rulepack.rows import TABLES, AdmittedRow, EmergencyRow, OutpatientRow, ProviderFactor, TopUp, UnbundledRow
from tariff.rulepack.sources import Label, Sources
from tariff.rulepack.tables import Cells, Sourced


class OverlayUsed(NamedTuple):
    """An overlay laid on a pack, for the run card."""

    name: str
    digest: str
    path: Path
    note: str


@dataclass(frozen=True, eq=False)
class RulePack:
    """One year's rules and tables after overlays. Rows keep the order of their table, rows an overlay adds coming last;
    `admitted[n]` is row n + 1 of the compiled price table, and so for the price tables of the other kinds."""

    label: str
    year: str
    title: str
    starts: date
    ends: date
    grouper: str
    illustrative: bool
    notes: tuple[str, ...]
    folder: Path
    digest: str
    overlays: tuple[OverlayUsed, ...]
    rules: Rules
    admitted: tuple[AdmittedRow, ...]
    outpatient: tuple[OutpatientRow, ...]
    emergency: tuple[EmergencyRow, ...]
    unbundled: tuple[UnbundledRow, ...]
    provider_factors: tuple[ProviderFactor, ...]
    top_ups: tuple[TopUp, ...]
    top_up_providers: tuple[tuple[str, str], ...] | None
    best_practice: tuple[BestPracticeRow, ...]
    best_practice_criteria: tuple[Criterion, ...]
    examples: tuple[Example, ...]
    pathways: PathwayFile | None
    """What `pathways.toml` says, after overlays; None where there is none."""
    sources: Mapping[str, Sources]
    """By table file as in `Origin.file` (`2017-18/admitted.csv`): the source lines of its folder, in order of precedence."""
    cells: Mapping[str, tuple[Cells, ...]]
    """By table: the text of every cell, as the reference reads it."""

    def confidence_of(self, table: str, column: str, row: Sourced | None = None) -> Label:
        """How sure we are of `column` of `table`, and its source.

        With `row`: the row's own label, else that of the folder the row comes from. Without: what the last overlay that
        holds the table says of the column, else the pack. KeyError where no folder holds or labels it."""
        if row is not None and row.confidence is not None:
            return Label(row.confidence, row.source or "")
        file = TABLES[table].file
        holding = [row.origin.file] if row is not None else [shown for shown in self.sources if shown.endswith(f"/{file}")]
        for shown in reversed(holding):
            line = self.sources[shown].line_for(table, column)
            if line is not None:
                return line.label
        raise KeyError(f"pack {self.label} has no source for column '{column}' of {file}")

    def plain(self) -> dict[str, Any]:
        """The pack as plain dicts, lists and text, after overlays: what the reference prices from."""
        rules = self.rules.model_dump(mode="json")
        tables: dict[str, list[dict[str, str]] | None] = {
            name: [dict(row) for row in self.cells.get(name, ())] for name in TABLES
        }
        if self.top_up_providers is None:
            tables["top_up_providers"] = None
        return {
            "label": self.label,
            "year": self.year,
            "starts": self.starts.isoformat(),
            "ends": self.ends.isoformat(),
            "rules": rules,
            "tables": tables,
        }
