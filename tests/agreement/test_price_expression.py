"""The same prices as an expression: `tariff.price_expression` in any lazy query gives what `tariff.price` gives."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tariff
from tariff.errors import ActivityError
from tariff.synthetic import activity

KINDS = ("admitted", "outpatient", "emergency", "unbundled")


@pytest.mark.parametrize("kind", KINDS)
def test_the_expression_prices_as_the_function_does(kind: str) -> None:
    rules = tariff.load_rules("example")
    frame = activity(kind, 2_000, seed=3, pack=rules)
    within = frame.lazy().select(tariff.price_expression(rules, frame.columns).alias("line")).unnest("line").collect()
    assert within.height == frame.height > 0
    assert_frame_equal(within, tariff.price(frame, rules).collect())


def test_it_stands_beside_other_columns_and_streams() -> None:
    rules = tariff.load_rules("example")
    frame = activity("admitted", 3_000, seed=4, pack=rules)
    priced = frame.lazy().with_columns(tariff.price_expression(rules, frame.columns).struct.field("price_pence").alias("paid"))
    by_sex = priced.group_by("sex").agg(pl.col("paid").sum()).collect(engine="streaming")
    assert by_sex["paid"].sum() == tariff.price(frame, rules).select(pl.col("price_pence").sum()).collect().item() > 0


def test_it_takes_evidence_of_best_practice() -> None:
    rules = tariff.load_rules("example")
    frame = activity("admitted", 40_000, seed=5, pack=rules).filter(pl.col("best_practice") == "hip_fracture")
    told = frame.select("provider", line_id="spell_id", tariff=pl.lit("hip_fracture"), criterion=pl.lit(""), met=pl.lit("yes"))
    expression = tariff.price_expression(rules, frame.columns, evidence=told)
    within = frame.lazy().select(expression.alias("line")).unnest("line").collect()
    assert within["best_practice_pence"].sum() > 0
    assert_frame_equal(within, tariff.price(frame, rules, evidence=told).collect())


def test_missing_columns_are_named() -> None:
    with pytest.raises(ActivityError, match="no column 'hrg'"):
        tariff.price_expression(tariff.load_rules("example"), ["spell_id", "provider"])
