"""What changed between packs, as facts and in words: the published figures of this field, and one change at a time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tariff.errors import RulesError
from tariff.rulepack import find_pack, load_pack
from tariff.rulepack.book import compile_book
from tariff.rulepack.differences import MOVED, PackDifferences, as_text, difference, pack_with_overlays, spread_of

if TYPE_CHECKING:
    from conftest import PackOnTheBench

SPLIT = (
    "CA11A CA14Z CA32A CA60A CA60B CA61Z EY06E EY08E FZ18J FZ18K GA10K "
    "GB06H KA03D LB13E LB13F LB25E LB25F LB51B MA04D YG11A YL20A"
)


@pytest.fixture(scope="module")
def two_years() -> PackDifferences:
    return difference(load_pack("2017-18"), load_pack("2018-19"))


def test_2018_19_against_2017_18(two_years: PackDifferences) -> None:
    spread = spread_of(two_years.of_setting("combined"))
    assert spread is not None
    assert [round(figure, 4) for figure in (spread.mean, spread.smallest, spread.largest)] == [1.0080, 1.0000, 1.0363]
    assert spread.number == 2277
    assert two_years.split() == SPLIT.split()
    assert two_years.unpriced() == ["LA97A", "PB03Z", "SB97Z", "SC97Z", "UZ01Z"]
    assert (two_years.new, two_years.withdrawn, two_years.trims) == ((), (), ())


def test_the_text_names_them(two_years: PackDifferences) -> None:
    text = as_text(two_years)
    assert f"with separate day case and ordinary elective prices: 21 ({', '.join(SPLIT.split())})" in text
    assert "without any price in either: 5 (LA97A, PB03Z, SB97Z, SC97Z, UZ01Z)" in text
    assert "2277  1.0080  0.0046  1.0000  1.0043  1.0074  1.0110  1.0363" in text
    assert "YA11Z combined day case and ordinary elective: £1,268 becomes £1,314 (×1.0363)" in text


def test_the_184_prices_of_2025_26_over_2024_25() -> None:
    packs = difference(load_pack("2024-25"), pack_with_overlays("2024-25+nhsps-2025-26-hn-hc"))
    for setting, mean, deviation in (("combined", 1.0346, 0.0002), ("non_elective", 1.1559, 0.0005)):
        spread = spread_of(move for move in packs.of_setting(setting) if move.kind == MOVED)
        assert spread is not None
        assert spread.number == 184
        assert (round(spread.mean, 4), round(spread.deviation, 4)) == (mean, deviation)
    assert {move.hrg[:2] for move in packs.moves if move.kind == MOVED} == {"HC", "HN"}


def test_a_pack_loads_and_compiles_within_a_second() -> None:
    """The best of three, in processor time, as the machine may be busy."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        compile_book(load_pack("2017-18"))
        taken.append(time.process_time() - started)
    assert min(taken) < 1


def test_a_pack_differs_from_itself_in_nothing() -> None:
    same = difference(load_pack("example"), load_pack("example"))
    assert not [move for move in same.moves if move.kind != "unchanged"]
    assert (same.new, same.withdrawn, same.trims, same.cells, same.rules) == ((), (), (), (), ())
    assert as_text(same).endswith("Rules\n  no change")


HN22E = "HN22E,Very Major Knee Procedures for Non-Trauma with CC Score 0-1,,6000,,,10,6000,30,200,no,,\n"


def changed(bench: PackOnTheBench, old: str, new: str, file: str = "admitted.csv") -> PackDifferences:
    bench.edit(file, old, new).seal()
    return difference(load_pack("example"), load_pack(bench.folder))


def test_a_price_a_trim_point_and_an_hrg(bench: PackOnTheBench) -> None:
    row = HN22E.replace(",,6000,,,10,6000,30", ",,,5000,6100,12,6000,").replace("200", "")
    packs = changed(bench, HN22E, row + "HN99Z,Invented,,100,,,,,,,no,,\n")
    moves = {move.setting: (move.before, move.after) for move in packs.moves if move.kind != "unchanged"}
    assert moves == {
        "day_case": (600_000, 500_000),
        "ordinary_elective": (600_000, 610_000),
        "per_day_long_stay": (20_000, None),
    }
    assert [(trim.column, trim.before, trim.after) for trim in packs.trims] == [
        ("elective_trim", 10, 12),
        ("non_elective_trim", 30, None),
    ]
    assert [row.hrg for row in packs.new] == ["HN99Z"]
    text = as_text(packs)
    assert "ordinary elective: 1 longer, 0 shorter, by +2 to +2 days" in text
    assert "non-elective: 0 HRGs have a trim point now that had none, 1 have none any more" in text
    assert "per-day long stay: 1 have no price any more (HN22E)" in text


def test_a_rule_and_a_rate(bench: PackOnTheBench) -> None:
    bench.edit("pack.toml", "minimum_age = 19", "minimum_age = 16")
    packs = changed(bench, "ZZB,Invented City Hospitals,1.050000", "ZZB,Invented City Hospitals,1.060000", "mff.csv")
    assert [change.sentence for change in packs.rules] == ["short stay: minimum age 19 becomes 16"]
    assert [tuple(move) for move in packs.cells] == [("mff", "ZZB", "mff", "1.050000", "1.060000")]
    assert "mff.csv: 0 rows new, 0 gone, 1 changed" in as_text(packs)


def test_a_number_printed_otherwise_is_the_same(bench: PackOnTheBench) -> None:
    packs = changed(bench, "ZZB,Invented City Hospitals,1.050000", "ZZB,Invented City Hospitals,1.05", "mff.csv")
    assert packs.cells == ()


def test_a_rule_that_ends(bench: PackOnTheBench) -> None:
    text = (bench.folder / "pack.toml").read_text(encoding="utf-8")
    start = text.index("[rules.top_up]")
    end = text.index("[rules.", start + 1)
    bench.write(
        "pack.toml", text[:start] + '[rules.top_up]\nmethod = "none"\nsource = "x"\nconfidence = "local"\n\n' + text[end:]
    )
    bench.drop("top_ups.csv")
    bench.drop("top_up_providers.csv").seal()
    packs = difference(load_pack("example"), load_pack(bench.folder))
    assert packs.rules[0].sentence == "top up: highest_eligible becomes none (Specialised service codes change no price)"
    assert {move.column for move in packs.cells} == {"row"}


def test_packs_are_named_as_run_cards_name_them(tmp_path: Path) -> None:
    assert pack_with_overlays("2024-25+demonstration-2024-25").label == "2024-25+demonstration"
    assert pack_with_overlays(str(find_pack("example"))).label == "example"
    with pytest.raises(RulesError, match="there is no overlay 'nothing'"):
        pack_with_overlays("2024-25+nothing")
    with pytest.raises(RulesError, match="there is no rule pack"):
        pack_with_overlays(str(tmp_path / "none"))
