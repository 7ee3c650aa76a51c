"""Emergency care: an attendance on the day of most emergency admissions, and those that end without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import EMERGENCY
from tariff.synthetic.blemishes import spoil
from tariff.synthetic.care_mix import narrowed, per_spell, volumes_of
from tariff.synthetic.frames import Coded, dates, frame_of, numbered, thousand_of
from tariff.synthetic.histories import draw_days
from tariff.synthetic.patients import AGE_BANDS, SEXES, age_on
from tariff.synthetic.people import People, usual_providers
from tariff.synthetic.places import COMMISSIONERS, PRACTICES, PROVIDER_CODES, of_kind
from tariff.synthetic.seasons import Calendar
from tariff.synthetic.spells import CATEGORIES, CATEGORY_SHARES, METHODS, SERIAL_NUMBER_SHARES, SERIAL_NUMBERS, Admissions

DEAD_ON_ARRIVAL: Final = "VB99Z"
OF_THIS_DEPARTMENT, OF_ANOTHER_PROVIDER = METHODS.index("21"), METHODS.index("2A")
"""Admitted from the provider's own emergency department, and from that of another provider."""
UNRECORDED_SHARE: Final = 0.03
"""Of admissions from an emergency department, those whose attendance the files lack."""
NIGHT_BEFORE_SHARE: Final = 0.07
"""Of attendances that lead to admission, those that began the day before."""
FOLLOW_UP_SHARES: Final = (0.03, 0.015)
"""Of attendances without admission, planned and unplanned returns of somebody seen a few days earlier."""
DEPARTMENT_TYPES: Final = ("1", "2", "3", "4")
CATEGORIES_OF_ATTENDANCE: Final = ("1", "2", "3")
EMERGENCY_MEDICINE: Final = "180"
NUMBERS_KEPT: Final = 4

_MINOR: Final = 0.6
"""Where among the currencies, from the simplest, lie those that departments of type 3 mostly see."""
_TYPE_SHARES: Final = {True: (0.42, 0.02, 0.53, 0.03), False: (0.86, 0.02, 0.11, 0.01)}
"""Department types of simple and of other attendances without admission."""
_ADMITTED_TYPE_SHARES: Final = (0.97, 0.01, 0.02, 0.0)
_SPREAD_OF_NEED: Final = 0.45
# fmt: off
_AGES: Final = np.array((80, 45, 35, 85, 50, 60, 190, 140, 105, 150, 95, 100, 65), np.float64)
# fmt: on

WRONG: Final[Mapping[str, str | int | None]] = {
    "department_type": "9",
    "age": 999,
    "hrg": None,
    "commissioner": None,
    "arrival_date": None,
}
"""Values that are in no list, an age that nobody has, and blanks: one row in ten thousand each."""


@dataclass(frozen=True, slots=True)
class EmergencyMix:
    """The currencies from the simplest to the most complex, with their shares, and attendances for every spell."""

    words: tuple[str, ...]
    shares: NDArray[np.float64]
    per_spell: float

    def counts(self, attendances: int) -> NDArray[np.int64]:
        """How many attendances each currency has: whole numbers as near to the shares as they go."""
        edges = np.rint(np.cumsum(self.shares) * attendances).astype(np.int64)
        return np.diff(edges, prepend=0)

    def attendances(self, spells: int) -> int:
        """Attendances that come with so many spells."""
        return round(self.per_spell * spells)

    def dead_on_arrival(self, spells: int) -> int:
        """How many are brought in dead."""
        if DEAD_ON_ARRIVAL not in self.words:
            return 0
        return int(self.counts(self.attendances(spells))[self.words.index(DEAD_ON_ARRIVAL)])


def emergency_mix(known: frozenset[str]) -> EmergencyMix:
    """The mix for a pack that knows the emergency currencies `known`. England's whole mix where it knows none."""
    volumes = volumes_of("emergency_care")
    shares = narrowed(volumes, known) or narrowed(volumes, ())
    words = sorted(shares, key=lambda code: (code != DEAD_ON_ARRIVAL, code), reverse=True)
    return EmergencyMix(tuple(words), np.array([shares[code] for code in words]), per_spell(volumes))


@dataclass(frozen=True, slots=True)
class _Attendances:
    """Arrays of one length; `admitted` marks those that led to admission, `category` is a position in its national codes."""

    person: NDArray[np.int32]
    provider: NDArray[np.int8]
    day: NDArray[np.int32]
    admitted: NDArray[np.bool_]
    category: NDArray[np.int8]
    currency: NDArray[np.int8]

    def at(self, rows: NDArray[np.int64]) -> _Attendances:
        return _Attendances(*(getattr(self, field.name)[rows] for field in fields(self)))


def emergency_frame(
    rng: np.random.Generator, mix: EmergencyMix, calendar: Calendar, admissions: Admissions, people: People
) -> pl.DataFrame:
    """The block's attendances by arrival. Columns as in `columns.EMERGENCY`, codes of few values as Enum."""
    came = _draw_attendances(rng, mix, calendar, admissions, people)
    everyone, size = people.everyone, len(came.person)
    columns: dict[str, Coded | pl.Series] = {
        "attendance_id": numbered(np.arange(size) + 1_000_000_001 + NUMBERS_KEPT * admissions.first, "E"),
        "provider": Coded(came.provider, PROVIDER_CODES),
        "commissioner": Coded(everyone.commissioner[came.person], COMMISSIONERS),
        "arrival_date": dates(came.day),
        "department_type": Coded(_department_types(rng, mix, came), (*DEPARTMENT_TYPES, "9")),
        "hrg": Coded(came.currency, mix.words),
        "age": pl.Series(age_on(everyone, came.person, came.day)),
        "patient_id": numbered(everyone.pseudonyms()[came.person]),
        "gp_practice": Coded(everyone.practice[came.person], PRACTICES),
        "treatment_function": Coded(np.zeros(size, np.int8), (EMERGENCY_MEDICINE,)),
        "sex": Coded(everyone.sex[came.person], SEXES),
        "administrative_category": Coded(thousand_of(rng, CATEGORY_SHARES, size), CATEGORIES),
        "commissioning_serial_number": Coded(thousand_of(rng, SERIAL_NUMBER_SHARES, size), SERIAL_NUMBERS),
        "attendance_category": Coded(came.category, CATEGORIES_OF_ATTENDANCE),
    }
    return spoil(rng, frame_of(EMERGENCY, columns), dict.fromkeys(WRONG, 0.0001), WRONG)


def _draw_attendances(
    rng: np.random.Generator, mix: EmergencyMix, calendar: Calendar, admissions: Admissions, people: People
) -> _Attendances:
    """Those of admissions, as many others as England's volumes leave room for, and the dead on arrival; by day."""
    wanted, dead = mix.attendances(len(admissions)), people.dead_on_arrival
    row, admitted_at, day = _before_admission(rng, calendar, admissions)
    person = admissions.spells.person[row]
    room = slice(max(wanted - len(dead), 0))
    person, admitted_at, day = person[room], admitted_at[room], day[room]
    others, places, days, category = _without_admission(rng, calendar, people, wanted - len(dead) - len(person))
    everybody = np.concatenate([person, others, dead])
    came = _Attendances(
        everybody,
        np.concatenate([admitted_at, places, people.everyone.home[dead]]),
        np.concatenate([day, days, calendar.first_day + rng.integers(calendar.days, size=len(dead))]).astype(np.int32),
        np.arange(len(everybody)) < len(person),
        np.concatenate([np.zeros(len(person), np.int8), category, np.zeros(len(dead), np.int8)]),
        np.zeros(len(everybody), np.int8),
    )
    came = replace(came, currency=_currencies(rng, mix, came, len(dead)))
    return came.at(np.argsort(came.day, kind="stable"))


def _before_admission(
    rng: np.random.Generator, calendar: Calendar, admissions: Admissions
) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int32]]:
    """The spells that an attendance led to, where and on which day of the year."""
    here, elsewhere = admissions.method == OF_THIS_DEPARTMENT, admissions.method == OF_ANOTHER_PROVIDER
    recorded = rng.random(len(admissions)) >= UNRECORDED_SHARE
    row = np.flatnonzero((here | elsewhere) & recorded)
    day = admissions.spells.admitted[row] - (rng.random(len(row)) < NIGHT_BEFORE_SHARE)
    local = of_kind("local")
    one = rng.integers(len(local), size=len(row))
    place = np.where(local[one] == admissions.provider[row], local[(one + 1) % len(local)], local[one])
    provider = np.where(elsewhere[row], place, admissions.provider[row]).astype(np.int8)
    inside = day >= calendar.first_day
    return row[inside], provider[inside], day[inside].astype(np.int32)


def _without_admission(
    rng: np.random.Generator, calendar: Calendar, people: People, size: int
) -> tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.int32], NDArray[np.int8]]:
    """People, where they went, on which day and in which category; the returns follow an attendance of the same person."""
    chances = np.cumsum(_AGES / _AGES.sum())
    band = np.minimum(np.searchsorted(chances, rng.random(size)), len(AGE_BANDS) - 1).astype(np.int8)
    person = people.someone(rng, band, rng.integers(len(SEXES), size=size).astype(np.int8))
    provider = usual_providers(rng, people, person, planned=False)
    since = draw_days(rng, calendar, np.zeros(size, np.bool_))
    category = np.searchsorted(np.cumsum(FOLLOW_UP_SHARES), rng.random(size), side="right").astype(np.int8)
    category = ((category + 1) % len(CATEGORIES_OF_ATTENDANCE)).astype(np.int8)
    again = np.flatnonzero(category)
    again = again[again > 0]
    person[again], provider[again] = person[again - 1], provider[again - 1]
    since[again] = np.minimum(since[again - 1] + rng.integers(1, 8, size=len(again)), calendar.days - 1)
    return person, provider, (calendar.first_day + since).astype(np.int32), category


def _currencies(rng: np.random.Generator, mix: EmergencyMix, came: _Attendances, dead: int) -> NDArray[np.int8]:
    """England's currencies, the complex ones more to those who are admitted; the last `dead` are dead on arrival."""
    living, counts = len(came.person) - dead, mix.counts(len(came.person))
    need = rng.normal(0.0, _SPREAD_OF_NEED, living) + came.admitted[:living]
    currency = np.repeat(np.arange(len(counts)), counts).astype(np.int8)
    drawn = np.empty(len(came.person), np.int8)
    drawn[np.argsort(need, kind="stable")] = currency[:living]
    drawn[living:] = currency[living:]
    return drawn


def _department_types(rng: np.random.Generator, mix: EmergencyMix, came: _Attendances) -> NDArray[np.int64]:
    """Minor injuries units and walk-in centres see simple needs, and hardly anyone who is admitted."""
    simple = np.cumsum(mix.shares)[came.currency] <= _MINOR
    chance = rng.random(len(came.person))
    kinds = [came.admitted, simple]
    shares = (_ADMITTED_TYPE_SHARES, _TYPE_SHARES[True], _TYPE_SHARES[False])
    admitted, minor, other = (np.searchsorted(np.cumsum(each)[:-1], chance, side="right") for each in shares)
    return np.select(kinds, [admitted, minor], other)
