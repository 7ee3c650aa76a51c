"""Sanctions: sums taken for failings counted in the year, such as waits beyond 52 weeks or ambulance handovers (RULES 5.4).
Counts and amounts come from a file; no amount is built in, for none is published in a form at hand."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.payment.activity import Activity, as_lines
from tariff.payment.figures import AMOUNT, COUNT, MONTH_OR_ALL, TEXT, FileName, read_figures
from tariff.payment.term import Cause, ContractTerm, adjustment

SANCTION: Final = Cause("sanction", "Sanctions", "Sums taken for failings that the contract names, at so much for each.")

_KEYS: Final = ("commissioner", "provider", "financial_year", "month")


def sanction_total(count: int, amount_pence: int) -> int:
    """What `count` failings cost at `amount_pence` each."""
    return count * amount_pence


class Sanctions(ContractTerm):
    """`file`: commissioner, provider, financial_year, month (blank = the year), sanction, count, amount in pounds for each."""

    term: Literal["sanctions"]
    file: FileName

    about: ClassVar[str] = "So much is taken off for each of so many listed events."
    causes: ClassVar[tuple[Cause, ...]] = (SANCTION,)
    choices: ClassVar[tuple[str, ...]] = ("file",)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        return f"Sanctions as in {self.file} are taken off (amounts: {self.label})."

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What is taken, by provider and month, in the years with activity."""
        listed = read_figures(self.file, _FILE, (*_KEYS, "sanction"))
        rows = listed.filter(pl.col("financial_year").is_in(activity.cells["financial_year"].unique().implode()))
        taken = [-sanction_total(count, amount) for count, amount in rows.select("count", "amount").iter_rows()]
        lines = adjustment(rows, SANCTION, taken).filter(self.scope_rows())
        return as_lines(lines.group_by(*_KEYS, "line").agg(pl.col("pence").sum()))

    def scope_rows(self) -> pl.Expr:
        """Which rows of the file are inside: a sanction knows its provider, commissioner and month, and no more."""
        parts = self.scope.model_copy(update={"pods": (), "treatment_functions": (), "hrgs": ()})
        return parts.covers()


_FILE: Final = {
    "commissioner": TEXT,
    "provider": TEXT,
    "financial_year": TEXT,
    "month": MONTH_OR_ALL,
    "sanction": TEXT,
    "count": COUNT,
    "amount": AMOUNT,
}
