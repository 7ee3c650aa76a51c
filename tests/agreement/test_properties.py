"""What must hold of any priced file, whatever its kind and the rules: nothing is lost, components add, and a line is priced by
itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest
from polars.testing import assert_frame_equal

from tariff.columns import COMPONENTS, PRICED_LINE, schema
from tariff.pricing import price
from tariff.reasons import Basis
from tariff.rulepack import RulePack

Generated = Callable[..., pl.DataFrame]
LinesOf = Callable[[list[dict[str, Any]], date], pl.DataFrame]

DISCHARGED = date(2017, 9, 30)


CASES = [("admitted", number) for number in (0, 35, 70, 105)]
CASES += [(kind, number) for kind in ("outpatient", "emergency", "unbundled") for number in (3, 10, 26)]
"""Kinds of activity, and packs by their number in `every_pack` or `packs_of_other_kinds`."""

KEPT = {name: name for name in ("provider", "commissioner", "patient_id", "gp_practice", "treatment_function")}
OWN = {
    "admitted": {"spell_id": "line_id", "hrg": "currency", "discharge_date": "activity_date"},
    "outpatient": {"attendance_id": "line_id", "hrg": "currency", "attendance_date": "activity_date"},
    "emergency": {"attendance_id": "line_id", "hrg": "currency", "arrival_date": "activity_date"},
    "unbundled": {
        "line_id": "line_id",
        "currency": "currency",
        "date": "activity_date",
        "parent_line_id": "parent_line_id",
    },
}
"""Columns of the activity, and the column of the priced line that carries each as it was given."""


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(map(str, case)))
def case(request: pytest.FixtureRequest) -> tuple[str, int]:
    return tuple(request.param)


@pytest.fixture(scope="module")
def kind(case: tuple[str, int]) -> str:
    return case[0]


@pytest.fixture(scope="module")
def pack(case: tuple[str, int], every_pack: list[RulePack], packs_of_other_kinds: list[RulePack]) -> RulePack:
    kind, number = case
    return every_pack[number] if kind == "admitted" else packs_of_other_kinds[number]


@pytest.fixture(scope="module")
def activity(pack: RulePack, kind: str, generated: Generated, compiled: bool) -> pl.DataFrame:
    return generated(pack, 5_000 if compiled else 600, 23, kind)


@pytest.fixture(scope="module")
def priced(activity: pl.DataFrame, pack: RulePack) -> pl.DataFrame:
    return price(activity, pack).collect()


def test_the_columns_are_those_of_a_priced_line(priced: pl.DataFrame) -> None:
    assert dict(priced.schema) == schema(PRICED_LINE)
    assert [column.name for column in PRICED_LINE if not column.nullable and priced[column.name].null_count()] == []


def test_rows_in_are_rows_out_in_the_same_order(kind: str, activity: pl.DataFrame, priced: pl.DataFrame) -> None:
    assert priced.height == activity.height
    for given, out in {**KEPT, **OWN[kind]}.items():
        assert activity[given].to_list() == priced[out].to_list()
    assert priced["kind"].to_list() == [kind] * activity.height
    units = activity["units"].fill_null(0).to_list() if kind == "unbundled" else [1] * activity.height
    assert priced["units"].to_list() == units


def test_components_add_to_the_price(priced: pl.DataFrame) -> None:
    assert priced.filter(pl.sum_horizontal(COMPONENTS) != pl.col("price_pence")).is_empty()


def test_only_a_priced_line_has_money(priced: pl.DataFrame) -> None:
    not_priced = priced.filter(pl.col("outcome") != "priced")
    assert not_priced.height
    assert (
        not_priced.select(*COMPONENTS, "price_pence", "basis", "price_row", "top_up_row", "excess_days").sum().row(0) == (0,) * 10
    )
    assert priced.filter(pl.col("outcome") == "priced")["indicative_pence"].null_count() == priced.height - not_priced.height


def test_a_rule_acted_on_every_priced_line(priced: pl.DataFrame) -> None:
    sources = Basis.COMBINED | Basis.DAY_CASE | Basis.ORDINARY_ELECTIVE | Basis.NON_ELECTIVE | Basis.LOCAL_PRICE
    sources |= Basis.OUTPATIENT_PROCEDURE | Basis.ATTENDANCE | Basis.EMERGENCY_CARE | Basis.UNIT_PRICE | Basis.PASS_THROUGH
    bases = [basis & sources for basis in priced.filter(pl.col("outcome") == "priced")["basis"]]
    assert {basis.bit_count() for basis in bases} == {1}


def test_what_passes_through_or_holds_market_forces_has_no_factor(priced: pl.DataFrame) -> None:
    without = Basis.PASS_THROUGH | Basis.MARKET_FORCES_INCLUDED | Basis.LOCAL_PRICE
    lines = [
        (basis & without, mff, factor) for basis, mff, factor in priced.select("basis", "mff_pence", "mff_millionths").rows()
    ]
    assert {(mff, factor) for held, mff, factor in lines if held} <= {(0, 1_000_000)}


def test_no_line_beside_admitted_care_has_a_stay_or_a_top_up(kind: str, priced: pl.DataFrame) -> None:
    if kind == "admitted":
        return
    assert priced.select("adjusted_length_of_stay", "trim_point").null_count().row(0) == (priced.height,) * 2
    assert (
        priced.select("short_stay_pence", "long_stay_pence", "top_up_pence", "top_up_row", "excess_days").sum().row(0) == (0,) * 5
    )


def test_a_short_stay_never_adds(priced: pl.DataFrame) -> None:
    assert priced.filter(pl.col("short_stay_pence") > 0).is_empty()


def test_the_order_of_the_lines_does_not_matter(activity: pl.DataFrame, priced: pl.DataFrame, pack: RulePack) -> None:
    order = random.Random(5).sample(range(activity.height), activity.height)
    assert_frame_equal(price(activity[order], pack).collect(), priced[order])


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_pieces_come_to_the_same_as_the_whole(activity: pl.DataFrame, priced: pl.DataFrame, pack: RulePack, size: int) -> None:
    few = activity.head(20 * size)
    pieces = pl.concat([price(piece, pack).collect() for piece in few.iter_slices(size)])
    assert_frame_equal(pieces, priced.head(few.height))


def test_a_line_costs_the_same_whatever_like_it_came_before(activity: pl.DataFrame, pack: RulePack) -> None:
    """Codes of an earlier line with the dates, age, units and local price of others."""
    some, codes = activity.head(40), cs.by_dtype(pl.String, pl.Enum)
    others = [pl.concat([some.tail(-by), some.head(by)]).select(~codes) for by in (1, 7)]
    changed = [pl.concat([some.select(codes), of_others], how="horizontal").select(some.columns) for of_others in others]
    out_of_year = some.with_columns(cs.date().dt.offset_by("3y"))
    lines = pl.concat([some, *changed, out_of_year, some])
    alone = pl.concat([price(line, pack).collect() for line in lines.iter_slices(1)])
    assert alone["price_pence"].n_unique() > 1
    assert_frame_equal(price(lines, pack).collect(), alone)


def test_a_frame_and_a_lazy_frame_and_a_stream_come_to_the_same(
    activity: pl.DataFrame, priced: pl.DataFrame, pack: RulePack
) -> None:
    assert_frame_equal(price(activity.lazy(), pack).collect(), priced)
    assert_frame_equal(price(activity.lazy(), pack).collect(engine="streaming"), priced)
    chunked = pl.concat([activity.head(10), activity.tail(-10)], rechunk=False)
    assert_frame_equal(price(chunked, pack).collect(), priced)


def test_columns_asked_for_alone_are_as_they_are_together(activity: pl.DataFrame, priced: pl.DataFrame, pack: RulePack) -> None:
    for column in ("price_pence", "reason", "indicative_pence"):
        assert_frame_equal(price(activity.lazy(), pack).select(column).collect(), priced.select(column))


def test_an_unrelated_line_changes_nothing(activity: pl.DataFrame, priced: pl.DataFrame, pack: RulePack) -> None:
    """Even one with codes that no other line has."""
    new = {"hrg": "QQ00Z", "currency": "QQ00Z", "provider": "RQQ", "specialised_services": "NEW", "treatment_function": "998"}
    stranger = activity.head(1).with_columns(**{name: pl.lit(code) for name, code in new.items() if name in activity.columns})
    joined = price(pl.concat([stranger, activity, stranger]), pack).collect()
    assert_frame_equal(joined[1:-1], priced)


@pytest.mark.parametrize(("method", "trim"), [("11", "elective_trim"), ("21", "non_elective_trim"), ("81", "non_elective_trim")])
@pytest.mark.parametrize("number", [0, 35, 70, 105])
def test_a_longer_stay_beyond_the_trim_point_never_costs_less(
    every_pack: list[RulePack], lines_of: LinesOf, number: int, method: str, trim: str
) -> None:
    pack = every_pack[number]
    beyond = [(row, getattr(row, trim)) for row in pack.admitted if getattr(row, trim) is not None]
    lines = [
        {"hrg": row.hrg, "admission_method": method, "stay": days, "provider": "RHI", "specialised_services": "THIRD"}
        for row, trim_days in beyond
        for days in range(trim_days, trim_days + 40)
    ]
    prices = price(lines_of(lines, DISCHARGED), pack).collect()["price_pence"].to_list()
    for start in range(0, len(prices), 40):
        assert all(shorter <= longer for shorter, longer in pairwise(prices[start : start + 40]))


def test_each_day_beyond_the_trim_point_adds_the_same(spec_pack: RulePack, lines_of: LinesOf) -> None:
    """Where the factor is 1 and no top-up is paid on long stays, the price rises by the per-day payment."""
    row = next(row for row in spec_pack.admitted if row.hrg == "TA01A")
    stays = range(row.elective_trim or 0, 60)
    lines = lines_of([{"hrg": row.hrg, "stay": days, "specialised_services": "ORTHO"} for days in stays], DISCHARGED)
    prices = price(lines, spec_pack).collect()["price_pence"].to_list()
    assert {longer - shorter for shorter, longer in pairwise(prices)} == {row.per_day_long_stay}


@pytest.mark.parametrize("provider", ["RNO", "RHI", "RLO", "RMX"])
def test_more_units_never_cost_less(spec_pack: RulePack, provider: str) -> None:
    units = [*range(1, 40), 1_000, 10_000_000]
    lines = pl.DataFrame(
        {
            "line_id": [f"U{number}" for number in units],
            "provider": provider,
            "commissioner": "QAA",
            "date": DISCHARGED,
            "currency": "CLUSTER1",
            "units": units,
        },
        schema_overrides={"units": pl.Int32()},
    )
    prices = price(lines, spec_pack).collect()["price_pence"].to_list()
    assert prices[0] > 0
    assert all(fewer < more for fewer, more in pairwise(prices))
