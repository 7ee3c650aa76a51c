"""What every contract term is: data with a source, and two things it can do – say itself in words, and turn the activity
it governs into ledger lines. One file a term stands beside this one."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple

import polars as pl
from pydantic import Field

from tariff.rulepack.model import Confidence, Strict

Unplanned = Literal["refuse", "tariff"]
"""What becomes of activity that no plan row covers: the run is refused (the default, for it is most often a gap in the
plan), or it is paid at tariff, as non-contracted activity is."""

CONFIDENCE_WORDS: Final[dict[Confidence, str]] = {
    "published": "published",
    "practice": "NHS practice",
    "local": "local agreement",
    "proxy": "proxy",
    "assumed": "assumed",
    "illustrative": "illustrative",
}


class Cause(NamedTuple):
    """A ledger line that a term can write. It is also a step of the bridge: `label` names the bar, `sentence` explains it."""

    line: str
    label: str
    sentence: str


class ContractTerm(Strict):
    """One term of a contract. Every term states where it comes from and how sure that is.

    `settles` terms decide what is paid for the activity they govern, so no two of them may govern the same line."""

    source: str = Field(min_length=1)
    confidence: Confidence
    note: str = ""

    settles: ClassVar[bool] = False
    causes: ClassVar[tuple[Cause, ...]] = ()

    @property
    def words(self) -> str:
        """The term in one sentence, with its figures."""
        raise NotImplementedError


class PlanTerm(ContractTerm):
    """A term that pays against a plan."""

    unplanned: Unplanned = "refuse"

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """Ledger adjustments, from plan rows with the value at tariff of the activity each covers.

        `planned` has the columns of a plan and `plan_pence, value_pence` (int64, never null). The result has those
        columns and `line, pence`; rows of 0 pence may be left in, the ledger drops them."""
        raise NotImplementedError


def adjustment(planned: pl.DataFrame, cause: Cause, pence: pl.Expr) -> pl.DataFrame:
    """`planned` with `cause` as its ledger line and `pence` as what it adds."""
    return planned.with_columns(pl.lit(cause.line).alias("line"), pence.cast(pl.Int64).alias("pence"))
