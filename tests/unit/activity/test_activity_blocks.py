"""Activity in blocks: every line once and in order, whatever the files are like, and what goes wrong is told."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariff.activity import blocks
from tariff.activity.blocks import Filed, Lines, all_between, pieces_of
from tariff.activity.reading import PRICING_ONLY, activity_to_price
from tariff.synthetic import activity


def written(path: Path, first: int, lines: int, row_group: int) -> tuple[pl.LazyFrame, Path]:
    pl.DataFrame({"line": range(first, first + lines)}).write_parquet(path, row_group_size=row_group)
    return pl.scan_parquet(path), path


def lines_of(lines: Lines) -> list[list[int]]:
    return list(lines.each_block(["line"], lambda block: block["line"].to_list()))


@pytest.mark.parametrize(("row_group", "most"), [(10, 12), (10, 1), (40, 40), (100, 1_000)])
def test_every_line_once_and_in_order(row_group: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_ROWS", most)
    files = [written(tmp_path / "a.parquet", 0, 95, row_group), written(tmp_path / "b.parquet", 95, 31, row_group)]
    pieces = pieces_of([(Filed(lines), path) for lines, path in files])
    assert pieces
    found = lines_of(Lines(pl.concat([lines for lines, _ in files]), pieces))
    assert [line for block in found for line in block] == list(range(126))
    assert max(map(len, found)) < row_group + most


def test_what_is_told_is_told_of_bounded_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_ROWS", 20)
    lines, path = written(tmp_path / "a.parquet", 0, 95, 50)
    found = lines_of(Lines(lines, pieces_of([(Filed(lines), path)])))
    assert [line for block in found for line in block] == list(range(95))
    assert max(map(len, found)) == 20


def test_a_file_of_one_huge_row_group_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_MOST_ROWS", 50)
    lines, path = written(tmp_path / "a.parquet", 0, 60, 60)
    assert pieces_of([(Filed(lines), path)]) == ()
    assert [line for block in lines_of(Lines(lines)) for line in block] == list(range(60))


def test_a_file_without_lines_has_no_blocks_that_hold_any(tmp_path: Path) -> None:
    lines, path = written(tmp_path / "a.parquet", 0, 0, 10)
    assert [line for block in lines_of(Lines(lines, pieces_of([(Filed(lines), path)]))) for line in block] == []


def test_what_goes_wrong_in_a_block_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_ROWS", 10)
    lines, path = written(tmp_path / "a.parquet", 0, 60, 10)

    def told(block: pl.DataFrame) -> int:
        if block["line"][0] == 30:
            raise RuntimeError("the fourth block")
        return block.height

    with pytest.raises(RuntimeError, match="the fourth block"):
        list(Lines(lines, pieces_of([(Filed(lines), path)])).each_block(["line"], told))


def test_only_parquet_with_a_line_a_row_comes_in_pieces(tmp_path: Path) -> None:
    lines = activity("outpatient", 20, 3).drop("local_price")
    lines.write_parquet(tmp_path / "a.parquet")
    lines.drop("consultant_led").write_parquet(tmp_path / "b.parquet")
    lines.write_csv(tmp_path / "c.csv")
    assert activity_to_price(tmp_path / "a.parquet").pieces
    assert not activity_to_price([tmp_path / "a.parquet", tmp_path / "b.parquet"]).pieces, "their columns differ"
    assert not activity_to_price(tmp_path / "c.csv").pieces


IDENTIFIERS = ["A1", "A2", "B7"]


@pytest.mark.parametrize(
    ("texts", "proved"),
    [
        (IDENTIFIERS, True),
        ([*IDENTIFIERS, None], False),
        ([*IDENTIFIERS, ""], False),
        ([*IDENTIFIERS, " C"], False),
        ([*IDENTIFIERS, "\u00a0"], False),
        ([*IDENTIFIERS, "TOTAL"], False),
        ([*IDENTIFIERS, "Z"], False),
        (["x" * 200, "y" * 200], True),
    ],
)
def test_statistics_prove_only_what_is_so(texts: list[str | None], proved: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"line": texts, "other": texts}).write_parquet(path, row_group_size=2)
    assert all_between(path, "line", "!", "~", ["TOTAL", "total"]) == (proved)
    assert not all_between(path, "nothing", "!", "~", [])


def test_without_statistics_nothing_is_proved(tmp_path: Path) -> None:
    pl.DataFrame({"line": IDENTIFIERS}).write_parquet(tmp_path / "a.parquet", statistics=False)
    pl.DataFrame({"line": [1, 2]}).write_parquet(tmp_path / "b.parquet")
    for name in ("a", "b"):
        assert not all_between(tmp_path / f"{name}.parquet", "line", "!", "~", [])


def filed(**columns: object) -> pl.DataFrame:
    """Spells as a file may hold them: codes with blanks, bad pounds, numbers beyond their range, a row of totals."""
    spells = activity("admitted", 40, 5).with_columns(
        pl.col("local_price").cast(pl.String),
        pl.col("critical_care_days").cast(pl.Int64),
        pl.Series("provider", ["rr8 ", None] * 20),
    )
    return spells.with_columns(**columns)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"local_price": pl.when(pl.int_range(pl.len()) % 7 == 0).then(pl.lit("£1,200.5")).otherwise(pl.lit("nothing"))},
        {"local_price": pl.lit(" ")},
        {"critical_care_days": pl.when(pl.int_range(pl.len()) == 3).then(2**40).otherwise("critical_care_days")},
        {"spell_id": pl.when(pl.int_range(pl.len()) == 39).then(pl.lit("Total")).otherwise("spell_id")},
        {"spell_id": pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise("spell_id")},
        {"hrg": pl.lit(None, pl.String)},
    ],
)
@pytest.mark.parametrize("as_filed", [frozenset[str](), PRICING_ONLY])
def test_blocks_in_memory_are_what_the_whole_file_is(
    columns: dict[str, pl.Expr], as_filed: frozenset[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "_ROWS", 15)
    filed(**columns).write_parquet(tmp_path / "a.parquet", row_group_size=10)
    lines = activity_to_price(tmp_path / "a.parquet", as_filed=as_filed)
    assert lines.pieces
    assert all(piece.making for piece in lines.pieces)
    every = lines.whole.collect_schema().names()
    for asked in (every, ["hrg", "read_fault"], ["read_fault"], ["critical_care_days", "local_price"]):
        found = pl.concat(lines.each_block(asked, lambda block: block))
        assert_frame_equal(found, lines.whole.select(asked).collect())


def test_columns_that_take_a_query_are_read_by_one(tmp_path: Path) -> None:
    filed(age=pl.col("age").cast(pl.Float64)).write_parquet(tmp_path / "a.parquet", row_group_size=10)
    lines = activity_to_price(tmp_path / "a.parquet")
    assert lines.pieces
    assert not any(piece.making for piece in lines.pieces)
    names = lines.whole.collect_schema().names()
    assert_frame_equal(pl.concat(lines.each_block(names, lambda block: block)), lines.whole.collect())
