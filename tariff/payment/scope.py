"""Which activity a contract term governs: points of delivery, treatment functions, HRGs by prefix, providers, commissioners
and months, and what of it is left out. What is not given governs all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Annotated, Final

import polars as pl
from pydantic import Field, field_validator, model_validator

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
    """What a term governs. A part left out governs all; `hrgs` are prefixes (`HN22`, `L`); months count from 1 = April. What
    lies in one of `without`, scopes themselves, is left out. A scope may also be named: `"elective_recovery"`."""

    pods: Codes = ()
    treatment_functions: Codes = ()
    hrgs: Codes = ()
    providers: Codes = ()
    commissioners: Codes = ()
    months: Annotated[tuple[int, ...], Field(strict=False)] = ()
    without: Annotated[tuple[Scope, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        if given not in NAMED:
            raise ValueError(f"there is no scope called '{given}'; known: {', '.join(NAMED)}")
        return {name: getattr(NAMED[given], name) for name in cls.model_fields}

    @field_validator("without")
    @classmethod
    def _leave_out_something(cls, without: tuple[Scope, ...]) -> tuple[Scope, ...]:
        for left_out in without:
            if not left_out.parts:
                raise ValueError("a scope that is left out names no activity: it would leave out all")
            if left_out.without:
                raise ValueError("what a scope leaves out cannot leave out anything itself")
        return without

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
        """The parts that are given, by the column they look at; what is left out apart."""
        return {column: getattr(self, name) for name, column in _COLUMNS.items() if getattr(self, name)}

    @property
    def is_everything(self) -> bool:
        """Whether it governs all activity."""
        return not self.parts and not self.without

    @property
    def columns(self) -> frozenset[str]:
        """The columns of a cell that it looks at."""
        return frozenset(self.parts).union(*(left_out.parts for left_out in self.without))

    def covers(self) -> pl.Expr:
        """For rows with the columns of a cell, whether they are inside. A blank is inside only where the part is not given."""
        tests = [_matches(column, given).fill_null(value=False) for column, given in self.parts.items()]
        tests += [~left_out.covers() for left_out in self.without]
        return pl.all_horizontal(tests) if tests else pl.lit(value=True)

    def straddles(self) -> pl.Expr:
        """For plan rows, whether a blank makes them cover some of what is inside and some of what is not."""
        outside = self._outside()
        blank = [pl.col(column).is_null() for column in self.parts]
        some = [*blank, *(left_out.straddles() for left_out in self.without)]
        return pl.any_horizontal(some) & ~outside if some else pl.lit(value=False)

    def may_cover(self) -> pl.Expr:
        """For rows in which a blank means all or not known, whether some of what they cover may be inside."""
        return ~self._outside()

    def _outside(self) -> pl.Expr:
        """For plan rows, whether what they give puts them outside, whatever their blanks cover."""
        tests = [(~_matches(column, given)).fill_null(value=False) for column, given in self.parts.items()]
        tests += [left_out.covers() for left_out in self.without]
        return pl.any_horizontal(tests) if tests else pl.lit(value=False)

    def overlaps(self, other: Scope) -> bool:
        """Whether some line could be inside both."""
        mine, others = self.parts, other.parts
        if any(other.within(left_out) for left_out in self.without) or any(self.within(left_out) for left_out in other.without):
            return False
        return all(_meet(column, mine[column], others[column]) for column in mine if column in others)

    def within(self, other: Scope) -> bool:
        """Whether all that is inside is inside the other too, as far as the parts tell."""
        mine, others = self.parts, other.parts
        inside = all(column in mine and _holds(column, given, mine[column]) for column, given in others.items())
        return inside and all(left_out in self.without or not self.overlaps(left_out) for left_out in other.without)

    @property
    def words(self) -> str:
        """The scope as it ends a sentence (` for NEL and NELST`), nothing where it is everything."""
        told = f" for {_told(self.parts)}" if self.parts else ""
        return told + "".join(f", without {_told(left_out.parts)}" for left_out in self.without)


EVERYTHING: Final = Scope()


_PROCEDURE_PODS: Final = ("OPPROC", "OPPROCFA", "OPPROCFUP")
_ATTENDANCE_PODS: Final = tuple(pod for pod in ELECTIVE_PODS if pod.startswith(("OPF", "NF2F")))
_OUTSIDE_RECOVERY: Final = ("199", "499", "501", "560", "700", *map(str, range(710, 714)), "715", *map(str, range(720, 728)))

NAMED: Final = {
    "elective": Scope(pods=ELECTIVE_PODS),
    "elective_recovery": Scope(
        pods=ELECTIVE_PODS,
        without=(
            Scope(hrgs=("UZ", "NZ")),
            Scope(treatment_functions=_OUTSIDE_RECOVERY),
            Scope(treatment_functions=("812",), pods=_ATTENDANCE_PODS),
            Scope(hrgs=tuple(f"MA{number}" for number in range(50, 57)), pods=_PROCEDURE_PODS),
        ),
    ),
    "emergency": Scope(pods=EMERGENCY_PODS),
}
"""Scopes by name. Elective recovery leaves out ungrouped and maternity HRGs, maternity, mental health and the treatment functions
199 and 499, attendances of diagnostic imaging, and terminations in outpatients (RULES 2.3); private and overseas patients are
no priced lines, and follow-ups are no elective point of delivery."""


def scope_of_pods(pods: Iterable[str]) -> Scope:
    """The scope of some points of delivery."""
    return Scope(pods=tuple(pods))


def _told(parts: Mapping[str, Iterable[str | int]]) -> str:
    named = {"pod": "", "treatment_function": "treatment functions ", "currency": "HRGs ", "month": "months "}
    return ", ".join(f"{named.get(column, column + 's ')}{_listed(given)}" for column, given in parts.items())


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
