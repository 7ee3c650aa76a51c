"""A run into one file of priced lines, and pathways formed of it beside it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl

from tariff.batch.blocks import lines_expected
from tariff.batch.job import Job, PathwayJob, Run, card_path
from tariff.batch.refusals import pathway_tables
from tariff.batch.settling import settle
from tariff.batch.unchanged import AsTheyStand
from tariff.best_practice.evidence import Evidence
from tariff.errors import ActivityError, Fault, OutputError
from tariff.intake import Intake, Part, damage_found, facts_of
from tariff.pricing import price
from tariff.rulepack import RulePack
from tariff.whole_files import whole_file


def price_into_file(job: Job, packs: Sequence[RulePack], intake: Intake, evidence: Evidence | None, started: str) -> Run:
    """Price into one file, with its run card and the tables of its pathways beside it: all of them or none."""
    as_they_stand = AsTheyStand(job)
    inputs = list(facts_of(intake, job.columns))
    priced = [price(part.to_price, packs, dates=job.dates, confidence=job.confidence, evidence=evidence) for part in intake.parts]
    lines = _told_of(pl.concat(priced), job, sum(lines_expected(intake, inputs)))
    with ExitStack() as files:
        lines_file, card_file = (files.enter_context(whole_file(path)) for path in (job.out, card_path(job.out)))
        _sink(lines, lines_file, intake.parts)
        formed = None if job.pathways is None else _form_pathways(job, job.pathways, packs, intake, lines_file, files)
        as_they_stand.require_unchanged()
        card = replace(
            settle(job, packs, intake, inputs, pl.scan_parquet(lines_file, glob=False), started, evidence), pathways=formed
        )
        card.write(card_file)
    return Run(job.out, card.as_json(), card.totals)


def _told_of(lines: pl.LazyFrame, job: Job, expected: int) -> pl.LazyFrame:
    """The same lines; as they stream past, the job is told how many there were."""
    if job.progress is None:
        return lines
    done = 0

    def tell(block: pl.DataFrame) -> pl.DataFrame:
        nonlocal done
        done += block.height
        job.tell(done, expected)
        return block

    job.tell(0, expected)
    return lines.map_batches(tell, schema=lines.collect_schema(), streamable=True)


def _sink(frame: pl.LazyFrame, path: Path, parts: Sequence[Part]) -> None:
    try:
        with damage_found([(part.paths, part.lines) for part in parts]):
            frame.sink_parquet(path, compression="zstd", compression_level=1, row_group_size=250_000, maintain_order=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        told = Fault(
            str(path.parent), "writing there failed, though all of the input can be read", "make room or choose another folder"
        )
        raise OutputError("The output cannot be written.", [told]) from error


def _form_pathways(
    job: Job, asked: PathwayJob, packs: Sequence[RulePack], intake: Intake, lines_file: Path, files: ExitStack
) -> dict[str, Any]:
    """Form pathways of the lines written, into their columns and into tables beside them; what the run card says of it."""
    from tariff.pathways import definitions_of
    from tariff.pathways.writing import write_pathways

    tables = {name: files.enter_context(whole_file(path)) for name, path in pathway_tables(job.out).items()}
    read = {name: _table(path) for name, path in (("registers", asked.registers), ("open", asked.open_pathways))}
    totals = write_pathways(
        [lines_file],
        [part.lines for part in intake.parts],
        definitions_of(packs, asked.names, any_date=job.dates == "ignore"),
        tables,
        registers=read["registers"],
        open_pathways=read["open"],
    )
    given = {"registers": asked.registers, "open_pathways": asked.open_pathways}
    files_given = {name: None if path is None else str(path.resolve()) for name, path in given.items()}
    return {**files_given, "definitions": None if asked.names is None else list(asked.names), **asdict(totals)}


def _table(path: Path | None) -> pl.LazyFrame | None:
    if path is None:
        return None
    if not path.is_file():
        raise ActivityError("A file cannot be read.", [Fault(str(path), "there is no such file", "check its name")])
    if path.suffix.lower() != ".csv":
        return pl.scan_parquet(path, glob=False)
    dates = ("start_date", "end_date")
    return pl.scan_csv(path, infer_schema=False, glob=False).with_columns(pl.col(*dates).str.to_date("%Y-%m-%d", strict=False))
