"""Exact products of pence and scaled rates, with the one documented half-up rounding (RULES 1.8)."""

from __future__ import annotations

from tariff.compiled import rule
from tariff.money import BASIS_POINTS, MILLION, PENCE_PER_POUND

_SCALE = BASIS_POINTS * MILLION


@rule
def half_up(numerator, denominator):  # type: ignore[no-untyped-def]
    """`numerator / denominator` to a whole number, halves away from zero; `denominator` positive and even."""
    if numerator >= 0:
        return (numerator + denominator // 2) // denominator
    return -((denominator // 2 - numerator) // denominator)


@rule
def times_factor(amount, factor):  # type: ignore[no-untyped-def]
    """`amount` (pence in ten-thousandths, so that a top-up in basis points is exact) × `factor` (millionths), half-up to the
    penny. The product is taken in two halves, because amount × factor itself would leave int64 above £46m."""
    if amount < 0:
        return -times_factor_of_positive(-amount, factor)
    return times_factor_of_positive(amount, factor)


@rule
def times_factor_of_positive(amount, factor):  # type: ignore[no-untyped-def]
    """`times_factor` for amounts that are not negative."""
    whole = amount // _SCALE
    part = amount - whole * _SCALE
    return whole * factor + (part * factor + _SCALE // 2) // _SCALE


@rule
def to_whole_pounds(pence):  # type: ignore[no-untyped-def]
    """Half-up to the pound, in pence (the whole-pounds method, as SUS rounded)."""
    return half_up(pence, PENCE_PER_POUND) * PENCE_PER_POUND
