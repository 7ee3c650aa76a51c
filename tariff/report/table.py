"""A table as people read it, the same for the page and the terminal: text made from pence, small numbers hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tariff.money import pounds
from tariff.report.suppression import CONFIDENTIAL

LONGEST: Final = 25
"""Rows of a table before the smaller ones are gathered into one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its text, whether it is a number, and for a difference its share of the largest (−1 to 1)."""

    text: str
    number: bool = True
    bar: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its finding, caption, header, rows (first cell = row header) and total."""

    name: str
    finding: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()

    @property
    def barred(self) -> frozenset[int]:
        """The columns in which differences are drawn as bars."""
        return frozenset(number for row in self.rows for number, cell in enumerate(row) if cell.bar is not None)


def texts(*words: str) -> Iterator[Cell]:
    """Cells of text."""
    return (Cell(text, number=False) for text in words)


def numbers(figures: Sequence[str], *, hide: bool) -> Iterator[Cell]:
    """Cells of numbers, all hidden where `hide`."""
    return (Cell(CONFIDENTIAL if hide else figure) for figure in figures)


def whole_pounds(pence: int) -> str:
    """Pence as whole pounds."""
    return pounds(pence, whole=True)
