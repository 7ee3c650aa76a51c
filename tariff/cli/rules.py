"""Commands on rule packs: list, show, check, import, compare and start them, and the dated parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tariff.cli.conversation import DONE, RULES_UNUSABLE, say


def list_rules() -> int:
    """List the rule packs and overlays that can be found by name."""
    from tariff.rulepack.listing import list_packs

    print(list_packs())
    return DONE


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
        Columns that the workbook really lacks, by the pack's names for them, separated by commas. May be repeated.
    skip
        A sheet to pass over, by name. May be repeated.
    overwrite
        Replace an existing rule pack.
    """
    from tariff.rulepack.importing import Publication, import_workbook

    told = Publication(publisher, document, licence)
    imported = import_workbook(files, year, out, publication=told, without=_each(without), skip=skip or (), overwrite=overwrite)
    print(imported)
    for where, what in imported.left:
        say(f"not placed: {where}: {what}")
    for warning in imported.warnings:
        say(f"warning: {warning}")
    say(f"written to {out}, which passes `tariff rules check`")
    return DONE


def _each(given: list[str] | None) -> list[str]:
    """Names given one by one or separated by commas."""
    return [name.strip() for names in given or () for name in names.split(",") if name.strip()]


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
    before
        A year, the folder of a rule pack, or a pack with overlays laid on it such as 2024-25+my-contract.
    after
        The pack it is compared with, named in the same ways.
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
        from tariff.intake import named_files
        from tariff.valuation import value_change

        files = named_files(activity)
        frames = [([path], read_activity(path, kind=told or kind, columns=columns)) for told, path in files]
        with damage_found(frames):
            valuation = value_change([frame for _, frame in frames], packs.before, packs.after)
    changes = PackChanges(packs, valuation, suppress)
    if out is not None:
        changes.write(out, overwrite=overwrite)
    print(changes)
    if out is not None:
        say(f"written to {out}")
    return DONE


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
    say("Replace what is labelled proxy, then run `tariff rules check` and `tariff rules diff`; rules/README.md has the list.")
    return DONE


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
