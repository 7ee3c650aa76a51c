"""Cost and volume: full price up to the plan, a marginal rate beyond it, in money (RULES 5.5). Further tiers may change the
rate as activity runs on; a cap and a collar may bound what is paid. Below plan, activity is paid as it happens, down to the
collar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal

import polars as pl
from pydantic import Field, model_validator

from tariff.money import BASIS_POINTS, half_up
from tariff.payment.cap_and_collar import CAP, COLLAR, bounded, bounds_in_words
from tariff.payment.figures import Margin, Share, percentage
from tariff.payment.plan_term import PlanTerm
from tariff.payment.term import Cause, adjustment
from tariff.rulepack.model import Strict

MARGINAL_RATE: Final = Cause(
    "marginal_rate",
    "Marginal rate on activity above plan",
    "Beyond the plan only a share of the price is paid; this is the share withheld.",
)


class Tier(Strict):
    """From `above` (a share over the plan) on, `rate` of the price is paid."""

    above: Margin
    rate: Share


def cost_and_volume_payment(
    value_pence: int, plan_pence: int, marginal_rate_bp: int, tiers: Sequence[tuple[int, int]] = ()
) -> int:
    """What is paid for activity worth `value_pence` at tariff against a plan of `plan_pence`.

    The full value up to the plan, and beyond it `marginal_rate_bp` basis points of the excess; `tiers` are (share over the
    plan, rate), both in basis points, rising, and each replaces the rate before. Rounded half-up once."""
    excess = max(0, value_pence - plan_pence) * BASIS_POINTS
    starts = [0, *(plan_pence * above for above, _ in tiers)]
    rates = [marginal_rate_bp, *(rate for _, rate in tiers)]
    ends = [*(end for _, end in pairwise(starts)), max(excess, starts[-1])]
    paid = sum(max(0, min(excess, end) - start) * rate for start, end, rate in zip(starts, ends, rates, strict=True))
    return min(value_pence, plan_pence) + half_up(paid, BASIS_POINTS**2)


class CostAndVolume(PlanTerm):
    """Full price up to the plan, `marginal_rate` beyond it (held in basis points), then as `tiers` say; `cap` and `collar`
    bound the payment to so much above and below the plan."""

    term: Literal["cost_and_volume"]
    marginal_rate: Share
    tiers: Annotated[tuple[Tier, ...], Field(strict=False)] = ()
    cap: Margin | None = None
    collar: Share | None = None

    about: ClassVar[str] = (
        "The price up to the plan, a marginal rate beyond it, in tiers and between a cap and a collar where they are given."
    )
    measured: ClassVar[Mapping[str, str]] = {
        "tiers": "above is so much over the plan, rate the share of the price paid from there on",
        "cap": "so much over the plan: at 5% no more than 105% of it is paid",
        "collar": "so much under the plan: at 5% no less than 95% of it is paid",
    }
    causes: ClassVar[tuple[Cause, ...]] = (MARGINAL_RATE, CAP, COLLAR)
    figures: ClassVar[tuple[str, ...]] = ("marginal_rate", "cap", "collar")

    @model_validator(mode="after")
    def _rise(self) -> CostAndVolume:
        starts = [0, *(tier.above for tier in self.tiers)]
        if any(after <= before for before, after in pairwise(starts)):
            raise ValueError("the tiers do not rise: each must start above the one before, the first above 0%")
        return self

    @property
    def words(self) -> str:
        """The term in one sentence, with its rate and how sure that is."""
        tiers = "".join(f", {percentage(tier.rate)} from {percentage(tier.above)} over it" for tier in self.tiers)
        bounds = bounds_in_words(self.cap, self.collar)
        told = f"Full price up to the plan{self.scope.words}, {percentage(self.marginal_rate)} of the price beyond it{tiers}"
        return f"{told}{', ' + bounds if bounds else ''} (rate: {self.label})."

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """What the marginal rate withholds on each plan row, and what cap and collar then change."""
        tiers = [(tier.above, tier.rate) for tier in self.tiers]
        sums = list(planned.select("value_pence", "plan_pence").iter_rows())
        paid = [cost_and_volume_payment(value, plan, self.marginal_rate, tiers) for value, plan in sums]
        withheld = adjustment(planned, MARGINAL_RATE, [pay - value for pay, (value, _) in zip(paid, sums, strict=True)])
        plans = [plan for _, plan in sums]
        return pl.concat([withheld, *bounded(planned, paid, plans, self.cap, self.collar)])
