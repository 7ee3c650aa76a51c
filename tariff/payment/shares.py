"""Terms that pay or withhold a share of what a contract pays: what they need to know of the money that the terms before them
pay."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from tariff.errors import Fault
from tariff.money import pounds
from tariff.payment.activity import Activity
from tariff.payment.scope import Scope


def shares_not_known(activity: Activity, scope: Scope, measured: str) -> Iterator[Fault]:
    """What an earlier term pays for more than `scope`, and, where something is `measured` provider by provider, what is paid to
    several providers together: no share of either can be told."""
    astride = activity.astride(scope)
    if astride.height:
        told = f"an earlier term pays {_sum(astride['pence'])} for more than this term governs, which is{scope.words}"
        yield Fault("", told, "let the earlier term pay by what this one governs, or leave the scope out")
    together = activity.totals(scope).filter(pl.col("provider").is_null() & (pl.col("value_pence") != 0))
    if measured and together.height:
        told = f"{_sum(together['value_pence'])} of what is paid is for several providers together, and {measured}"
        yield Fault("", told, "let the earlier term pay by provider, or give one figure for all")


def _sum(pence: pl.Series) -> str:
    return pounds(int(pence.sum()), whole=True)
