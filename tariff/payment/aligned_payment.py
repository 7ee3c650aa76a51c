"""Aligned payment and incentive, from 2022/23 (RULES 5.8): a fixed sum for most care, and elective care that varies with
activity – by 75% of the difference from the elective baseline in both directions in 2022/23, by 100% from 2023/24. What a
commissioner takes back may be bounded by a floor, what it pays for elective care by a ceiling. Contracts of low value are
paid their plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import polars as pl
from pydantic import model_validator

from tariff.errors import Fault
from tariff.money import BASIS_POINTS, half_up, pounds
from tariff.payment.activity import Activity
from tariff.payment.figures import AMOUNT, TEXT, FileName, Margin, Pounds, Share, percentage, read_figures
from tariff.payment.plan_term import PlanTerm, by_contract
from tariff.payment.scope import ELECTIVE_PODS, Scope, scope_of_pods
from tariff.payment.term import Cause, adjustment

FIXED_ABOVE: Final = Cause(
    "fixed_above_plan",
    "Activity above the fixed element, not paid",
    "Care other than elective is paid a fixed sum; this is activity beyond it.",
)
FIXED_BELOW: Final = Cause(
    "fixed_below_plan",
    "Fixed element above activity, paid all the same",
    "Care other than elective is paid a fixed sum; this is what it pays beyond the activity.",
)
VARIABLE: Final = Cause(
    "elective_variable",
    "Elective activity, paid in part",
    "Elective care above or below its baseline changes the payment by a share of the difference; this is the rest.",
)
CEILING: Final = Cause(
    "elective_ceiling", "Elective value beyond the ceiling", "What elective care would pay beyond its ceiling."
)
FLOOR: Final = Cause(
    "elective_floor",
    "Elective money taken back, up to the floor",
    "A commissioner's elective recovery fund falls no lower than its floor; this is what the floor gives back.",
)
LOW_VALUE: Final = Cause(
    "low_value", "Contracts of low value, paid their plan", "Small contracts are paid a fixed sum with no adjustment in the year."
)


def elective_payment(value_pence: int, baseline_pence: int, variable_bp: int) -> int:
    """The elective baseline, and `variable_bp` basis points of activity's difference from it, half-up once."""
    return half_up(baseline_pence * BASIS_POINTS + (value_pence - baseline_pence) * variable_bp, BASIS_POINTS)


def floored_change(change_pence: int, fund_pence: int, floor_bp: int) -> int:
    """A commissioner's elective change in all: what is taken back leaves at least `floor_bp` of its initial fund."""
    return max(change_pence, -(fund_pence - half_up(fund_pence * floor_bp, BASIS_POINTS)))


class AlignedPayment(PlanTerm):
    """The plan for what is not elective; for `elective` care its plan and `variable_share` of the difference.

    `ceiling`: elective care pays at most so much over its plan, by contract. `floor` and `recovery_fund` (a file: commissioner,
    financial_year, pounds): what a commissioner takes back leaves at least the floor of its fund. `low_value_threshold`:
    contracts planned below it (or at it, where `low_value_at_threshold`) are paid their plan."""

    term: Literal["aligned_payment"]
    variable_share: Share
    elective: Scope = scope_of_pods(ELECTIVE_PODS)
    ceiling: Margin | None = None
    floor: Share | None = None
    recovery_fund: FileName | None = None
    low_value_threshold: Pounds | None = None
    low_value_at_threshold: bool = False

    about: ClassVar[str] = (
        "The plan for all but elective care; for elective care its plan and a share of the difference, with floor and ceiling."
    )
    measured: ClassVar[Mapping[str, str]] = {
        "ceiling": "so much over the elective plan: at 5% no more than 105% of it is paid (118% of it is 18%)",
        "floor": "a share of the commissioner's recovery_fund that taking money back leaves it, such as 75%",
    }
    causes: ClassVar[tuple[Cause, ...]] = (FIXED_ABOVE, FIXED_BELOW, VARIABLE, CEILING, FLOOR, LOW_VALUE)
    figures: ClassVar[tuple[str, ...]] = ("variable_share", "ceiling", "floor", "low_value_threshold")
    choices: ClassVar[tuple[str, ...]] = (*PlanTerm.choices, "recovery_fund", "elective")

    @model_validator(mode="after")
    def _name_a_floor(self) -> AlignedPayment:
        if self.recovery_fund is not None and self.floor is None:
            raise ValueError("a recovery fund is given but no floor: give floor, such as '75%'")
        return self

    @property
    def words(self) -> str:
        """The term in a sentence or two."""
        share = percentage(self.variable_share)
        told = [
            f"A fixed sum, the plan, for all but elective care; for elective care its plan plus {share} of the difference of "
            f"activity from it (share: {self.label})."
        ]
        if self.ceiling is not None:
            told.append(f"Elective care pays at most {percentage(self.ceiling)} over its plan.")
        if self.recovery_fund is not None and self.floor is not None:
            told.append(f"What a commissioner takes back leaves {percentage(self.floor)} of its elective recovery fund.")
        if self.low_value_threshold is not None:
            which = "at most" if self.low_value_at_threshold else "under"
            told.append(f"Contracts of {which} {pounds(self.low_value_threshold, whole=True)} a year are paid their plan.")
        return " ".join(told)

    def faults(self, activity: Activity) -> list[Fault]:
        """As any plan term; and plan rows that hold elective care together with other care."""
        faults = super().faults(activity)
        if faults:
            return faults
        astride = self._rows(activity).filter(self.elective.straddles())
        if not astride.height:
            return []
        row = astride.row(0, named=True)
        told = (
            f"the plan row of commissioner {row['commissioner']}, provider {row['provider'] or 'all'}, {row['financial_year']} "
        )
        told += f"holds elective care together with other care ({astride.height:,} such rows)"
        fine = "point of delivery, treatment function and HRG" if self.elective.without else "point of delivery"
        return [Fault("", told, f"split the plan by {fine}: elective care varies, other care does not")]

    def notes(self, activity: Activity) -> tuple[str, ...]:
        """A floor without a fund does nothing, and a reader should know."""
        del activity
        if self.floor is None or self.recovery_fund is not None:
            return ()
        share = percentage(self.floor)
        return (
            f"The floor of {share} of a commissioner's elective recovery fund is not applied: no fund is given (recovery_fund).",
        )

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """What differs from tariff: fixed element, variable share, ceiling, floor, contracts of low value."""
        marked = self._marked(planned)
        low, rest = marked.filter("low_value"), marked.filter(~pl.col("low_value"))
        gap = pl.col("plan_pence") - pl.col("value_pence")
        fixed, elective = rest.filter(~pl.col("elective")), rest.filter("elective")
        sums = list(elective.select("value_pence", "plan_pence").iter_rows())
        paid = [elective_payment(value, plan, self.variable_share) for value, plan in sums]
        frames = [
            adjustment(low, LOW_VALUE, gap),
            adjustment(fixed, FIXED_ABOVE, pl.min_horizontal(gap, 0)),
            adjustment(fixed, FIXED_BELOW, pl.max_horizontal(gap, 0)),
            adjustment(elective, VARIABLE, [pay - value for pay, (value, _) in zip(paid, sums, strict=True)]),
        ]
        after = elective.with_columns(pl.Series("value_pence", paid, pl.Int64))
        frames += self._ceiling(after)
        return pl.concat([*frames, *self._floor(after, frames[-1])], how="diagonal")

    def _marked(self, planned: pl.DataFrame) -> pl.DataFrame:
        contract = pl.col("plan_pence").sum().over("commissioner", "provider", "financial_year")
        limit = -1 if self.low_value_threshold is None else self.low_value_threshold
        low = contract <= limit if self.low_value_at_threshold else contract < limit
        small = low & pl.col("provider").is_not_null()
        return planned.with_columns(self.elective.covers().alias("elective"), small.alias("low_value"))

    def _ceiling(self, elective: pl.DataFrame) -> list[pl.DataFrame]:
        """What contracts would pay for elective care beyond the ceiling."""
        if self.ceiling is None or not elective.height:
            return []
        contracts = by_contract(elective)
        over = [
            min(0, half_up(plan * (BASIS_POINTS + self.ceiling), BASIS_POINTS) - value)
            for value, plan in contracts.select("value_pence", "plan_pence").iter_rows()
        ]
        return [adjustment(contracts, CEILING, over)]

    def _floor(self, elective: pl.DataFrame, last: pl.DataFrame) -> list[pl.DataFrame]:
        """What the floor gives back to each commissioner's providers together."""
        if self.recovery_fund is None or self.floor is None:
            return []
        funds = read_figures(self.recovery_fund, _FUND, ("commissioner", "financial_year"))
        changes: dict[tuple[str, str], int] = defaultdict(int)
        for who, year, value, plan in elective.select("commissioner", "financial_year", "value_pence", "plan_pence").iter_rows():
            changes[who, year] += value - plan
        if self.ceiling is not None:
            for who, year, taken in last.select("commissioner", "financial_year", "pence").iter_rows():
                changes[who, year] += taken
        given = [
            floored_change(changes[who, year], fund, self.floor) - changes[who, year] for who, year, fund in funds.iter_rows()
        ]
        return [adjustment(funds.select("commissioner", "financial_year"), FLOOR, given)]


_FUND: Final = {"commissioner": TEXT, "financial_year": TEXT, "pounds": AMOUNT}
