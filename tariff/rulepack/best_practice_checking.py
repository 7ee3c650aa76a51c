"""What must hold across a pack's best-practice tables and rule (RULES 3)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from tariff.errors import Fault, did_you_mean
from tariff.rulepack.best_practice_rows import (
    BEST_PRACTICE,
    BEST_PRACTICE_CRITERIA,
    MOST_TARIFFS,
    NEED_CRITERIA,
    PROVIDER_GATE,
    TREATMENT_FUNCTION,
)
from tariff.rulepack.model import EvidenceBestPractice
from tariff.rulepack.rows import ADMITTED, OUTPATIENT, UNBUNDLED

if TYPE_CHECKING:
    from tariff.rulepack.best_practice_rows import BestPracticeRow
    from tariff.rulepack.pack import RulePack
    from tariff.rulepack.tables import TableSpec

LISTS = ("precedence", "replaces_short_stay", "outside_marginal_rate")
_ATTENDANCE_ROOTS: Final = ("WF01", "WF02")
"""Attendances are priced by treatment function; their own HRGs stand in no table."""


def best_practice_faults(pack: RulePack, faulty: Container[str], where_stated: Callable[[], str]) -> Iterator[Fault]:
    """Tariffs that the rule or the criteria name and the table has not; HRGs and treatment functions that the price tables have
    not; tariffs of two mechanisms; tariffs that nothing can show to be met; thresholds of what is no gate; more tariffs than the
    kernels can hold. `where_stated` tells where the rule is."""
    if BEST_PRACTICE.name in faulty or BEST_PRACTICE_CRITERIA.name in faulty or not pack.best_practice:
        return
    yield from _unknown_in_rule(pack, where_stated)
    yield from _unknown_currencies(pack, faulty)
    yield from _unknown_treatment_functions(pack, faulty)
    yield from _criteria_of_nothing(pack)
    yield from _mechanisms(pack)
    tariffs = {row.tariff for row in pack.best_practice}
    if len(tariffs) > MOST_TARIFFS:
        what = f"holds {len(tariffs)} tariffs; {MOST_TARIFFS} is the most"
        yield Fault(str(pack.folder / BEST_PRACTICE.file), what, "leave out what the activity cannot hold")


def _unknown_in_rule(pack: RulePack, where_stated: Callable[[], str]) -> Iterator[Fault]:
    rule = pack.rules.best_practice
    if not isinstance(rule, EvidenceBestPractice):
        return
    known = list(dict.fromkeys(row.tariff for row in pack.best_practice))
    named = [(name, tariff) for name in LISTS for tariff in getattr(rule, name)]
    named += [("exclusive", tariff) for group in rule.exclusive for tariff in group]
    for name, tariff in named:
        if tariff not in known:
            what = f"[rules.best_practice] {name} names '{tariff}', which {BEST_PRACTICE.file} has not"
            yield Fault(where_stated(), what, f"{did_you_mean(tariff, known)} known: {', '.join(known)}".strip())


def _unknown_currencies(pack: RulePack, faulty: Container[str]) -> Iterator[Fault]:
    """HRGs whose tariff would never be paid: the price table has them not. (A pack without it prices no such care.)"""
    admitted, unbundled = [row.hrg for row in pack.admitted], [row.currency for row in pack.unbundled]
    for row in pack.best_practice:
        spec, known = (UNBUNDLED, unbundled) if row.kind == "unbundled" else (ADMITTED, admitted)
        if row.currency is not None and known and spec.name not in faulty and not _is_attendance(row):
            yield from _unknown(row, "currency", row.currency, spec, known)


def _is_attendance(row: BestPracticeRow) -> bool:
    return row.kind == "outpatient" and row.currency is not None and row.currency.startswith(_ATTENDANCE_ROOTS)


def _unknown_treatment_functions(pack: RulePack, faulty: Container[str]) -> Iterator[Fault]:
    """Outpatient care of a treatment function that has no line in the price table. A tariff of mechanism treatment_function
    brings its own, beside the parent's; admitted care may be of any."""
    known = [row.treatment_function for row in pack.outpatient]
    for row in pack.best_practice if known and OUTPATIENT.name not in faulty else ():
        if row.parent_treatment_function is not None:
            yield from _unknown(row, "parent_treatment_function", row.parent_treatment_function, OUTPATIENT, known)
        elif row.treatment_function is not None and row.kind == "outpatient" and row.mechanism != TREATMENT_FUNCTION:
            yield from _unknown(row, "treatment_function", row.treatment_function, OUTPATIENT, known)


def _unknown(row: BestPracticeRow, column: str, code: str, table: TableSpec[Any], known: Sequence[str]) -> Iterator[Fault]:
    if code not in known:
        what = f"column {column} of {row.tariff}: {table.file} has no '{code}'"
        remedy = f"{did_you_mean(code, known)} add it (its prices may stay blank), or take the line out".strip()
        yield Fault(str(row.origin), what, remedy)


def _criteria_of_nothing(pack: RulePack) -> Iterator[Fault]:
    known = list(dict.fromkeys(row.tariff for row in pack.best_practice))
    gates = {row.tariff for row in pack.best_practice if row.mechanism == PROVIDER_GATE}
    for row in pack.best_practice_criteria:
        if row.tariff not in known:
            what = f"column tariff of {row.tariff} {row.criterion}: {BEST_PRACTICE.file} has no tariff '{row.tariff}'"
            yield Fault(str(row.origin), what, f"{did_you_mean(row.tariff, known)} add it, or take the line out".strip())
        elif row.threshold is not None and row.tariff not in gates:
            what = f"column threshold of {row.tariff} {row.criterion}: is given though the tariff is no provider gate"
            yield Fault(str(row.origin), what, "leave it blank: every line is shown on its own")


def _mechanisms(pack: RulePack) -> Iterator[Fault]:
    with_criteria = {row.tariff for row in pack.best_practice_criteria}
    first: dict[str, str] = {}
    for row in pack.best_practice:
        mechanism = first.setdefault(row.tariff, row.mechanism)
        if mechanism != row.mechanism:
            what = f"column mechanism of {row.tariff}: is {row.mechanism}, and {mechanism} above"
            yield Fault(str(row.origin), what, "a tariff has one mechanism: give one of the two another code")
        elif row.mechanism in NEED_CRITERIA and row.tariff not in with_criteria:
            what = f"column tariff of {row.tariff}: has no criteria, so nothing could show that it is met"
            yield Fault(str(row.origin), what, f"add its criteria to {BEST_PRACTICE_CRITERIA.file}")
            with_criteria.add(row.tariff)
