"""Long stories that several kinds of activity tell parts of: pregnancies, and the registers that patients stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.patients import AGE_BANDS, SEXES
from tariff.synthetic.people import People, women_of_childbearing_age
from tariff.synthetic.places import of_kind
from tariff.synthetic.spells import Admissions, AdmittedModel
from tariff.synthetic.traits import BIRTH, MATERNITY

_WEEK: Final = 7
_BOOKED_BEFORE_BIRTH: Final = (29 * _WEEK, 2 * _WEEK)
"""Days from booking to birth: the middle, and how far either way."""
_POSTNATAL_DAYS: Final = 6 * _WEEK
_TO_BE_BORN_SHARE: Final = 0.55
"""Pregnancies that are booked in the year and end after it, for each that ends in it."""
MATERNITY_LEVELS: Final = ("standard", "intermediate", "intensive")
_ANTENATAL_SHARES: Final = (0.5, 0.387, 0.113)
"""England's casemix as the prices of 2017/18 took it (hsj.co.uk 7009714)."""
_POSTNATAL_SHARES: Final = (0.63, 0.35, 0.02)
"""Invented."""


@dataclass(frozen=True, slots=True)
class Pregnancies:
    """One a row: the mother, her lead provider, booking and birth (days since 1970; a birth may lie beyond the year), casemix
    levels as positions in `MATERNITY_LEVELS`."""

    person: NDArray[np.int32]
    provider: NDArray[np.int8]
    booked: NDArray[np.int32]
    birth: NDArray[np.int32]
    antenatal: NDArray[np.int8]
    postnatal: NDArray[np.int8]

    @property
    def discharged(self) -> NDArray[np.int32]:
        """When midwives hand mother and child over."""
        return self.birth + _POSTNATAL_DAYS


@dataclass(frozen=True, slots=True)
class Register:
    """A register other than maternity's: how many patients for every spell, their ages, the levels with their shares, and how
    it is kept: `starting` is the share who join in the year, `moving` the share who change level or provider in it."""

    name: str
    per_spell: float
    ages: tuple[int, int]
    levels: tuple[str, ...]
    shares: tuple[float, ...]
    provider: str
    starting: float
    moving: float


_CLUSTERS: Final = tuple(f"{number:02}" for number in range(1, 22) if number != 9)
REGISTERS: Final = (
    Register("cystic_fibrosis", 0.0005, (0, 49), ("1", "1A", "2", "2A", "3", "4", "5"),
             (0.17, 0.22, 0.2, 0.19, 0.12, 0.07, 0.03), "regional", 0.05, 0.06),
    Register("paediatric_diabetes", 0.0013, (2, 18), ("year_of_care",), (1.0,), "local", 0.1, 0.03),
    Register("early_inflammatory_arthritis", 0.001, (19, 98), ("first_year",), (1.0,), "local", 0.8, 0.0),
    Register("parkinsons", 0.0006, (50, 98), ("first_year",), (1.0,), "local", 0.8, 0.0),
    Register("mental_health", 0.018, (19, 98), _CLUSTERS, (1 / len(_CLUSTERS),) * len(_CLUSTERS), "community", 0.3, 0.25),
    Register("long_term_conditions", 0.03, (50, 98), ("1", "2", "3"), (0.55, 0.3, 0.15), "local", 0.1, 0.05),
)  # fmt: skip
"""Every share is invented; cystic fibrosis and paediatric diabetes are about as common as in England."""
CYSTIC_FIBROSIS, PAEDIATRIC_DIABETES, ARTHRITIS, PARKINSONS, MENTAL_HEALTH, LONG_TERM = range(len(REGISTERS))
_CYSTIC_FIBROSIS_HRGS: Final = ("DZ13", "PD13")


@dataclass(frozen=True, slots=True)
class Enrolments:
    """Rows of the registers: a position in `REGISTERS`, the patient, the level as a position in the register's, from when to
    when (days since 1970), and with which provider. A patient who moves has two rows, one after the other."""

    register: NDArray[np.int8]
    person: NDArray[np.int32]
    level: NDArray[np.int8]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    provider: NDArray[np.int8]

    def of(self, register: int) -> NDArray[np.int64]:
        """The rows of one register."""
        return np.flatnonzero(self.register == register)


def draw_pregnancies(rng: np.random.Generator, model: AdmittedModel, admissions: Admissions, people: People) -> Pregnancies:
    """Those that end in a birth among the block's spells, and those that the year ends before."""
    spells, calendar = admissions.spells, model.calendar
    births = np.flatnonzero((model.pool[spells.cell] == MATERNITY) & (model.stage[spells.cell] == BIRTH))
    coming = women_of_childbearing_age(rng, people, round(_TO_BE_BORN_SHARE * len(births)))
    coming = np.setdiff1d(coming, spells.person[births]).astype(np.int32)
    person = np.concatenate([spells.person[births], coming])
    year_over = calendar.first_day + calendar.days
    birth = np.concatenate([spells.admitted[births], year_over + rng.integers(0, 28 * _WEEK, size=len(coming))])
    middle, either_way = _BOOKED_BEFORE_BIRTH
    booked = birth - middle + rng.integers(-either_way, either_way + 1, size=len(birth))
    return Pregnancies(
        person,
        np.concatenate([admissions.provider[births], people.everyone.home[coming]]).astype(np.int8),
        booked.astype(np.int32),
        birth.astype(np.int32),
        _level(rng, _ANTENATAL_SHARES, len(person)),
        _level(rng, _POSTNATAL_SHARES, len(person)),
    )


def draw_enrolments(rng: np.random.Generator, model: AdmittedModel, admissions: Admissions, people: People) -> Enrolments:
    """The block's rows of every register but maternity's."""
    parts = [_enrolments(rng, number, model, admissions, people) for number in range(len(REGISTERS))]
    return Enrolments(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _enrolments(
    rng: np.random.Generator, number: int, model: AdmittedModel, admissions: Admissions, people: People
) -> tuple[NDArray[np.generic], ...]:
    register = REGISTERS[number]
    person = _members(rng, number, model, admissions, people)
    size = len(person)
    year_starts, year_ends = model.calendar.first_day, model.calendar.first_day + model.calendar.days - 1
    joins = rng.random(size) < register.starting
    starts = np.where(joins, year_starts + rng.integers(model.calendar.days, size=size), year_starts - 1)
    ends = np.minimum(np.full(size, year_ends), people.died[person])
    kept = ends > starts
    person, starts, ends, joins = person[kept], starts[kept], ends[kept], joins[kept]
    starts = np.where(joins, starts, year_starts)
    size = len(person)
    level, provider = _level(rng, register.shares, size), _kept_by(rng, register.provider, people, person)
    moves = (rng.random(size) < register.moving) & (ends - starts >= 4 * _WEEK)
    again = np.repeat(np.arange(size), 1 + moves)
    second = np.diff(again, prepend=-1) == 0
    between = (starts + (ends - starts) * rng.uniform(0.2, 0.8, size)).astype(np.int32)[again]
    first_of_two = moves[again] & ~second
    elsewhere = number == CYSTIC_FIBROSIS
    others, levels = _kept_by(rng, register.provider, people, person), _level(rng, register.shares, size)
    return (
        np.full(len(again), number, np.int8),
        person[again].astype(np.int32),
        np.where(second & (not elsewhere), levels[again], level[again]).astype(np.int8),
        np.where(second, between + 1, starts[again]).astype(np.int32),
        np.where(first_of_two, between, ends[again]).astype(np.int32),
        np.where(second & elsewhere, others[again], provider[again]).astype(np.int8),
    )


def _members(
    rng: np.random.Generator, number: int, model: AdmittedModel, admissions: Admissions, people: People
) -> NDArray[np.int32]:
    """The patients of a register, each once: of the right age, and for cystic fibrosis all who are admitted with it."""
    register = REGISTERS[number]
    youngest, oldest = register.ages
    bands = np.array([place for place, (low, high) in enumerate(AGE_BANDS) if low >= youngest and high <= oldest], np.int8)
    size = round(register.per_spell * len(admissions))
    drawn = people.someone(rng, bands[rng.integers(len(bands), size=size)], rng.integers(len(SEXES), size=size).astype(np.int8))
    if number != CYSTIC_FIBROSIS:
        return np.unique(drawn)
    with_it = np.array([hrg.startswith(_CYSTIC_FIBROSIS_HRGS) for hrg in model.cells.hrgs])
    admitted = admissions.spells.person[with_it[model.cells.hrg[admissions.spells.cell]]]
    return np.unique(np.concatenate([admitted, drawn]))


def _kept_by(rng: np.random.Generator, kind: str, people: People, person: NDArray[np.int32]) -> NDArray[np.int8]:
    if kind == "local":
        return people.everyone.home[person]
    places = of_kind(kind)
    return places[rng.integers(len(places), size=len(person))]


def _level(rng: np.random.Generator, shares: tuple[float, ...], size: int) -> NDArray[np.int8]:
    return np.minimum(np.searchsorted(np.cumsum(shares), rng.random(size)), len(shares) - 1).astype(np.int8)
