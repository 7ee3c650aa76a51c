"""Cells number and sum lines as a group-by does, however many there are, whatever tells them apart."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.cells import Cells
from tariff.errors import UsageError

COLOUR = pl.Enum(["red", "green", "blue"])
SCHEMA = pl.Schema(
    {
        **{"who": pl.String, "where": pl.String, "what": pl.String, "colour": COLOUR, "month": pl.Int8},
        **{"row": pl.Int32, "flags": pl.Int64, "pence": pl.Int64, "priced": pl.Boolean},
    }
)
SCHEMA_OF = {name: SCHEMA[name] for name in ("colour", "month", "pence")}
KEYS = ("who", "where", "what", "colour", "month", "row", "flags")
ROW = st.fixed_dictionaries(
    {
        "who": st.none() | st.sampled_from(["RR8", "rr8", "a name longer than twelve bytes"]),
        "where": st.sampled_from(["15E", "QWO"]),
        "what": st.sampled_from(["HN22E", "HN22A"]),
        "colour": st.none() | st.sampled_from(["red", "blue"]),
        "month": st.none() | st.integers(1, 12) | st.just((1 << 7) - 1),
        "row": st.none() | st.sampled_from([0, 2_403, (1 << 31) - 1]),
        "flags": st.none() | st.sampled_from([0, 1 << 40, 1 << 62]),
        "pence": st.none() | st.integers(-(10**15), 10**15),
        "priced": st.booleans(),
    }
)


def grouped(lines: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    sums = {"lines": pl.len().cast(pl.Int64), "pence": pl.col("pence").sum(), "priced": pl.col("priced").sum().cast(pl.Int64)}
    return lines.group_by(keys).agg(**sums).sort(keys, nulls_last=True)


def summed(blocks: list[pl.DataFrame], keys: tuple[str, ...]) -> pl.DataFrame:
    cells = Cells(keys, ("pence", "priced"), SCHEMA)
    for block in blocks:
        cells.add(block)
    return cells.frame(in_order=True)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.lists(ROW, max_size=12), max_size=4), st.sets(st.sampled_from(KEYS)).map(lambda keys: tuple(sorted(keys))))
def test_cells_are_a_group_by(blocks: list[list[dict[str, object]]], keys: tuple[str, ...]) -> None:
    frames = [pl.DataFrame(rows, schema=SCHEMA, orient="row") for rows in blocks]
    together = pl.concat([pl.DataFrame(schema=SCHEMA), *frames])
    if keys:
        assert summed(frames, keys).equals(grouped(together, keys))
    else:
        assert summed(frames, keys)["lines"].sum() == together.height


@pytest.mark.parametrize("lines", [10, 5_000, 40_000])
def test_cells_grow(lines: int) -> None:
    numbers = pl.int_range(lines, eager=True)
    frame = pl.DataFrame({"who": "P" + (numbers % 7_919).cast(pl.String), "row": (numbers % 13).cast(pl.Int32), "pence": numbers})
    frame = frame.with_columns(priced=pl.lit(value=True))
    blocks = list(frame.iter_slices(9_001))
    assert summed(blocks, ("who", "row")).equals(grouped(frame, ("who", "row")))


def test_many_sums_are_those_of_a_group_by() -> None:
    """Beyond seven, sums that few lines of the first frame add to stand by themselves, whatever comes later."""
    numbers, names = pl.int_range(9_000, eager=True), [f"pence {number}" for number in range(10)]
    sums = {name: pl.when(numbers % (3 * place + 1) == 0).then(numbers - 4_000) for place, name in enumerate(names)}
    rare = pl.select(row=(numbers % 2_003).cast(pl.Int32), **sums)
    often = rare.with_columns(pl.col(names).fill_null(1))
    schema = pl.Schema({"row": pl.Int32})
    cells = Cells(["row"], names, schema)
    for frame in (rare.head(0), rare, often, rare.select("row", pl.col(names) * 0), rare.head(1)):
        cells.add(frame)
    together = pl.concat([rare, often, rare.select("row", pl.col(names) * 0), rare.head(1)])
    expected = together.group_by("row").agg(pl.len().cast(pl.Int64).alias("lines"), pl.col(names).sum()).sort("row")
    assert cells.frame(in_order=True).equals(expected)


def test_enumerations_as_texts_are_in_the_order_of_texts() -> None:
    frame = pl.DataFrame({"colour": ["green", None, "red", "blue"], "month": [1, 2, None, 3], "pence": [1, 2, 4, 8]}, SCHEMA_OF)
    cells = Cells(["colour", "month"], ["pence"], SCHEMA)
    cells.add(frame)
    assert cells.frame(in_order=True)["colour"].to_list() == ["red", "green", "blue", None]
    told = cells.frame(in_order=True, as_texts=True)
    assert told.rows() == [("blue", 3, 1, 8), ("green", 1, 1, 1), ("red", None, 1, 4), (None, 2, 1, 2)]
    assert told["colour"].dtype == pl.String
    assert told.equals(cells.frame(as_texts=True).sort("colour", nulls_last=True))


def test_codes_are_told_apart_without_case_and_blanks() -> None:
    cells = Cells(["who", "what"], ["pence"], SCHEMA, codes={"who"})
    cells.add(pl.DataFrame({"who": ["rr8", "RR8 ", " ", None], "what": ["a", "a", "A", "A"], "pence": [1, 2, 4, 8]}))
    assert cells.frame().rows() == [("RR8", "a", 2, 3), (None, "A", 2, 12)]


def test_more_values_than_there_is_room_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tariff.cells._MOST_TEXTS", 15)
    cells = Cells(["who"], ["pence"], SCHEMA)
    with pytest.raises(UsageError, match="Totals cannot be made by that column"):
        cells.add(pl.DataFrame({"who": [str(number) for number in range(16)], "pence": 0}))


def test_cells_stay_what_they_are_as_their_keys_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """First each has a place of its own, then they are searched for by one word, then by several."""
    monkeypatch.setattr("tariff.cells._MOST_PLACES", 8)
    rows = [
        *({"who": "P1", "what": "a", "colour": "red", "month": 1, "row": 0, "flags": 0, "pence": 1}, {"pence": 2}),
        *({"who": f"P{number}", "what": "a name longer than twelve bytes", "month": number, "pence": 4} for number in range(40)),
        *({"who": "P1", "row": number, "flags": 1 << number, "pence": 8} for number in range(31)),
        *({"who": "P1", "row": (1 << 31) - 1, "flags": 1 << number, "pence": 16} for number in range(62)),
        {"who": "P1", "what": "a", "colour": "red", "month": 1, "row": 0, "flags": 0, "pence": 32},
    ]
    frames = [pl.DataFrame([row], schema=SCHEMA, orient="row").with_columns(priced=pl.lit(value=True)) for row in rows]
    assert summed(frames, KEYS).equals(grouped(pl.concat(frames), KEYS))


@pytest.mark.parametrize("text", ["RR8", "a name longer than twelve bytes", "", None])
def test_one_text_throughout(text: str | None) -> None:
    frame = pl.DataFrame({"who": [text, text, text], "pence": [1, 2, 4], "priced": [True, False, True]}, schema_overrides=SCHEMA)
    assert summed([frame, frame.head(1), frame.head(0)], ("who",)).rows() == [(text, 4, 8, 3)]
