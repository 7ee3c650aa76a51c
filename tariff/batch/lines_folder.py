"""A run into a folder, part by part, beginning where an earlier run into it stopped."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff._version import __version__
from tariff.activity.blocks import Lines
from tariff.activity.files import digest
from tariff.batch.blocks import blocks_of, lines_expected
from tariff.batch.finished import card_of
from tariff.batch.job import CARD_NAME, RUN_FOLDER, Job, PathwayJob, Run, named_for_good, options_of
from tariff.batch.pathways_beside import form_pathways, tables_in
from tariff.batch.settling import settle
from tariff.batch.unchanged import AsTheyStand
from tariff.best_practice.evidence import Evidence
from tariff.errors import ActivityError
from tariff.intake import Intake, damage_found, facts_of
from tariff.manifest import Identity, InputFile, Manifest, PackUsed, damaged_files
from tariff.pricing import pricer
from tariff.rulepack import RulePack
from tariff.run_card import versions
from tariff.run_folder import UnfinishedRun, begin, finished, kept_to_continue
from tariff.whole_files import refuse_existing

_log: Final = logging.getLogger(__name__)


def price_into_folder(
    job: Job, packs: Sequence[RulePack], intake: Intake, as_they_stand: AsTheyStand, evidence: Evidence | None, started: str
) -> Run:
    """Price part by part, beginning where an earlier run into the folder stopped."""
    inputs = list(facts_of(intake, job.columns))
    identity = _identity(job, packs, inputs)
    before = finished(job.out, identity) if job.resume else None
    if before is not None and (card := _card_of_whole(job.out, before)) is not None:
        return Run(job.out, card, None)
    if before is not None:
        _log.warning("%s is not as it was written: it is made again.", job.out)
    overwrite = job.overwrite or before is not None
    refuse_existing(job.out, overwrite=overwrite, holding=RUN_FOLDER)
    unfinished = begin(job.out, identity, resume=job.resume, overwrite=job.overwrite)
    with kept_to_continue(unfinished):
        _write_parts(job, packs, intake, evidence, unfinished, lines_expected(intake, inputs))
        formed = _form_pathways(job, packs, intake, evidence, unfinished)
        as_they_stand.require_unchanged()
        lines = pl.scan_parquet([unfinished.folder / part.file for part in unfinished.parts], glob=False)
        as_begun = replace(job, command=unfinished.identity.command)
        table = None if formed is None else tables_in(unfinished.folder)["pathways"]
        written = replace(settle(as_begun, packs, intake, inputs, lines, started, evidence, table), pathways=formed)
        unfinished.finish(written.write, CARD_NAME, overwrite=overwrite, holding=RUN_FOLDER)
    return Run(job.out, written.as_json(), written.totals)


def _card_of_whole(out: Path, manifest: Manifest) -> dict[str, Any] | None:
    """The run card of a finished run; None where any file of the run has been damaged since."""
    try:
        card = card_of(out)
    except ActivityError:
        return None
    return None if damaged_files(out, manifest) else card


def _write_parts(
    job: Job,
    packs: Sequence[RulePack],
    intake: Intake,
    evidence: Evidence | None,
    run: UnfinishedRun,
    expected: Sequence[int],
) -> None:
    """Write what has no part yet, in bounded blocks; an input without lines has one part without lines."""
    before, of = run.rows_done(), sum(expected)
    done = sum(before.values())
    job.tell(done, of)
    for number, (part, lines) in enumerate(zip(intake.parts, expected, strict=True), start=1):
        have = before.get(number)
        if have is not None and have >= lines:
            continue
        own = part.to_price
        rest = Lines(own.whole.slice(have)) if have else own
        priced = pricer(rest, packs, dates=job.dates, confidence=job.confidence, evidence=evidence)
        with damage_found((one.paths, one.lines) for one in [part]):
            for block in blocks_of(rest.each_block(priced.inputs, priced), job.rows_in_a_part, priced.schema):
                run.add(block, number)
                done += block.height
                job.tell(done, of)


def _form_pathways(
    job: Job, packs: Sequence[RulePack], intake: Intake, evidence: Evidence | None, run: UnfinishedRun
) -> dict[str, Any] | None:
    """Form the pathways of all parts, which are written anew in their places; a run that is stopped there forms them again."""
    if job.pathways is None:
        return None
    files = [run.folder / part.file for part in run.parts]
    work = run.folder / "pathways.work"
    formed = form_pathways(job, job.pathways, packs, intake, evidence, files, tables_in(run.folder), work)
    run.note_written_anew()
    return formed


def _identity(job: Job, packs: Sequence[RulePack], inputs: Sequence[Mapping[str, Any]]) -> Identity:
    column_map = named_for_good(job.columns)
    activity = [InputFile(**{name: facts[name] for name in ("file", "kind", "lines", "bytes", "sha256")}) for facts in inputs]
    evidence = [InputFile(file=path.name, kind="evidence", sha256=digest(path)) for path in job.evidence]
    asked = job.pathways or PathwayJob()
    beside = {"registers": asked.registers, "open pathways": asked.open_pathways}
    given = [InputFile(file=path.name, kind=kind, sha256=digest(path)) for kind, path in beside.items() if path is not None]
    return Identity(
        command=tuple(word for word in job.command if word != "--resume"),
        inputs=(*activity, *evidence, *given),
        packs=tuple(
            PackUsed(
                label=pack.label,
                digest=pack.digest,
                overlays=tuple({"name": overlay.name, "digest": overlay.digest} for overlay in pack.overlays),
            )
            for pack in packs
        ),
        options={
            **options_of(job),
            "column_map_sha256": digest(Path(column_map)) if column_map and Path(column_map).is_file() else None,
            "rows_in_a_part": job.rows_in_a_part,
            "pathways": None if job.pathways is None else list(asked.names or ["active"]),
        },
        versions={"tariff": __version__, **versions()},
    )
