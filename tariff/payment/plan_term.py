"""Terms that pay against agreed sums: the run's plan, or a file of the term's own in the form of a plan (a baseline, a target).
The sums are met with the activity they cover, row by row or summed by contract."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from typing import ClassVar, Literal

import polars as pl

from tariff.errors import Fault
from tariff.money import pounds
from tariff.payment.activity import CONTRACT, Activity, as_lines
from tariff.payment.coverage import Coverage, unplanned_faults
from tariff.payment.figures import FileName, TermFile
from tariff.payment.plan import BLANKABLE, columns_given, read_plan
from tariff.payment.term import ContractTerm, Unplanned

_SUMS = ("plan_pence", "value_pence", "lines", "actual_units")


class PlanTerm(ContractTerm):
    """A term that pays against a plan.

    `against`: `plan`, the plan of the run, or the name of a file in the form of a plan; in the file a blank means all that
    the scope governs. `settled`: whether plan and activity are met plan row by plan row, or in one sum a contract (a
    commissioner, a provider, a year)."""

    unplanned: Unplanned = "refuse"
    against: Literal["plan"] | FileName = "plan"
    settled: Literal["row", "contract"] = "row"

    settles: ClassVar[Literal["", "price", "payment"]] = "payment"
    choices: ClassVar[tuple[str, ...]] = ("unplanned", "against", "settled")

    @abstractmethod
    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """Ledger adjustments, from plan rows (or contracts) with the value at tariff of the activity each covers.

        `planned` has the columns of a plan and `plan_pence, value_pence` (int64, never null). The result has those
        columns and `line, pence`; rows of 0 pence may be left in, the ledger drops them."""

    @property
    def needs_run_plan(self) -> bool:
        """Whether it pays against the run's plan."""
        return self.against == "plan"

    @property
    def goes_by(self) -> frozenset[str]:
        """What the rows of its own file tell apart; those of the run's plan belong to the run."""
        if not isinstance(self.against, TermFile):
            return frozenset()
        return columns_given(_read(self.against), BLANKABLE)

    @property
    def plan_name(self) -> str:
        """What it pays against, in words."""
        return "the plan" if self.needs_run_plan else f"the sums of {self.against}"

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What it adds or withholds. Rows of the plan that cover nothing are met with nothing."""
        planned = self.coverage(activity).planned
        return as_lines(self.adjustments(planned if self.settled == "row" else by_contract(planned)))

    def coverage(self, activity: Activity) -> Coverage:
        """The sums it pays against, laid over what it governs."""
        return activity.coverage(self.scope, self._rows(activity))

    def faults(self, activity: Activity) -> list[Fault]:
        """No plan, plan rows that reach beyond the scope, or activity that no row covers."""
        if self.needs_run_plan and activity.plan is None:
            told = "its contract terms pay against a plan, and none is given"
            return [Fault("", told, "give one with --plan FILE")]
        rows = self._all_rows(activity)
        astride = rows.filter(self.scope.straddles()) if self.needs_run_plan else rows.clear()
        if astride.height:
            return [_astride(astride.row(0, named=True), astride.height, self.scope.words)]
        unplanned = self.coverage(activity).unplanned
        return unplanned_faults(unplanned) if unplanned.height and self.unplanned == "refuse" else []

    def outside(self, activity: Activity) -> tuple[int, int]:
        """What no plan row covers, which is paid at tariff."""
        lines, pence = self.coverage(activity).unplanned.select(pl.col("lines", "price_pence").sum()).row(0)
        return lines, pence

    def _rows(self, activity: Activity) -> pl.DataFrame:
        rows = self._all_rows(activity)
        return rows.filter(self.scope.covers()) if self.needs_run_plan and not self.scope.is_everything else rows

    def _all_rows(self, activity: Activity) -> pl.DataFrame:
        """The agreed sums of the years in which there is activity."""
        if isinstance(self.against, TermFile):
            rows = _read(self.against)
        elif activity.plan is not None:
            rows = activity.plan
        else:
            raise ValueError("there is no plan")
        return rows.filter(pl.col("financial_year").is_in(activity.cells["financial_year"].unique().implode()))


def by_contract(planned: pl.DataFrame) -> pl.DataFrame:
    """Plan rows summed by commissioner, provider and year; a blank provider is one that covers several."""
    return planned.group_by(CONTRACT).agg(pl.col(_SUMS).sum()).sort(CONTRACT, nulls_last=True)


@lru_cache(maxsize=32)
def _read(file: TermFile) -> pl.DataFrame:
    return read_plan(file.path)


def _astride(row: dict[str, object], count: int, scope: str) -> Fault:
    given = ", ".join(f"{name} {row[name]}" for name in CONTRACT if row[name] is not None)
    worth = pounds(int(str(row["pence"])), whole=True)
    more = "" if count == 1 else f", and {count - 1:,} more like it"
    told = f"the plan row of {given} ({worth}){more} covers more than the term, which is{scope}"
    return Fault("", told, 'split the row, or give the term a file of its own: against = "FILE"')
