"""Who the invented patients are: date of birth, sex, practice, commissioner and local hospital. What happens to them is
kept apart (histories.py and the module of each kind of activity), so that every kind shares the same people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.places import COMMISSIONER_SHARES, COMMISSIONERS, PRACTICES_EACH, home_of_practices
from tariff.synthetic.seasons import Calendar

AGE_BANDS: Final = (
    (0, 1), (2, 3), (4, 5), (6, 12), (13, 15), (16, 18),
    (19, 29), (30, 39), (40, 49), (50, 64), (65, 74), (75, 84), (85, 98),
)  # fmt: skip
"""Ages in years, both ends included. A patient stays in one band all year, so that HRGs limited by age fit every stay."""
BAND_YOUNGEST: Final = np.array([youngest for youngest, _ in AGE_BANDS])
BAND_OLDEST: Final = np.array([oldest for _, oldest in AGE_BANDS])

SEXES: Final = ("1", "2")
"""National codes: male, female."""
MALE, FEMALE = range(len(SEXES))

DAYS_IN_YEAR: Final = 365.25

_PSEUDONYM_MULTIPLIER: Final = 6_364_136_223
_PSEUDONYM_MODULUS: Final = 8_999_999_993
"""A prime: multiplying by anything else permutes the numbers below it."""
_PSEUDONYM_BASE: Final = 10_000_000_000
"""Eleven digits: nobody can take one for an NHS number, which has ten."""


@dataclass(frozen=True, slots=True)
class Patients:
    """Arrays of one length. `number` is unique in the year; `born` counts days since 1970; the rest are positions in `SEXES`,
    `COMMISSIONERS`, `PRACTICES` and `PROVIDERS`; `band` is a position in `AGE_BANDS`."""

    number: NDArray[np.int64]
    band: NDArray[np.int8]
    sex: NDArray[np.int8]
    born: NDArray[np.int32]
    practice: NDArray[np.int16]
    commissioner: NDArray[np.int8]
    home: NDArray[np.int8]

    def pseudonyms(self) -> NDArray[np.int64]:
        """Eleven-digit identifiers: unique, and in no order that says anything."""
        scrambled = (self.number + 1) * _PSEUDONYM_MULTIPLIER % _PSEUDONYM_MODULUS
        return scrambled + _PSEUDONYM_BASE


def draw_patients(
    rng: np.random.Generator,
    first_number: int,
    band: NDArray[np.int8],
    sex: NDArray[np.int8],
    calendar: Calendar,
    newborn: NDArray[np.bool_],
    first_seen: NDArray[np.int32],
) -> Patients:
    """People of the given bands and sexes, one a position, numbered from `first_number`; the `newborn` among them are born on
    the day they are first seen."""
    practice = _draw_practices(rng, len(band))
    return Patients(
        np.arange(first_number, first_number + len(band)),
        band,
        sex,
        np.where(newborn, first_seen, _draw_births(rng, band, calendar)).astype(np.int32),
        practice,
        (practice // PRACTICES_EACH).astype(np.int8),
        home_of_practices()[practice],
    )


def age_on(patients: Patients, person: NDArray[np.int32], day: NDArray[np.int32]) -> NDArray[np.int32]:
    """Whole years of age of `person` on `day`. Kept inside the band: a stay begun before the year counts as the youngest."""
    years = ((day - patients.born[person]) / DAYS_IN_YEAR).astype(np.int32)
    band = patients.band[person]
    return np.clip(years, BAND_YOUNGEST[band], BAND_OLDEST[band]).astype(np.int32)


def _draw_practices(rng: np.random.Generator, people: int) -> NDArray[np.int16]:
    commissioner = rng.choice(len(COMMISSIONERS), people, p=COMMISSIONER_SHARES)
    return (commissioner * PRACTICES_EACH + rng.integers(PRACTICES_EACH, size=people)).astype(np.int16)


def _draw_births(rng: np.random.Generator, band: NDArray[np.int8], calendar: Calendar) -> NDArray[np.int32]:
    """Evenly over the dates that keep a person inside the band from the first day of the year to the last."""
    latest = calendar.first_day - BAND_YOUNGEST[band] * DAYS_IN_YEAR
    earliest = calendar.first_day + calendar.days - (BAND_OLDEST[band] + 1) * DAYS_IN_YEAR + 1
    return (earliest + rng.random(len(band)) * (latest - earliest)).astype(np.int32)
