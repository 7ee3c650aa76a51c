"""What must not matter, and what must add up: order of rows, partitions, one annual run or twelve monthly ones; every line in one
paying pathway at most, lines and bundles that reconcile, a matrix that nets to zero."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

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


@dataclass
class Run:
    """What runs one after the other come to: places of lines, readmissions, what pathways are paid and how they stand, who owes
    whom, and the number of records that the last handed on."""

    places: dict[str, Any] = field(default_factory=dict)
    again: list[dict[str, Any]] = field(default_factory=list)
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    pathways: dict[str, dict[str, Any]] = field(default_factory=dict)
    owed: dict[tuple[str, ...], int] = field(default_factory=lambda: defaultdict(int))
    handed_on: int = 0


def runs(world, lines, entries, untils, partitions=None, evidence=()):
    """One run up to each of the days `untils`, each given what the one before handed on, and the evidence of its own lines."""
    run, opened, before = Run(), None, date(2000, 1, 1)
    for until in untils:
        new = [line for line in lines if before < line["end"] <= until]
        known = [entry for entry in entries if entry["start_date"] <= until]
        own = {(line["provider"], line["line_id"]) for line in new}
        shown = [row for row in evidence if (row["provider"], row["line_id"]) in own]
        bundled = world.bundle(new, known, until=until, opened=opened, partitions=partitions, evidence=shown)
        run.again += world.readmissions_by_sweep(new, opened=opened)
        for row in bundled.lines.select("line_id", "pathway_id", "pathway_category", "pathway_pence").collect().rows():
            run.places[row[0]] = row[1:]
        for row in bundled.restated.to_dicts():
            assert row["pathway_pence"] - row["change_pence"] == run.places[row["line_id"]][2]
            run.places[row["line_id"]] = (row["pathway_id"], row["pathway_category"], row["pathway_pence"])
        for row in bundled.pathways.to_dicts():
            run.paid[row["pathway_id"]] += row["change_pence"]
            run.pathways[row["pathway_id"]] = row
        for row in bundled.owed.to_dicts():
            run.owed[row["definition"], row["debtor"], row["creditor"]] += row["pence"]
        opened, before = bundled.open, until
        run.handed_on = opened.height
    return run


def same(one, other):
    """Two ways to the same day: nothing but records of what was taken back may differ."""
    assert one.places == other.places
    assert sorted(one.again, key=lambda row: row["line_id"]) == sorted(other.again, key=lambda row: row["line_id"])
    assert nonzero(one.paid) == nonzero(other.paid)
    assert nonzero(one.owed) == nonzero(other.owed)
    paid = [{key: row for key, row in run.pathways.items() if row["flag"] is None} for run in (one, other)]
    assert paid[0].keys() == paid[1].keys()
    for key, row in paid[0].items():
        assert {name: value for name, value in row.items() if name != "change_pence"} == {
            name: value for name, value in paid[1][key].items() if name != "change_pence"
        }
    for key in one.pathways.keys() & other.pathways.keys():
        assert one.pathways[key]["flag"] == other.pathways[key]["flag"]


def nonzero(amounts):
    return {key: amount for key, amount in amounts.items() if amount}


def at_month_ends(lines, everyday):
    return [*lines, *(everyday(patient_id="M", line_id=f"M{day}", start=day, end=day) for day in MONTH_ENDS)]


def test_monthly_runs_come_to_the_annual_run(world, year, everyday):
    lines, entries = year
    lines = at_month_ends(lines, everyday)
    monthly, annual = runs(world, lines, entries, MONTH_ENDS), runs(world, lines, entries, MONTH_ENDS[-1:])
    same(monthly, annual)
    assert len(monthly.paid) > 200
    assert monthly.handed_on < len(lines) + len(entries)


@pytest.mark.parametrize("seed", range(5))
def test_months_and_years_come_to_the_same_over_a_year_end(two_years, histories, everyday, seed):
    """Two rule packs: what is open at the year end goes on under the pack it was opened under."""
    lines, entries = histories(70 + seed, 250)
    lines = at_month_ends(lines, everyday)
    monthly = runs(two_years, lines, entries, MONTH_ENDS)
    same(monthly, runs(two_years, lines, entries, [two_years.ends, MONTH_ENDS[-1]], partitions=3))
    assert {row["pack"] for row in monthly.pathways.values() if row["flag"] is None} == {"2016", "2017"}


def test_months_of_evidence_come_to_the_year(world, histories, audits, everyday):
    lines, entries = histories(81, 300)
    once = {(entry["patient_id"], entry["start_date"], entry["provider"]): entry for entry in entries}
    entries = [{**entry, "register": "diabetes", "level": "year"} for entry in once.values()]
    lines, evidence = at_month_ends(lines, everyday), audits(81, lines)
    monthly = runs(world, lines, entries, MONTH_ENDS, evidence=evidence)
    same(monthly, runs(world, lines, entries, MONTH_ENDS[-1:], evidence=evidence))
    assert {row["quality"] for row in monthly.pathways.values()} == {"met", "not_met", "no_evidence", None}


def test_evidence_that_comes_late_is_paid_late(world, everyday):
    """What silence withheld in the first run is paid in the second, once."""
    clinic = everyday(line_id="A", kind="outpatient", currency="WF01A", start=date(2017, 5, 1))
    entry = {
        "patient_id": "P1", "register": "diabetes", "level": "year", "start_date": date(2017, 4, 1), "end_date": None,
        "provider": "RB2", "commissioner": "QA1",
    }  # fmt: skip
    shown = {"provider": "RB2", "line_id": "A", "tariff": "diabetes_year", "criterion": None, "met": "yes"}
    day, next_day = date(2018, 3, 31), date(2018, 4, 1)
    first = world.bundle([clinic], [entry], until=day)
    second = world.bundle([everyday(line_id="Z", patient_id="Z", start=next_day, end=next_day)], [],
                          until=next_day, opened=first.open, evidence=[shown])  # fmt: skip
    third = world.bundle([everyday(line_id="Y", patient_id="Y", start=next_day, end=next_day)], [], until=next_day,
                         opened=second.open)  # fmt: skip
    paid = [run.pathways.filter(pl.col("definition") == "diabetes")["change_pence"].to_list() for run in (first, second, third)]
    assert paid == [[328_500], [36_500], []]


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


def test_entries_that_cannot_be_used_are_counted_and_paid_once(world, everyday):
    """Two entries of one patient from one day with one provider are one, whatever their order: the one that ends last."""
    entry = {
        "patient_id": "P1", "register": "cystic_fibrosis", "level": "1", "start_date": date(2017, 4, 1),
        "end_date": date(2017, 5, 1), "provider": "RB2", "commissioner": "QA1",
    }  # fmt: skip
    entries = [entry, {**entry, "end_date": None, "level": "5"}, {**entry, "patient_id": " "}, {**entry, "start_date": None}]
    line = everyday(line_id="A", start=date(2017, 6, 1), end=date(2017, 6, 3), currency="HE11G")
    for given in (entries, entries[::-1]):
        paid = world.bundle([line], given).pathways
        assert paid.select("level", "price_pence").rows() == [("5", 3_650_000)]


def test_activity_of_other_lines_is_refused(world, everyday):
    priced_from = everyday(line_id="A", start=date(2017, 6, 1), end=date(2017, 6, 3))
    other = {**priced_from, "line_id": "B"}
    priced, _ = world.frames([priced_from])
    _, activity = world.frames([other])
    with pytest.raises(DisagreementError):
        bundle(priced, activity, world.definitions)
