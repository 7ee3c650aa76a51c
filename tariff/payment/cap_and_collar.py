"""Cap and collar: what is paid stays within so much above and below the plan (RULES 5.5: payment = clip(value at price,
(1 − c) · plan, (1 + k) · plan))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal

import polars as pl
from pydantic import model_validator

from tariff.money import BASIS_POINTS, half_up
from tariff.payment.figures import Margin, Share, percentage
from tariff.payment.plan_term import PlanTerm
from tariff.payment.term import Cause, adjustment

CAP: Final = Cause("cap", "Beyond the cap, not paid", "The contract caps what is paid; this is what lies beyond the cap.")
COLLAR: Final = Cause(
    "collar", "Below the collar, made up", "The contract pays at least the collar; this is what makes the payment up to it."
)


def capped_and_collared(value_pence: int, plan_pence: int, cap_bp: int | None, collar_bp: int | None) -> int:
    """`value_pence`, but no more than `cap_bp` above `plan_pence` and no less than `collar_bp` below it (basis points; None:
    no such bound). The bounds are rounded half-up to the penny."""
    paid = value_pence
    if cap_bp is not None:
        paid = min(paid, half_up(plan_pence * (BASIS_POINTS + cap_bp), BASIS_POINTS))
    if collar_bp is not None:
        paid = max(paid, half_up(plan_pence * (BASIS_POINTS - collar_bp), BASIS_POINTS))
    return paid


def bounded(
    rows: pl.DataFrame, values: Sequence[int], plans: Sequence[int], cap_bp: int | None, collar_bp: int | None
) -> list[pl.DataFrame]:
    """The ledger lines that bring `values` within the bounds: what the cap takes, and what the collar adds."""
    changes = [capped_and_collared(value, plan, cap_bp, collar_bp) - value for value, plan in zip(values, plans, strict=True)]
    return [
        adjustment(rows, CAP, [min(0, change) for change in changes]),
        adjustment(rows, COLLAR, [max(0, change) for change in changes]),
    ]


def bounds_in_words(cap_bp: int | None, collar_bp: int | None) -> str:
    """`at most 5% above plan and at least 5% below it`; nothing where there are no bounds."""
    told = [] if cap_bp is None else [f"at most {percentage(cap_bp)} above plan"]
    told += [] if collar_bp is None else [f"at least plan less {percentage(collar_bp)}"]
    return " and ".join(told)


class CapAndCollar(PlanTerm):
    """Activity at its price, within `cap` above and `collar` below the plan."""

    term: Literal["cap_and_collar"]
    cap: Margin | None = None
    collar: Share | None = None
    settled: Literal["row", "contract"] = "contract"

    about: ClassVar[str] = "The price, but no more than a cap over the plan and no less than a collar under it."
    measured: ClassVar[Mapping[str, str]] = {
        "cap": "so much over the plan: at 5% no more than 105% of it is paid",
        "collar": "so much under the plan: at 5% no less than 95% of it is paid",
    }
    causes: ClassVar[tuple[Cause, ...]] = (CAP, COLLAR)
    figures: ClassVar[tuple[str, ...]] = ("cap", "collar")

    @model_validator(mode="after")
    def _bound_something(self) -> CapAndCollar:
        if self.cap is None and self.collar is None:
            raise ValueError("neither a cap nor a collar is given: give at least one, such as cap = '5%'")
        return self

    @property
    def words(self) -> str:
        """The term in one sentence."""
        bounds = bounds_in_words(self.cap, self.collar)
        return f"Every line at its price{self.scope.words}, in all {bounds} (bounds: {self.label})."

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """What the bounds take or add."""
        values, plans = planned["value_pence"].to_list(), planned["plan_pence"].to_list()
        return pl.concat(bounded(planned, values, plans, self.cap, self.collar))
