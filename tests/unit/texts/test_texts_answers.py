"""A question about a code has the same answer by the words of its view as by its text, whatever the column looks like."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.texts.answers import Answers
from tariff.texts.views import views_of

TEXTS = st.none() | st.text(max_size=16) | st.sampled_from(["HN22E", "HN22E ", "hn22e", "A" * 12, "A" * 13, "A" * 11 + "\0", ""])


def length(text: str) -> int:
    return 2 + len(text.encode())


def by_text(texts: list[str | None]) -> list[int]:
    return [1 if text is None else length(text) for text in texts]


def answers_to(answers: Answers, column: pl.Series) -> list[int]:
    found = np.zeros(len(column), np.uint64)
    answers.into(found, column)
    return [int(one) for one in found]


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.lists(TEXTS, max_size=30), max_size=4), st.integers(0, 5))
def test_the_answer_is_that_to_the_text(blocks: list[list[str | None]], offset: int) -> None:
    answers = Answers(length, 1)
    for texts in blocks:
        column = pl.Series(texts, dtype=pl.String)
        assert answers_to(answers, column) == by_text(texts)
        assert answers_to(answers, column[offset:]) == by_text(texts[offset:])
        assert answers_to(answers, pl.concat([column, column])) == by_text(texts + texts)


@given(st.lists(st.none() | st.sampled_from(["HN22E", "X", "A longer text than twelve"]), min_size=1, max_size=30))
def test_coded_columns_are_asked_the_same(texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    known = column.drop_nulls().unique().to_list()
    for coded in (column.cast(pl.Categorical), column.cast(pl.Enum(["unused", *known]))):
        assert answers_to(Answers(length, 1), coded) == by_text(texts)


@pytest.mark.parametrize("offset", [*range(10), 63, 64, 65])
@pytest.mark.parametrize("held", [0.02, 0.5, 0.98])
def test_blanks_lie_wherever_they_lie(offset: int, held: float) -> None:
    draw = np.random.default_rng(offset)
    texts = [f"X{draw.integers(5)}" if draw.random() < held else None for _ in range(1_000)]
    for blank in (0, 1):
        wanted = [blank if text is None else 2 * len(text) for text in texts]
        answers = Answers(lambda text: 2 * len(text), blank)
        assert answers_to(answers, pl.Series(texts, dtype=pl.String)[offset:]) == wanted[offset:]
        assert answers_to(answers, pl.Series(texts, dtype=pl.String)[: -offset or None]) == wanted[: -offset or None]


@pytest.mark.parametrize("held", [0.5, 0.95])
@pytest.mark.parametrize("blank", [0, 1])
def test_what_stands_behind_a_blank_is_not_answered(held: float, blank: int) -> None:
    """Neither a text that is known nor one that is not, even beyond twelve bytes."""
    draw = np.random.default_rng(7)
    texts = [draw.choice(["AB", "ABCDE", f"NEW{number}", "A" * 20]) for number in range(400)]
    known = draw.random(len(texts)) < held
    array = pl.Series(texts, dtype=pl.String).to_arrow(compat_level=pl.CompatLevel.newest())
    bitmap = pa.py_buffer(np.packbits(known, bitorder="little"))
    column = pl.Series(pa.Array.from_buffers(array.type, len(texts), [bitmap, *array.buffers()[1:]]))
    if (views := views_of(column)) is not None:
        assert np.count_nonzero(views.words[::2][~known]) == np.count_nonzero(~known), "nothing stands behind the blanks"
    answers = Answers(length, blank)
    for _ in range(2):
        wanted = [length(text) if holds else blank for text, holds in zip(texts, known, strict=True)]
        assert answers_to(answers, column) == wanted


@pytest.mark.parametrize("later", [["ABCDE", "ABCDF"], ["ABCD\0"], ["A" * 12], ["A" * 13], [""]])
def test_longer_texts_come_after_short_ones_that_begin_alike(later: list[str]) -> None:
    short = ["ABCD", "ABC", "A", "AAAA"]
    number = {text: place for place, text in enumerate([*short, *later], start=1)}
    answers = Answers(number.__getitem__, 0)
    for texts in (short * 3, later * 2, short + later, later + short):
        for blanks in ([], [None]):
            column = pl.Series([*texts, *blanks], dtype=pl.String)
            assert answers_to(answers, column) == [number[text] for text in texts] + [0] * len(blanks)


def test_numbers_are_asked_as_their_digits() -> None:
    assert answers_to(Answers(int, 0), pl.Series([42, None, 7])) == [42, 0, 7]


def test_answers_are_added_to_what_is_there() -> None:
    found = np.array([1, 1, 1], np.uint64)
    Answers(lambda text: 2 if text == "A" else 4, 8).into(found, pl.Series(["A", None, "B"]))
    assert found.tolist() == [3, 9, 5]


def test_a_text_is_asked_about_once() -> None:
    asked: Counter[str] = Counter()

    def answer(text: str) -> int:
        asked[text] += 1
        return 1

    answers = Answers(answer, 0)
    for _ in range(3):
        answers_to(answers, pl.Series(["A", "B", "A", "longer than twelve bytes"]))
    assert set(asked.values()) == {1}


@pytest.mark.parametrize("distinct", [300, 5_000])
def test_many_texts_are_told_apart(distinct: int) -> None:
    texts = [f"{number:07}" for number in range(distinct)]
    answers = Answers(int, 0)
    for _ in range(2):
        assert answers_to(answers, pl.Series(texts)) == list(range(distinct))


def test_identifiers_by_the_hundred_thousand_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tariff.texts.answers._MOST_TEXTS", 100)
    answers = Answers(int, 0)
    for first in range(0, 1_000, 50):
        assert answers_to(answers, pl.Series([str(number) for number in range(first, first + 50)])) == list(
            range(first, first + 50)
        )
    assert len(answers._known) <= 200
