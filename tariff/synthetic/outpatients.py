"""Outpatient attendances: what an activity file says of each visit to a clinic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import OUTPATIENT
from tariff.synthetic.blemishes import spoil
from tariff.synthetic.clinics import MIDWIFERY, ClinicModel
from tariff.synthetic.frames import PER_MILLE, Coded, dates, frame_of, numbered, thousand_of
from tariff.synthetic.mix import UNGROUPED, UNGROUPED_SHARE
from tariff.synthetic.patients import SEXES, age_on
from tariff.synthetic.people import People
from tariff.synthetic.places import COMMISSIONERS, PRACTICES, PROVIDER_CODES
from tariff.synthetic.spells import CATEGORIES, CATEGORY_SHARES, SERIAL_NUMBER_SHARES, SERIAL_NUMBERS, outside_national_prices
from tariff.synthetic.traits import main_specialty
from tariff.synthetic.visits import SOURCES, Visits

ATTENDANCES: Final = ("WF01A", "WF01B", "WF01C", "WF01D", "WF02A", "WF02B", "WF02C", "WF02D")
"""Single and multi-professional; A follow-up, B first, C follow-up and D first not face to face."""
FIRST_ATTENDANCES: Final = ("1", "2", "3", "4")
STATUSES: Final = ("5", "6", "3", "7", "2", "4")
STATUS_SHARES: Final = (870, 35, 67, 3, 12, 13)
"""In thousandths: seen on time, seen late, did not attend (7% with those too late to be seen), cancelled by either side."""
MULTI_PROFESSIONAL_SHARE: Final = 0.03
BY_TELEPHONE_SHARES: Final = (0.13, 0.25)
"""Of first and of follow-up attendances without a procedure, those by telephone or video: about a fifth of all."""
LED_BY_UNSTATED_SHARE: Final = 0.1
"""Of attendances, those whose file leaves blank who led them, so that the main specialty tells."""
LOCALLY_PRICED_SHARE: Final = 0.6
"""Of attendances outside national prices, those with a local one."""

NURSING, ALLIED, MIDWIVES = "950", "960", "560"
_ALLIED_FUNCTIONS: Final = ("650", "651", "653", "654", "655", "840")
NUMBERS_KEPT: Final = 16
"""Identifiers kept for every spell of the blocks before, so that those of two blocks never meet."""

WRONG: Final[Mapping[str, str | int | None]] = {
    "first_attendance": "9",
    "attended": "8",
    "age": 999,
    "commissioner": None,
    "attendance_date": None,
}
"""Values that are in no list, an age that nobody has, and blanks: one row in ten thousand each."""


def outpatient_frame(
    rng: np.random.Generator, model: ClinicModel, people: People, visits: Visits, first_spell: int
) -> pl.DataFrame:
    """The block's attendances by date. Columns as in `columns.OUTPATIENT`, codes of few values as Enum; money in pence."""
    everyone, size = people.everyone, len(visits)
    procedure = visits.procedure >= 0
    telephone = ~procedure & (rng.random(size) < np.where(visits.first, *BY_TELEPHONE_SHARES))
    several = ~telephone & (rng.random(size) < MULTI_PROFESSIONAL_SHARE)
    consultant = rng.random(size) < model.consultant_led[visits.function]
    status = np.where(procedure, rng.integers(PER_MILLE, size=size) < 40, thousand_of(rng, STATUS_SHARES, size))
    serial_number = thousand_of(rng, SERIAL_NUMBER_SHARES, size)
    led_by, specialties = _main_specialties(model)
    columns: dict[str, Coded | pl.Series] = {
        "attendance_id": attendance_ids(np.arange(size), first_spell),
        "provider": Coded(visits.provider, PROVIDER_CODES),
        "commissioner": Coded(everyone.commissioner[visits.person], COMMISSIONERS),
        "attendance_date": dates(visits.day),
        "treatment_function": Coded(visits.function, model.functions),
        "first_attendance": Coded(2 * telephone + ~visits.first, (*FIRST_ATTENDANCES, "9")),
        "attended": Coded(status, (*STATUSES, "8")),
        "age": pl.Series(age_on(everyone, visits.person, visits.day)),
        "hrg": _hrgs(rng, model, visits, telephone, several),
        "patient_id": numbered(everyone.pseudonyms()[visits.person]),
        "gp_practice": Coded(everyone.practice[visits.person], PRACTICES),
        "main_specialty": Coded(led_by[visits.function, (~consultant).astype(np.int8)], specialties),
        "sex": Coded(everyone.sex[visits.person], SEXES),
        "administrative_category": Coded(thousand_of(rng, CATEGORY_SHARES, size), CATEGORIES),
        "commissioning_serial_number": Coded(serial_number, SERIAL_NUMBERS),
        "local_price": _local_prices(rng, ~consultant | outside_national_prices(serial_number)),
        "multi_professional": Coded(several.astype(np.int8), ("N", "Y")),
        "consultant_led": Coded(np.where(rng.random(size) < LED_BY_UNSTATED_SHARE, -1, consultant), ("N", "Y")),
        "referral_source": Coded(visits.source, SOURCES),
    }
    return spoil(rng, frame_of(OUTPATIENT, columns), dict.fromkeys(WRONG, 0.0001), WRONG)


def attendance_ids(rows: NDArray[np.int64], first_spell: int) -> pl.Series:
    """Identifiers of the attendances at some rows of the block whose first spell is given."""
    return numbered(rows + 1_000_000_001 + NUMBERS_KEPT * first_spell, "O")


def _hrgs(
    rng: np.random.Generator,
    model: ClinicModel,
    visits: Visits,
    telephone: NDArray[np.bool_],
    several: NDArray[np.bool_],
) -> Coded:
    """The procedure where there is one, else the attendance; now and then data invalid for grouping."""
    attendance = 4 * several + 2 * telephone + visits.first
    ungrouped = rng.random(len(visits)) < UNGROUPED_SHARE
    words = (*ATTENDANCES, UNGROUPED, *model.procedure_words)
    of_procedure = visits.procedure + words.index(UNGROUPED) + 1
    kinds = [ungrouped, visits.procedure >= 0]
    return Coded(np.select(kinds, [words.index(UNGROUPED), of_procedure], attendance).astype(np.int16), words)


def _main_specialties(model: ClinicModel) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """By treatment function, who leads where a consultant does and where none does: positions in the specialties returned."""
    led_by = [(main_specialty(code), _without_consultant(code)) for code in model.functions]
    words = tuple(sorted({word for pair in led_by for word in pair}))
    return np.array([[words.index(word) for word in pair] for pair in led_by], np.int16), words


def _without_consultant(function: str) -> str:
    if function == MIDWIFERY:
        return MIDWIVES
    return ALLIED if function in _ALLIED_FUNCTIONS else NURSING


def _local_prices(rng: np.random.Generator, outside: NDArray[np.bool_]) -> pl.Series:
    """Pence, in whole pounds from £35 to £140."""
    priced = outside & (rng.random(len(outside)) < LOCALLY_PRICED_SHARE)
    return pl.Series(rng.integers(35, 141, size=len(outside)) * 100).set(pl.Series(~priced), None)
