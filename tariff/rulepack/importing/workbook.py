"""From a workbook to a rule pack that passes `check`: recognised sheets become tables, dated parameters become rules, and what
could not be placed is listed beside the pack and in its notes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from tariff.errors import Fault, RulesError
from tariff.rulepack.examples import EXAMPLES_FILE
from tariff.rulepack.finding import PACK_FILE
from tariff.rulepack.folders import PATHWAYS_FILE
from tariff.rulepack.importing.layouts import ADMITTED_LAYOUT, LAYOUTS
from tariff.rulepack.importing.recognising import Wanted, recognise
from tariff.rulepack.importing.rows import Imported, Reading, read_tables
from tariff.rulepack.importing.sheets import Sheet, read_sheets
from tariff.rulepack.importing.year_rules import YearRules
from tariff.rulepack.loading import check_pack
from tariff.rulepack.model import Confidence, PackFile, Rules
from tariff.rulepack.parameters import financial_year_dates, load_parameters
from tariff.rulepack.rows import TABLES
from tariff.rulepack.sources import SOURCES_FILE
from tariff.rulepack.writing import SourceText, write_pack
from tariff.whole_files import whole_folder

PACK_FOLDER: Final = frozenset({PACK_FILE, SOURCES_FILE, EXAMPLES_FILE, PATHWAYS_FILE, *(spec.file for spec in TABLES.values())})
_NOTES_TOLD: Final = 12
"""Lines of what was not placed that go into the pack's notes word for word; the rest are counted there and listed in full on
import."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What `sources.csv` says of the figures; the document is the file where nothing is stated."""

    publisher: str = ""
    document: str = ""
    licence: str = ""
    confidence: Confidence = "published"
    retrieved: date | None = None


@dataclass(frozen=True, slots=True)
class ImportedPack:
    """What an import did: its tables with the sheets they come from, what is absent, what was left out."""

    folder: Path
    warnings: tuple[Fault, ...]
    tables: tuple[Imported, ...]
    absent: tuple[str, ...]
    left: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max(len(TABLES[table.table].file) for table in self.tables)
        lines = [
            f"{TABLES[table.table].file:<{width}}  {len(table.rows):>6,} rows  from {_origin(table)}" for table in self.tables
        ]
        absent = [f"{'absent':<{width}}  {told}" for told in self.absent]
        return "\n".join([*lines, *absent])

    @property
    def not_placed(self) -> str:
        """Everything that was not placed, a line each."""
        return "\n".join(f"{where}: {what}" for where, what in self.left)


def import_workbook(
    files: Sequence[Path],
    year: str,
    out: Path,
    *,
    publication: Publication = Publication(),
    without: Collection[str] = (),
    skip: Collection[str] = (),
    rules_folder: Path | None = None,
    overwrite: bool = False,
) -> ImportedPack:
    """Import the tables of official workbooks, or of CSV exports of them, as the rule pack of `year` in the folder `out`.

    `without` names columns that the workbook is known to lack, `skip` sheets to pass over. RulesError with everything that was
    found and expected where a file, a sheet or a column is not what it should be, or where the pack would not pass `check`;
    OutputError where `out` cannot be written. Then nothing is left behind."""
    starts, ends = financial_year_dates(year)
    wanted = Wanted(year, frozenset(_known_columns(without)), frozenset(skip))
    sheets = read_sheets(files)
    found = recognise(sheets, wanted)
    reading = read_tables(found.fits, wanted) if not found.faults else Reading()
    faults = [*found.faults, *reading.faults, *_unknown_sheets(skip, sheets)]
    left = (*found.left, *reading.left)
    if faults:
        told = f"{_named(files)} cannot be imported: {len(faults)} fault{'s' * (len(faults) != 1)}"
        raise RulesError(told, [*faults, *_listed(left)])
    document = publication.document or _named(files)
    rules = YearRules(reading.tables, load_parameters(rules_folder), starts, ends, document)
    dated = rules.top_ups() if "top_ups" not in reading.tables else None
    if dated is not None:
        reading.tables["top_ups"] = dated
    declared = _declared(year, rules, reading, left, wanted)
    ordered = {name: reading.tables[name].in_columns() for name in TABLES if name in reading.tables}
    with whole_folder(out, overwrite=overwrite, holding=PACK_FOLDER) as folder:
        write_pack(folder, declared, ordered, _sources(reading, replace(publication, document=document)))
        check = check_pack(folder)
        if check.faults:
            faults = [_in_the_workbook(fault, folder, "", reading) for fault in check.faults]
            told = f"{_named(files)} cannot be imported: the pack would have {len(faults)} fault{'s' * (len(faults) != 1)}"
            raise RulesError(told, [*faults, *_listed(left)])
        noticed = [_in_the_workbook(warning, folder, f"{out}/", reading) for warning in check.warnings]
    warnings = (*_proxies(reading, year), *noticed)
    placed = tuple(reading.tables[name] for name in ordered)
    return ImportedPack(out, warnings, placed, tuple(_absent(declared)), left)


def _named(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files)


def _known_columns(names: Iterable[str]) -> Iterator[str]:
    """Columns that may be waived. RulesError for one that no layout has."""
    known = {field.name for layout in LAYOUTS for field in layout.fields[1:]}
    for name in names:
        if name not in known:
            told = ", ".join(field.name for field in ADMITTED_LAYOUT.fields[1:])
            raise RulesError(
                "There is no such column to do without.", [Fault("--without", f"'{name}'", f"of admitted care: {told}")]
            )
        yield name


def _unknown_sheets(skip: Collection[str], sheets: Sequence[Sheet]) -> Iterator[Fault]:
    names = [sheet.name for sheet in sheets]
    return (Fault("--skip", f"there is no sheet '{name}'", f"sheets: {', '.join(names)}") for name in skip if name not in names)


def _declared(year: str, rules: YearRules, reading: Reading, left: Sequence[tuple[str, str]], wanted: Wanted) -> PackFile:
    scheme, grouper = (rules.parameters.on(name, rules.starts) for name in ("scheme", "grouper"))
    title = scheme.text if scheme is not None and scheme.acted else "Prices of"
    made = rules.rules()
    header: dict[str, Any] = {
        "year": year,
        "title": f"{title} {year.replace('-', '/')}, imported from {rules.document}",
        "starts": rules.starts,
        "ends": rules.ends,
        "grouper": grouper.text if grouper is not None and grouper.acted else "not stated",
        "notes": tuple(_notes(rules, made, reading, left, wanted)),
    }
    return PackFile.model_validate({"schema": 1, "pack": header, "rules": made.model_dump()})


def _notes(rules: YearRules, made: Rules, reading: Reading, left: Sequence[tuple[str, str]], wanted: Wanted) -> Iterator[str]:
    yield f"Imported from {rules.document}; rules that no workbook prints come from the dated parameters (parameters.csv)."
    for name in type(made).model_fields:
        rule = getattr(made, name)
        if rule.method == "none":
            yield f"{rule.source}, so [rules.{name}] is none. {rule.note}".strip()
    if made.long_stay.without_trim_points:
        yield made.long_stay.note
    if wanted.without:
        yield f"Imported without columns the workbook is said to lack: {', '.join(sorted(wanted.without))}."
    for table in reading.tables.values():
        yield from table.notes
        if not table.sheets:
            yield "The workbook holds no top-up rates: the dated parameters stand in top_ups.csv, each with its own label."
        elif table.other_years:
            yield f"{TABLES[table.table].file}: {_of_other_years(table, wanted.year)}; labelled proxy."
    for where, what in left[:_NOTES_TOLD]:
        yield f"Not placed: {where}: {what}"
    if len(left) > _NOTES_TOLD:
        yield f"Not placed: {len(left) - _NOTES_TOLD:,} more; the import lists them all."


def _sources(reading: Reading, publication: Publication) -> Iterator[SourceText]:
    retrieved = publication.retrieved or date.today()
    for name in TABLES:
        table = reading.tables.get(name)
        if table is None:
            continue
        files = ", ".join(dict.fromkeys(f"{sheet.file} (sha256 {sheet.digest})" for sheet in table.sheets))
        if not table.sheets:
            yield SourceText(
                name, "assumed", "This project", "Dated parameters, parameters.csv", "Each row names its source", retrieved
            )
            continue
        yield SourceText(
            table=name,
            confidence="proxy" if table.other_years else publication.confidence,
            publisher=publication.publisher or "not stated when imported",
            document=publication.document,
            licence=publication.licence or "not stated when imported (official price workbooks: Open Government Licence v3.0)",
            retrieved=retrieved,
            sheet=", ".join(sheet.name for sheet in table.sheets),
            note=f"Imported from {files}.",
        )


_AT: Final = re.compile(r":(\d+)$")


def _in_the_workbook(fault: Fault, folder: Path, final: str, reading: Reading) -> Fault:
    """A fault of the pack in `folder`, told by the place in the workbook that its row comes from; else by where it will stand:
    `final` is what the names of its files will begin with."""
    path, line = _AT.sub("", fault.where), _AT.search(fault.where)
    table = reading.tables.get(Path(path).stem)
    what = fault.what.replace(f"{folder.name}/", final)
    if line is None or table is None or Path(path).parent != folder or not 2 <= int(line[1]) < len(table.places) + 2:
        where = fault.where.replace(f"{folder}/", final).replace(str(folder), final.removesuffix("/"))
        return Fault(where, what, fault.remedy)
    return Fault(table.places[int(line[1]) - 2], what, fault.remedy)


def _listed(left: Iterable[tuple[str, str]]) -> Iterator[Fault]:
    """What was not placed, to stand below what stopped the import: it may be the reason."""
    return (Fault(where, f"not placed: {what}") for where, what in left)


def _of_other_years(table: Imported, year: str) -> str:
    return f"its titles name {', '.join(sorted(table.other_years))}, another year than {year}"


def _proxies(reading: Reading, year: str) -> Iterator[Fault]:
    """Tables of another year than the one asked for."""
    for table in reading.tables.values():
        if table.other_years:
            what = f"{TABLES[table.table].file}: {_of_other_years(table, year)}"
            yield Fault(
                str(table.sheets[0]), what, f"labelled proxy; if they are not the prices of {year}, import the right workbook"
            )


def _absent(declared: PackFile) -> Iterator[str]:
    for name in type(declared.rules).model_fields:
        rule = getattr(declared.rules, name)
        if rule.method == "none":
            yield f"{name.replace('_', ' ')}: {rule.source.removeprefix('ABSENT: ')}. {rule.note}"
    if declared.rules.long_stay.without_trim_points:
        yield f"trim points: {declared.rules.long_stay.note.removeprefix('ABSENT: ')}"


def _origin(table: Imported) -> str:
    sheets = ", ".join(f"sheet '{sheet.name}' of {sheet.file}" for sheet in table.sheets) or "the dated parameters"
    return f"{sheets}; proxy: of {', '.join(sorted(table.other_years))}" if table.other_years else sheets
