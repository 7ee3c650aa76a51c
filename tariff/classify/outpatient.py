"""Outpatients: what an attendance is, and the encoding of attendances for the kernel (RULES 2.1, FORMATS section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.classify.codes import CODE_BLANK, Facts, Question, grouped_row, numbers_of
from tariff.classify.lines import common_questions, local_prices, with_missing_identifiers
from tariff.facts import (
    ATTENDANCE_HRG,
    ATTENDED,
    CONSULTANT_SPECIALTY,
    FIRST_ATTENDANCE,
    FORM,
    LED,
    MULTI_PROFESSIONAL,
    TREATMENT_FUNCTION,
)

if TYPE_CHECKING:
    from tariff.kernels.outpatient import Attendances
    from tariff.rulepack import RulePack

SEEN: Final = frozenset({"5", "6"})
NOT_SEEN: Final = frozenset({"0", "2", "3", "4", "7"})
"""Attended-or-did-not-attend codes: seen on time or late; cancelled, did not attend, turned away late."""
NOT_CONSULTANT_SPECIALTIES: Final = frozenset({"560", "900", "901", "902", "903", "904", "950", "960"})
"""Main specialties that are not a consultant's: midwifery, community and public health, nursing, allied health."""
_YES: Final = frozenset({"Y", "YES", "1", "TRUE"})
_NO: Final = frozenset({"N", "NO", "0", "FALSE"})
_SEEN, _NOT_SEEN = 1, 2
_LETTERS: Final = {"A": 1, "B": 2, "C": 3, "D": 4, "E": 5}
"""Of a WF HRG: A follow-up, B first, C follow-up and D first not face to face; E not face to face (FORMATS section 3)."""
_MULTI: Final = 8
_NO_PRICE_FUNCTION: Final = -1


def plain_code(code: str) -> str:
    """A national code without leading zeros: `05` is `5`."""
    return code.lstrip("0") or "0"


def first_attendance(code: str) -> int:
    """National code 1 to 4; 0 where it is none of them."""
    plain = plain_code(code)
    return int(plain) if plain in {"1", "2", "3", "4"} else 0


def attended(code: str) -> int:
    """Seen, not seen, or no national code."""
    plain = plain_code(code)
    if plain in SEEN:
        return _SEEN
    return _NOT_SEEN if plain in NOT_SEEN else 0


def attendance_form(hrg: str) -> int:
    """What an attendance HRG says: single (WF01) or multi-professional (WF02), and its letter; 0 for any other HRG, and for one
    that has lost its letter or has another."""
    letter = _LETTERS.get(hrg[4:], 0) if hrg[:4] in {"WF01", "WF02"} else 0
    return letter + _MULTI if letter and hrg.startswith("WF02") else letter


def leadership(code: str) -> int:
    """1 consultant-led, 2 not, 0 where the code does not say."""
    if code in _YES:
        return 1
    return 2 if code in _NO else 0


def parents_of(pack: RulePack) -> dict[str, str]:
    """By treatment function of a best-practice tariff, the one at whose price attendances are paid otherwise (RULES 3.1 E)."""
    rows = pack.best_practice if pack.rules.best_practice.method != "none" else ()
    return {
        row.treatment_function: row.parent_treatment_function
        for row in reversed(rows)
        if row.treatment_function and row.parent_treatment_function
    }


class OutpatientCodes:
    """How the codes of outpatient activity map onto the rows of one rule pack."""

    def __init__(self, pack: RulePack) -> None:
        unpriced = frozenset(getattr(pack.rules.outpatient, "no_price_treatment_functions", ()))
        row_of = {row.treatment_function: number for number, row in enumerate(pack.outpatient, start=1)}
        row_of = {**{child: row_of.get(parent, 0) for child, parent in parents_of(pack).items()}, **row_of}

        def price_row(code: str) -> int:
            return _NO_PRICE_FUNCTION if code in unpriced else row_of.get(code, 0)

        hrgs = [row.hrg for row in pack.admitted]
        self.facts = Facts(
            (
                *common_questions(pack, "hrg"),
                Question("hrg", ATTENDANCE_HRG, grouped_row(hrgs), CODE_BLANK, rows=len(hrgs)),
                Question("hrg", FORM, attendance_form, 0),
                Question("treatment_function", TREATMENT_FUNCTION, price_row, 0, rows=len(pack.outpatient)),
                Question("first_attendance", FIRST_ATTENDANCE, first_attendance, 0),
                Question("attended", ATTENDED, attended, 0),
                Question("multi_professional", MULTI_PROFESSIONAL, lambda code: int(code in _YES), 0),
                Question("consultant_led", LED, leadership, 0),
                Question("main_specialty", CONSULTANT_SPECIALTY, lambda code: int(code not in NOT_CONSULTANT_SPECIALTIES), 1),
            )
        )
        self.columns = self.facts.columns


def encode_attendances(block: pl.DataFrame, codes: OutpatientCodes) -> Attendances:
    """A block of canonical outpatient activity as arrays for the kernel. Absent optional columns are blank."""
    from tariff.kernels.outpatient import Attendances
    from tariff.kernels.settling import BLANK

    return Attendances(
        facts=with_missing_identifiers(codes.facts.of(block), block, "attendance_id"),
        activity_date=numbers_of(block, "attendance_date", BLANK),
        age=numbers_of(block, "age", BLANK),
        local_price=local_prices(block),
    )
