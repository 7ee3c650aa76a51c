"""What every contract term is: data with a source, and two things it can do – say itself in words, and turn the activity
it governs into ledger lines. One file a term stands beside this one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Final, Literal, NamedTuple

import polars as pl
from pydantic import Field

from tariff.errors import Fault, RulesError
from tariff.money import pounds
from tariff.payment.activity import Activity
from tariff.payment.figures import TermFile
from tariff.payment.scope import EVERYTHING, Scope
from tariff.rulepack.model import Confidence, Strict

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


class ContractTerm(Strict, ABC):
    """One term of a contract. Every term states where it comes from and how sure that is.

    `about`: what such a term does, in a sentence without figures. `settles`: whether it decides the price of what it
    governs, or what is paid for it; no two terms may decide the same of one line, and prices come before payments. `one_of`:
    keys of which it needs one. `measured`: of keys that bound something, what they are a share of. `figures` and `choices` are
    the fields that a preset takes as parameters; a figure given so is labelled local."""

    source: str = Field(min_length=1)
    confidence: Confidence
    note: str = ""
    scope: Scope = EVERYTHING

    about: ClassVar[str] = ""
    settles: ClassVar[Literal["", "price", "payment"]] = ""
    causes: ClassVar[tuple[Cause, ...]] = ()
    one_of: ClassVar[tuple[str, ...]] = ()
    measured: ClassVar[Mapping[str, str]] = MappingProxyType({})
    figures: ClassVar[tuple[str, ...]] = ()
    choices: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def words(self) -> str:
        """The term in one sentence, with its figures."""

    @property
    def label(self) -> str:
        """How sure its figures are, in words."""
        return CONFIDENCE_WORDS[self.confidence]

    @property
    def files(self) -> tuple[TermFile, ...]:
        """The files that it names."""
        return tuple(given for given in self.__dict__.values() if isinstance(given, TermFile))

    @property
    def kind(self) -> str:
        """Its kind, as a models file names it."""
        return str(self.__dict__["term"])

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Every scope that it looks at, its own first."""
        others = (given for name, given in self.__dict__.items() if isinstance(given, Scope) and name != "scope")
        return (self.scope, *others)

    @property
    def goes_by(self) -> frozenset[str]:
        """The columns of a cell by which it tells activity apart, beside its scopes."""
        return frozenset()

    def faults(self, activity: Activity) -> list[Fault]:
        """What it lacks to settle this activity; `where` is left for the caller to fill."""
        del activity
        return []

    def faults_after(self, activity: Activity) -> list[Fault]:
        """The same once the terms before it have acted."""
        del activity
        return []

    @abstractmethod
    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What it adds or withholds, as `activity.as_lines` makes them."""

    def prices_of(self, spells: pl.DataFrame) -> pl.DataFrame:
        """Single spells (keys of a cell without practices, `paid_pence`, `earned_pence`) with what is paid for each, and what
        best practice is in it, once this term has set its prices; a term that sets none leaves them as they are."""
        return spells

    def earned_after(self, activity: Activity) -> pl.DataFrame | None:
        """What best practice is in all that is paid once this term has acted: most leave `activity.earned` as it is."""
        return activity.earned

    def notes(self, activity: Activity) -> tuple[str, ...]:
        """What a reader should know of how it settled this activity."""
        del activity
        return ()

    def outside(self, activity: Activity) -> tuple[int, int]:
        """The lines it governs but pays at tariff for want of a plan row: how many, and their pence."""
        del activity
        return 0, 0


Unplanned = Literal["refuse", "tariff"]
"""What becomes of activity that no plan row covers: the run is refused (the default, for it is most often a gap in the
plan), or it is paid at tariff, as non-contracted activity is."""


_MOST_PENCE: Final = 10**16
"""£100,000bn: no payment comes to more, and sums of many such fit int64."""


def _payable(cause: Cause, pence: Sequence[int]) -> pl.Series:
    if any(abs(one) > _MOST_PENCE for one in pence):
        told = Fault(
            "", f"{cause.label} comes to more than {pounds(_MOST_PENCE, whole=True)}", "look for a figure that is mistyped"
        )
        raise RulesError("a payment cannot be meant", [told])
    return pl.Series("pence", pence, pl.Int64)


def adjustment(rows: pl.DataFrame, cause: Cause, pence: pl.Expr | Iterable[int]) -> pl.DataFrame:
    """`rows` with `cause` as their ledger line and `pence` as what it adds to each. RulesError for what no figures that are meant
    come to."""
    amount = pence if isinstance(pence, pl.Expr) else pl.lit(_payable(cause, list(pence)))
    return rows.with_columns(pl.lit(cause.line).alias("line"), amount.cast(pl.Int64).alias("pence"))
