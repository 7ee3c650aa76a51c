"""Which care is unbundled from spells and attendances, in which currencies and courses, and how much of it there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.care_mix import cells_of, name_of, narrowed, per_spell, volumes_of
from tariff.synthetic.courses import (
    CONTACTS_OF_A_MONTH,
    CYCLES,
    DAILY_AT_HOME,
    FRACTIONS,
    MONTHLY_SUPPLY,
    ON_A_WARD,
    ONCE,
    THREE_A_WEEK,
    VISITS_OF_A_MONTH,
    WEEKLY,
    Course,
)
from tariff.synthetic.mix import Cells
from tariff.synthetic.patients import AGE_BANDS
from tariff.synthetic.profiles import Profiles, profiles_of

if TYPE_CHECKING:
    from tariff.rulepack import UnbundledRow

COURSES: Final = (
    ONCE, CYCLES, FRACTIONS, THREE_A_WEEK, DAILY_AT_HOME, MONTHLY_SUPPLY, VISITS_OF_A_MONTH, CONTACTS_OF_A_MONTH, WEEKLY,
    ON_A_WARD,
)  # fmt: skip


class Sort(NamedTuple):
    """One sort of care: the departments of the cost collection and roots of its currencies, its usual course, and the courses of
    currencies whose code or name holds a pattern."""

    name: str
    departments: tuple[str, ...]
    course: Course
    roots: tuple[str, ...] = ()
    exceptions: tuple[tuple[str, Course], ...] = ()


SORTS: Final = (
    Sort("imaging", ("diagnostic_imaging", "nuclear_medicine", "direct_access"), ONCE, ("RD", "RN")),
    Sort("chemotherapy", ("outpatient_procedure",), CYCLES, ("SB",)),
    Sort("radiotherapy", ("outpatient_procedure",), FRACTIONS, ("SC",), (("Preparation", ONCE),)),
    Sort("dialysis", ("renal_dialysis",), THREE_A_WEEK, ("LD",), (("Peritoneal", DAILY_AT_HOME),)),
    Sort("drugs", ("high_cost_drug",), MONTHLY_SUPPLY),
    Sort("devices", ("high_cost_device",), ONCE),
    Sort("community", ("community_contact",), VISITS_OF_A_MONTH, (), (("Midwife", ONCE),)),
    Sort("mental_health", ("mental_health_contact",), CONTACTS_OF_A_MONTH),
    Sort("talking_therapy", ("talking_therapy",), WEEKLY),
    Sort("mental_health_days", ("mental_health_day",), ON_A_WARD),
    Sort("transport", ("critical_care_transport",), ONCE),
)
# fmt: off
_COMMUNITY_AGES: Final = (60, 40, 30, 60, 25, 20, 45, 50, 70, 180, 260, 420, 380)
_ADULT_AGES: Final = (0, 0, 0, 30, 30, 30, 160, 150, 130, 180, 90, 60, 30)
# fmt: on
_AGES: Final = {
    "community": _COMMUNITY_AGES,
    "mental_health": _ADULT_AGES,
    "talking_therapy": _ADULT_AGES,
    "mental_health_days": _ADULT_AGES,
}  # fmt: skip


UNKNOWN_SORT_SHARE: Final = 0.1
"""Of England's volume, what is made of a sort of which the pack knows no currency, so that it is seen and stays rare."""


@dataclass(frozen=True, slots=True)
class SortModel:
    """One sort for one pack. `cells` are its currencies, the first of them at `first` in the words of all; arrays go with the
    cells: the chances that a course is of each (cumulative), the course as a position in `COURSES`, and the youngest and
    oldest age band. `courses_per_spell` come with every spell."""

    name: str
    cells: Cells
    profiles: Profiles
    first: int
    course: NDArray[np.int8]
    courses_per_spell: float

    @property
    def names(self) -> list[str]:
        """What the currencies are called."""
        return [name_of(code) for code in self.cells.hrgs]


@dataclass(frozen=True, slots=True)
class OtherCareModel:
    """Every sort that there is for a pack; the currencies of all; those of cluster-days with their clusters; those of
    rehabilitation and palliative days."""

    sorts: dict[str, SortModel]
    words: tuple[str, ...]
    clusters: dict[str, str]
    of_days: dict[str, tuple[str, ...]]


_CLUSTER: Final = re.compile(r"(\d{1,2})$")
_ROOTS_OF_DAYS: Final = {"rehabilitation_days": "VC", "palliative_care_days": "SD"}


def other_care_model(rows: Sequence[UnbundledRow], critical_care: tuple[str, ...]) -> OtherCareModel:
    """What unbundled care looks like for a pack with the price rows `rows`."""
    known = {row.currency.upper() for row in rows}
    narrow = {sort.name: narrowed(_volumes(sort), known) for sort in SORTS}
    shares = {sort.name: narrow[sort.name] or narrowed(_volumes(sort), ()) for sort in SORTS}
    clusters = {
        found[1].zfill(2): row.currency for row in rows if row.unit == "cluster_day" and (found := _CLUSTER.search(row.currency))
    }
    of_days = {
        column: tuple(sorted(row.currency for row in rows if row.currency.startswith(root)))
        for column, root in _ROOTS_OF_DAYS.items()
    }
    others = (*critical_care, *clusters.values(), *(code for codes in of_days.values() for code in codes))
    words = tuple(dict.fromkeys((*(code for each in shares.values() for code in each), *others)))
    made = {sort.name: 1.0 if narrow[sort.name] else UNKNOWN_SORT_SHARE for sort in SORTS}
    sorts = {sort.name: _sort_model(sort, shares[sort.name], words, made[sort.name]) for sort in SORTS}
    return OtherCareModel(sorts, words, clusters, of_days)


def _volumes(sort: Sort) -> dict[str, int]:
    return volumes_of(*sort.departments, roots=sort.roots)


def _sort_model(sort: Sort, shares: dict[str, float], words: tuple[str, ...], made: float) -> SortModel:
    """Courses in such numbers that their units, on average, are the share `made` of the units England had."""
    courses = [_course(sort, code) for code in shares]
    weights = {code: share / course.mean_units for (code, share), course in zip(shares.items(), courses, strict=True)}
    cells = cells_of(weights)
    return SortModel(
        sort.name,
        cells,
        profiles_of(cells, _AGES.get(sort.name)),
        words.index(cells.hrgs[0]),
        np.array([COURSES.index(course) for course in courses], np.int8),
        made * per_spell(_volumes(sort)) * sum(weights.values()),
    )


def _course(sort: Sort, code: str) -> Course:
    return next((course for pattern, course in sort.exceptions if pattern in name_of(code)), sort.course)


def fits_band(cells: Cells) -> NDArray[np.bool_]:
    """Which age bands each currency is for: a row a cell, a column a band."""
    return np.array([[low <= t.oldest and high >= t.youngest for low, high in AGE_BANDS] for t in cells.traits])
