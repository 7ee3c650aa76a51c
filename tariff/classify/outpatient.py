"""Outpatients: what an attendance is, and the encoding of attendances for the kernel (RULES 2.1, FORMATS section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from tariff.classify.codes import CODE_BLANK, Codes, grouped_row, numbers_of, with_codes
from tariff.classify.lines import Policies, Providers, local_prices, row_faults

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
_LETTERS: Final = {"A": 1, "B": 2, "C": 3, "D": 4}
"""Of a WF HRG: A follow-up, B first, C follow-up and D first not face to face; any other is not face to face."""
_OTHER_LETTER, _MULTI = 5, 8
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
    """What an attendance HRG says: single (WF01) or multi-professional (WF02), and its letter; 0 for any other HRG."""
    if hrg[:4] not in {"WF01", "WF02"}:
        return 0
    return _LETTERS.get(hrg[4:], _OTHER_LETTER) + (_MULTI if hrg.startswith("WF02") else 0)


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
        self.hrg = Codes(grouped_row(row.hrg for row in pack.admitted), CODE_BLANK, np.int32)
        self.form = Codes(attendance_form, 0)
        self.treatment_function = Codes(lambda code: _NO_PRICE_FUNCTION if code in unpriced else row_of.get(code, 0), 0, np.int32)
        self.first_attendance = Codes(first_attendance, 0)
        self.attended = Codes(attended, 0)
        self.multi_professional = Codes(lambda code: int(code in _YES), 0)
        self.led = Codes(leadership, 0)
        self.consultant_specialty = Codes(lambda code: int(code not in NOT_CONSULTANT_SPECIALTIES), 1)
        self.policies = Policies(pack, "hrg")
        self.providers = Providers(pack)


def encode_attendances(block: pl.DataFrame, codes: OutpatientCodes) -> Attendances:
    """A block of canonical outpatient activity as arrays for the kernel. Absent optional columns are blank."""
    from tariff.kernels.outpatient import Attendances
    from tariff.kernels.settling import BLANK

    height = block.height
    block = with_codes(block, "provider", "commissioner", "hrg", "treatment_function")

    def column(name: str) -> pl.Series | None:
        return block[name] if name in block.columns else None

    provider, by_trust = codes.providers.rows(block)
    led = codes.led.of(column("consultant_led"), height)
    by_specialty = codes.consultant_specialty.of(column("main_specialty"), height)
    return Attendances(
        fault=row_faults(block, "attendance_id"),
        activity_date=numbers_of(block, "attendance_date", BLANK),
        age=numbers_of(block, "age", BLANK),
        first_attendance=codes.first_attendance.of(column("first_attendance"), height),
        attended=codes.attended.of(column("attended"), height),
        multi_professional=codes.multi_professional.of(column("multi_professional"), height),
        consultant_led=np.where(led == 0, by_specialty, led == 1).astype(np.uint8),
        hrg=codes.hrg.of(column("hrg"), height),
        form=codes.form.of(column("hrg"), height),
        treatment_function=codes.treatment_function.of(column("treatment_function"), height),
        policy=codes.policies.of(block),
        provider=provider,
        by_trust=by_trust,
        local_price=local_prices(block),
    )
