"""Where a pack is looked for (a path, then $TARIFF_RULES, then the shipped copy), and what a released pack may not do."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tariff.errors import RulesError
from tariff.rulepack import find_pack, known_packs, load_pack, shipped_packs
from tariff.rulepack.finding import shipped_rules_folder

if TYPE_CHECKING:
    from conftest import PackOnTheBench


def test_a_path_is_taken_as_it_is(bench: PackOnTheBench) -> None:
    assert find_pack(bench.folder) == bench.folder
    assert load_pack(str(bench.folder)).label == "example"


def test_the_named_folder_comes_before_the_shipped_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(find_pack("example"), tmp_path / "example")
    monkeypatch.setenv("TARIFF_RULES", str(tmp_path))
    assert find_pack("example") == tmp_path / "example"
    assert find_pack("2017-18") == shipped_rules_folder() / "2017-18"
    assert [path.name for path in known_packs()] == ["2017-18", "2018-19", "2024-25", "example"]
    assert tmp_path / "example" in known_packs()
    assert find_pack("example", shipped_rules_folder()) == shipped_rules_folder() / "example"


def test_an_unknown_year_is_told_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TARIFF_RULES", raising=False)
    with pytest.raises(RulesError) as raised:
        load_pack("2017-8")
    assert str(raised.value) == (
        "there is no rule pack '2017-8'\n  '2017-8' was not found\n"
        "    did you mean '2017-18'? known: 2017-18, 2018-19, 2024-25, example; or give the path of a folder"
    )
    assert raised.value.exit_code == 4


def test_a_variable_that_names_no_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_RULES", str(tmp_path / "nowhere"))
    with pytest.raises(RulesError, match=r"nowhere: there is no such folder\n    mend or unset TARIFF_RULES"):
        find_pack("example")


def test_the_folder_one_stands_in_keeps_its_name(bench: PackOnTheBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bench.folder)
    assert str(load_pack(".").admitted[0].origin) == "bench/admitted.csv:2"


def test_a_folder_without_a_pack_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"the folder holds no pack\.toml"):
        load_pack(tmp_path)


def test_overlays_are_not_packs() -> None:
    assert all((path / "pack.toml").is_file() for path in shipped_packs())
    assert "overlays" not in {path.name for path in shipped_packs()}


def released_folder(tmp_path: Path) -> Path:
    shutil.copytree(find_pack("example"), tmp_path / "example")
    digest = load_pack("example").digest
    (tmp_path / "released.csv").write_text(f"pack,digest,released\nexample,{digest},2026-04-01\n", encoding="utf-8")
    return tmp_path / "example"


def test_a_released_pack_loads_as_it_was_released(tmp_path: Path) -> None:
    assert load_pack(released_folder(tmp_path)).label == "example"


def test_a_silent_edit_of_a_released_pack_is_refused(tmp_path: Path) -> None:
    folder = released_folder(tmp_path)
    text = (folder / "pack.toml").read_text(encoding="utf-8")
    (folder / "pack.toml").write_text(text.replace("minimum_age = 19", "minimum_age = 18"), encoding="utf-8")
    with pytest.raises(RulesError) as raised:
        load_pack(folder)
    (fault,) = raised.value.faults
    assert fault.what.startswith("pack example differs from the pack released under that name (")
    assert fault.remedy == "a released pack is immutable; a correction is a new pack, example.r2: put the released files back"


def test_a_correction_is_a_new_pack(tmp_path: Path) -> None:
    folder = released_folder(tmp_path)
    correction = shutil.copytree(folder, tmp_path / "example.r2")
    text = (correction / "pack.toml").read_text(encoding="utf-8")
    (correction / "pack.toml").write_text(text.replace('year = "example"', 'year = "example.r2"'), encoding="utf-8")
    assert load_pack(correction).label == "example.r2"


def test_a_faulty_list_of_releases_is_told(tmp_path: Path) -> None:
    folder = released_folder(tmp_path)
    (tmp_path / "released.csv").write_text("pack,digest,released\nexample,abc,2026-04-01\n", encoding="utf-8")
    with pytest.raises(RulesError, match="'abc' is not a sha256 digest"):
        load_pack(folder)


def test_every_shipped_pack_is_released_as_it_stands() -> None:
    with (shipped_rules_folder() / "released.csv").open(encoding="utf-8", newline="") as opened:
        released = {row["pack"]: row["digest"] for row in csv.DictReader(opened)}
    assert released == {path.name: load_pack(path).digest for path in shipped_packs()}
