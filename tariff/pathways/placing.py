"""Places of lines in pathways, held by row and put on priced lines in their order, however many files they lie in."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from tariff.columns import PATHWAY_CATEGORIES, PATHWAY_CATEGORY
from tariff.pathways.care import ROW

PLACED: Final = {
    "pathway_id": pl.String(),
    "pathway_category": PATHWAY_CATEGORY,
    "pathway_pence": pl.Int64(),
}
"""What pathways add to a priced line: `pathway_pence` is the part of its price that the bundle pays in its place."""
_NONE: Final = -1
_PLACE: Final = "place"


def category_of(number: pl.Expr) -> pl.Expr:
    """A category by its number; null where that is negative."""
    names = pl.Series(PATHWAY_CATEGORIES, dtype=PATHWAY_CATEGORY)
    return pl.lit(names).gather(pl.when(number >= 0).then(number))


class Places:
    """Where each of `height` lines stands: thirteen bytes a line, and each pathway's identifier once."""

    def __init__(self, height: int) -> None:
        self._pathway = np.full(height, _NONE, dtype=np.int32)
        self._category = np.full(height, _NONE, dtype=np.int8)
        self._pence = np.zeros(height, dtype=np.int64)
        self._ids: list[pl.Series] = []
        self._known = 0

    def add(self, placed: pl.DataFrame) -> None:
        """Note the places of lines: `row`, and the columns of `PLACED`, where a line has one."""
        ids = placed["pathway_id"].unique()
        rows = placed[ROW].to_numpy()
        numbers = placed["pathway_id"].cast(pl.Enum(ids)).to_physical().to_numpy()
        self._pathway[rows] = numbers.astype(np.int32) + self._known
        self._category[rows] = placed["pathway_category"].to_physical().to_numpy()
        self._pence[rows] = placed["pathway_pence"].to_numpy()
        self._ids.append(ids)
        self._known += len(ids)

    def placed(self) -> pl.DataFrame:
        """The lines that have a place: `row`, `pathway_id`, `category` (its name) and `pence`."""
        rows = np.flatnonzero(self._pathway != _NONE)
        at = self._at(pl.Series(rows)).struct.unnest()
        return at.select(pl.Series(ROW, rows), "pathway_id", category="pathway_category", pence="pathway_pence")

    def put_on(self, lines: pl.LazyFrame, first: int = 0) -> pl.LazyFrame:
        """Priced lines, in their order from row `first` on, with their places; as they stream, so that
        memory is what `Places` holds."""
        present = lines.collect_schema().names()
        others = [name for name in present if name not in PLACED]
        place = pl.col(ROW).map_batches(self._at, return_dtype=pl.Struct(PLACED), is_elementwise=True)
        placed = lines.select(others).with_row_index(ROW, offset=first).with_columns(place.alias(_PLACE))
        columns = {name: pl.col(_PLACE).struct.field(name) for name in PLACED}
        return placed.select(columns.get(name, pl.col(name)) for name in (*present, *(n for n in PLACED if n not in present)))

    def _at(self, rows: pl.Series) -> pl.Series:
        places = rows.to_numpy()
        told = pl.DataFrame(
            {
                "pathway": self._pathway[places],
                "category": self._category[places],
                "pathway_pence": self._pence[places],
            }
        )
        return told.select(
            pl.struct(
                pathway_id=pl.lit(self._every_id()).gather(pl.when(pl.col("pathway") >= 0).then("pathway")),
                pathway_category=category_of(pl.col("category")),
                pathway_pence="pathway_pence",
            ).alias(rows.name)
        ).to_series()

    def _every_id(self) -> pl.Series:
        if len(self._ids) > 1:
            self._ids = [pl.concat(self._ids)]
        return self._ids[0] if self._ids else pl.Series([], dtype=pl.String)
