"""A new year from an old one: the old figures stand in, labelled `proxy`, until the new year's own take their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from tariff.errors import RulesError
from tariff.rulepack.finding import find_pack
from tariff.rulepack.folders import PATHWAYS_FILE, Folder, read_pack_folder
from tariff.rulepack.importing.workbook import PACK_FOLDER
from tariff.rulepack.loading import check_pack
from tariff.rulepack.model import PackFile
from tariff.rulepack.parameters import financial_year_dates, load_parameters
from tariff.rulepack.tables import Table
from tariff.rulepack.writing import SourceText, write_pack
from tariff.whole_files import whole_folder

_STANDING_IN: Final = {"published": "proxy", "local": "proxy"}
"""What the label of a figure becomes when it stands in for another year; practice stays practice, the rest is no surer."""


def new_year(year: str, base: str | Path, out: Path, *, rules_folder: Path | None = None, overwrite: bool = False) -> Path:
    """Start the rule pack of `year` in the folder `out` from the pack `base`: its rules and figures, labelled as standing in,
    the dates of the year, and the dated parameters of the year where a rule has them. Worked examples are not carried over.

    RulesError where `base` cannot be used or `year` is no financial year; OutputError where `out` cannot be written."""
    starts, ends = financial_year_dates(year)
    folder = read_pack_folder(find_pack(base, rules_folder))
    checked = check_pack(folder.path)
    if folder.declared is None or checked.faults:
        raise RulesError(f"rule pack {folder.path} cannot be used: {len(checked.faults)} faults", checked.faults)
    declared = _declared(folder.declared, year, starts, ends, rules_folder)
    with whole_folder(out, overwrite=overwrite, holding=PACK_FOLDER) as partial:
        tables = {name: list(_rows(table)) for name, table in folder.tables.items()}
        write_pack(partial, declared, tables, _sources(folder, folder.declared.pack.year))
        _carry_pathways(folder.path, partial)
        faults = check_pack(partial).faults
        if faults:
            raise RulesError(f"The new pack would have {len(faults)} faults.", faults)
    return out


def _carry_pathways(base: Path, folder: Path) -> None:
    """The old year's pathways, labelled as standing in."""
    path = base / PATHWAYS_FILE
    if path.is_file():
        text = _CONFIDENCE.sub(
            lambda found: f'{found[1]}"{_STANDING_IN.get(found[2], found[2])}"', path.read_text(encoding="utf-8")
        )
        (folder / PATHWAYS_FILE).write_text(text, encoding="utf-8", newline="\n")


_CONFIDENCE: Final = re.compile(r'^(\s*(?:\w+_)?confidence\s*=\s*)"(\w+)"', re.MULTILINE)


def _declared(base: PackFile, year: str, starts: date, ends: date, rules_folder: Path | None) -> PackFile:
    old = base.pack.year
    written = base.model_dump(by_alias=True)
    notes = (
        f"Started from {old}: every figure labelled proxy is that year's and stands in until it is replaced.",
        *base.pack.notes,
    )
    header = {
        "year": year,
        "title": f"{year.replace('-', '/')}, started from {old}: {base.pack.title}",
        "starts": starts,
        "ends": ends,
    }
    rules = {name: _rule(rule, old) for name, rule in written["rules"].items()}
    covered = load_parameters(rules_folder).on("top_up_includes_long_stay", starts)
    if covered is not None and covered.acted and "includes_long_stay" in rules["top_up"]:
        rules["top_up"]["includes_long_stay"] = covered.value
    return PackFile.model_validate({**written, "pack": {**written["pack"], **header, "notes": notes}, "rules": rules})


def _rule(rule: dict[str, Any], old: str) -> dict[str, Any]:
    confidence = _STANDING_IN.get(rule["confidence"], rule["confidence"])
    return {**rule, "confidence": confidence, "source": f"Carried over from {old}: {rule['source']}"}


def _rows(table: Table[Any]) -> Iterator[dict[str, str]]:
    for cells in table.cells:
        row = {name: cells[name] for name in table.header}
        if row.get("confidence"):
            row["confidence"] = _STANDING_IN.get(row["confidence"], row["confidence"])
        yield row


def _sources(folder: Folder[PackFile], old: str) -> Iterator[SourceText]:
    for line in folder.sources.lines:
        yield SourceText(
            table=line.table,
            columns=";".join(line.columns),
            confidence=_STANDING_IN.get(line.confidence, line.confidence),
            publisher=line.publisher,
            document=line.document,
            sheet=line.sheet,
            licence=line.licence,
            retrieved=line.retrieved,
            note=f"Carried over from {old}. {line.note}".strip(),
        )
