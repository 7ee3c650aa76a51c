"""Overlays: a row replaces the whole row, a rule the whole rule, and every figure keeps its own source."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tariff.errors import RulesError
from tariff.rulepack import check_pack, find_pack, load_pack
from tariff.rulepack.choosing import load_rules

if TYPE_CHECKING:
    from conftest import PackOnTheBench

SOURCED = "source,confidence\n"
LOCAL = "Contract of 1 April,local\n"


def overlay(folder: Path, declared: str = '[overlay]\nname = "local"\n', **tables: str) -> Path:
    folder.mkdir()
    (folder / "overlay.toml").write_text(declared, encoding="utf-8")
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_a_row_replaces_the_whole_row_in_its_place(bench: PackOnTheBench, tmp_path: Path) -> None:
    laid = overlay(tmp_path / "local", admitted=f"hrg,combined,{SOURCED}HN22E,6500,{LOCAL}")
    before, after = load_pack(bench.folder), load_pack(bench.folder, [laid])
    assert [row.hrg for row in after.admitted] == [row.hrg for row in before.admitted]
    row = next(row for row in after.admitted if row.hrg == "HN22E")
    assert (row.combined, row.non_elective, row.elective_trim, row.name) == (650_000, None, None, "")
    assert str(row.origin) == "local/admitted.csv:2"
    assert next(cells for cells in after.plain()["tables"]["admitted"] if cells["hrg"] == "HN22E")["combined"] == "6500"
    assert after.digest == before.digest


def test_losing_columns_of_the_pack_is_a_warning(bench: PackOnTheBench, tmp_path: Path) -> None:
    laid = overlay(tmp_path / "local", mff=f"provider,mff,{SOURCED}ZZA,1.01,{LOCAL}")
    (warning,) = check_pack(bench.folder, [laid]).warnings
    assert str(warning) == (
        f"{laid / 'mff.csv'}: 1 replaced rows lose name, which the pack's table has\n"
        "    a row replaces the whole row: carry over what should stay"
    )


def test_new_rows_come_last_and_later_overlays_win(bench: PackOnTheBench, tmp_path: Path) -> None:
    first = overlay(
        tmp_path / "a", '[overlay]\nname = "a"\n', mff=f"provider,name,mff,{SOURCED}ZZX,X,1.1,{LOCAL}ZZA,A,1.2,{LOCAL}"
    )
    second = overlay(tmp_path / "b", '[overlay]\nname = "b"\n', mff=f"provider,name,mff,{SOURCED}ZZX,X,1.3,{LOCAL}")
    pack = load_pack(bench.folder, [first, second])
    assert pack.label == "example+a+b"
    assert [used.name for used in pack.overlays] == ["a", "b"]
    assert [(row.provider, row.mff) for row in pack.provider_factors if row.provider in {"ZZA", "ZZX"}] == [
        ("ZZA", 1_200_000),
        ("ZZX", 1_300_000),
    ]
    assert pack.provider_factors[-1].provider == "ZZX"


def test_a_rule_replaces_the_whole_rule(bench: PackOnTheBench, tmp_path: Path) -> None:
    declared = '[overlay]\nname = "local"\n[rules.rounding]\nmethod = "whole_pounds"\nsource = "SUS"\nconfidence = "practice"\n'
    pack = load_pack(bench.folder, [overlay(tmp_path / "local", declared)])
    assert (pack.rules.rounding.method, pack.rules.rounding.confidence) == ("whole_pounds", "practice")
    assert pack.rules.short_stay.method == "price_table"


def test_each_row_keeps_the_source_of_its_folder(bench: PackOnTheBench, tmp_path: Path) -> None:
    laid = overlay(
        tmp_path / "local",
        mff="provider,name,mff\nZZA,A,1.2\n",
        sources=(
            "table,columns,confidence,publisher,document,sheet,licence,retrieved,sha256,note\n"
            "mff,,local,A commissioner,Contract,,not for publication,2026-04-01,,\n"
        ),
    )
    pack = load_pack(bench.folder, [laid])
    labels = {row.provider: pack.confidence_of("mff", "mff", row).confidence for row in pack.provider_factors}
    assert labels == {"ZZA": "local", "ZZB": "illustrative", "ZZC": "illustrative", "ZZD01": "illustrative"}
    assert pack.confidence_of("mff", "mff") == ("local", "A commissioner, Contract")


def test_the_shipped_demonstration_switches_on_what_the_pack_lacks() -> None:
    bare, laid = load_pack("2024-25"), load_pack("2024-25", ["demonstration-2024-25"])
    assert (bare.rules.short_stay.method, bare.rules.long_stay.method, bare.rules.top_up.method) == ("none", "none", "none")
    assert (laid.rules.short_stay.confidence, laid.rules.long_stay.confidence, laid.rules.top_up.confidence) == (
        "assumed",
        "proxy",
        "illustrative",
    )
    assert [(row.top_up, row.percent) for row in laid.top_ups] == [
        ("CHILDREN", 6000),
        ("ORTHOPAEDIC", 2400),
        ("SPINAL", 3200),
        ("NEUROSCIENCES", 2800),
    ]
    columns = ("combined", "non_elective_trim", "per_day_long_stay", "short_stay_percent")
    assert [laid.confidence_of("admitted", column).confidence for column in columns] == ["published", "proxy", "proxy", "assumed"]
    assert laid.label == "2024-25+demonstration"


def one_pathway(folder: Path, bench: PackOnTheBench, name: str, old: str, new: str) -> Path:
    """An overlay that holds one pathway of the pack with one decision changed."""
    _, *blocks = (bench.folder / "pathways.toml").read_text(encoding="utf-8").split("[[pathway]]")
    (block,) = (block for block in blocks if f'name = "{name}"' in block)
    assert block.count(old) == 1
    laid = overlay(folder)
    (laid / "pathways.toml").write_text(f"schema = 1\n\n[[pathway]]{block.replace(old, new)}", encoding="utf-8")
    return laid


def test_an_overlay_may_hold_one_pathway_that_names_others_of_the_pack(bench: PackOnTheBench, tmp_path: Path) -> None:
    laid = one_pathway(tmp_path / "local", bench, "cataract", "window_days = 60", "window_days = 90")
    before, after = load_pack(bench.folder).pathways, load_pack(bench.folder, [laid]).pathways
    assert before is not None
    assert after is not None
    assert [its.name for its in after.pathway] == [its.name for its in before.pathway]
    changed = [now for was, now in zip(before.pathway, after.pathway, strict=True) if was != now]
    assert [(its.name, its.model_dump()["window_days"]) for its in changed] == [("cataract", 90)]


def test_a_pathway_that_names_none_is_told_by_the_line_that_says_it(bench: PackOnTheBench, tmp_path: Path) -> None:
    laid = one_pathway(tmp_path / "local", bench, "cataract", '"hip_and_knee"', '"hip_and_nee"')
    (fault,) = check_pack(bench.folder, [laid]).faults
    lines = (laid / "pathways.toml").read_text(encoding="utf-8").splitlines()
    line = next(number for number, line in enumerate(lines, start=1) if line.startswith("alongside"))
    assert fault.where == f"{laid / 'pathways.toml'}:{line}"
    assert fault.what == "pathway 'cataract': alongside names 'hip_and_nee', which is no pathway here"
    assert fault.remedy.startswith("did you mean 'hip_and_knee'?")


def test_a_faulty_cell_of_a_pathway_is_told_by_its_line(bench: PackOnTheBench) -> None:
    text = (bench.folder / "pathways.toml").read_text(encoding="utf-8")
    line = text[: text.index("window_days = 60")].count("\n") + 1
    bench.edit("pathways.toml", "window_days = 60", 'window_days = "60"')
    (fault,) = bench.faults()
    assert fault.startswith(f"pathways.toml:{line}: [pathway] 'window_days': Input should be a valid integer")


MISTAKES = {
    "not made for this pack": (
        '[overlay]\nname = "local"\npacks = ["2024-25"]\n',
        {},
        "overlay 'local' is not made for pack example\n    it is for: 2024-25",
    ),
    "no name": ("[overlay]\n", {}, "overlay.toml:1: [overlay] 'name' is missing"),
    "a misspelt method": (
        '[overlay]\nname = "local"\n[rules.short_stay]\nmethod = "non"\n',
        {},
        "overlay.toml:4: [rules.short_stay] method 'non' is not known\n    did you mean 'none'? known: none, price_table",
    ),
    "a misspelt rule": (
        '[overlay]\nname = "local"\n[rules.shortstay]\n',
        {},
        "overlay.toml:3: [rules] 'shortstay' is not known here",
    ),
    "no source": (
        '[overlay]\nname = "local"\n',
        {"mff": "provider,name,mff\nZZA,A,1.2\n"},
        "mff.csv:2: no source and confidence for column mff (1 rows)",
    ),
    "a pack file in an overlay": ('[overlay]\nname = "local"\n', {"pack": ""}, "pack.csv: this file is no part of a rule pack"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_of_an_overlay_are_told(bench: PackOnTheBench, tmp_path: Path, name: str) -> None:
    declared, tables, message = MISTAKES[name]
    laid = overlay(tmp_path / "local", declared, **tables)
    with pytest.raises(RulesError) as raised:
        load_pack(bench.folder, [laid])
    assert len(raised.value.faults) == 1
    assert message in str(raised.value)


def test_overlays_must_be_told_apart(bench: PackOnTheBench, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    first, second = overlay(tmp_path / "local"), overlay(tmp_path / "elsewhere" / "local")
    assert [fault.what for fault in check_pack(bench.folder, [first, second]).faults] == [
        "overlay 'local' is laid on twice",
        "another folder of this run is named 'local' too, so its rows could not be told apart",
    ]


def test_an_overlay_may_bring_the_table_a_rule_needs(bench: PackOnTheBench, tmp_path: Path) -> None:
    bench.drop("mff.csv")
    bench.seal()
    assert check_pack(bench.folder).faults
    laid = overlay(tmp_path / "local", mff=f"provider,name,mff,{SOURCED}ZZA,A,1.2,{LOCAL}")
    assert load_pack(bench.folder, [laid]).provider_factors[0].mff == 1_200_000


def test_a_folder_that_is_no_overlay_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"holds no overlay\.toml"):
        load_pack("example", [tmp_path])
    with pytest.raises(RulesError, match=r"there is no overlay 'demonstration'"):
        load_pack("2024-25", ["demonstration"])


def test_a_copy_of_a_shipped_overlay_works_by_path(tmp_path: Path) -> None:
    shutil.copytree(find_pack("2024-25").parent / "overlays" / "demonstration-2024-25", tmp_path / "mine")
    assert load_pack("2024-25", [tmp_path / "mine"]).label == "2024-25+demonstration"


def test_a_local_price_of_other_care_takes_the_factor_again(bench: PackOnTheBench, tmp_path: Path) -> None:
    laid = overlay(
        tmp_path / "local",
        '[overlay]\nname = "local"\n\n[rules.emergency]\nmethod = "national"\nsimplest_currency = "VB10Z"\n'
        'source = "Contract of 1 April"\nconfidence = "local"\n',
        emergency=f"currency,name,price,type_3_price,mff,{SOURCED}VB06Z,Local,210.50,,,{LOCAL}",
        unbundled=f"currency,name,unit,price,pod,pass_through,mff,{SOURCED}XC05Z,Local,day,2100,,,,{LOCAL}XX01Z,New,day,9,,,,{LOCAL}",
    )
    before, after = load_pack(bench.folder), load_pack(bench.folder, [laid])
    assert (before.emergency[5].price, before.emergency[5].mff) == (20_000, False)
    assert (after.emergency[5].price, after.emergency[5].mff, after.emergency[5].confidence) == (21_050, True, "local")
    assert len(after.emergency) == len(before.emergency)
    assert [row.currency for row in after.unbundled] == [*(row.currency for row in before.unbundled), "XX01Z"]
    assert after.rules.emergency.confidence == "local"
    assert after.rules.outpatient == before.rules.outpatient


def test_a_rule_of_an_overlay_may_only_name_currencies_that_stand_in_the_tables(bench: PackOnTheBench, tmp_path: Path) -> None:
    declared = (
        '[overlay]\nname = "local"\n\n[rules.emergency]\nmethod = "national"\nsimplest_currency = "VB12Z"\n'
        'source = "Contract of 1 April"\nconfidence = "local"\n'
    )
    laid = overlay(tmp_path / "local", declared)
    (fault,) = check_pack(bench.folder, [laid]).faults
    assert str(fault).startswith(f"{laid / 'overlay.toml'}:5: [rules.emergency] names 'VB12Z', which emergency.csv has not")


def test_under_auto_an_overlay_is_laid_on_the_packs_it_is_made_for(tmp_path: Path) -> None:
    anywhere = overlay(
        tmp_path / "anywhere", '[overlay]\nname = "anywhere"\n', mff=f"provider,name,mff,{SOURCED}ZZX,A,1.1,{LOCAL}"
    )
    packs = load_rules(overlays=["demonstration-2024-25", anywhere])
    assert isinstance(packs, tuple)
    labels = {pack.label for pack in packs}
    assert {"2017-18+anywhere", "2018-19+anywhere", "2024-25+demonstration+anywhere"} <= labels


def test_under_auto_an_overlay_for_no_pack_there_is_is_refused(tmp_path: Path) -> None:
    lost = overlay(tmp_path / "lost", '[overlay]\nname = "lost"\npacks = ["1999-00"]\n')
    with pytest.raises(RulesError, match=r"(?s)made for none .*lost/overlay\.toml: is for 1999-00.*known: 2017-18"):
        load_rules(overlays=[lost])
