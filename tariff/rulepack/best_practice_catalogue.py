"""What is known of best-practice tariffs from 2010/11 on: `rules/best_practice_catalogue.csv`, each figure with its source. The
catalogue prices nothing: a pack or an overlay takes from it what its year paid (RULES 3.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tariff.errors import Fault, RulesError
from tariff.rulepack.best_practice_rows import MECHANISMS, read_mechanism, read_word
from tariff.rulepack.cell_text import read_price
from tariff.rulepack.finding import rules_folders
from tariff.rulepack.model import CONFIDENCES
from tariff.rulepack.tables import Placed, TableColumn, TableSpec, read_table

CATALOGUE_FILE: Final = "best_practice_catalogue.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueLine(Placed):
    """One tariff, and one figure of it where any is known: pence, and the year it was paid in (None = from its first year on)."""

    tariff: str
    name: str
    first_year: str
    last_year: str | None
    year: str | None
    mechanism: str
    what: str
    amount: int | None
    confidence: str
    source: str
    note: str

    @property
    def is_off_by_default(self) -> bool:
        """Whether the figure is only believed: a pack takes it up as `assumed` or not at all."""
        return self.confidence == "assumed"


def best_practice_catalogue(rules_folder: Path | None = None) -> tuple[CatalogueLine, ...]:
    """The catalogue, in the order of its file. RulesError where there is none, or with every fault where it cannot be used."""
    looked = [folder / CATALOGUE_FILE for folder in rules_folders(rules_folder)]
    found = next((path for path in looked if path.is_file()), None)
    if found is None:
        raise RulesError("There is no best-practice catalogue.", [Fault(str(path), "not found") for path in looked])
    table = read_table(found, _CATALOGUE)
    if table.faults:
        raise RulesError(f"{found} cannot be used: {len(table.faults)} faults", table.faults)
    return table.rows


def _read_year(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d{2}", text):
        raise ValueError(f"'{text}' is not a financial year such as 2012-13")
    return text


def _read_confidence(text: str) -> str:
    if text not in CONFIDENCES:
        raise ValueError(f"'{text}' is not known")
    return text


_YEAR: Final = "write it as 2012-13"
_CATALOGUE: Final = TableSpec(
    name="best_practice_catalogue",
    columns=(
        TableColumn("tariff", read_word, "code of the tariff", "write a code such as hip_fracture", required=True),
        TableColumn("name", str, "name of the tariff", "name it", required=True),
        TableColumn("first_year", _read_year, "first year in which it was paid", _YEAR, required=True),
        TableColumn("last_year", _read_year, "last year; blank = not known to have ended", _YEAR),
        TableColumn("year", _read_year, "year of the figure; blank = from the first year on", _YEAR),
        TableColumn(
            "mechanism",
            read_mechanism,
            "as in best_practice.csv",
            f"known: {', '.join(MECHANISMS)}",
            required=True,
        ),
        TableColumn("what", str, "what the figure is", "", blank=""),
        TableColumn("amount", read_price, "the figure, £; blank = not at hand", "write pounds, or leave it blank"),
        TableColumn("confidence", _read_confidence, "how sure we are", f"known: {', '.join(CONFIDENCES)}", required=True),
        TableColumn("source", str, "where it comes from", "say where it comes from", required=True),
        TableColumn("note", str, "anything a reader should know", "", blank=""),
    ),
    row=CatalogueLine,
    key=("tariff", "what", "year"),
    labels=(),
)
