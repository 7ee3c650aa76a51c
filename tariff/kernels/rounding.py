"""Exact products of pence and scaled rates, with the one documented half-up rounding (RULES 1.8).

Quotients are taken of numbers without a sign: of others Python's rule, towards minus infinity, would cost a processor as much
again as the division."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from tariff.compiled import rule
from tariff.money import BASIS_POINTS, MILLION, PENCE_PER_POUND

_SCALE = BASIS_POINTS * MILLION


@rule
def _quotient(numerator, denominator):
    """How many times a positive denominator goes into a number that is not negative."""
    return np.int64(np.uint64(numerator) // np.uint64(denominator))


@rule
def half_up(numerator, denominator):
    """`numerator / denominator` to a whole number, halves away from zero; `denominator` positive and even."""
    if numerator >= 0:
        return _quotient(numerator + denominator // 2, denominator)
    return -_quotient(denominator // 2 - numerator, denominator)


@rule
def times_factor(pence, factor):
    """`pence` × `factor` (millionths), half-up to the penny, of pence within the bound of amounts, whose product fits int64."""
    return half_up(pence * factor, MILLION)


@rule
def exact_times_factor(amount, factor):
    """`amount` (pence in ten-thousandths, so that a top-up in basis points is exact) × `factor` (millionths), half-up to the
    penny. The product is taken in two halves, because amount × factor itself would leave int64 above £5m."""
    if amount < 0:
        return -_exact_times_factor_of_positive(-amount, factor)
    return _exact_times_factor_of_positive(amount, factor)


@rule
def _exact_times_factor_of_positive(amount, factor):
    """`exact_times_factor` for amounts that are not negative."""
    whole = _quotient(amount, _SCALE)
    part = amount - whole * _SCALE
    return whole * factor + _quotient(part * factor + _SCALE // 2, _SCALE)


@rule
def to_whole_pounds(pence):
    """Half-up to the pound, in pence (the whole-pounds method, as SUS rounded)."""
    return half_up(pence, PENCE_PER_POUND) * PENCE_PER_POUND
