"""`tariff rules` and `tariff synth` as their users run them."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_rules_list_names_packs_and_overlays(tariff):
    done = tariff("rules", "list")
    first_words = [line.split()[0] for line in done.out.splitlines() if line]
    assert done.code == 0
    assert {"2017-18", "2018-19", "2024-25", "example", "demonstration-2024-25"} <= set(first_words)


def test_rules_of_one_s_own_are_found_by_name(tariff, folder, monkeypatch):
    from tariff.rulepack import find_pack

    own = folder / "packs" / "ours"
    own.mkdir(parents=True)
    for file in find_pack("example").iterdir():
        text = file.read_text(encoding="utf-8")
        (own / file.name).write_text(text.replace('year = "example"', 'year = "ours"'), encoding="utf-8")
    monkeypatch.setenv("TARIFF_RULES", str(folder / "packs"))
    assert "\nours " in tariff("rules", "list").out
    assert tariff("rules", "check", "ours").code == 0


def test_rules_show_tells_rules_tables_and_sources(tariff):
    done = tariff("rules", "show", "2017-18")
    assert done.code == 0
    for told in ("short_stay: none [assumed]", "long_stay: per_day_beyond_trim", "admitted.csv: 2,303 rows", "[published]"):
        assert told in done.out


@pytest.mark.parametrize("pack", ["2017-18", "2018-19", "2024-25", "example"])
def test_shipped_packs_have_no_fault(tariff, pack):
    done = tariff("rules", "check", pack)
    assert done.code == 0
    assert "0 faults" in done.out


def test_the_same_seed_gives_the_same_bytes(tariff):
    for out in ("a", "b"):
        done = tariff("synth", "--out", out, "--spells", "60", "--seed", "3")
        assert done.code == 0
        assert f"{Path(out, 'admitted.parquet')}\n" in done.out
    assert tariff("synth", "--out", "c", "--spells", "60", "--seed", "4").code == 0
    first, again, other = (Path(out, "admitted.parquet").read_bytes() for out in "abc")
    assert first == again != other


def test_a_synthetic_year_is_priced_with_its_overlay(tariff):
    assert tariff("synth", "--out", "year", "--spells", "60").code == 0
    options = ("--rules", "2024-25", "--overlay", "year/overlay", "--max-unpriced", "20")
    done = tariff("price", "year/admitted.parquet", *options, "--out", "priced.parquet")
    assert done.code == 0, done.err
    assert tariff("verify", "priced.parquet").code == 0
    done = tariff(
        "compare", "priced.parquet", "--models", "preset:block,preset:cost-and-volume", "--plan", "year/plan.csv", "--out", "c"
    )
    assert done.code == 0, done.err
    assert Path("c/report.html").exists()
