"""The `tariff` command: one function a command. Results go to stdout, messages and progress to stderr; counts come first,
then money. Exit codes are part of the interface (see `errors`)."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from tariff._version import __version__
from tariff.errors import TariffError

if TYPE_CHECKING:
    from tariff.batch import PathwayJob

DONE, OVER_MAX_UNPRICED, WRONG_USAGE, RULES_UNUSABLE, DISAGREES, OUR_FAULT, INTERRUPTED = 0, 1, 2, 4, 5, 70, 130

app = App(
    name="tariff",
    help="Price NHS hospital activity coded to HRG4 and show what commissioners pay under each payment model.",
    version=__version__,
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
rules_app = App(name="rules", help="List, show, check, import, compare and start rule packs.", help_format="plaintext")
app.command(rules_app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code. A polite end (SIGTERM) is an interruption like Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _print_anywhere()
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


_PLAIN: Final = str.maketrans({"−": "-", "─": "-", "·": "-", "£": "GBP ", "×": "x", "–": "-", "’": "'"})


def _print_anywhere() -> None:
    """Where the output cannot hold a character (a Windows log in cp1252), writes the nearest plain one instead of failing: a
    minus sign must never be lost."""

    def plain(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        refused = error.object[error.start : error.end].translate(_PLAIN)
        return refused.encode("ascii", "replace").decode("ascii"), error.end

    codecs.register_error("tariff-plain", plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="tariff-plain")


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Errors a user can act on are told without a traceback."""
    _arguments.set(tuple(arguments))
    try:
        code = app(list(arguments), exit_on_error=False, print_error=False)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - the last resort of the program, for Polars' panics too, which are no Exception
        return _told(error)
    return code if isinstance(code, int) else DONE


def _told(error: BaseException) -> int:
    """Say what went wrong; the exit code. What is not expected is our fault."""
    match error:
        case TariffError():
            code, message = error.exit_code, f"tariff: {error}"
        case CycloptsError():
            hint = "`tariff --help` lists the commands, `tariff COMMAND --help` its options."
            code, message = WRONG_USAGE, f"tariff: {error}\n{hint}"
        case KeyboardInterrupt():
            told = f"; {error}" if str(error) else ""
            code, message = INTERRUPTED, f"tariff: interrupted; nothing was left half-written{told}"
        case BrokenPipeError():  # whoever read the result has seen enough; Python must not complain when it flushes at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        case _:
            code, message = OUR_FAULT, _our_fault(error)
    _say(message)
    return code


_arguments: ContextVar[tuple[str, ...]] = ContextVar("arguments", default=())
"""What was typed, for the run card."""


def _our_fault(error: BaseException) -> str:
    """What to report. The message of an unforeseen error may quote a cell of the activity, so it is shown on request only."""
    if os.environ.get("TARIFF_TRACEBACK"):
        return "".join(traceback.format_exception(error))
    package = Path(__file__).parent
    last = [frame for frame in traceback.extract_tb(error.__traceback__) if package in Path(frame.filename).parents][-1]
    return (
        f"tariff: a fault of the engine ({type(error).__name__} at {Path(last.filename).name}:{last.lineno}). Nothing was left "
        "half-written. Please report it; with TARIFF_TRACEBACK=1 set, the whole trace is shown, which may quote your data."
    )


def _say(message: str) -> None:
    """To a person, beside the result."""
    print(message, file=sys.stderr, flush=True)


def _files(given: Sequence[str]) -> list[tuple[str | None, Path]]:
    """`FILE` or `kind=FILE`, patterns expanded. A file that is not found, or is given twice, is an error."""
    from tariff.intake import named_files

    return named_files(given)


@app.command
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
) -> int:
    """Price activity files: every row comes back priced, excluded, unpriced or rejected, with one reason.

    Parameters
    ----------
    files
        CSV or Parquet files, or patterns; `admitted=FILE` says a file's kind.
    out
        Where the priced lines go: NAME.parquet for one file, any other name for a run folder.
    rules
        A year such as 2017-18, the folder of a rule pack, or auto: each line under the pack of its own date.
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
        The NAME.pathways_open.parquet of the run before: pathways that go on are formed from both runs.
    pathways
        Which pathways to form: active, or names separated by commas. Their tables stand beside NAME.parquet.
    max_unpriced
        Leave with exit code 1 where more than this percentage of the lines is unpriced.
    overwrite
        Replace an existing output.
    resume
        Continue a run into this folder that was stopped; with nothing there it starts afresh.
    aggregate
        Write no lines, only their totals by commissioner, provider, kind, point of delivery, month, currency and reason.
    """
    from tariff.batch import Job, price_files
    from tariff.printing import printed_run

    named = [(told or kind, path) for told, path in _files(files)]
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
        command=["tariff", *_arguments.get()],
    )
    finished = price_files(job)
    for facts in finished.card["inputs"]:
        _say(_announced(facts))
    print(printed_run(finished.card))
    if formed := finished.card.get("pathways"):
        _say(f"pathways: {formed['paid']:,} paid, {formed['flagged']:,} not; {formed['still_open']:,} still open")
    _say(f"written to {out}")
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
    _say(f"tariff: {share:.2f}% of the lines are unpriced, more than the {max_unpriced:g}% allowed")
    return OVER_MAX_UNPRICED


@app.command
def compare(
    priced: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    models: str,
    out: Path,
    plan: Path | None = None,
    by: str = "commissioner,pod",
    suppress: Annotated[bool, Parameter(negative="--no-suppress")] = True,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Compare what commissioners pay for the same priced lines under several payment models.

    Parameters
    ----------
    priced
        What `tariff price` wrote: files or run folders.
    models
        Models files and presets, separated by commas; the first model is the baseline. Presets: preset:episodic,
        preset:block, preset:cost-and-volume.
    out
        Folder for report.html, report.xlsx, comparison.parquet, comparison.csv, ledger.parquet, bridge.csv and run_card.json.
    plan
        The contract's planned activity and value, where a model pays by plan.
    by
        Columns to compare by, separated by commas.
    suppress
        Hide counts of 1 to 7 and their money in report and CSV. Switch off for internal use only.
    overwrite
        Replace an existing output.
    """
    from tariff.batch import damage_found
    from tariff.report import compare as compare_models
    from tariff.report.priced_lines import scan_lines
    from tariff.report.report import FILES
    from tariff.whole_files import refuse_existing

    refuse_existing(out, overwrite=overwrite, holding=FILES)
    dimensions = [name.strip() for name in by.split(",") if name.strip()]
    with damage_found([([path], scan_lines(path)) for path in priced]):
        report = compare_models(list(priced), models, by=dimensions, plan=plan, suppress=suppress)
    report.write(out, overwrite=overwrite)
    print(report)
    _say(f"written to {out}")
    return DONE


@app.command
def explain(priced: Path, /, *, line: str, provider: str | None = None) -> int:
    """Explain one priced line: each component, the rule in words, the rule pack's file and line, the source.

    Parameters
    ----------
    priced
        What `tariff price` wrote: a file or a run folder.
    line
        The line's identifier.
    provider
        Its provider, where several share the identifier.
    """
    from tariff.batch import card_of, damage_found, rules_of
    from tariff.report.priced_lines import scan_lines
    from tariff.waterfall import explain as explain_line

    lines = scan_lines(priced)
    rules = rules_of(card_of(priced))
    with damage_found([([priced], lines)]):
        print(explain_line(lines, rules, line=line, provider=provider))
    return DONE


@app.command
def verify(
    priced: Path,
    /,
    *,
    activity: Annotated[list[str] | None, Parameter(negative="", consume_multiple=True)] = None,
    sample: Annotated[int, Parameter(validator=Number(gte=1))] = 10_000,
    every_line: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Price the activity again with the slow reference and compare every column; exit code 5 where they disagree.

    Parameters
    ----------
    priced
        What `tariff price` wrote: a file or a run folder.
    activity
        The activity files, where they have moved since the run. They are known by their bytes, not their names.
    sample
        How many lines to compare.
    every_line
        Compare every line.
    """
    from tariff.batch import card_of, damage_found, rules_of
    from tariff.report.priced_lines import scan_lines
    from tariff.verification import evidence_again, read_again, verify_lines

    lines = scan_lines(priced)
    card = card_of(priced)
    again = read_again(card, [path for _, path in _files(activity)] if activity else [])
    size, evidence = None if every_line else sample, evidence_again(card)
    with damage_found([*((part.paths, part.lines) for part in again.parts), ([priced], lines)]):
        found = verify_lines(again, lines, rules_of(card), dates=card["options"]["dates"], sample=size, evidence=evidence)
    print(found)
    return DISAGREES if found.disagreements else DONE


@app.command(name="run")
def run_job(job: Path, /) -> int:
    """Do the whole job that a run.toml describes, asking nothing: price, and compare where it says so. For scheduled use.

    Its tables are [price] (files, out, and as wanted rules, kind, columns, overlays, dates, confidence, evidence, registers,
    open_pathways, pathways, max_unpriced, aggregate, and existing = "refuse", "overwrite" or "resume") and [compare] (models,
    out, plan, by, suppress), above them schema = 1. Names of files are relative to its own folder.

    Parameters
    ----------
    job
        The run.toml.
    """
    from tariff.run_file import run_file

    card, max_unpriced = run_file(job, command=["tariff", *_arguments.get()], say=_say)
    for facts in card["inputs"]:
        _say(_announced(facts))
    return _over_limit(card["counts"], max_unpriced)


@app.command
def backtest(
    before: Path,
    after: Path,
    /,
    *,
    out: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Compare two runs line by line: every line that changed, by cause, and what each cause is worth; exit code 5 for any.

    Parameters
    ----------
    before, after
        What `tariff price` wrote: files or run folders.
    out
        NAME.parquet or NAME.csv for the lines that changed; without it only the totals are printed.
    overwrite
        Replace an existing output.
    """
    from tariff.backtest import backtest as compare_runs
    from tariff.backtest import write_changed
    from tariff.batch import damage_found
    from tariff.report.priced_lines import scan_lines
    from tariff.whole_files import refuse_existing

    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    with damage_found([([path], scan_lines(path)) for path in (before, after)]):
        found = compare_runs(before, after)
    if out is not None:
        write_changed(found, out, overwrite=overwrite)
    print(found)
    if out is not None:
        _say(f"written to {out}")
    return DISAGREES if found.changed.height else DONE


@app.command
def synth(
    *,
    out: Path,
    spells: int = 200_000,
    seed: int = 1,
    year: str = "2024-25",
    kinds: str = "admitted,outpatient,emergency,unbundled",
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make a synthetic commissioner year: realistic in volume and mix, invented in every person and organisation.

    Parameters
    ----------
    out
        Folder for the activity of each kind, registers, evidence, population, plan and the overlay with the invented
        providers' market forces factors.
    spells
        How many spells of admitted care; everything else is in proportion.
    seed
        The same seed gives the same bytes.
    year
        The rule pack whose HRGs and dates the activity follows.
    kinds
        Which kinds of activity to write, separated by commas.
    overwrite
        Replace an existing folder.
    """
    from tariff.synthetic import make_year

    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    for path in make_year(out, spells=spells, seed=seed, year=year, kinds=wanted, overwrite=overwrite):
        print(path)
    return DONE


@app.command
def demo(
    *,
    out: Path = Path("tariff-demo"),
    spells: int = 200_000,
    seed: int = 1,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make a synthetic commissioner year, price it and compare what it costs under every payment model.

    Parameters
    ----------
    out
        Folder for the activity, the priced lines and the report.
    spells
        How many spells.
    seed
        The same seed gives the same year.
    overwrite
        Replace an existing folder.
    """
    from tariff.demonstration import demonstrate

    demonstrate(out, spells=spells, seed=seed, overwrite=overwrite, say=_say)
    return DONE


@rules_app.command(name="list")
def list_rules() -> int:
    """List the rule packs and overlays that can be found by name."""
    from tariff.rulepack.listing import list_packs

    print(list_packs())
    return DONE


@rules_app.command(name="show")
def show_rules(pack: str, /) -> int:
    """Show a rule pack: its rules in words, its tables, where every figure comes from and how sure we are.

    Parameters
    ----------
    pack
        A year, or the folder of a rule pack.
    """
    from tariff.rulepack.listing import show_pack

    print(show_pack(pack))
    return DONE


@rules_app.command(name="check")
def check_rules(packs: Annotated[list[str] | None, Parameter(negative="")] = None, /) -> int:
    """Check rule packs and overlays: every fault with file, line, value and what to do. Exit code 4 where there is one.

    Parameters
    ----------
    packs
        Years, or folders of rule packs; all that can be found by name where none is given.
    """
    from tariff.rulepack.listing import check_packs

    found = check_packs(packs or [])
    print(found.text)
    return RULES_UNUSABLE if found.faults else DONE


@rules_app.command(name="import")
def import_rules(
    files: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    year: str,
    out: Path,
    publisher: str = "",
    document: str = "",
    licence: str = "",
    without: Annotated[list[str] | None, Parameter(negative="")] = None,
    skip: Annotated[list[str] | None, Parameter(negative="")] = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Import an official price workbook as a rule pack: sheets and columns by meaning, nothing guessed, the rest listed.

    Parameters
    ----------
    files
        Workbooks (.xlsx, .xlsb, .xls, .ods), CSV exports of their sheets, or folders of CSV exports.
    year
        The financial year whose prices they are, such as 2025-26.
    out
        Folder for the rule pack.
    publisher
        Who published the workbook, for sources.csv.
    document
        Its title, for sources.csv; the file's name otherwise.
    licence
        Its licence, for sources.csv.
    without
        A column that the workbook really lacks, by the pack's name for it. May be repeated.
    skip
        A sheet to pass over, by name. May be repeated.
    overwrite
        Replace an existing rule pack.
    """
    from tariff.rulepack.importing import Publication, import_workbook

    told = Publication(publisher, document, licence)
    imported = import_workbook(files, year, out, publication=told, without=without or (), skip=skip or (), overwrite=overwrite)
    print(imported)
    for where, what in imported.left:
        _say(f"not placed: {where}: {what}")
    for warning in imported.warnings:
        _say(f"warning: {warning}")
    _say(f"written to {out}, which passes `tariff rules check`")
    return DONE


@rules_app.command(name="diff")
def diff_rules(
    before: str,
    after: str,
    /,
    *,
    activity: Annotated[list[str] | None, Parameter(negative="", consume_multiple=True)] = None,
    overlay: Annotated[list[Path] | None, Parameter(negative="")] = None,
    kind: Literal["admitted", "outpatient", "emergency", "unbundled"] | None = None,
    columns: str | None = None,
    out: Path | None = None,
    suppress: Annotated[bool, Parameter(negative="--no-suppress")] = True,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Compare two rule packs: HRGs, prices, trim points, rates and rules; with --activity, what the change is worth.

    Parameters
    ----------
    before, after
        A year, the folder of a rule pack, or a pack with overlays laid on it such as 2024-25+my-contract.
    activity
        Activity files to value the change on: each line is priced under both packs, dates ignored.
    overlay
        A folder laid over both packs, such as local market forces factors, or the name of a shipped one. May be repeated.
    kind
        The kind of all activity files, where their columns do not tell.
    columns
        A column map: a TOML file, or the name of a shipped map.
    out
        Folder for differences.html and CSV files; without it only the text is printed.
    suppress
        Hide counts of 1 to 7 and their money. Switch off for internal use only.
    overwrite
        Replace an existing output.
    """
    from tariff.report.pack_changes import FILES, PackChanges
    from tariff.rulepack.differences import difference, pack_with_overlays
    from tariff.whole_files import refuse_existing

    if out is not None:
        refuse_existing(out, overwrite=overwrite, holding=FILES)
    packs = difference(*(pack_with_overlays(name, overlay or ()) for name in (before, after)))
    valuation = None
    if activity:
        from tariff.activity import read_activity
        from tariff.batch import damage_found
        from tariff.valuation import value_change

        files = _files(activity)
        frames = [([path], read_activity(path, kind=told or kind, columns=columns)) for told, path in files]
        with damage_found(frames):
            valuation = value_change([frame for _, frame in frames], packs.before, packs.after)
    changes = PackChanges(packs, valuation, suppress)
    if out is not None:
        changes.write(out, overwrite=overwrite)
    print(changes)
    if out is not None:
        _say(f"written to {out}")
    return DONE


@rules_app.command(name="new")
def new_rules(
    year: str,
    /,
    *,
    base: Annotated[str, Parameter(name="--from")],
    out: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Start a year's rule pack from another's: its figures stand in, labelled proxy, until they are replaced.

    Parameters
    ----------
    year
        The financial year to start, such as 2025-26.
    base
        The rule pack to start from: a year, or a folder.
    out
        Folder for the new pack; a folder of the year's name unless given.
    overwrite
        Replace an existing rule pack.
    """
    from tariff.rulepack.scaffold import new_year

    print(new_year(year, base, out or Path(year), overwrite=overwrite))
    _say("Replace what is labelled proxy, then run `tariff rules check` and `tariff rules diff`; rules/README.md has the list.")
    return DONE


@rules_app.command(name="parameters")
def show_parameters(year: str, /) -> int:
    """Show the dated parameters of a year: marginal rate, readmissions, CQUIN, top-ups, uplifts, thresholds, with sources.

    Parameters
    ----------
    year
        A financial year such as 2017-18.
    """
    from tariff.rulepack.parameters import parameters_text

    print(parameters_text(year))
    return DONE
