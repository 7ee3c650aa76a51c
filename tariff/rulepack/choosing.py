"""Which rule packs a run prices with: one that is named, or by `auto` the pack of each line's own date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tariff.errors import Fault, RulesError
from tariff.rulepack.declarations import read_declarations
from tariff.rulepack.finding import OVERLAY_FILE, PACK_FILE, find_overlay, known_packs
from tariff.rulepack.folders import read_overlay_folder
from tariff.rulepack.loading import load_pack
from tariff.rulepack.model import PackFile
from tariff.rulepack.pack import RulePack

AUTO: Final = "auto"


def load_rules(rules: str | Path = AUTO, *, overlays: Sequence[str | Path] = ()) -> RulePack | tuple[RulePack, ...]:
    """The rule pack called `rules` (a year such as `2017-18`, or the folder of a pack), with `overlays` laid on it in order;
    for `auto` every pack found except illustrative ones, each line then being priced under the pack of its own date. There an
    overlay that names the packs it is made for is laid on those alone.

    Raises RulesError with every fault where a pack or overlay cannot be used, or an overlay is made for none of the packs."""
    if str(rules) != AUTO:
        return load_pack(rules, overlays)
    folders = known_packs()
    made_for = {overlay: _made_for(overlay) for overlay in overlays}
    loaded = [load_pack(folder, [one for one in overlays if _fits(folder, made_for[one])]) for folder in folders]
    packs = tuple(pack for pack in loaded if not pack.illustrative)
    if not packs:
        raise RulesError("No rule pack was found to choose from: name one, or set $TARIFF_RULES to a folder of packs.")
    _refuse_unused(made_for, packs)
    return packs


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
