"""Everybody that a block's activity is about: the patients admitted in the year, and their neighbours who are not, but see a
clinic, come to an emergency department or are visited at home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.histories import CROWDING
from tariff.synthetic.patients import AGE_BANDS, FEMALE, SEXES, Patients, draw_patients
from tariff.synthetic.places import NO_FACTOR, PROVIDER_CODES, of_kind
from tariff.synthetic.seasons import Calendar
from tariff.synthetic.spells import Admissions

NEIGHBOURS_PER_SPELL: Final = 1.5
"""Neighbours drawn for every spell: a stated shape, as is their mix of ages."""
_NEIGHBOURS_FROM: Final = 500_000_000
_NEIGHBOUR_NUMBERS_PER_SPELL: Final = (8, 5)
"""Numbers kept for the neighbours of every spell, as a fraction; above those of the patients, and few enough for pseudonyms."""
# fmt: off
_NEIGHBOUR_AGES: Final = np.array((4, 3, 3, 8, 5, 5, 15, 13, 12, 18, 9, 6, 2), np.float64)
# fmt: on
_ALIVE: Final = np.int32(2**30)
"""A day that no year reaches."""
_GROUPS: Final = len(AGE_BANDS) * len(SEXES)
_ADULT_BAND: Final = AGE_BANDS.index((19, 29))


@dataclass(frozen=True, slots=True)
class People:
    """`everyone`: the patients admitted first, then the neighbours. `died` is a day since 1970, far off for most. The people of
    one age band and sex whom anything may happen to (not born in the year, not dying in it) stand together in `order`, those
    admitted first, from `begins`, `sizes` of them; no group is empty. `dead_on_arrival` are kept apart."""

    everyone: Patients
    died: NDArray[np.int32]
    order: NDArray[np.int32]
    begins: NDArray[np.int64]
    sizes: NDArray[np.int64]
    dead_on_arrival: NDArray[np.int32]

    def someone(self, rng: np.random.Generator, band: NDArray[np.int8], sex: NDArray[np.int8]) -> NDArray[np.int32]:
        """A person of each band and sex; some are drawn more often than others, those admitted above all."""
        group = band.astype(np.int64) * len(SEXES) + sex
        turn = self.sizes[group] * rng.random(len(group)) ** CROWDING
        drawn: NDArray[np.int32] = self.order[self.begins[group] + turn.astype(np.int64)]
        return drawn

    def alive(self, person: NDArray[np.int32], day: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether each person is there on a day since 1970: born, and not dead before it."""
        there: NDArray[np.bool_] = (day <= self.died[person]) & (day >= self.everyone.born[person])
        return there


def draw_people(rng: np.random.Generator, admissions: Admissions, calendar: Calendar, dead_on_arrival: int) -> People:
    """The people of a block, `dead_on_arrival` of whom are seen once only."""
    patients, spells = admissions.patients, admissions.spells
    neighbours = _draw_neighbours(rng, admissions, calendar, dead_on_arrival)
    everyone = _together(patients, neighbours)
    died = np.full(len(everyone.number), _ALIVE, np.int32)
    died[spells.person[admissions.died]] = spells.discharged[admissions.died]
    last = np.arange(len(died) - dead_on_arrival, len(died), dtype=np.int32)
    open_to_chance = (died == _ALIVE) & (everyone.born < calendar.first_day)
    open_to_chance[last] = False
    chosen = np.flatnonzero(open_to_chance).astype(np.int32)
    group = everyone.band[chosen].astype(np.int16) * len(SEXES) + everyone.sex[chosen]
    sizes = np.bincount(group, minlength=_GROUPS)
    return People(everyone, died, chosen[np.argsort(group, kind="stable")], np.cumsum(sizes) - sizes, sizes, last)


def usual_providers(
    rng: np.random.Generator, people: People, person: NDArray[np.int32], *, planned: bool = True
) -> NDArray[np.int8]:
    """Where people go when nothing else decides: mostly the hospital near them, else a regional one, children to theirs, some
    planned care to the elective centres, a little anywhere."""
    size = len(person)
    chance = rng.random(size)
    child = people.everyone.band[person] < _ADULT_BAND
    somewhere = [_any_of(rng, kind, size) for kind in ("local", "children", "elective", "regional")]
    elsewhere = 0.06 if planned else 0.0
    kinds = [chance < 0.001, chance < 0.03, child & (chance < 0.25), chance < 0.03 + elsewhere, chance < 0.13 + elsewhere]
    nowhere = np.int8(PROVIDER_CODES.index(NO_FACTOR))
    return np.select(kinds, [nowhere, *somewhere], people.everyone.home[person]).astype(np.int8)


def _any_of(rng: np.random.Generator, kind: str, size: int) -> NDArray[np.int8]:
    places = of_kind(kind)
    return places[rng.integers(len(places), size=size)]


def _draw_neighbours(rng: np.random.Generator, admissions: Admissions, calendar: Calendar, dead_on_arrival: int) -> Patients:
    """One of every band and sex, then as chance has it; the last ones old."""
    some = round(NEIGHBOURS_PER_SPELL * len(admissions))
    chances = np.cumsum(_NEIGHBOUR_AGES / _NEIGHBOUR_AGES.sum())
    drawn = np.minimum(np.searchsorted(chances, rng.random(some)), len(AGE_BANDS) - 1)
    old = np.full(dead_on_arrival, AGE_BANDS.index((75, 84)))
    band = np.concatenate([np.arange(_GROUPS) // len(SEXES), drawn, old]).astype(np.int8)
    sex = np.concatenate([np.arange(_GROUPS) % len(SEXES), rng.integers(len(SEXES), size=some + dead_on_arrival)]).astype(np.int8)
    numbers, spells = _NEIGHBOUR_NUMBERS_PER_SPELL
    first = _NEIGHBOURS_FROM + admissions.first * numbers // spells
    nobody, never = np.zeros(len(band), np.bool_), np.zeros(len(band), np.int32)
    return draw_patients(rng, first, band, sex, calendar, nobody, never)


def _together(patients: Patients, neighbours: Patients) -> Patients:
    return Patients(
        *(
            np.concatenate([getattr(patients, name), getattr(neighbours, name)])
            for name in ("number", "band", "sex", "born", "practice", "commissioner", "home")
        )
    )


def women_of_childbearing_age(rng: np.random.Generator, people: People, size: int) -> NDArray[np.int32]:
    """Women of 19 to 39."""
    bands = np.array([AGE_BANDS.index((19, 29)), AGE_BANDS.index((30, 39))], np.int8)
    return people.someone(rng, bands[rng.integers(2, size=size)], np.full(size, FEMALE, np.int8))
