"""Two runs compared in partitions: the number of partitions changes nothing, and nothing is left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest

from tariff.backtest import CAUSES, KEY, backtest, write_changed
from tariff.batch import Job, price_files
from tariff.columns import ADMITTED, names
from tariff.errors import ActivityError

SPELL = ["S1", "ZZB", "99A", "2017-06-20", "2017-06-30", "11", "1", "60", "HN22E"]


def spells(name: str, stay: int, ids: list[str | None]) -> Path:
    rows = [[one, *SPELL[1:4], f"2017-07-{stay + place % 3:02}", *SPELL[5:]] for place, one in enumerate(ids)]
    pl.DataFrame(rows, schema=names(ADMITTED, required_only=True), orient="row").write_parquet(name)
    return Path(name)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.chdir(tmp_path)
    ids = [f"S{number % 180}" for number in range(200)]
    for name, given, stay in (("a", [*ids, None, None], 1), ("b", [*ids[7:], None, "new"], 2)):
        price_files(Job([(None, spells(f"{name}.parquet", stay, given))], Path(f"{name}-run"), "example", rows_in_a_part=50))
    return Path("a-run"), Path("b-run")


def test_the_number_of_partitions_changes_nothing(runs, monkeypatch):
    with backtest(*runs) as one:
        told, whole = str(one), one.changed.collect()
    monkeypatch.setattr("tariff.backtest._LINES_IN_A_PARTITION", 20)
    monkeypatch.setattr("tariff.backtest._MOST_PARTITIONS", 7)
    with backtest(*runs) as many:
        assert str(many) == told
        apart = many.changed.collect()
    assert apart.sort("cause", *KEY).equals(whole.sort("cause", *KEY))
    order = [cause for cause in CAUSES if cause in set(whole["cause"])]
    assert apart["cause"].unique(maintain_order=True).to_list() == whole["cause"].unique(maintain_order=True).to_list() == order
    assert len(order) >= 3


def test_runs_are_compared_in_the_order_of_their_lines(runs):
    """A repeated identifier is matched in order: the run compared with itself has no change, in however many partitions."""
    with backtest(runs[0], runs[0]) as found:
        assert (found.lines_changed, found.lines) == (0, (202, 202))
        assert found.changed.collect().height == 0
        assert "No line changed." in str(found)


@pytest.mark.parametrize("name", ["c.parquet", "c.csv"])
def test_nothing_is_left_behind_but_what_was_asked_for(runs, name, monkeypatch, tmp_path):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    with backtest(*runs) as found:
        write_changed(found, Path(name), overwrite=False)
        expected = found.changed.collect()
    written = pl.read_parquet(name) if name.endswith("parquet") else pl.read_csv(name, infer_schema=False)
    assert written.height == expected.height == found.lines_changed > 0
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_damaged_run_is_named(runs):
    part = runs[1] / "priced" / "part-00002.parquet"
    spoiled = bytearray(part.read_bytes())
    spoiled[4:400] = b"\xff" * 396
    part.write_bytes(spoiled)
    with pytest.raises(ActivityError, match="b-run"), backtest(*runs):
        raise AssertionError("it was read")
