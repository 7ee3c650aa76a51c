"""Lines that are not the same in two runs, found by hashes: those that a look at each would find, in however many partitions."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.changed_lines import Marked, differing, lay_hashes_aside
from tariff.errors import ActivityError

Line = tuple[str | None, int]
LINES = st.lists(st.tuples(st.sampled_from(["a", "b", "c", "", None]), st.integers(0, 2)), max_size=12)


def numbered(lines: list[Line]) -> dict[tuple[str | None, int], int]:
    """The value of each line by its key and how many of that key came before."""
    met: Counter[str | None] = Counter()
    found = {}
    for key, value in lines:
        found[key, met[key]] = value
        met[key] += 1
    return found


def blocks(lines: list[Line], rows: int = 5) -> list[pl.DataFrame]:
    frame = pl.DataFrame(lines, schema={"key": pl.String, "value": pl.Int64}, orient="row")
    return list(frame.iter_slices(rows))


def marked(before: list[Line], after: list[Line], partitions: int) -> tuple[Marked, Marked]:
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / side for side in ("before", "after")]
        lines = [
            lay_hashes_aside(blocks(one), ["key"], partitions, folder)
            for one, folder in zip((before, after), folders, strict=True)
        ]
        return differing(folders, lines, partitions)


def told(lines: list[Line], marks: Marked) -> set[tuple[str | None, int]]:
    """Key and number of the lines that are marked, gone through in blocks of another size."""
    found, first = [], 0
    for block in blocks(lines, 4):
        found.append(marks.within(block, first))
        first += block.height
    return {(key, number) for frame in found for key, number in frame.select("key", "occurrence").rows()}


@settings(deadline=None, max_examples=150)
@given(LINES, LINES, st.integers(1, 3))
def test_what_a_look_at_each_line_finds(before: list[Line], after: list[Line], partitions: int) -> None:
    first, second = numbered(before), numbered(after)
    changed = {one for one in first.keys() | second.keys() if first.get(one) != second.get(one)}
    marks = marked(before, after, partitions)
    assert told(before, marks[0]) == changed & first.keys()
    assert told(after, marks[1]) == changed & second.keys()
    assert [len(one) for one in marks] == [len(changed & first.keys()), len(changed & second.keys())]


def test_lines_that_grew_meanwhile_are_not_taken_for_the_same() -> None:
    marks, _ = marked([("a", 1)], [("a", 2)], 1)
    (block,) = blocks([("a", 1), ("b", 1)])
    with pytest.raises(ActivityError, match="read to their end"):
        marks.within(block, 0)
