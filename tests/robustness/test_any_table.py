"""Tables of whatever cells: every row comes back once with one reason, and text and Parquet of the same cells price alike."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tariff.batch import Job, price_files
from tariff.columns import ADMITTED, EMERGENCY, OUTPATIENT, UNBUNDLED, Column

KINDS = {"admitted": ADMITTED, "outpatient": OUTPATIENT, "emergency": EMERGENCY, "unbundled": UNBUNDLED}
ODD = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.sampled_from(
        ["", " ", '"', "'", ",", ";", "\n", "=1+1", "NULL", "nan", "-0", "1e5", "007", "٣", "½", "🏥", "UZ01Z", "9" * 40]
    ),
)
USUAL = {
    "date": ["2017-06-20", "20/06/2017", "20170620", "2017-06-31", "1899-12-31", "9999-12-31", "2017-06-20 10:00"],
    "integer": ["0", "1", "2", "19", "130", "131", "-1", "40000", "2147483648", "1.0"],
    "pence": ["0", "12.50", "10000000000", "10000000000.01", "£5", "1,234.50", "-3", "0.005"],
    "text": ["ZZB", "ZZA", "99A", "11", "21", "1", "2", "HN22E", "DZ19H", "WF01A", "VB01Z", "XD01Z", "100", "5", "D"],
}


def _sort(column: Column) -> str:
    if column.name == "local_price":
        return "pence"
    return "date" if column.dtype == pl.Date() else "integer" if column.dtype.is_integer() else "text"


def _cells(column: Column) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.sampled_from(USUAL[_sort(column)]), st.sampled_from(USUAL["text"]), ODD)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, pl.DataFrame]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    optional = draw(st.sets(st.sampled_from([column.name for column in KINDS[kind] if not column.required]), max_size=6))
    columns = [column for column in KINDS[kind] if column.required or column.name in optional]
    rows = draw(st.lists(st.tuples(*map(_cells, columns)), max_size=12))
    usual = tuple(USUAL[_sort(column)][0 if _sort(column) != "integer" else 1] for column in columns)
    rows.insert(draw(st.integers(0, len(rows))), usual)  # a column that is unreadable throughout refuses the file
    names = [column.name for column in columns]
    return kind, pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String()), orient="row")


def _priced(kind: str, path: Path) -> pl.DataFrame:
    run = price_files(Job([(kind, path)], path.parent / f"{path.stem}-{path.suffix[1:]}.parquet", "example"))
    lines = pl.read_parquet(run.out)
    assert lines.height == run.card["counts"]["in"] == sum(run.card["counts"][name] for name in OUTCOMES)
    assert lines["price_pence"].sum() == run.card["price_pence"]
    assert lines["reason"].null_count() == lines["outcome"].null_count() == 0
    return lines


OUTCOMES = ("priced", "excluded", "unpriced", "rejected")


def _hold(kind: str, table: pl.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as name:
        text, parquet = Path(name) / "table.csv", Path(name) / "table.parquet"
        table.write_parquet(parquet)
        table.write_csv(text, quote_style="always")
        own = "parent_line_id"
        from_parquet = _priced(kind, parquet)
        assert from_parquet.filter(pl.col(own).is_null() | (pl.lit(kind) == "unbundled")).height >= table.height
        from_text = _priced(kind, text)
        assert from_text.equals(from_parquet)


ANY = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


@settings(max_examples=25, derandomize=True, **ANY)
@given(tables())
def test_any_table_comes_back_whole(given_: tuple[str, pl.DataFrame]) -> None:
    _hold(*given_)


@pytest.mark.slow
@settings(max_examples=int(os.environ.get("TARIFF_FUZZ", "1500")), **ANY)
@given(tables())
def test_many_tables_come_back_whole(given_: tuple[str, pl.DataFrame]) -> None:
    _hold(*given_)
