"""Pounds as files write them nearly always: digits, and perhaps a point and up to two digits more. Read from the views."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
import polars as pl

from tariff.buffers import filled
from tariff.compiled import IS_COMPILED, compiled, rule
from tariff.texts.views import LONGEST, views_of, with_nulls_of

_UNREAD = np.int64(-1)
_LENGTH, _BYTE = np.uint64(0xFFFFFFFF), np.uint64(0xFF)
_ZERO, _POINT = ord("0"), ord(".")


@rule
def _byte(first, second, place):
    """A byte of a text by the two words of its view."""
    word, shift = (first, 32 + 8 * place) if place < 4 else (second, 8 * (place - 4))
    return np.int64((word >> np.uint64(shift)) & _BYTE)


@rule
def _plain_pence(first, second):
    """Pence of a text that is plain pounds; -1 for any other."""
    length = np.int64(first & _LENGTH)
    if length == 0 or length > LONGEST:
        return _UNREAD
    amount, decimals = np.int64(0), np.int64(-1)
    for place in range(length):
        byte = _byte(first, second, place)
        if byte == _POINT and decimals < 0 and place > 0:
            decimals = np.int64(0)
            continue
        digit = byte - _ZERO
        if not 0 <= digit <= 9 or decimals == 2:
            return _UNREAD
        amount = 10 * amount + digit
        decimals += decimals >= 0
    for _ in range(2 - max(decimals, np.int64(0))):
        amount *= 10
    return amount


@compiled
def _read(views, rows, pence):
    """Pence of some rows, given by their `views`, into `pence`, -1 for one that holds no plain pounds. Returns how many those
    are."""
    others = 0
    for at in range(rows.size):
        found = _plain_pence(views[at, 0], views[at, 1])
        pence[rows[at]] = found
        others += found < 0
    return others


def plain_pence(texts: pl.Series) -> tuple[pl.Series, int] | None:
    """Pence of the texts of a String column that are plain pounds, null in the other rows; and how many of these hold another
    text. None where the column gives no views."""
    views = views_of(texts) if IS_COMPILED else None
    if views is None:
        return None
    pence = filled(len(texts), int(_UNREAD), np.int64)
    rows = np.flatnonzero(views.known_rows(len(texts)))
    # fetched all at once: where few rows hold a text, each would else be waited for
    others = int(_read(views.words.reshape(-1, 2)[rows], rows, pence))
    if others:
        amounts = pl.Series(pence)
        return amounts.set(amounts < 0, None), others
    return with_nulls_of(views, pence), 0
