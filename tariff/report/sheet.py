"""A sheet of the workbook as data: its table, its chart, and the marks that stand for what is not told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tariff.report.suppression import CONFIDENTIAL

NOT_APPLICABLE: Final = "[z]"
NOT_AVAILABLE: Final = "[x]"

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart of a sheet's table: its title (the finding), what it shows in words, and the columns drawn."""

    title: str
    description: str
    columns: tuple[int, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, title, what a reader should know, header, rows, which columns hold pounds, a chart, and which columns
    hold shares."""

    name: str
    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    money: frozenset[int] = frozenset()
    chart: Chart | None = None
    shares: frozenset[int] = frozenset()


def in_pounds(pence: int, *, hide: bool) -> Value:
    """Money as a workbook holds it."""
    return CONFIDENTIAL if hide else pence / 100


def in_lines(count: int, *, hide: bool) -> Value:
    """A count as a workbook holds it."""
    return CONFIDENTIAL if hide else count
