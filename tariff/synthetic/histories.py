"""Which spells belong to one patient, and when: courses of repeated treatment, several contacts of one person, readmissions.

A history is a chain of stays and gaps laid round the year, so that no patient is in two beds at once. A chain that runs past
the end of the year goes on at its beginning, which keeps the year's days alike and gives it patients already in hospital
when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.seasons import Calendar

LONGEST_HISTORY: Final = 355
"""Days that one patient's chain may take; what comes after is another patient of the same kind."""
READMITTED_SHARE: Final = 0.13
"""Of emergencies that follow another spell of the same patient, those readmitted within `READMITTED_WITHIN` days; the rest
come after a gap of their own, some of them within that time too."""
READMITTED_WITHIN: Final = 30
_TOWARDS_EARLY: Final = 1.7
_MEAN_GAP: Final = 110
_SHORTEST_GAP: Final = 2
CROWDING: Final = 1.35
"""How unevenly contacts fall on patients: 1 is evenly."""
_SATURDAY: Final = 5
_KEPT_OFF_WEEKENDS: Final = 0.8
_WEEKDAYS_NEAR: Final = np.array((-2, -1, 2, 3, 4))
"""From a Saturday: Thursday and Friday before, Monday to Wednesday after."""
_CONTACTS_EACH: Final = np.array((1.6, 1.3, 1.3, 1.3, 1.3, 1.4, 1.5, 1.5, 1.6, 1.8, 2.0, 2.2, 2.3))
"""Courses a patient, by age band."""


@dataclass(frozen=True, slots=True)
class Histories:
    """The spells reordered: `order` gives the drawn spell standing at each place; a patient's spells stand together and in
    time. `person` numbers patients from 0, `discharge` counts days from the first of the year."""

    order: NDArray[np.int64]
    person: NDArray[np.int32]
    stay: NDArray[np.int32]
    discharge: NDArray[np.int32]


def courses_of(rng: np.random.Generator, profile: NDArray[np.int32], repeats: NDArray[np.int32]) -> NDArray[np.int32]:
    """Group neighbours of one profile into courses of about `repeats` spells; the course of each spell, counted from 0."""
    fresh = np.flatnonzero(np.diff(profile, prepend=-1))
    place = np.arange(len(profile)) - np.repeat(fresh, np.diff(fresh, append=len(profile)))
    shift = np.repeat(rng.integers(1_000, size=len(fresh)), np.diff(fresh, append=len(profile)))
    begins = (place == 0) | ((place + shift) % repeats == 0)
    return (np.cumsum(begins) - 1).astype(np.int32)


def share_out(
    rng: np.random.Generator, stratum: NDArray[np.int32], band: NDArray[np.int8], once: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """A patient for each course, within its stratum (ascending). Courses marked `once` go to patients of their own."""
    begins = np.flatnonzero(np.diff(stratum, prepend=-1))
    sizes = np.diff(begins, append=len(stratum))
    alone = np.add.reduceat(once.astype(np.int64), begins) if len(begins) else sizes
    people = np.maximum(np.ceil(sizes / _CONTACTS_EACH[band[begins]]).astype(np.int64), alone)
    first = np.cumsum(people) - people
    turn = np.cumsum(once) - np.repeat(np.cumsum(alone) - alone, sizes)
    anyone = (np.repeat(people, sizes) * rng.random(len(stratum)) ** CROWDING).astype(np.int64)
    return np.repeat(first, sizes) + np.where(once, turn - 1, anyone)


def lay_out(
    rng: np.random.Generator,
    calendar: Calendar,
    patient: NDArray[np.int64],
    stage: NDArray[np.int8],
    course: NDArray[np.int32],
    stay: NDArray[np.int32],
    interval: NDArray[np.int32],
    elective: NDArray[np.bool_],
) -> Histories:
    """Put every patient's spells in time: the first by the seasons of the calendar, the rest after it; `interval` is the days
    between spells of one course (neighbours), and `stage` orders what must follow in order."""
    order = _shuffle_within_patients(rng, patient, stage, course)
    patient, course, stay, interval, elective = patient[order], course[order], stay[order], interval[order], elective[order]
    starts = np.diff(patient, prepend=-1) != 0
    same_course = np.diff(course, prepend=-1) == 0
    gap = np.where(same_course, interval, _draw_gaps(rng, elective))
    elapsed = _since_start(np.where(starts, 0, gap + stay), starts)
    begun = np.flatnonzero(starts)
    first = np.repeat(draw_days(rng, calendar, elective[begun]), np.diff(begun, append=len(starts)))
    day = off_weekends(rng, calendar, (first + elapsed) % calendar.days, elective & ~starts)
    person = np.cumsum(starts | (np.diff(elapsed // LONGEST_HISTORY, prepend=0) != 0)) - 1
    return _without_overlaps(order, person.astype(np.int32), stay, day.astype(np.int32))


def _shuffle_within_patients(
    rng: np.random.Generator, patient: NDArray[np.int64], stage: NDArray[np.int8], course: NDArray[np.int32]
) -> NDArray[np.int64]:
    """An order in which patients stand together, each one's stages in order, and courses in chance order but whole."""
    turn = rng.random(int(course[-1]) + 1)[course] if len(course) else np.zeros(0)
    return np.lexsort((turn, stage, patient))


def _draw_gaps(rng: np.random.Generator, elective: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Days between a discharge and the next admission: soon for readmitted emergencies, else whenever."""
    readmitted = ~elective & (rng.random(len(elective)) < READMITTED_SHARE)
    soon = (READMITTED_WITHIN + 1) * rng.random(len(elective)) ** _TOWARDS_EARLY
    whenever = _SHORTEST_GAP + rng.exponential(_MEAN_GAP, len(elective))
    return np.where(readmitted, soon, whenever).astype(np.int32)


def draw_days(rng: np.random.Generator, calendar: Calendar, elective: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Days of the year, counted from its first, by the seasons of planned or of emergency care."""
    chance = rng.random(len(elective))
    emergency_day, elective_day = (
        np.searchsorted(chances, chance) for chances in (calendar.emergency_chances, calendar.elective_chances)
    )
    return np.minimum(np.where(elective, elective_day, emergency_day), calendar.days - 1)


def off_weekends(
    rng: np.random.Generator, calendar: Calendar, day: NDArray[np.int64], elective: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Move most elective care that falls on a weekend to a weekday near."""
    weekday = calendar.weekday[day]
    moved = elective & (weekday >= _SATURDAY) & (rng.random(len(day)) < _KEPT_OFF_WEEKENDS)
    better = day - (weekday - _SATURDAY) + _WEEKDAYS_NEAR[rng.integers(len(_WEEKDAYS_NEAR), size=len(day))]
    return np.where(moved & (better >= 0) & (better < calendar.days), better, day)


def _since_start(step: NDArray[np.int32], starts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Running sum of `step` that begins anew where `starts` is set (`step` is 0 there)."""
    total = np.cumsum(step, dtype=np.int64)
    begun = np.flatnonzero(starts)
    elapsed: NDArray[np.int64] = total - np.repeat(total[begun], np.diff(begun, append=len(step)))
    return elapsed


def _without_overlaps(
    order: NDArray[np.int64], person: NDArray[np.int32], stay: NDArray[np.int32], day: NDArray[np.int32]
) -> Histories:
    """Sort each person's spells by discharge; a stay that began before the last one ended is cut to begin when it did."""
    again = np.lexsort((day, person))
    order, person, stay, day = order[again], person[again], stay[again], day[again]
    same = np.diff(person, prepend=-1) == 0
    room = np.where(same, np.diff(day, prepend=0), stay)
    return Histories(order, person, np.minimum(stay, room).astype(np.int32), day)
