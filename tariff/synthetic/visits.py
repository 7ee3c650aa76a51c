"""Who comes to which clinic and when: around planned admissions, after emergencies, through a pregnancy, with a long-term
condition, for a procedure, and for everything that a clinic settles without admission.

What an attendance record says of a visit is another matter (outpatients.py); imaging and high-cost drugs follow visits too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.clinics import (
    ADULT_CYSTIC_FIBROSIS,
    MIDWIFERY,
    NEUROLOGY,
    OBSTETRICS,
    PAEDIATRIC_CYSTIC_FIBROSIS,
    RHEUMATOLOGY,
    ClinicModel,
    draw_follow_ups,
)
from tariff.synthetic.clinics import PAEDIATRIC_DIABETES as DIABETES_OF_CHILDREN
from tariff.synthetic.conditions import ARTHRITIS, CYSTIC_FIBROSIS, PAEDIATRIC_DIABETES, PARKINSONS, Enrolments, Pregnancies
from tariff.synthetic.histories import draw_days, off_weekends
from tariff.synthetic.mix import DAY_CASE, LONG_STAY, ORDINARY_ELECTIVE, SHORT_STAY
from tariff.synthetic.patients import AGE_BANDS
from tariff.synthetic.people import People, usual_providers, women_of_childbearing_age
from tariff.synthetic.profiles import draw_profiles
from tariff.synthetic.spells import Admissions
from tariff.synthetic.traits import GENERAL

VISITS_PER_SPELL: Final = 5
"""Outpatient attendances for every spell, missed ones included: a stated shape, since the cost collection does not hold them."""

SOURCES: Final = ("03", "01", "04", "05", "06", "15", "17", "92")
"""Sources of referral: general practitioner, after an emergency admission, emergency department, another consultant, the patient,
an optometrist, a screening programme, a dentist."""
PRACTITIONER, EMERGENCY_ADMISSION = SOURCES.index("03"), SOURCES.index("01")
_SOURCE_SHARES: Final = np.cumsum((0.58, 0.02, 0.08, 0.18, 0.05, 0.04, 0.02, 0.03))

_SHORTEST_WAIT: Final = 28
_MEAN_FURTHER_WAIT: Final = 48
_LONGEST_WAIT: Final = 300
_ASSESSED_BEFORE_SHARE: Final = 0.4
"""Of planned admissions, those with a visit before admission, 7 to 21 days ahead."""
_AFTER_PLANNED_SHARES: Final = np.cumsum((0.3, 0.4, 0.22, 0.08))
"""Of planned admissions, those with none, one, two and three visits afterwards."""
_AFTER_EMERGENCY_SHARE: Final = 0.35
_PROCEDURE_AT_FIRST_SHARE: Final = 0.4
_AFTER_PROCEDURE_SHARE: Final = 0.3
_ADULT_BAND: Final = AGE_BANDS.index((19, 29))


@dataclass(frozen=True, slots=True)
class Visits:
    """Arrays of one length: the person, provider and treatment function (a position in the model's), the day since 1970, whether
    it is the first of its referral, the source of referral, and the outpatient procedure (a position in the model's, or -1)."""

    person: NDArray[np.int32]
    provider: NDArray[np.int8]
    function: NDArray[np.int16]
    day: NDArray[np.int32]
    first: NDArray[np.bool_]
    source: NDArray[np.int8]
    procedure: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.person)

    def at(self, rows: NDArray[np.generic] | slice) -> Visits:
        """The visits of some rows, or those where a mask is set."""
        return Visits(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw_visits(
    rng: np.random.Generator,
    model: ClinicModel,
    admissions: Admissions,
    people: People,
    pregnancies: Pregnancies,
    enrolments: Enrolments,
) -> Visits:
    """Every visit of the block, `VISITS_PER_SPELL` for every spell, by day."""
    wanted = round(VISITS_PER_SPELL * len(admissions))
    told = list(_told_by_stories(rng, model, admissions, people, pregnancies, enrolments))
    known = _together([_in_the_year(model, people, visits) for visits in told])
    more = _referrals(rng, model, people, max(wanted - len(known), 0))
    visits = _together([known, more]).at(slice(wanted))
    return visits.at(np.argsort(visits.day.astype(np.int32), kind="stable"))


def _told_by_stories(
    rng: np.random.Generator,
    model: ClinicModel,
    admissions: Admissions,
    people: People,
    pregnancies: Pregnancies,
    enrolments: Enrolments,
) -> Iterator[Visits]:
    yield _around_planned_admissions(rng, model, admissions)
    yield _after_emergencies(rng, model, admissions)
    yield _through_pregnancies(rng, model, pregnancies)
    yield from _with_conditions(rng, model, people, enrolments)
    yield from _for_procedures(rng, model, people, pregnancies, len(admissions))


def _around_planned_admissions(rng: np.random.Generator, model: ClinicModel, admissions: Admissions) -> Visits:
    """Seen first weeks or months ahead, some again before admission, most afterwards. A course of treatment is one story."""
    spells = admissions.spells
    planned = np.isin(spells.setting, (DAY_CASE, ORDINARY_ELECTIVE)) & (model.admitted.pool[spells.cell] == GENERAL)
    row = np.flatnonzero(planned)
    story = spells.person[row].astype(np.int64) * len(model.admitted.cells.hrg) + spells.cell[row]
    row = row[np.sort(np.unique(story, return_index=True)[1])]
    size = len(row)
    wait = np.minimum(_SHORTEST_WAIT + rng.exponential(_MEAN_FURTHER_WAIT, size), _LONGEST_WAIT)
    assessed = rng.random(size) < _ASSESSED_BEFORE_SHARE
    ahead = rng.integers(7, 22, size=size)
    afterwards = np.searchsorted(_AFTER_PLANNED_SHARES, rng.random(size))
    visit, number = _numbered_within(1 + assessed + afterwards)
    since = number - 1 - assessed[visit]
    gap = rng.integers(35, 70, size=size)[visit]
    before, after = spells.admitted[row][visit], spells.discharged[row][visit]
    day = np.select(
        [number == 0, since < 0], [before - wait[visit].astype(np.int32), before - ahead[visit]], after + gap * (since + 1)
    )
    source = _sources(rng, size)[visit]
    function = model.of_admitted[admissions.function[row]][visit]
    return _visits(spells.person[row][visit], admissions.provider[row][visit], function, day, number == 0, source)


def _after_emergencies(rng: np.random.Generator, model: ClinicModel, admissions: Admissions) -> Visits:
    spells = admissions.spells
    emergency = np.isin(spells.setting, (LONG_STAY, SHORT_STAY)) & (model.admitted.pool[spells.cell] == GENERAL)
    row = np.flatnonzero(emergency & ~admissions.died & (rng.random(len(spells)) < _AFTER_EMERGENCY_SHARE))
    day = spells.discharged[row] + rng.integers(14, 64, size=len(row))
    first = rng.random(len(row)) < 0.5
    function = model.of_admitted[admissions.function[row]]
    return _visits(spells.person[row], admissions.provider[row], function, day, first, np.full(len(row), EMERGENCY_ADMISSION))


def _through_pregnancies(rng: np.random.Generator, model: ClinicModel, pregnancies: Pregnancies) -> Visits:
    """Booked by a midwife, seen by midwives and obstetricians until birth, more with a higher level, and after it."""
    antenatal, postnatal = 7 + 2 * pregnancies.antenatal.astype(np.int64), 1 + pregnancies.postnatal.astype(np.int64)
    visit, number = _numbered_within(antenatal + postnatal)
    before = number < antenatal[visit]
    expecting = (pregnancies.birth - pregnancies.booked)[visit]
    coming = pregnancies.booked[visit] + expecting * number // antenatal[visit]
    day = np.where(before, coming, pregnancies.birth[visit] + 10 * (number - antenatal[visit] + 1))
    specialist = rng.random(len(visit)) < 0.2 + 0.3 * pregnancies.antenatal[visit]
    function = np.where(specialist & (number > 0), model.function(OBSTETRICS), model.function(MIDWIFERY))
    source = np.full(len(visit), PRACTITIONER)
    return _visits(pregnancies.person[visit], pregnancies.provider[visit], function, day, number == 0, source)


_CLINICS_A_YEAR: Final = {CYSTIC_FIBROSIS: 6, PAEDIATRIC_DIABETES: 5, ARTHRITIS: 6, PARKINSONS: 4}
"""Visits a year that go with a register."""


def _with_conditions(rng: np.random.Generator, model: ClinicModel, people: People, enrolments: Enrolments) -> Iterator[Visits]:
    """Clinics evenly over the time on a register; the first where somebody joins in the year."""
    for register, a_year in _CLINICS_A_YEAR.items():
        row = enrolments.of(register)
        starts, ends = enrolments.starts[row], enrolments.ends[row]
        visit, number = _numbered_within(np.maximum((ends - starts + 1) * a_year // model.admitted.calendar.days, 1))
        spread = (ends - starts + 1)[visit] // a_year
        day = starts[visit] + (number + rng.random(len(visit))) * np.minimum(spread, model.admitted.calendar.days // a_year)
        joined = starts[visit] > model.admitted.calendar.first_day
        function = _function_of_register(model, register, people.everyone.band[enrolments.person[row]])[visit]
        person, provider = enrolments.person[row][visit], enrolments.provider[row][visit]
        yield _visits(person, provider, function, day, joined & (number == 0), np.full(len(visit), PRACTITIONER))


def _function_of_register(model: ClinicModel, register: int, band: NDArray[np.int8]) -> NDArray[np.int64]:
    child = band < _ADULT_BAND
    ours = {PAEDIATRIC_DIABETES: DIABETES_OF_CHILDREN, ARTHRITIS: RHEUMATOLOGY, PARKINSONS: NEUROLOGY}
    adults = model.function(ours.get(register, ADULT_CYSTIC_FIBROSIS))
    children = model.function(PAEDIATRIC_CYSTIC_FIBROSIS) if register == CYSTIC_FIBROSIS else adults
    return np.where(child, children, adults)


def _for_procedures(
    rng: np.random.Generator, model: ClinicModel, people: People, pregnancies: Pregnancies, spells: int
) -> Iterator[Visits]:
    """England's outpatient procedures: some at the first visit, others after one; a few are followed up. Those of maternity are
    scans and tests of women who expect a child."""
    if model.procedures is None:
        return
    profile = draw_profiles(rng, model.procedures, round(model.procedures_per_spell * spells))
    procedure = model.procedures.cell[profile].astype(np.int16)
    expecting = model.maternity_procedures[procedure]
    yield _scans(rng, model, people, pregnancies, procedure[expecting])
    profile, procedure = profile[~expecting], procedure[~expecting]
    person = people.someone(rng, model.procedures.band[profile], model.procedures.sex[profile])
    size = len(profile)
    calendar = model.admitted.calendar
    day = calendar.first_day + draw_days(rng, calendar, np.ones(size, np.bool_))
    provider = usual_providers(rng, people, person)
    function = model.procedure_functions[procedure, rng.integers(4, size=size)]
    chance, source = rng.random(size), _sources(rng, size)
    at_first = chance < _PROCEDURE_AT_FIRST_SHARE
    ahead, later = day - rng.integers(14, 90, size=size), day + rng.integers(28, 120, size=size)
    yield _visits(person, provider, function, day, at_first, source, procedure)
    yield _visits(person, provider, function, ahead, np.ones(size), source).at(~at_first)
    yield _visits(person, provider, function, later, np.zeros(size), source).at(chance > 1 - _AFTER_PROCEDURE_SHARE)


def _scans(
    rng: np.random.Generator, model: ClinicModel, people: People, pregnancies: Pregnancies, procedure: NDArray[np.int16]
) -> Visits:
    """Antenatal procedures on days between booking and birth that lie in the year; of any woman where nobody expects a child."""
    calendar = model.admitted.calendar
    starts = np.maximum(pregnancies.booked, calendar.first_day)
    days = np.minimum(pregnancies.birth, calendar.first_day + calendar.days) - starts
    row = np.flatnonzero(days > 0)
    size = len(procedure)
    function, source = np.full(size, model.function(OBSTETRICS)), np.full(size, PRACTITIONER)
    if not len(row):
        person = women_of_childbearing_age(rng, people, size)
        day = calendar.first_day + draw_days(rng, calendar, np.ones(size, np.bool_))
        return _visits(person, people.everyone.home[person], function, day, np.zeros(size), source, procedure)
    whose = row[rng.integers(len(row), size=size)]
    between = starts[whose] + days[whose] * rng.random(size)
    return _visits(pregnancies.person[whose], pregnancies.provider[whose], function, between, np.zeros(size), source, procedure)


def _referrals(rng: np.random.Generator, model: ClinicModel, people: People, wanted: int) -> Visits:
    """As many visits as are `wanted` to clinics that settle what brings people there: a first and its follow-ups, laid round the
    year, so that those of last year's referrals come early in it."""
    weights = np.bincount(model.referrals.cell, np.diff(model.referrals.chance, prepend=0))
    each = 1 + float(weights @ model.follow_ups)
    profile = rng.permutation(draw_profiles(rng, model.referrals, round(wanted / each * 1.06) + 12))
    clinic = model.referrals.cell[profile]
    size = len(profile)
    person = people.someone(rng, model.referrals.band[profile], model.referrals.sex[profile])
    provider, source = usual_providers(rng, people, person), _sources(rng, size)
    visit, number = _numbered_within(1 + draw_follow_ups(rng, model.follow_ups[clinic]))
    visit, number = visit[:wanted], number[:wanted]
    calendar = model.admitted.calendar
    begins = draw_days(rng, calendar, np.ones(size, np.bool_))
    gap = np.minimum(rng.integers(21, 120, size=size)[visit], calendar.days // (number + 1))
    since = (begins[visit] + gap.astype(np.int64) * number) % calendar.days
    since = off_weekends(rng, calendar, since, number > 0)
    function = model.referral_function[clinic][visit]
    return _visits(person[visit], provider[visit], function, calendar.first_day + since, number == 0, source[visit])


def _visits(
    person: NDArray[np.generic],
    provider: NDArray[np.generic],
    function: NDArray[np.generic],
    day: NDArray[np.generic],
    first: NDArray[np.generic],
    source: NDArray[np.generic],
    procedure: NDArray[np.int16] | None = None,
) -> Visits:
    none = np.full(len(person), -1, np.int16)
    return Visits(
        person.astype(np.int32),
        provider.astype(np.int8),
        function.astype(np.int16),
        day.astype(np.int32),
        first.astype(np.bool_),
        source.astype(np.int8),
        none if procedure is None else procedure,
    )


def _numbered_within(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For `counts` of things: whose each one is, and its number among them, from 0."""
    whose = np.repeat(np.arange(len(counts)), counts)
    return whose, np.arange(len(whose)) - np.repeat(np.cumsum(counts) - counts, counts)


def _in_the_year(model: ClinicModel, people: People, visits: Visits) -> Visits:
    """Those of people who are alive on a day of the year."""
    calendar = model.admitted.calendar
    inside = (visits.day >= calendar.first_day) & (visits.day < calendar.first_day + calendar.days)
    return visits.at(inside & people.alive(visits.person, visits.day))


def _together(parts: Sequence[Visits]) -> Visits:
    return Visits(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Visits)))


def _sources(rng: np.random.Generator, size: int) -> NDArray[np.int64]:
    return np.minimum(np.searchsorted(_SOURCE_SHARES, rng.random(size)), len(SOURCES) - 1)
