"""How long people stay. A non-elective HRG's stays are lognormal, scaled so that the upper quartile plus one and a half times
the interquartile range falls on its 2017/18 trim point, which is how trim points are set (RULES 1.5); the trim points
lend their shape only and are no price rule here."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.mix import DAY_CASE, LONG_STAY, ORDINARY_ELECTIVE, SHORT_STAY, Cells

SPREAD: Final = 0.85
"""Standard deviation of the logarithm of a stay."""
SAME_DAY_SHARE: Final = 0.52
"""Of non-elective stays below two days, those that end on the day they began."""
DAY_CASE_OVERNIGHT_SHARE: Final = 0.006
"""Of intended day cases, those that stay a night after all."""

_FEWEST_LONG: Final = 2
_ROUNDS_UP_TO_LONG: Final = 1.5
_STEPS_OF_SEARCH: Final = 40

_PROBABILITY: Final = np.linspace(0, 1, 8193)
_NORMAL_QUANTILE: Final = np.array([NormalDist().inv_cdf(min(max(p, 1e-6), 1 - 1e-6)) for p in _PROBABILITY])


@dataclass(frozen=True, slots=True)
class StayShapes:
    """By cell of the mix: the lognormal's median in days, the probability below which it is cut off, and the shortest and
    longest stay that the HRG's name allows in the setting."""

    median: NDArray[np.float64]
    cut_off: NDArray[np.float64]
    shortest: NDArray[np.int32]
    longest: NDArray[np.int32]


def stay_shapes(cells: Cells) -> StayShapes:
    """The shape of the stays of every cell."""
    long = cells.setting == LONG_STAY
    shortest = cells.by_hrg(lambda traits: traits.shortest_stay)
    longest = cells.by_hrg(lambda traits: traits.longest_stay)
    shortest = np.select(
        [long, cells.setting == ORDINARY_ELECTIVE, cells.setting == SHORT_STAY],
        [np.maximum(shortest, _FEWEST_LONG), shortest, np.minimum(shortest, 1)],
        0,
    )
    longest = np.where(long, np.maximum(longest, _FEWEST_LONG), longest)
    median = np.where(long, _median_of_long_stays(cells.trim_shape, cells.short_share), cells.trim_shape / _trim_of_median())
    return StayShapes(
        median,
        np.where(long, _share_below(_ROUNDS_UP_TO_LONG, median), 0.0),
        shortest.astype(np.int32),
        longest.astype(np.int32),
    )


def draw_stays(
    rng: np.random.Generator, shapes: StayShapes, setting: NDArray[np.int8], cell: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Days from admission to discharge of each spell, `setting` being that of its `cell`."""
    chance = rng.random(len(cell))
    overnight = np.select(
        [setting == DAY_CASE, setting == SHORT_STAY], [chance < DAY_CASE_OVERNIGHT_SHARE, chance >= SAME_DAY_SHARE], False
    ).astype(np.int32)
    lognormal = _quantile(shapes.cut_off[cell] + chance * (1 - shapes.cut_off[cell]), shapes.median[cell])
    nights = np.where((setting == LONG_STAY) | (setting == ORDINARY_ELECTIVE), np.rint(lognormal), overnight)
    return np.clip(nights, shapes.shortest[cell], shapes.longest[cell]).astype(np.int32)


def _quantile(probability: NDArray[np.float64], median: NDArray[np.float64] | float) -> NDArray[np.float64]:
    quantile: NDArray[np.float64] = median * np.exp(SPREAD * np.interp(probability, _PROBABILITY, _NORMAL_QUANTILE))
    return quantile


def _share_below(days: float, median: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.interp(np.log(days / median) / SPREAD, _NORMAL_QUANTILE, _PROBABILITY)
    return share


def _trim_of_median() -> float:
    """Trim point of a whole lognormal, in medians."""
    lower, upper = _quantile(np.array([0.25, 0.75]), 1.0)
    return float(upper + 1.5 * (upper - lower))


def _median_of_long_stays(trim: NDArray[np.int32], short_share: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median at which short and long stays together have the trim point `trim`, found by halving; kept between a sixth
    and a half of the trim point, because HRGs that mostly stay short say little about their long stays."""
    low, high = trim / 6.0, trim / 2.0
    for _ in range(_STEPS_OF_SEARCH):
        middle = (low + high) / 2
        too_long = _trim_of_mixture(middle, short_share) > trim
        low, high = np.where(too_long, low, middle), np.where(too_long, middle, high)
    return np.where(short_share < 0.75, (low + high) / 2, trim / _trim_of_median())


def _trim_of_mixture(median: NDArray[np.float64], short_share: NDArray[np.float64]) -> NDArray[np.float64]:
    cut_off = _share_below(_ROUNDS_UP_TO_LONG, median)
    lower, upper = (
        np.where(
            share > short_share,
            _quantile(cut_off + (1 - cut_off) * np.clip((share - short_share) / (1 - short_share + 1e-9), 0, 1), median),
            0.5,
        )
        for share in (0.25, 0.75)
    )
    return upper + 1.5 * (upper - lower)
