"""Admitted care: the spells of a block of patients, and everything an activity file says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import ADMITTED
from tariff.synthetic.blemishes import WRONG, blemish
from tariff.synthetic.codings import CodeBook, code_book_of, code_spells
from tariff.synthetic.critical_care import CriticalCare, CriticalMix, critical_mix_of, draw_critical_care
from tariff.synthetic.frames import PER_MILLE, Coded, dates, frame_of, numbered, thousand_of
from tariff.synthetic.histories import courses_of, lay_out, share_out
from tariff.synthetic.mix import DAY_CASE, LONG_STAY, ORDINARY_ELECTIVE, REGULAR_ATTENDER, SHORT_STAY, Cells, national_cells
from tariff.synthetic.patients import AGE_BANDS, SEXES, Patients, age_on, draw_patients
from tariff.synthetic.places import COMMISSIONERS, NO_FACTOR, PRACTICES, PROVIDER_CODES, of_kind
from tariff.synthetic.profiles import Profiles, draw_profiles, profiles_of
from tariff.synthetic.seasons import Calendar, calendar_of
from tariff.synthetic.stays import StayShapes, draw_stays, stay_shapes
from tariff.synthetic.streams import Stream, stream_of
from tariff.synthetic.traits import BIRTH, ELDERLY_MEDICINE, GENERAL, GENERAL_MEDICINE, MATERNITY, NEWBORN, OLDEST, main_specialty

if TYPE_CHECKING:
    from tariff.rulepack import RulePack, TopUp

BLOCK: Final = 250_000
"""Spells drawn together, which share no patient with another block, and rows of a row group."""

_ADULT_BAND: Final = AGE_BANDS.index((19, 29))
_OLD_BAND: Final = AGE_BANDS.index((75, 84))

_ELECTIVE, _EMERGENCY, _BEFORE_OR_AT_BIRTH, _AFTER_BIRTH, _NEWBORN = range(5)
_ADMISSION_METHODS: Final[Mapping[int, Mapping[str, int]]] = {
    _ELECTIVE: {"11": 610, "12": 290, "13": 100},
    _EMERGENCY: {"21": 766, "22": 75, "23": 10, "24": 35, "25": 2, "28": 10, "2A": 45, "2B": 18, "2D": 20, "81": 19},
    _BEFORE_OR_AT_BIRTH: {"31": 930, "21": 20, "24": 40, "81": 10},
    _AFTER_BIRTH: {"32": 940, "21": 50, "81": 10},
    _NEWBORN: {"82": 885, "83": 45, "21": 40, "2B": 20, "2C": 10},
}
"""Invented shares of the admission methods, in thousandths."""
METHODS: Final = tuple(sorted({method for shares in _ADMISSION_METHODS.values() for method in shares}))
CLASSES: Final = ("1", "2", "3", "4", "5")
CATEGORIES: Final = ("01", "02", "03")
CATEGORY_SHARES: Final = (993, 5, 2)
SERIAL_NUMBERS: Final = ("=", "OAT=", "C00001", "C00002", "C00003")
SERIAL_NUMBER_SHARES: Final = (6, 2, 10, 8, 6)
"""In thousandths; other spells carry none. The first two lie outside the national tariff."""
DISCHARGE_METHODS: Final = ("1", "2", "4", "8")
"""Discharged, self-discharged, died, and not applicable: still in hospital."""
_DYING: Final = np.array((2, 1, 1, 1, 2, 3, 6, 10, 18, 40, 75, 120, 190)) / PER_MILLE
"""Invented chance that a patient's last emergency stay ends in death, by age band."""
GROUPING_METHODS: Final = ("P", "D", "M", "B", "U")
_TOP_UP_HRGS: Final = {"orthop": "H", "spin": "HC", "neuro": "AA", "cardi": "E", "respir": "DZ", "child": "P"}
DAYS_WITHIN: Final = ("critical_care_days", "rehabilitation_days", "palliative_care_days", "delayed_discharge_days")


@dataclass(frozen=True, slots=True)
class AdmittedModel:
    """All that does not depend on chance: the mix for a rule pack, its shapes, and what each HRG looks like."""

    cells: Cells
    profiles: Profiles
    shapes: StayShapes
    calendar: Calendar
    repeats: NDArray[np.int32]
    interval: NDArray[np.int32]
    pool: NDArray[np.int8]
    stage: NDArray[np.int8]
    complications: NDArray[np.int8]
    methods: NDArray[np.int8]
    manner: NDArray[np.int8]
    functions: NDArray[np.int16]
    function_codes: tuple[str, ...]
    top_ups: tuple[TopUp, ...]
    codes: CodeBook
    critical_mix: CriticalMix


@dataclass(frozen=True, slots=True)
class Spells:
    """Spells of a block in their final order; arrays of one length. Days count from 1970."""

    cell: NDArray[np.int32]
    setting: NDArray[np.int8]
    person: NDArray[np.int32]
    admitted: NDArray[np.int32]
    discharged: NDArray[np.int32]
    last: NDArray[np.bool_]
    age: NDArray[np.int32]
    band: NDArray[np.int8]

    @property
    def stay(self) -> NDArray[np.int32]:
        """Days from admission to discharge."""
        return self.discharged - self.admitted

    def __len__(self) -> int:
        return len(self.cell)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What chance says of each spell of a block, as arrays of positions in the lists that the columns are coded by."""

    method: NDArray[np.int8]
    patient_class: NDArray[np.int8]
    serial_number: NDArray[np.int8]
    function: NDArray[np.int16]
    provider: NDArray[np.int8]
    category: NDArray[np.int8]
    services: Coded
    local_price: pl.Series
    ended: NDArray[np.int8]
    days_within: tuple[NDArray[np.int32], ...]

    @property
    def critical_days(self) -> NDArray[np.int32]:
        return self.days_within[DAYS_WITHIN.index("critical_care_days")]


@dataclass(frozen=True, slots=True)
class Admissions:
    """The admitted care of one block: as the file tells it (`frame`), and as the other kinds of activity look at it, sound and
    without blemishes. Arrays stand as the rows of `frame`; `provider`, `method` and `function` are positions in
    `PROVIDER_CODES`, `METHODS` and the model's `function_codes`; `died` marks stays that ended in death; `days_within` are those
    of `DAYS_WITHIN`. `first` numbers the block's first spell in the year."""

    block: int
    first: int
    patients: Patients
    spells: Spells
    provider: NDArray[np.int8]
    method: NDArray[np.int8]
    function: NDArray[np.int16]
    died: NDArray[np.bool_]
    critical_care: CriticalCare
    days_within: tuple[NDArray[np.int32], ...]
    frame: pl.DataFrame

    def __len__(self) -> int:
        return len(self.spells)

    def spell_ids(self, rows: NDArray[np.int64]) -> pl.Series:
        """Identifiers of the spells at `rows`; none where a row is negative."""
        return self.frame["spell_id"].gather(pl.Series(np.maximum(rows, 0))).set(pl.Series(rows < 0), None)


@lru_cache(maxsize=4)
def admitted_model(pack: RulePack) -> AdmittedModel:
    """What the admitted care of a year priced by `pack` looks like. UsageError where it knows no HRG of the national mix."""
    cells = national_cells({row.hrg for row in pack.admitted})
    words = tuple(sorted({code for traits in cells.traits for code in (*traits.functions, ELDERLY_MEDICINE)}))
    repeats, interval = _courses(cells)
    return AdmittedModel(
        cells,
        profiles_of(cells),
        stay_shapes(cells),
        calendar_of(pack.starts, pack.ends),
        repeats,
        interval,
        cells.by_hrg(lambda traits: traits.pool).astype(np.int8),
        cells.by_hrg(lambda traits: traits.stage).astype(np.int8),
        cells.by_hrg(lambda traits: traits.complications).astype(np.int8),
        np.stack([_thousand(shares) for shares in _ADMISSION_METHODS.values()]),
        _manner(cells),
        np.array([[words.index(code) for code in traits.functions] for traits in cells.traits], np.int16)[cells.hrg],
        words,
        pack.top_ups,
        code_book_of(cells.hrgs),
        critical_mix_of({row.currency for row in pack.unbundled}),
    )


def admissions(model: AdmittedModel, spells: int, seed: int) -> Iterator[Admissions]:
    """The year's spells, `BLOCK` at a time, by discharge date within a block. Columns of the frames as in `columns.ADMITTED`,
    codes of few values as Enum; money in pence. The same model, number and seed give the same blocks."""
    for block, first in enumerate(range(0, spells, BLOCK)):
        rng, codings = (stream_of(seed, stream, block) for stream in (Stream.ADMITTED, Stream.CODINGS))
        yield _admissions(rng, codings, model, min(BLOCK, spells - first), block, first)


def _admissions(
    rng: np.random.Generator, codings: np.random.Generator, model: AdmittedModel, spells: int, block: int, first: int
) -> Admissions:
    patients, drawn = _draw_spells(rng, model, spells, first)
    facts = _draw_facts(rng, model, patients, drawn)
    care = draw_critical_care(codings, model.critical_mix, facts.critical_days, drawn.age, model.pool[drawn.cell] == NEWBORN)
    coded = code_spells(codings, model.codes, model.cells.hrg[drawn.cell], drawn.age, is_elective(drawn.setting))
    columns = _columns(model, patients, drawn, facts, first) | coded | {"unbundled": care.attached(len(drawn))}
    frame = blemish(rng, frame_of(ADMITTED, columns), model.calendar, drawn.last)
    died = facts.ended == DISCHARGE_METHODS.index("4")
    return Admissions(
        block, first, patients, drawn, facts.provider, facts.method, facts.function, died, care, facts.days_within, frame
    )


def _draw_spells(rng: np.random.Generator, model: AdmittedModel, spells: int, first: int) -> tuple[Patients, Spells]:
    cells, profiles, calendar = model.cells, model.profiles, model.calendar
    profile = draw_profiles(rng, profiles, spells)
    cell = profiles.cell[profile]
    setting = cells.setting[cell]
    course = courses_of(rng, profile, model.repeats[cell])
    opening = profile[np.flatnonzero(np.diff(course, prepend=-1))]
    patient = share_out(rng, profiles.stratum[opening], profiles.band[opening], _once(model, profiles.cell[opening]))[course]
    stay = draw_stays(rng, model.shapes, setting, cell)
    told = lay_out(rng, calendar, patient, model.stage[cell], course, stay, model.interval[cell], is_elective(setting))
    opens = np.flatnonzero(np.diff(told.person, prepend=-1))
    who = profile[told.order[opens]]
    newborn = model.pool[profiles.cell[who]] == NEWBORN
    seen = (told.discharge - told.stay)[opens] + calendar.first_day
    patients = draw_patients(rng, first, profiles.band[who], profiles.sex[who], calendar, newborn, seen)
    by_discharge = np.argsort(told.discharge, kind="stable")
    order, person, stay = told.order[by_discharge], told.person[by_discharge], told.stay[by_discharge]
    discharged = told.discharge[by_discharge] + calendar.first_day
    last = np.diff(told.person, append=-1)[by_discharge] != 0
    admitted = discharged - stay
    age = age_on(patients, person, admitted)
    return patients, Spells(cell[order], setting[order], person, admitted, discharged, last, age, patients.band[person])


def _draw_facts(rng: np.random.Generator, model: AdmittedModel, patients: Patients, spells: Spells) -> _Facts:
    method = model.methods[model.manner[spells.cell], rng.integers(PER_MILLE, size=len(spells))]
    patient_class = _patient_classes(rng, model, spells)
    serial_number = thousand_of(rng, SERIAL_NUMBER_SHARES, len(spells))
    return _Facts(
        method,
        patient_class,
        serial_number,
        _treatment_functions(rng, model, spells),
        _providers(rng, patients, spells, model),
        thousand_of(rng, CATEGORY_SHARES, len(spells)),
        _specialised_services(rng, model, spells),
        _local_prices(rng, patient_class, serial_number),
        _discharge_methods(rng, spells),
        tuple(_days_within(rng, model, spells)),
    )


def _columns(model: AdmittedModel, patients: Patients, spells: Spells, facts: _Facts, first: int) -> dict[str, Coded | pl.Series]:
    grouping = np.array([GROUPING_METHODS.index(traits.grouping_method) for traits in model.cells.traits], np.int8)
    hrg = model.cells.hrg[spells.cell]
    main = tuple(main_specialty(code) for code in model.function_codes)
    return {
        "spell_id": numbered(np.arange(first, first + len(spells)) + 1_000_000_001, "S"),
        "provider": Coded(facts.provider, PROVIDER_CODES),
        "commissioner": Coded(patients.commissioner[spells.person], COMMISSIONERS),
        "admission_date": dates(spells.admitted),
        "discharge_date": dates(spells.discharged),
        "admission_method": Coded(facts.method, (*METHODS, WRONG["admission_method"])),
        "patient_classification": Coded(facts.patient_class, (*CLASSES, WRONG["patient_classification"])),
        "age": pl.Series(spells.age),
        "hrg": Coded(hrg, model.cells.hrgs),
        "patient_id": numbered(patients.pseudonyms()[spells.person]),
        "gp_practice": Coded(patients.practice[spells.person], PRACTICES),
        "treatment_function": Coded(facts.function, model.function_codes),
        "main_specialty": Coded(facts.function, main),
        "sex": Coded(patients.sex[spells.person], SEXES),
        "administrative_category": Coded(facts.category, CATEGORIES),
        "commissioning_serial_number": Coded(facts.serial_number, SERIAL_NUMBERS),
        "specialised_services": facts.services,
        "local_price": facts.local_price,
        "discharge_method": Coded(facts.ended, DISCHARGE_METHODS),
        "grouping_method": Coded(grouping[hrg], GROUPING_METHODS),
        **{name: pl.Series(days) for name, days in zip(DAYS_WITHIN, facts.days_within, strict=True)},
    }


def _once(model: AdmittedModel, cell: NDArray[np.int32]) -> NDArray[np.bool_]:
    """What happens to a patient once a year at most: giving birth, being born."""
    pool = model.pool[cell]
    once: NDArray[np.bool_] = (pool == NEWBORN) | ((pool == MATERNITY) & (model.stage[cell] == BIRTH))
    return once


def is_elective(setting: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether each spell was planned, by its setting."""
    elective: NDArray[np.bool_] = np.isin(setting, (DAY_CASE, ORDINARY_ELECTIVE, REGULAR_ATTENDER))
    return elective


def _courses(cells: Cells) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """By cell, spells of one course of treatment and the days between them: chemotherapy, radiotherapy, regular attenders,
    infusions on day wards; other spells stand alone."""
    subchapter = np.array([hrg[:2] for hrg in cells.hrgs])[cells.hrg]
    diagnosis = np.array([traits.grouping_method == "D" for traits in cells.traits])[cells.hrg]
    radiotherapy, chemotherapy = subchapter == "SC", subchapter == "SB"
    regular, ward = cells.setting == REGULAR_ATTENDER, (cells.setting == DAY_CASE) & diagnosis
    kinds = [radiotherapy, chemotherapy, regular, ward]
    return np.select(kinds, [12, 5, 8, 3], 1).astype(np.int32), np.select(kinds, [1, 21, 7, 42], 0).astype(np.int32)


def _manner(cells: Cells) -> NDArray[np.int8]:
    """By cell, which list of admission methods it draws from."""
    pool = cells.by_hrg(lambda traits: traits.pool)
    after = cells.by_hrg(lambda traits: traits.stage) > BIRTH
    kinds = [is_elective(cells.setting), pool == NEWBORN, (pool == MATERNITY) & after, pool == MATERNITY]
    return np.select(kinds, [_ELECTIVE, _NEWBORN, _AFTER_BIRTH, _BEFORE_OR_AT_BIRTH], _EMERGENCY).astype(np.int8)


def _thousand(shares: Mapping[str, int]) -> NDArray[np.int8]:
    """A thousand admission methods in the given shares, to draw one from."""
    return np.repeat(np.array([METHODS.index(method) for method in shares], np.int8), list(shares.values()))


def _patient_classes(rng: np.random.Generator, model: AdmittedModel, spells: Spells) -> NDArray[np.int8]:
    """Ordinary, day case or regular attender by setting; a few mothers and babies using delivery facilities only."""
    chance = rng.integers(PER_MILLE, size=len(spells))
    regular = spells.setting == REGULAR_ATTENDER
    delivery = _once(model, spells.cell) & (spells.setting == SHORT_STAY)
    kinds = [spells.setting == DAY_CASE, regular & (chance < 60), regular, delivery & (chance < 20)]
    return np.select(kinds, [CLASSES.index(code) for code in "2435"], CLASSES.index("1")).astype(np.int8)


def _providers(rng: np.random.Generator, patients: Patients, spells: Spells, model: AdmittedModel) -> NDArray[np.int8]:
    """Mostly the local hospital; some of each patient's care goes to the regional ones, children's to theirs, simple elective
    care to the elective centres, and now and then somebody falls ill far from home."""
    whole = rng.random(len(patients.number))[spells.person]
    elective = is_elective(spells.setting)
    child = (spells.band < _ADULT_BAND) & (model.pool[spells.cell] == GENERAL)
    simple = elective & (spells.setting != REGULAR_ATTENDER) & ~child & (model.complications[spells.cell] <= 3)
    away = rng.random(len(spells))
    kinds = [away < 0.001, away < 0.03, child & (whole < 0.4), simple & (whole > 0.84), whole < np.where(elective, 0.2, 0.1)]
    somewhere = [any_of(rng, kind, patients)[spells.person] for kind in ("local", "children", "elective", "regional")]
    nowhere = np.int8(PROVIDER_CODES.index(NO_FACTOR))
    return np.select(kinds, [nowhere, *somewhere], patients.home[spells.person]).astype(np.int8)


def any_of(rng: np.random.Generator, kind: str, patients: Patients) -> NDArray[np.int8]:
    """One provider of the kind for each patient, who stays with it."""
    places = of_kind(kind)
    return places[rng.integers(len(places), size=len(patients.number))]


def _treatment_functions(rng: np.random.Generator, model: AdmittedModel, spells: Spells) -> NDArray[np.int16]:
    slot = rng.integers(4, size=len(spells))
    function = model.functions[spells.cell, slot]
    if GENERAL_MEDICINE not in model.function_codes:
        return function
    old = (spells.band >= _OLD_BAND) & ~is_elective(spells.setting) & (slot % 2 == 0)
    general = function == model.function_codes.index(GENERAL_MEDICINE)
    return np.where(old & general, model.function_codes.index(ELDERLY_MEDICINE), function).astype(np.int16)


def _discharge_methods(rng: np.random.Generator, spells: Spells) -> NDArray[np.int8]:
    chance = rng.random(len(spells))
    emergency = ~is_elective(spells.setting)
    dies = emergency & spells.last & (chance < _DYING[spells.band])
    leaves = emergency & (chance > 0.985) & (spells.age >= 16)
    return np.select([dies, leaves], [DISCHARGE_METHODS.index("4"), DISCHARGE_METHODS.index("2")], 0).astype(np.int8)


def _days_within(rng: np.random.Generator, model: AdmittedModel, spells: Spells) -> Iterator[NDArray[np.int32]]:
    """Critical care, rehabilitation, palliative and delayed days: few stays have any, and together they leave a day over.
    Critical-care days come near England's (0.114 a spell) as far as the stays have room for them."""
    newborn, child = model.pool[spells.cell] == NEWBORN, spells.band < _ADULT_BAND
    severe = model.cells.trim_shape[spells.cell] >= 12
    surgical = (spells.setting == ORDINARY_ELECTIVE) & severe
    long = spells.setting == LONG_STAY
    frail = long & (spells.age >= 65)
    left = np.maximum(spells.stay - 1, 0)
    kinds = (
        (
            np.select([newborn & long, child & long, surgical, long & severe, long], [0.5, 0.06, 0.13, 0.06, 0.01], 0.0),
            np.where(newborn | child, 12.0, 6.5),
        ),
        (np.where(long & (spells.stay >= 12), 0.02, 0.0), 9.0),
        (np.where(frail & (spells.stay >= 4), 0.01, 0.0), 4.0),
        (np.where(frail & (spells.stay >= 10), 0.07, 0.0), 6.0),
    )
    for chance, mean in kinds:
        has = rng.random(len(spells)) < chance
        days = np.minimum(np.where(has, 1 + rng.exponential(mean, len(spells)), 0), left).astype(np.int32)
        left = left - days
        yield days


def _specialised_services(rng: np.random.Generator, model: AdmittedModel, spells: Spells) -> Coded:
    """Codes of the rule pack's top-ups on a few inpatient spells of fitting age and HRG, two on a few of those; now and then a
    code that does not fit the age."""
    top_ups = model.top_ups
    if not top_ups:
        return Coded(np.full(len(spells), -1, np.int8), ())
    one = rng.integers(len(top_ups), size=len(spells))
    youngest = np.array([top_up.minimum_age or 0 for top_up in top_ups])[one]
    oldest = np.array([OLDEST if top_up.maximum_age is None else top_up.maximum_age for top_up in top_ups])[one]
    of_age = (spells.age >= youngest) & (spells.age <= oldest)
    related = np.array([[hrg.startswith(_hrgs_of(top_up)) for hrg in model.cells.hrgs] for top_up in top_ups])
    fits = related[one, model.cells.hrg[spells.cell]]
    chance = rng.random(len(spells))
    inpatient = np.isin(spells.setting, (ORDINARY_ELECTIVE, LONG_STAY, SHORT_STAY))
    coded = inpatient & fits & (chance < np.where(of_age, 0.2, 0.001))
    pairs = tuple(f"{former.top_up};{latter.top_up}" for former, latter in pairwise(top_ups))
    words = (*(top_up.top_up for top_up in top_ups), *pairs)
    two = (chance < 0.01) & (one < len(pairs))
    return Coded(np.where(coded, one + len(top_ups) * two, -1).astype(np.int16), words)


def _hrgs_of(top_up: TopUp) -> str:
    """How the HRGs that a top-up mostly goes with begin, judged by its name; with any, where the name says nothing."""
    name = f"{top_up.top_up} {top_up.name}".lower()
    return next((start for word, start in _TOP_UP_HRGS.items() if word in name), "")


def _local_prices(rng: np.random.Generator, patient_class: NDArray[np.int8], serial_number: NDArray[np.int8]) -> pl.Series:
    """Pence, in whole fives of pounds, for six in ten of the spells outside national prices; none for the rest."""
    regular = np.isin(patient_class, (CLASSES.index("3"), CLASSES.index("4")))
    priced = (regular | outside_national_prices(serial_number)) & (rng.random(len(patient_class)) < 0.6)
    fives = np.where(regular, rng.integers(30, 90, size=len(patient_class)), rng.integers(60, 1200, size=len(patient_class)))
    return pl.Series(fives * 500).set(pl.Series(~priced), None)


def outside_national_prices(serial_number: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether the commissioning serial number, a position in `SERIAL_NUMBERS`, says so."""
    outside: NDArray[np.bool_] = np.isin(serial_number, [SERIAL_NUMBERS.index(number) for number in ("=", "OAT=")])
    return outside
