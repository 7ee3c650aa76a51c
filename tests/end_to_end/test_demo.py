"""`tariff demo` from nothing but the package, as a stranger runs it: everything it says agrees with everything it wrote."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from tariff.columns import PATHWAY_TABLES
from tariff.money import pounds

SPELLS = 3_000


class Demo(NamedTuple):
    """A finished demo."""

    folder: Path
    out: str
    err: str
    card: dict[str, Any]
    priced: pl.DataFrame


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    home = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "tariff", "demo", "--spells", str(SPELLS), "--seed", "7"],
        cwd=home,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = home / "tariff-demo"
    card = json.loads((folder / "priced.run_card.json").read_text(encoding="utf-8"))
    return Demo(folder, done.stdout, done.stderr, card, pl.read_parquet(folder / "priced.parquet"))


def test_what_it_leaves(demo):
    tables = {f"priced.{table}.parquet" for table in PATHWAY_TABLES}
    left = {"activity", "priced.parquet", "priced.run_card.json", "report", *tables}
    assert {path.name for path in demo.folder.iterdir()} == left
    report = {
        "report.html",
        "report.xlsx",
        "comparison.parquet",
        "comparison.csv",
        "ledger.parquet",
        "bridge.csv",
        "run_card.json",
    }
    assert report <= {path.name for path in (demo.folder / "report").iterdir()}


def test_every_line_of_every_kind_comes_back(demo):
    lines = {told["kind"]: told["lines"] for told in demo.card["inputs"]}
    lines["unbundled"] += demo.card["attached_items"]["items"]
    assert lines["admitted"] == SPELLS
    assert demo.card["attached_items"]["items"] > 0
    assert demo.card["attached_items"]["also_given"] > 0
    came_back = demo.priced.group_by(pl.col("kind").cast(pl.String)).len()
    assert dict(came_back.iter_rows()) == lines
    assert demo.card["counts"]["in"] == demo.priced.height == sum(lines.values())
    spells = demo.priced.filter(pl.col("kind") == "admitted")
    assert spells.filter(pl.col("outcome") == "priced").height > 0.9 * SPELLS


def test_the_money_is_one_sum_everywhere(demo):
    total = demo.card["price_pence"]
    assert demo.priced["price_pence"].sum() == total
    assert f"{pounds(total)}  in all, under 2024-25+demonstration+" in demo.out
    comparison = pl.read_parquet(demo.folder / "report" / "comparison.parquet")
    ledger = pl.read_parquet(demo.folder / "report" / "ledger.parquet")
    by_model = dict(comparison.group_by("model").agg(pl.col("pence").sum()).iter_rows())
    assert by_model["episodic"] == total
    assert by_model == dict(ledger.group_by("model").agg(pl.col("pence").sum()).iter_rows())
    assert len(by_model) == 9
    assert {"episodic", "block", "cost-and-volume", "blended-2019-20", "api-2022-23"} <= set(by_model)
    card = json.loads((demo.folder / "report" / "run_card.json").read_text(encoding="utf-8"))
    assert {told["model"]: told["pence"] for told in card["totals"]} == by_model


def test_the_bridge_adds_up(demo):
    comparison = pl.read_parquet(demo.folder / "report" / "comparison.parquet")
    differences = comparison.filter(pl.col("model") != "episodic").group_by("model").agg(pl.col("difference_pence").sum())
    baseline = demo.card["price_pence"]
    paid = dict(comparison.group_by("model").agg(pl.col("pence").sum()).iter_rows())
    assert dict(differences.iter_rows()) == {model: pence - baseline for model, pence in paid.items() if model != "episodic"}


def test_whole_pathways_are_paid_in_place_of_their_lines(demo):
    pathways = pl.read_parquet(demo.folder / "priced.pathways.parquet")
    bundled = demo.priced["pathway_pence"].sum()
    compared = pl.read_parquet(demo.folder / "report" / "comparison.parquet").filter(pl.col("model") == "pathways")
    assert set(pathways["definition"]) == {"hip_and_knee", "cataract"}
    assert bundled > 0
    assert compared["difference_pence"].sum() == pathways["change_pence"].sum() - bundled


def test_every_rule_is_seen_at_work_under_its_label(demo):
    assert all(demo.card["components"].values())
    labels = {(told["component"], told["label"]) for told in demo.card["assumptions"]}
    assert {("base", "published"), ("long_stay", "proxy"), ("short_stay", "assumed")} <= labels
    assert {("top_up", "illustrative"), ("market_forces", "illustrative")} <= labels
    named = {"mff_pence": "market_forces"}
    for column, pence in demo.card["components"].items():
        component = named.get(column, column.removesuffix("_pence"))
        assert sum(told["pence"] for told in demo.card["assumptions"] if told["component"] == component) == pence


def test_the_page_is_whole_and_by_itself(demo):
    page = (demo.folder / "report" / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    assert not re.search(r"""(src|href)=["']https?://""", page)


def test_no_patient_of_it_is_told(demo):
    patients = demo.priced["patient_id"].drop_nulls().unique().to_list()
    kinds = {".html", ".json", ".csv"}
    told = demo.out + demo.err
    told += "".join(path.read_text(encoding="utf-8") for path in (demo.folder / "report").iterdir() if path.suffix in kinds)
    assert patients
    assert not set(patients) & set(re.findall(r"[\w-]+", told))


def test_the_line_it_offers_to_explain(demo):
    offered = re.search(r"tariff (explain .*)$", demo.err, flags=re.MULTILINE)
    assert offered
    done = _tariff(demo, *offered[1].split())
    assert done.returncode == 0, done.stderr
    assert {"Base price", "Market forces", "Price"} <= {line.split("  ")[0] for line in done.stdout.splitlines()}


def test_the_reference_agrees(demo):
    done = _tariff(demo, "verify", "tariff-demo/priced.parquet", "--sample", "1000")
    assert done.stdout == f"1,000 of {demo.priced.height:,} lines priced again by the reference: no disagreement.\n"


def _tariff(demo: Demo, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tariff", *arguments]
    return subprocess.run(command, cwd=demo.folder.parent, capture_output=True, text=True, encoding="utf-8", check=False)


def test_it_is_not_done_twice_in_one_place_unless_asked(demo):
    before = (demo.folder / "priced.parquet").read_bytes()
    assert _tariff(demo, "demo", "--spells", "50").returncode == 6
    assert (demo.folder / "priced.parquet").read_bytes() == before


def test_a_demo_that_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    from tariff.cli import run

    monkeypatch.setattr("tariff.demonstration.compare", None)
    assert run(["demo", "--spells", "50", "--out", str(tmp_path / "out")]) == 70
    assert list(tmp_path.iterdir()) == []


def test_best_practice_is_paid_on_the_evidence_of_the_audits(demo):
    told = demo.card["evidence"]
    assert told["answers_of_lines"] > 100
    assert told["answers_of_gates"] > 50
    assert {"unknown_tariff", "silent"} <= {found["problem"] for found in told["not_used"]}
    earned, lost, at_stake = (
        demo.priced[name].sum() for name in ("best_practice_pence", "best_practice_lost_pence", "best_practice_at_stake_pence")
    )
    assert min(earned, lost, at_stake) > 0
    statuses = demo.priced["best_practice_status"].drop_nulls().unique()
    assert {"met", "not_met", "no_evidence"} <= set(statuses)
    page = (demo.folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "Best practice earned providers" in page
    assert "Fragility hip fracture" in page
    labels = {row["label"] for row in demo.card["assumptions"] if row["component"] == "base"}
    assert "illustrative" in labels, "additions of other years are no published figures of 2024/25"
    assert "Evidence of best practice that was not used" in page
