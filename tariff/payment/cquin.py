"""CQUIN and other shares of a contract that hang on goals (RULES 5.3): a percentage of the actual annual value – what the
contract pays after the terms before this one – paid on top as far as goals are met (`cquin`), or part of the payment
already and taken back as far as they are not (`withhold`)."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.errors import Fault
from tariff.money import BASIS_POINTS, half_up
from tariff.payment.achievement import SCALE, achieved_by, achievement_faults, read_achievement
from tariff.payment.activity import Activity, as_lines
from tariff.payment.figures import FileName, Share, percentage
from tariff.payment.shares import shares_not_known
from tariff.payment.term import Cause, ContractTerm, adjustment

CQUIN: Final = Cause("cquin", "CQUIN", "A percentage of the contract's value, paid as far as quality goals are met.")
WITHHOLD: Final = Cause(
    "withhold",
    "Withheld for goals not met",
    "Part of the contract's value hangs on goals; this is withheld where they are missed.",
)


def cquin_payment(value_pence: int, rate_bp: int, achieved: int) -> int:
    """`rate_bp` basis points of the contract's value as far as goals are met: `achieved` is Σ weight × share achieved, in units
    of 1/100,000,000. Half-up once."""
    return half_up(value_pence * rate_bp * achieved, BASIS_POINTS * SCALE)


def withheld(value_pence: int, rate_bp: int, achieved: int) -> int:
    """What is taken back of `rate_bp` basis points of the contract's value as far as goals are not met. Half-up once."""
    return half_up(value_pence * rate_bp * (SCALE - achieved), BASIS_POINTS * SCALE)


class Incentive(ContractTerm):
    """What `cquin` and `withhold` share: `rate` of the value, and `achieved` by all, or by `goals` (a file: provider,
    commissioner where it matters, goal, weight, achieved)."""

    rate: Share
    achieved: Share = BASIS_POINTS
    goals: FileName | None = None

    figures: ClassVar[tuple[str, ...]] = ("rate", "achieved")
    choices: ClassVar[tuple[str, ...]] = ("goals",)

    @property
    def how_met(self) -> str:
        """How far goals are met, in words."""
        return f"goals as in {self.goals}" if self.goals else f"{percentage(self.achieved)} of the goals taken as met"

    def faults(self, activity: Activity) -> list[Fault]:
        """Weights that do not add, and providers that the file of goals lacks."""
        if self.goals is None:
            return []
        faults = achievement_faults(self.goals)
        known = read_achievement(self.goals)
        paid = activity.totals(self.scope).select("commissioner", "provider").unique().sort("commissioner", "provider")
        missing = {who for payer, who in paid.iter_rows() if who is not None and achieved_by(known, payer, who) is None}
        return faults + [Fault(str(self.goals), f"says nothing of provider {who}", "add its goals") for who in sorted(missing)]

    def faults_after(self, activity: Activity) -> list[Fault]:
        """What is paid for more than the scope, and what no provider's goals can be laid on."""
        return list(shares_not_known(activity, self.scope, "goals are met provider by provider" if self.goals else ""))

    def achieved_for(self) -> _Achieved:
        """How far each provider met its goals."""
        return _Achieved(read_achievement(self.goals) if self.goals else {}, self.achieved * BASIS_POINTS)


class _Achieved:
    def __init__(self, known: dict[tuple[str, str | None], int], otherwise: int) -> None:
        self.known, self.otherwise = known, otherwise

    def __call__(self, commissioner: str, provider: str | None) -> int:
        found = achieved_by(self.known, commissioner, provider) if provider is not None else None
        return self.otherwise if found is None else found


class Cquin(Incentive):
    """Paid on top of the contract as far as goals are met."""

    term: Literal["cquin"]

    about: ClassVar[str] = "A percentage on top of what the contract pays, as far as goals are met."
    causes: ClassVar[tuple[Cause, ...]] = (CQUIN,)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        return (
            f"{percentage(self.rate)} of what the contract pays is added{self.scope.words} (rate: {self.label}; {self.how_met})."
        )

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What is added to each contract."""
        contracts, achieved = activity.totals(self.scope), self.achieved_for()
        rows = contracts.select("commissioner", "provider", "value_pence").iter_rows()
        return as_lines(
            adjustment(contracts, CQUIN, [cquin_payment(value, self.rate, achieved(payer, who)) for payer, who, value in rows])
        )


class Withhold(Incentive):
    """Part of the payment already, and taken back as far as goals are not met."""

    term: Literal["withhold"]

    about: ClassVar[str] = "A percentage of what the contract pays is taken back, as far as goals are not met."
    causes: ClassVar[tuple[Cause, ...]] = (WITHHOLD,)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        rate = percentage(self.rate)
        return f"{rate} of what the contract pays{self.scope.words} hangs on goals (rate: {self.label}; {self.how_met})."

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What is withheld from each contract."""
        contracts, achieved = activity.totals(self.scope), self.achieved_for()
        rows = contracts.select("commissioner", "provider", "value_pence").iter_rows()
        return as_lines(
            adjustment(contracts, WITHHOLD, [-withheld(value, self.rate, achieved(payer, who)) for payer, who, value in rows])
        )
