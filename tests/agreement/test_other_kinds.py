"""Outpatient, emergency and unbundled care: the engine and the reference agree on every cell of every line."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariff.columns import EMERGENCY, OUTPATIENT, PRICED_LINE, READ_FAULT, UNBUNDLED, names, schema
from tariff.pricing import price
from tariff.reasons import REASON_CODES, Basis
from tariff.reference import ReferencePack, price_line
from tariff.rulepack import RulePack, find_overlay, load_pack

CONTRACTS = {"outpatient": OUTPATIENT, "emergency": EMERGENCY, "unbundled": UNBUNDLED}
KINDS = list(CONTRACTS)
KEYS = {"outpatient": "attendance_id", "emergency": "attendance_id", "unbundled": "line_id"}
DAYS = {"outpatient": "attendance_date", "emergency": "arrival_date", "unbundled": "date"}

Differences = Callable[..., list[str]]
Generated = Callable[..., pl.DataFrame]


def frame(kind: str, lines: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Lines given as the cells in which they differ from an everyday one."""
    everyday = {
        "provider": "RNO",
        "commissioner": "QAA",
        DAYS[kind]: date(2017, 9, 30),
        "first_attendance": "1",
        "attended": "5",
        "department_type": "1",
        "units": 1,
    }
    contract = {**schema(CONTRACTS[kind]), READ_FAULT: pl.String()}
    rows = [{**everyday, KEYS[kind]: f"L{number}", **line} for number, line in enumerate(lines)]
    return pl.DataFrame([{name: row.get(name) for name in contract} for row in rows], schema=contract)


def grid(**choices: Sequence[Any]) -> list[dict[str, Any]]:
    """Every combination of the choices, as lines."""
    return [dict(zip(choices, cells, strict=True)) for cells in itertools.product(*choices.values())]


# --- grids -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", range(5))
def test_every_kind_of_attendance_of_every_treatment_function(
    method: int, packs_of_other_kinds: list[RulePack], differences: Differences
) -> None:
    pack = packs_of_other_kinds[6 * method + 4]
    lines = grid(
        treatment_function=[row.treatment_function for row in pack.outpatient] + ["999", None],
        hrg=[f"WF0{team}{letter}" for team in "12" for letter in "ABCDE"] + ["TA13A", "TA17A", "TA01A", "ZZ99Z", "UZ01Z", None],
        first_attendance=["1", "2", "3", "4"],
        multi_professional=["Y", None],
        consultant_led=["N", None],
    )
    assert differences(frame("outpatient", lines), pack, kind="outpatient") == []


@pytest.mark.parametrize("method", range(7))
def test_every_currency_in_every_type_of_department(
    method: int, packs_of_other_kinds: list[RulePack], differences: Differences
) -> None:
    pack = packs_of_other_kinds[method + 7]
    lines = grid(
        hrg=[row.currency for row in pack.emergency] + ["VB98Z", "UZ01Z", None],
        department_type=["1", "2", "3", "4"],
        attendance_category=["1", "2", "3", None],
        provider=["RNO", "RHF", "RMX", "RZZ"],
        local_price=[None, 12345],
    )
    assert differences(frame("emergency", lines), pack, kind="emergency") == []


@pytest.mark.parametrize("number", range(0, 30, 7))
def test_every_currency_and_count_of_units(number: int, packs_of_other_kinds: list[RulePack], differences: Differences) -> None:
    pack = packs_of_other_kinds[number]
    lines = grid(
        currency=[row.currency for row in pack.unbundled] + ["ZZ99Z", "UZ01Z", "LD99B", "XA06Z", None],
        units=[1, 2, 3, 10_000_000],
        provider=["RNO", "RHF", "RMX", "RLO", "RZZ"],
        local_price=[None, 12345],
    )
    assert differences(frame("unbundled", lines), pack, kind="unbundled") == []


# --- generated lines -------------------------------------------------------------------------------------------------

GENERATED_LINES = 102_000
GENERATED_LINES_UNCOMPILED = 12_000

REASONS_OF_EVERY_KIND = {
    "priced",
    "unreadable_date",
    "unreadable_number",
    "missing_identifier",
    "missing_organisation",
    "missing_date",
    "outside_pack_dates",
    "not_nhs_funded",
    "outside_national_tariff",
    "excluded_by_pack",
    "ungrouped",
    "unknown_currency",
    "no_market_forces_factor",
    "amount_out_of_range",
}
REASONS_OF = {
    "outpatient": REASONS_OF_EVERY_KIND
    | {
        "age_out_of_range",
        "first_attendance",
        "attendance_status",
        "not_attended",
        "not_consultant_led",
        "follow_up_not_in_scope",
        "no_attendance_price",
    },
    "emergency": REASONS_OF_EVERY_KIND
    | {
        "age_out_of_range",
        "department_type",
        "planned_follow_up",
        "walk_in_centre",
        "missing_currency",
        "no_price_in_setting",
    },
    "unbundled": REASONS_OF_EVERY_KIND
    | {"units_out_of_range", "missing_currency", "no_pass_through_cost", "no_price_in_setting"},
}
FLAGS_OF_EVERY_KIND = (
    Basis.MARKET_FORCES
    | Basis.MARKET_FORCES_OF_TRUST
    | Basis.MARKET_FORCES_DEFAULT
    | Basis.MARKET_FORCES_INCLUDED
    | Basis.LOCAL_PRICE
    | Basis.LOCAL_PRICE_IGNORED
    | Basis.DATES_IGNORED
)
FLAGS_OF = {
    "outpatient": FLAGS_OF_EVERY_KIND
    | Basis.OUTPATIENT_PROCEDURE
    | Basis.ATTENDANCE
    | Basis.PROCEDURE_AS_ATTENDANCE
    | Basis.MULTI_PROFESSIONAL
    | Basis.NON_FACE_TO_FACE
    | Basis.DEFAULT_PRICE
    | Basis.BEST_PRACTICE
    | Basis.BEST_PRACTICE_NO_EVIDENCE
    | Basis.BEST_PRACTICE_UNKNOWN,
    "emergency": FLAGS_OF_EVERY_KIND | Basis.EMERGENCY_CARE | Basis.SIMPLEST_CURRENCY,
    "unbundled": FLAGS_OF_EVERY_KIND
    | Basis.UNIT_PRICE
    | Basis.PASS_THROUGH
    | Basis.BEST_PRACTICE
    | Basis.BEST_PRACTICE_NO_EVIDENCE,
}
"""What lines of each kind may come to: every one of these is met below, and no other."""


@pytest.mark.parametrize("kind", KINDS)
def test_generated_lines_that_reach_every_branch(
    kind: str, packs_of_other_kinds: list[RulePack], differences: Differences, generated: Generated, compiled: bool
) -> None:
    packs = list(enumerate(packs_of_other_kinds))
    each = (GENERATED_LINES if compiled else GENERATED_LINES_UNCOMPILED) // len(packs)
    reasons: set[str] = set()
    flags = 0
    for seed, pack in packs:
        activity = generated(pack, each, seed, kind)
        dates = "ignore" if seed % 3 == 1 else "strict"
        assert differences(activity, pack, dates, kind) == []
        priced = price(activity, pack, dates=dates).select("reason", "basis").collect()  # type: ignore[arg-type]
        reasons |= set(priced["reason"].cast(pl.String).unique())
        flags |= int(priced["basis"].bitwise_or() or 0)
    assert reasons == REASONS_OF[kind]
    assert Basis(flags) == FLAGS_OF[kind]


def test_every_kind_of_reason_is_known() -> None:
    assert set().union(*REASONS_OF.values()) <= set(REASON_CODES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shipped", ["example", "2017-18", "2018-19", "2024-25"])
def test_generated_lines_on_the_shipped_packs(
    shipped: str, kind: str, differences: Differences, generated: Generated, compiled: bool
) -> None:
    pack = load_pack(shipped)
    assert differences(generated(pack, 3_000 if compiled else 500, 7, kind), pack, kind=kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_generated_lines_on_the_demonstration(kind: str, differences: Differences, generated: Generated, compiled: bool) -> None:
    pack = load_pack("2024-25", overlays=(find_overlay("demonstration-2024-25"),))
    assert differences(generated(pack, 3_000 if compiled else 500, 8, kind), pack, kind=kind) == []


# --- odd frames ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_carry_the_required_columns_alone(
    kind: str, spec_pack: RulePack, differences: Differences, generated: Generated
) -> None:
    activity = generated(spec_pack, 1_000, 11, kind)
    required = [name for name in names(CONTRACTS[kind], required_only=True) if name in activity.columns]
    assert differences(activity.select(required), spec_pack, kind=kind) == []


EVERYDAY_CODES = {
    "outpatient": {"hrg": "WF01B", "treatment_function": "100"},
    "emergency": {"hrg": "VB01Z"},
    "unbundled": {"currency": "SB12Z"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_of_empty_text_is_blank(kind: str, spec_pack: RulePack, differences: Differences) -> None:
    """The reader leaves nulls, but a frame of the user's own may hold empty text."""
    text = [column.name for column in CONTRACTS[kind] if column.dtype == pl.String]
    lines = frame(kind, [{**EVERYDAY_CODES[kind], column: blank} for column in text for blank in ("", "  ")])
    assert differences(lines, spec_pack, kind=kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_line_at_all(kind: str, spec_pack: RulePack, differences: Differences) -> None:
    assert differences(frame(kind, []), spec_pack, kind=kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_returns_the_columns_of_a_priced_line(kind: str, spec_pack: RulePack) -> None:
    line = frame(kind, [EVERYDAY_CODES[kind]]).row(0, named=True)
    assert list(price_line(kind, line, ReferencePack.from_plain(spec_pack.plain()))) == names(PRICED_LINE)


# --- lines that Hypothesis makes -------------------------------------------------------------------------------------

AMOUNTS = st.one_of(st.none(), st.integers(-(10**12) - 1, 10**12 + 1))
CODES = st.sampled_from(["0", "1", "2", "3", "4", "5", "6", "7", "01", "05 ", "8", "", None])
YES_OR_NO = st.sampled_from([None, "Y", "N", "yes", "no", "1", "0", "true", "FALSE", "?", " "])
COMMON_CELLS = {
    "provider": st.sampled_from(["RNO", "rno01", "RHI", "RTR", "RTR05", "RTR06 ", "RMX", "RLO", "RQQ", "RZZ", "R", None]),
    "commissioner": st.sampled_from(["QAA", "VPP00", "vpp00", None]),
    "treatment_function": st.sampled_from(["100", "110", "120", "130", "140", "150", "160", "199", "812", " 100", "1E2", None]),
    "administrative_category": st.sampled_from([None, "01", "02", "2"]),
    "commissioning_serial_number": st.text(alphabet="=A ", max_size=4),
    "local_price": AMOUNTS,
    READ_FAULT: st.sampled_from([None, None, None, None, "unreadable_date", "unreadable_number"]),
}
AGE = {"age": st.one_of(st.none(), st.integers(-1, 131))}
DATE = st.one_of(st.none(), st.dates(date(2017, 3, 1), date(2018, 5, 1)))
PROCEDURES = [f"TA{number:02}A" for number in range(1, 22)]
EMERGENCY_HRGS = [*(f"VB{number:02}Z" for number in range(12)), "VB99Z", "vb01z"]
UNBUNDLED_CURRENCIES = [
    *("SB12Z", "SC22Z", "SD01A", "RD01A", "RN01A", "RA01Z", "VC01Z", "XC05Z", "XA01Z", "XA06Z", "XB01Z", "XB08Z", "LD01A"),
    *("LD01B", "LD77B", "XD01Z", "XD02Z", "DEVICE1", "CONTACT1", "CLUSTER1", "RD02A", "SB97Z", "CHEAP1", "DEAR1", " sb12z"),
]
ODD_HRGS = ["TX01A", "UZ01Z", "UZ", "ZZ99Z", "1E05", None]
CELLS_OF = {
    "outpatient": {
        **COMMON_CELLS,
        **AGE,
        "first_attendance": CODES,
        "attended": CODES,
        "hrg": st.one_of(
            st.sampled_from([*PROCEDURES, *ODD_HRGS]),
            st.builds("".join, st.tuples(st.sampled_from(["WF01", "WF02", "wf01", "WF03"]), st.sampled_from("ABCDEZ "))),
        ),
        "multi_professional": YES_OR_NO,
        "consultant_led": YES_OR_NO,
        "main_specialty": st.sampled_from([None, "100", "560", "900", "902", "904", "905", "950", "960", "9"]),
    },
    "emergency": {
        **COMMON_CELLS,
        **AGE,
        "department_type": CODES,
        "attendance_category": CODES,
        "hrg": st.sampled_from([*EMERGENCY_HRGS, *ODD_HRGS]),
    },
    "unbundled": {
        **COMMON_CELLS,
        "currency": st.sampled_from([*UNBUNDLED_CURRENCIES, *ODD_HRGS]),
        "units": st.one_of(st.none(), st.integers(-1, 400), st.sampled_from([9_999_999, 10_000_000, 10_000_001])),
        "parent_line_id": st.sampled_from([None, "S1"]),
    },
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_lines_that_hypothesis_makes(
    kind: str, data: st.DataObject, packs_of_other_kinds: list[RulePack], differences: Differences
) -> None:
    cells = {**CELLS_OF[kind], DAYS[kind]: DATE, KEYS[kind]: st.sampled_from(["L1", "L2", None])}
    lines = data.draw(st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=12))
    pack = packs_of_other_kinds[data.draw(st.integers(0, 29))]
    assert differences(frame(kind, lines), pack, data.draw(st.sampled_from(["strict", "ignore"])), kind) == []
