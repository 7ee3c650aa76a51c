"""The budget test: a best-practice tariff is to cost commissioners no more than the price it replaces (RULES 3.1, SDEC guidance
para 293; nos.org.uk quoting PbR guidance 2013-14). The base is lowered by what the addition is expected to pay out.

Amounts are pence before market forces, shares basis points; spending is what commissioners pay in expectation, exact until its
one rounding to the penny."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from tariff.errors import UsageError
from tariff.money import BASIS_POINTS, MILLION, PENCE_PER_POUND, half_up

EVERY_TENTH: Final = tuple(range(0, BASIS_POINTS + 1, BASIS_POINTS // 10))
"""Achievement from 0 to 100% by tenths, in basis points."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Lines that one tariff covers, all of one HRG: their number and market forces factor (millionths), by provider."""

    lines: int
    mff_millionths: int = MILLION


def neutral_base(conventional_pence: int, addition_pence: int, achievement_bp: int, *, whole_pounds: bool = True) -> int:
    """The highest base at which spending is no greater than at the conventional price where `achievement_bp` of lines earn the
    addition: price - share x addition, rounded down to the pound (or the penny). UsageError where that is not above 0."""
    check_share(achievement_bp)
    step = PENCE_PER_POUND if whole_pounds else 1
    exact = conventional_pence * BASIS_POINTS - achievement_bp * addition_pence
    base = exact // (BASIS_POINTS * step) * step
    if base <= 0:
        raise UsageError("No base price is low enough: the addition alone costs more than the conventional price.")
    return base


def spending(activity: Iterable[Activity], base_pence: int, addition_pence: int, achievement_bp: int) -> int:
    """What commissioners pay, pence half-up, where `achievement_bp` of every provider's lines earn the addition."""
    check_share(achievement_bp)
    weight = sum(part.lines * part.mff_millionths for part in activity)
    exact = weight * (base_pence * BASIS_POINTS + achievement_bp * addition_pence)
    return half_up(exact, BASIS_POINTS * MILLION)


def spending_curve(
    activity: Sequence[Activity],
    conventional_pence: int,
    base_pence: int,
    addition_pence: int,
    shares: Iterable[int] = EVERY_TENTH,
) -> pl.DataFrame:
    """Columns `achievement_bp`, `spending_pence`, `conventional_pence` and `difference_pence`, one row a share."""
    conventional = spending(activity, conventional_pence, 0, 0)
    rows = [(share, spending(activity, base_pence, addition_pence, share)) for share in shares]
    curve = pl.DataFrame(rows, schema={"achievement_bp": pl.Int64(), "spending_pence": pl.Int64()}, orient="row")
    return curve.with_columns(conventional_pence=pl.lit(conventional, dtype=pl.Int64)).with_columns(
        difference_pence=pl.col("spending_pence") - pl.col("conventional_pence")
    )


def break_even_bp(conventional_pence: int, base_pence: int, addition_pence: int) -> int:
    """The highest achievement at which spending is no greater than at the conventional price: basis points, at most 100%."""
    if addition_pence <= 0:
        raise UsageError("An addition is above 0.")
    return max(0, min(BASIS_POINTS, (conventional_pence - base_pence) * BASIS_POINTS // addition_pence))


def check_share(share_bp: int) -> None:
    """UsageError where a share in basis points is none."""
    if not 0 <= share_bp <= BASIS_POINTS:
        raise UsageError("A share of achievement lies between 0 and 100%.")
