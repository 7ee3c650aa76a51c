"""`tariff price`: activity files in, priced lines out, a run card beside them.

Files are priced as they stream, in their own order, into a file or a run folder that appears only when it is whole. Row
counts in and out and the components are reconciled from what was written, not from what was meant to be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff.activity import damage_named, shipped_maps
from tariff.best_practice.evidence import Evidence, evidence_card, read_evidence
from tariff.coverage import coverage_of, own_year_packs
from tariff.errors import ActivityError, Fault, OutputError, RulesError, UsageError
from tariff.intake import Intake, Part, facts_of, take_in
from tariff.pricing import Dates, price
from tariff.rulepack import RulePack, load_pack
from tariff.rulepack.choosing import AUTO, load_rules
from tariff.run_card import (
    RunCard,
    Totals,
    assumptions_of,
    now,
    read_run_card,
    require_conservation,
    totals_of,
)
from tariff.whole_files import refuse_existing, whole_file, whole_folder

CARD_NAME: Final = "run_card.json"
LINES_FOLDER: Final = "priced"
_RUN_FOLDER: Final = frozenset({CARD_NAME, LINES_FOLDER})
_OTHER_ENDINGS: Final = frozenset({".csv", ".txt", ".tsv", ".json", ".xls", ".xlsx", ".pq", ".parq"})
"""Endings of an output that was meant to be a file: it would be surprising to find a folder of that name."""


@dataclass(frozen=True, slots=True)
class PathwayJob:
    """Pathways to form: register entries, what the run before handed on, and names of definitions (None: the active ones)."""

    registers: Path | None = None
    open_pathways: Path | None = None
    names: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What to price, with what, and where to put it. `files` are (kind or None, path)."""

    files: Sequence[tuple[str | None, Path]]
    out: Path
    rules: str | Path = AUTO
    overlays: Sequence[Path] = ()
    columns: Path | str | None = None
    dates: Dates = "strict"
    confidence: Sequence[str] | None = None
    evidence: Sequence[Path] = ()
    pathways: PathwayJob | None = None
    overwrite: bool = False
    command: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run."""

    out: Path
    card: Mapping[str, Any]
    totals: Totals = field(repr=False)


def is_one_file(out: Path) -> bool:
    """Whether the output is one Parquet file; any other name is a run folder."""
    return out.suffix.lower() == ".parquet"


def card_path(priced: Path) -> Path:
    """Where the run card of priced lines stands: in the run folder, or beside the file."""
    return priced / CARD_NAME if priced.is_dir() or not is_one_file(priced) else priced.with_suffix(f".{CARD_NAME}")


def price_files(job: Job) -> Run:
    """Price the files of `job` and write priced lines and run card, all or nothing.

    Raises ActivityError, RulesError, UsageError, OutputError or DisagreementError; then nothing is left behind."""
    started = now()
    _refuse_output(job)
    loaded = load_rules(job.rules, overlays=job.overlays)
    packs = (loaded,) if isinstance(loaded, RulePack) else loaded
    if job.pathways is not None and len(packs) != 1:
        raise UsageError("Pathways are formed under one rule pack: name the year or the folder with --rules.")
    intake = take_in(job.files, job.columns)
    evidence = read_evidence(job.evidence) if job.evidence else None
    priced = [price(part.lines, packs, dates=job.dates, confidence=job.confidence, evidence=evidence) for part in intake.parts]
    if is_one_file(job.out):
        with ExitStack() as files:
            lines_file, card_file = (files.enter_context(whole_file(path)) for path in (job.out, card_path(job.out)))
            _sink(pl.concat(priced), lines_file, intake.parts)
            formed = None if job.pathways is None else _form_pathways(job, job.pathways, packs, intake, lines_file, files)
            card = _settle(job, packs, intake, pl.scan_parquet(lines_file), started, evidence)
            card = replace(card, pathways=formed)
            card.write(card_file)
    else:
        with whole_folder(job.out, overwrite=job.overwrite, holding=_RUN_FOLDER) as folder:
            (folder / LINES_FOLDER).mkdir()
            for number, (frame, part) in enumerate(zip(priced, intake.parts, strict=True), start=1):
                _sink(frame, folder / LINES_FOLDER / f"part-{number:05}.parquet", [part])
            card = _settle(job, packs, intake, pl.scan_parquet(folder / LINES_FOLDER / "*.parquet"), started, evidence)
            card.write(folder / CARD_NAME)
    return Run(job.out, card.as_json(), card.totals)


def _refuse_output(job: Job) -> None:
    """Everything that can be known to be wrong with the output before there is anything to write."""
    if job.out.suffix.lower() in _OTHER_ENDINGS:
        told = Fault(str(job.out), "is not a name for priced lines", "give NAME.parquet for one file, or the name of a folder")
        raise UsageError("Priced lines are written as Parquet.", [told])
    if job.pathways is not None and not is_one_file(job.out):
        told = Fault(str(job.out), "is the name of a run folder", "give NAME.parquet: pathways are formed of one file of lines")
        raise UsageError("Pathways cannot be written there.", [told])
    out = job.out.resolve()
    for _, path in job.files:
        if out == path.resolve() or out in path.resolve().parents:
            told = Fault(str(job.out), f"would take the place of {path}, which is to be priced", "choose another name")
            raise OutputError("The output would replace the activity.", [told])
    if is_one_file(job.out):
        beside = [] if job.pathways is None else pathway_tables(job.out).values()
        for path in (job.out, card_path(job.out), *beside):
            refuse_existing(path, overwrite=job.overwrite)
    else:
        refuse_existing(job.out, overwrite=job.overwrite, holding=_RUN_FOLDER)


def pathway_tables(priced: Path) -> dict[str, Path]:
    """Where the tables of pathways beside the file of priced lines stand."""
    from tariff.pathways.writing import table_paths

    return table_paths(priced)


def _form_pathways(
    job: Job, asked: PathwayJob, packs: Sequence[RulePack], intake: Intake, lines_file: Path, files: ExitStack
) -> dict[str, Any]:
    """Form pathways of the lines written, into their columns and into tables beside them; what the run card says of it."""
    from tariff.pathways import definitions_of
    from tariff.pathways.writing import write_pathways

    tables = {name: files.enter_context(whole_file(path)) for name, path in pathway_tables(job.out).items()}
    read = {name: _table(path) for name, path in (("registers", asked.registers), ("open", asked.open_pathways))}
    totals = write_pathways(
        lines_file,
        [part.lines for part in intake.parts],
        definitions_of(packs[0], asked.names),
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
        return pl.scan_parquet(path)
    dates = ("start_date", "end_date")
    return pl.scan_csv(path, infer_schema=False).with_columns(pl.col(*dates).str.to_date("%Y-%m-%d", strict=False))


@contextmanager
def damage_found(sources: Sequence[tuple[Sequence[Path], pl.LazyFrame]]) -> Iterator[None]:
    """Where Polars fails, reads each of `sources` again by itself, and raises ActivityError naming the one that is damaged.

    Polars reports a damaged input and a full disk alike, and in words that may quote cells: what it says is not shown."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        for paths, frame in sources:
            with damage_named(list(paths)):
                frame.sink_batches(lambda _: None)
        raise


def _sink(frame: pl.LazyFrame, path: Path, parts: Sequence[Part]) -> None:
    try:
        with damage_found([(part.paths, part.lines) for part in parts]):
            frame.sink_parquet(path, compression="zstd", compression_level=1, row_group_size=250_000, maintain_order=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        told = Fault(
            str(path.parent), "writing there failed, though all of the input can be read", "make room or choose another folder"
        )
        raise OutputError("The output cannot be written.", [told]) from error


def _settle(
    job: Job, packs: Sequence[RulePack], intake: Intake, lines: pl.LazyFrame, started: str, evidence: Evidence | None
) -> RunCard:
    """Reconcile what was written with what came in, and draw up the run card."""
    inputs = list(facts_of(intake, job.columns))
    totals = totals_of(lines)
    require_conservation(sum(facts["lines"] for facts in inputs) + intake.attached, totals)
    used = [pack for pack in packs if len(packs) == 1 or pack.label in _labels(lines)]
    options = {
        "rules": str(job.rules),
        "dates": job.dates,
        "confidence": None if job.confidence is None else list(job.confidence),
        "columns": _named_for_good(job.columns),
        "overlays": [str(path) for path in job.overlays],
    }
    attached = {"items": intake.attached, "also_given": intake.also_given}
    coverage = _coverage(job, packs, intake, lines)
    card = RunCard(job.command, inputs, used, options, totals, assumptions_of(lines, used), started, attached, coverage)
    return card if evidence is None else replace(card, evidence=evidence_card(job.evidence, evidence, packs, lines))


def _coverage(job: Job, packs: Sequence[RulePack], intake: Intake, lines: pl.LazyFrame) -> dict[str, Any] | None:
    """Where dates are ignored, what the pack covers of another year's activity."""
    if job.dates != "ignore":
        return None
    own = own_year_packs(job.overlays)
    return coverage_of(lines, [part.lines for part in intake.parts], packs[0], own).as_json()


def _named_for_good(column_map: Path | str | None) -> str | None:
    """A column map as `tariff verify` can find it again, from whatever folder it is started in."""
    if column_map is None or str(column_map) in shipped_maps():
        return None if column_map is None else str(column_map)
    return str(Path(column_map).resolve())


def _labels(lines: pl.LazyFrame) -> set[str]:
    return set(lines.select(pl.col("pack").drop_nulls().unique()).collect()["pack"])


def rules_of(card: Mapping[str, Any]) -> tuple[RulePack, ...]:
    """The rule packs a run card names, loaded again; RulesError where one has changed since."""
    packs = []
    for told in card["packs"]:
        pack = load_pack(told["folder"], [overlay["path"] for overlay in told["overlays"]])
        digests = (pack.digest, *(overlay.digest for overlay in pack.overlays))
        if digests != (told["digest"], *(overlay["digest"] for overlay in told["overlays"])):
            raise RulesError(
                "A rule pack has changed since the run.",
                [
                    Fault(
                        str(told["folder"]), f"is no longer what priced these lines ({told['label']})", "price the activity again"
                    )
                ],
            )
        packs.append(pack)
    return tuple(packs)


def card_of(priced: Path) -> dict[str, Any]:
    """The run card of priced lines."""
    return read_run_card(card_path(priced))
