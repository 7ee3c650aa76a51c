"""The sweeps and the reference tell the same of random histories under definitions that decide differently: 6,000 histories each
time, 50,000 where slow tests run too."""

from __future__ import annotations

import os
from datetime import date

import pytest

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") != "1"
PATIENTS = 300 if COMPILED else 60
MANY_PATIENTS = 2_500
ANCHORED = ("joint", "revision", "cataract")
DECISIONS = [
    {},
    {"look_back_days": 0, "window_days": 0, "warranty_days": 0, "settlement_days": 0},
    {"proration": "by_start", "window_from": "admission", "longest_anchor_days": 5},
    {"same_commissioner_only": False, "lead_provider_only": True, "lead_provider": "first_of_stay"},
    {"death_in_anchor": "opened", "anchor_without_price": "opened", "yields_to": (), "alongside": ANCHORED},
    {"yields_to": ANCHORED, "alongside": (), "window_days": 200},
    {"yields_to": (), "alongside": (), "warranty_days": 365, "settlement_days": 365, "longest_anchor_days": 365},
    {"market_forces": False, "look_back_days": 200},
    {"window_days": 14, "lead_provider": "first_of_stay", "proration": "by_days", "longest_anchor_days": 100},
    {"proration": "by_days", "market_forces": True, "lead_provider_only": False, "window_from": "discharge"},
]
"""Decisions that take the place of those of the file, in every definition that takes them."""


def changed(file, decisions):
    pathways = [
        pathway.model_copy(update={name: value for name, value in decisions.items() if name in type(pathway).model_fields})
        for pathway in file.pathway
    ]
    return file.model_copy(update={"pathway": tuple(pathways)})


@pytest.mark.parametrize("half", range(2))
@pytest.mark.parametrize("number", range(len(DECISIONS)))
def test_random_histories(make_world, pathway_file, histories, number, half):
    agree(make_world(changed(pathway_file, DECISIONS[number])), *histories(1_000 + 2 * number + half, PATIENTS))


@pytest.mark.parametrize("until", [date(2017, 6, 30), date(2017, 12, 31), date(2018, 6, 30)])
def test_random_histories_under_two_packs(two_years, histories, until):
    lines, entries = histories(900 + until.month, 2 * PATIENTS)
    agree(two_years, [line for line in lines if line["end"] <= until], entries, until=until)


@pytest.mark.parametrize("seed", range(3))
def test_years_of_care_by_evidence(world, histories, audits, seed):
    lines, entries = histories(300 + seed, 2 * PATIENTS)
    entries = [{**entry, "register": ("diabetes", "epilepsy")[n % 2], "level": "year"} for n, entry in enumerate(entries)]
    agree(world, lines, list({(e["patient_id"], e["register"], e["start_date"], e["provider"]): e for e in entries}.values()),
          evidence=audits(seed, lines))  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not COMPILED, reason="takes hours without compiled sweeps")
@pytest.mark.parametrize("half", range(2))
@pytest.mark.parametrize("number", range(len(DECISIONS)))
def test_many_random_histories(make_world, pathway_file, histories, number, half):
    agree(make_world(changed(pathway_file, DECISIONS[number])), *histories(2 * number + half, MANY_PATIENTS))


def agree(world, lines, entries, **how):
    swept, reference = world.by_sweep(lines, entries, **how), world.by_reference(lines, entries, **how)
    assert {line: place for line, place in swept.places.items() if place != reference.places[line]} == {}
    assert swept.pathways.keys() == reference.pathways.keys()
    for pathway_id, row in reference.pathways.items():
        assert {name: swept.pathways[pathway_id][name] for name in row} == row


@pytest.mark.parametrize("seed", range(4))
def test_readmissions_of_random_histories(world, histories, seed):
    lines, _ = histories(100 + seed, PATIENTS)
    swept, reference = world.readmissions_by_sweep(lines), world.readmissions_by_reference(lines)
    assert len(swept) == len(reference) > PATIENTS // 50
    for one, other in zip(swept, reference, strict=True):
        assert {name: one[name] for name in other} == other
