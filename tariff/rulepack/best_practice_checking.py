"""What must hold across a pack's best-practice tables and rule (RULES 3)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import TYPE_CHECKING

from tariff.errors import Fault, did_you_mean
from tariff.rulepack.best_practice_rows import BEST_PRACTICE, BEST_PRACTICE_CRITERIA, MOST_TARIFFS, NEED_CRITERIA, PROVIDER_GATE
from tariff.rulepack.model import EvidenceBestPractice

if TYPE_CHECKING:
    from tariff.rulepack.pack import RulePack

LISTS = ("precedence", "replaces_short_stay", "outside_marginal_rate")


def best_practice_faults(pack: RulePack, faulty: Container[str], where_stated: Callable[[], str]) -> Iterator[Fault]:
    """Tariffs that the rule or the criteria name and the table has not; tariffs of two mechanisms; tariffs that nothing can show
    to be met; thresholds of what is no gate; more tariffs than the kernels can hold. `where_stated` tells where the rule is."""
    if BEST_PRACTICE.name in faulty or BEST_PRACTICE_CRITERIA.name in faulty or not pack.best_practice:
        return
    yield from _unknown_in_rule(pack, where_stated)
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
