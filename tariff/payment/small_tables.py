"""Small tables that people keep in a spreadsheet – plans, prices, goals – read as activity files are: UTF-8 or what Windows
writes, whatever the separator, without the columns and rows that a spreadsheet leaves blank."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from tariff.activity import csv_file
from tariff.errors import ActivityError, Fault, RulesError


class SmallTable(NamedTuple):
    """`columns` in lower case; `rows` by line of the file, trimmed texts by column, blanks as None; `faults` of the layout."""

    columns: list[str]
    rows: list[tuple[int, dict[str, str | None]]]
    faults: list[Fault]


def read_small_table(path: Path, refusal: str) -> SmallTable:
    """A delimited text file. RulesError, which says `refusal`, where it cannot be read at all."""
    try:
        _, content, structure = csv_file.scan(path)
        encoding = "utf-8-sig" if content.encoding == "utf-8" else content.encoding
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=structure.separator)
            headings = [cell.strip().lower() for cell in next(reader)]
            found = [(reader.line_num, [cell.strip() or None for cell in cells]) for cells in reader]
    except ActivityError as error:
        raise RulesError(refusal, error.faults) from error
    except (OSError, csv.Error) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise RulesError(refusal, [Fault(str(path), told, "give a CSV file")]) from error
    rows = [(line, cells) for line, cells in found if any(cells)]
    nameless = {place for place, name in enumerate(headings) if not name}
    stray = [
        line
        for line, cells in rows
        if any(cell for place, cell in enumerate(cells) if place >= len(headings) or place in nameless)
    ]
    faults = [
        Fault(f"{path}:{line}", "has a cell in a column without a heading", "name the column or empty the cell") for line in stray
    ]
    columns = [name for name in headings if name]
    return SmallTable(columns, [(line, _named(headings, cells)) for line, cells in rows], faults)


def _named(headings: list[str], cells: list[str | None]) -> dict[str, str | None]:
    padded = [*cells, *[None] * (len(headings) - len(cells))]
    return {name: cell for name, cell in zip(headings, padded, strict=False) if name}
