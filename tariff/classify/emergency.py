"""Emergency care: department types and the encoding of attendances for the kernel (RULES 2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.classify.codes import CODE_BLANK, Facts, Question, grouped_row, numbers_of
from tariff.classify.lines import common_questions, local_prices, with_missing_identifiers
from tariff.classify.outpatient import plain_code
from tariff.facts import DEPARTMENT_TYPE, EMERGENCY_CURRENCY, PLANNED

if TYPE_CHECKING:
    from tariff.kernels.emergency import EmergencyAttendances
    from tariff.rulepack import RulePack

PLANNED_FOLLOW_UPS: Final = frozenset({"2", "3"})
"""Attendance categories: a planned follow-up at this department, or at another."""


def department_type(code: str) -> int:
    """National code 1 to 4; 0 where it is none of them."""
    plain = plain_code(code)
    return int(plain) if plain in {"1", "2", "3", "4"} else 0


class EmergencyCodes:
    """How the codes of emergency care map onto the rows of one rule pack."""

    def __init__(self, pack: RulePack) -> None:
        currencies = [row.currency for row in pack.emergency]
        self.facts = Facts(
            (
                *common_questions(pack, "hrg"),
                Question("hrg", EMERGENCY_CURRENCY, grouped_row(currencies), CODE_BLANK, rows=len(currencies)),
                Question("department_type", DEPARTMENT_TYPE, department_type, 0),
                Question("attendance_category", PLANNED, lambda code: int(plain_code(code) in PLANNED_FOLLOW_UPS), 0),
            )
        )
        self.columns = self.facts.columns


def encode_emergency(block: pl.DataFrame, codes: EmergencyCodes) -> EmergencyAttendances:
    """A block of canonical emergency care as arrays for the kernel. Absent optional columns are blank."""
    from tariff.kernels.emergency import EmergencyAttendances
    from tariff.kernels.settling import BLANK

    return EmergencyAttendances(
        facts=with_missing_identifiers(codes.facts.of(block), block, "attendance_id"),
        activity_date=numbers_of(block, "arrival_date", BLANK),
        age=numbers_of(block, "age", BLANK),
        local_price=local_prices(block),
    )
