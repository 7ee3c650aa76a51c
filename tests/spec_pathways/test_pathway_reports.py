"""Tables of pathways for a report: they add to the pathways they are made of, and carry no patient."""

from __future__ import annotations

import polars as pl
import pytest

from tariff.pathways import break_even, bundle_under, leakage, left_out, price_against_cost, sensitivity, winners_and_losers
from tariff.report.pathway_report import PathwayReport


@pytest.fixture(scope="module")
def year(histories):
    return histories(11, 400)


@pytest.fixture(scope="module")
def bundled(world, year):
    return world.bundle(*year)


def paid(pathways):
    return pathways.filter(pl.col("flag").is_null())


def test_price_against_cost_adds_to_the_pathways(bundled):
    table, pathways = price_against_cost(bundled.pathways), paid(bundled.pathways)
    assert table["pathways"].sum() == pathways.height
    assert table["bundle_pence"].sum() == pathways["price_pence"].sum()
    assert table["episodic_pence"].sum() == pathways["episodic_pence"].sum()
    assert (table["gain_pence"] == table["bundle_pence"] - table["episodic_pence"]).all()
    spread = table.select("lowest_pence", "tenth_pence", "median_pence", "ninetieth_pence", "highest_pence")
    assert all(list(row) == sorted(row) for row in spread.rows())


def test_gain_is_case_mix_and_own_cost(bundled):
    table = winners_and_losers(bundled.pathways)
    assert (table["gain_pence"] == table["level_pence"] + table["own_pence"]).all()
    assert table["bundle_pence"].sum() == paid(bundled.pathways)["price_pence"].sum()


def test_break_even_is_the_mean_of_episodic_value(bundled):
    row = (
        break_even(bundled.pathways)
        .filter((pl.col("definition") == "joint") & (pl.col("level") == "standard"))
        .row(0, named=True)
    )
    own = paid(bundled.pathways).filter((pl.col("definition") == "joint") & (pl.col("level") == "standard"))["episodic_pence"]
    assert row["break_even_pence"] == own.sum() // len(own)
    assert row["winsorised_pence"] <= own.max()


def test_leakage_is_what_lead_providers_owe(bundled):
    table = leakage(bundled.lines, bundled.pathways)
    assert table["elsewhere_pence"].sum() == bundled.owed["pence"].sum()
    assert table["inside_pence"].sum() == paid(bundled.pathways)["episodic_pence"].sum()


def test_left_out_says_why(bundled):
    table = left_out(bundled.lines)
    assert {"outside_unrelated", "outside_cancer", "outside_out_of_area"} <= set(table["category"])


def test_sensitivity_says_what_each_decision_moves(world, year):
    lines, entries = year
    priced, activity = world.frames(lines)
    under = bundle_under(priced, activity, world_registers(entries), until=world.ends)
    decisions = {"no stop-loss": {"stop_loss": None}, "no window": {"window_days": -1_000, "warranty_days": 0}}
    table = sensitivity(under, world.definitions.only(["joint", "cystic_fibrosis"]), decisions)
    assert table["decision"].to_list() == ["as defined", "no stop-loss", "no window"]
    base, without, shorter = table.to_dicts()
    assert base["moves_pence"] == 0
    pathways, _ = under(world.definitions.only(["joint", "cystic_fibrosis"]))
    assert without["moves_pence"] == -pathways["stop_loss_pence"].sum()
    assert base["pathways_changed"] == 0
    assert without["pathways_changed"] == pathways.filter(pl.col("stop_loss_pence") != 0).height
    assert shorter["episodic_pence"] < base["episodic_pence"]
    assert shorter["pathways_changed"] > without["pathways_changed"]


@pytest.mark.parametrize(("changed", "shown"), [(0, True), (1, False), (7, False), (8, True)])
def test_what_a_decision_moves_in_few_pathways_is_hidden_however_many_there_are(tmp_path, changed, shown):
    """Else the money of two lines would be told by what taking them out moves."""
    counts = {"pathways": [20, 20], "bundle_pence": [100, 100], "episodic_pence": [300, 90], "moves_pence": [0, 205_21]}
    decided = {"decision": ["as defined", "care at other providers outside"], "definition": ["", "joint"]}
    table = pl.DataFrame({**decided, **counts, "pathways_changed": [0, changed]})
    PathwayReport({"sensitivity": table}).write(tmp_path)
    row = pl.read_csv(tmp_path / "sensitivity.csv", infer_schema=False).row(1, named=True)
    assert row["moves_pounds"] == ("205.21" if shown else "[c]")
    assert row["pathways_changed"] == (str(changed) if shown else "[c]")


def test_no_table_carries_a_patient(bundled):
    tables = [
        price_against_cost(bundled.pathways), winners_and_losers(bundled.pathways), break_even(bundled.pathways),
        leakage(bundled.lines, bundled.pathways), left_out(bundled.lines), bundled.owed,
    ]  # fmt: skip
    for table in tables:
        assert "patient_id" not in table.columns


def world_registers(entries):
    columns = ["patient_id", "register", "level", "start_date", "end_date", "provider", "commissioner"]
    return pl.DataFrame(entries, infer_schema_length=None).select(columns)
