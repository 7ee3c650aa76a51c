"""Blended payment (RULES 5.6): a fixed sum and a variable share of activity. As model A, the plan plus a share of the
difference between activity and plan; as model B, the rest of the plan plus the share of activity. They are the same: P +
v(A − P) = (1 − v)P + vA. Proposed in October 2018 for emergency care, with a share of 20%, from 2019/20."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import polars as pl

from tariff.money import BASIS_POINTS, half_up
from tariff.payment.figures import Margin, Share, percentage
from tariff.payment.plan_term import PlanTerm
from tariff.payment.scope import BLENDED_PODS, Scope, scope_of_pods
from tariff.payment.term import Cause, adjustment

ABOVE: Final = Cause(
    "blended_above_plan",
    "Activity above plan, paid in part",
    "Where activity comes to more than the fixed sum, only the variable share of the excess is paid.",
)
BELOW: Final = Cause(
    "blended_below_plan",
    "Plan above activity, paid in part",
    "Where activity comes to less than the fixed sum, only the variable share of the shortfall is taken back.",
)


def blended_payment(value_pence: int, plan_pence: int, variable_bp: int, break_glass_bp: int | None = None) -> int:
    """Model A: the plan, and `variable_bp` basis points of activity's difference from it, half-up once. Where the difference
    exceeds `break_glass_bp` of the plan, activity is paid at its price instead."""
    apart = value_pence - plan_pence
    if break_glass_bp is not None and abs(apart) * BASIS_POINTS > plan_pence * break_glass_bp:
        return value_pence
    return half_up(plan_pence * BASIS_POINTS + apart * variable_bp, BASIS_POINTS)


class Blended(PlanTerm):
    """The plan and `variable_share` of the difference from it, for emergency care unless a scope says otherwise.
    `break_glass`: beyond so much of a difference, activity is paid at its price."""

    term: Literal["blended"]
    variable_share: Share
    break_glass: Margin | None = None
    scope: Scope = scope_of_pods(BLENDED_PODS)

    about: ClassVar[str] = (
        "The plan and a share of the difference of activity from it; the price again where activity is far from the plan."
    )
    measured: ClassVar[Mapping[str, str]] = {
        "break_glass": "so much over or under the plan: at 25% activity outside 75% to 125% of it is paid its price",
    }
    causes: ClassVar[tuple[Cause, ...]] = (ABOVE, BELOW)
    figures: ClassVar[tuple[str, ...]] = ("variable_share", "break_glass")

    @property
    def words(self) -> str:
        """The term in one sentence."""
        glass = (
            "" if self.break_glass is None else f"; beyond {percentage(self.break_glass)} of a difference, activity at its price"
        )
        return (
            f"The plan plus {percentage(self.variable_share)} of the difference of activity from it{self.scope.words}{glass} "
            f"(share: {self.label})."
        )

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """What the blend takes above plan and adds below it."""
        changes = [
            blended_payment(value, plan, self.variable_share, self.break_glass) - value
            for value, plan in planned.select("value_pence", "plan_pence").iter_rows()
        ]
        above = adjustment(planned, ABOVE, [min(0, change) for change in changes])
        return pl.concat([above, adjustment(planned, BELOW, [max(0, change) for change in changes])])
