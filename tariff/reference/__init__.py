"""The second opinion: one line of activity priced slowly, from canonical row and pack *tables* to components, in plain
Python integers and fractions.

It is written from RULES sections 1 and 2 and shares nothing with the kernels but the names of reasons and flags and one
rounding function, so that a mistake has to be made twice, in two ways, to go unseen. `tariff verify` and the agreement tests
hold the two together. Each function is one rule and cites its section. `pack` reads tables and rules; `amounts` rounds and
holds what a price is; each kind of activity has a module, whose last function prices a whole line in the order of the rules.

Units: money in pence; market forces factors in millionths, until they multiply; days are whole days. A cell that is missing,
None, empty or all spaces is blank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tariff.reference.admitted import price_admitted
from tariff.reference.emergency import price_emergency
from tariff.reference.outpatient import price_outpatient
from tariff.reference.pack import ReferencePack
from tariff.reference.priced import Dates
from tariff.reference.unbundled import price_unbundled

__all__ = [
    "Dates",
    "ReferencePack",
    "price_admitted",
    "price_emergency",
    "price_line",
    "price_outpatient",
    "price_unbundled",
]

_BY_KIND: Final[Mapping[str, Callable[..., dict[str, object]]]] = {
    "admitted": price_admitted,
    "outpatient": price_outpatient,
    "emergency": price_emergency,
    "unbundled": price_unbundled,
}


def price_line(kind: str, line: Mapping[str, object], pack: ReferencePack, *, dates: Dates = "strict") -> dict[str, object]:
    """One row of canonical activity of `kind` (columns.KINDS) priced: every column of a priced line, in its order.

    Raises KeyError for a kind that is not known; never for what the row holds."""
    return _BY_KIND[kind](line, pack, dates=dates)
