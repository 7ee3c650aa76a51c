"""The marginal rate for emergency admissions, 2010/11 to 2018/19 (RULES 5.1): the value of emergency admissions above a
baseline is paid at 30%, from 2015/16 at 70%; the rest stays with the commissioner. Money counts, not volume, in one sum a
contract, with short-stay reductions, long stays, top-ups and the market forces factor. What best practice earned by the
tariffs that lie outside (major trauma; RULES 3.2) is left out, as far as it is paid: it is paid above the baseline as below. Of a
line at a percentage of the tariff that is the same percentage, at an agreed price nothing, and what a readmission takes back of
it is not paid (RULES 1.8: prices and readmissions come before the terms of the contract)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

import polars as pl
from pydantic import Field

from tariff.money import BASIS_POINTS, half_up
from tariff.payment.activity import Activity, as_lines
from tariff.payment.best_practice import money_outside
from tariff.payment.figures import Share, percentage
from tariff.payment.plan_term import PlanTerm
from tariff.payment.scope import EMERGENCY_PODS, Scope, scope_of_pods
from tariff.payment.term import Cause, adjustment

AS_PACKS: Final = "as_packs"
"""The tariffs outside the marginal rate are those that the rule packs of the priced lines name."""

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
    plan holds for them, or a file: `against`. `best_practice_outside`: the best-practice tariffs whose money is left out, as the
    rule packs name them or a list; the baseline holds none of it either."""

    term: Literal["marginal_rate"]
    rate: Share
    scope: Scope = scope_of_pods(EMERGENCY_PODS)
    settled: Literal["row", "contract"] = "contract"
    best_practice_outside: Literal["as_packs"] | Annotated[tuple[str, ...], Field(strict=False)] = AS_PACKS

    about: ClassVar[str] = "Emergency admissions above a baseline are paid at a share of their price: money, not volume."
    causes: ClassVar[tuple[Cause, ...]] = (EMERGENCY_MARGINAL_RATE,)
    figures: ClassVar[tuple[str, ...]] = ("rate",)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        return (
            f"Above a baseline ({self.plan_name}), {percentage(self.rate)} of the price is paid{self.scope.words}{self._outside} "
            f"(rate: {self.label})."
        )

    @property
    def _outside(self) -> str:
        if self.best_practice_outside == AS_PACKS:
            return ", less the best practice that its rule pack puts outside the rate"
        named = ", ".join(self.best_practice_outside)
        return f", less what the best-practice tariffs {named} earned" if named else ""

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What stays with the commissioner, by the value without the best practice that lies outside."""
        left_out = self._left_out(activity)
        return super().ledger_lines(activity if left_out is None else activity.after(left_out))

    def notes(self, activity: Activity) -> tuple[str, ...]:
        """Best practice of which nobody says whether it lies outside counts in the value, and what lines earned by several
        tariffs together is left out together: a reader should know."""
        outside = self._outside_money(activity)
        if activity.earned is None or outside is None:
            return ()
        paid = self.scope.covers() & (pl.col("earned_pence") != 0)
        unknown = self.best_practice_outside == AS_PACKS and activity.earned.filter(paid & pl.col("is_outside").is_null()).height
        mixed = outside.filter(paid & pl.col("is_mixed")).height
        return tuple(note for note, holds in ((_OUTSIDE_NOT_KNOWN, unknown), (_EARNED_TOGETHER, mixed)) if holds)

    def leaves_out(self, activity: Activity) -> bool:
        """Whether there is best practice outside the rate in what it governs."""
        found = self._outside_money(activity)
        return found is not None and bool(found.filter(self.scope.covers() & (pl.col("earned_pence") != 0)).height)

    def _left_out(self, activity: Activity) -> pl.DataFrame | None:
        """What is taken off the value: what best practice outside the rate is in what is paid so far."""
        outside = self._outside_money(activity)
        if outside is None:
            return None
        return as_lines(outside.with_columns(pl.lit("best_practice_outside").alias("line"), pence=-pl.col("earned_pence")))

    def _outside_money(self, activity: Activity) -> pl.DataFrame | None:
        named = None if self.best_practice_outside == AS_PACKS else self.best_practice_outside
        return None if activity.earned is None else money_outside(activity.earned, named)

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """What stays with the commissioner."""
        sums = planned.select("value_pence", "plan_pence").iter_rows()
        return adjustment(
            planned, EMERGENCY_MARGINAL_RATE, [marginal_rate_payment(value, base, self.rate) - value for value, base in sums]
        )


_OUTSIDE_NOT_KNOWN: Final = (
    "Which best practice lies outside the marginal rate is not known, for the priced lines came without their run card: all of "
    "it counts. Name the tariffs with best_practice_outside."
)
_EARNED_TOGETHER: Final = (
    "On some lines a best-practice tariff outside the marginal rate is met and another besides: what both earned is left out, "
    "for priced lines tell it in one sum."
)
