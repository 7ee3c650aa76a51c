"""What a price is made of, and its rounding (RULES 1.8)."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from tariff.money import AMOUNT_LIMIT_PENCE, MILLION, PENCE_PER_POUND, half_up

Exact = int | Fraction


class Amounts(NamedTuple):
    """The components of a price and the price, in pence; the five add to it."""

    base: int
    short_stay: int = 0
    long_stay: int = 0
    top_up: int = 0
    market_forces: int = 0

    @property
    def price(self) -> int:
        """What the components add to."""
        return sum(self)

    def are_in_range(self) -> bool:
        """Whether every component, and the price, is within the bound of amounts."""
        return all(is_in_range(amount) for amount in (*self, self.price))


def is_in_range(amount: int) -> bool:
    """Whether an amount is within the bound that money.AMOUNT_LIMIT_PENCE states, either way."""
    return abs(amount) <= AMOUNT_LIMIT_PENCE


def to_pence(amount: Exact) -> int:
    """An exact amount in pence, half-up to the penny."""
    return half_up(amount.numerator, amount.denominator)


def to_pounds(amount: Exact) -> int:
    """An exact amount in pence, half-up to the pound, still in pence."""
    return half_up(amount.numerator, amount.denominator * PENCE_PER_POUND) * PENCE_PER_POUND


def penny_once(base: int, short_stay: int, long_stay: int, top_up: Exact, factor: int) -> Amounts:
    """One rounding, half-up to the penny, of the exact price; the market forces amount balances it, or the top-up where
    the factor is 1 (RULES 1.8, rounding)."""
    exact = base + short_stay + long_stay + top_up
    if factor == MILLION:
        return Amounts(base, short_stay, long_stay, to_pence(exact) - base - short_stay - long_stay, 0)
    price = to_pence(exact * Fraction(factor, MILLION))
    shown = to_pence(top_up)
    return Amounts(base, short_stay, long_stay, shown, price - base - short_stay - long_stay - shown)


def whole_pounds(base: int, short_stay: int, long_stay: int, top_up: Exact, factor: int) -> Amounts:
    """Each component half-up to the pound, then the market forces amount half-up to the pound, as SUS did (RULES 1.8,
    rounding; FORMATS 4)."""
    parts = to_pounds(base), to_pounds(short_stay), to_pounds(long_stay), to_pounds(top_up)
    return Amounts(*parts, to_pounds(sum(parts) * Fraction(factor - MILLION, MILLION)))
