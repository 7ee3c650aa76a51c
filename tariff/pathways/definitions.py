"""What is to be formed: the pathway definitions of rule packs, with the prices and factors that settle them.

Several packs may be given. An anchor, a birth or a booking is then of the pack of its own date, as the price of a line is (RULES
1.1), so that a pathway that goes on over a year end keeps the definition and the price it was opened under."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from itertools import chain
from typing import Final, NamedTuple

from tariff.errors import Fault, RulesError, UsageError, did_you_mean
from tariff.money import MILLION
from tariff.rulepack import RulePack
from tariff.rulepack.best_practice_rows import YEAR_OF_CARE
from tariff.rulepack.pathway_model import AnyPathway, PathwayFile, ReadmissionRule, Transfers, YearOfCare

_MARKED: Final = 12
"""Characters of a digest that tell definitions apart."""


@dataclass(frozen=True)
class PackDefinitions:
    """What one rule pack defines: pathways in order (the order breaks ties), transfers, readmission rules, its dates, and market
    forces factors by provider in millionths."""

    label: str
    since: date
    until: date
    pathways: tuple[AnyPathway, ...] = ()
    transfers: Transfers | None = None
    readmissions: tuple[ReadmissionRule, ...] = ()
    factors: Mapping[str, int] | None = None
    default_factor: int | None = None
    rules: RulePack | None = field(default=None, compare=False, repr=False)
    """The pack itself, for the criteria of its best-practice tariffs."""

    @property
    def year_days(self) -> int:
        """Days of the year that a price a year pays for."""
        return (self.until - self.since).days + 1

    def factor_of(self, provider: str) -> int | None:
        """The market forces factor of a provider: by its whole code, its first three characters, the default; 1 for everyone
        where the pack has no factors."""
        if self.factors is None:
            return MILLION
        return self.factors.get(provider, self.factors.get(provider[:3], self.default_factor))

    @cached_property
    def mark(self) -> str:
        """Label and digest: what open pathways were formed under, so that a later run can tell whether it has the same."""
        models = [model.model_dump_json() for model in (*self.pathways, *self.readmissions)]
        transfers = None if self.transfers is None else self.transfers.model_dump_json()
        factors = None if self.factors is None else sorted(self.factors.items())
        tariffs = {its.quality.tariff for its in self.pathways if its.quality is not None}
        criteria = [] if self.rules is None else [row for row in self.rules.best_practice_criteria if row.tariff in tariffs]
        criteria_told = [(row.tariff, row.criterion) for row in criteria]
        said = repr((models, transfers, factors, self.default_factor, self.since, self.until, criteria_told))
        return f"{self.label} {sha256(said.encode()).hexdigest()[:_MARKED]}"


class Definition(NamedTuple):
    """A pathway as one pack states it, and the pack. Its number is its place among those of all packs."""

    its: AnyPathway
    pack: PackDefinitions


@dataclass(frozen=True)
class Definitions:
    """What packs define, by their dates, which do not overlap. `any_date`: dates are ignored, and the one pack holds for all."""

    packs: tuple[PackDefinitions, ...]
    any_date: bool = False

    @cached_property
    def pathways(self) -> tuple[Definition, ...]:
        """Every pathway of every pack, in order."""
        return tuple(Definition(its, pack) for pack in self.packs for its in pack.pathways)

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Names of pathways: what one pack states after another under one name is one family."""
        return tuple(dict.fromkeys(its.name for its, _ in self.pathways))

    def family_of(self, definition: Definition) -> int:
        """Number of the family of a definition."""
        return self.families.index(definition.its.name)

    @property
    def readmissions(self) -> tuple[ReadmissionRule, ...]:
        """Readmission rules; of several packs each for the dates of its own pack."""
        if len(self.packs) == 1:
            return self.packs[0].readmissions
        return tuple(chain.from_iterable(map(_within_pack, self.packs)))

    def bounds(self, pack: PackDefinitions) -> tuple[date, date]:
        """First and last day of anchors that are of the pack."""
        return (date.min, date.max) if self.any_date else (pack.since, pack.until)

    def only(self, names: Collection[str]) -> Definitions:
        """The same with these pathways alone."""
        return self.changed(lambda its: its if its.name in names else None)

    def changed(self, change: Callable[[AnyPathway], AnyPathway | None]) -> Definitions:
        """The same with every pathway changed, or left out where the change is None."""
        packs = (replace(pack, pathways=tuple(_changed(pack.pathways, change))) for pack in self.packs)
        return replace(self, packs=tuple(packs))

    def paying_between(self, told_until: date | None, until: date, reach: int) -> Definitions:
        """The same without the years of care that a run up to `until` has nothing to do with: it pays those of the year of
        `until`, and of years on whose lines something may still bear (`reach`, in days) after an earlier run up to
        `told_until`."""
        latest = max((pack.since for pack in self.packs if pack.since <= until), default=self.packs[0].since)

        def is_paid(definition: Definition) -> bool:
            its, pack = definition
            if not isinstance(its, YearOfCare) or pack.since == latest:
                return True
            settled = pack.until + timedelta(days=max(its.settlement_days, reach))
            return told_until is not None and pack.since <= latest and settled >= told_until

        paid = [definition for definition in self.pathways if is_paid(definition)]
        packs = (
            replace(pack, pathways=tuple(definition.its for definition in paid if definition.pack is pack)) for pack in self.packs
        )
        return replace(self, packs=tuple(packs))

    def require_formed_under(self, marks: Collection[str]) -> None:
        """RulesError where open pathways were formed under definitions that are not given here."""
        known = {pack.mark for pack in self.packs}
        faults = [
            Fault("open pathways", f"were formed under {mark.rsplit(' ', 1)[0]}", self._instead_of(mark))
            for mark in sorted(set(marks) - known)
        ]
        if faults:
            raise RulesError("The open pathways need definitions that this run does not have.", faults)

    def _instead_of(self, mark: str) -> str:
        label = mark.rsplit(" ", 1)[0]
        if label in {pack.label for pack in self.packs}:
            return "its definitions or factors have changed since, or others are named: form that year's pathways again"
        return f"give that rule pack too: --rules auto, or {label} beside the others, separated by commas"


def definitions_of(
    packs: RulePack | Sequence[RulePack], names: Collection[str] | None = None, *, any_date: bool = False
) -> Definitions:
    """The definitions of rule packs: those named, else those they mark active. RulesError where no pack has any, UsageError where
    a name is known to none."""
    given = [packs] if isinstance(packs, RulePack) else list(packs)
    files = [pack.pathways for pack in given if pack.pathways is not None]
    if not files:
        labels = ", ".join(pack.label for pack in given)
        raise RulesError(f"rule pack {labels} defines no pathways: it, or an overlay, needs a pathways.toml")
    _are_known(files, names or ())
    _are_of_one_method(files)
    _require_criteria(given, names)
    return Definitions(tuple(sorted((_of_pack(pack, names) for pack in given), key=lambda its: its.since)), any_date)


def _of_pack(pack: RulePack, names: Collection[str] | None) -> PackDefinitions:
    rule, file = pack.rules.market_forces_factor, pack.pathways
    pathways = () if file is None else file.pathway
    return PackDefinitions(
        label=pack.label,
        since=pack.starts,
        until=pack.ends,
        pathways=tuple(its for its in pathways if (its.active if names is None else its.name in names)),
        transfers=None if file is None else file.transfers,
        readmissions=() if file is None else tuple(sorted(file.readmission, key=lambda its: its.starts)),
        factors={row.provider: row.mff for row in pack.provider_factors} if rule.method == "by_provider" else None,
        default_factor=rule.default_millionths if rule.method == "by_provider" else None,
        rules=pack,
    )


def _within_pack(pack: PackDefinitions) -> Iterator[ReadmissionRule]:
    for rule in pack.readmissions:
        starts, ends = max(rule.starts, pack.since), min(rule.ends, pack.until)
        if starts <= ends:
            yield rule.model_copy(update={"starts": starts, "ends": ends})


def _changed(pathways: tuple[AnyPathway, ...], change: Callable[[AnyPathway], AnyPathway | None]) -> Iterator[AnyPathway]:
    for its in pathways:
        changed = change(its)
        if changed is not None:
            yield changed


def _are_known(files: Sequence[PathwayFile], names: Collection[str]) -> None:
    known = list(dict.fromkeys(pathway.name for file in files for pathway in file.pathway))
    for name in names:
        if name not in known:
            raise UsageError(f"no pathway is named '{name}': {did_you_mean(name, known)} there are {', '.join(known)}")


def _are_of_one_method(files: Sequence[PathwayFile]) -> None:
    methods: dict[str, str] = {}
    for pathway in chain.from_iterable(file.pathway for file in files):
        if methods.setdefault(pathway.name, pathway.method) != pathway.method:
            raise RulesError(f"pathway '{pathway.name}' is of one method in one rule pack and of another in the next: rename one")


def _require_criteria(packs: Sequence[RulePack], names: Collection[str] | None) -> None:
    """RulesError where a quality condition names a tariff that is no year of care of its pack."""
    faults = [
        Fault(f"{pack.label}: pathway '{its.name}'", f"its quality names '{its.quality.tariff}'", "state it in best_practice.csv")
        for pack in packs
        for its in _of_pack(pack, names).pathways
        if its.quality is not None and its.quality.tariff is not None and its.quality.tariff not in _years_of_care(pack)
    ]
    if faults:
        raise RulesError("A pathway's quality is that of no year of care.", faults)


def _years_of_care(pack: RulePack) -> set[str]:
    return {row.tariff for row in pack.best_practice if row.mechanism == YEAR_OF_CARE}
