"""`run.toml`: a whole job – activity, maps, rule packs, overlays, evidence, models, plan, outputs – for scheduled use.

Names of files are relative to the folder of `run.toml`, wherever it is started from; a rule pack, overlay, column map or preset
may also be named as on the command line."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from tariff.activity.kinds import kind_named
from tariff.batch import Job, PathwayJob, Progress, damage_found, price_files
from tariff.errors import RulesError, TariffError, UsageError
from tariff.intake import named_files
from tariff.payment import load_models
from tariff.priced_lines import scan_written
from tariff.printing import printed_run
from tariff.report import compare
from tariff.report.report import FILES
from tariff.rulepack.choosing import AUTO
from tariff.rulepack.declarations import read_declarations
from tariff.rulepack.model import Strict
from tariff.whole_files import refuse_existing

_GUIDE: Final = "`tariff run --help` says what it may be"


class PriceTable(Strict):
    """`[price]`: what `tariff price` takes, under the names of its options."""

    files: Annotated[list[str], Field(min_length=1)]
    out: str
    rules: str = AUTO
    kind: Literal["admitted", "outpatient", "emergency", "unbundled"] | None = None
    columns: str | None = None
    overlays: list[str] = Field(default_factory=list)
    dates: Literal["strict", "ignore"] = "strict"
    confidence: list[str] | None = None
    evidence: list[str] = Field(default_factory=list)
    registers: str | None = None
    open_pathways: str | None = None
    pathways: list[str] | None = None
    max_unpriced: Annotated[float | None, Field(ge=0, le=100)] = None
    aggregate: bool = False
    aggregate_by: list[str] = Field(default_factory=list)
    existing: Literal["refuse", "overwrite", "resume"] = "refuse"


class CompareTable(Strict):
    """`[compare]`: what `tariff compare` takes."""

    models: Annotated[list[str], Field(min_length=1)]
    out: str
    plan: str | None = None
    by: list[str] = Field(default_factory=lambda: ["commissioner", "pod"])
    baseline: str | None = None
    suppress: bool = True


class RunFile(Strict):
    """The whole of `run.toml`."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    price: PriceTable
    compare: CompareTable | None = None


def read_run_file(path: Path) -> RunFile:
    """The job that `path` describes. RulesError with every fault in it, by line."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    found, faults = read_declarations(path, RunFile, guide=_GUIDE)
    if found is None or faults:
        raise RulesError(f"{path} cannot be used.", faults)
    return found


def run_file(
    path: Path,
    *,
    command: Sequence[str],
    say: Callable[[str], None],
    showing: Callable[[], AbstractContextManager[Progress | None]] = nullcontext,
) -> tuple[dict[str, Any], float | None]:
    """Do the job that `path` describes, asking nothing; the run card and the limit of unpriced lines. Errors as the commands.

    `showing` gives what is told how far pricing is."""
    asked, folder = read_run_file(path), path.parent
    report_out = None if asked.compare is None else folder / asked.compare.out
    over = asked.price.existing != "refuse"
    if report_out is not None:
        with _told_in_keys():
            refuse_existing(report_out, overwrite=over, holding=FILES)
    job = _job(asked.price, folder, command)
    with _told_in_keys(), showing() as progress:
        run = price_files(dataclasses.replace(job, progress=progress))
    print(printed_run(run.card))
    say(f"written to {run.out}")
    if asked.compare is not None and report_out is not None:
        wanted = asked.compare
        models = load_models([_found(folder, name) for name in wanted.models], folder)
        plan = None if asked.compare.plan is None else folder / asked.compare.plan
        with damage_found([([run.out], scan_written(run.out))]):
            report = compare(run.out, models, by=wanted.by, plan=plan, baseline=wanted.baseline, suppress=wanted.suppress)
        report.write(report_out, overwrite=over)
        print(report)
        say(f"written to {report_out}")
    return dict(run.card), asked.price.max_unpriced


@contextmanager
def _told_in_keys() -> Iterator[None]:
    """What a command's option would mend, a key of `[price]` does here."""
    try:
        yield
    except TariffError as error:
        faults = [dataclasses.replace(fault, remedy=_in_keys(fault.remedy)) for fault in error.faults]
        raise type(error)(error.summary, faults) from error


def _in_keys(remedy: str) -> str:
    return re.sub(r"--(overwrite|resume)\b", r'existing = "\1"', remedy)


def _job(asked: PriceTable, folder: Path, command: Sequence[str]) -> Job:
    kind = None if asked.kind is None else kind_named(asked.kind).name
    return Job(
        files=[(told or kind, file) for told, file in named_files(asked.files, folder)],
        out=folder / asked.out,
        rules=_found(folder, asked.rules),
        overlays=[Path(_found(folder, name)) for name in asked.overlays],
        columns=None if asked.columns is None else _found(folder, asked.columns),
        dates=asked.dates,
        confidence=asked.confidence,
        evidence=[folder / name for name in asked.evidence],
        pathways=_pathways(asked, folder),
        overwrite=asked.existing == "overwrite",
        resume=asked.existing == "resume",
        aggregate=asked.aggregate,
        aggregate_by=asked.aggregate_by,
        command=command,
    )


def _pathways(asked: PriceTable, folder: Path) -> PathwayJob | None:
    if asked.registers is None and asked.open_pathways is None and asked.pathways is None:
        return None
    registers, open_ = (None if name is None else folder / name for name in (asked.registers, asked.open_pathways))
    return PathwayJob(registers, open_, None if asked.pathways == ["active"] else asked.pathways)


def _found(folder: Path, name: str) -> str:
    """A name beside `run.toml`, where something of that name is there; else as it stands."""
    beside = folder / name
    return str(beside) if beside.exists() else name
