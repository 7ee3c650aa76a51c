"""The marginal rate for emergency admissions, 2010/11 to 2018/19 (RULES 5.1): the value of emergency admissions above a
baseline is paid at 30%, from 2015/16 at 70%; the rest stays with the commissioner. Money counts, not volume, in one sum a
contract, with short-stay reductions, long stays, top-ups and the market forces factor. Best-practice additions (major
trauma among them) are lines of their own and so lie outside."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.money import BASIS_POINTS, half_up
from tariff.payment.activity import Activity
from tariff.payment.figures import Share, percentage
from tariff.payment.plan_term import PlanTerm
from tariff.payment.scope import EMERGENCY_PODS, Scope, scope_of_pods
from tariff.payment.term import Cause, adjustment

BEST_PRACTICE_LINE: Final = "best_practice"

EMERGENCY_MARGINAL_RATE: Final = Cause(
    "emergency_marginal_rate",
    "Marginal rate on emergency growth",
    "Emergency admissions worth more than the baseline are paid in part; this is what stays with the commissioner.",
)


def marginal_rate_payment(value_pence: int, baseline_pence: int, rate_bp: int) -> int:
    """What is paid for emergency admissions worth `value_pence` at tariff: the baseline, and `rate_bp` basis points of what
    lies above it, half-up once. At or below the baseline all of it is paid."""
    above = max(0, value_pence - baseline_pence)
    return value_pence - above + half_up(above * rate_bp, BASIS_POINTS)


class MarginalRate(PlanTerm):
    """`rate` of the value above the baseline, for emergency admissions unless a scope says otherwise. The baseline is what the
    plan holds for them, or a file: `against`."""

    term: Literal["marginal_rate"]
    rate: Share
    scope: Scope = scope_of_pods(EMERGENCY_PODS)
    settled: Literal["row", "contract"] = "contract"

    causes: ClassVar[tuple[Cause, ...]] = (EMERGENCY_MARGINAL_RATE,)
    figures: ClassVar[tuple[str, ...]] = ("rate",)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        return (
            f"Above a baseline ({self.plan_name}), {percentage(self.rate)} of the price is paid{self.scope.words} "
            f"(rate: {self.label})."
        )

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What stays with the commissioner; best-practice additions lie outside."""
        return super().ledger_lines(activity.without(BEST_PRACTICE_LINE))

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """What stays with the commissioner."""
        sums = planned.select("value_pence", "plan_pence").iter_rows()
        return adjustment(
            planned, EMERGENCY_MARGINAL_RATE, [marginal_rate_payment(value, base, self.rate) - value for value, base in sums]
        )
