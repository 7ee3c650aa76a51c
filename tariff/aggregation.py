"""Totals of priced lines without the lines: what `tariff price --aggregate` writes, and the sums its run card is made from.

Lines come in bounded blocks; what is kept of them grows with the number of cells, not of lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.assumptions import SUMS_KEYS, pounds_of_sums, sums_by_figure
from tariff.run_card import CELL_SUMS, Totals, flag_sums, flag_warnings, totals_of_cells

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

KEYS: Final = (
    "commissioner",
    "provider",
    "kind",
    "pod",
    "financial_year",
    "month",
    "currency",
    "outcome",
    "reason",
    "pack",
)
ALSO: Final = ("treatment_function", "gp_practice")
"""What totals may be told apart by beside `KEYS`: they multiply the cells."""
COUNTS: Final = ("lines", "lines_valued")
"""Lines, and those of them that are not priced and have a value all the same."""
SUMS: Final = (
    *CELL_SUMS,
    "best_practice_pence",
    "best_practice_at_stake_pence",
    "best_practice_lost_pence",
)
READ: Final = tuple(
    dict.fromkeys([*KEYS, *SUMS, "setting", "basis", "price_row", "best_practice_row", "top_up_row"]),
)
"""The columns of a priced line that totals need: no identifier is among them."""
_ROWS_HELD: Final = 300_000
"""Rows of sums that are held before they are added up, beyond those that are added up already."""


def cells_of(priced: pl.LazyFrame, keys: Sequence[str] = KEYS) -> pl.LazyFrame:
    """Lines, units and pence of priced lines by `keys`, unsorted."""
    counts = pl.len(), pl.col("indicative_pence").count()
    named = [count.cast(pl.Int64).alias(name) for name, count in zip(COUNTS, counts, strict=True)]
    return priced.group_by(keys).agg(*named, pl.col(SUMS).sum())


class Sums:
    """Sums of blocks of priced lines, each holding the columns of `READ` and those of `also`, some of `ALSO`."""

    def __init__(self, also: Sequence[str] = ()) -> None:
        self._cell = (*KEYS, *also)
        self._keys: tuple[tuple[str, ...], ...] = (self._cell, *SUMS_KEYS, ())
        self._held: list[list[pl.DataFrame]] = [[] for _ in self._keys]
        self._rows = 0

    def add(self, block: pl.DataFrame) -> None:
        """Add the lines of a block."""
        lines = block.lazy().with_columns(pl.col("kind", "pod", "outcome", "reason").cast(pl.String))
        found = pl.collect_all([cells_of(lines, self._cell), *sums_by_figure(lines), flag_sums(lines)])
        for held, frame in zip(self._held, found, strict=True):
            held.append(frame)
            self._rows += frame.height
        if self._rows >= _ROWS_HELD:
            self._held, self._rows = [[frame] for frame in self._whole()], 0

    def _whole(self) -> list[pl.DataFrame]:
        return [_added(held, keys) for held, keys in zip(self._held, self._keys, strict=True)]

    def cells(self) -> pl.DataFrame:
        """Lines, units and pence by `KEYS` and what they are told apart by beside, in their order."""
        return self._whole()[0].select(*self._cell, *COUNTS, *SUMS).sort(self._cell, nulls_last=True)

    def totals(self) -> Totals:
        """What the run card says; lines whose identifier came before are not looked for."""
        cells, *_, flags = self._whole()
        return totals_of_cells(cells, flag_warnings(flags))

    def assumptions(self, packs: Sequence[RulePack]) -> list[dict[str, Any]]:
        """Pence and lines by pack, component, label and source."""
        return [asdict(resting) for resting in pounds_of_sums(self._whole()[1:-1], packs)]


def _added(held: Iterable[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    together = pl.concat(held)
    return together.group_by(keys).agg(pl.all().sum()) if keys else together.sum()
