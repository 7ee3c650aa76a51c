"""Cells of a workbook as the tables of a rule pack print them. `-`, a blank and (for a price or a trim point) a printed 0 mean
that there is no figure; what cannot be read raises ValueError and is told, never filled in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from tariff.money import BASIS_POINTS, PENCE_PER_POUND, basis_points, half_up, pence, scaled

_NOTHING: Final = frozenset({"", "-", "–", "—", "−"})
_POUND_SIGNS: Final = re.compile(r"^(?:Â(?=£)|ï¿½|[^\w.,\-−])+")
"""Whatever stands before the digits of an amount: a pound sign, decoded rightly or wrongly (`Â£`, `ï¿½`)."""

FigureReader = Callable[[str], str]


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is no figure."""
    return text.strip() in _NOTHING


def price(text: str) -> str:
    """A price in pounds; blank where it is 0."""
    shown = payment(text)
    return "" if shown == "0" else shown


def payment(text: str) -> str:
    """An amount in pounds, `8,207.00` as `8207`; 0 stays 0."""
    try:
        amount = pence("".join(_POUND_SIGNS.sub("", text.strip()).removeprefix("GBP").split()))
    except ValueError:
        raise ValueError(f"'{text}' is not an amount in whole pence") from None
    if amount < 0:
        raise ValueError(f"'{text}' is negative")
    whole, part = divmod(amount, PENCE_PER_POUND)
    return f"{whole}.{part:02}" if part else str(whole)


def days(text: str) -> str:
    """A trim point in whole days; blank where it is 0."""
    count = scaled(text, 0)
    if count < 0:
        raise ValueError(f"'{text}' is negative")
    return str(count) if count else ""


def percentage(text: str) -> str:
    """A percentage, `25%` or `0.25`, as `25%`; blank where it is 0. A bare number above 1 could be either: ValueError."""
    share = basis_points(text.replace(" ", ""))
    if not 0 <= share <= BASIS_POINTS:
        raise ValueError(f"'{text}' is not a share from 0 to 1, nor a percentage up to 100%")
    whole, part = divmod(share, 100)
    shown = f"{whole}.{part:02}".rstrip("0").rstrip(".") if part else str(whole)
    return f"{shown}%" if share else ""


def yes_or_no(text: str) -> str:
    """`yes` or `no` from Yes, Y, No, N, whatever the capitals."""
    meant = {"yes": "yes", "y": "yes", "no": "no", "n": "no"}.get(text.strip().lower())
    if meant is None:
        raise ValueError(f"'{text}' is neither yes nor no")
    return meant


def factor(text: str) -> str:
    """A market forces factor with six decimals, half-up where the workbook holds more."""
    found = re.fullmatch(r"(\d+)(?:\.(\d+))?", text.strip())
    if found is None:
        raise ValueError(f"'{text}' is not a factor")
    part = found[2] or ""
    rounded = half_up(int(found[1] + part), 10 ** (len(part) - 6)) if len(part) > 6 else int(found[1] + part.ljust(6, "0"))
    return f"{rounded // 10**6}.{rounded % 10**6:06}"


def age(text: str) -> str:
    """An age in whole years."""
    return str(scaled(text, 0))


def code(text: str) -> str:
    """A code in capitals; one that a spreadsheet took for a number stays its digits."""
    return text.strip().upper()


def name(text: str) -> str:
    """A name as printed."""
    return text
