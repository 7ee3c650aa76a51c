"""Workbooks and CSV exports as sheets of text. Every cell is read as text; nothing is inferred from what it looks like."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from typing import Final

from tariff.errors import Fault, RulesError

WORKBOOK_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
CSV_ENDINGS: Final = (".csv",)
_SEPARATORS: Final = ",;\t"
"""What may part the cells of an export, as a spreadsheet's language has it: there is more of it than of the others."""
_EXCEL_DIGITS: Final = 15
"""Digits that a spreadsheet keeps and shows: printing so many gives back the number as it was typed."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: the file it is from, its name, and its cells as stripped text, `rows[0]` being row 1."""

    file: str
    digest: str
    name: str
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return f"{self.file}, sheet '{self.name}'"

    def place(self, row: int) -> str:
        """Where the row of that index stands, as a spreadsheet counts."""
        return f"{self}, row {row + 1}"


def read_sheets(files: Sequence[Path]) -> list[Sheet]:
    """The sheets of workbooks, CSV files and folders of CSV files, in order. RulesError with every file that cannot be read."""
    sheets: list[Sheet] = []
    faults: list[Fault] = []
    for file in _expanded(files, faults):
        try:
            raw = file.read_bytes()
        except OSError as error:
            faults.append(Fault(str(file), error.strerror or type(error).__name__, "give a workbook or a CSV export of one"))
            continue
        read = _csv_sheet if file.suffix.lower() in CSV_ENDINGS else _workbook_sheets
        sheets += read(file, raw, faults)
    if faults:
        raise RulesError("A file to import cannot be read.", faults)
    return sheets


def _expanded(files: Sequence[Path], faults: list[Fault]) -> Iterator[Path]:
    for file in files:
        inside = sorted(path for path in file.glob("*") if path.suffix.lower() in CSV_ENDINGS) if file.is_dir() else [file]
        if not inside:
            faults.append(
                Fault(str(file), "the folder holds no CSV file", "give a workbook, a CSV file or a folder of CSV files")
            )
        yield from inside


def _workbook_sheets(file: Path, raw: bytes, faults: list[Fault]) -> list[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    digest = sha256(raw).hexdigest()
    try:
        workbook = CalamineWorkbook.from_object(BytesIO(raw))
        return [Sheet(file.name, digest, name, _cells(workbook.get_sheet_by_name(name))) for name in workbook.sheet_names]
    except PasswordError:
        faults.append(Fault(str(file), "is protected by a password", "save a copy without the password"))
    except CalamineError:
        known = ", ".join((*WORKBOOK_ENDINGS, *CSV_ENDINGS))
        faults.append(
            Fault(str(file), "is not a workbook that can be read", f"save it as .xlsx, or export its sheets; read: {known}")
        )
    return []


def _cells(sheet: object) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_text(cell) for cell in row) for row in sheet.to_python(skip_empty_area=False))  # type: ignore[attr-defined]


def _text(cell: object) -> str:
    """A cell as text: numbers as a spreadsheet shows them in full, text without line breaks and double blanks."""
    match cell:
        case bool():
            return "yes" if cell else "no"
        case float():
            shown = f"{cell:.{_EXCEL_DIGITS}g}"
            return shown if "e" not in shown else f"{cell:f}"
        case datetime() | date():
            return cell.isoformat()
        case _:
            return " ".join(str(cell).split())


def _csv_sheet(file: Path, raw: bytes, faults: list[Fault]) -> list[Sheet]:
    text = _decoded(raw)
    parted = csv.reader(StringIO(text, newline=""), strict=True, delimiter=max(_SEPARATORS, key=text.count))
    try:
        rows = [tuple(" ".join(cell.split()) for cell in row) for row in parted]
    except csv.Error as error:
        faults.append(Fault(str(file), f"not CSV: {error}", "export the sheet again as CSV UTF-8"))
        return []
    return [Sheet(file.name, sha256(raw).hexdigest(), re.sub(r"\.csv$", "", file.name, flags=re.IGNORECASE), tuple(rows))]


def _decoded(raw: bytes) -> str:
    """UTF-8, else Windows-1252, in which spreadsheets export where they are not asked for UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")
