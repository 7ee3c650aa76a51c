"""From folders to a RulePack: the pack's own rows, then each overlay's, a row replacing the whole row of the same name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from tariff.errors import Fault, RulesError
from tariff.rulepack.checking import overlay_faults, pack_faults, release_faults
from tariff.rulepack.finding import find_overlay, find_pack
from tariff.rulepack.folders import Folder, read_overlay_folder, read_pack_folder
from tariff.rulepack.model import OverlayFile, PackFile, Rules
from tariff.rulepack.pack import OverlayUsed, RulePack
from tariff.rulepack.pathway_model import laid_over
from tariff.rulepack.rows import TABLES
from tariff.rulepack.sources import Sources
from tariff.rulepack.tables import Cells, Table


@dataclass(frozen=True, slots=True)
class PackCheck:
    """What was found in a pack and its overlays: `pack` is None where there are faults."""

    folder: Path
    pack: RulePack | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def load_pack(pack: str | Path, overlays: Sequence[str | Path] = (), rules_folder: Path | None = None) -> RulePack:
    """The pack named or found at `pack`, with `overlays` (paths, or names of shipped ones) laid on it in order.

    RulesError with every fault where the pack or an overlay cannot be used."""
    found = check_pack(pack, overlays, rules_folder)
    if found.pack is None:
        count = f"{len(found.faults)} fault{'s' if len(found.faults) != 1 else ''}"
        raise RulesError(f"rule pack {found.folder} cannot be used: {count}", found.faults)
    return found.pack


def check_pack(pack: str | Path, overlays: Sequence[str | Path] = (), rules_folder: Path | None = None) -> PackCheck:
    """Everything that is wrong with a pack and its overlays (faults) and everything worth a look (warnings).

    RulesError only where there is no such pack or overlay."""
    base = read_pack_folder(find_pack(pack, rules_folder))
    laid = [read_overlay_folder(find_overlay(overlay, rules_folder)) for overlay in overlays]
    folders: list[Folder[Any]] = [base, *laid]
    faults = [fault for folder in folders for fault in folder.faults]
    warnings = [warning for folder in folders for warning in folder.warnings]
    if base.declared is None or any(folder.declared is None for folder in laid):
        return PackCheck(base.path, None, tuple(faults), tuple(warnings))
    built = _build(base, base.declared, laid)
    faults += release_faults(built)
    across, noticed = pack_faults(built, folders)
    over, seen = overlay_faults(base, laid)
    faults += [*across, *over]
    warnings += [*noticed, *seen]
    return PackCheck(base.path, None if faults else built, tuple(faults), tuple(warnings))


def _build(base: Folder[PackFile], declared: PackFile, laid: Sequence[Folder[OverlayFile]]) -> RulePack:
    header = declared.pack
    used = [(folder, folder.declared) for folder in laid if folder.declared is not None]
    overlays = tuple(OverlayUsed(file.overlay.name, folder.digest, folder.path, file.overlay.note) for folder, file in used)
    folders: list[Folder[Any]] = [base, *laid]
    rows, cells = _laid_over(folders)
    return RulePack(
        label="+".join([header.year, *(overlay.name for overlay in overlays)]),
        year=header.year,
        title=header.title,
        starts=header.starts,
        ends=header.ends,
        grouper=header.grouper,
        illustrative=header.illustrative,
        notes=header.notes,
        folder=base.path,
        digest=base.digest,
        overlays=overlays,
        rules=_rules(declared.rules, (file for _, file in used)),
        admitted=rows.get("admitted", ()),
        outpatient=rows.get("outpatient", ()),
        emergency=rows.get("emergency", ()),
        unbundled=rows.get("unbundled", ()),
        provider_factors=rows.get("mff", ()),
        top_ups=rows.get("top_ups", ()),
        top_up_providers=tuple((row.top_up, row.provider) for row in rows["top_up_providers"])
        if "top_up_providers" in rows
        else None,
        best_practice=rows.get("best_practice", ()),
        best_practice_criteria=rows.get("best_practice_criteria", ()),
        examples=base.examples,
        pathways=reduce(laid_over, (folder.pathways for folder in folders)),
        sources=_sources(folders),
        cells=cells,
    )


def _rules(rules: Rules, overlays: Iterable[OverlayFile]) -> Rules:
    for overlay in overlays:
        replaced = {name: getattr(overlay.rules, name) for name in overlay.rules.model_fields_set}
        rules = rules.model_copy(update=replaced)
    return rules


def _laid_over(folders: Sequence[Folder[Any]]) -> tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Cells, ...]]]:
    """Rows and cells by table: later folders replace rows of the same key in place and add the rest at the end."""
    rows: dict[str, tuple[Any, ...]] = {}
    cells: dict[str, tuple[Cells, ...]] = {}
    for name in TABLES:
        tables: list[Table[Any]] = [folder.tables[name] for folder in folders if name in folder.tables]
        by_key = {table.key_of(text): (row, text) for table in tables for row, text in zip(table.rows, table.cells, strict=True)}
        if tables:
            rows[name] = tuple(row for row, _ in by_key.values())
            cells[name] = tuple(text for _, text in by_key.values())
    return rows, cells


def _sources(folders: Sequence[Folder[Any]]) -> dict[str, Sources]:
    return {f"{folder.path.name}/{table.path.name}": folder.sources for folder in folders for table in folder.tables.values()}
