"""Reading a pack's CSV tables: every cell as text, every row with the file and line it stands on, every fault at once. What a
cell may hold and what a row must satisfy is said by the table's own specification (rows.py)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from tariff.errors import Fault, did_you_mean
from tariff.rulepack.model import CONFIDENCES

Row = TypeVar("Row", bound="Placed")
Cells = Mapping[str, str]

LABELS: Final = ("source", "confidence")
"""Columns that any table may carry: a row's own source and confidence, which win over `sources.csv`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row stands: `2017-18/admitted.csv:12`. Packs and overlays are told apart by the folder's name."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What every row carries: where it stands."""

    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced(Placed):
    """A row of figures: its own source and confidence, or None where those of `sources.csv` hold."""

    source: str | None
    confidence: str | None


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table: how its text is read, what it means, and what to do where it cannot be read."""

    name: str
    read: Callable[[str], object]
    meaning: str
    remedy: str
    required: bool = False
    blank: object = None


@dataclass(frozen=True, slots=True)
class RowFault:
    """What a row rule found, before the row's place is known."""

    column: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class TableSpec(Generic[Row]):
    """What a table is: its file, its columns, what makes a row, which columns name a row, and what each row must satisfy."""

    name: str
    columns: tuple[TableColumn, ...]
    row: Callable[..., Row]
    key: tuple[str, ...]
    row_rules: tuple[Callable[[Row], Iterable[RowFault]], ...] = ()
    row_warnings: tuple[Callable[[Row], Iterable[RowFault]], ...] = ()
    labels: tuple[str, ...] = LABELS

    @property
    def file(self) -> str:
        """The name of the table's file."""
        return f"{self.name}.csv"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The table's own columns, in order, without the labels any table may carry."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """One table as read: rows, the text they were read from (every column of the specification; blank where absent), faults."""

    spec: TableSpec[Row]
    path: Path
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    cells: tuple[Cells, ...]
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def key_of(self, cells: Cells) -> tuple[str, ...]:
        """What names a row."""
        return tuple(cells[column] for column in self.spec.key)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a CSV file: its number and its cells by column, stripped."""

    line: int
    cells: Cells


def read_table(path: Path, spec: TableSpec[Row]) -> Table[Row]:
    """The table at `path` with every fault found in it; rows with a fault are left out."""
    header, records, faults = read_records(path, required=[column.name for column in spec.columns if column.required])
    unknown = _unknown_columns(path, header, (*spec.column_names, *spec.labels))
    faults += unknown
    reader = _RowReader(path, spec, header, faults)
    for record in records if not unknown else []:
        reader.read(record)
    if not reader.rows and not faults:
        faults.append(Fault(str(path), "the table has no rows", "fill it or take the file out"))
    return Table(spec, path, header, tuple(reader.rows), tuple(reader.cells), faults, reader.warnings)


def read_records(path: Path, required: Iterable[str] = ()) -> tuple[tuple[str, ...], list[Record], list[Fault]]:
    """Header, records and faults of a CSV file, every cell as stripped text. Blank lines are passed over, lines that do not fit
    the header are left out, and under a header with a fault there are no records."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return (), [], [Fault(str(path), f"byte {error.start} is not UTF-8", "save the table as CSV UTF-8")]
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    faults: list[Fault] = []
    records: list[Record] = []
    header: tuple[str, ...] = ()
    titled = False
    try:
        for line, fields in _numbered(reader):
            if not header:
                header = tuple(name.lower() for name in fields)
                faults += _header_faults(path, line, header, required)
                titled = not faults
            elif len(fields) != len(header):
                found = f"{len(fields)} cells where the header has {len(header)}"
                faults.append(Fault(f"{path}:{line}", found, "a cell that holds a comma needs double quotes around it"))
            else:
                records.append(Record(line, dict(zip(header, fields, strict=True))))
    except csv.Error as error:
        faults.append(Fault(f"{path}:{reader.line_num}", f"not CSV: {error}", "check the quotes on this line"))
    if not header:
        faults.append(Fault(str(path), "the table is empty", "give it a header line, or take the file out"))
    return header, records if titled else [], faults


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line each starts on (a quoted cell may hold line ends)."""
    start = 1
    for fields in reader:
        stripped = [cell.strip() for cell in fields]
        if any(stripped):
            yield start, stripped
        start = reader.line_num + 1


def _header_faults(path: Path, line: int, header: tuple[str, ...], required: Iterable[str]) -> list[Fault]:
    where = f"{path}:{line}"
    faults = [
        Fault(where, f"column '{name}' stands twice", "keep one of them")
        for name in sorted({n for n in header if header.count(n) > 1})
    ]
    for name in required:
        if name not in header:
            faults.append(Fault(where, f"column '{name}' is missing", f"{did_you_mean(name, header)} every row needs it".strip()))
    return faults


def _unknown_columns(path: Path, header: tuple[str, ...], known: tuple[str, ...]) -> list[Fault]:
    return [
        Fault(f"{path}:1", f"column '{name}' is not known", f"{did_you_mean(name, known)} known: {', '.join(known)}".strip())
        for name in header
        if name not in known
    ]


class _RowReader(Generic[Row]):
    """Turns the records of one table to rows; keeps what it has seen so that a second row of the same name is told."""

    def __init__(self, path: Path, spec: TableSpec[Row], header: tuple[str, ...], faults: list[Fault]) -> None:
        self.path, self.spec, self.faults = path, spec, faults
        self.shown = f"{path.parent.name}/{path.name}"
        self.present = [column for column in spec.columns if column.name in header]
        self.absent = {column.name: column.blank for column in spec.columns if column.name not in header}
        self.rows: list[Row] = []
        self.cells: list[Cells] = []
        self.warnings: list[Fault] = []
        self.seen: dict[tuple[str, ...], int] = {}

    def read(self, record: Record) -> None:
        """Add the record as a row, or its faults."""
        before = len(self.faults)
        values = dict(self.absent)
        for column in self.present:
            values[column.name] = self._cell(record, column)
        labels = self._labels(record)
        self._once(record)
        if len(self.faults) > before:
            return
        row = self.spec.row(**values, **labels, origin=Origin(self.shown, record.line))
        for rule in self.spec.row_rules:
            self.faults += [self._told(record, found) for found in rule(row)]
        for rule in self.spec.row_warnings:
            self.warnings += [self._told(record, found) for found in rule(row)]
        self.rows.append(row)
        self.cells.append({name: record.cells.get(name, "") for name in (*self.spec.column_names, *self.spec.labels)})

    def _cell(self, record: Record, column: TableColumn) -> object:
        text = record.cells[column.name]
        if not text:
            if column.required:
                self.faults.append(self._told(record, RowFault(column.name, "is blank", column.remedy)))
            return column.blank
        try:
            return column.read(text)
        except ValueError as error:
            self.faults.append(self._told(record, RowFault(column.name, str(error), column.remedy)))
            return None

    def _labels(self, record: Record) -> dict[str, str | None]:
        labels = {name: record.cells.get(name) or None for name in self.spec.labels}
        if not labels:
            return {}
        confidence = labels["confidence"]
        if confidence is not None and confidence not in CONFIDENCES:
            remedy = f"{did_you_mean(confidence, CONFIDENCES)} known: {', '.join(CONFIDENCES)}".strip()
            self.faults.append(self._told(record, RowFault("confidence", f"'{confidence}' is not known", remedy)))
        if (labels["source"] is None) != (confidence is None):
            self.faults.append(
                self._told(record, RowFault("source", "a row's own label is source and confidence", "give both or neither"))
            )
        return labels

    def _once(self, record: Record) -> None:
        key = tuple(record.cells.get(column, "") for column in self.spec.key)
        first = self.seen.setdefault(key, record.line)
        if first != record.line:
            found = RowFault(self.spec.key[-1], f"stands on line {first} already", "keep one of the two rows")
            self.faults.append(self._told(record, found))

    def _told(self, record: Record, found: RowFault) -> Fault:
        name = " ".join(record.cells[column] for column in self.spec.key if record.cells.get(column))
        of = f" of {name}" if name else ""
        return Fault(f"{self.path}:{record.line}", f"column {found.column}{of}: {found.what}", found.remedy)
