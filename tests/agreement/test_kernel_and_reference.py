"""Admitted care: the engine and the reference were written apart from the same rules, and agree on every cell of every line."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariff.columns import ADMITTED, PRICED_LINE, READ_FAULT, names, schema
from tariff.pricing import price
from tariff.reasons import REASONS, Basis
from tariff.reference import ReferencePack, price_admitted
from tariff.rulepack import RulePack, find_overlay, load_pack

DISCHARGED = date(2017, 9, 30)
METHODS = ["11", "12", "13", "21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D", "31", "32", "81", "82", "83"]
GROUPINGS = ["P", "D", "B", "M", "G", "U", "O", None]

Differences = Callable[..., list[str]]
LinesOf = Callable[[list[dict[str, Any]], date], pl.DataFrame]


def grid(**choices: Sequence[Any]) -> list[dict[str, Any]]:
    """Every combination of the choices, as lines."""
    return [dict(zip(choices, cells, strict=True)) for cells in itertools.product(*choices.values())]


def test_every_method_class_grouping_age_and_stay_at_the_edges(
    every_pack: list[RulePack], differences: Differences, lines_of: LinesOf
) -> None:
    lines = grid(
        admission_method=METHODS,
        patient_classification=["1", "2", "3", "4", "5"],
        grouping_method=GROUPINGS,
        age=[18, 19],
        stay=[0, 1, 2],
    )
    for pack, hrg in itertools.product((every_pack[37], every_pack[74]), ("TA02A", "TA03A")):
        assert differences(lines_of([{**line, "hrg": hrg} for line in lines], DISCHARGED), pack) == []


def test_every_price_at_its_trim_points_and_the_factors_at_their_ends(
    every_pack: list[RulePack], differences: Differences, lines_of: LinesOf
) -> None:
    rows = every_pack[0].admitted
    ends = grid(patient_classification=["1", "2"], provider=["RNO", "RMX"], specialised_services=[None, "THIRD;ORTHO"])
    lines = [
        {"hrg": row.hrg, "admission_method": method, "stay": trim + step, **end}
        for row in rows
        for method, trim in (("11", row.elective_trim), ("21", row.non_elective_trim), ("81", row.non_elective_trim))
        if trim is not None
        for step in (-1, 0, 1)
        for end in ends
    ]
    for pack in every_pack[::11]:
        assert differences(lines_of(lines, DISCHARGED), pack) == []


def test_sums_of_every_size_round_alike(every_pack: list[RulePack], differences: Differences, lines_of: LinesOf) -> None:
    """Halves are rare among made-up sums: a rounding done twice shows in few of these lines, and in hardly any others."""
    lines = grid(
        hrg=["TA01A", "TA03A", "TA05A", "TA11A"],
        provider=["RHI", "RW3", "RM1", "RHF", "RLO", "RMX"],
        specialised_services=[None, "THIRD", "ORTHO"],
        admission_method=["11", "81"],
        stay=range(0, 60, 2),
    )
    for pack in every_pack[102:]:
        assert differences(lines_of(lines, DISCHARGED), pack) == []


GENERATED_LINES = 108_000
GENERATED_LINES_UNCOMPILED = 13_000
ELSEWHERE = {"no_pack_for_date", "confidence"}
"""Reasons that are not decided line by line: choosing a pack by date, and refusing figures."""
OF_OTHER_KINDS = {
    "first_attendance",
    "attendance_status",
    "not_attended",
    "not_consultant_led",
    "follow_up_not_in_scope",
    "no_attendance_price",
    "department_type",
    "planned_follow_up",
    "walk_in_centre",
    "units_out_of_range",
    "no_pass_through_cost",
}
ADMITTED_FLAGS = [flag for flag in Basis if flag < Basis.OUTPATIENT_PROCEDURE or flag >= Basis.BEST_PRACTICE]


def test_generated_lines_that_reach_every_branch(
    every_pack: list[RulePack], differences: Differences, generated: Callable[..., pl.DataFrame], compiled: bool
) -> None:
    packs = every_pack if compiled else every_pack[::8]
    each = -(-(GENERATED_LINES if compiled else GENERATED_LINES_UNCOMPILED) // len(packs))
    reasons: set[str] = set()
    flags = 0
    for seed, pack in enumerate(packs):
        activity = generated(pack, each, seed)
        dates = "ignore" if seed % 3 == 1 else "strict"
        assert differences(activity, pack, dates) == []
        priced = price(activity, pack, dates=dates).select("reason", "basis").collect()  # type: ignore[arg-type]
        reasons |= set(priced["reason"].cast(pl.String).unique())
        flags |= int(priced["basis"].bitwise_or() or 0)
    decided = {reason.code for reason in REASONS if reason.step not in {"read", "spells"}}
    assert decided - reasons == ELSEWHERE | OF_OTHER_KINDS
    assert {"unreadable_date", "unreadable_number"} <= reasons
    assert [flag for flag in Basis if flag & flags] == ADMITTED_FLAGS


@pytest.mark.parametrize("shipped", ["example", "2017-18", "2018-19", "2024-25"])
def test_generated_lines_on_the_shipped_packs(
    shipped: str, differences: Differences, generated: Callable[..., pl.DataFrame], compiled: bool
) -> None:
    pack = load_pack(shipped)
    assert differences(generated(pack, 4_000 if compiled else 500, 7), pack) == []


def test_generated_lines_on_the_demonstration(
    differences: Differences, generated: Callable[..., pl.DataFrame], compiled: bool
) -> None:
    """The pack of the demo: 2024-25 under the overlay that switches every rule on."""
    pack = load_pack("2024-25", overlays=(find_overlay("demonstration-2024-25"),))
    assert differences(generated(pack, 4_000 if compiled else 500, 8), pack) == []


def test_files_that_carry_the_required_columns_alone(
    spec_pack: RulePack, differences: Differences, generated: Callable[..., pl.DataFrame]
) -> None:
    activity = generated(spec_pack, 1_000, 11).select(names(ADMITTED, required_only=True))
    assert differences(activity, spec_pack) == []


def test_a_cell_of_empty_text_is_blank(spec_pack: RulePack, differences: Differences, lines_of: LinesOf) -> None:
    """The reader leaves nulls, but a frame of the user's own may hold empty text."""
    short = {"hrg": "TA02A", "admission_method": "21", "stay": 1}
    text = [column.name for column in ADMITTED if column.dtype == pl.String and column.name != "spell_id"]
    lines = lines_of([{**short, column: blank} for column in text for blank in ("", "  ")], DISCHARGED)
    assert differences(lines, spec_pack) == []
    assert differences(lines.with_columns(spell_id=pl.lit("")), spec_pack) == []


def test_no_line_at_all(spec_pack: RulePack, differences: Differences) -> None:
    assert differences(pl.DataFrame(schema={**schema(ADMITTED), READ_FAULT: pl.String()}), spec_pack) == []


def test_the_reference_returns_the_columns_of_a_priced_line(spec_pack: RulePack, generated: Callable[..., pl.DataFrame]) -> None:
    line = generated(spec_pack, 1, 1).row(0, named=True)
    assert list(price_admitted(line, ReferencePack.from_plain(spec_pack.plain()))) == names(PRICED_LINE)


# --- lines that Hypothesis makes -------------------------------------------------------------------------------------

DAYS = st.one_of(st.none(), st.integers(0, 40), st.sampled_from([-1, 199_999, 200_000, 200_001]))
SERVICES = st.lists(st.sampled_from(["ORTHO", "SPINE", "NEURO", "CHILD", "ADULT", "THIRD", "PLUMB", " ", ""]), max_size=4).map(
    ";".join
)


@st.composite
def spells(draw: st.DrawFn) -> dict[str, Any]:
    """One line of activity, as wild as its types allow."""
    discharged = draw(st.one_of(st.none(), st.dates(date(2017, 3, 1), date(2018, 5, 1))))
    stay = draw(st.one_of(st.integers(-2, 40), st.integers(0, 210_000)))
    admitted = (discharged or DISCHARGED) - timedelta(days=stay)
    return {
        "spell_id": draw(st.sampled_from(["S1", "S2", None])),
        "provider": draw(
            st.sampled_from(["RNO", "RNO01", "RHI", "RTR", "RTR05", "RTR06", "RMX", "RLO", "RQQ", "RZZ", "R", None])
        ),
        "commissioner": draw(st.sampled_from(["QAA", "VPP00", None])),
        "admission_date": draw(st.sampled_from([admitted, admitted, admitted, None])),
        "discharge_date": discharged,
        "admission_method": draw(st.sampled_from([*METHODS, "9", None])),
        "patient_classification": draw(st.sampled_from(["1", "2", "3", "4", "5", "6", None])),
        "age": draw(st.one_of(st.none(), st.integers(-1, 131), st.sampled_from([18, 19]))),
        "hrg": draw(st.sampled_from([*(f"TA{number:02}A" for number in range(1, 17)), "TX01A", "UZ01Z", "UZ", "ZZ99Z", None])),
        "treatment_function": draw(st.sampled_from([None, "100", "199"])),
        "administrative_category": draw(st.sampled_from([None, "01", "02", "2"])),
        "commissioning_serial_number": draw(st.text(alphabet="=A ", max_size=4)),
        "specialised_services": draw(st.one_of(st.none(), SERVICES)),
        "grouping_method": draw(st.sampled_from([*GROUPINGS, "d"])),
        "local_price": draw(st.one_of(st.none(), st.integers(-(10**12) - 1, 10**12 + 1))),
        "length_of_stay": draw(DAYS),
        "adjusted_length_of_stay": draw(DAYS),
        "critical_care_days": draw(DAYS),
        "rehabilitation_days": draw(DAYS),
        "palliative_care_days": draw(DAYS),
        "delayed_discharge_days": draw(DAYS),
        READ_FAULT: draw(st.sampled_from([None, None, None, None, "unreadable_date", "unreadable_number"])),
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=st.lists(spells(), min_size=1, max_size=12), choice=st.integers(0, 107), dates=st.sampled_from(["strict", "ignore"]))
def test_lines_that_hypothesis_makes(
    lines: list[dict[str, Any]], choice: int, dates: str, every_pack: list[RulePack], differences: Differences
) -> None:
    activity = pl.DataFrame(lines, schema={**schema(ADMITTED), READ_FAULT: pl.String()})
    assert differences(activity, every_pack[choice], dates) == []
