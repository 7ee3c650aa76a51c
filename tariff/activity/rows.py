"""Rows of canonical activity from the cells of a file: the values, and `read_fault`, the reason of a row that cannot be trusted.

A file is read lazily, whatever its cells are like. Of a block in memory, whose every column can be read without a query, the
same is made column by column: a query takes threads and time that many blocks would pay for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import polars as pl

from tariff.activity.cells import UNREADABLE_DATE, Cell, ReadCells
from tariff.buffers import repeated
from tariff.columns import READ_FAULT

_BEFORE: Final = "fault "
_ReadCell: TypeAlias = tuple[Cell, pl.Series, pl.Series]
"""A cell with its values and what is filed."""
_FaultyRows: TypeAlias = tuple[str, pl.Series]
"""A reason code, and which rows have that fault."""


class Shifted(NamedTuple):
    """A fault that is told from the columns of the file."""

    reason: str
    rows: pl.Expr


class FaultOfValues(NamedTuple):
    """A fault that is told from the values of a column."""

    reason: str
    column: str
    rows: ReadCells


def values_and_fault(
    frame: pl.LazyFrame,
    cells: Mapping[str, Cell],
    before: Sequence[Shifted] = (),
    of_values: Sequence[FaultOfValues] = (),
    reasons: pl.DataType | None = None,
) -> pl.LazyFrame:
    """The values of `cells` by name, and `read_fault`: the first fault that a row has of `before` and of `of_values`, else the
    reason code of an unreadable cell, dates before numbers; else null. It is of type `reasons`, text unless said."""
    checked = _checked(cells)
    filed = [one.filed.alias(_filed(name)) for name, one in checked if one.filed is not None]
    already = [fault.rows.alias(f"{_BEFORE}{place}") for place, fault in enumerate(before)]
    told = [pl.col(fault.column).map_batches(fault.rows, return_dtype=pl.Boolean, is_elementwise=True) for fault in of_values]
    read = frame.select(*(one.value.alias(name) for name, one in cells.items()), *filed, *already)
    of_rows = [*(pl.col(f"{_BEFORE}{place}") for place in range(len(before))), *told]
    of_cells = [pl.col(column) for name, _ in checked for column in (name, _filed(name))]
    if not of_rows and not of_cells:
        return read.select(*cells, pl.lit(None, reasons or pl.String()).alias(READ_FAULT))

    def first(columns: Sequence[pl.Series]) -> pl.Series:
        rows, read_cells = columns[: len(of_rows)], columns[len(of_rows) :]
        codes = [fault.reason for fault in before] + [fault.reason for fault in of_values]
        ones = zip((one for _, one in checked), read_cells[::2], read_cells[1::2], strict=True)
        return _first_fault(zip(codes, rows, strict=True), ones, repeated(None, len(columns[0]), reasons or pl.String()))

    fault = pl.map_batches([*of_rows, *of_cells], first, return_dtype=reasons or pl.String(), is_elementwise=True)
    return read.select(*cells, fault.alias(READ_FAULT))


def _checked(cells: Mapping[str, Cell]) -> list[tuple[str, Cell]]:
    """Cells that may be unreadable, dates first."""
    checked = [(name, one) for name, one in cells.items() if one.filed is not None]
    return sorted(checked, key=lambda named: named[1].reason != UNREADABLE_DATE)


def _first_fault(told: Iterable[_FaultyRows], read: Iterable[_ReadCell], none: pl.Series) -> pl.Series:
    """The reason of the first fault of every row, in a column that has `none` yet: as `told`, else of an unreadable cell. Nearly
    no row has one, and of most blocks none."""
    faulty = [(reason, rows) for reason, rows in told if rows.any()]
    for one, values, filed in read:
        if (rows := one.unreadable(values, filed)) is not None:
            faulty.append((one.reason, rows))
    for reason, rows in reversed(faulty):
        none = none.set(rows, reason)
    return none


def _filed(name: str) -> str:
    return f"{name} filed"


@dataclass(frozen=True, slots=True)
class InMemory:
    """The same rows made of a block in memory: `cells` that are each `read` from the column of its heading."""

    cells: Mapping[str, Cell]
    headings: Mapping[str, str]
    of_values: Sequence[FaultOfValues]
    reasons: pl.DataType

    def filed(self, columns: Sequence[str]) -> list[str]:
        """The headings that these columns are made of."""
        return list(dict.fromkeys(self.headings[name] for name in self._needed(columns)))

    def _needed(self, columns: Sequence[str]) -> list[str]:
        checked = [name for name, _ in _checked(self.cells)] + [fault.column for fault in self.of_values]
        return [*(name for name in columns if name != READ_FAULT), *(checked if READ_FAULT in columns else ())]

    def made(self, block: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """These columns of a block that has the headings they are made of."""
        filed = {name: block[self.headings[name]] for name in self._needed(columns)}
        values = {name: _read(self.cells[name])(column).alias(name) for name, column in filed.items()}
        if READ_FAULT in columns:
            told = [(fault.reason, fault.rows(values[fault.column])) for fault in self.of_values]
            read = [(one, values[name], filed[name]) for name, one in _checked(self.cells)]
            values[READ_FAULT] = _first_fault(told, read, repeated(None, block.height, self.reasons)).alias(READ_FAULT)
        return pl.DataFrame([values[name] for name in columns])


def _read(one: Cell) -> Callable[[pl.Series], pl.Series]:
    assert one.read is not None
    return one.read


def in_memory(
    cells: Mapping[str, Cell], headings: Mapping[str, str], of_values: Sequence[FaultOfValues], reasons: pl.DataType | None = None
) -> InMemory | None:
    """How rows are made of blocks in memory; None where some column takes a query."""
    if any(one.read is None or name not in headings for name, one in cells.items()):
        return None
    return InMemory(cells, headings, of_values, reasons or pl.String())
