"""Which activity a contract term governs: points of delivery, treatment functions, HRGs by prefix, providers, commissioners
and months. What is not given governs all."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Annotated, Final

import polars as pl
from pydantic import Field, field_validator

from tariff.columns import PODS
from tariff.rulepack.model import Codes, Strict

EMERGENCY_PODS: Final = ("NEL", "NELST")
"""Emergency admissions. Maternity, births and transfers are NELNE and stand apart (RULES 1.1, 5.1)."""

ELECTIVE_PODS: Final = ("DC", "EL", "OPPROC", "OPPROCFA", "OPPROCFUP", "OPFASPCL", "OPFAMPCL", "OPFASPNCL", "OPFAMPNCL", "NF2FFA")
"""What elective recovery counts: day cases, ordinary electives, outpatient procedures and first attendances (RULES 2.3)."""

BLENDED_PODS: Final = ("AE", *EMERGENCY_PODS)
"""Accident and emergency and emergency admissions, without maternity and transfers (RULES 5.6)."""

_COLUMNS: Final = {
    "pods": "pod",
    "treatment_functions": "treatment_function",
    "hrgs": "currency",
    "providers": "provider",
    "commissioners": "commissioner",
    "months": "month",
}
"""The column of a cell that each part of a scope looks at."""


class Scope(Strict):
    """What a term governs. A part left out governs all; `hrgs` are prefixes (`HN22`, `L`); months count from 1 = April."""

    pods: Codes = ()
    treatment_functions: Codes = ()
    hrgs: Codes = ()
    providers: Codes = ()
    commissioners: Codes = ()
    months: Annotated[tuple[int, ...], Field(strict=False)] = ()

    @field_validator("pods")
    @classmethod
    def _are_points_of_delivery(cls, pods: tuple[str, ...]) -> tuple[str, ...]:
        for pod in pods:
            if pod not in PODS:
                raise ValueError(f"'{pod}' is not a point of delivery; known: {', '.join(PODS)}")
        return pods

    @field_validator("months")
    @classmethod
    def _are_months(cls, months: tuple[int, ...]) -> tuple[int, ...]:
        for month in months:
            if not 1 <= month <= 12:
                raise ValueError(f"{month} is not a month: 1 is April, 12 is March")
        return months

    @property
    def parts(self) -> dict[str, tuple[str, ...] | tuple[int, ...]]:
        """The parts that are given, by the column they look at."""
        return {column: getattr(self, name) for name, column in _COLUMNS.items() if getattr(self, name)}

    @property
    def is_everything(self) -> bool:
        """Whether it governs all activity."""
        return not self.parts

    def covers(self) -> pl.Expr:
        """For rows with the columns of a cell, whether they are inside. A blank is inside only where the part is not given."""
        tests = [_matches(column, given).fill_null(value=False) for column, given in self.parts.items()]
        return pl.all_horizontal(tests) if tests else pl.lit(value=True)

    def straddles(self) -> pl.Expr:
        """For plan rows, whether a blank makes them cover some of what is inside and some of what is not."""
        outside = [~_matches(column, given) for column, given in self.parts.items()]
        blank = [pl.col(column).is_null() for column in self.parts]
        if not blank:
            return pl.lit(value=False)
        return pl.any_horizontal(blank) & ~pl.any_horizontal([test.fill_null(value=False) for test in outside])

    def overlaps(self, other: Scope) -> bool:
        """Whether some line could be inside both."""
        mine, others = self.parts, other.parts
        return all(_meet(column, mine[column], others[column]) for column in mine if column in others)

    def within(self, other: Scope) -> bool:
        """Whether all that is inside is inside the other too, as far as the parts tell."""
        mine, others = self.parts, other.parts
        return all(column in mine and _holds(column, given, mine[column]) for column, given in others.items())

    @property
    def words(self) -> str:
        """The scope as it ends a sentence (` for NEL and NELST`), nothing where it is everything."""
        named = {"pod": "", "treatment_function": "treatment functions ", "currency": "HRGs ", "month": "months "}
        told = [f"{named.get(column, column + 's ')}{_listed(given)}" for column, given in self.parts.items()]
        return f" for {', '.join(told)}" if told else ""


EVERYTHING: Final = Scope()


def scope_of_pods(pods: Iterable[str]) -> Scope:
    """The scope of some points of delivery."""
    return Scope(pods=tuple(pods))


def _matches(column: str, given: Iterable[str | int]) -> pl.Expr:
    if column == "currency":
        return pl.any_horizontal([pl.col(column).str.starts_with(str(prefix)) for prefix in given])
    return pl.col(column).is_in(list(given))


def _meet(column: str, first: Iterable[str | int], second: Iterable[str | int]) -> bool:
    if column == "currency":
        return any(str(one).startswith(str(two)) or str(two).startswith(str(one)) for one, two in product(first, second))
    return not set(first).isdisjoint(second)


def _holds(column: str, outer: Iterable[str | int], inner: Iterable[str | int]) -> bool:
    if column == "currency":
        return all(any(str(one).startswith(str(whole)) for whole in outer) for one in inner)
    return set(inner) <= set(outer)


def _listed(given: Iterable[str | int]) -> str:
    *first, last = map(str, given)
    return f"{', '.join(first)} and {last}" if first else last
