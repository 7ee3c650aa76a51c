"""Priced lines of files are those of the activity read from them, whatever is asked of the frame."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import tariff
from tariff.activity import read_activity
from tariff.errors import ActivityError
from tariff.rulepack import RulePack, load_pack
from tariff.synthetic import activity
from tariff.synthetic.frames import write_parquet


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return load_pack("example")


@pytest.fixture(scope="module", params=["admitted", "outpatient", "emergency", "unbundled"])
def file(request: pytest.FixtureRequest, pack: RulePack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("activity") / f"{request.param}.parquet"
    write_parquet(path, [activity(request.param, 300, 11, pack=pack)], ("local_price",))
    return path


def test_every_column_of_every_line(file: Path, pack: RulePack) -> None:
    assert tariff.price(file, pack).collect().equals(tariff.price(read_activity(file), pack).collect())
    assert tariff.price([str(file)], pack).collect_schema() == tariff.price(read_activity(file), pack).collect_schema()


def test_parts_of_the_frame_may_be_asked_for(file: Path, pack: RulePack) -> None:
    lines, whole = tariff.price(file, pack), tariff.price(read_activity(file), pack).collect()
    assert lines.head(7).collect().equals(whole.head(7))
    assert lines.select("price_pence", "line_id").collect().equals(whole.select("price_pence", "line_id"))
    unpriced = pl.col("outcome") != "priced"
    assert lines.filter(unpriced).collect().equals(whole.filter(unpriced))
    assert lines.head(9).filter(unpriced).collect().equals(whole.head(9).filter(unpriced))
    assert lines.filter(unpriced).select("reason").head(3).collect().equals(whole.filter(unpriced).select("reason").head(3))


def test_delimited_text_too(pack: RulePack, tmp_path: Path) -> None:
    lines = activity("outpatient", 60, 11, pack=pack).drop("local_price")
    lines.write_csv(tmp_path / "lines.csv")
    found = tariff.price(tmp_path / "lines.csv", pack, columns=["line_id", "price_pence"]).collect()
    assert found.equals(tariff.price(lines, pack, columns=["line_id", "price_pence"]).collect())


def test_a_file_that_is_not_there_is_told_at_once(pack: RulePack, tmp_path: Path) -> None:
    with pytest.raises(ActivityError, match="no activity to read"):
        tariff.price(tmp_path / "nothing.parquet", pack)
