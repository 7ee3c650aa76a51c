"""Whole files of spells: headings, kinds, formats, several files at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tariff.activity import read_activity
from tariff.columns import ADMITTED, READ_FAULT, names, schema
from tariff.errors import ActivityError, UsageError

Write = Callable[..., Path]
Spells = Callable[..., str]


def told(error: pytest.ExceptionInfo[ActivityError]) -> str:
    return str(error.value)


def test_required_columns_always_and_optional_ones_where_the_file_has_them(write: Write, spells: Spells) -> None:
    frame = read_activity(write(spells("S1,RXX,99A,2017-04-01,08/04/2017,2a,1,70,hn22e,100.50,z", more="Local_Price,theirs")))
    assert isinstance(frame, pl.LazyFrame)
    row = frame.collect()
    assert row.columns == [*names(ADMITTED, required_only=True), "local_price", READ_FAULT]
    assert row.schema == {
        name: dtype for name, dtype in (schema(ADMITTED) | {READ_FAULT: pl.String()}).items() if name in row.columns
    }
    assert row.row(0) == ("S1", "RXX", "99A", date(2017, 4, 1), date(2017, 4, 8), "2A", "1", 70, "HN22E", 10050, None)


def test_headings_match_whatever_their_case_and_surrounding_blanks(write: Write, spells: Spells) -> None:
    shouted = spells().replace("spell_id", " SPELL_ID ").replace("hrg", "Hrg")
    assert read_activity(write(shouted)).collect()["spell_id"].to_list() == ["S1"]


def test_an_unreadable_cell_is_a_fault_of_its_row_alone(write: Write, spells: Spells) -> None:
    good = "S{},RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,0"
    rows = [good.format(0), good.format(1).replace("2017-04-08", "soon"), good.format(2).replace("70", "old")]
    rows += [good.format(3).replace("70", "old").replace("2017-04-01", "31/31/2017"), good.format(4)[:-1] + "1.005"]
    frame = read_activity(write(spells(*rows, more="local_price"))).collect()
    faults = [None, "unreadable_date", "unreadable_number", "unreadable_date", "unreadable_number"]
    assert frame[READ_FAULT].to_list() == faults
    assert frame["spell_id"].to_list() == ["S0", "S1", "S2", "S3", "S4"]


def test_a_row_with_too_many_cells_is_not_trusted_and_one_with_too_few_is_blank(write: Write, spells: Spells) -> None:
    long, short = "S2,R,X,X,2017-04-01,2017-04-08,11,1,70,HN22E", "S3,RXX,99A,2017-04-01,2017-04-08,11,1"
    frame = read_activity(write(spells("S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,,,", long, short))).collect()
    assert frame[READ_FAULT].to_list() == [None, "unreadable_row", None]
    assert frame.row(2)[-3:] == (None, None, None)


def test_no_rows_is_an_answer(write: Write, spells: Spells) -> None:
    text = spells().splitlines()[0]
    assert read_activity(write(text + "\n")).collect().height == 0
    assert read_activity(write(text, "no_line_end.csv")).collect().height == 0


def test_every_missing_column_is_named_with_the_nearest_heading(write: Write, spells: Spells) -> None:
    with pytest.raises(ActivityError) as error:
        read_activity(write(spells().replace("admission_method", "admision_methd").replace("commissioner", "buyer")))
    assert len(error.value.faults) == 2
    assert "did you mean 'admision_methd'?" in told(error)
    assert "'commissioner'" in told(error)
    assert error.value.exit_code == 3


def test_a_missing_key_is_named_like_any_other_where_the_rest_is_there(write: Write, spells: Spells) -> None:
    with pytest.raises(ActivityError, match="lacks the column 'spell_id'"):
        read_activity(write(spells().replace("spell_id", "spel_id")))


def test_a_file_of_no_known_kind(write: Write) -> None:
    with pytest.raises(ActivityError, match=r"spell_id \(admitted\), attendance_date \(outpatient\)"):
        read_activity(write("a,b\n1,2\n"))


def test_a_file_of_two_kinds(write: Write, spells: Spells) -> None:
    text = spells().replace("hrg", "currency")
    with pytest.raises(ActivityError, match="more than one kind"):
        read_activity(write(text))
    with pytest.raises(ActivityError, match="lacks the column 'hrg'"):
        read_activity(write(text), kind="admitted")


def test_an_unknown_kind_is_wrong_usage(write: Write, spells: Spells) -> None:
    with pytest.raises(UsageError, match="did you mean 'admitted'"):
        read_activity(write(spells()), kind="admited")


def test_parquet_reads_as_its_csv_does(write: Write, spells: Spells, tmp_path: Path) -> None:
    text = write(spells("S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E", "S2,RXX,99A,2017-04-01,,21,1,,"))
    from_text = read_activity(text).collect()
    typed = from_text.drop(READ_FAULT).with_columns(pl.col("patient_classification").cast(pl.Int64))
    typed.write_parquet(tmp_path / "typed.parquet")
    typed.select(pl.all().cast(pl.String)).write_parquet(tmp_path / "as_text.parquet")
    assert read_activity(tmp_path / "typed.parquet").collect().equals(from_text)
    assert read_activity(tmp_path / "as_text.parquet").collect().equals(from_text)


def test_parquet_is_known_by_its_contents_and_types_are_refused_by_name(tmp_path: Path, write: Write, spells: Spells) -> None:
    frame = read_activity(write(spells())).collect().drop(READ_FAULT)
    frame.write_parquet(tmp_path / "apc.data")
    assert read_activity(tmp_path / "apc.data").collect().height == 1
    frame.with_columns(hrg=pl.lit(True), age=pl.lit(date(2017, 4, 1))).write_parquet(tmp_path / "apc.parquet")
    with pytest.raises(ActivityError) as error:
        read_activity(tmp_path / "apc.parquet")
    assert len(error.value.faults) == 2
    assert "'hrg', read as hrg, is of type Boolean; text is needed" in told(error)
    assert "'age', read as age, holds dates; whole numbers are needed" in told(error)


def test_several_files_are_one_activity_in_the_order_given(write: Write, spells: Spells, tmp_path: Path) -> None:
    first = write(spells("S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E"), "a.csv")
    second = write(spells("S2,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,£5", more="local_price"), "b.csv")
    assert read_activity([second, first]).collect()["spell_id"].to_list() == ["S2", "S1"]
    by_pattern = read_activity(str(tmp_path / "?.csv")).collect()
    assert by_pattern["spell_id"].to_list() == ["S1", "S2"]
    assert by_pattern["local_price"].to_list() == [None, 500]


def test_dictionary_coded_columns_of_several_files_come_together(tmp_path: Path, write: Write, spells: Spells) -> None:
    frame = read_activity(write(spells())).collect().drop(READ_FAULT)
    for place, hrg in enumerate(("HN22E", "AA22C")):
        frame.with_columns(hrg=pl.lit(hrg, pl.Enum([hrg]))).write_parquet(tmp_path / f"{place}.parquet")
    assert read_activity(tmp_path / "0.parquet").collect_schema()["hrg"] == pl.Enum(["HN22E"])
    assert read_activity(str(tmp_path / "*.parquet")).collect()["hrg"].to_list() == ["HN22E", "AA22C"]


def test_the_faults_of_every_file_are_listed_at_once(write: Write, spells: Spells) -> None:
    files = [write(spells(), "good.csv"), write("", "empty.csv"), write(spells().replace("hrg", "grg"), "lacks.csv")]
    with pytest.raises(ActivityError, match="2 of 3 activity files cannot be used") as error:
        read_activity(files)
    assert "empty.csv" in told(error)
    assert "lacks.csv" in told(error)


def test_a_file_given_twice_would_count_twice(write: Write, spells: Spells) -> None:
    path = write(spells())
    with pytest.raises(ActivityError, match="given more than once"):
        read_activity([path, path])


@pytest.mark.parametrize("missing", ["nowhere.csv", "none_*.csv"])
def test_a_path_that_finds_nothing(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ActivityError, match="there is no such file"):
        read_activity(str(tmp_path / missing))


def test_a_name_with_brackets_is_a_name_before_it_is_a_pattern(write: Write, spells: Spells) -> None:
    assert read_activity(str(write(spells(), "apc[2017].csv"))).collect().height == 1


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ActivityError, match="is a folder"):
        read_activity(tmp_path)
