"""Money and rates as exact integers. Pounds are read from text to pence and never pass through a float; a market forces
factor is held in millionths and a percentage in basis points. Every rounding in the engine is half-up, halves going away
from zero (RULES: order of adjustments and rounding)."""

from __future__ import annotations

import re
from typing import Final

PENCE_PER_POUND: Final = 100
MILLION: Final = 1_000_000
BASIS_POINTS: Final = 10_000
"""Basis points in one whole: 10,000 bp = 100%."""

AMOUNT_LIMIT_PENCE: Final = 10**12
"""No component and no price may exceed £10,000,000,000 on one line. Below this bound every intermediate of the kernels
fits int64; a line beyond it is rejected `amount_out_of_range`."""

_NUMBER = re.compile(r"(?P<sign>[-\u2212]?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?")


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded to a whole number, halves away from zero. `denominator` must be positive."""
    quotient, remainder = divmod(abs(numerator), denominator)
    rounded = quotient + (2 * remainder >= denominator)
    return rounded if numerator >= 0 else -rounded


def scaled(text: str, places: int) -> int:
    """`text`, a decimal number with optional thousands commas, times 10**places, exactly.

    Raises ValueError where it is not a number or has digits beyond `places` that are not zero: nothing is rounded in."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a number")
    part = match["part"] or ""
    if part[places:].strip("0"):
        raise ValueError(f"'{text}' has more than {places} decimal places")
    digits = int(match["whole"].replace(",", "") + part[:places].ljust(places, "0"))
    return -digits if match["sign"] else digits


def pence(text: str) -> int:
    """Pounds as printed (`8,207`, `£119.50`) to pence. ValueError where it is not an amount in whole pence."""
    return scaled(text.strip().removeprefix("£"), 2)


def millionths(text: str) -> int:
    """A factor such as `1.179944` to millionths."""
    return scaled(text, 6)


def basis_points(text: str) -> int:
    """A percentage to basis points: `25%` and `0.25` are both 2,500. A bare number is a share of one, never a percentage."""
    stripped = text.strip()
    return scaled(stripped[:-1], 2) if stripped.endswith("%") else scaled(stripped, 4)


def pounds(amount_pence: int, *, whole: bool = False) -> str:
    """Pence to text for people: `£1,234.56`, `−£3.00` (minus sign, not hyphen); `whole` rounds half-up to the pound."""
    sign = "\u2212" if amount_pence < 0 else ""
    if whole:
        return f"{sign if half_up(amount_pence, PENCE_PER_POUND) else ''}£{abs(half_up(amount_pence, PENCE_PER_POUND)):,}"
    return f"{sign}£{abs(amount_pence) // PENCE_PER_POUND:,}.{abs(amount_pence) % PENCE_PER_POUND:02}"
