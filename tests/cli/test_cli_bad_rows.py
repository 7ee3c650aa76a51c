"""Rows that cannot be priced get an outcome and a reason; the run goes on, and the totals say how many and how much."""

from __future__ import annotations

import polars as pl
import pytest

BAD_ROWS = [
    ({"admission_date": "31/02/2017"}, "rejected", "unreadable_date"),
    ({"discharge_date": "tomorrow"}, "rejected", "unreadable_date"),
    ({"age": "sixty"}, "rejected", "unreadable_number"),
    ({"critical_care_days": "2.5"}, "rejected", "unreadable_number"),
    ({"hrg": "ZZ99Z"}, "unpriced", "unknown_currency"),
    ({"hrg": ""}, "unpriced", "missing_currency"),
    ({"hrg": "UZ01Z"}, "unpriced", "ungrouped"),
    ({"admission_date": "2017-07-01"}, "rejected", "discharge_before_admission"),
    ({"admission_method": "99"}, "rejected", "admission_method"),
    ({"patient_classification": "8"}, "rejected", "patient_classification"),
    ({"age": "131"}, "rejected", "age_out_of_range"),
    ({"age": ""}, "rejected", "missing_age"),
    ({"provider": ""}, "rejected", "missing_organisation"),
    ({"spell_id": ""}, "rejected", "missing_identifier"),
    ({"admission_date": ""}, "rejected", "missing_date"),
    ({"discharge_date": ""}, "excluded", "unfinished"),
    ({"discharge_date": "2018-04-01"}, "unpriced", "outside_pack_dates"),
    ({"provider": "RXX"}, "unpriced", "no_market_forces_factor"),
    ({"commissioner": "VPP00"}, "excluded", "not_nhs_funded"),
    ({}, "priced", "priced"),
]


@pytest.mark.parametrize("name", ["apc.csv", "apc.parquet"])
def test_every_row_comes_back_with_its_reason(tariff, spells, name):
    file = spells(*[row for row, _, _ in BAD_ROWS], name=name)
    done = tariff("price", file, "--rules", "example", "--out", "priced.parquet")
    assert done.code == 0
    lines = pl.read_parquet("priced.parquet")
    found = list(lines.select(pl.col("outcome", "reason").cast(pl.String)).iter_rows())
    assert found == [(outcome, reason) for _, outcome, reason in BAD_ROWS]
    assert lines.filter(pl.col("outcome") != "priced")["price_pence"].sum() == 0


def test_the_totals_say_how_many_and_how_much(tariff, spells):
    done = tariff("price", spells(*[row for row, _, _ in BAD_ROWS]), "--rules", "example", "--out", "priced.parquet")
    told = [line.split() for line in done.out.splitlines()]
    for outcome in ("priced", "excluded", "unpriced", "rejected"):
        assert [str(sum(row[1] == outcome for row in BAD_ROWS)), outcome] in told
    assert ["20", "lines", "in"] in told
    assert "1 unfinished: The spell has no discharge date: it is priced when it is complete. Worth £6,300 if priced." in done.out
    assert "2 unreadable_date" in done.out


def test_under_auto_each_line_takes_the_pack_of_its_date(tariff, spells):
    dates = ["2017-04-01", "2018-03-31", "2018-04-01", "2025-03-31", "2025-04-01", "2016-01-01", ""]
    file = spells(
        *[{"admission_date": "2016-01-01", "length_of_stay": "1", "discharge_date": day, "provider": "RJ1"} for day in dates]
    )
    done = tariff("price", file, "--out", "priced.parquet")
    assert done.code == 0
    lines = pl.read_parquet("priced.parquet")
    assert lines["pack"].to_list()[:6] == ["2017-18", "2017-18", "2018-19", "2024-25", None, None]
    assert lines["reason"].cast(pl.String).to_list()[4:] == ["no_pack_for_date", "no_pack_for_date", "unfinished"]
    assert "in all, under 2017-18, 2018-19, 2024-25" in done.out


def test_dates_may_be_ignored_under_a_pack_that_is_named(tariff, spells):
    file = spells({"admission_date": "2020-01-01", "discharge_date": "2020-01-02"})
    strict = tariff("price", file, "--rules", "2017-18", "--out", "strict.parquet")
    assert "1 outside_pack_dates" in strict.out
    ignored = tariff("price", file, "--rules", "2017-18", "--dates", "ignore", "--out", "ignored.parquet")
    assert "£5,528.00  in all, under 2017-18" in ignored.out
    assert "Priced under a pack whose dates do not cover the activity, as the run asked." in ignored.out
