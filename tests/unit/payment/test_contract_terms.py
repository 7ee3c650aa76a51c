"""Block and cost and volume: tables of what they pay, held against the scalar rule and the Polars application alike."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff.payment.blended import Blended, blended_payment
from tariff.payment.block import Block, block_payment
from tariff.payment.cost_and_volume import CostAndVolume, cost_and_volume_payment, percentage

BLOCK = Block(term="block", source="spec", confidence="local")

# value at tariff, plan, paid
BLOCK_PAYS = [
    (0, 0, 0),
    (0, 1_000_00, 1_000_00),
    (900_00, 1_000_00, 1_000_00),
    (1_000_00, 1_000_00, 1_000_00),
    (1_100_00, 1_000_00, 1_000_00),
    (1_100_00, 0, 0),
]

# value at tariff, plan, rate, paid
COST_AND_VOLUME_PAYS = [
    (900_00, 1_000_00, "70%", 900_00),
    (1_000_00, 1_000_00, "70%", 1_000_00),
    (1_000_01, 1_000_00, "70%", 1_000_01),  # 0.7p rounds to a penny
    (1_100_00, 1_000_00, "70%", 1_070_00),
    (1_100_00, 1_000_00, "0%", 1_000_00),
    (1_100_00, 1_000_00, "100%", 1_100_00),
    (1_100_00, 0, "0.5", 550_00),
    (3, 0, "50%", 2),  # 1.5p: halves go up
    (1, 0, "49.99%", 0),
    (22_500_000_00, 20_000_000_00, "30%", 20_750_000_00),  # RULES W15: the arithmetic of a marginal rate of 30%
    (22_500_000_00, 20_000_000_00, "70%", 21_750_000_00),  # and of 70%
]


def planned(value: int, plan: int) -> pl.DataFrame:
    return pl.DataFrame({"commissioner": ["XC1"], "plan_pence": [plan], "value_pence": [value]})


def paid_by_polars(term: Block | Blended | CostAndVolume, value: int, plan: int) -> int:
    return value + int(term.adjustments(planned(value, plan))["pence"].sum())


def cost_and_volume(rate: str) -> CostAndVolume:
    return CostAndVolume(term="cost_and_volume", marginal_rate=rate, source="spec", confidence="local")  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "plan", "paid"), BLOCK_PAYS)
def test_block_pays_the_plan(value: int, plan: int, paid: int) -> None:
    assert block_payment(value, plan) == paid
    assert paid_by_polars(BLOCK, value, plan) == paid


def test_block_tells_above_from_below_plan() -> None:
    rows = pl.concat([planned(1_100_00, 1_000_00), planned(700_00, 1_000_00)])
    lines = BLOCK.adjustments(rows).group_by("line").agg(pl.col("pence").sum()).sort("line")
    assert lines.rows() == [("block_above_plan", -100_00), ("block_below_plan", 300_00)]


@pytest.mark.parametrize(("value", "plan", "rate", "paid"), COST_AND_VOLUME_PAYS)
def test_cost_and_volume_pays_a_marginal_rate_beyond_plan(value: int, plan: int, rate: str, paid: int) -> None:
    term = cost_and_volume(rate)
    assert cost_and_volume_payment(value, plan, term.marginal_rate) == paid
    assert paid_by_polars(term, value, plan) == paid


@given(value=st.integers(0, 10**14), plan=st.integers(0, 10**14), rate=st.integers(0, 10_000))
def test_the_polars_application_agrees_with_the_scalar_rule(value: int, plan: int, rate: int) -> None:
    term = cost_and_volume(percentage(rate))
    assert term.marginal_rate == rate
    assert paid_by_polars(term, value, plan) == cost_and_volume_payment(value, plan, rate)
    assert paid_by_polars(BLOCK, value, plan) == block_payment(value, plan)


@given(value=st.integers(0, 10**12), plan=st.integers(0, 10**12), rate=st.integers(0, 10_000))
def test_cost_and_volume_lies_between_block_and_tariff(value: int, plan: int, rate: int) -> None:
    assert min(value, plan) <= cost_and_volume_payment(value, plan, rate) <= value


@given(value=st.integers(0, 10**12), plan=st.integers(0, 10**12), variable=st.integers(0, 10_000))
def test_blended_models_a_and_b_are_one(value: int, plan: int, variable: int) -> None:
    """Model A: the plan, and a share of the difference from it. Model B: the rest of the plan, and a share of activity."""
    model_a = Fraction(plan) + Fraction(variable, 10_000) * (value - plan)
    model_b = (1 - Fraction(variable, 10_000)) * plan + Fraction(variable, 10_000) * value
    assert model_a == model_b
    rounded = int(model_b + Fraction(1, 2))
    assert blended_payment(value, plan, variable) == rounded
    term = Blended(term="blended", variable_share=percentage(variable), source="spec", confidence="local")  # type: ignore[arg-type]
    assert paid_by_polars(term, value, plan) == rounded


def test_terms_say_themselves_in_words() -> None:
    assert "62.5% of the price beyond it (rate: local agreement)" in cost_and_volume("62.5%").words
    assert BLOCK.words == "The value of the plan is paid, whatever the activity."
