"""Cells: dates, whole numbers, pounds and codes, from text and from typed columns."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

from tariff.activity.cells import Reading, cell, type_refused
from tariff.activity.rows import values_and_fault
from tariff.columns import ADMITTED, READ_FAULT, Column
from tariff.money import pence

USUAL = Reading()
COLUMNS = {column.name: column for column in ADMITTED}


def read(
    column: str, values: list[object], dtype: pl.DataType | None = None, reading: Reading = USUAL
) -> list[tuple[object, bool]]:
    series = pl.Series("theirs", values, dtype or pl.String())
    got = cell(COLUMNS[column], pl.col("theirs"), series.dtype, reading)
    frame = values_and_fault(series.to_frame().lazy(), {"value": got}).collect()
    assert frame.schema["value"] == COLUMNS[column].dtype
    return frame.select("value", pl.col(READ_FAULT).is_not_null()).rows()


def one(column: str, value: object, dtype: pl.DataType | None = None, reading: Reading = USUAL) -> tuple[object, bool]:
    return read(column, [value], dtype, reading)[0]


@pytest.mark.parametrize(
    "text",
    [
        "2017-04-01",
        "01/04/2017",
        "1/4/2017",
        "20170401",
        " 2017-04-01 ",
        "2017-04-01 00:00:00",
        "2017-04-01T00:00:00.000",
        "01/04/2017 0:00",
    ],
)
def test_the_accepted_dates(text: str) -> None:
    assert one("admission_date", text) == (date(2017, 4, 1), False)


@pytest.mark.parametrize(
    "text",
    [
        *("01/13/2017", "2017-02-30", "29/02/2017", "01/04/17", "17-04-01", "2017-4-1", "42826", "1 Apr 2017", "01-04-2017"),
        *("NULL", "2017-04-01x", "2017-04-01 00:00 BST", "201704", "+2017-04-01", "٢٠١٧-٠٤-٠١", "2017-04-01T00:00:00Z"),
    ],
)
def test_no_other_date_is_guessed_at(text: str) -> None:
    assert one("admission_date", text) == (None, True)


@pytest.mark.parametrize("blank", ["", "   ", None, "\u00a0"])
@pytest.mark.parametrize("column", ["admission_date", "age", "local_price", "hrg"])
def test_a_blank_is_null_and_no_fault(column: str, blank: str | None) -> None:
    assert one(column, blank) == (None, False)


def test_a_map_may_fix_the_date_format_and_the_words_for_blank() -> None:
    reading = Reading(date_formats=("dd-mmm-yyyy",), blanks=("NULL",))
    assert one("discharge_date", "01-Apr-2017", reading=reading) == (date(2017, 4, 1), False)
    assert one("discharge_date", "NULL", reading=reading) == (None, False)
    assert one("discharge_date", "2017-04-01", reading=reading) == (None, True)


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("3.0", 3), ("003", 3), (" 0 ", 0), ("-4", -4), ("3.", 3), ("999", 999)])
def test_whole_numbers(text: str, number: int) -> None:
    assert one("age", text) == (number, False)


@pytest.mark.parametrize("text", ["3.5", "1e3", "1,000", "x", "3 days", "99999999999", "0x10", "--1", "NaN", "+3", "٣"])
def test_no_other_number_is_guessed_at(text: str) -> None:
    assert one("age", text) == (None, True)


@pytest.mark.parametrize("text", ["1000", "1,234.56", "£8,207", "119.5", "0.01", "0", "-3.00", "1.500", "1234567890123456.78"])
def test_pounds_are_pence_to_the_penny(text: str) -> None:
    assert one("local_price", text) == (pence(text), False)


@pytest.mark.parametrize("text", ["12.345", "1e3", "12,34", "(5.00)", "£", ".5", "12345678901234567", "five", "1.2.3"])
def test_no_other_amount_is_rounded_or_guessed_at(text: str) -> None:
    assert one("local_price", text) == (None, True)


def test_an_amount_that_a_float_cannot_hold_is_exact() -> None:
    assert one("local_price", "90071992547409.93") == (9007199254740993, False)


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("hrg", " hn22e ", "HN22E"),
        ("admission_method", "2a", "2A"),
        ("provider", "rxx01", "RXX01"),
        ("spell_id", " abC1 ", "abC1"),
        ("patient_id", "p1x", "p1x"),
        ("specialised_services", "cardiac;Spinal", "cardiac;Spinal"),
    ],
)
def test_codes_lose_blanks_and_case_only_where_case_has_no_meaning(column: str, text: str, code: str) -> None:
    assert one(column, text) == (code, False)


@pytest.mark.parametrize("damaged", ["1E05", "1.00E+05", "1E+05", "7", "100"])
@pytest.mark.parametrize("column", ["hrg", "treatment_function", "admission_method"])
def test_codes_that_a_spreadsheet_damaged_stay_as_they_stand(column: str, damaged: str) -> None:
    assert one(column, damaged) == (damaged, False)


def test_recodes_replace_named_values_only() -> None:
    reading = Reading(recode={"admission_method": {"EL": "11"}})
    assert read("admission_method", ["EL", "21", None], reading=reading) == [("11", False), ("21", False), (None, False)]


@pytest.mark.parametrize(
    ("column", "value", "dtype", "expected"),
    [
        ("patient_classification", 1, pl.Int64(), ("1", False)),
        ("patient_classification", 1.0, pl.Float64(), ("1", False)),
        ("patient_classification", float("nan"), pl.Float64(), (None, False)),
        ("treatment_function", 1.5, pl.Float64(), ("1.5", False)),
        ("hrg", "hn22e", pl.Categorical(), ("HN22E", False)),
        ("age", 40, pl.Int8(), (40, False)),
        ("age", 40, pl.UInt64(), (40, False)),
        ("age", 2**40, pl.Int64(), (None, True)),
        ("age", 40.0, pl.Float32(), (40, False)),
        ("age", 40.5, pl.Float64(), (None, True)),
        ("age", float("inf"), pl.Float64(), (None, True)),
        ("age", float("nan"), pl.Float64(), (None, False)),
        ("age", "40", pl.Categorical(), (40, False)),
        ("age", Decimal("40.00"), pl.Decimal(10, 2), (40, False)),
        ("age", Decimal("40.10"), pl.Decimal(10, 2), (None, True)),
        ("age", None, pl.Null(), (None, False)),
        ("admission_date", date(2017, 4, 1), pl.Date(), (date(2017, 4, 1), False)),
        ("admission_date", datetime(2017, 4, 1, 13, 45), pl.Datetime("us"), (date(2017, 4, 1), False)),
        ("admission_date", 20170401, pl.Int64(), (date(2017, 4, 1), False)),
        ("admission_date", 42826, pl.Int64(), (None, True)),
        ("admission_date", "01/04/2017", pl.Categorical(), (date(2017, 4, 1), False)),
        ("local_price", 119, pl.Int64(), (11900, False)),
        ("local_price", Decimal("119.50"), pl.Decimal(20, 2), (11950, False)),
        ("local_price", Decimal("119.505"), pl.Decimal(20, 3), (None, True)),
        ("local_price", 119.5, pl.Float64(), (11950, False)),
        ("local_price", 1.1, pl.Float64(), (110, False)),
        ("local_price", 119.505, pl.Float64(), (None, True)),
        ("local_price", float("inf"), pl.Float64(), (None, True)),
        ("local_price", float("nan"), pl.Float64(), (None, False)),
    ],
)
def test_typed_columns(column: str, value: object, dtype: pl.DataType, expected: tuple[object, bool]) -> None:
    assert one(column, value, dtype) == expected


def test_a_summer_midnight_stored_as_an_instant_keeps_its_day() -> None:
    stored = pl.Series("theirs", [datetime(2017, 6, 30, 23, 0)]).dt.replace_time_zone("UTC")
    got = cell(COLUMNS["admission_date"], pl.col("theirs"), stored.dtype, Reading())
    assert stored.to_frame().select(got.value).item() == date(2017, 7, 1)


def test_a_dictionary_of_clean_codes_is_kept_and_another_is_cleaned() -> None:
    def read_enum(categories: list[str]) -> pl.Series:
        series = pl.Series("theirs", categories, pl.Enum(categories))
        return series.to_frame().select(cell(COLUMNS["hrg"], pl.col("theirs"), series.dtype, Reading()).value).to_series()

    assert read_enum(["HN22E", "AA22C"]).dtype == pl.Enum(["HN22E", "AA22C"])
    assert read_enum(["hn22e", " AA22C", ""]).to_list() == ["HN22E", "AA22C", None]


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        ("hrg", pl.Boolean()),
        ("hrg", pl.Binary()),
        ("hrg", pl.List(pl.String())),
        ("hrg", pl.Date()),
        ("age", pl.Date()),
        ("age", pl.Boolean()),
        ("admission_date", pl.Float64()),
        ("local_price", pl.Struct({"a": pl.Int64()})),
    ],
)
def test_types_that_cannot_hold_a_column_are_refused(column: str, dtype: pl.DataType) -> None:
    assert type_refused(COLUMNS[column], dtype)


def test_every_column_of_the_contract_can_be_read_from_text() -> None:
    for column in ADMITTED:
        assert isinstance(column, Column)
        assert one(column.name, "") == (None, False)
