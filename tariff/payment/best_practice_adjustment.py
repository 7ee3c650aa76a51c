"""Best practice under the aligned payment (RULES 3.1, 5.8): the fixed element holds the best-practice cases that were
expected, so more or fewer of them change the payment by (actual − expected) × (best-practice price − unit price)."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.best_practice.adjustment import aligned_payment_adjustment
from tariff.errors import Fault
from tariff.payment.activity import CONTRACT, Activity, as_lines
from tariff.payment.best_practice import lines_met
from tariff.payment.figures import AMOUNT, COUNT, TEXT, FigureColumn, FileName, read_figures, whole_number
from tariff.payment.term import Cause, ContractTerm, adjustment

BEST_PRACTICE: Final = Cause(
    "best_practice_adjustment",
    "Best practice beyond or short of what was expected",
    "The fixed element holds the expected best-practice cases; more or fewer change the payment by their extra price.",
)


class BestPracticeAdjustment(ContractTerm):
    """`file`: commissioner, provider, financial_year, tariff, expected, actual (qualifying cases), best_practice and unit
    (prices in pounds, both with market forces or both without). A blank `actual` is counted: the
    priced lines on which the tariff is met."""

    term: Literal["best_practice_adjustment"]
    file: FileName

    about: ClassVar[str] = (
        "Best-practice cases beyond or short of what the fixed element expects change the payment by their extra price."
    )
    causes: ClassVar[tuple[Cause, ...]] = (BEST_PRACTICE,)
    choices: ClassVar[tuple[str, ...]] = ("file",)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        return f"Best-practice cases beyond or short of what was expected change the payment, as in {self.file} ({self.label})."

    def faults(self, activity: Activity) -> list[Fault]:
        """Cases that are to be counted where the priced lines say nothing of best practice."""
        if activity.beside.best_practice is not None or not self._rows(activity)["actual"].has_nulls():
            return []
        told = f"{self.file} leaves actual cases blank, and the priced lines came without best practice to count"
        return [Fault("", told, "give the cases, or price the activity with --evidence")]

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What changes, by contract, in the years with activity."""
        rows = self._counted(self._rows(activity), activity)
        given = rows.select("actual", "expected", "best_practice", "unit").iter_rows()
        lines = adjustment(rows, BEST_PRACTICE, [aligned_payment_adjustment(*row) for row in given])
        return as_lines(lines.group_by(*CONTRACT, "line").agg(pl.col("pence").sum()))

    def _rows(self, activity: Activity) -> pl.DataFrame:
        listed = read_figures(self.file, _FILE, (*CONTRACT, "tariff"))
        return listed.filter(pl.col("financial_year").is_in(activity.cells["financial_year"].unique().implode()))

    def _counted(self, rows: pl.DataFrame, activity: Activity) -> pl.DataFrame:
        """The rows with blank `actual` cases counted from the priced lines; none met is none."""
        if activity.beside.best_practice is None:
            return rows
        met = rows.join(lines_met(activity.beside.best_practice), on=[*CONTRACT, "tariff"], how="left", maintain_order="left")
        return met.with_columns(pl.coalesce("actual", "lines", pl.lit(0, pl.Int64)).alias("actual"))


_COUNT_OR_COUNTED: Final = FigureColumn(whole_number, pl.Int64(), optional=True)
_FILE: Final = {
    **dict.fromkeys(CONTRACT, TEXT),
    "tariff": TEXT,
    "expected": COUNT,
    "actual": _COUNT_OR_COUNTED,
    "best_practice": AMOUNT,
    "unit": AMOUNT,
}
