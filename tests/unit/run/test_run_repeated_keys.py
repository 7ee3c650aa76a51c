"""Repeated identifiers are counted and valued the same whether they fit in memory or are laid aside."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tariff.errors import OutputError
from tariff.repeated_keys import repeated_keys


def lines(ids: list[str | None], kind: str = "admitted", provider: str = "ZZB") -> pl.LazyFrame:
    columns = {"kind": [kind] * len(ids), "provider": [provider] * len(ids), "line_id": pl.Series(ids, dtype=pl.String)}
    return pl.LazyFrame(columns).with_columns(price_pence=pl.int_range(1, len(ids) + 1, dtype=pl.Int64))


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        ([], (0, 0)),
        ([None, None], (0, 0)),
        (["a"], (0, 0)),
        (["a", "b", "c"], (0, 0)),
        (["a", "b", "a"], (1, 3)),
        (["a", "a", "a", "b", "b", None], (3, 2 + 3 + 5)),
    ],
)
def test_repeats_are_all_but_the_first(tmp_path, ids, found):
    assert repeated_keys(lines(ids), tmp_path) == found


def test_another_provider_or_kind_is_another_line(tmp_path):
    frames = [lines(["a"]), lines(["a"], provider="ZZA"), lines(["a"], kind="outpatient"), lines(["a"])]
    assert repeated_keys(pl.concat(frames), tmp_path) == (1, 1)


def test_what_does_not_fit_in_memory_is_laid_aside(tmp_path, monkeypatch):
    ids = [f"S{number % 70_000}" for number in range(100_000)]
    expected = (30_000, sum(range(70_001, 100_001)))
    assert repeated_keys(lines(ids), tmp_path) == expected
    monkeypatch.setattr("tariff.repeated_keys._HELD_BYTES", 1_000)
    assert repeated_keys(lines(ids), tmp_path) == expected
    assert list(tmp_path.iterdir()) == []


def test_no_room_to_lay_aside_is_the_output_s_fault(tmp_path, monkeypatch):
    monkeypatch.setattr("tariff.repeated_keys._HELD_BYTES", 1)
    with pytest.raises(OutputError) as caught:
        repeated_keys(lines(["a"]), Path(tmp_path / "nowhere"))
    assert caught.value.exit_code == 6
