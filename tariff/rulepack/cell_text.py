"""How the text of a table's cell is read: one function a kind of figure. Each raises ValueError, saying what is wrong."""

from __future__ import annotations

import re
from typing import Final

from tariff import money
from tariff.columns import PODS
from tariff.money import AMOUNT_LIMIT_PENCE, BASIS_POINTS, pounds
from tariff.rulepack.model import HRG_FORM, check_factor, check_price

LONGEST_TRIM_DAYS: Final = 10_000
OLDEST_AGE: Final = 130
NOT_CLASSIFIED: Final = "NOTCLASSIFIED"
"""The point of delivery of a line that could not be classified: no row of a table may state it."""


def read_hrg(text: str) -> str:
    """An HRG as text. ValueError where it has not the form of one."""
    if not HRG_FORM.fullmatch(text):
        raise ValueError(f"'{text}' has not the form of an HRG")
    return text


def read_price(text: str) -> int:
    """A price in pence. ValueError where it is not an amount, is 0 or negative, or is beyond any price."""
    return check_price(money.pence(text), text)


def read_payment(text: str) -> int:
    """A per-day payment in pence; 0 is allowed and pays nothing."""
    amount = money.pence(text)
    if not 0 <= amount <= AMOUNT_LIMIT_PENCE:
        raise ValueError(f"'{text}' is not between £0.00 and {pounds(AMOUNT_LIMIT_PENCE)}")
    return amount


def read_trim(text: str) -> int:
    """A trim point in days."""
    return _whole_number(text, LONGEST_TRIM_DAYS, "days")


def read_age(text: str) -> int:
    """An age in years."""
    return _whole_number(text, OLDEST_AGE, "years")


def read_yes_or_no(text: str) -> bool:
    """`yes` or `no`."""
    if text.lower() not in {"yes", "no"}:
        raise ValueError(f"'{text}' is neither yes nor no")
    return text.lower() == "yes"


def read_percent(text: str) -> int:
    """A share above 0 and up to 100%, in basis points."""
    share = money.basis_points(text)
    if not 0 < share <= BASIS_POINTS:
        raise ValueError(f"'{text}' is not above 0% and up to 100%")
    return share


def read_factor(text: str) -> int:
    """A market forces factor in millionths."""
    return check_factor(money.millionths(text), text)


def read_provider(text: str) -> str:
    """An organisation code: three or more capital letters and digits."""
    if not re.fullmatch(r"[A-Z0-9]{3,}", text):
        raise ValueError(f"'{text}' has not the form of a provider code")
    return text


def read_code(text: str) -> str:
    """A code that may stand in a list separated by semicolons."""
    if not re.fullmatch(r"[^\s;,]+", text):
        raise ValueError(f"'{text}' holds a space, a comma or a semicolon")
    return text


def read_pod(text: str) -> str:
    """A national point-of-delivery code that the engine knows."""
    if text not in PODS or text == NOT_CLASSIFIED:
        raise ValueError(f"'{text}' is not a point-of-delivery code that the engine knows")
    return text


def read_unit(text: str) -> str:
    """What one unit of a currency is: lower-case words joined by _."""
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", text):
        raise ValueError(f"'{text}' is not one lower-case word")
    return text


def _whole_number(text: str, most: int, unit: str) -> int:
    if not re.fullmatch(r"\d+", text):
        raise ValueError(f"'{text}' is not a whole number of {unit}")
    if int(text) > most:
        raise ValueError(f"'{text}' is more than {most:,} {unit}")
    return int(text)
