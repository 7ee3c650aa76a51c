"""The facts of a line: what its codes say, in one number of 64 bits that classification makes and the kernels read.

A field holds one answer. One number costs a kernel one read, where an array for each answer would cost many."""

from __future__ import annotations

from typing import Final, NamedTuple

from tariff.errors import Fault, RulesError

_BITS: Final = 64


class Field(NamedTuple):
    """Where an answer stands: `bits` from bit `shift`; `lowest` is the least answer there may be."""

    shift: int
    bits: int
    lowest: int

    def held(self, answer: int) -> int:
        """The answer as it stands in the facts. RulesError where it has no room: a table of the rule pack is too long."""
        above = answer - self.lowest
        if not 0 <= above < 1 << self.bits:
            most = (1 << self.bits) - 1 + self.lowest
            told = Fault("rule pack", f"row {answer:,} of a table: {most:,} rows are the most that can be priced", "shorten it")
            raise RulesError("A table of the rule pack is too long.", [told])
        return above << self.shift

    def told(self, facts: int) -> int:
        """The answer that the facts hold."""
        return ((facts >> self.shift) & ((1 << self.bits) - 1)) + self.lowest


def _fields(first: int, *widths: tuple[int, int]) -> tuple[Field, ...]:
    """Fields side by side from bit `first`, each given by its bits and its least answer."""
    found, shift = [], first
    for bits, lowest in widths:
        found.append(Field(shift, bits, lowest))
        shift += bits
    assert shift <= _BITS
    return tuple(found)


FAULT, NOBODY, POLICY, PROVIDER = _fields(0, (7, 0), (1, 0), (3, 0), (14, -(1 << 13)))
"""Of every kind: what was wrong with the row before it is priced (a reason number); provider or commissioner missing; exclusion
policies (bits); row of the factor table, negative where it was found by the first three characters, 0 none."""
_OWN: Final = 25
"""The first bit of a kind's own fields."""

SPELL_HRG, METHOD_GROUP, PATIENT_CLASSIFICATION, GROUPING, ELIGIBLE_PROVIDER = _fields(
    _OWN, (16, -2), (2, 0), (3, 0), (2, 0), (14, -(1 << 13))
)
"""Of a spell: row of the admitted table; group of admission methods; patient classification 1 to 5, 0 unknown; how the HRG was
set; column of the top-up eligibility table, negative where it was found by the first three characters."""

ATTENDANCE_HRG, TREATMENT_FUNCTION, ATTENDED, FORM, FIRST_ATTENDANCE, MULTI_PROFESSIONAL, LED, CONSULTANT_SPECIALTY = _fields(
    _OWN, (15, -2), (11, -1), (2, 0), (4, 0), (3, 0), (1, 0), (2, 0), (1, 0)
)
SHAPE = Field(FORM.shift, CONSULTANT_SPECIALTY.shift + 1 - FORM.shift, 0)
"""Of an outpatient attendance: row of the admitted table; row of the attendance prices; attended; what a WF HRG says; first
attendance code 1 to 4, 0 unknown; more than one profession; led by a consultant as the line says; as its main specialty says.
The last five, side by side, are its shape."""

EMERGENCY_CURRENCY, DEPARTMENT_TYPE, PLANNED = _fields(_OWN, (15, -2), (3, 0), (1, 0))
"""Of emergency care: row of the emergency table; department type 1 to 4, 0 unknown; planned follow-up."""

ITEM_CURRENCY, ITEM_POD = _fields(_OWN, (16, -2), (7, 0))
"""Of unbundled care: row of the unbundled table; point of delivery."""

BEST_PRACTICE_CURRENCY, BEST_PRACTICE_FUNCTION, BEST_PRACTICE_NAMED = _fields(0, (20, 0), (20, 0), (20, 0))
"""Of the best-practice side of a line, in a number of its own: its HRG or currency and its treatment function, numbered from 1
among those that the rows of the pack name, and the set of tariffs that it names itself. 0 where it can have no case."""
