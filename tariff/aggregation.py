"""Totals of priced lines without the lines: what `tariff price --aggregate` writes, and the sums its run card is made from.

Lines come in bounded blocks; what is kept of them grows with the number of cells, not of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.activity.reading import REPEATED
from tariff.assumptions import TELLING, pounds_of_sums
from tariff.cells import Cells
from tariff.columns import PRICED_LINE, schema
from tariff.reasons import PRICED
from tariff.run_card import CELL_SUMS, Totals, flag_sums_of, flag_warnings, totals_of_cells

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
_FIGURES: Final = ("pack", "price_row", "best_practice_row", "kind", "setting", "pod", "basis", "outcome")
"""What tells which cell of a table a price was read from, and what is worth a warning."""
_LINES: Final = pl.Schema(
    schema(PRICED_LINE)
    | dict.fromkeys(("lines_valued", "short_stay_lines", "long_stay_lines", "market_forces_lines"), pl.Boolean())
)


class Sums:
    """Sums of blocks of priced lines, each holding the columns of `READ` and those of `also`, some of `ALSO`."""

    def __init__(self, also: Sequence[str] = ()) -> None:
        self._keys = (*KEYS, *also)
        self._cells = Cells(self._keys, ("lines_valued", *SUMS, "market_forces_lines"), _LINES, REPEATED)
        sums = ("base_pence", "short_stay_pence", "long_stay_pence", "price_pence", "short_stay_lines", "long_stay_lines")
        self._figures = Cells(_FIGURES, sums, _LINES)
        self._top_ups = Cells(("pack", "top_up_row"), ("top_up_pence",), _LINES)

    def add(self, block: pl.DataFrame) -> None:
        """Add the lines of a block."""
        lines = block.with_columns(
            lines_valued=pl.col("indicative_pence").is_not_null(),
            short_stay_lines=pl.col("short_stay_pence") != 0,
            long_stay_lines=pl.col("long_stay_pence") != 0,
            market_forces_lines=pl.col("mff_pence") != 0,
        )
        self._cells.add(lines)
        self._figures.add(lines)
        self._top_ups.add(block.select("pack", "top_up_row", "top_up_pence").filter(pl.col("top_up_row") > 0))

    def cells(self) -> pl.DataFrame:
        """Lines, units and pence by `KEYS` and what they are told apart by beside, in their order."""
        return self._cells.frame(in_order=True, as_texts=True).select(*self._keys, *COUNTS, *SUMS)

    def totals_of(self, cells: pl.DataFrame) -> Totals:
        """What the run card says of these `cells`; lines whose identifier came before are not looked for."""
        by_basis = self._figures.frame().group_by("basis").agg(pl.col("lines", "price_pence").sum())
        return totals_of_cells(cells, flag_warnings(flag_sums_of(by_basis)))

    def assumptions(self, packs: Sequence[RulePack]) -> list[dict[str, Any]]:
        """Pence and lines by pack, component, label and source."""
        found = [self._by_price_row(), self._top_ups.frame(), self._by_provider()]
        return [asdict(resting) for resting in pounds_of_sums(found, packs)]

    def _by_price_row(self) -> pl.DataFrame:
        sums = ("lines", "base_pence", "short_stay_pence", "long_stay_pence", "short_stay_lines", "long_stay_lines")
        words = pl.col("kind", "setting", "pod").cast(pl.String)
        return (
            self._figures.frame()
            .filter(pl.col("outcome") == PRICED)
            .group_by("pack", "price_row", "best_practice_row", words, telling=pl.col("basis") & TELLING)
            .agg(pl.col(sums).sum())
        )

    def _by_provider(self) -> pl.DataFrame:
        sums = {"lines": pl.col("market_forces_lines").sum(), "mff_pence": pl.col("mff_pence").sum()}
        cells = self._cells.frame().filter((pl.col("outcome") == PRICED) & (pl.col("market_forces_lines") > 0))
        return cells.group_by("pack", "provider").agg(**sums)
