"""A workbook written in each official layout from the 2017-18 figures imports to a pack equal to the shipped one in every
column that the layout holds, however its titles are disfigured."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tariff.rulepack import check_pack

if TYPE_CHECKING:
    from conftest import Official, Rows

    Change = Callable[[Rows, Callable[[str], str]], Rows]

SPLIT = {"day_case", "ordinary_elective"}
NOT_IN_SUS = {"name", "outpatient_procedure"}
ABOVE = ("Annex A: the national prices", "Published in March", "", "Prices are before market forces factor", "", "")

PERTURBED: dict[str, Callable[[str], str]] = {
    "as printed": lambda title: title,
    "trailing blanks": lambda title: f"  {title}   ",
    "line breaks": lambda title: title.replace(" ", "\n", 2),
    "underscores": lambda title: title.replace(" ", "_"),
    "capitals": str.upper,
    "no capitals": str.lower,
    "mis-decoded pound signs": lambda title: title.replace("£", "Â£"),
    "lost pound signs": lambda title: title.replace("£", "�"),
    "no pound signs": lambda title: title.replace(" (£)", ""),
    "words run together": lambda title: re.sub(r"(?i)(trim|day|bed|non)[ -](point|case|day|elective)", r"\1\2", title),
}


def test_every_layout_whole(official_whole: Official) -> None:
    for name, rows, absent in (
        ("1 APC & OPROC", official_whole.annex_a(), set()),
        ("1 APC & OPROC", official_whole.payment_scheme(), SPLIT),
        ("SUS", official_whole.sus(), NOT_IN_SUS),
    ):
        _, made = official_whole.read(official_whole.workbook({name: rows}))
        assert len(made.admitted) == 2303
        assert official_whole.differing(made) == absent


@pytest.mark.parametrize("change", PERTURBED.values(), ids=PERTURBED)
def test_annex_a(official: Official, changed: Change, change: Callable[[str], str]) -> None:
    imported, made = official.read(official.workbook({"1 APC & OPROC": changed(official.annex_a(), change)}, above=ABOVE))
    assert official.differing(made) == set()
    assert len(imported.left) == 6
    assert all("has no place in admitted.csv (0 cells not taken)" in what for _, what in imported.left)


@pytest.mark.parametrize("change", PERTURBED.values(), ids=PERTURBED)
def test_payment_scheme(official: Official, changed: Change, change: Callable[[str], str]) -> None:
    rows = changed(official.payment_scheme(), change)
    _, made = official.read(official.workbook({"1 APC & OPROC": rows}, above=ABOVE, indent=1))
    assert official.differing(made) == SPLIT


@pytest.mark.parametrize("change", PERTURBED.values(), ids=PERTURBED)
def test_sus_reference(official: Official, changed: Change, change: Callable[[str], str]) -> None:
    _, made = official.read(official.workbook({"SUS tariff": changed(official.sus(), change)}))
    assert official.differing(made) == NOT_IN_SUS


def test_short_stay_columns_come_back(official_example: Official) -> None:
    rows = official_example.annex_a()
    _, made = official_example.read(official_example.workbook({"APC": rows}), year="2017-18")
    assert official_example.differing(made) == set()
    rule = made.rules.short_stay
    assert rule.method == "price_table"
    assert (rule.minimum_age, rule.maximum_stay_days, rule.grouping_methods) == (19, 1, ("D",))


def test_sus_short_stay_lines_come_back(official_example: Official) -> None:
    _, made = official_example.read(official_example.workbook({"APC": official_example.sus()}), year="2017-18")
    by_hrg = {row.hrg: row for row in made.admitted}
    printed = [row for row in official_example.pack.admitted if row.short_stay_price is not None]
    assert printed
    assert all(by_hrg[row.hrg].short_stay_price == row.short_stay_price for row in printed)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_csv_export(official: Official, encoding: str) -> None:
    rows = [["National prices"], [], *official.annex_a()]
    _, made = official.read(official.export("1 APC & OPROC.csv", rows, encoding))
    assert official.differing(made) == set()


@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_export_of_another_separator(official: Official, separator: str) -> None:
    _, made = official.read(official.export("1 APC & OPROC.csv", official.annex_a(), separator=separator))
    assert official.differing(made) == set()


def test_a_folder_of_csv_exports(official: Official) -> None:
    folder = official.folder / "exports"
    folder.mkdir()
    official.export("exports/1 APC.csv", official.annex_a())
    official.export("exports/MFF.csv", [["Provider code", "Provider name", "MFF value"], ["RK9", "Plymouth", "1.000000"]])
    _, made = official.read(folder)
    assert official.differing(made) == set()
    assert [(row.provider, row.mff) for row in made.provider_factors] == [("RK9", 1_000_000)]


def test_the_pack_names_the_workbook_and_what_it_lacks(official: Official) -> None:
    workbook = official.workbook({"1 APC & OPROC": official.annex_a()})
    imported, made = official.read(workbook)
    check = check_pack(imported.folder)
    assert (check.faults, check.warnings) == ((), ())
    sources = (imported.folder / "sources.csv").read_text(encoding="utf-8")
    assert "1 APC & OPROC" in sources
    assert "workbook.xlsx (sha256 " in sources
    assert made.confidence_of("admitted", "combined").confidence == "published"
    absent = {name: getattr(made.rules, name) for name in type(made.rules).model_fields}
    for rule in ("short_stay", "top_up", "market_forces_factor", "emergency", "unbundled"):
        assert (absent[rule].method, absent[rule].confidence) == ("none", "assumed")
        assert absent[rule].source.startswith("ABSENT: workbook.xlsx holds no ")
        assert any(f"[rules.{rule}] is none" in note for note in made.notes)
    assert made.rules.long_stay.method == "per_day_beyond_trim"
    assert made.rules.outpatient.method == "national"


def test_a_whole_workbook_is_imported_within_three_seconds(official_whole: Official) -> None:
    rows = official_whole.annex_a()
    more = [[f"ZZ{number:02}{letter}", *rows[1][1:]] for number in range(100) for letter in "ABCDE"]
    workbook = official_whole.workbook({"1 APC & OPROC": [*rows, *more]}, above=ABOVE)
    started = time.process_time()
    _, made = official_whole.read(workbook)
    assert time.process_time() - started < 3, "processor time, as the machine may be busy"
    assert len(made.admitted) == 2803
