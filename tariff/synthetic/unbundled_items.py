"""Unbundled care and other currencies: critical care of the spells, imaging and drugs that follow visits to clinics, courses of
treatment, visits at home, mental health."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import UNBUNDLED
from tariff.synthetic.blemishes import spoil
from tariff.synthetic.clinics import CLINICAL_ONCOLOGY, IMAGING, ONCOLOGY, RENAL, ClinicModel
from tariff.synthetic.conditions import MENTAL_HEALTH, REGISTERS, Enrolments, Pregnancies
from tariff.synthetic.courses import Lines, lines_of, to_mondays
from tariff.synthetic.frames import Coded, dates, frame_of, numbered, thousand_of
from tariff.synthetic.histories import draw_days
from tariff.synthetic.mix import LONG_STAY, ORDINARY_ELECTIVE
from tariff.synthetic.other_care import COURSES, OtherCareModel, SortModel, fits_band
from tariff.synthetic.patients import AGE_BANDS, SEXES
from tariff.synthetic.people import People, usual_providers
from tariff.synthetic.places import COMMISSIONERS, PRACTICES, PROVIDER_CODES, of_kind
from tariff.synthetic.profiles import draw_profiles
from tariff.synthetic.seasons import Calendar
from tariff.synthetic.spells import (
    CATEGORIES,
    CATEGORY_SHARES,
    DAYS_WITHIN,
    SERIAL_NUMBER_SHARES,
    SERIAL_NUMBERS,
    Admissions,
    outside_national_prices,
)
from tariff.synthetic.visits import Visits

NUMBERS_KEPT: Final = 16
LOCALLY_PRICED_SHARE: Final = 0.6
"""Of items outside national prices, those with a local one."""
COST_UNKNOWN_SHARE: Final = 0.02
"""Of drugs and devices, those whose cost the file lacks."""
_MEDIAN_POUNDS: Final = {"drugs": (380.0, 0.75), "devices": (1500.0, 0.9)}
"""Median and spread (of the logarithm) of what drugs and devices cost: invented."""
_FROM_HOSPITAL_SHARE: Final = 0.35
"""Of courses of visits to people of 65 and over, those that begin after a long stay."""
_REGISTERED_SHARE: Final = 0.8
"""Of adults' mental health care, that of people on the register."""
_OLD_BAND: Final = AGE_BANDS.index((65, 74))
_ADULT_BAND: Final = AGE_BANDS.index((19, 29))
_SPECIALISED: Final = ("130", "301", "303", "330", "340", "370", "400", "410")
"""Treatment functions whose patients have high-cost drugs."""
_DEVICE_CHAPTERS: Final = {
    "ablation|valve|ICD|pacemaker|ardiac|ccluder|Mitral|pulmonary artery": "E",
    "ntracranial|neurysm coil|ntrathecal|euro|nerve|hrombectomy": "A",
    "rthop|[Bb]one growth|Limb|Rib": "H",
    "ascular|stent|Embolic|angioplasty": "Y",
    "earing|ochlear|axillofacial|sinus": "C",
    "mesh": "F",
    "reth|Urolift|Rezum|Green": "L",
}
"""Which chapter of HRGs a device goes with, judged by its name; others go with visits to clinics."""

WRONG: Final[Mapping[str, str | int | None]] = {"units": 0, "currency": None, "commissioner": None, "date": None}
"""A count of nothing, and blanks: one row in ten thousand each."""


@dataclass(frozen=True, slots=True)
class Items:
    """Arrays of one length: person, provider, treatment function (a position in the clinics', -1 none), first day and last (since
    1970; last 0 for none), currency (a position in the model's words), units, the row of the spell it belongs to (-1 none) and
    the local price (pence, -1 none)."""

    person: NDArray[np.int32]
    provider: NDArray[np.int8]
    function: NDArray[np.int16]
    day: NDArray[np.int32]
    last: NDArray[np.int32]
    currency: NDArray[np.int16]
    units: NDArray[np.int32]
    parent: NDArray[np.int64]
    price: NDArray[np.int64]

    def at(self, rows: NDArray[np.generic]) -> Items:
        """The items of some rows, or those where a mask is set."""
        return Items(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Care:
    """What the unbundled care of a block is drawn from."""

    model: OtherCareModel
    clinics: ClinicModel
    admissions: Admissions
    people: People
    pregnancies: Pregnancies
    enrolments: Enrolments
    visits: Visits

    @property
    def calendar(self) -> Calendar:
        """The year."""
        return self.clinics.admitted.calendar


def unbundled_frame(rng: np.random.Generator, care: Care) -> pl.DataFrame:
    """The block's items by date. Columns as in `columns.UNBUNDLED`, codes of few values as Enum; money in pence."""
    items = _in_the_year(care, _together(list(_all_items(rng, care))))
    items = items.at(np.argsort(items.day, kind="stable"))
    everyone, size = care.people.everyone, len(items.person)
    serial_number = thousand_of(rng, SERIAL_NUMBER_SHARES, size)
    columns: dict[str, Coded | pl.Series] = {
        "line_id": numbered(np.arange(size) + 1_000_000_001 + NUMBERS_KEPT * care.admissions.first, "U"),
        "provider": Coded(items.provider, PROVIDER_CODES),
        "commissioner": Coded(everyone.commissioner[items.person], COMMISSIONERS),
        "date": dates(items.day),
        "currency": Coded(items.currency, care.model.words),
        "units": pl.Series(items.units),
        "patient_id": numbered(everyone.pseudonyms()[items.person]),
        "gp_practice": Coded(everyone.practice[items.person], PRACTICES),
        "treatment_function": Coded(items.function, care.clinics.functions),
        "sex": Coded(everyone.sex[items.person], SEXES),
        "administrative_category": Coded(thousand_of(rng, CATEGORY_SHARES, size), CATEGORIES),
        "commissioning_serial_number": Coded(serial_number, SERIAL_NUMBERS),
        "local_price": _local_prices(rng, items, serial_number),
        "end_date": dates(items.last).set(pl.Series(items.last == 0), None),
        "parent_line_id": care.admissions.spell_ids(items.parent),
    }
    return spoil(rng, frame_of(UNBUNDLED, columns), dict.fromkeys(WRONG, 0.0001), WRONG)


def _all_items(rng: np.random.Generator, care: Care) -> Iterator[Items]:
    yield _critical_care(rng, care)
    yield from _days_of_stays(rng, care)
    yield from _cluster_days(care)
    makers = {"imaging": _imaging, "devices": _devices, "transport": _transport}
    for name, sort in care.model.sorts.items():
        yield makers.get(name, _courses)(rng, care, sort)


def _critical_care(rng: np.random.Generator, care: Care) -> Items:
    """The days that files give as lines: from a day of the stay on; dated at discharge where the spell's cell says the same."""
    critical, spells = care.admissions.critical_care, care.admissions.spells
    finished = care.admissions.frame["discharge_date"].is_not_null().to_numpy()
    chosen = np.flatnonzero(critical.as_line & (finished[critical.row] | ~critical.in_cell))
    row, days = critical.row[chosen], critical.days[chosen]
    begins = spells.admitted[row] + (rng.random(len(row)) * (spells.stay[row] - days + 1)).astype(np.int32)
    at_end = critical.in_cell[chosen] | (begins < care.calendar.first_day)
    words = np.array([care.model.words.index(code) for code in critical.words], np.int16)
    items = _of_spells(care, row, np.where(at_end, spells.discharged[row], begins), words[critical.currency[chosen]], days)
    return replace(items, last=np.where(at_end, 0, begins + days - 1).astype(np.int32))


def _days_of_stays(rng: np.random.Generator, care: Care) -> Iterator[Items]:
    """Days of rehabilitation and of palliative care, where the pack has currencies of them."""
    for column, codes in care.model.of_days.items():
        days = care.admissions.days_within[DAYS_WITHIN.index(column)]
        row = np.flatnonzero(days) if codes else np.zeros(0, np.int64)
        words = np.array([care.model.words.index(code) for code in codes] or [0], np.int16)
        currency = words[rng.integers(len(words), size=len(row))]
        yield _of_spells(care, row, care.admissions.spells.discharged[row], currency, days[row])


def _cluster_days(care: Care) -> Iterator[Items]:
    """A line for each stretch of a mental health cluster and month, with its days, where the pack has currencies of them."""
    enrolments, levels = care.enrolments, REGISTERS[MENTAL_HEALTH].levels
    if not care.model.clusters:
        return
    words = np.array(
        [care.model.words.index(code) if (code := care.model.clusters.get(level)) else -1 for level in levels], np.int16
    )
    row = enrolments.of(MENTAL_HEALTH)
    row = row[words[enrolments.level[row]] >= 0]
    stretch = 30
    counts = (enrolments.ends[row] - enrolments.starts[row]) // stretch + 1
    whose = np.repeat(row, counts)
    number = np.arange(len(whose)) - np.repeat(np.cumsum(counts) - counts, counts)
    day = enrolments.starts[whose] + stretch * number
    last = np.minimum(day + stretch - 1, enrolments.ends[whose])
    person, provider = enrolments.person[whose], enrolments.provider[whose]
    items = _items(person, provider, day, words[enrolments.level[whose]], last - day + 1)
    yield replace(items, last=last.astype(np.int32))


def _imaging(rng: np.random.Generator, care: Care, sort: SortModel) -> Items:
    """Scans of people seen in a clinic within three weeks before, of the age that the currency is for."""
    cell = _drawn(rng, care, sort)
    kinds, kind = np.unique(fits_band(sort.cells), axis=0, return_inverse=True)
    visit = np.zeros(len(cell), np.int64)
    band = care.people.everyone.band[care.visits.person]
    for number, bands in enumerate(kinds):
        fitting = np.flatnonzero(bands[band])
        chosen = kind.ravel()[cell] == number
        everything = fitting if len(fitting) else np.arange(len(band))
        visit[chosen] = everything[rng.integers(len(everything), size=int(chosen.sum()))]
    last_day = care.calendar.first_day + care.calendar.days - 1
    day = np.minimum(care.visits.day[visit] + rng.integers(0, 22, size=len(visit)), last_day)
    items = _items(care.visits.person[visit], care.visits.provider[visit], day, sort.first + cell, np.ones(len(cell)))
    return replace(items, function=np.full(len(cell), care.clinics.function(IMAGING), np.int16))


def _devices(rng: np.random.Generator, care: Care, sort: SortModel) -> Items:
    """Devices implanted in a spell of their chapter; the others, and those for which there is no such spell, given in clinics."""
    cell = _drawn(rng, care, sort)
    spells, hrgs = care.admissions.spells, care.clinics.admitted.cells.hrgs
    chapter = np.array([hrg[0] for hrg in hrgs])[care.clinics.admitted.cells.hrg[spells.cell]]
    chapter = np.where(np.isin(spells.setting, (ORDINARY_ELECTIVE, LONG_STAY)), chapter, "")
    of_device = np.array([_chapter_of(name) for name in sort.names])[cell]
    row = np.full(len(cell), -1, np.int64)
    for letter in np.unique(of_device[of_device != ""]):
        fitting, chosen = np.flatnonzero(chapter == letter), of_device == letter
        if len(fitting):
            row[chosen] = fitting[rng.integers(len(fitting), size=int(chosen.sum()))]
    visit = rng.integers(len(care.visits), size=len(cell))
    in_spell = row >= 0
    person = np.where(in_spell, spells.person[row], care.visits.person[visit])
    provider = np.where(in_spell, care.admissions.provider[row], care.visits.provider[visit])
    admitted = np.maximum(spells.admitted[row], care.calendar.first_day)
    day = np.where(in_spell, admitted, care.visits.day[visit])
    items = _items(person, provider, day, sort.first + cell, np.ones(len(cell)))
    function = np.where(in_spell, care.clinics.of_admitted[care.admissions.function[row]], care.visits.function[visit])
    return replace(items, function=function.astype(np.int16), parent=row, price=_costs(rng, sort.name, len(cell)))


def _transport(rng: np.random.Generator, care: Care, sort: SortModel) -> Items:
    """Journeys of children to and from critical care, on the day of admission."""
    cell, spells = _drawn(rng, care, sort), care.admissions.spells
    child = np.flatnonzero((spells.band < _ADULT_BAND) & (spells.admitted >= care.calendar.first_day))
    size = len(cell) if len(child) else 0
    row = child[rng.integers(max(len(child), 1), size=size)]
    return _of_spells(care, row, spells.admitted[row], sort.first + cell[:size], np.ones(size))


def _courses(rng: np.random.Generator, care: Care, sort: SortModel) -> Items:
    """Courses of treatment, supplies and visits: whose they are depends on the sort."""
    profile = draw_profiles(rng, sort.profiles, round(sort.courses_per_spell * len(care.admissions)))
    cell = sort.profiles.cell[profile]
    person = care.people.someone(rng, sort.profiles.band[profile], sort.profiles.sex[profile])
    begins = draw_days(rng, care.calendar, np.ones(len(cell), np.bool_))
    whose = _whose(rng, care, sort, cell, person, begins)
    lines = lines_of(rng, care.calendar, COURSES, sort.course[cell], whose.begins)
    course, day = lines.course, care.calendar.first_day + lines.since
    items = _items(whose.person[course], whose.provider[course], day, sort.first + cell[course], lines.units)
    price = _costs(rng, sort.name, len(course)) if sort.name in _MEDIAN_POUNDS else items.price
    return replace(items, function=whose.function[course], last=_last_days(sort, cell, lines, items), price=price)


@dataclass(frozen=True, slots=True)
class _Whose:
    """Whose each course is, who gives it, in which treatment function (-1 none), and the day of the year it begins on."""

    person: NDArray[np.int32]
    provider: NDArray[np.int8]
    function: NDArray[np.int16]
    begins: NDArray[np.int64]


_CLINICS_OF_SORTS: Final = {"chemotherapy": (ONCOLOGY,), "radiotherapy": (CLINICAL_ONCOLOGY, ONCOLOGY), "drugs": _SPECIALISED}


def _whose(
    rng: np.random.Generator,
    care: Care,
    sort: SortModel,
    cell: NDArray[np.int32],
    person: NDArray[np.int32],
    begins: NDArray[np.int64],
) -> _Whose:
    if sort.name in _CLINICS_OF_SORTS:
        return _seen_in_clinic(rng, care, sort, len(cell))
    if sort.name == "dialysis":
        renal = np.full(len(cell), care.clinics.function(RENAL), np.int16)
        start = to_mondays(care.calendar, begins) + rng.integers(2, size=len(cell))
        return _Whose(person, usual_providers(rng, care.people, person, planned=False), renal, start)
    places = of_kind("community")
    nobody = np.full(len(cell), -1, np.int16)
    at_home = _Whose(person, places[rng.integers(len(places), size=len(cell))], nobody, begins)
    if sort.name == "community":
        return _with_midwives(rng, care, sort, cell, _from_hospital(rng, care, at_home))
    return _on_the_register(rng, care, sort, cell, at_home)


def _seen_in_clinic(rng: np.random.Generator, care: Care, sort: SortModel, size: int) -> _Whose:
    """Patients of the clinics that give such care, from a visit on; radiotherapy from a Monday."""
    functions = [care.clinics.function(code) for code in _CLINICS_OF_SORTS[sort.name]]
    seen = np.flatnonzero(np.isin(care.visits.function, functions))
    seen = seen if len(seen) else np.arange(len(care.visits))
    visit = seen[rng.integers(len(seen), size=size)]
    begins = (care.visits.day[visit] - care.calendar.first_day).astype(np.int64)
    if sort.name == "radiotherapy":
        begins = to_mondays(care.calendar, begins)
    return _Whose(care.visits.person[visit], care.visits.provider[visit], care.visits.function[visit], begins)


def _from_hospital(rng: np.random.Generator, care: Care, whose: _Whose) -> _Whose:
    """Some of the old are visited because they come from hospital."""
    spells = care.admissions.spells
    long = (spells.setting == LONG_STAY) & (spells.band >= _OLD_BAND) & ~care.admissions.died
    home = np.flatnonzero(long & (spells.discharged < care.calendar.first_day + care.calendar.days - 1))
    chosen = np.flatnonzero(
        (care.people.everyone.band[whose.person] >= _OLD_BAND) & (rng.random(len(whose.person)) < _FROM_HOSPITAL_SHARE)
    )
    if not len(home):
        return whose
    row = home[rng.integers(len(home), size=len(chosen))]
    person, begins = whose.person.copy(), whose.begins.copy()
    person[chosen] = spells.person[row]
    begins[chosen] = spells.discharged[row] + 1 - care.calendar.first_day
    return replace(whose, person=person, begins=begins)


def _with_midwives(rng: np.random.Generator, care: Care, sort: SortModel, cell: NDArray[np.int32], whose: _Whose) -> _Whose:
    """Midwives visit women before birth, or in the fortnight after it."""
    year, pregnancies = care.calendar, care.pregnancies
    ante, post = (np.array([f"{kind} Natal" in name for name in sort.names])[cell] for kind in ("Ante", "Post"))
    person, provider, begins = whose.person.copy(), whose.provider.copy(), whose.begins.copy()
    for visited, starts, ends in (
        (ante, pregnancies.booked, pregnancies.birth),
        (post, pregnancies.birth, pregnancies.birth + 14),
    ):
        first = np.maximum(starts - year.first_day, 0)
        days = np.minimum(ends - year.first_day, year.days) - first
        possible, chosen = np.flatnonzero(days > 0), np.flatnonzero(visited)
        if not len(possible):
            continue
        one = possible[rng.integers(len(possible), size=len(chosen))]
        person[chosen], provider[chosen] = pregnancies.person[one], pregnancies.provider[one]
        begins[chosen] = first[one] + (days[one] * rng.random(len(chosen))).astype(np.int64)
    return replace(whose, person=person, provider=provider, begins=begins)


def _on_the_register(rng: np.random.Generator, care: Care, sort: SortModel, cell: NDArray[np.int32], whose: _Whose) -> _Whose:
    """Mental health care of adults is mostly that of people on the register."""
    row = care.enrolments.of(MENTAL_HEALTH)
    for_adults = np.asarray(fits_band(sort.cells)[:, _ADULT_BAND:].any(axis=1), np.bool_)
    share = 0.0 if sort.name == "talking_therapy" else _REGISTERED_SHARE
    chosen = np.flatnonzero(for_adults[cell] & (rng.random(len(cell)) < share))
    if not len(row):
        return whose
    person = whose.person.copy()
    person[chosen] = care.enrolments.person[row[rng.integers(len(row), size=len(chosen))]]
    return replace(whose, person=person)


def _last_days(sort: SortModel, cell: NDArray[np.int32], lines: Lines, items: Items) -> NDArray[np.int32]:
    in_days = np.array([course.in_days for course in COURSES])[sort.course[cell]][lines.course]
    return np.where(in_days, items.day + items.units - 1, 0).astype(np.int32)


def _drawn(rng: np.random.Generator, care: Care, sort: SortModel) -> NDArray[np.int32]:
    """Currencies of a sort, in chance order."""
    size = round(sort.courses_per_spell * len(care.admissions))
    return rng.permutation(sort.profiles.cell[draw_profiles(rng, sort.profiles, size)])


def _chapter_of(name: str) -> str:
    return next((chapter for pattern, chapter in _DEVICE_CHAPTERS.items() if re.search(pattern, name)), "")


def _costs(rng: np.random.Generator, sort: str, size: int) -> NDArray[np.int64]:
    """What drugs or devices cost, in pence; -1 where the file lacks it."""
    median, spread = _MEDIAN_POUNDS[sort]
    pence = np.rint(100 * median * np.exp(rng.normal(0.0, spread, size))).astype(np.int64)
    return np.where(rng.random(size) < COST_UNKNOWN_SHARE, -1, pence)


def _local_prices(rng: np.random.Generator, items: Items, serial_number: NDArray[np.int8]) -> pl.Series:
    """Pence: what drugs and devices cost, and a local price of most items outside national prices, in whole pounds."""
    size = len(items.price)
    local = outside_national_prices(serial_number) & (rng.random(size) < LOCALLY_PRICED_SHARE)
    price = np.where((items.price < 0) & local, 100 * rng.integers(40, 400, size=size), items.price)
    return pl.Series(price).set(pl.Series(price < 0), None)


def _of_spells(
    care: Care, row: NDArray[np.int64], day: NDArray[np.generic], currency: NDArray[np.generic], units: NDArray[np.generic]
) -> Items:
    person, provider = care.admissions.spells.person[row], care.admissions.provider[row]
    items = _items(person, provider, day, currency, units)
    return replace(items, function=care.clinics.of_admitted[care.admissions.function[row]], parent=row)


def _items(
    person: NDArray[np.generic],
    provider: NDArray[np.generic],
    day: NDArray[np.generic],
    currency: NDArray[np.generic],
    units: NDArray[np.generic],
) -> Items:
    size = len(person)
    return Items(
        person.astype(np.int32),
        provider.astype(np.int8),
        np.full(size, -1, np.int16),
        day.astype(np.int32),
        np.zeros(size, np.int32),
        currency.astype(np.int16),
        units.astype(np.int32),
        np.full(size, -1, np.int64),
        np.full(size, -1, np.int64),
    )


def _in_the_year(care: Care, items: Items) -> Items:
    """Those of people who are there on a day of the year; what belongs to a spell stays with it."""
    calendar = care.calendar
    inside = (items.day >= calendar.first_day) & (items.day < calendar.first_day + calendar.days)
    return items.at(inside & ((items.parent >= 0) | care.people.alive(items.person, items.day)))


def _together(parts: Sequence[Items]) -> Items:
    return Items(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Items)))
