"""Writing rule packs: `pack.toml`, tables and `sources.csv`, in the form a person would write them and `check` reads."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any, Final

from tariff.rulepack.digests import table_digest
from tariff.rulepack.finding import PACK_FILE
from tariff.rulepack.model import PackFile
from tariff.rulepack.rows import TABLES
from tariff.rulepack.sources import SOURCES, SOURCES_FILE

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class SourceText:
    """One line of `sources.csv` to be written; the digest is that of the table as written."""

    table: str
    confidence: str
    publisher: str
    document: str
    licence: str
    retrieved: date
    columns: str = ""
    sheet: str = ""
    note: str = ""

    def cells(self, folder: Path) -> dict[str, str]:
        """The cells of the line, the table standing in `folder`."""
        given = {name: getattr(self, name) for name in self.__slots__}
        return {**given, "retrieved": self.retrieved.isoformat(), "sha256": table_digest(folder / TABLES[self.table].file)}


def write_pack(
    folder: Path, declared: PackFile, tables: Mapping[str, Sequence[Mapping[str, str]]], sources: Iterable[SourceText]
) -> None:
    """Write a rule pack to `folder`: `tables` by name, rows as text by column (all rows with the same columns)."""
    for name, rows in tables.items():
        write_csv_table(folder / TABLES[name].file, list(rows[0]), rows)
    lines = [source.cells(folder) for source in sources]
    write_csv_table(folder / SOURCES_FILE, SOURCES.column_names, lines)
    (folder / PACK_FILE).write_text(declarations_text(declared), encoding="utf-8", newline="\n")


def write_csv_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write a table as CSV, UTF-8, LF line ends."""
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def declarations_text(declared: PackFile) -> str:
    """`pack.toml` of a pack, in the order of the shipped ones: values before source, confidence and note."""
    header = declared.pack.model_dump(exclude_defaults=True)
    blocks = [f"schema = {declared.layout}\n", _block("pack", header)]
    for name in type(declared.rules).model_fields:
        rule = getattr(declared.rules, name).model_dump(exclude_none=True)
        values = {key: value for key, value in rule.items() if key not in {"source", "confidence", "note"} and value != ()}
        told = {key: rule[key] for key in ("source", "confidence", "note") if rule[key] != ""}
        first = {"method": values.pop("method")}
        blocks.append(_block(f"rules.{name}", {**first, **values, **told}))
    return "\n".join(blocks)


def _block(name: str, values: Mapping[str, Any]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]) + "\n"


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case date():
            return value.isoformat()
        case tuple() | list():
            return _array(value)
        case _:
            return _text(str(value))


def _array(values: Sequence[object]) -> str:
    parts = [_toml(value) for value in values]
    if sum(map(len, parts)) < 80:
        return f"[{', '.join(parts)}]"
    return "\n".join(["[", *(f"    {part}," for part in parts), "]"])


def _text(text: str) -> str:
    """A TOML basic string. Control characters that a workbook may hold are written as escapes."""
    escaped = "".join(_ESCAPES.get(letter) or (letter if letter.isprintable() else f"\\U{ord(letter):08x}") for letter in text)
    return f'"{escaped}"'
