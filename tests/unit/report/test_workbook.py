"""The workbook, opened and read again: it says what the Parquet says, hides what it must, and is the same each time."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from tariff.report import Report, compare

DAY = date(2025, 11, 22)
MODELS = "preset:episodic,preset:block,preset:nhsps-2023-25"


@pytest.fixture(scope="module")
def report(priced_lines: Callable[..., pl.DataFrame]) -> Report:
    many = [
        {"commissioner": code, "provider": provider, "pod": pod, "month": month, "base_pence": 1_000_00 + number}
        for code, provider in (("XC1", "XP1"), ("XC2", "=1+1"))
        for pod in ("DC", "NEL", "EL")
        for month in (1, 2)
        for number in range(10)
    ]
    few = [{"commissioner": "XC3", "provider": "XP3", "pod": "DC", "base_pence": 77_77} for _ in range(3)]
    lost = [{"outcome": "rejected", "reason": "missing_age", "indicative_pence": 10_00} for _ in range(9)]
    plan = pl.DataFrame(
        {
            "commissioner": ["XC1"] * 3 + ["XC2"] * 3 + ["XC3"] * 3,
            "pod": ["DC", "NEL", "EL"] * 3,
            "financial_year": ["2024-25"] * 9,
            "pence": [11_000_00] * 9,
        }
    )
    return compare(priced_lines(*many, *few, *lost), MODELS, plan=plan)


@pytest.fixture(scope="module")
def folder(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write(tmp_path_factory.mktemp("workbook") / "report", written=DAY)


@pytest.fixture(scope="module")
def sheets(folder: Path) -> dict[str, list[list[object]]]:
    book = CalamineWorkbook.from_path(folder / "report.xlsx")
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_there_is_a_cover_contents_and_notes(sheets: dict[str, list[list[object]]]) -> None:
    names = list(sheets)
    assert names[:4] == ["Cover", "Contents", "Notes", "Totals"]
    assert [row[0] for row in sheets["Contents"][4:]] == names[2:]
    assert names[4:7] == ["By commissioner", "By point of delivery", "By provider"]
    assert {"Bridge", "Data quality", "Assumptions", "By month"} <= set(names)


def test_totals_equal_the_parquet(folder: Path, sheets: dict[str, list[list[object]]]) -> None:
    comparison = pl.read_parquet(folder / "comparison.parquet")
    totals = comparison.group_by("model", maintain_order=True).agg(pl.col("pence").sum())["pence"].to_list()
    assert [round(float(str(row[1])) * 100) for row in sheets["Totals"][4:]] == totals
    for name, rows in sheets.items():
        if name.startswith("By "):
            total = rows[-1]
            assert total[0] == "Total"
            assert [round(float(str(cell)) * 100) for cell in total[2 : 2 + len(totals)]] == totals


def test_the_bridge_adds_in_the_workbook_too(sheets: dict[str, list[list[object]]]) -> None:
    running, ends = 0, 0
    for _, step, _, pounds, _ in sheets["Bridge"][4:]:
        pence = round(float(str(pounds)) * 100)
        running = pence if step == "Start" else running + pence if step == "Cause" else running
        if step == "End":
            ends += 1
            assert running == pence
    assert ends == 2


def test_small_numbers_are_hidden_and_have_a_companion(sheets: dict[str, list[list[object]]]) -> None:
    hidden = [row[0] for row in sheets["By provider"][4:] if row[1] == "[c]"]
    assert "XP3" in hidden
    assert len(hidden) > 1
    assert all(cell == "[c]" for row in sheets["By provider"][4:] if row[0] == "XP3" for cell in row[1:])


def test_no_cell_of_a_table_is_blank_and_none_is_a_formula(folder: Path, sheets: dict[str, list[list[object]]]) -> None:
    for name, rows in sheets.items():
        if name not in {"Cover", "Notes"}:
            assert rows[0][0]
            assert all(cell not in {"", None} for row in rows[3:] for cell in row), name
    with zipfile.ZipFile(folder / "report.xlsx") as book:
        parts = {part: book.read(part).decode() for part in book.namelist() if part.endswith(".xml")}
    pages = [text for part, text in parts.items() if part.startswith("xl/worksheets/")]
    assert not any("<f>" in page or "mergeCell" in page for page in pages)
    drawings = [text for part, text in parts.items() if part.startswith("xl/drawings/")]
    assert drawings
    assert all(re.search(r'descr="[^"]{20,}"', text) for text in drawings)


def test_the_same_report_gives_the_same_bytes(report: Report, folder: Path, tmp_path: Path) -> None:
    again = report.write(tmp_path / "again", written=DAY)
    assert (again / "report.xlsx").read_bytes() == (folder / "report.xlsx").read_bytes()
