"""A run into one file of priced lines, and pathways formed of it beside it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from tariff.activity.files import digest
from tariff.batch.blocks import lines_expected
from tariff.batch.job import Job, Run, card_path
from tariff.batch.pathways_beside import form_pathways, tables_beside
from tariff.batch.settling import settle
from tariff.batch.unchanged import AsTheyStand
from tariff.best_practice.evidence import Evidence
from tariff.errors import Fault, OutputError
from tariff.intake import Intake, Part, damage_found, facts_of
from tariff.pricing import price
from tariff.rulepack import RulePack
from tariff.whole_files import whole_file

_AT_ONCE: Final = 50
"""Frames that are read at once; each takes readers and memory of its own."""


def price_into_file(
    job: Job, packs: Sequence[RulePack], intake: Intake, as_they_stand: AsTheyStand, evidence: Evidence | None, started: str
) -> Run:
    """Price into one file, with its run card and the tables of its pathways beside it: all of them or none."""
    inputs = list(facts_of(intake, job.columns))
    priced = [
        price(part.to_price.whole, packs, dates=job.dates, confidence=job.confidence, evidence=evidence) for part in intake.parts
    ]
    told = _Told(job, sum(lines_expected(intake, inputs)))
    lines = [told.of(part) for part in priced]
    formed = None
    with ExitStack() as files:
        lines_file, card_file = (files.enter_context(whole_file(path)) for path in (job.out, card_path(job.out)))
        _sink(lines, lines_file, intake.parts)
        if job.pathways is not None:
            tables = {name: files.enter_context(whole_file(path)) for name, path in tables_beside(job.out).items()}
            work = job.out.with_name(f".{job.out.stem}.pathways")
            formed = form_pathways(job, job.pathways, packs, intake, evidence, [lines_file], tables, work)
        as_they_stand.require_unchanged()
        card = settle(job, packs, intake, inputs, pl.scan_parquet(lines_file, glob=False), started, evidence)
        card = replace(card, pathways=formed, sha256=digest(lines_file))
        card.write(card_file)
    return Run(job.out, card.as_json(), card.totals)


class _Told:
    """Tells the job how many lines have streamed past."""

    def __init__(self, job: Job, expected: int) -> None:
        self._job, self._expected, self._done = job, expected, 0
        job.tell(0, expected)

    def of(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """The same lines."""
        if self._job.progress is None:
            return lines
        return lines.map_batches(self._tell, schema=lines.collect_schema(), streamable=True)

    def _tell(self, block: pl.DataFrame) -> pl.DataFrame:
        self._done += block.height
        self._job.tell(self._done, self._expected)
        return block


def _sink(frames: Sequence[pl.LazyFrame], path: Path, parts: Sequence[Part]) -> None:
    """The lines of all frames, in order, in one file. Many frames are not read at once, as each has its own readers: they are
    gathered by some, and then together."""
    try:
        with damage_found((part.paths, part.lines) for part in parts):
            if len(frames) <= _AT_ONCE:
                _write(frames, path)
                return
            with TemporaryDirectory(prefix=".gathered-", suffix=".partial", dir=path.parent) as folder:
                gathered = []
                for number, start in enumerate(range(0, len(frames), _AT_ONCE)):
                    gathered.append(Path(folder) / f"{number:05}.parquet")
                    _write(frames[start : start + _AT_ONCE], gathered[-1])
                _write([pl.scan_parquet(gathered, glob=False)], path)
    except (pl.exceptions.PolarsError, OSError) as error:
        told = Fault(
            str(path.parent), "writing there failed, though all of the input can be read", "make room or choose another folder"
        )
        raise OutputError("The output cannot be written.", [told]) from error


def _write(frames: Sequence[pl.LazyFrame], path: Path) -> None:
    lines = pl.concat(frames)
    lines.sink_parquet(path, compression="zstd", compression_level=1, row_group_size=250_000, maintain_order=True)
