"""The end of a run: what was written is reconciled with what came in, and the run card drawn up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from tariff.batch.job import Job, options_of
from tariff.best_practice.evidence import Evidence
from tariff.best_practice.not_used import evidence_card
from tariff.coverage import coverage_of, own_year_packs
from tariff.intake import Intake, spells_with_repeated_episodes
from tariff.rulepack import RulePack
from tariff.run_card import RunCard, assumptions_of, require_conservation, totals_of


def settle(
    job: Job,
    packs: Sequence[RulePack],
    intake: Intake,
    inputs: Sequence[Mapping[str, Any]],
    lines: pl.LazyFrame,
    started: str,
    evidence: Evidence | None,
    pathways: Path | None = None,
) -> RunCard:
    """Reconcile what was written with what came in, and draw up the run card; `pathways` is the table of them, where they were
    formed."""
    totals = totals_of(lines, job.out.absolute().parent)
    require_conservation(sum(facts["lines"] for facts in inputs) + intake.attached, totals)
    totals = replace(totals, warnings=[*totals.warnings, *_repeated_episodes(intake, inputs, lines)])
    used = [pack for pack in packs if len(packs) == 1 or pack.label in _labels(lines)]
    coverage = _coverage(job, packs, intake, lines)
    resting, attached = assumptions_of(lines, used), intake.attached_items
    card = RunCard(job.command, inputs, used, options_of(job), totals, resting, started, attached, coverage)
    if evidence is None:
        return card
    formed = None if pathways is None else pl.scan_parquet(pathways, glob=False)
    return replace(card, evidence=evidence_card(job.evidence, evidence, packs, lines, formed))


def _repeated_episodes(intake: Intake, inputs: Sequence[Mapping[str, Any]], lines: pl.LazyFrame) -> list[dict[str, Any]]:
    """Spells whose days count an episode twice, as a warning with what they are worth."""
    if not any(facts["episodes_repeated"] for facts in inputs):
        return []
    spells = spells_with_repeated_episodes(intake).lazy().rename({"spell_id": "line_id"})
    admitted = lines.filter(pl.col("kind").cast(pl.String) == "admitted")
    told = admitted.join(spells, on=["provider", "line_id"], how="semi").select(pl.len(), pl.col("price_pence").sum()).collect()
    sentence = "An episode of the same number came more than once in these spells; the days of each count."
    return [{"warning": "repeated_episode", "lines": told.item(0, 0), "price_pence": told.item(0, 1), "sentence": sentence}]


def _coverage(job: Job, packs: Sequence[RulePack], intake: Intake, lines: pl.LazyFrame) -> dict[str, Any] | None:
    """Where dates are ignored, what the pack covers of another year's activity."""
    if job.dates != "ignore":
        return None
    own = own_year_packs(job.overlays)
    return coverage_of(lines, [part.lines for part in intake.parts], packs[0], own).as_json()


def _labels(lines: pl.LazyFrame) -> set[str]:
    return set(lines.select(pl.col("pack").drop_nulls().unique()).collect()["pack"])
