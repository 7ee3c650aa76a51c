"""Proofs about texts by their views: never wrong, and found for the codes and identifiers that files are full of."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.compiled import IS_COMPILED
from tariff.texts.scanning import all_clean as is_clean
from tariff.texts.scanning import none_begins, none_blank

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="without compiled code nothing is proved, and texts are always cleaned")

TOTALS = ("tota", "gran", "sub ", "sub-", "subt")
ANY_BYTE = st.characters(codec="utf-8", max_codepoint=0x180) | st.sampled_from("\u2003\u3000\u0131ﬀ€😀 \t\n\0")
NEARLY_CLEAN = st.text(st.sampled_from("AZ09-*;=/_!"), max_size=14)


def cleaned(text: str | None, *, raised: bool) -> str | None:
    stripped = text.strip() if text else None
    return (stripped.upper() if raised else stripped) or None if stripped else None


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.none() | NEARLY_CLEAN | st.text(ANY_BYTE, max_size=14), max_size=6), st.booleans())
def test_what_is_proved_clean_needs_no_cleaning(texts: list[str | None], raised: bool) -> None:
    if is_clean(pl.Series(texts, dtype=pl.String), raised=raised):
        assert [cleaned(text, raised=raised) for text in texts] == texts


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.none() | NEARLY_CLEAN.map(lambda text: text[:12] or "A"), max_size=40), st.booleans(), st.integers(0, 9))
def test_clean_codes_of_up_to_twelve_characters_are_proved_clean(texts: list[str | None], raised: bool, offset: int) -> None:
    assert is_clean(pl.Series(texts, dtype=pl.String)[offset:], raised=raised)


@pytest.mark.parametrize("raised", [True, False])
@pytest.mark.parametrize(
    "dirty", ["", " ", " A", "A ", "AB\tC", "HN22E\n", "ABCDEFGHIJK ", "É", "AÅ", "ABCDEFGHIJ\u00a0", "\u2003"]
)
@pytest.mark.parametrize("place", [0, 5, 69])
def test_one_dirty_text_is_found_wherever_it_stands(dirty: str, place: int, raised: bool) -> None:
    texts: list[str | None] = ["HN22E", None, "X"] * 24
    texts[place] = dirty
    assert not is_clean(pl.Series(texts), raised=raised)
    assert not is_clean(pl.Series(["A", dirty]), raised=raised), "without a null"
    assert not is_clean(pl.Series([dirty, *texts])[:2], raised=raised), "in part of a series"


@pytest.mark.parametrize("letter", "abmyz")
def test_small_letters_count_only_where_they_are_raised(letter: str) -> None:
    for text in (letter, f"A{letter}", f"ABCDEFGHIJK{letter}"):
        assert not is_clean(pl.Series([text]), raised=True)
        assert is_clean(pl.Series([text]), raised=False)


def test_nothing_is_proved_of_a_text_that_lies_elsewhere() -> None:
    assert not is_clean(pl.Series(["ABCDEFGHIJKLM"]), raised=False)


def test_nothing_at_all_is_clean() -> None:
    assert is_clean(pl.Series([], dtype=pl.String), raised=True)
    assert is_clean(pl.Series([None, None], dtype=pl.String), raised=True)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.none() | NEARLY_CLEAN | st.text(ANY_BYTE, max_size=14), max_size=6))
def test_what_is_proved_not_blank_holds_no_blank_text(texts: list[str | None]) -> None:
    if none_blank(pl.Series(texts, dtype=pl.String)):
        assert all(text is None or text.strip() for text in texts)


@settings(deadline=None)  # the first call compiles
@given(st.lists(NEARLY_CLEAN.filter(bool), max_size=40))
def test_identifiers_are_proved_not_blank(texts: list[str]) -> None:
    assert none_blank(pl.Series(texts, dtype=pl.String))


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.none() | st.sampled_from(["Total", "SUBTOTAL", "Grand total:", "sub-total", "Sub total"]) | NEARLY_CLEAN))
def test_rows_of_totals_are_never_overlooked(texts: list[str | None]) -> None:
    if none_begins(pl.Series(texts, dtype=pl.String), TOTALS):
        assert not any((text or "").lower().startswith(TOTALS) for text in texts)


def test_identifiers_are_proved_to_be_no_totals() -> None:
    assert none_begins(pl.Series(["S0000001", "T1", "G", "SUBS1", "", None]), TOTALS)
