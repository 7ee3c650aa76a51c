"""England's admitted volumes of 2024/25, every unit a row of its own, priced through the engine under the 2024-25 pack.

The volumes are units as costed (episodes for admitted care), so this checks arithmetic at national size, not what England
paid. Expected totals: National Cost Collection 2024/25 volumes × NHS Payment Scheme 2024/25 unit prices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import tariff
from tariff.compiled import IS_COMPILED

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="without compiled code England's tens of millions of units take hours")
DEPARTMENTS = {
    # department: admission method, patient classification, stay in days
    "Daycase": ("11", "2", 0),
    "Elective Inpatients": ("11", "1", 2),
    "Non-Elective Inpatient - Long Stay": ("21", "1", 5),
    "Non-Elective Inpatient - Short Stay": ("21", "1", 1),
}
EXPECTED_POUNDS_AND_UNITS = {
    "Daycase": (6_042_217_514, 6_520_060),
    "Elective Inpatients": (5_004_435_415, 1_173_071),
    "Non-Elective Inpatient - Long Stay": (18_995_252_519, 4_315_116),
    "Non-Elective Inpatient - Short Stay": (12_081_226_306, 5_758_453),
}
PLYMOUTH = "RK9"
"""The provider whose market forces factor is exactly 1, so that prices come out as printed."""
ROWS_AT_ONCE = 1_000_000


def volumes() -> pl.DataFrame:
    folder = os.environ.get("TARIFF_TEST_DATA")
    if not folder:
        pytest.skip("TARIFF_TEST_DATA is not set: England's volumes are not at hand")
    rows = pl.read_csv(
        Path(folder) / "activity" / "national_cost_collection_2024-25.csv", infer_schema=False, encoding="utf8-lossy"
    )
    return (
        rows.rename({rows.columns[0]: "department"})
        .select("department", hrg="currency", units=pl.col("activity").cast(pl.Int64, strict=False))
        .drop_nulls()
    )


def one_row_a_unit(cells: pl.DataFrame, method: str, classification: str, stay: int) -> Iterator[pl.DataFrame]:
    discharge = date(2024, 9, 30)
    hrgs = cells.select(pl.col("hrg").repeat_by("units").explode())["hrg"]
    for start in range(0, len(hrgs), ROWS_AT_ONCE):
        hrg = hrgs.slice(start, ROWS_AT_ONCE)
        yield pl.select(
            spell_id=pl.int_range(start, start + len(hrg)).cast(pl.String),
            provider=pl.lit(PLYMOUTH),
            commissioner=pl.lit("ENGLAND"),
            admission_date=pl.lit(discharge) - pl.duration(days=stay),
            discharge_date=pl.lit(discharge),
            admission_method=pl.lit(method),
            patient_classification=pl.lit(classification),
            age=pl.lit(50, dtype=pl.Int32),
            hrg=hrg,
        ).with_columns(pl.col("admission_date").cast(pl.Date))


def test_england_volumes_times_unit_prices() -> None:
    england, rules = volumes(), tariff.load_rules("2024-25")
    wanted = ["price_pence", "reason", "outcome"]
    found = {}
    units = 0
    not_priced: dict[str, int] = {}
    for department, (method, classification, stay) in DEPARTMENTS.items():
        cells = england.filter(pl.col("department") == department)
        units += cells["units"].sum()
        priced = [
            tariff.price(rows, rules, columns=wanted)
            .group_by("outcome", "reason")
            .agg(pl.len(), pl.col("price_pence").sum())
            .collect()
            for rows in one_row_a_unit(cells, method, classification, stay)
        ]
        total = pl.concat(priced).with_columns(pl.col("outcome", "reason").cast(pl.String))
        paid = total.filter(pl.col("outcome") == "priced")
        found[department] = (paid["price_pence"].sum() / 100, paid["len"].sum())
        for reason, count in total.filter(pl.col("outcome") != "priced").select("reason", "len").iter_rows():
            not_priced[reason] = not_priced.get(reason, 0) + count
    assert found == EXPECTED_POUNDS_AND_UNITS
    assert sum(pounds for pounds, _ in found.values()) == 42_123_131_754
    assert sum(count for _, count in found.values()) == 17_766_700
    assert units == 20_164_549
    assert sum(not_priced.values()) == units - 17_766_700
    assert set(not_priced) <= {"unknown_currency", "no_price_in_setting", "ungrouped"}


VB_ATTENDANCES = 23_570_779


def test_england_emergency_attendances_times_the_proxies() -> None:
    """Every emergency attendance of 2024/25, a row each, at England's average unit cost rounded half-up to the penny, which is
    what the pack holds as a stand-in for a price."""
    england, rules = volumes(), tariff.load_rules("2024-25")
    cells = england.filter(pl.col("department") == "Emergency Care")
    assert cells["units"].sum() == VB_ATTENDANCES
    price_of = {row.currency: row.price for row in rules.emergency}
    expected = sum(price_of[hrg] * units for hrg, units in cells.select("hrg", "units").iter_rows())
    found = 0
    hrgs = cells.select(pl.col("hrg").repeat_by("units").explode())["hrg"]
    for start in range(0, len(hrgs), ROWS_AT_ONCE):
        hrg = hrgs.slice(start, ROWS_AT_ONCE)
        rows = pl.select(
            attendance_id=pl.int_range(start, start + len(hrg)).cast(pl.String),
            provider=pl.lit(PLYMOUTH),
            commissioner=pl.lit("ENGLAND"),
            arrival_date=pl.lit(date(2024, 9, 30)),
            department_type=pl.lit("1"),
            hrg=hrg,
            age=pl.lit(50, dtype=pl.Int32),
        )
        priced = tariff.price(rows, rules, columns=["price_pence", "outcome"])
        assert priced.filter(pl.col("outcome") != "priced").collect().height == 0
        found += priced.select(pl.col("price_pence").sum()).collect().item()
    assert found == expected
