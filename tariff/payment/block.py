"""Block: the plan's value is paid, whatever happens (RULES 5.5: payment = fixed).

Activity stays in the ledger at its price. What the block adds or withholds is written apart, by whether activity ran above
or below plan, so that a reader sees both even where they cancel."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.payment.plan_term import PlanTerm
from tariff.payment.term import Cause, adjustment

ABOVE_PLAN: Final = Cause(
    "block_above_plan",
    "Activity above plan, not paid for",
    "Where activity at tariff comes to more than the plan, the block does not pay the excess.",
)
BELOW_PLAN: Final = Cause(
    "block_below_plan",
    "Plan above activity, paid all the same",
    "Where activity at tariff comes to less than the plan, the block pays the plan all the same.",
)


def block_payment(value_pence: int, plan_pence: int) -> int:
    """What a block pays: `plan_pence`, whatever the activity is worth at tariff (`value_pence`)."""
    del value_pence
    return plan_pence


class Block(PlanTerm):
    """The plan's value is paid whatever happens."""

    term: Literal["block"]

    about: ClassVar[str] = "The plan is paid, whatever the activity."
    causes: ClassVar[tuple[Cause, ...]] = (ABOVE_PLAN, BELOW_PLAN)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        which = "plan" if self.needs_run_plan else str(self.against)
        return f"The value of the {which} is paid{self.scope.words}, whatever the activity."

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """Plan less value at tariff, as one line where activity ran above plan and another where below."""
        gap = pl.col("plan_pence") - pl.col("value_pence")
        above = adjustment(planned, ABOVE_PLAN, pl.min_horizontal(gap, 0))
        below = adjustment(planned, BELOW_PLAN, pl.max_horizontal(gap, 0))
        return pl.concat([above, below])
