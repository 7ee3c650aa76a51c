"""Best practice under the aligned payment (RULES 3.1, 5.8): the fixed element holds the best-practice cases that were
expected, so more or fewer of them change the payment by (actual − expected) × (best-practice price − unit price)."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.payment.activity import CONTRACT, Activity, as_lines
from tariff.payment.figures import AMOUNT, COUNT, TEXT, FileName, read_figures
from tariff.payment.term import Cause, ContractTerm, adjustment

BEST_PRACTICE: Final = Cause(
    "best_practice_adjustment",
    "Best practice beyond or short of what was expected",
    "The fixed element holds the expected best-practice cases; more or fewer change the payment by their extra price.",
)


def best_practice_change(actual: int, expected: int, extra_pence: int) -> int:
    """What `actual` qualifying cases change where `expected` ones are paid for, at `extra_pence` each."""
    return (actual - expected) * extra_pence


class BestPracticeAdjustment(ContractTerm):
    """`file`: commissioner, provider, financial_year, tariff, expected, actual (cases), extra (pounds by which the best-practice
    price exceeds the unit price)."""

    term: Literal["best_practice_adjustment"]
    file: FileName

    causes: ClassVar[tuple[Cause, ...]] = (BEST_PRACTICE,)
    choices: ClassVar[tuple[str, ...]] = ("file",)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        return f"Best-practice cases beyond or short of what was expected change the payment, as in {self.file} ({self.label})."

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What changes, by contract, in the years with activity."""
        listed = read_figures(self.file, _FILE, (*CONTRACT, "tariff"))
        rows = listed.filter(pl.col("financial_year").is_in(activity.cells["financial_year"].unique().implode()))
        changes = [best_practice_change(*given) for given in rows.select("actual", "expected", "extra").iter_rows()]
        lines = adjustment(rows, BEST_PRACTICE, changes)
        return as_lines(lines.group_by(*CONTRACT, "line").agg(pl.col("pence").sum()))


_FILE: Final = {**dict.fromkeys(CONTRACT, TEXT), "tariff": TEXT, "expected": COUNT, "actual": COUNT, "extra": AMOUNT}
