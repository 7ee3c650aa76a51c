"""What `tariff rules list`, `show` and `check` print."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tariff.errors import RulesError
from tariff.rulepack import check_packs, find_pack, list_packs, load_pack, show_pack
from tariff.rulepack.finding import shipped_rules_folder

if TYPE_CHECKING:
    from conftest import PackOnTheBench


def test_list_names_packs_and_overlays() -> None:
    lines = list_packs().splitlines()
    assert lines[0].split() == ["pack", "from", "to", "HRGs", "digest", "title"]
    assert [line.split()[:4] for line in lines[1:4]] == [
        ["2017-18", "2017-04-01", "2018-03-31", "2,303"],
        ["2018-19", "2018-04-01", "2019-03-31", "2,303"],
        ["2024-25", "2024-04-01", "2025-03-31", "2,405"],
    ]
    assert lines[4].endswith("(illustrative)")
    assert [line.split()[:2] for line in lines[-2:]] == [["demonstration-2024-25", "2024-25"], ["nhsps-2025-26-hn-hc", "2024-25"]]


def test_list_tells_of_a_pack_that_cannot_be_used(bench: PackOnTheBench) -> None:
    bench.write("pack.toml", "schema = 1\n")
    assert "2 faults: see tariff rules check bench" in list_packs(bench.folder.parent)


def test_show_gives_every_rule_and_table_with_its_label() -> None:
    text = show_pack("2018-19")
    for line in (
        "2018-19: National Tariff Payment System 2018/19: admitted patient care and outpatient procedures",
        f"  digest {load_pack('2018-19').digest} (released)",
        "  short_stay: none [assumed]",
        "  long_stay: per_day_beyond_trim [published]",
        "  admitted.csv: 2,303 rows",
    ):
        assert line in text.splitlines()
    assert "non_elective_trim, per_day_long_stay [proxy]" in text
    assert all(len(line) <= 120 for line in text.splitlines())


def test_show_under_an_overlay_names_it() -> None:
    text = show_pack("2024-25", ["demonstration-2024-25"])
    assert text.startswith("2024-25+demonstration: ")
    assert "short_stay_applies, short_stay_percent [assumed]" in text


def test_check_of_all_that_ships_finds_nothing_but_the_missing_years() -> None:
    found = check_packs([shipped_rules_folder(), shipped_rules_folder() / "overlays" / "demonstration-2024-25"])
    assert (found.faults, found.warnings) == (0, 1)
    assert "no pack for the days between: 2018-19 ends 2019-03-31, 2024-25 starts 2024-04-01" in found.text
    assert f"2017-18: 0 faults, 0 warnings; 2,303 HRGs; digest {load_pack('2017-18').digest}" in found.text
    assert found.text.endswith("0 faults, 1 warning")


def test_check_of_a_name_and_of_nothing_named() -> None:
    assert check_packs(["example"]).text.startswith("example: 0 faults, 0 warnings; 64 HRGs; digest ")
    assert check_packs([]).faults == 0


def test_check_prints_every_fault_of_every_pack(bench: PackOnTheBench) -> None:
    bench.edit("pack.toml", 'method = "penny_once"', 'method = "penny"').edit("mff.csv", "1.050000", "0")
    found = check_packs([bench.folder, "example"])
    assert found.faults == 3
    assert "fault: " in found.text
    assert "method 'penny' is not known" in found.text
    assert "column mff of ZZB: '0' lies outside" in found.text


def test_packs_that_price_the_same_days_overlap(tmp_path: Path) -> None:
    first = shutil.copytree(find_pack("example"), tmp_path / "one")
    second = shutil.copytree(find_pack("example"), tmp_path / "two")
    for folder, year in ((first, "2017-18"), (second, "other")):
        text = (folder / "pack.toml").read_text(encoding="utf-8").replace("illustrative = true\n", "")
        (folder / "pack.toml").write_text(text.replace('year = "example"', f'year = "{year}"'), encoding="utf-8")
    found = check_packs([tmp_path])
    assert found.faults == 1
    assert "the packs overlap: 2017-18 ends 2018-03-31, other starts 2017-04-01" in found.text
    text = (second / "pack.toml").read_text(encoding="utf-8")
    (second / "pack.toml").write_text(text.replace('year = "other"', 'year = "2017-18.r2"'), encoding="utf-8")
    assert check_packs([tmp_path]).faults == 0


def test_check_of_an_overlay_with_faults(tmp_path: Path) -> None:
    (tmp_path / "overlay.toml").write_text('[overlay]\nnme = "x"\n', encoding="utf-8")
    found = check_packs([tmp_path])
    assert found.faults == 2
    assert "'nme' is not known here" in found.text


def test_show_counts_rows_by_their_own_label() -> None:
    lines = show_pack("2024-25").splitlines()
    for line in (
        "  outpatient: erf [practice]",
        "      default_first = 197",
        "  emergency.csv: 12 rows",
        "      12 rows [proxy]: National Cost Collection 2024/25, Emergency Care",
        "      2 rows [proxy]: National Cost Collection 2024/25, Critical care transport",
    ):
        assert line in lines


def test_show_of_a_table_that_only_its_rows_label(bench: PackOnTheBench) -> None:
    text = "provider,name,mff,source,confidence\nZZA,A,1.0,A letter of 1 May,local\n"
    sources = (bench.folder / "sources.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    bench.write("mff.csv", text).write("sources.csv", "".join(line for line in sources if not line.startswith("mff,")))
    assert "      1 row [local]: A letter of 1 May" in show_pack(bench.folder).splitlines()


def test_a_shipped_overlay_is_found_by_its_name() -> None:
    assert check_packs(["demonstration-2024-25"]).text.startswith("2024-25+demonstration: 0 faults")
    assert show_pack("demonstration-2024-25").startswith("2024-25+demonstration: ")


def test_an_overlay_for_any_pack_is_checked_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "overlay.toml").write_text('[overlay]\nname = "any"\n', encoding="utf-8")
    assert check_packs([tmp_path]).faults == 0
    with pytest.raises(RulesError, match="names no rule pack"):
        show_pack(tmp_path)
