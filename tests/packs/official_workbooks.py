"""Workbooks as they are published, written from a shipped pack so that an import can be held against it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from tariff.rulepack import RulePack

Cell = str | float | int
Rows = Sequence[Sequence[Cell]]

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
NHSPS = {
    "hrg": "HRG code",
    "name": "HRG name",
    "outpatient_procedure": "Outpatient procedure price (£)",
    "combined": "Combined day case / ordinary elective price (£)",
    "elective_trim": "Ordinary elective long stay trim point (days)",
    "non_elective": "Non-elective price (£)",
    "non_elective_trim": "Non-elective long stay trim point (days)",
    "per_day_long_stay": "Per day long stay payment (£)",
}


def admitted_rows(pack: RulePack, titles: Mapping[str, str], *, more: Sequence[str] = ()) -> list[list[Cell]]:
    """Titles and rows as a workbook prints them: numbers as numbers, `-` for no figure."""
    rows = pack.plain()["tables"]["admitted"]
    printed = ([*(_printed(name, row[name]) for name in titles), *("-" for _ in more)] for row in rows)
    return [[*titles.values(), *more], *printed]


def _printed(column: str, text: str) -> Cell:
    if column in {"hrg", "name"}:
        return text
    if column == "short_stay_applies":
        return text.capitalize() or "No"
    if column == "short_stay_percent" and text:
        return int(text.removesuffix("%")) / 100
    return float(text) if text else "-"


def sus_rows(pack: RulePack) -> Iterator[list[Cell]]:
    """One line a spell type, admission type, short stay and HRG."""
    yield ["HRG", "Spell Type", "Admission Type", "Short Stay Emergency", "Tariff", "Trim Point", "Excess Bed Day Rate"]
    for row in pack.plain()["tables"]["admitted"]:
        day, ordinary = row["combined"] or row["day_case"], row["combined"] or row["ordinary_elective"]
        per_day = row["per_day_long_stay"]
        yield [row["hrg"], "DAY", "ELE", "", day or "0", "", per_day]
        yield [row["hrg"], "ORD", "ELE", "", ordinary or "0", row["elective_trim"], per_day]
        yield [row["hrg"], "ORD", "NON", "", row["non_elective"] or "0", row["non_elective_trim"], per_day]
        if row["short_stay_price"]:
            yield [row["hrg"], "ORD", "NON", "SSEM", row["short_stay_price"], "", per_day]


def write_workbook(path: Path, sheets: Mapping[str, Rows], *, above: Sequence[str] = (), indent: int = 0) -> Path:
    """A workbook with `above` in the rows over the titles of every sheet, and `indent` blank columns before them."""
    with xlsxwriter.Workbook(path) as workbook:
        for name, rows in sheets.items():
            sheet: Any = workbook.add_worksheet(name)
            for number, text in enumerate(above):
                sheet.write_string(number, indent, text)
            for number, row in enumerate(rows, start=len(above)):
                sheet.write_row(number, indent, row)
    return path


def write_csv(path: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def perturbed(rows: Rows, change: Callable[[str], str]) -> list[list[Cell]]:
    """The same rows with every title changed."""
    return [[change(str(title)) for title in rows[0]], *map(list, rows[1:])]
