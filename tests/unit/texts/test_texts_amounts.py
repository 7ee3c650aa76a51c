"""Plain pounds by their bytes are the pounds that the text says, and nothing else is taken for them."""

from __future__ import annotations

import re
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.compiled import IS_COMPILED
from tariff.texts.amounts import plain_pence

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="without compiled code pounds are read as text")
PLAIN = re.compile(r"[0-9]+(\.[0-9]{0,2})?")


def read(texts: list[str | None]) -> tuple[list[int | None], int]:
    found = plain_pence(pl.Series(texts, dtype=pl.String))
    assert found is not None
    whole = plain_pence(pl.Series([None, "1", *texts], dtype=pl.String)[2:])
    assert whole is not None
    assert whole[0].equals(found[0]), "a part of a column"
    return found[0].to_list(), found[1]


@pytest.mark.parametrize(
    ("text", "pence"),
    [("0", 0), ("12", 1200), ("12.", 1200), ("12.3", 1230), ("12.34", 1234), ("0012.05", 1205), ("999999999.99", 99999999999)],
)
def test_plain_pounds(text: str, pence: int) -> None:
    assert read([None, text]) == ([None, pence], 0)


@pytest.mark.parametrize("text", ["", ".5", "-1", "1.234", "1,000", "£1", " 1", "1 ", "1e5", "1.2.3", "1234567890123", "١"])
def test_what_is_not_plain_is_left_to_be_read_as_text(text: str) -> None:
    assert read([text, "7"]) == ([None, 700], 1)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.none() | st.text("0123456789.-, £", max_size=14)))
def test_no_text_is_misread(texts: list[str | None]) -> None:
    plain = [text is not None and len(text) <= 12 and PLAIN.fullmatch(text) is not None for text in texts]
    pence = [int(Decimal(text) * 100) if text and is_plain else None for text, is_plain in zip(texts, plain, strict=True)]
    assert read(texts) == (pence, sum(text is not None and not is_plain for text, is_plain in zip(texts, plain, strict=True)))
