"""Every kind of activity: told by its key column, read into its own contract, mapped by its own section."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tariff.activity import read_activity, survey
from tariff.activity.kinds import KINDS, kind_named
from tariff.columns import READ_FAULT, names, schema
from tariff.errors import ActivityError

Write = Callable[..., Path]
Lines = Callable[..., str]

READ = {
    "admitted": ("S1", "RXX", "99A", date(2017, 4, 1), date(2017, 4, 8), "11", "1", 70, "HN22E"),
    "outpatient": ("A1", "RXX", "99A", date(2017, 4, 1), "110", "1", "5", 70, "WF01B"),
    "emergency": ("E1", "RXX", "99A", date(2017, 4, 1), "01", "VB08Z", 70),
    "unbundled": ("U1", "RXX", "99A", date(2017, 4, 1), "XC07Z", 3),
}


def test_a_file_is_told_and_read_into_its_kinds_contract(write: Write, lines: Lines, kind: str) -> None:
    path = write(lines(kind))
    frame = read_activity(path).collect()
    contract = kind_named(kind).columns
    assert frame.columns == [*names(contract, required_only=True), READ_FAULT]
    assert frame.schema == {
        name: dtype for name, dtype in (schema(contract) | {READ_FAULT: pl.String()}).items() if name in frame.columns
    }
    assert frame.row(0) == (*READ[kind], None)
    assert survey(path).kind == kind


def test_the_optional_columns_of_a_kind(write: Write, lines: Lines) -> None:
    attendance = {"multi_professional": "y", "consultant_led": "n", "referral_source": "03", "local_price": "£12.5"}
    row = read_activity(write(lines("outpatient", attendance))).collect().row(0, named=True)
    assert [row[name] for name in attendance] == ["Y", "N", "03", 1250]
    item = {"end_date": "03/04/2017", "parent_line_id": "sP1", "local_price": "1,000"}
    row = read_activity(write(lines("unbundled", item, separator=";"), "unbundled.csv")).collect().row(0, named=True)
    assert [row[name] for name in item] == [date(2017, 4, 3), "sP1", 100_000]
    visit = {"attendance_category": "02", "treatment_function": "180"}
    row = read_activity(write(lines("emergency", visit), "emergency.csv")).collect().row(0, named=True)
    assert [row[name] for name in visit] == ["02", "180"]


def test_parquet_of_a_kind_reads_as_its_csv_does(write: Write, lines: Lines, kind: str, tmp_path: Path) -> None:
    from_text = read_activity(write(lines(kind, {}, {"provider": ""}))).collect()
    typed = from_text.drop(READ_FAULT)
    typed.write_parquet(tmp_path / "typed.parquet")
    typed.select(pl.all().cast(pl.String)).write_parquet(tmp_path / "as_text.parquet")
    assert read_activity(tmp_path / "typed.parquet").collect().equals(from_text)
    assert read_activity(tmp_path / "as_text.parquet").collect().equals(from_text)


def test_a_kind_is_read_by_its_own_section_of_the_map(write: Write, kind: str) -> None:
    identifier = kind_named(kind).identifier
    required = names(kind_named(kind).columns, required_only=True)
    sections = [f'[{one.name}]\nblanks = ["-"]\n[{one.name}.rename]\n{one.identifier} = "{one.name} no"' for one in KINDS]
    column_map = write("\n".join(sections), "map.toml")
    headings = [f"{kind} no" if name == identifier else name for name in required]
    path = write(",".join(headings) + "\n" + ",".join(["x1", *["-"] * (len(required) - 1)]) + "\n")
    row = read_activity(path, columns=column_map).collect().row(0)
    assert row == ("x1", *[None] * len(required))
    assert (survey(path, columns=column_map).kind, survey(path, columns=column_map).column_map) == (kind, "map")


def test_a_file_of_attendances_is_told_by_its_date(write: Write, lines: Lines) -> None:
    outpatient = lines("outpatient")
    assert survey(write(outpatient)).kind == "outpatient"
    both = outpatient.replace("treatment_function", "arrival_date").replace("110", "2017-04-01")
    with pytest.raises(ActivityError, match=r"attendance_date \(outpatient\) and arrival_date \(emergency\)"):
        read_activity(write(both, "both.csv"))


def test_a_constant_key_tells_the_kind_only_where_the_file_has_none_of_its_own(write: Write, lines: Lines) -> None:
    dialysis = write('[unbundled.constants]\ncurrency = "LD01A"\n', "dialysis.toml")
    assert survey(write(lines("admitted")), columns=dialysis).kind == "admitted"
    sessions = write("line_id,provider,commissioner,date,units\nU1,RXX,99A,2017-04-01,3\n", "sessions.csv")
    assert read_activity(sessions, columns=dialysis).collect()["currency"].to_list() == ["LD01A"]


@pytest.mark.parametrize(
    ("kind", "key"), [("outpatient", "attendance_date"), ("emergency", "arrival_date"), ("unbundled", "currency")]
)
def test_a_missing_key_is_a_missing_column_of_the_kind_most_alike(write: Write, lines: Lines, kind: str, key: str) -> None:
    with pytest.raises(ActivityError, match=f"lacks the column '{key}'") as error:
        read_activity(write(lines(kind).replace(key, "when")))
    assert len(error.value.faults) == 1


def test_a_file_may_be_read_as_the_kind_it_is_said_to_be(write: Write, lines: Lines) -> None:
    with pytest.raises(ActivityError, match="lacks the column 'arrival_date'"):
        read_activity(write(lines("outpatient")), kind="emergency")


def test_files_of_different_kinds_are_not_read_together(write: Write, lines: Lines) -> None:
    files = [write(lines(kind), f"{kind}.csv") for kind in ("outpatient", "emergency")]
    with pytest.raises(ActivityError, match="different kinds") as error:
        read_activity(files)
    assert [fault.what for fault in error.value.faults] == ["holds outpatient activity", "holds emergency activity"]
