"""Pathways of the priced lines of a run: formed when the lines are written, told in their columns and in tables beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from tariff.batch.job import Job, PathwayJob
from tariff.best_practice.evidence import NO_EVIDENCE, Evidence
from tariff.columns import PATHWAY_TABLES
from tariff.errors import ActivityError, Fault, UsageError
from tariff.intake import Intake, damage_found
from tariff.rulepack import RulePack
from tariff.run_folder import writing


def tables_beside(priced: Path) -> dict[str, Path]:
    """Where the tables of pathways beside the file of priced lines stand."""
    return {name: priced.with_suffix(f".{name}.parquet") for name in PATHWAY_TABLES}


def tables_in(folder: Path) -> dict[str, Path]:
    """Where the tables of pathways in a run folder stand."""
    return {name: folder / f"{name}.parquet" for name in PATHWAY_TABLES}


def require_registers(asked: PathwayJob, packs: Sequence[RulePack]) -> None:
    """UsageError where a pathway is asked for by name that is formed from registers, and there are none. (What the run before
    handed on holds its register entries.)"""
    lacking = without_register(asked, packs) if asked.names is not None else {}
    if lacking:
        remedy = "give --registers, or --open-pathways of a run that had them"
        faults = [Fault(f"pathway '{name}'", f"is formed from {what}", remedy) for name, what in lacking.items()]
        raise UsageError("A pathway cannot be formed without its register.", faults)


def without_register(asked: PathwayJob, packs: Sequence[RulePack]) -> dict[str, str]:
    """By name of the pathways to form: the registers that they are formed from, in words, where no registers are given."""
    if asked.registers is not None or asked.open_pathways is not None:
        return {}
    defined = [its for pack in packs if pack.pathways is not None for its in pack.pathways.pathway]
    wanted = [its for its in defined if (its.active if asked.names is None else its.name in asked.names)]
    return {its.name: f"register {' and '.join(its.registers)}" for its in wanted if its.registers}


def form_pathways(
    job: Job,
    asked: PathwayJob,
    packs: Sequence[RulePack],
    intake: Intake,
    evidence: Evidence | None,
    lines_files: Sequence[Path],
    tables: Mapping[str, Path],
    work: Path,
) -> dict[str, Any]:
    """Form pathways of the lines written to `lines_files`, into their columns and into `tables`; what the run card says of it.
    `work` is a folder for what is laid aside meanwhile."""
    from tariff.pathways import definitions_of
    from tariff.pathways.registered import scan_registers
    from tariff.pathways.writing import write_pathways

    definitions = definitions_of(packs, asked.names, any_date=job.dates == "ignore")
    registers = None if asked.registers is None else scan_registers(asked.registers)
    opened = None if asked.open_pathways is None else _opened(asked.open_pathways)
    beside = ((asked.registers, registers), (asked.open_pathways, opened))
    read = [((path,), frame) for path, frame in beside if path is not None and frame is not None]
    with writing(job.out), damage_found([*((part.paths, part.lines) for part in intake.parts), *read]):
        totals = write_pathways(
            lines_files,
            [part.lines for part in intake.parts],
            definitions,
            tables,
            work,
            registers=registers,
            open_pathways=opened,
            evidence=evidence or NO_EVIDENCE,
        )
    given = {"registers": asked.registers, "open_pathways": asked.open_pathways}
    files_given = {name: None if path is None else str(path.resolve()) for name, path in given.items()}
    named = None if asked.names is None else list(asked.names)
    return {**files_given, "definitions": named, "without_register": without_register(asked, packs), **asdict(totals)}


def _opened(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise ActivityError("A file cannot be read.", [Fault(str(path), "there is no such file", "check its name")])
    return pl.scan_parquet(path, glob=False)
