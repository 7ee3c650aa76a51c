"""A run into one file of priced lines, and pathways formed of it beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from tariff.activity.blocks import as_they_come
from tariff.activity.files import digest
from tariff.batch.blocks import lines_expected
from tariff.batch.job import Job, Run, card_path
from tariff.batch.pathways_beside import form_pathways, tables_beside
from tariff.batch.settling import settle
from tariff.batch.unchanged import AsTheyStand
from tariff.best_practice.evidence import Evidence
from tariff.errors import Fault, OutputError
from tariff.intake import Intake, Part, damage_found, facts_of
from tariff.pricing import Pricer, pricer
from tariff.rulepack import RulePack
from tariff.whole_files import whole_files


def price_into_file(
    job: Job, packs: Sequence[RulePack], intake: Intake, as_they_stand: AsTheyStand, evidence: Evidence | None, started: str
) -> Run:
    """Price into one file, with its run card and the tables of its pathways beside it: all of them or none."""
    inputs = list(facts_of(intake, job.columns))
    priced = [_pricer_of(part, job, packs, evidence) for part in intake.parts]
    lines = as_they_come(lambda: _told(job, intake, priced, sum(lines_expected(intake, inputs))), priced[0].schema)
    formed, tables = None, dict[str, Path]()
    beside = {} if job.pathways is None else tables_beside(job.out)
    with whole_files([job.out, *beside.values(), card_path(job.out)]) as (lines_file, *table_files, card_file):
        _sink(lines, lines_file, intake.parts)
        if job.pathways is not None:
            tables = dict(zip(beside, table_files, strict=True))
            work = job.out.with_name(f".{job.out.stem}.pathways")
            formed = form_pathways(job, job.pathways, packs, intake, evidence, [lines_file], tables, work)
        as_they_stand.require_unchanged()
        written = pl.scan_parquet(lines_file, glob=False)
        card = settle(job, packs, intake, inputs, written, started, evidence, tables.get("pathways"))
        card = replace(card, pathways=formed, sha256=digest(lines_file))
        card.write(card_file)
    return Run(job.out, card.as_json(), card.totals)


def _pricer_of(part: Part, job: Job, packs: Sequence[RulePack], evidence: Evidence | None) -> Pricer:
    return pricer(part.to_price, packs, dates=job.dates, confidence=job.confidence, evidence=evidence)


def _told(job: Job, intake: Intake, priced: Sequence[Pricer], expected: int) -> Iterator[pl.DataFrame]:
    """Blocks of priced lines, part after part; the job is told how many have gone by."""
    done = 0
    job.tell(done, expected)
    for part, of_part in zip(intake.parts, priced, strict=True):
        for block in part.to_price.each_block(of_part.inputs, of_part):
            yield block
            done += block.height
            job.tell(done, expected)


def _sink(lines: pl.LazyFrame, path: Path, parts: Sequence[Part]) -> None:
    try:
        with damage_found((part.paths, part.lines) for part in parts):
            lines.sink_parquet(path, compression="zstd", compression_level=1, row_group_size=250_000, maintain_order=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        told = Fault(
            str(path.parent), "writing there failed, though all of the input can be read", "make room or choose another folder"
        )
        raise OutputError("The output cannot be written.", [told]) from error
