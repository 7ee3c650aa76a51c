"""A run into totals alone: priced block by block, no line written."""

from __future__ import annotations

from collections.abc import Sequence

from tariff.aggregation import READ, Sums
from tariff.batch.blocks import lines_expected
from tariff.batch.job import Job, Run, card_path, options_of
from tariff.batch.unchanged import AsTheyStand
from tariff.intake import Intake, damage_found, facts_of
from tariff.pricing import pricer
from tariff.rulepack import RulePack
from tariff.run_card import RunCard, require_conservation
from tariff.run_folder import writing
from tariff.totalling import AS_FILED
from tariff.whole_files import whole_files


def price_into_totals(job: Job, packs: Sequence[RulePack], intake: Intake, as_they_stand: AsTheyStand, started: str) -> Run:
    """Price without writing lines: their totals, summed block by block."""
    inputs, sums, done = list(facts_of(intake, job.columns)), Sums(job.aggregate_by), 0
    expected = sum(lines_expected(intake, inputs))
    job.tell(done, expected)
    for part in intake.parts:
        # confidence labels are found by provider, which is then wanted as it is told everywhere
        lines = part.to_total(AS_FILED) if job.confidence is None else part.to_price
        columns = (*READ, *job.aggregate_by)
        priced = pricer(lines, packs, dates=job.dates, confidence=job.confidence, columns=columns).for_sums()
        with damage_found((one.paths, one.lines) for one in [part]):
            for block in lines.each_block(priced.inputs, priced):
                sums.add(block)
                done += block.height
                job.tell(done, expected)
    as_they_stand.require_unchanged()
    cells = sums.cells()
    totals = sums.totals_of(cells)
    require_conservation(expected, totals)
    used = [pack for pack in packs if len(packs) == 1 or pack.label in totals.lines_priced]
    options = {**options_of(job), "aggregate": True, "aggregate_by": list(job.aggregate_by)}
    card = RunCard(job.command, inputs, used, options, totals, sums.assumptions(used), started, intake.attached_items)
    with whole_files([job.out, card_path(job.out)]) as (cells_file, card_file):
        with writing(job.out):
            cells.write_parquet(cells_file, compression="zstd", compression_level=1)
        card.write(card_file)
    return Run(job.out, card.as_json(), totals)
