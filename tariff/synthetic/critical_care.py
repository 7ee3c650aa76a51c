"""Critical care of the spells that have critical-care days: which currencies, how many days each, and how an activity file
gives them: in the spell's own cell, as lines of their own, or (a few) both ways."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.synthetic.care_mix import narrowed, volumes_of

FAMILIES: Final = ("XA", "XB", "XC")
"""Neonatal, paediatric and adult critical care."""
NEONATAL, PAEDIATRIC, ADULT = range(len(FAMILIES))
_OLDEST_CHILD: Final = 18

ATTACHED_SHARE: Final = 0.45
"""Of spells with critical care, those whose days stand only in the spell's `unbundled` cell."""
BOTH_WAYS_SHARE: Final = 0.08
"""Of spells with critical care, those whose days stand in the cell and as lines as well; the rest have lines alone."""
STEPPED_DOWN_SHARE: Final = 0.4
"""Of stays of two days or more in critical care, those that end on a lower level of support."""
REPEATED_SHARE: Final = 0.05
"""Of cells, those in which an item stands twice with its whole day count, as some groupers write it."""


@dataclass(frozen=True, slots=True)
class CriticalMix:
    """Currencies by family, from the most organs supported to the fewest, and their cumulative chances."""

    words: tuple[str, ...]
    first: tuple[int, ...]
    chances: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, slots=True)
class CriticalCare:
    """Items of critical care, in the order of their spells: the row of the spell, a position in `words`, days, and whether the
    item stands in the spell's cell, as a line, or both."""

    words: tuple[str, ...]
    row: NDArray[np.int64]
    currency: NDArray[np.int16]
    days: NDArray[np.int32]
    in_cell: NDArray[np.bool_]
    as_line: NDArray[np.bool_]
    repeated: NDArray[np.bool_]

    def attached(self, spells: int) -> pl.Series:
        """The `unbundled` cell of each spell: `XC05Z*3;XC06Z*2`, blank for most."""
        said = self.in_cell
        items = pl.DataFrame(
            {"row": self.row[said], "word": pl.Series(self.words, dtype=pl.String).gather(self.currency[said]),
             "days": self.days[said], "repeated": self.repeated[said]}
        )  # fmt: skip
        item = pl.col("word") + "*" + pl.col("days").cast(pl.String)
        cells = items.select("row", item=pl.when("repeated").then(item + ";" + item).otherwise(item))
        cells = cells.group_by("row", maintain_order=True).agg(pl.col("item").str.join(";"))
        column = pl.Series([None], dtype=pl.String).extend_constant(None, spells - 1)
        return column.scatter(cells["row"], cells["item"]) if cells.height else column


def critical_mix_of(known: Collection[str]) -> CriticalMix:
    """The currencies of critical care for a pack that knows the unbundled currencies `known`; a family may have none."""
    journeys = volumes_of("critical_care_transport")
    days = {code: volume for code, volume in volumes_of("critical_care").items() if code not in journeys}
    families = [{code: volume for code, volume in days.items() if code.startswith(family)} for family in FAMILIES]
    shares = [dict(sorted(narrowed(family, known).items())) for family in families]
    sizes = [len(of_family) for of_family in shares]
    return CriticalMix(
        tuple(code for of_family in shares for code in of_family),
        tuple(int(first) for first in np.cumsum([0, *sizes[:-1]])),
        tuple(np.cumsum(list(of_family.values())) for of_family in shares),
    )


def draw_critical_care(
    rng: np.random.Generator,
    mix: CriticalMix,
    days: NDArray[np.int32],
    age: NDArray[np.int32],
    newborn: NDArray[np.bool_],
) -> CriticalCare:
    """The items of the spells with critical-care `days`; their units add to the days of the spell."""
    row = np.flatnonzero(days)
    family = np.select([newborn[row], age[row] <= _OLDEST_CHILD], [NEONATAL, PAEDIATRIC], ADULT)
    highest, chance, ways = rng.random(len(row)), rng.random(len(row)), rng.random(len(row))
    known = np.array([len(chances) > 0 for chances in mix.chances])[family]
    row, family, highest, chance, ways = (drawn[known] for drawn in (row, family, highest, chance, ways))
    place = np.zeros(len(row), np.int64)
    for number, chances in enumerate(mix.chances):
        of_family = family == number
        place[of_family] = np.minimum(np.searchsorted(chances, highest[of_family]), len(chances) - 1)
    lowest = np.array([len(chances) - 1 for chances in mix.chances])[family]
    whole = days[row]
    steps_down = (chance < STEPPED_DOWN_SHARE) & (whole >= 2) & (place < lowest)
    after = np.where(steps_down, np.maximum(whole // 2, 1), 0)
    again = np.repeat(np.arange(len(row)), 1 + steps_down)
    second = np.diff(again, prepend=-1) == 0
    both = ways >= 1 - BOTH_WAYS_SHARE
    in_cell = (ways < ATTACHED_SHARE) | both
    return CriticalCare(
        mix.words,
        row[again],
        (np.array(mix.first)[family] + place)[again].astype(np.int16) + second.astype(np.int16),
        np.where(second, after[again], (whole - after)[again]).astype(np.int32),
        in_cell[again],
        (~in_cell | both)[again],
        (ways < ATTACHED_SHARE * REPEATED_SHARE)[again],
    )
