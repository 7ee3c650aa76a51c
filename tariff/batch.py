"""`tariff price`: activity files in, priced lines out, a run card beside them.

Files are priced as they stream, in their own order, into a file or a run folder that appears only when it is whole. A run
folder is written part by part, and a run that was stopped can be continued (`tariff.run_folder`). Row counts in and out and
the components are reconciled from what was written, not from what was meant to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff._version import __version__
from tariff.activity import damage_named, shipped_maps
from tariff.activity.files import digest
from tariff.aggregation import READ, Sums
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
    versions,
)
from tariff.run_folder import (
    LINES_FOLDER,
    MANIFEST_NAME,
    Identity,
    UnfinishedRun,
    begin,
    finished_already,
    kept_to_continue,
    only_run,
    writing,
)
from tariff.whole_files import refuse_existing, whole_file

CARD_NAME: Final = "run_card.json"
ROWS_IN_A_PART: Final = 250_000
_RUN_FOLDER: Final = frozenset({CARD_NAME, LINES_FOLDER, MANIFEST_NAME})
_OTHER_ENDINGS: Final = frozenset({".csv", ".txt", ".tsv", ".json", ".xls", ".xlsx", ".pq", ".parq"})
"""Endings of an output that was meant to be a file: it would be surprising to find a folder of that name."""


Progress = Callable[[int, int], None]
"""Told the lines that are done and how many there are, as a run goes on."""


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
    resume: bool = False
    rows_in_a_part: int = ROWS_IN_A_PART
    progress: Progress | None = field(default=None, compare=False)
    aggregate: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run. `totals` is None where it was finished before and nothing was left to do."""

    out: Path
    card: Mapping[str, Any]
    totals: Totals | None = field(repr=False)


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
    if job.aggregate:
        return _price_into_totals(job, packs, intake, started)
    evidence = read_evidence(job.evidence) if job.evidence else None
    if not is_one_file(job.out):
        with only_run(job.out):
            return _price_into_folder(job, packs, intake, evidence, started)
    priced = [price(part.lines, packs, dates=job.dates, confidence=job.confidence, evidence=evidence) for part in intake.parts]
    with ExitStack() as files:
        lines_file, card_file = (files.enter_context(whole_file(path)) for path in (job.out, card_path(job.out)))
        _sink(pl.concat(priced), lines_file, intake.parts)
        formed = None if job.pathways is None else _form_pathways(job, job.pathways, packs, intake, lines_file, files)
        inputs = list(facts_of(intake, job.columns))
        card = replace(_settle(job, packs, intake, inputs, pl.scan_parquet(lines_file), started, evidence), pathways=formed)
        card.write(card_file)
    return Run(job.out, card.as_json(), card.totals)


def _price_into_totals(job: Job, packs: Sequence[RulePack], intake: Intake, started: str) -> Run:
    """Price without writing lines: their totals, summed block by block."""
    inputs, sums, done = list(facts_of(intake, job.columns)), Sums(), 0
    expected = sum(_lines_expected(intake, inputs))
    for part in intake.parts:
        priced = price(part.lines, packs, dates=job.dates, confidence=job.confidence, columns=READ)
        with damage_found([(part.paths, part.lines)]):
            for block in _blocks(priced, job.rows_in_a_part):
                sums.add(block)
                done += block.height
                _tell(job, done, expected)
    totals = sums.totals()
    require_conservation(expected, totals)
    used = [pack for pack in packs if len(packs) == 1 or pack.label in totals.lines_priced]
    attached = {"items": intake.attached, "also_given": intake.also_given}
    options = {**_options(job), "aggregate": True}
    card = RunCard(job.command, inputs, used, options, totals, sums.assumptions(used), started, attached)
    with whole_file(job.out) as cells_file, whole_file(card_path(job.out)) as card_file:
        with writing(job.out):
            sums.cells().write_parquet(cells_file, compression="zstd", compression_level=1)
        card.write(card_file)
    return Run(job.out, card.as_json(), totals)


def _tell(job: Job, done: int, expected: int) -> None:
    if job.progress is not None:
        job.progress(done, expected)


def _price_into_folder(job: Job, packs: Sequence[RulePack], intake: Intake, evidence: Evidence | None, started: str) -> Run:
    """Price part by part, beginning where an earlier run into the folder stopped."""
    before = _stamps(job)
    inputs = list(facts_of(intake, job.columns))
    identity = _identity(job, packs, inputs)
    if job.resume and finished_already(job.out, identity):
        return Run(job.out, card_of(job.out), None)
    refuse_existing(job.out, overwrite=job.overwrite, holding=_RUN_FOLDER)
    unfinished = begin(job.out, identity, resume=job.resume, overwrite=job.overwrite)
    with kept_to_continue(unfinished):
        _write_parts(job, packs, intake, evidence, unfinished, _lines_expected(intake, inputs))
        _refuse_changed(before, _stamps(job))
        lines = pl.scan_parquet(unfinished.folder / LINES_FOLDER / "*.parquet")
        as_begun = replace(job, command=unfinished.manifest["command"])
        card = _settle(as_begun, packs, intake, inputs, lines, started, evidence)
        unfinished.finish(card.write, CARD_NAME, overwrite=job.overwrite, holding=_RUN_FOLDER)
    return Run(job.out, card.as_json(), card.totals)


def _write_parts(
    job: Job,
    packs: Sequence[RulePack],
    intake: Intake,
    evidence: Evidence | None,
    run: UnfinishedRun,
    expected: Sequence[int],
) -> None:
    """Write what has no part yet, in bounded blocks; an input without lines has one part without lines."""
    done = sum(part.rows for part in run.parts)
    for number, (part, lines) in enumerate(zip(intake.parts, expected, strict=True), start=1):
        have = run.rows_done(number)
        if have is not None and have >= lines:
            continue
        rest = part.lines.slice(have) if have else part.lines
        priced = price(rest, packs, dates=job.dates, confidence=job.confidence, evidence=evidence)
        with damage_found([(part.paths, part.lines)]):
            for block in _blocks(priced, job.rows_in_a_part):
                run.add(block, number)
                done += block.height
                _tell(job, done, sum(expected))


def _blocks(lines: pl.LazyFrame, rows: int) -> Iterator[pl.DataFrame]:
    """The lines in order, `rows` at a time and contiguous in memory, so that the same lines give the same bytes. The last block
    holds the rest; there is always one."""
    held: list[pl.DataFrame] = []
    height, written = 0, False
    for batch in lines.collect_batches(maintain_order=True):
        held.append(batch)
        height += batch.height
        while height >= rows:
            whole = pl.concat(held)
            yield whole.head(rows).rechunk()
            held, height, written = [whole.slice(rows)], height - rows, True
    if height or not written:
        yield pl.concat(held).rechunk() if held else pl.DataFrame(schema=lines.collect_schema())


def _lines_expected(intake: Intake, inputs: Sequence[Mapping[str, Any]]) -> list[int]:
    """How many lines each part of the intake holds; items attached to spells come last."""
    counts = iter([facts["lines"] for facts in inputs])
    own = intake.parts[: len(intake.parts) - bool(intake.attached)]
    expected = [sum(next(counts) for _ in part.paths) for part in own]
    return [*expected, *([intake.attached] if intake.attached else [])]


def _stamps(job: Job) -> list[tuple[Path, int, int]]:
    read = [*(path for _, path in job.files), *job.evidence]
    return [(path, path.stat().st_size, path.stat().st_mtime_ns) for path in read]


def _refuse_changed(before: Sequence[tuple[Path, int, int]], after: Sequence[tuple[Path, int, int]]) -> None:
    """A file that changes while it is read may have been priced half as it was and half as it is."""
    changed = [
        Fault(str(one[0]), "has changed meanwhile", "price it again")
        for one, now_ in zip(before, after, strict=True)
        if one != now_
    ]
    if changed:
        raise ActivityError("Activity changed while it was being priced.", changed)


def _identity(job: Job, packs: Sequence[RulePack], inputs: Sequence[Mapping[str, Any]]) -> Identity:
    column_map = _named_for_good(job.columns)
    activity = [{name: facts[name] for name in ("file", "kind", "lines", "bytes", "sha256")} for facts in inputs]
    evidence = [{"file": path.name, "kind": "evidence", "sha256": digest(path)} for path in job.evidence]
    return Identity(
        command=tuple(word for word in job.command if word != "--resume"),
        inputs=(*activity, *evidence),
        packs=tuple(
            {
                "label": pack.label,
                "digest": pack.digest,
                "overlays": [{"name": overlay.name, "digest": overlay.digest} for overlay in pack.overlays],
            }
            for pack in packs
        ),
        options={
            **_options(job),
            "column_map_sha256": digest(Path(column_map)) if column_map and Path(column_map).is_file() else None,
            "rows_in_a_part": job.rows_in_a_part,
        },
        versions={"tariff": __version__, **versions()},
    )


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
    if job.aggregate:
        _refuse_aggregate(job)
    if is_one_file(job.out):
        if job.resume:
            told = Fault(str(job.out), "is one file, which is written at once", "name a folder for a run that can be continued")
            raise UsageError("Only a run folder can be resumed.", [told])
        beside = [] if job.pathways is None else pathway_tables(job.out).values()
        for path in (job.out, card_path(job.out), *beside):
            refuse_existing(path, overwrite=job.overwrite)
    elif not job.resume:
        refuse_existing(job.out, overwrite=job.overwrite, holding=_RUN_FOLDER)


def _refuse_aggregate(job: Job) -> None:
    if not is_one_file(job.out):
        told = Fault(str(job.out), "is the name of a run folder, which holds lines", "give NAME.parquet for their totals")
        raise UsageError("Totals cannot be written there.", [told])
    unfit = {"evidence": bool(job.evidence), "pathways": job.pathways is not None, "dates ignored": job.dates == "ignore"}
    if told_of := [name for name, asked in unfit.items() if asked]:
        told = Fault("--aggregate", f"does not go with {' and '.join(told_of)}, which need the lines", "price the lines")
        raise UsageError("Totals alone are not enough for what was asked.", [told])


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
    job: Job,
    packs: Sequence[RulePack],
    intake: Intake,
    inputs: Sequence[Mapping[str, Any]],
    lines: pl.LazyFrame,
    started: str,
    evidence: Evidence | None,
) -> RunCard:
    """Reconcile what was written with what came in, and draw up the run card."""
    totals = totals_of(lines)
    require_conservation(sum(facts["lines"] for facts in inputs) + intake.attached, totals)
    used = [pack for pack in packs if len(packs) == 1 or pack.label in _labels(lines)]
    attached = {"items": intake.attached, "also_given": intake.also_given}
    coverage = _coverage(job, packs, intake, lines)
    card = RunCard(job.command, inputs, used, _options(job), totals, assumptions_of(lines, used), started, attached, coverage)
    return card if evidence is None else replace(card, evidence=evidence_card(job.evidence, evidence, packs, lines))


def _options(job: Job) -> dict[str, Any]:
    return {
        "rules": str(job.rules),
        "dates": job.dates,
        "confidence": None if job.confidence is None else list(job.confidence),
        "columns": _named_for_good(job.columns),
        "overlays": [str(path) for path in job.overlays],
    }


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
