"""Who has what: the mix of HRGs and settings spread over ages and sexes, and drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.mix import DAY_CASE, ORDINARY_ELECTIVE, REGULAR_ATTENDER, Cells
from tariff.synthetic.patients import AGE_BANDS, BAND_OLDEST, BAND_YOUNGEST, FEMALE, MALE
from tariff.synthetic.traits import MATERNITY, NEWBORN

# fmt: off
_EMERGENCY_AGES: Final = (30, 10, 8, 18, 9, 10, 85, 85, 85, 190, 170, 210, 150)
_ELECTIVE_AGES: Final = (10, 6, 8, 16, 8, 10, 60, 80, 110, 280, 230, 150, 42)
_CHILDRENS_AGES: Final = (34, 11, 8, 21, 13, 13, 0, 0, 0, 0, 0, 0, 0)
_MATERNITY_AGES: Final = (0, 0, 0, 0, 0, 2, 46, 47, 5, 0, 0, 0, 0)
# fmt: on
"""Invented weights of the age bands: England's shape, roughly; more complications go with more years."""

_MIDDLE_AGE: Final = 55
_NEUTRAL_SCORE: Final = 4


@dataclass(frozen=True, slots=True)
class Profiles:
    """A cell of the mix, an age band and a sex; arrays of one length, people of one pool, band and sex standing together.
    `stratum` numbers those stretches from 0; `chance` is cumulative."""

    cell: NDArray[np.int32]
    band: NDArray[np.int8]
    sex: NDArray[np.int8]
    stratum: NDArray[np.int32]
    chance: NDArray[np.float64]


def profiles_of(cells: Cells, ages: Sequence[int] | None = None) -> Profiles:
    """Every cell by every age band and sex that its HRG allows, weighted; `ages` weighs the bands where given, else the setting
    and the HRG do."""
    women = cells.by_hrg(lambda traits: traits.female_share)
    by_sex = np.stack([1 - women, women], axis=1)
    weight = (cells.weight[:, None, None] * _age_shares(cells, ages)[:, :, None] * by_sex[:, None, :]).ravel()
    chosen = np.flatnonzero(weight)
    cell, band, sex = np.unravel_index(chosen, (len(cells.setting), len(AGE_BANDS), 2))
    pool = cells.by_hrg(lambda traits: traits.pool)[cell].astype(np.int32)
    stretch = (pool * len(AGE_BANDS) + band) * 2 + sex
    order = np.lexsort((cell, stretch))
    _, stratum = np.unique(stretch[order], return_inverse=True)
    return Profiles(
        cell[order].astype(np.int32),
        band[order].astype(np.int8),
        np.where(sex[order] == 0, MALE, FEMALE).astype(np.int8),
        stratum.astype(np.int32),
        np.cumsum(weight[chosen][order] / weight[chosen].sum()),
    )


def draw_profiles(rng: np.random.Generator, profiles: Profiles, spells: int) -> NDArray[np.int32]:
    """One profile a spell, ascending. One draw falls in each of `spells` equal slices of the whole, so volumes stand as near to
    the weights as whole spells allow."""
    place = (np.arange(spells) + rng.random(spells)) / spells
    return np.minimum(np.searchsorted(profiles.chance, place, side="right"), len(profiles.cell) - 1).astype(np.int32)


def _age_shares(cells: Cells, ages: Sequence[int] | None) -> NDArray[np.float64]:
    """Shares of the age bands, a row a cell; each row adds to 1."""
    youngest = cells.by_hrg(lambda traits: traits.youngest)[:, None]
    oldest = cells.by_hrg(lambda traits: traits.oldest)[:, None]
    within = (youngest <= BAND_YOUNGEST) & (oldest >= BAND_OLDEST)
    touching = (youngest <= BAND_OLDEST) & (oldest >= BAND_YOUNGEST)
    allowed = np.where(within.any(axis=1, keepdims=True), within, touching)
    weight = (_age_weights(cells) * _tilt(cells) if ages is None else np.array(ages, np.float64)) * allowed
    weight = np.where(weight.any(axis=1, keepdims=True), weight, allowed)
    shares: NDArray[np.float64] = weight / weight.sum(axis=1, keepdims=True)
    return shares


def _age_weights(cells: Cells) -> NDArray[np.float64]:
    elective = np.isin(cells.setting, (DAY_CASE, ORDINARY_ELECTIVE, REGULAR_ATTENDER))
    pool = cells.by_hrg(lambda traits: traits.pool)
    child = cells.by_hrg(lambda traits: traits.oldest <= 18) > 0
    kinds = np.select([pool == MATERNITY, (pool == NEWBORN) | child, elective], [3, 2, 1], 0)
    weights: NDArray[np.float64] = np.array([_EMERGENCY_AGES, _ELECTIVE_AGES, _CHILDRENS_AGES, _MATERNITY_AGES], np.float64)[
        kinds
    ]
    return weights


def _tilt(cells: Cells) -> NDArray[np.float64]:
    """Factor on the adult bands: towards the old where the HRG's complication score is high, to the young where low."""
    score = cells.by_hrg(lambda traits: traits.complications)[:, None]
    slope = np.clip((score - _NEUTRAL_SCORE) / 8, -0.4, 1.1)
    middle = (BAND_YOUNGEST + BAND_OLDEST) / 2
    tilt: NDArray[np.float64] = np.exp(slope * (middle - _MIDDLE_AGE) / 25)
    return tilt
