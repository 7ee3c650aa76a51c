"""What must not matter, and what must add up: order of rows, partitions, one annual run or twelve monthly ones; every line in one
paying pathway at most, lines and bundles that reconcile, a matrix that nets to zero."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta

import polars as pl
import pytest

from tariff.errors import DisagreementError
from tariff.pathways import bundle

MONTH_ENDS = [date(2017, month, 1) - timedelta(days=1) for month in range(3, 13)] + [
    date(2018, month, 1) - timedelta(days=1) for month in range(1, 13)
]
PATIENTS = 600


@pytest.fixture(scope="module")
def year(histories):
    return histories(7, PATIENTS)


def test_order_of_rows_does_not_matter(world, year):
    lines, entries = year
    shuffled, others = list(lines), list(entries)
    random.Random(3).shuffle(shuffled)
    random.Random(4).shuffle(others)
    first, second = world.by_sweep(lines, entries), world.by_sweep(shuffled, others)
    assert first.places == second.places
    assert first.pathways == second.pathways
    assert world.readmissions_by_sweep(lines) == world.readmissions_by_sweep(shuffled)


@pytest.mark.parametrize("partitions", [2, 7])
def test_partitions_do_not_matter(world, year, partitions):
    lines, entries = year
    whole, parts = world.bundle(lines, entries, partitions=1), world.bundle(lines, entries, partitions=partitions)
    assert whole.lines.collect().equals(parts.lines.collect())
    for name in ("pathways", "owed", "restated"):
        assert getattr(whole, name).equals(getattr(parts, name)), name
    assert whole.open.sort(pl.all()).equals(parts.open.sort(pl.all()))
    assert world.readmissions_by_sweep(lines) == world.readmissions_by_sweep(lines, partitions)


def test_lines_come_back_in_order_and_pathway_columns_are_filled(world, year):
    lines, entries = year
    bundled = world.bundle(lines, entries)
    kinds = ("admitted", "outpatient", "emergency", "unbundled")
    assert bundled.lines.collect()["line_id"].to_list() == [
        line["line_id"] for kind in kinds for line in lines if line["kind"] == kind
    ]


def test_monthly_runs_come_to_the_annual_run(world, year, everyday):
    lines, entries = year
    lines = [*lines, *(everyday(patient_id="M", line_id=f"M{day}", start=day, end=day) for day in MONTH_ENDS)]
    annual = world.bundle(lines, entries, until=MONTH_ENDS[-1])
    opened, places, paid, table, owed = None, {}, defaultdict(int), {}, defaultdict(int)
    before, again = date(2000, 1, 1), []
    for until in MONTH_ENDS:
        new = [line for line in lines if before < line["end"] <= until]
        known = [entry for entry in entries if entry["start_date"] <= until]
        run = world.bundle(new, known, until=until, opened=opened)
        again += world.readmissions_by_sweep(new, opened=opened)
        for row in run.lines.select("line_id", "pathway_id", "pathway_category", "pathway_pence").collect().rows():
            places[row[0]] = row[1:]
        for row in run.restated.to_dicts():
            assert row["pathway_pence"] - row["change_pence"] == places[row["line_id"]][2]
            places[row["line_id"]] = (row["pathway_id"], row["pathway_category"], row["pathway_pence"])
        for row in run.pathways.to_dicts():
            paid[row["pathway_id"]] += row["change_pence"]
            table[row["pathway_id"]] = row
        for row in run.owed.to_dicts():
            owed[row["definition"], row["debtor"], row["creditor"]] += row["pence"]
        opened, before = run.open, until
    assert sorted(again, key=lambda row: row["line_id"]) == sorted(
        world.readmissions_by_sweep(lines), key=lambda row: row["line_id"]
    )
    whole = annual.lines.select("line_id", "pathway_id", "pathway_category", "pathway_pence").collect()
    assert {row[0]: row[1:] for row in whole.rows()} == places
    expected = {row["pathway_id"]: row for row in annual.pathways.to_dicts()}
    assert {key: amount for key, amount in paid.items() if amount} == {
        key: row["price_pence"] for key, row in expected.items() if row["price_pence"]
    }
    compared = ("flag", "level", "lead_provider", "episodic_pence", "lines", "complications", "start_date", "end_date")
    for key, row in expected.items():
        assert {name: table[key][name] for name in compared} == {name: row[name] for name in compared}
    matrix = {(r["definition"], r["debtor"], r["creditor"]): r["pence"] for r in annual.owed.to_dicts() if r["pence"]}
    assert {key: amount for key, amount in owed.items() if amount} == matrix
    assert opened is not None
    assert opened.height < len(lines) + len(entries)


def test_lines_and_bundles_reconcile(world, year):
    lines, entries = year
    bundled = world.bundle(lines, entries)
    placed, pathways = bundled.lines.collect(), bundled.pathways
    inside = placed.filter(pl.col("pathway_pence") != 0)
    assert (
        placed["price_pence"].sum() == pathways["episodic_pence"].sum() + (placed["price_pence"] - placed["pathway_pence"]).sum()
    )
    paying = pathways.filter(pl.col("flag").is_null())
    assert set(inside["pathway_id"]) <= set(paying["pathway_id"])
    assert pathways["pathway_id"].is_unique().all()
    assert (placed["pathway_pence"] <= placed["price_pence"]).all()
    flagged = pathways.filter(pl.col("flag").is_not_null())
    assert flagged.select("price_pence", "episodic_pence", "lines").sum().row(0) == (0, 0, 0)
    by_pathway = inside.group_by("pathway_id").agg(pl.col("pathway_pence").sum())
    joined = by_pathway.join(pathways, on="pathway_id")
    assert (joined["pathway_pence"] == joined["episodic_pence"]).all()
    amounts = ("bundle_pence", "outlier_pence", "stop_loss_pence", "withheld_pence")
    assert (pathways["price_pence"] == pathways.select(pl.sum_horizontal(amounts)).to_series()).all()


def test_the_matrix_nets_to_zero(world, year):
    lines, entries = year
    bundled = world.bundle(lines, entries)
    owed = bundled.owed
    assert owed.height > 0
    assert owed["net_pence"].sum() == 0
    by_definition = owed.group_by("definition").agg(pl.col("net_pence").sum())
    assert (by_definition["net_pence"] == 0).all()
    leads = bundled.pathways.filter(pl.col("flag").is_null()).select("pathway_id", "lead_provider")
    others = bundled.lines.collect().join(leads, on="pathway_id").filter(pl.col("provider") != pl.col("lead_provider"))
    assert owed["pence"].sum() == others["pathway_pence"].sum()


def test_activity_of_other_lines_is_refused(world, everyday):
    priced_from = everyday(line_id="A", start=date(2017, 6, 1), end=date(2017, 6, 3))
    other = {**priced_from, "line_id": "B"}
    priced, _ = world.frames([priced_from])
    _, activity = world.frames([other])
    with pytest.raises(DisagreementError):
        bundle(priced, activity, world.definitions)
