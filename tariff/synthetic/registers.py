"""The registers of a synthetic year: who stands on them, at which level, from when to when and with which provider."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import REGISTER
from tariff.synthetic.conditions import MATERNITY_LEVELS, REGISTERS, Enrolments, Pregnancies
from tariff.synthetic.frames import Coded, dates, frame_of, numbered
from tariff.synthetic.people import People
from tariff.synthetic.places import COMMISSIONERS, PROVIDER_CODES
from tariff.synthetic.seasons import Calendar

MATERNITY, POSTNATAL = "maternity", "maternity_postnatal"
"""From booking to birth at the antenatal level, and from birth to the last visit of a midwife at the postnatal level."""
_NAMES: Final = (MATERNITY, POSTNATAL, *(register.name for register in REGISTERS))
_LEVELS: Final = tuple(dict.fromkeys((*MATERNITY_LEVELS, *(level for register in REGISTERS for level in register.levels))))


def registers_frame(calendar: Calendar, people: People, pregnancies: Pregnancies, enrolments: Enrolments) -> pl.DataFrame:
    """The block's rows of every register, by register and date of start. Columns as in `columns.REGISTER`. A pregnancy that
    goes on when the year ends has no date of end, and no postnatal row."""
    over = calendar.first_day + calendar.days
    booked = np.flatnonzero(pregnancies.booked < over)
    born = np.flatnonzero(pregnancies.birth < over)
    level = [np.array([_LEVELS.index(name) for name in register.levels]) for register in REGISTERS]
    parts = [
        (0, booked, pregnancies.antenatal, pregnancies.booked, np.where(pregnancies.birth < over, pregnancies.birth, 0)),
        (1, born, pregnancies.postnatal, pregnancies.birth, pregnancies.discharged),
    ]
    columns = [
        (np.full(len(rows), number), pregnancies.person[rows], levels[rows], starts[rows], ends[rows], pregnancies.provider[rows])
        for number, rows, levels, starts, ends in parts
    ]
    for number, words in enumerate(level):
        rows = enrolments.of(number)
        columns.append(
            (
                np.full(len(rows), len(parts) + number),
                enrolments.person[rows],
                words[enrolments.level[rows]],
                enrolments.starts[rows],
                enrolments.ends[rows],
                enrolments.provider[rows],
            )
        )
    return _frame(people, *(np.concatenate(each) for each in zip(*columns, strict=True)))


def _frame(
    people: People,
    register: NDArray[np.int64],
    person: NDArray[np.int32],
    level: NDArray[np.int64],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    provider: NDArray[np.int8],
) -> pl.DataFrame:
    order = np.lexsort((person, starts, register))
    person, starts, ends = person[order], starts[order], ends[order]
    return frame_of(
        REGISTER,
        {
            "patient_id": numbered(people.everyone.pseudonyms()[person]),
            "register": Coded(register[order], _NAMES),
            "level": Coded(level[order], _LEVELS),
            "start_date": dates(starts),
            "end_date": dates(ends).set(pl.Series(ends == 0), None),
            "provider": Coded(provider[order], PROVIDER_CODES),
            "commissioner": Coded(people.everyone.commissioner[person], COMMISSIONERS),
        },
    )
