"""Commands that make priced lines: price, and run for the job described in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from tariff.cli.conversation import DONE, OVER_MAX_UNPRICED, say, typed
from tariff.cli.progress import progress_shown

if TYPE_CHECKING:
    from tariff.batch import PathwayJob


def price(
    files: Annotated[list[str], Parameter(negative="")],
    /,
    *,
    out: Path,
    rules: str = "auto",
    kind: Literal["admitted", "outpatient", "emergency", "unbundled"] | None = None,
    columns: str | None = None,
    overlay: Annotated[list[Path] | None, Parameter(negative="")] = None,
    dates: Literal["strict", "ignore"] = "strict",
    confidence: str | None = None,
    evidence: Annotated[list[Path] | None, Parameter(negative="")] = None,
    registers: Path | None = None,
    open_pathways: Path | None = None,
    pathways: str | None = None,
    max_unpriced: Annotated[float | None, Parameter(validator=Number(gte=0, lte=100))] = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    resume: Annotated[bool, Parameter(negative="")] = False,
    aggregate: Annotated[bool, Parameter(negative="")] = False,
    aggregate_by: str = "",
) -> int:
    """Price activity files: every row comes back priced, excluded, unpriced or rejected, with one reason.

    Parameters
    ----------
    files
        CSV or Parquet files, or patterns; `admitted=FILE` says a file's kind.
    out
        Where the priced lines go: NAME.parquet for one file, any other name for a run folder.
    rules
        A year such as 2017-18, the folder of a rule pack, several separated by commas, or auto: each line under the pack of
        its own date.
    kind
        The kind of all files, where their columns do not tell.
    columns
        A column map: a TOML file, or the name of a shipped map.
    overlay
        A folder of changed rows or rules laid over the pack, or the name of a shipped one. May be repeated; the last wins.
    dates
        strict: lines outside the pack's dates stay unpriced. ignore: they are priced under it all the same.
    confidence
        The labels that are accepted, separated by commas, such as published,practice. A line that rests on a figure with
        any other label stays unpriced. All are accepted where this is not given.
    evidence
        Evidence of best practice (CSV or Parquet): provider, line_id, tariff, criterion, met; or provider, tariff,
        period_start, period_end, met. May be repeated. Without it no best practice counts that the line does not show.
    registers
        Register entries (CSV or Parquet) for pathways of maternity and years of care; pathways of the pack are formed.
    open_pathways
        The pathways_open.parquet of the run before: pathways that go on are formed from both runs, under the pack of their date.
    pathways
        Which pathways to form: active, or names separated by commas. Their tables stand beside NAME.parquet or in the folder.
    max_unpriced
        Leave with exit code 1 where more than this percentage of the lines is unpriced.
    overwrite
        Replace an existing output.
    resume
        Continue a run into this folder that was stopped; with nothing there it starts afresh.
    aggregate
        Write no lines, only their totals by commissioner, provider, kind, point of delivery, month, currency and reason;
        `tariff compare` takes them where no term looks at single lines.
    aggregate_by
        Tell the totals apart by these too, separated by commas: treatment_function, gp_practice.
    """
    from tariff.batch import Job, price_files
    from tariff.intake import named_files
    from tariff.printing import printed_run

    named = [(told or kind, path) for told, path in named_files(files)]
    job = Job(
        files=named,
        out=out,
        rules=rules,
        overlays=tuple(overlay or ()),
        columns=columns,
        dates=dates,
        confidence=None if confidence is None else confidence.split(","),
        evidence=tuple(evidence or ()),
        pathways=_pathways_asked(registers, open_pathways, pathways),
        overwrite=overwrite,
        resume=resume,
        aggregate=aggregate,
        aggregate_by=[name.strip() for name in aggregate_by.split(",") if name.strip()],
        command=["tariff", *typed.get()],
    )
    with progress_shown() as progress:
        finished = price_files(replace(job, progress=progress))
    for facts in finished.card["inputs"]:
        say(_announced(facts))
    print(printed_run(finished.card))
    if formed := finished.card.get("pathways"):
        say(f"pathways: {formed['paid']:,} paid, {formed['flagged']:,} not; {formed['still_open']:,} still open")
    say(f"written to {out}")
    return _over_limit(finished.card["counts"], max_unpriced)


def _announced(facts: Mapping[str, Any]) -> str:
    """What a file was taken for, and what in it was not read."""
    told = f"{facts['file']}: {facts['kind']}, {facts['rows']:,} {'rows' if facts['rows'] == facts['lines'] else 'episodes'}"
    if facts["rows"] != facts["lines"]:
        told += f", {facts['lines']:,} spells"
    return told + (f"; not read: {', '.join(facts['ignored'])}" if facts["ignored"] else "")


def _pathways_asked(registers: Path | None, open_pathways: Path | None, names: str | None) -> PathwayJob | None:
    """What `--registers`, `--open-pathways` and `--pathways` ask for; any of them has pathways formed."""
    from tariff.batch import PathwayJob

    if registers is None and open_pathways is None and names is None:
        return None
    listed = None if names in {None, "active"} else [name.strip() for name in str(names).split(",")]
    return PathwayJob(registers, open_pathways, listed)


def _over_limit(counts: dict[str, int], max_unpriced: float | None) -> int:
    if max_unpriced is None or not counts["in"]:
        return DONE
    share = 100 * counts["unpriced"] / counts["in"]
    if share <= max_unpriced:
        return DONE
    say(f"tariff: {share:.2f}% of the lines are unpriced, more than the {max_unpriced:g}% allowed")
    return OVER_MAX_UNPRICED


def run_job(job: Path, /) -> int:
    """Do the whole job that a run.toml describes, asking nothing: price, and compare where it says so. For scheduled use.

    Its tables are [price] (files, out, and as wanted rules, kind, columns, overlays, dates, confidence, evidence, registers,
    open_pathways, pathways, max_unpriced, aggregate, and existing = "refuse", "overwrite" or "resume") and [compare] (models,
    out, plan, by, baseline, suppress), above them schema = 1. Names of files are relative to its own folder.

    Parameters
    ----------
    job
        The run.toml.
    """
    from tariff.run_file import run_file

    card, max_unpriced = run_file(job, command=["tariff", *typed.get()], say=say, showing=progress_shown)
    for facts in card["inputs"]:
        say(_announced(facts))
    return _over_limit(card["counts"], max_unpriced)
