"""The facts of a line: fields that do not meet, answers that come back, and tables too long for them refused before pricing."""

from __future__ import annotations

from itertools import combinations

import polars as pl
import pytest

from tariff import facts
from tariff.classify.codes import Facts, Question
from tariff.errors import RulesError
from tariff.facts import FAULT, NOBODY, POLICY, PROVIDER, Field

COMMON = (FAULT, NOBODY, POLICY, PROVIDER)
OF_A_KIND = {
    "admitted": ("SPELL_HRG", "METHOD_GROUP", "PATIENT_CLASSIFICATION", "GROUPING", "ELIGIBLE_PROVIDER"),
    "outpatient": (
        *("ATTENDANCE_HRG", "TREATMENT_FUNCTION", "ATTENDED", "FORM", "FIRST_ATTENDANCE", "MULTI_PROFESSIONAL", "LED"),
        "CONSULTANT_SPECIALTY",
    ),
    "emergency": ("EMERGENCY_CURRENCY", "DEPARTMENT_TYPE", "PLANNED"),
    "unbundled": ("ITEM_CURRENCY", "ITEM_POD"),
}


def bits(field: Field) -> int:
    return ((1 << field.bits) - 1) << field.shift


@pytest.mark.parametrize("kind", OF_A_KIND)
def test_no_two_fields_of_a_line_meet(kind: str) -> None:
    fields = [*COMMON, *(getattr(facts, name) for name in OF_A_KIND[kind])]
    assert all(bits(one) & bits(other) == 0 for one, other in combinations(fields, 2))
    assert all(bits(field) < 1 << 64 for field in fields)


def test_an_answer_stands_where_its_field_is() -> None:
    field = Field(shift=3, bits=4, lowest=-2)
    assert [field.held(answer) for answer in (-2, 0, 13)] == [0, 2 << 3, 15 << 3]


@pytest.mark.parametrize("answer", [-3, 14])
def test_an_answer_without_room_is_refused(answer: int) -> None:
    with pytest.raises(RulesError, match="too long"):
        Field(shift=3, bits=4, lowest=-2).held(answer)


def test_a_table_without_room_is_refused_before_a_line_is_priced() -> None:
    asked = Question("provider", PROVIDER, lambda _: 1, 0, rows=1 << 14)
    with pytest.raises(RulesError, match="too long"):
        Facts([asked])
    assert Facts([asked._replace(rows=200)]).of(pl.DataFrame({"provider": ["RR8"]})).tolist() == [PROVIDER.held(1)]
