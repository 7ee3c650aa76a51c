"""A year started from another: its figures stand in, labelled so, and the pack passes `check`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tariff.errors import OutputError, RulesError
from tariff.rulepack import check_pack, load_pack
from tariff.rulepack.differences import difference
from tariff.rulepack.scaffold import new_year


@pytest.mark.parametrize(("year", "base"), [("2025-26", "2024-25"), ("2019-20", "2018-19"), ("2018-19", "example")])
def test_every_figure_stands_in(tmp_path: Path, year: str, base: str) -> None:
    folder = new_year(year, base, tmp_path / year)
    check = check_pack(folder)
    assert (check.faults, check.warnings) == ((), ())
    made, old = load_pack(folder), load_pack(base)
    assert (made.label, made.starts.isoformat(), made.ends.isoformat()) == (year, f"{year[:4]}-04-01", f"20{year[5:]}-03-31")
    assert made.cells["admitted"] == old.cells["admitted"]
    packs = difference(old, made)
    assert {move.kind for move in packs.moves} == {"unchanged"}
    assert {change.what for change in packs.rules} <= {"confidence"}
    assert made.examples == ()
    assert made.notes[0].startswith(f"Started from {base}")
    for name in type(made.rules).model_fields:
        rule = getattr(made.rules, name)
        assert rule.source.startswith(f"Carried over from {base}: ")
        assert rule.confidence != "published"
    assert "published" not in (folder / "sources.csv").read_text(encoding="utf-8").replace("published figures", "")
    assert tomllib.loads((folder / "pack.toml").read_text(encoding="utf-8"))["schema"] == 1


def test_the_dated_parameters_of_the_year_are_taken(tmp_path: Path) -> None:
    assert load_pack("example").rules.top_up.includes_long_stay is True
    assert load_pack(new_year("2015-16", "example", tmp_path / "early")).rules.top_up.includes_long_stay is False


def test_what_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="not a financial year"):
        new_year("2025", "2024-25", tmp_path / "x")
    with pytest.raises(RulesError, match="there is no rule pack '2031-32'"):
        new_year("2025-26", "2031-32", tmp_path / "x")
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError):
        new_year("2025-26", "2024-25", tmp_path / "y", overwrite=True)
    assert (tmp_path / "y" / "letter.txt").exists()
