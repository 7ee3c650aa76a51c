"""Property: canonical activity written out and read back is the same activity."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariff.activity import read_activity
from tariff.activity.cells import CASE_MATTERS
from tariff.activity.kinds import KINDS, Kind
from tariff.columns import READ_FAULT, Column, schema
from tariff.money import pounds

SAFE = st.text(st.sampled_from(string.ascii_letters + string.digits + ' ,;|"\n\r\t£é=+-.'), max_size=8)


def values(column: Column) -> st.SearchStrategy[object]:
    if column.dtype == pl.Date:
        return st.dates(date(1, 1, 1), date(9999, 12, 31))
    if column.dtype == pl.Int32:
        return st.integers(-(2**31), 2**31 - 1)
    if column.dtype == pl.Int64:
        return st.integers(-(10**18) + 1, 10**18 - 1)
    text = SAFE.map(str.strip).filter(bool)
    return text if column.name in CASE_MATTERS else text.map(str.upper)


def activity(kind: Kind) -> st.SearchStrategy[pl.DataFrame]:
    rows = st.lists(st.tuples(*(st.none() | values(column) for column in kind.columns)), max_size=6)
    return rows.map(lambda given: pl.DataFrame(given, schema(kind.columns), orient="row"))


ACTIVITY = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), activity(kind)))


def as_csv(frame: pl.DataFrame, *, dates: str, separator: str) -> str:
    in_pounds = pl.col("local_price").map_elements(lambda amount: pounds(amount).replace("\u2212", "-"), return_dtype=pl.String)
    return frame.with_columns(in_pounds, pl.col(pl.Date).dt.strftime(dates)).write_csv(separator=separator)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind_and_frame=ACTIVITY,
    dates=st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d"]),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
)
def test_csv_round_trip(
    kind_and_frame: tuple[Kind, pl.DataFrame], dates: str, separator: str, encoding: str, write: Callable[..., Path]
) -> None:
    kind, frame = kind_and_frame
    path = write(as_csv(frame, dates=dates, separator=separator), encoding=encoding)
    read = read_activity(path, kind=kind.name).collect()
    present = pl.any_horizontal(pl.all().is_not_null())
    assert read.drop(READ_FAULT).equals(frame.filter(present))
    assert read[READ_FAULT].null_count() == read.height


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind_and_frame=ACTIVITY)
def test_parquet_round_trip(kind_and_frame: tuple[Kind, pl.DataFrame], tmp_path: Path) -> None:
    kind, frame = kind_and_frame
    path = tmp_path / "apc.parquet"
    frame.with_columns(pl.col("local_price").cast(pl.Decimal(38, 2)) / 100).write_parquet(path)
    read = read_activity(path, kind=kind.name).collect()
    assert read.drop(READ_FAULT).equals(frame)
    assert read[READ_FAULT].null_count() == read.height
