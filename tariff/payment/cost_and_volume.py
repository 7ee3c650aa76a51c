"""Cost and volume: full price up to the plan, a marginal rate beyond it, in money (RULES 5.5). Below plan, activity is paid
as it happens. Tiers, caps and collars will join here."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

import polars as pl
from pydantic import BeforeValidator

from tariff.money import BASIS_POINTS, basis_points, half_up
from tariff.payment.term import CONFIDENCE_WORDS, Cause, PlanTerm, adjustment

MARGINAL_RATE: Final = Cause(
    "marginal_rate",
    "Marginal rate on activity above plan",
    "Beyond the plan only a share of the price is paid; this is the share withheld.",
)


def cost_and_volume_payment(value_pence: int, plan_pence: int, marginal_rate_bp: int) -> int:
    """What is paid for activity worth `value_pence` at tariff against a plan of `plan_pence`.

    The full value up to the plan, and beyond it `marginal_rate_bp` basis points of the excess, rounded half-up once."""
    excess = max(0, value_pence - plan_pence)
    return value_pence - excess + half_up(excess * marginal_rate_bp, BASIS_POINTS)


def _share(given: object) -> int:
    """A share of a price, written as text: `70%` or `0.7`. A bare 70 would be ambiguous and is refused."""
    if not isinstance(given, str):  # pydantic turns ValueError, and no other, into a fault
        raise ValueError(  # noqa: TRY004
            f"{given!r} is not a share: write it as text, such as '70%' or '0.7'"
        )
    share = basis_points(given)
    if not 0 <= share <= BASIS_POINTS:
        raise ValueError(f"'{given}' is not between 0% and 100%")
    return share


def percentage(share_bp: int) -> str:
    """Basis points for people: 7,000 is `70%`, 6,250 is `62.5%`."""
    whole, part = divmod(share_bp, 100)
    return f"{whole}.{part:02}".rstrip("0").rstrip(".") + "%"


class CostAndVolume(PlanTerm):
    """Full price up to the plan, `marginal_rate` beyond it (held in basis points)."""

    term: Literal["cost_and_volume"]
    marginal_rate: Annotated[int, BeforeValidator(_share)]

    settles: ClassVar[bool] = True
    causes: ClassVar[tuple[Cause, ...]] = (MARGINAL_RATE,)

    @property
    def words(self) -> str:
        """The term in one sentence, with its rate and how sure that is."""
        rate = percentage(self.marginal_rate)
        return f"Full price up to the plan, {rate} of the price beyond it (rate: {CONFIDENCE_WORDS[self.confidence]})."

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """What the marginal rate withholds on each plan row.

        Exact in int64 for an excess below 4.6e14 pence (£4.6 trillion): it is doubled and multiplied by 10,000."""
        excess = pl.max_horizontal(pl.col("value_pence") - pl.col("plan_pence"), 0)
        paid = (excess * self.marginal_rate * 2 + BASIS_POINTS) // (2 * BASIS_POINTS)
        return adjustment(planned, MARGINAL_RATE, paid - excess)
