"""Runs from Python: where things stand, and a run that does not reconcile."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tariff.activity import reading
from tariff.batch import Job, card_of, card_path, damage_found, is_one_file, price_files, rules_of
from tariff.columns import ADMITTED, names
from tariff.errors import ActivityError, DisagreementError, OutputError
from tariff.intake import take_in
from tariff.run_card import require_conservation, totals_of

SPELL = ["S1", "ZZB", "99A", "2017-06-20", "2017-06-30", "11", "1", "60", "HN22E"]


@pytest.fixture
def activity(tmp_path: Path) -> Path:
    file = tmp_path / "apc.parquet"
    pl.DataFrame([SPELL], schema=names(ADMITTED, required_only=True), orient="row").write_parquet(file)
    return file


@pytest.fixture
def run(activity, tmp_path):
    return price_files(Job([(None, activity)], tmp_path / "priced.parquet", "example", command=["a", "test"]))


@pytest.mark.parametrize(
    ("out", "card"),
    [
        ("priced.parquet", "priced.run_card.json"),
        ("2017.04.parquet", "2017.04.run_card.json"),
        ("UPPER.PARQUET", "UPPER.run_card.json"),
        ("run", "run/run_card.json"),
        ("run.2017-18", "run.2017-18/run_card.json"),
    ],
)
def test_where_the_run_card_stands(out, card):
    assert card_path(Path(out)) == Path(card)
    assert is_one_file(Path(out)) == out.lower().endswith(".parquet")


@pytest.mark.parametrize(("out", "aggregate"), [("run.parquet", False), ("run", False), ("totals.parquet", True)])
def test_every_file_is_opened_and_checked_once(activity, tmp_path, monkeypatch, out, aggregate):
    text = tmp_path / "more.csv"
    pl.read_parquet(activity).write_csv(text)
    opened, checked = [], []
    real_opened, real_checked = reading.opened, reading._unreadable_throughout
    monkeypatch.setattr(reading, "opened", lambda path: opened.append(path) or real_opened(path))
    monkeypatch.setattr(reading, "_unreadable_throughout", lambda one: checked.append(one.file.path) or real_checked(one))
    price_files(Job([(None, activity), (None, text)], tmp_path / out, "example", aggregate=aggregate))
    assert opened == checked == [activity, text]


def test_a_file_that_changes_after_it_was_opened_stops_the_run(activity, tmp_path, monkeypatch):
    """What is told of a file, its hash for one, is of the file that was opened."""

    def changed(*given):
        intake = take_in(*given)
        pl.concat([pl.read_parquet(activity)] * 2).write_parquet(activity)
        return intake

    monkeypatch.setattr("tariff.batch.running.take_in", changed)
    with pytest.raises((ActivityError, DisagreementError)):
        price_files(Job([(None, activity)], tmp_path / "run", "example"))
    assert [path.name for path in tmp_path.iterdir()] == ["apc.parquet"]


def test_a_folder_may_be_called_like_a_file(tmp_path):
    (tmp_path / "odd.parquet").mkdir()
    assert card_path(tmp_path / "odd.parquet") == tmp_path / "odd.parquet" / "run_card.json"


def test_a_run_returns_what_it_wrote(run):
    assert run.totals.price_pence == run.card["price_pence"] == 630_000
    written = card_of(run.out)
    assert {**written, "finished": None} == {**run.card, "finished": None}
    (pack,) = rules_of(written)
    assert pack.label == "example"


def test_rows_that_are_lost_stop_the_run(run, tmp_path):
    totals = totals_of(pl.scan_parquet(run.out), tmp_path)
    require_conservation(1, totals)
    with pytest.raises(DisagreementError, match="2 came in and 1 went out"):
        require_conservation(2, totals)


def test_components_that_do_not_add_stop_the_run(run, tmp_path):
    spoiled = pl.scan_parquet(run.out).with_columns(base_pence=pl.col("base_pence") + 1)
    with pytest.raises(DisagreementError, match="components add to 630001p, prices to 630000p"):
        require_conservation(1, totals_of(spoiled, tmp_path))


def test_a_run_that_does_not_reconcile_leaves_nothing(activity, tmp_path, monkeypatch):
    real = totals_of
    monkeypatch.setattr("tariff.batch.settling.totals_of", lambda lines, scratch: real(pl.concat([lines, lines]), scratch))
    for out in ("priced.parquet", "run"):
        with pytest.raises(DisagreementError) as caught:
            price_files(Job([(None, activity)], tmp_path / out, "example"))
        assert caught.value.exit_code == 5
        assert sorted(tmp_path.iterdir()) == [activity]


def test_a_failure_that_is_not_the_input_s_stays_what_it_was(activity):
    broken = pl.exceptions.ComputeError("disk")
    with pytest.raises(pl.exceptions.ComputeError, match="disk"), damage_found([([activity], pl.scan_parquet(activity))]):
        raise broken


def test_writing_that_fails_is_the_output_s_fault(activity, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise pl.exceptions.ComputeError("File too large (os error 27), near P943")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    with pytest.raises(OutputError) as caught:
        price_files(Job([(None, activity)], tmp_path / "priced.parquet", "example"))
    assert "P943" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [activity]
