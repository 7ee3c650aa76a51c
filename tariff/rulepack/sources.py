"""`sources.csv`: where each table of a pack comes from and how sure we are of it, as a whole or column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from tariff.errors import Fault, did_you_mean
from tariff.rulepack.digests import table_digest
from tariff.rulepack.model import CONFIDENCES
from tariff.rulepack.rows import TABLES
from tariff.rulepack.tables import LABELS, Placed, Table, TableColumn, TableSpec, read_table

SOURCES_FILE: Final = "sources.csv"


class Label(NamedTuple):
    """How sure we are of a figure, and where it comes from."""

    confidence: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine(Placed):
    """Where some columns of a table come from; no columns named = all that no other line names."""

    table: str
    columns: tuple[str, ...]
    confidence: str
    publisher: str
    document: str
    sheet: str
    licence: str
    retrieved: date
    sha256: str
    note: str

    @property
    def label(self) -> Label:
        """Confidence, and the source as one text."""
        return Label(self.confidence, ", ".join(part for part in (self.publisher, self.document, self.sheet) if part))


@dataclass(frozen=True, slots=True)
class Sources:
    """The source lines of one folder."""

    path: Path
    lines: tuple[SourceLine, ...] = ()
    faults: list[Fault] = field(default_factory=list)

    def line_for(self, table: str, column: str) -> SourceLine | None:
        """The line that names `column` of `table`, else the table's line for all others, else None."""
        of_table = [line for line in self.lines if line.table == table]
        naming = [line for line in of_table if column in line.columns]
        return next(iter([*naming, *(line for line in of_table if not line.columns)]), None)


def read_sources(path: Path) -> Sources:
    """The source lines at `path`, with every fault found; none where there is no such file."""
    if not path.is_file():
        return Sources(path)
    table = read_table(path, SOURCES)
    return Sources(path, table.rows, table.faults)


def source_faults(sources: Sources, tables: Iterable[Table[Any]], *, digests_required: bool) -> Iterator[Fault]:
    """Tables and columns without a source, source lines without a table, and digests that do not match."""
    by_name = {table.spec.name: table for table in tables}
    for line in sources.lines:
        where = f"{sources.path}:{line.origin.line}"
        if line.table not in by_name:
            remedy = f"{did_you_mean(line.table, by_name)} take the line out, or add {line.table}.csv".strip()
            yield Fault(where, f"column table: there is no table '{line.table}' here", remedy)
            continue
        table = by_name[line.table]
        for column in line.columns:
            if column not in table.header:
                remedy = f"{did_you_mean(column, table.header)} its columns: {', '.join(table.header)}".strip()
                yield Fault(where, f"column columns: {line.table}.csv has no column '{column}'", remedy)
        yield from _digest_faults(where, line, table, required=digests_required)
    for table in by_name.values():
        yield from _unsourced(sources, table)


def _digest_faults(where: str, line: SourceLine, table: Table[Any], *, required: bool) -> Iterator[Fault]:
    if not line.sha256 and not required:
        return
    found = table_digest(table.path)
    if line.sha256 != found:
        what = "is blank" if not line.sha256 else f"'{line.sha256[:12]}...' is not the digest of {table.path.name}"
        yield Fault(where, f"column sha256: {what}", f"if the table is as it should be, write {found}")


def _unsourced(sources: Sources, table: Table[Any]) -> Iterator[Fault]:
    name = table.spec.name
    figures = [column for column in table.header if column not in {*table.spec.key, *LABELS, "name"}] or list(table.spec.key)
    bare = [column for column in figures if sources.line_for(name, column) is None]
    if not bare:
        return
    unlabelled = [row for row in table.rows if row.confidence is None]
    if unlabelled:
        where = f"{table.path}:{unlabelled[0].origin.line}"
        what = f"no source and confidence for column {', '.join(bare)} ({len(unlabelled)} rows)"
        yield Fault(where, what, f"add a line for table '{name}' to {SOURCES_FILE}, or fill source and confidence on the rows")


def _table_name(text: str) -> str:
    return _one_of(text, TABLES, "is not a table of a rule pack")


def _confidence(text: str) -> str:
    return _one_of(text, CONFIDENCES, "is not known")


def _one_of(text: str, known: Iterable[str], otherwise: str) -> str:
    if text not in known:
        nearest = did_you_mean(text, known)
        raise ValueError(f"'{text}' {otherwise}{'; ' if nearest else ''}{nearest}")
    return text


def _column_list(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(";") if name.strip())


SOURCES: Final = TableSpec(
    name="sources",
    columns=(
        TableColumn("table", _table_name, "table, without .csv", f"known: {', '.join(TABLES)}", required=True),
        TableColumn(
            "columns",
            _column_list,
            "columns the line speaks for, separated by ;. Blank = all that no other line names",
            "",
            blank=(),
        ),
        TableColumn("confidence", _confidence, "how sure we are", f"known: {', '.join(CONFIDENCES)}", required=True),
        TableColumn("publisher", str, "who published the figures", "name the publisher", required=True),
        TableColumn("document", str, "in which document", "name the document", required=True),
        TableColumn("sheet", str, "on which sheet or page", "", blank=""),
        TableColumn("licence", str, "under which licence", "name the licence", required=True),
        TableColumn(
            "retrieved", date.fromisoformat, "when the figures were taken over", "write a date such as 2026-04-01", required=True
        ),
        TableColumn("sha256", str.lower, "digest of the table with LF line ends", "", blank=""),
        TableColumn("note", str, "anything a reader should know", "", blank=""),
    ),
    row=SourceLine,
    key=("table", "columns"),
    labels=(),
)
