"""The run card says what a run read, which rules it used, what came of every line, and what every pound rests on."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariff.columns import COMPONENTS
from tariff.rulepack import load_pack


@pytest.fixture
def card(tariff, everything) -> dict[str, Any]:
    """Of a run in which every rule acts."""
    assert tariff("price", everything, "--rules", "example", "--out", "priced.parquet").code == 0
    return json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))


@pytest.fixture
def lines(card) -> pl.DataFrame:
    return pl.read_parquet("priced.parquet").with_columns(pl.col("outcome", "reason", "pod", "setting").cast(pl.String))


def test_what_was_run(card):
    assert card["command"] == ["tariff", "price", card["inputs"][0]["path"], "--rules", "example", "--out", "priced.parquet"]
    assert datetime.fromisoformat(card["started"]) <= datetime.fromisoformat(card["finished"])
    assert card["options"] == {"rules": "example", "dates": "strict", "confidence": None, "columns": None, "overlays": []}
    assert card["attached_items"] == {"items": 0, "also_given": 0, "of_another_date": 0}
    assert {"python", "polars", "numba"} <= set(card["versions"])


def test_what_was_read(card, everything):
    (facts,) = card["inputs"]
    rows = len(everything.read_text(encoding="utf-8").splitlines()) - 1
    assert facts["sha256"] == hashlib.sha256(everything.read_bytes()).hexdigest()
    assert (facts["file"], facts["kind"], facts["rows"], facts["lines"]) == ("everything.csv", "admitted", rows, rows)
    assert facts["bytes"] == everything.stat().st_size
    assert (facts["encoding"], facts["separator"], facts["ignored"]) == ("utf-8", ",", [])


def test_which_rules_were_used(card):
    (told,) = card["packs"]
    pack = load_pack("example")
    assert (told["label"], told["digest"], told["overlays"]) == ("example", pack.digest, [])
    assert told["lines_priced"] == card["counts"]["priced"]
    rules = {rule["rule"]: rule for rule in told["rules"]}
    assert rules["long_stay"]["method"] == "per_day_beyond_trim"
    assert all(rule["source"] and rule["confidence"] for rule in rules.values())
    titles = {its.name: its.title for its in pack.pathways.pathway}
    assert len(titles) > 1
    assert {said["name"]: said["title"] for said in told["pathways"]} == titles


def test_lines_in_are_the_sum_of_the_outcomes_and_of_the_reasons(card, lines):
    counts = dict(card["counts"])
    assert counts.pop("in") == sum(counts.values()) == sum(told["lines"] for told in card["reasons"]) == lines.height
    assert counts == dict(Counter(lines["outcome"]))
    assert {told["reason"]: told["lines"] for told in card["reasons"]} == dict(Counter(lines["reason"]))
    assert all(told["sentence"] and told["rule"] for told in card["reasons"])
    worth = sum(told["indicative_pence"] for told in card["reasons"])
    assert worth == lines["indicative_pence"].sum() > 0


def test_items_that_may_be_given_twice_are_told(tariff, spells):
    apc = spells({"spell_id": "A", "unbundled": "XC07Z*3;XC06Z"})
    cc = "line_id,provider,commissioner,date,currency,units,parent_line_id\n"
    cc += "U1,ZZB,99A,2017-06-01,XC07Z,3,A\nU2,ZZB,99A,2017-06-30,XC06Z,1,A\n"
    Path("cc.csv").write_text(cc, encoding="utf-8")
    done = tariff("price", apc, "cc.csv", "--rules", "example", "--out", "priced.parquet")
    card = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))
    assert card["attached_items"] == {"items": 1, "also_given": 1, "of_another_date": 1}
    assert "1 of them items written on spells; 1 more came as lines too and are counted once" in done.out
    assert "1 of these items have a line of the same spell and currency, but of another date: if they are" in done.out


def test_components_add_to_the_price(card, lines):
    assert card["components"] == {name: lines[name].sum() for name in COMPONENTS}
    assert sum(card["components"].values()) == card["price_pence"] == lines["price_pence"].sum()
    assert all(card["components"].values()), "every component is at work"


def test_every_penny_of_a_component_rests_on_something(card):
    resting: Counter[str] = Counter()
    for told in card["assumptions"]:
        assert told["source"]
        assert told["label"] in ("illustrative", "local")
        assert told["lines"] > 0
        resting[told["component"]] += told["pence"]
    named = {"mff_pence": "market_forces"}
    assert {name: resting[named.get(name, name.removesuffix("_pence"))] for name in COMPONENTS} == card["components"]
    local = next(told for told in card["assumptions"] if told["label"] == "local")
    assert (local["component"], local["source"]) == ("base", "local price given with the activity")


def test_control_totals(card, lines):
    totals = card["control_totals"]
    assert sum(one["lines_in"] for one in totals) == card["counts"]["in"]
    assert sum(one["lines_priced"] for one in totals) == card["counts"]["priced"]
    assert sum(one["price_pence"] for one in totals) == card["price_pence"]
    keys = [(one["provider"], one["pod"], one["financial_year"], one["month"]) for one in totals]
    assert len(set(keys)) == len(keys)
    first = next(one for one in totals if one["provider"] == "ZZB" and one["pod"] == "EL" and one["month"] == 3)
    of_it = lines.filter(pl.col("provider") == "ZZB", pl.col("pod") == "EL", pl.col("month") == 3)
    assert (first["lines_in"], first["price_pence"]) == (of_it.height, of_it["price_pence"].sum())


def test_warnings(card):
    warnings = {told["warning"]: told for told in card["warnings"]}
    assert {"grouping_method_unknown", "local_price_ignored", "top_up_unknown", "top_up_not_eligible"} <= set(warnings)
    assert warnings["local_price_ignored"]["price_pence"] == 630_000
    assert all(told["lines"] > 0 and told["sentence"] for told in card["warnings"])


def test_a_repeated_key_is_counted_and_valued(tariff, spells):
    repeats = [{"spell_id": "A"}, {"spell_id": "A"}, {"spell_id": "A", "provider": "ZZA"}, {"spell_id": "B"}, {"spell_id": "A"}]
    done = tariff("price", spells(*repeats), "--rules", "example", "--out", "priced.parquet")
    assert "Warning: 2 lines worth £12,600. The same identifier came more than once for a provider" in done.out
    card = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))
    assert card["counts"]["priced"] == 5
    (warning,) = card["warnings"]
    assert (warning["warning"], warning["lines"], warning["price_pence"]) == ("repeated_key", 2, 1_260_000)


def test_rows_without_an_identifier_repeat_nothing(tariff, spells):
    assert tariff("price", spells(*[{"spell_id": ""}] * 3), "--rules", "example", "--out", "priced.parquet").code == 0
    assert json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))["warnings"] == []


def test_rules_that_a_pack_lacks_are_declared(tariff, spells):
    done = tariff("price", spells({"provider": "RJ1"}), "--rules", "2017-18", "--out", "priced.parquet")
    assert "Not applied, because rule pack 2017-18 has no figures for it: short stay, top up, " in done.out
    (pack,) = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))["packs"]
    absent = {rule["rule"]: rule["confidence"] for rule in pack["rules"] if rule["method"] == "none"}
    assert absent.items() >= {"short_stay": "assumed", "top_up": "assumed", "market_forces_factor": "assumed"}.items()
    assert pack["notes"]


def test_proxy_figures_are_summed(tariff, spells):
    file = spells({"provider": "RJ1", "discharge_date": "2018-06-30", "admission_date": "2018-05-01", "admission_method": "21"})
    done = tariff("price", file, "--rules", "2018-19", "--out", "priced.parquet")
    assert "on proxy figures. The run card has the list." in done.out
    told = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))["assumptions"]
    assert {one["component"] for one in told if one["label"] == "proxy"} == {"long_stay"}


def test_overlays_are_part_of_the_label_and_named(tariff, spells, folder):
    overlay = folder / "contract"
    overlay.mkdir()
    (overlay / "overlay.toml").write_text('schema = 1\n[overlay]\nname = "contract"\nnote = "ours"\n', encoding="utf-8")
    (overlay / "mff.csv").write_text(
        "provider,name,mff,source,confidence\nZZB,Ours,1.100000,Our contract,local\n", encoding="utf-8"
    )
    done = tariff("price", spells(), "--rules", "example", "--overlay", "contract", "--out", "priced.parquet")
    assert done.code == 0, done.err
    assert "£6,600.00  in all, under example+contract" in done.out
    (pack,) = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))["packs"]
    (told,) = pack["overlays"]
    assert (told["name"], told["note"], len(told["digest"])) == ("contract", "ours", 64)
    assert tariff("verify", "priced.parquet").code == 0
    assert "contract/mff.csv:2 · local · Our contract" in tariff("explain", "priced.parquet", "--line", "S1").out


def test_a_column_that_nothing_is_read_from_is_named(tariff, spells):
    done = tariff("price", spells({"colour": "blue", "adjusted_los": "3"}), "--rules", "example", "--out", "priced.parquet")
    assert "apc.csv: admitted, 1 rows; not read: colour, adjusted_los" in done.err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"card": 2}'])
def test_a_file_that_is_no_run_card(tariff, spells, text):
    assert tariff("price", spells(), "--rules", "example", "--out", "priced.parquet").code == 0
    Path("priced.run_card.json").write_text(text, encoding="utf-8")
    done = tariff("verify", "priced.parquet")
    assert done.code == 3
    assert "The run card cannot be read." in done.err


def test_an_episode_that_came_twice_is_counted_and_valued(tariff, folder):
    heading = "spell_id,provider,commissioner,admission_date,discharge_date,admission_method,patient_classification,age,hrg"
    spell = "ZZB,99A,2017-06-10,2017-06-30,11,1,60,HN22E"
    episodes = ["S1,{},1,5", "S1,{},1,5", "S2,{},1,5", "S2,{},2,5"]
    text = "\n".join([f"{heading},episode_number,length_of_stay", *(one.format(spell) for one in episodes)])
    (folder / "episodes.csv").write_text(f"{text}\n", encoding="utf-8")
    told = tariff("price", "episodes.csv", "--rules", "example", "--out", "priced.parquet")
    card = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))
    assert card["inputs"][0]["episodes_repeated"] == 1
    (warning,) = (one for one in card["warnings"] if one["warning"] == "repeated_episode")
    assert (warning["lines"], warning["price_pence"]) == (1, 630_000)
    assert "1 line worth £6,300. An episode of the same number came more than once in these spells" in told.out
