"""Rule packs at the command line: import a workbook, compare two packs, value the change, start a year."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter

if TYPE_CHECKING:
    from conftest import Spells, Tariff

TITLES = ("HRG code", "HRG name", "Day case price (£)", "Ordinary elective price (£)", "Non-elective price (£)")
ROWS = (("HN22E", "Very Major Knee Procedures", 6100, 6100, "6,100"), ("AA22C", "Stroke", "-", 0, 9766.5))


def workbook(folder: Path, *titles: str) -> Path:
    path = folder / "prices.xlsx"
    with xlsxwriter.Workbook(path) as file:
        sheet: Any = file.add_worksheet("APC")
        for number, row in enumerate((("Prices of the year",), titles or TITLES, *ROWS)):
            sheet.write_row(number, 0, row)
    return path


def test_import_check_diff_and_value(tariff: Tariff, spells: Spells, folder: Path) -> None:
    made = tariff("rules", "import", workbook(folder), "--year", "2017-18", "--out", "mine")
    assert made.code == 0, made.err
    assert re.search(r"^admitted.csv +2 rows  from sheet 'APC' of prices.xlsx$", made.out, re.MULTILINE)
    assert "absent        market forces factor: prices.xlsx holds no market forces factors" in made.out
    assert tariff("rules", "check", "mine").code == 0
    refused = tariff("rules", "import", workbook(folder), "--year", "2017-18", "--out", "mine")
    assert (refused.code, "give --overwrite" in refused.err) == (6, True)

    file = spells(*({"spell_id": f"S{number}"} for number in range(10)))
    compared = tariff("rules", "diff", "2017-18", "mine", "--activity", file, "--out", "changes")
    assert compared.code == 0, compared.err
    assert compared.out.startswith("This activity costs £1,090 less under 2017-18 (mine) than under 2017-18 (−1.8%)")
    assert "On 10 lines of activity" in compared.out
    assert re.search(r"Prices +£5,720.00\n.*\n.*\n  Rules +−£6,810.00\n", compared.out)
    assert "2,301 withdrawn" in compared.out
    assert sorted(path.name for path in Path("changes").iterdir()) == [
        "differences.html",
        "hrgs.csv",
        "prices.csv",
        "rules.csv",
        "tables.csv",
        "trim_points.csv",
        "value_by_chapter.csv",
        "value_by_commissioner.csv",
        "value_by_currency.csv",
        "value_by_provider.csv",
    ]
    page = Path("changes/differences.html").read_text(encoding="utf-8")
    assert "What makes the difference" in page
    assert not re.search(r"https?://(?!www\.w3\.org)", page)
    again = tariff("rules", "diff", "2017-18", "mine", "--activity", file, "--out", "changes", "--overwrite")
    assert again.code == 0


def test_small_counts_are_hidden(tariff: Tariff, spells: Spells) -> None:
    file = spells({}, {})
    told = tariff("rules", "diff", "2017-18", "2018-19", "--activity", file, "--out", "changes")
    page = Path("changes/differences.html").read_text(encoding="utf-8")
    assert "There is too little activity" in page
    assert "On 2 lines" not in told.out
    assert "[c]" in Path("changes/value_by_provider.csv").read_text(encoding="utf-8")
    shown = tariff("rules", "diff", "2017-18", "2018-19", "--activity", file, "--no-suppress")
    assert "On 2 lines of activity" in shown.out


def test_diff_without_activity_needs_no_output(tariff: Tariff) -> None:
    told = tariff("rules", "diff", "2017-18", "2018-19")
    assert told.code == 0
    assert told.out.startswith(
        "2018-19 against 2017-18: elective prices ×1.0080 on average, non-elective prices ×1.0080 on average, 0 HRGs new"
    )


def test_a_wrong_workbook_is_exit_code_4(tariff: Tariff, folder: Path) -> None:
    told = tariff("rules", "import", workbook(folder, *TITLES[:4]), "--year", "2017-18", "--out", "mine")
    assert told.code == 4
    assert "no column for non_elective ('Non-elective spell tariff (£)')" in told.err
    assert "found: 'HRG code', 'HRG name', 'Day case price (£)', 'Ordinary elective price (£)'" in told.err
    assert not Path("mine").exists()


def test_new_year(tariff: Tariff) -> None:
    made = tariff("rules", "new", "2025-26", "--from", "2024-25")
    assert (made.code, made.out.strip()) == (0, "2025-26")
    assert tariff("rules", "check", "2025-26").code == 0
    assert tariff("rules", "new", "2025-26", "--from", "2024-25").code == 6


def test_parameters(tariff: Tariff) -> None:
    told = tariff("rules", "parameters", "2016-17")
    assert "  marginal rate emergency: 70% [published]" in told.out
    assert tariff("rules", "parameters", "1999-00").code == 4
