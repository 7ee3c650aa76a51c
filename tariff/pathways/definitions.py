"""What is to be formed: the pathway definitions of a rule pack, and the prices and factors that settle them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

from tariff.errors import RulesError, UsageError, did_you_mean
from tariff.money import MILLION
from tariff.rulepack import RulePack
from tariff.rulepack.pathway_model import AnyPathway, PathwayFile, ReadmissionRule, Transfers


@dataclass(frozen=True)
class Definitions:
    """Pathways in order (the order breaks ties), transfers, readmission rules, factors by provider in millionths, and the year
    that prices a year are of."""

    pathways: tuple[AnyPathway, ...]
    transfers: Transfers | None
    readmissions: tuple[ReadmissionRule, ...]
    factors: Mapping[str, int]
    by_provider: bool
    default_factor: int | None
    since: date
    until: date

    @property
    def year_days(self) -> int:
        """Days of the year that a price a year pays for."""
        return (self.until - self.since).days + 1

    def factor_of(self, provider: str) -> int | None:
        """The market forces factor of a provider in millionths: by its whole code, its first three characters, the default."""
        if not self.by_provider:
            return MILLION
        return self.factors.get(provider, self.factors.get(provider[:3], self.default_factor))

    def only(self, names: Collection[str]) -> Definitions:
        """The same with these pathways alone."""
        return replace(self, pathways=tuple(pathway for pathway in self.pathways if pathway.name in names))


def definitions_of(pack: RulePack, names: Collection[str] | None = None) -> Definitions:
    """The definitions of a pack: those named, else those it marks active. RulesError where the pack has none, UsageError where
    a name is not known."""
    if pack.pathways is None:
        raise RulesError(f"rule pack {pack.label} defines no pathways: it, or an overlay, needs a pathways.toml")
    _are_known(pack.pathways, names or ())
    rule = pack.rules.market_forces_factor
    return Definitions(
        pathways=tuple(
            pathway for pathway in pack.pathways.pathway if (pathway.active if names is None else pathway.name in names)
        ),
        transfers=pack.pathways.transfers,
        readmissions=tuple(sorted(pack.pathways.readmission, key=lambda its: its.starts)),
        factors={row.provider: row.mff for row in pack.provider_factors},
        by_provider=rule.method == "by_provider",
        default_factor=rule.default_millionths if rule.method == "by_provider" else None,
        since=pack.starts,
        until=pack.ends,
    )


def _are_known(file: PathwayFile, names: Collection[str]) -> None:
    known = [pathway.name for pathway in file.pathway]
    for name in names:
        if name not in known:
            raise UsageError(f"no pathway is named '{name}': {did_you_mean(name, known)} there are {', '.join(known)}")
