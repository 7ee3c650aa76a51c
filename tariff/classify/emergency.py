"""Emergency care: department types and the encoding of attendances for the kernel (RULES 2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from tariff.classify.codes import CODE_BLANK, Codes, grouped_row, numbers_of, with_codes
from tariff.classify.lines import Policies, Providers, local_prices, row_faults
from tariff.classify.outpatient import plain_code

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
        self.currency = Codes(grouped_row(row.currency for row in pack.emergency), CODE_BLANK, np.int32)
        self.department_type = Codes(department_type, 0)
        self.planned = Codes(lambda code: int(plain_code(code) in PLANNED_FOLLOW_UPS), 0)
        self.policies = Policies(pack, "hrg")
        self.providers = Providers(pack)


def encode_emergency(block: pl.DataFrame, codes: EmergencyCodes) -> EmergencyAttendances:
    """A block of canonical emergency care as arrays for the kernel. Absent optional columns are blank."""
    from tariff.kernels.emergency import EmergencyAttendances
    from tariff.kernels.settling import BLANK

    height = block.height
    block = with_codes(block, "provider", "commissioner", "hrg")
    provider, by_trust = codes.providers.rows(block)
    category = block["attendance_category"] if "attendance_category" in block.columns else None
    return EmergencyAttendances(
        fault=row_faults(block, "attendance_id"),
        activity_date=numbers_of(block, "arrival_date", BLANK),
        age=numbers_of(block, "age", BLANK),
        department_type=codes.department_type.of(block["department_type"], height),
        planned=codes.planned.of(category, height),
        currency=codes.currency.of(block["hrg"], height),
        policy=codes.policies.of(block),
        provider=provider,
        by_trust=by_trust,
        local_price=local_prices(block),
    )
