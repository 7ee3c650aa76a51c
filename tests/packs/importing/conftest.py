"""Workbooks as they are published, written from a shipped pack so that an import can be held against it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tariff.money import BASIS_POINTS, basis_points
from tariff.rulepack import AdmittedRow, RulePack, load_pack
from tariff.rulepack.importing import ImportedPack, import_workbook

Cell = str | float | int
Rows = list[list[Cell]]

ANNEX_A = {
    "hrg": "HRG code",
    "name": "HRG name",
    "outpatient_procedure": "Outpatient procedure tariff (£)",
    "combined": "Combined day case / ordinary elective spell tariff (£)",
    "day_case": "Day case spell tariff (£)",
    "ordinary_elective": "Ordinary elective spell tariff (£)",
    "elective_trim": "Ordinary elective long stay trim point (days)",
    "non_elective": "Non-elective spell tariff (£)",
    "non_elective_trim": "Non-elective long stay trim point (days)",
    "per_day_long_stay": "Per day long stay payment (for days exceeding trim point) (£)",
    "short_stay_applies": "Reduced short stay emergency tariff _applicable?",
    "short_stay_percent": "% applied in calculation of reduced short stay emergency tariff",
    "short_stay_price": "Reduced short stay emergency tariff (£)",
}
BEST_PRACTICE = (
    "BPT applies to HRG or sub-HRG level",
    "Area BPT Name applies",
    "Where BPT applies (NE / DC/EL / OP)",
    "SUS will automate which BPT price (BPT or non-BPT price)",
    "The price automated by SUS",
    "BPT Flag",
)
PAYMENT_SCHEME = {
    "hrg": "HRG code",
    "name": "HRG name",
    "outpatient_procedure": "Outpatient procedure price (£)",
    "combined": "Combined day case / ordinary elective price (£)",
    "elective_trim": "Ordinary elective long stay trim point (days)",
    "non_elective": "Non-elective price (£)",
    "non_elective_trim": "Non-elective long stay trim point (days)",
    "per_day_long_stay": "Per day long stay payment (£)",
}
SUS = ["HRG", "Spell Type", "Admission Type", "Short Stay Emergency", "Tariff", "Trim Point", "Excess Bed Day Rate"]


@lru_cache
def shipped(year: str) -> RulePack:
    return load_pack(year)


def _is_odd(row: AdmittedRow) -> bool:
    """Whether an HRG is priced by setting, or not at all."""
    return row.combined is None


class Official:
    """Official layouts filled from a pack, and what an import makes of them."""

    def __init__(self, folder: Path, year: str = "2017-18", *, few: bool = False) -> None:
        self.folder, self.year = folder, year
        self.pack = shipped(year)
        self.rows = [row for number, row in enumerate(self.pack.admitted) if not few or number % 25 == 0 or _is_odd(row)]
        wanted = {row.hrg for row in self.rows}
        self.cells = [cells for cells in self.pack.cells["admitted"] if cells["hrg"] in wanted]

    def annex_a(self) -> Rows:
        """All 19 columns."""
        return self._admitted(ANNEX_A, BEST_PRACTICE)

    def payment_scheme(self) -> Rows:
        """The 2025/26 layout: no split columns, no short-stay columns."""
        return self._admitted(PAYMENT_SCHEME)

    def sus(self) -> Rows:
        """A line for each spell type, admission type, short stay and HRG."""
        return [list(SUS), *self._sus_lines()]

    def _admitted(self, titles: Mapping[str, str], more: Sequence[str] = ()) -> Rows:
        printed = ([*(_printed(name, row[name]) for name in titles), *("-" for _ in more)] for row in self.cells)
        return [[*titles.values(), *more], *printed]

    def _sus_lines(self) -> Iterator[list[Cell]]:
        for row in self.cells:
            day, ordinary = row["combined"] or row["day_case"], row["combined"] or row["ordinary_elective"]
            per_day = row["per_day_long_stay"]
            yield [row["hrg"], "DAY", "ELE", "", day or "0", "", per_day]
            yield [row["hrg"], "ORD", "ELE", "", ordinary or "0", row["elective_trim"], per_day]
            yield [row["hrg"], "ORD", "NON", "", row["non_elective"] or "0", row["non_elective_trim"], per_day]
            if row["short_stay_price"]:
                yield [row["hrg"], "ORD", "NON", "SSEM", row["short_stay_price"], "", per_day]

    def workbook(self, sheets: Mapping[str, Rows], *, above: Sequence[str] = (), indent: int = 0) -> Path:
        """A workbook with `above` in the rows over the titles of every sheet, and `indent` blank columns before them."""
        path = self.folder / "workbook.xlsx"
        with xlsxwriter.Workbook(path) as workbook:
            for name, rows in sheets.items():
                sheet: Any = workbook.add_worksheet(name)
                for number, text in enumerate(above):
                    sheet.write_string(number, indent, text)
                for number, row in enumerate(rows, start=len(above)):
                    sheet.write_row(number, indent, row)
        return path

    def export(self, name: str, rows: Rows, encoding: str = "utf-8", separator: str = ",") -> Path:
        """A CSV export of a sheet."""
        path = self.folder / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=separator).writerows(rows)
        return path

    def read(self, *files: Path, year: str | None = None, **options: Any) -> tuple[ImportedPack, RulePack]:
        """What an import of `files` says, and the pack it made."""
        imported = import_workbook(files, year or self.year, self.folder / "imported", overwrite=True, **options)
        return imported, load_pack(imported.folder)

    def differing(self, made: RulePack) -> set[str]:
        """The columns of admitted care in which the pack made differs from the one it was written from."""
        rows = zip(self.rows, made.admitted, strict=True)
        return {name for was, now in rows for name in ANNEX_A if getattr(was, name) != getattr(now, name)}


def _printed(column: str, text: str) -> Cell:
    """Numbers as numbers, `-` for no figure."""
    if column in {"hrg", "name"}:
        return text
    if column == "short_stay_applies":
        return text.capitalize() or "No"
    if column == "short_stay_percent" and text:
        return basis_points(text) / BASIS_POINTS
    return float(text) if text else "-"


def perturbed(rows: Rows, change: Callable[[str], str]) -> Rows:
    """The same rows with every title changed."""
    return [[change(str(title)) for title in rows[0]], *rows[1:]]


@pytest.fixture
def official(tmp_path: Path) -> Official:
    """One in 25 of the HRGs of 2017-18, with all that are priced oddly."""
    return Official(tmp_path, few=True)


@pytest.fixture
def official_whole(tmp_path: Path) -> Official:
    """All HRGs of 2017-18."""
    return Official(tmp_path)


@pytest.fixture
def official_example(tmp_path: Path) -> Official:
    """The demonstration pack, which has short-stay prices."""
    return Official(tmp_path, "example")


@pytest.fixture
def changed() -> Callable[[Rows, Callable[[str], str]], Rows]:
    return perturbed
