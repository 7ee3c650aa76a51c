"""Which rule packs a run prices with: one that is named, or by `auto` the pack of each line's own date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from tariff.errors import Fault, RulesError
from tariff.rulepack.declarations import read_declarations
from tariff.rulepack.finding import OVERLAY_FILE, PACK_FILE, find_overlay, find_pack, known_packs
from tariff.rulepack.folders import read_overlay_folder
from tariff.rulepack.loading import load_pack
from tariff.rulepack.model import PackFile
from tariff.rulepack.pack import RulePack

AUTO: Final = "auto"


def load_rules(rules: str | Path = AUTO, *, overlays: Sequence[str | Path] = ()) -> RulePack | tuple[RulePack, ...]:
    """The rule pack called `rules` (a year such as `2017-18`, or the folder of a pack), with `overlays` laid on it in order;
    for several, separated by commas, or for `auto`, which is every pack found except illustrative ones, each line is priced under
    the pack of its own date. There an overlay that names the packs it is made for is laid on those alone.

    Raises RulesError with every fault where a pack or overlay cannot be used, an overlay is made for none of the packs, or two
    packs that are named hold for one day."""
    named = _named(rules)
    if named is not None and len(named) == 1:
        return load_pack(rules, overlays)
    folders = known_packs() if named is None else [find_pack(name) for name in named]
    made_for = {overlay: _made_for(overlay) for overlay in overlays}
    loaded = [load_pack(folder, [one for one in overlays if _fits(folder, made_for[one])]) for folder in folders]
    packs = tuple(pack for pack in loaded if named is not None or not pack.illustrative)
    if not packs:
        raise RulesError("No rule pack was found to choose from: name one, or set $TARIFF_RULES to a folder of packs.")
    _refuse_unused(made_for, packs)
    _refuse_two_for_one_day(packs)
    return packs


def _named(rules: str | Path) -> list[str] | None:
    """The packs named; None for `auto`. The name of a folder may hold a comma."""
    if str(rules) == AUTO:
        return None
    if isinstance(rules, Path) or Path(rules).exists():
        return [str(rules)]
    return [name.strip() for name in rules.split(",") if name.strip()] or [rules]


def _refuse_two_for_one_day(packs: Sequence[RulePack]) -> None:
    in_order = sorted(packs, key=lambda pack: pack.starts)
    faults = [
        Fault(later.label, f"begins on {later.starts}, when {earlier.label} has not ended", "name one of them")
        for earlier, later in pairwise(in_order)
        if later.starts <= earlier.ends
    ]
    if faults:
        raise RulesError("Rule packs hold for the same days.", faults)


def _made_for(overlay: str | Path) -> tuple[str, ...]:
    """The packs that an overlay is made for; none named, for any. What cannot be read is told when it is laid on."""
    declared = read_overlay_folder(find_overlay(overlay)).declared
    return declared.overlay.packs if declared is not None else ()


def _fits(folder: Path, made_for: Sequence[str]) -> bool:
    if not made_for:
        return True
    declared, _ = read_declarations(folder / PACK_FILE, PackFile)
    return declared is not None and declared.pack.year in made_for


def _refuse_unused(made_for: Mapping[str | Path, Sequence[str]], packs: Sequence[RulePack]) -> None:
    years = [pack.year for pack in packs]
    faults = [
        Fault(str(find_overlay(overlay) / OVERLAY_FILE), f"is for {', '.join(wanted)}", f"known: {', '.join(years)}")
        for overlay, wanted in made_for.items()
        if wanted and not set(wanted) & set(years)
    ]
    if faults:
        raise RulesError("An overlay is made for none of the rule packs that `auto` chooses from.", faults)
