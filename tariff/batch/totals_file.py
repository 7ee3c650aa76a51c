"""A run into totals alone: priced block by block, no line written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from tariff.activity.attached import ItemsOfBlocks
from tariff.activity.blocks import Lines
from tariff.aggregation import READ, Sums
from tariff.batch.blocks import lines_expected
from tariff.batch.job import Job, Run, card_path, options_of
from tariff.batch.unchanged import AsTheyStand
from tariff.intake import AttachedItems, Intake, Part, damage_found, facts_of
from tariff.pricing import Pricer, pricer
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
    for block in _priced_blocks(job, packs, intake):
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


def _priced_blocks(job: Job, packs: Sequence[RulePack], intake: Intake) -> Iterator[pl.DataFrame]:
    """Priced lines in bounded blocks. Items attached to spells are made of the blocks of their spells where they can be, which
    spares reading those once more."""
    with_spells = _come_with_spells(job, intake)
    for part in intake.of_files if with_spells else intake.parts:
        lines = _lines(job, part)
        priced = _pricer(job, packs, lines)
        with damage_found((one.paths, one.lines) for one in [part]):
            if with_spells and part.kind == "admitted":
                yield from _with_their_items(lines, priced, _pricer(job, packs, _lines(job, intake.of_spells[0])))
            else:
                yield from lines.each_block(priced.inputs, priced)


def _with_their_items(spells: Lines, priced: Pricer, priced_items: Pricer) -> Iterator[pl.DataFrame]:
    """Priced blocks of spells, each followed by that of their items."""
    items_of = ItemsOfBlocks()
    columns = dict.fromkeys([*priced.inputs, *items_of.read(spells.whole.collect_schema().names())])
    for block in spells.each_block(list(columns), lambda block: block):
        yield priced(block.select(priced.inputs))
        if (items := items_of(block)).height:
            yield priced_items(items.select(priced_items.inputs))


def _come_with_spells(job: Job, intake: Intake) -> bool:
    """Whether the items attached to spells can be made of the blocks of their spells: where lines are told by identifiers, as
    items that came as lines too are, they are read by themselves; and so are those of episodes, and of delimited text."""
    if not intake.of_spells or job.confidence is not None:
        return False
    known = [one.source.known.height for one in intake.of_spells if isinstance(one.source, AttachedItems)]
    return not any(known) and all(_lines(job, part).pieces for part in intake.of_files if part.kind == "admitted")


def _lines(job: Job, part: Part) -> Lines:
    """The lines as they are priced. Confidence labels are found by provider, which is then wanted as it is told everywhere."""
    return part.to_total(AS_FILED) if job.confidence is None else part.to_price


def _pricer(job: Job, packs: Sequence[RulePack], lines: Lines) -> Pricer:
    columns = (*READ, *job.aggregate_by)
    return pricer(lines, packs, dates=job.dates, confidence=job.confidence, columns=columns).for_sums()
