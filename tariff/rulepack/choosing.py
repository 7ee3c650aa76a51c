"""Which rule packs a run prices with: one that is named, or by `auto` the pack of each line's own date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tariff.errors import RulesError
from tariff.rulepack.finding import known_packs
from tariff.rulepack.loading import load_pack
from tariff.rulepack.pack import RulePack

AUTO: Final = "auto"


def load_rules(rules: str | Path = AUTO, *, overlays: Sequence[str | Path] = ()) -> RulePack | tuple[RulePack, ...]:
    """The rule pack called `rules` (a year such as `2017-18`, or the folder of a pack), with `overlays` laid on it in order;
    for `auto` every pack found except illustrative ones, each line then being priced under the pack of its own date.

    Raises RulesError with every fault where a pack or overlay cannot be used."""
    if str(rules) != AUTO:
        return load_pack(rules, overlays)
    packs = tuple(pack for pack in (load_pack(folder, overlays) for folder in known_packs()) if not pack.illustrative)
    if not packs:
        raise RulesError("No rule pack was found to choose from: name one, or set $TARIFF_RULES to a folder of packs.")
    return packs
