"""The proof that a block of texts is canonical already: never wrong, and found for the codes that files are full of."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff.activity import clean_text
from tariff.activity.clean_text import is_clean

ANY_BYTE = st.characters(codec="utf-8", max_codepoint=0x180) | st.sampled_from("\u2003\u3000\u0131ﬀ€😀 \t\n\0")
NEARLY_CLEAN = st.text(st.sampled_from("AZ09-*;=/_!"), max_size=14)


def cleaned(text: str | None, *, raised: bool) -> str | None:
    stripped = text.strip() if text else None
    return (stripped.upper() if raised else stripped) or None if stripped else None


@given(st.lists(st.none() | NEARLY_CLEAN | st.text(ANY_BYTE, max_size=14), max_size=6), st.booleans())
def test_what_is_proved_clean_needs_no_cleaning(texts: list[str | None], raised: bool) -> None:
    if is_clean(pl.Series(texts, dtype=pl.String), raised=raised):
        assert [cleaned(text, raised=raised) for text in texts] == texts


@given(st.lists(st.none() | NEARLY_CLEAN.map(lambda text: text[:12] or "A"), max_size=40), st.booleans(), st.integers(0, 9))
def test_clean_codes_of_up_to_twelve_characters_are_proved_clean(texts: list[str | None], raised: bool, offset: int) -> None:
    assert is_clean(pl.Series(texts, dtype=pl.String)[offset:], raised=raised)


@pytest.mark.parametrize("raised", [True, False])
@pytest.mark.parametrize(
    "dirty", ["", " ", " A", "A ", "AB\tC", "HN22E\n", "ABCDEFGHIJK ", "É", "AÅ", "ABCDEFGHIJ\u00a0", "\u2003"]
)
@pytest.mark.parametrize("place", [0, 5, 69])
def test_one_dirty_text_is_found_wherever_it_stands(
    dirty: str, place: int, raised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean_text, "_ROWS", 16)
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
