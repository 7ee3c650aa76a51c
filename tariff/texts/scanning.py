"""Proofs about all texts of a column in one pass over its views. A proof says yes only where the words alone show it; else the
texts are looked at as usual, so that it can only save time."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tariff.compiled import IS_COMPILED, compiled, rule
from tariff.texts.views import LONGEST, Views, views_of

_LENGTH, _PREFIX = np.uint64(0xFFFFFFFF), np.uint64(0xFFFFFFFF00000000)
_LOW_BITS, _ABOVE_SPACE = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x5F5F5F5F5F5F5F5F)
_TOP_BITS, _SMALL_LETTERS = np.uint64(0x8080808080808080), np.uint64(0x20202020)
_NONE, _ONE, _TWO, _BYTE, _HALF = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(0xFF), np.uint64(32)
_SEVEN, _THREE = 7, 3
_FIRST_PRINTED, _PRINTED, _BEYOND_ASCII = np.uint64(ord("!")), np.uint64(0x7F - ord("!")), np.uint64(0x80)


@rule
def is_known(known, first_bit, i):
    """Whether row `i` holds a text."""
    at = first_bit + i
    return known.size == 0 or (known[at >> _THREE] >> (at & _SEVEN)) & 1 != 0


@rule
def _wrong(word, small_letters):
    """The top bit of each byte: set where the byte is not zero and not from `!` to `~`; nor a small letter, where asked (1)."""
    low_bits = word & _LOW_BITS
    wrong = ((low_bits + _LOW_BITS) ^ (low_bits + _ABOVE_SPACE)) | word
    return wrong | ((word << _ONE) & (word << _TWO)) * small_letters


@rule
def _row_is_wrong(words, i, small_letters):
    """`_wrong` of a row, with the top bit of the first byte for a text that is empty or too long (an empty one is longer than
    any, for below zero is very much)."""
    length = words[2 * i] & _LENGTH
    unfit = _BEYOND_ASCII if length - _ONE >= np.uint64(LONGEST) else _NONE
    return unfit | _wrong(words[2 * i] & _PREFIX, small_letters) | _wrong(words[2 * i + 1], small_letters)


@compiled
def _all_clean(words, known, first_bit, small_letters):
    wrong = np.uint64(0)
    if known.size == 0:
        for i in range(words.size // 2):
            wrong |= _row_is_wrong(words, i, small_letters)
    else:
        for i in range(words.size // 2):
            wrong |= _row_is_wrong(words, i, small_letters) if is_known(known, first_bit, i) else _NONE
    return wrong & _TOP_BITS == 0


@rule
def _may_be_blank(words, i):
    """Whether a row begins with something else than a printed ASCII character."""
    first = (words[2 * i] >> _HALF) & _BYTE
    return np.uint64(first - _FIRST_PRINTED >= _PRINTED)


@compiled
def _any_blank_suspected(words, known, first_bit):
    suspected = np.uint64(0)
    if known.size == 0:
        for i in range(words.size // 2):
            suspected |= _may_be_blank(words, i)
    else:
        for i in range(words.size // 2):
            suspected |= _may_be_blank(words, i) if is_known(known, first_bit, i) else _NONE
    return suspected != _NONE


@compiled
def _any_begins(words, beginnings):
    a, b, c, d, e = beginnings[0], beginnings[1], beginnings[2], beginnings[3], beginnings[4]
    found = np.uint64(0)
    for i in range(words.size // 2):
        text = (words[2 * i] >> _HALF) | _SMALL_LETTERS
        found |= np.uint64((text == a) | (text == b) | (text == c) | (text == d) | (text == e))
    return found != _NONE


def _views(texts: pl.Series) -> Views | None:
    return views_of(texts) if IS_COMPILED else None


def all_clean(texts: pl.Series, *, raised: bool) -> bool:
    """Whether it is proved that no text of a String column is empty, longer than twelve bytes, or holds a space or any other
    than an ASCII character, or, where `raised`, a letter that is not a capital. Nulls are passed over."""
    views = _views(texts)
    return views is not None and bool(_all_clean(*views, np.uint64(raised)))


def none_blank(texts: pl.Series) -> bool:
    """Whether it is proved that no text of a String column is empty or begins with a blank. Nulls are passed over."""
    views = _views(texts)
    return views is not None and not _any_blank_suspected(*views)


def none_begins(texts: pl.Series, beginnings: Sequence[str]) -> bool:
    """Whether it is proved that no text of a String column begins with one of the five `beginnings`, four small letters or
    blanks each, in whatever case. What stands behind a null may prevent the proof."""
    views = _views(texts)
    wanted = np.array([int.from_bytes(one.encode(), "little") for one in beginnings], np.uint64) | _SMALL_LETTERS
    assert wanted.size == 5
    return views is not None and not _any_begins(views.words, wanted)
