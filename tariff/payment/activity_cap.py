"""Caps on activity, such as a follow-up ratio (RULES 6.3 no. 7): follow-up attendances beyond so many for each first
attendance are not paid, by contract and treatment function, at the average price of the follow-ups. (Referrals from one
consultant to another have a term of their own: `referral_cap`.)"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.money import half_up
from tariff.payment.activity import CONTRACT, Activity, as_lines
from tariff.payment.figures import FACTOR_SCALE, Factor
from tariff.payment.scope import Scope, scope_of_pods
from tariff.payment.term import Cause, ContractTerm, adjustment

ACTIVITY_CAP: Final = Cause(
    "activity_cap",
    "Follow-ups beyond the agreed ratio",
    "Attendances beyond the agreed ratio are not paid, at their average price.",
)

FIRST_PODS: Final = ("OPFASPCL", "OPFASPNCL", "OPFAMPCL", "OPFAMPNCL", "NF2FFA")
FOLLOW_UP_PODS: Final = ("OPFUPSPCL", "OPFUPSPNCL", "OPFUPMPCL", "OPFUPMPNCL", "NF2FFUP")

_BY: Final = (*CONTRACT, "treatment_function")


def beyond_ratio(value_pence: int, units: int, first_units: int, ratio: int) -> int:
    """What is not paid of `units` worth `value_pence`: those beyond `ratio` (ten-thousandths) for each first unit, at the
    average price of all. Half-up once."""
    excess = min(units * FACTOR_SCALE, max(0, units * FACTOR_SCALE - ratio * first_units))
    return half_up(value_pence * excess, units * FACTOR_SCALE) if units > 0 else 0


class ActivityCap(ContractTerm):
    """Units within the scope (follow-up attendances unless it says otherwise) beyond `ratio` for each unit of `first`."""

    term: Literal["activity_cap"]
    ratio: Factor
    scope: Scope = scope_of_pods(FOLLOW_UP_PODS)
    first: Scope = scope_of_pods(FIRST_PODS)

    about: ClassVar[str] = "Follow-ups beyond a ratio to first attendances are not paid, at their average price."
    causes: ClassVar[tuple[Cause, ...]] = (ACTIVITY_CAP,)
    figures: ClassVar[tuple[str, ...]] = ("ratio",)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        whole, part = divmod(self.ratio, FACTOR_SCALE)
        ratio = f"{whole}.{part:04}".rstrip("0").rstrip(".")
        return f"Follow-ups beyond {ratio} for each first attendance, by treatment function, are not paid (ratio: {self.label})."

    @property
    def goes_by(self) -> frozenset[str]:
        """The ratio is that of each treatment function."""
        return frozenset(_BY)

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What is not paid, by contract and treatment function."""
        firsts = activity.totals(self.first, _BY).select(*_BY, pl.col("units").alias("first_units"))
        groups = activity.totals(self.scope, _BY).join(firsts, on=_BY, how="left", nulls_equal=True)
        rows = groups.with_columns(pl.col("first_units").fill_null(0)).sort(_BY, nulls_last=True)
        sums = rows.select("value_pence", "units", "first_units").iter_rows()
        taken = [-beyond_ratio(max(0, value), units, first, self.ratio) for value, units, first in sums]
        return as_lines(adjustment(rows, ACTIVITY_CAP, taken))
