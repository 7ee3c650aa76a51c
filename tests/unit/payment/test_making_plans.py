from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff.columns import PLAN, schema
from tariff.errors import ActivityError, RulesError, UsageError
from tariff.payment import check_plan, gather_cells, read_plan
from tariff.payment.monitoring import forecast_outturn, plan_against_actual
from tariff.payment.plan_making import phase_plan, plan_from_priced, population_growth, shared_out, write_plan
from tariff.payment.working_days import bank_holidays, easter, month_weights

# The bank holidays of England as gov.uk lists them
HOLIDAYS = {
    2011: "01-03 04-22 04-25 04-29 05-02 05-30 08-29 12-26 12-27",
    2012: "01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26",
    2016: "01-01 03-25 03-28 05-02 05-30 08-29 12-26 12-27",
    2020: "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28",
    2021: "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
    2022: "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27",
    2023: "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
    2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
}


@pytest.mark.parametrize("year", HOLIDAYS)
def test_bank_holidays_are_those_of_england(year: int) -> None:
    assert bank_holidays(year) == {date.fromisoformat(f"{year}-{day}") for day in HOLIDAYS[year].split()}


def test_easter_moves() -> None:
    assert [easter(year) for year in (2008, 2011, 2024, 2038)] == [
        date(2008, 3, 23),
        date(2011, 4, 24),
        date(2024, 3, 31),
        date(2038, 4, 25),
    ]


def test_months_of_a_year_have_their_days() -> None:
    assert month_weights("2023-24", "calendar_days") == (30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29, 31)
    assert month_weights("2024-25", "working_days") == (21, 21, 20, 23, 21, 21, 23, 21, 20, 22, 20, 21)
    assert sum(month_weights("2024-25", "calendar_days")) == 365
    with pytest.raises(ValueError, match="not a financial year"):
        month_weights("2024-26", "calendar_days")


@given(amount=st.integers(-(10**12), 10**12), weights=st.lists(st.integers(1, 31), min_size=1, max_size=12))
def test_parts_add_to_the_whole_and_miss_their_share_by_a_penny_at_most(amount: int, weights: list[int]) -> None:
    parts = shared_out(amount, weights)
    assert sum(parts) == amount
    assert all(abs(part - Fraction(amount * weight, sum(weights))) <= 1 for part, weight in zip(parts, weights, strict=True))


def test_last_year_uplifted_and_grown(priced_lines: Callable[..., pl.DataFrame]) -> None:
    priced = priced_lines(
        {"base_pence": 1_000_00, "units": 10},
        {"base_pence": 1_000_05, "pod": "NEL", "units": 3},
        {"base_pence": 500_00, "commissioner": "XC2"},
        {"base_pence": 7_00, "outcome": "rejected", "reason": "missing_age"},
    )
    plan = plan_from_priced(priced.lazy(), uplift_bp=215, growth={"XC1": Fraction(11, 10)})
    assert plan.schema == schema(PLAN)
    assert plan.select("commissioner", "provider", "pod", "financial_year", "units", "pence").rows() == [
        ("XC1", "XP1", "DC", "2025-26", 11, 1_123_65),
        ("XC1", "XP1", "NEL", "2025-26", 3, 1_123_71),  # 112,370.6: rounded once
        ("XC2", "XP1", "DC", "2025-26", 1, 510_75),
    ]
    assert plan_from_priced(priced.lazy(), by=(), years_on=0)["pence"].to_list() == [2_000_05, 500_00]
    with pytest.raises(UsageError, match="practice"):
        plan_from_priced(priced.lazy(), by=("practice",))


def test_a_plan_that_could_not_be_read_again_is_not_made(priced_lines: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    """Credits agreed as local prices below zero: a row that holds no more than them is named, a coarser one is right."""
    priced = priced_lines({"base_pence": -5_00, "pod": "NEL"}, {"base_pence": 7_00, "pod": "DC"}).lazy()
    with pytest.raises(
        ActivityError, match=r"provider XP1, pod NEL, financial_year 2024-25: the prices of its lines come to −£5.00"
    ):
        plan_from_priced(priced)
    with pytest.raises(UsageError, match="more than 100%"):
        plan_from_priced(priced, by=("provider",), uplift_bp=-100_01)
    coarse = plan_from_priced(priced, by=("provider",))
    write_plan(coarse, tmp_path / "plan.csv")
    assert read_plan(tmp_path / "plan.csv")["pence"].to_list() == [2_00]


def test_growth_is_that_of_the_weighted_population(tmp_path: Path) -> None:
    before, after, weights = (tmp_path / f"{name}.csv" for name in ("before", "after", "weights"))
    before.write_text("commissioner,age_band,registered\nXC1,young,100\nXC1,old,100\n", encoding="utf-8")
    after.write_text("commissioner,age_band,registered\nXC1,young,100\nXC1,old,120\n", encoding="utf-8")
    weights.write_text("age_band,weight\nyoung,1\nold,3\n", encoding="utf-8")
    assert population_growth(before, after) == {"XC1": Fraction(11, 10)}
    assert population_growth(before, after, weights) == {"XC1": Fraction(23, 20)}
    weights.write_text("age_band,weight\nyoung,1\n", encoding="utf-8")
    with pytest.raises(RulesError, match="age band old has no weight"):
        population_growth(before, after, weights)
    after.write_text("commissioner,age_band,registered\nXC2,young,100\n", encoding="utf-8")
    with pytest.raises(RulesError, match="in one and not in the other"):
        population_growth(before, after)


def a_plan(*rows: tuple[str, str | None, int | None, int]) -> pl.DataFrame:
    columns = {"provider": pl.String, "pod": pl.String, "month": pl.Int8, "pence": pl.Int64}
    frame = pl.DataFrame(list(rows), schema=columns, orient="row")
    fixed = pl.lit("XC1").alias("commissioner"), pl.lit("2024-25").alias("financial_year"), pl.lit(12).alias("units")
    return check_plan(frame.with_columns(fixed))


def test_a_plan_is_phased_by_the_days_of_each_point_of_delivery(tmp_path: Path) -> None:
    plan = a_plan(("XP1", "DC", None, 254_00), ("XP1", "NEL", None, 365_00), ("XP1", "AE", 3, 1_00))
    phased = phase_plan(plan)
    by_pod = {pod: rows.sort("month")["pence"].to_list() for (pod,), rows in phased.group_by("pod")}
    assert by_pod["DC"] == [days * 100 for days in month_weights("2024-25", "working_days")]
    assert by_pod["NEL"] == [days * 100 for days in month_weights("2024-25", "calendar_days")]
    assert by_pod["AE"] == [1_00]
    assert phased["units"].sum() == 36
    write_plan(phased, tmp_path / "plan.csv")
    assert read_plan(tmp_path / "plan.csv").equals(phased)


def test_plan_against_actual_to_date_and_at_the_end_of_the_year(priced_lines: Callable[..., pl.DataFrame]) -> None:
    priced = priced_lines(
        {"base_pence": 40_00, "pod": "NEL", "month": 1, "units": 2},
        {"base_pence": 31_00, "pod": "NEL", "month": 2},
        {"base_pence": 99_00, "pod": "NEL", "month": 3},
        {"base_pence": 5_00, "pod": "DC", "month": 1},
    )
    plan = a_plan(("XP1", "NEL", None, 365_00), ("XP1", "DC", 6, 12_00))
    plan = pl.concat([plan, a_plan(("XP1", "DC", 1, 0))])
    told = plan_against_actual(gather_cells(priced.lazy()), plan, ("provider", "pod"), through_month=2)
    money = told.drop("lines", "plan_units", "actual_units", "variance_units", "unplanned_pence")
    assert money.rows() == [
        ("XP1", "DC", 0, 5_00, 5_00, 12_00, 29_92, 17_92),  # by days: nothing was planned to date
        ("XP1", "NEL", 61_00, 71_00, 10_00, 365_00, 424_84, 59_84),
    ]
    assert told["actual_units"].to_list() == [1, 3]
    assert forecast_outturn(0, 0, 0, 30, "2024-25") == 0


def test_activity_that_no_plan_row_covers_is_met_with_nothing(priced_lines: Callable[..., pl.DataFrame]) -> None:
    priced = priced_lines({"base_pence": 31_00, "pod": "NEL", "month": 2}, {"base_pence": 61_00, "pod": "DC", "month": 2})
    told = plan_against_actual(gather_cells(priced.lazy()), a_plan(("XP1", "NEL", None, 365_00)), ("pod",))
    assert told.select("pod", "plan_pence", "actual_pence", "unplanned_pence", "plan_year_pence", "forecast_pence").rows() == [
        ("DC", 0, 61_00, 61_00, 0, 365_00),
        ("NEL", 61_00, 31_00, 0, 365_00, 185_49),
    ]
    whole = plan_against_actual(gather_cells(priced.lazy()), a_plan(("XP1", "NEL", None, 365_00)), ())
    assert whole.select("lines", "plan_pence", "actual_pence", "unplanned_pence").rows() == [(2, 61_00, 92_00, 61_00)]


def test_each_year_is_looked_at_to_its_own_last_month(priced_lines: Callable[..., pl.DataFrame]) -> None:
    priced = priced_lines(
        {"base_pence": 366_00, "pod": "NEL", "month": 12, "financial_year": "2023-24"},
        {"base_pence": 61_00, "pod": "NEL", "month": 2},
    )
    plans = [
        a_plan(("XP1", "NEL", None, 365_00)),
        a_plan(("XP1", "NEL", None, 366_00)).with_columns(financial_year=pl.lit("2023-24")),
    ]
    told = plan_against_actual(gather_cells(priced.lazy()), pl.concat(plans), ("financial_year",))
    assert told.select("financial_year", "plan_pence", "actual_pence", "forecast_pence").rows() == [
        ("2023-24", 366_00, 366_00, 366_00),
        ("2024-25", 61_00, 61_00, 365_00),
    ]
    both = plan_against_actual(gather_cells(priced.lazy()), pl.concat(plans), ("pod",))
    assert both.select("plan_pence", "actual_pence", "forecast_pence").rows() == [(427_00, 427_00, 731_00)]


def test_units_that_a_plan_does_not_give_have_no_variance(priced_lines: Callable[..., pl.DataFrame]) -> None:
    plan = pl.concat([a_plan(("XP1", "NEL", None, 365_00)), a_plan(("XP2", "NEL", None, 1_00)).with_columns(units=None)])
    priced = priced_lines(*({"base_pence": 1_00, "pod": "NEL", "provider": provider, "month": 12} for provider in ("XP1", "XP2")))
    told = plan_against_actual(gather_cells(priced.lazy()), plan, ("provider",))
    assert told.select("plan_units", "actual_units", "variance_units").rows() == [(12, 1, -11), (None, 1, None)]
    with pytest.raises(UsageError, match="did you mean 'provider'"):
        plan_against_actual(gather_cells(priced.lazy()), plan, ("providers",))
