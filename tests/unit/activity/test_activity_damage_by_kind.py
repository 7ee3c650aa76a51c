"""Damage that spreadsheets and exports do, for every kind of activity: read rightly or refused with the reason, none silently
changed. What concerns the file and not the kind is in test_activity_damage.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tariff.activity import read_activity, survey
from tariff.activity.kinds import Kind, kind_named
from tariff.columns import READ_FAULT, names
from tariff.errors import ActivityError
from tariff.pricing import price
from tariff.rulepack import load_pack

Write = Callable[..., Path]
Lines = Callable[..., str]

DATE_OF = {"admitted": "admission_date", "outpatient": "attendance_date", "emergency": "arrival_date", "unbundled": "date"}
NUMBER_OF = {"admitted": "age", "outpatient": "age", "emergency": "age", "unbundled": "units"}
CODES_OF = {
    "admitted": ("admission_method", "patient_classification", "hrg", "treatment_function"),
    "outpatient": ("treatment_function", "first_attendance", "attended", "hrg", "main_specialty"),
    "emergency": ("department_type", "hrg", "attendance_category", "treatment_function"),
    "unbundled": ("currency", "treatment_function"),
}


def good(write: Write, lines: Lines, kind: str) -> pl.DataFrame:
    return read_activity(write(lines(kind), "good.csv")).collect()


def required(kind: Kind) -> list[str]:
    return names(kind.columns, required_only=True)


def test_a_byte_order_mark(write: Write, lines: Lines, kind: str) -> None:
    path = write(lines(kind), encoding="utf-8-sig")
    assert read_activity(path).collect().equals(good(write, lines, kind))
    assert survey(path).kind == kind


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_other_encodings(write: Write, lines: Lines, kind: str, encoding: str) -> None:
    path = write(lines(kind, {"patient_id": "Zoë £1"}), encoding=encoding)
    assert read_activity(path).collect()["patient_id"].to_list() == ["Zoë £1"]
    assert (survey(path).encoding, survey(path).kind) == (encoding, kind)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators(write: Write, lines: Lines, kind: str, separator: str) -> None:
    path = write(lines(kind, separator=separator))
    assert read_activity(path).collect().equals(good(write, lines, kind))
    assert (survey(path).separator, survey(path).kind) == (separator, kind)


def test_quoted_line_breaks(write: Write, lines: Lines, kind: str) -> None:
    identifier = kind_named(kind).identifier
    changes = [{identifier: f"x{n}", "site": '"RXX\n01, ""west"""'} for n in range(3)]
    frame = read_activity(write(lines(kind, *changes))).collect()
    assert frame[identifier].to_list() == ["x0", "x1", "x2"]
    assert frame["site"].to_list() == ['RXX\n01, "WEST"'] * 3
    assert frame[READ_FAULT].null_count() == 3


def test_duplicated_headings(write: Write, lines: Lines, kind: str) -> None:
    headings, _, rows = lines(kind).partition("\n")
    last = headings.split(",")[-1]
    with pytest.raises(ActivityError, match=f"has the heading '{last}' more than once"):
        read_activity(write(f"{headings},{last.upper()}\n{rows.rstrip()},1\n"))


TOTALS = ["Total", "TOTAL", "Total:", "Grand total", "GRAND TOTALS", "Sub-total", " subtotal "]


@pytest.mark.parametrize("word", TOTALS)
def test_a_row_of_totals_is_no_activity_even_where_every_other_cell_is_filled(
    write: Write, lines: Lines, kind: str, word: str
) -> None:
    frame = read_activity(write(lines(kind, {}, {kind_named(kind).identifier: word}))).collect()
    assert frame[READ_FAULT].to_list() == [None, "missing_identifier"]
    assert frame[kind_named(kind).identifier][1] == word.strip(), "the cell itself stays"


def test_a_row_of_totals_in_parquet_and_of_episodes(write: Write, lines: Lines, kind: str, tmp_path: Path) -> None:
    read_activity(write(lines(kind, {kind_named(kind).identifier: "Total"}))).collect().drop(READ_FAULT).write_parquet(
        tmp_path / "totals.parquet"
    )
    assert read_activity(tmp_path / "totals.parquet", kind=kind).collect()[READ_FAULT].to_list() == ["missing_identifier"]
    if kind == "admitted":
        episode = {"episode_number": "1", "length_of_stay": "5"}
        path = write(lines(kind, episode, episode | {"spell_id": "Total", "episode_number": ""}), "episodes.csv")
        assert read_activity(path).collect()[READ_FAULT].to_list() == [None, "missing_identifier"]


@pytest.mark.parametrize("first_cell", ["Total", "Grand total", "", "All providers", "17,000 rows"])
def test_a_row_of_totals_with_nothing_else_lacks_what_every_line_needs(
    write: Write, lines: Lines, kind: str, first_cell: str
) -> None:
    blank = dict.fromkeys(required(kind_named(kind)), "")
    cells = blank | {kind_named(kind).identifier: f'"{first_cell}"', NUMBER_OF[kind]: "70"}
    row = read_activity(write(lines(kind, {}, cells))).collect().row(1, named=True)
    fault = "missing_identifier" if "otal" in first_cell else None
    assert (row[READ_FAULT], row["provider"], row["commissioner"], row[DATE_OF[kind]]) == (fault, None, None, None)


def test_a_row_of_totals_is_never_priced(write: Write, lines: Lines, kind: str) -> None:
    identifier = kind_named(kind).identifier
    blank = dict.fromkeys(required(kind_named(kind)), "")
    totals = [{identifier: "Total"}, blank | {identifier: "Total"}, blank | {NUMBER_OF[kind]: "70"}, {identifier: ""}]
    activity = read_activity(write(lines(kind, {}, *totals)))
    priced = price(activity, load_pack("example"), dates="ignore").select("outcome", "reason", "price_pence").collect()
    assert priced.rows()[1:] == [("rejected", "missing_identifier", 0)] * 4
    assert priced["outcome"][0] != "rejected"


def test_a_row_of_totals_is_told_wherever_its_word_stands(write: Write, lines: Lines, kind: str) -> None:
    cells = dict.fromkeys(required(kind_named(kind)), "") | {"region": "Total", NUMBER_OF[kind]: "99,999"}
    text = lines(kind, {"region": "London"}, cells, separator=";")
    row = read_activity(write(text)).collect().row(1, named=True)
    assert (row[kind_named(kind).identifier], row[READ_FAULT]) == (None, "unreadable_number")


def test_a_word_that_only_holds_total_is_an_identifier(write: Write, lines: Lines, kind: str) -> None:
    frame = read_activity(
        write(lines(kind, *({kind_named(kind).identifier: text} for text in ("Total1", "X Total", "T"))))
    ).collect()
    assert frame[READ_FAULT].null_count() == 3


@pytest.mark.parametrize("damaged", ["1E05", "1.00E+05", "1E+05", "7", "1", "01", "001", "100.0", "01-Mar", "#N/A", "#REF!", "-"])
def test_codes_that_a_spreadsheet_damaged_stay_as_they_stand(write: Write, lines: Lines, kind: str, damaged: str) -> None:
    changes = {kind_named(kind).identifier: damaged, "provider": damaged} | dict.fromkeys(CODES_OF[kind], damaged)
    row = read_activity(write(lines(kind, changes))).collect().row(0, named=True)
    assert row[kind_named(kind).identifier] == damaged
    assert {row[name] for name in ("provider", *CODES_OF[kind])} == {damaged.upper()}


@pytest.mark.parametrize("damaged", ["1E05", "1.00E+05", "42826", "#N/A", "########", "Apr-17", "01/13/2017", "2017"])
def test_a_damaged_date_or_number_is_a_fault_of_its_row(write: Write, lines: Lines, kind: str, damaged: str) -> None:
    frame = read_activity(write(lines(kind, {}, {DATE_OF[kind]: damaged}))).collect()
    assert frame[READ_FAULT].to_list() == [None, "unreadable_date"]
    assert frame[DATE_OF[kind]][1] is None
    if not damaged.isdigit():
        frame = read_activity(write(lines(kind, {}, {NUMBER_OF[kind]: damaged}), "number.csv")).collect()
        assert frame[READ_FAULT].to_list() == [None, "unreadable_number"]
        assert frame[NUMBER_OF[kind]][1] is None


@pytest.mark.parametrize("damaged", ["1.2E+03", "£1.005", "#VALUE!", "12,34"])
def test_a_damaged_amount_is_a_fault_of_its_row(write: Write, lines: Lines, kind: str, damaged: str) -> None:
    path = write(lines(kind, {"local_price": "£1200.50"}, {"local_price": f'"{damaged}"'}))
    frame = read_activity(path).collect()
    assert frame.select("local_price", READ_FAULT).rows() == [(120_050, None), (None, "unreadable_number")]


def test_numbers_in_parquet_columns_of_codes_are_their_digits(lines: Lines, write: Write, kind: str, tmp_path: Path) -> None:
    frame = read_activity(write(lines(kind))).collect().drop(READ_FAULT)
    whole = {name: pl.lit(1, pl.Int64) for name in CODES_OF[kind]}
    beside_blanks = {name: pl.lit(1.0, pl.Float64) for name in CODES_OF[kind]}
    for place, columns in enumerate((whole, beside_blanks)):
        path = tmp_path / f"{place}.parquet"
        frame.with_columns(**columns).write_parquet(path)
        row = read_activity(path, kind=kind).collect().row(0, named=True)
        assert {row[name] for name in CODES_OF[kind]} == {"1"}


def test_cells_that_have_shifted_are_not_trusted(write: Write, lines: Lines, kind: str) -> None:
    text = lines(kind, {}, {"provider": "Smith, Jones"})
    assert read_activity(write(text)).collect()[READ_FAULT].to_list() == [None, "unreadable_row"]


def test_a_file_cut_short(write: Write, lines: Lines, kind: str) -> None:
    with pytest.raises(ActivityError, match="it looks cut short"):
        read_activity(write(lines(kind, {}, {})[:-12]))


def test_a_required_column_of_another_format(write: Write, lines: Lines, kind: str) -> None:
    american = [{DATE_OF[kind]: f"04/{day}/2017"} for day in range(13, 31)]
    with pytest.raises(ActivityError, match=f"'{DATE_OF[kind]}' holds no cell that can be read as a date"):
        read_activity(write(lines(kind, *american)))


def test_every_missing_column_of_a_kind_is_named(write: Write, lines: Lines, kind: str) -> None:
    headings, _, rows = lines(kind).partition("\n")
    spoilt = ["x" + name if name in ("provider", "commissioner") else name for name in headings.split(",")]
    with pytest.raises(ActivityError) as error:
        read_activity(write(",".join(spoilt) + "\n" + rows))
    assert len(error.value.faults) == 2
