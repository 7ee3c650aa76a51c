"""A pack's or overlay's folder as read: declarations, tables, sources, and everything found wrong in it on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from tariff.errors import Fault, did_you_mean
from tariff.rulepack.declarations import read_declarations
from tariff.rulepack.digests import folder_digest, pack_files
from tariff.rulepack.examples import EXAMPLES_FILE, Example, read_examples
from tariff.rulepack.finding import OVERLAY_FILE, PACK_FILE
from tariff.rulepack.model import OverlayFile, PackFile, Strict
from tariff.rulepack.pathway_model import PathwayFile
from tariff.rulepack.rows import TABLES
from tariff.rulepack.sources import SOURCES_FILE, Sources, read_sources, source_faults
from tariff.rulepack.tables import Table, read_table

Declared = TypeVar("Declared", bound=Strict)

PATHWAYS_FILE: Final = "pathways.toml"
_KNOWN_FILES: Final = (
    PACK_FILE,
    OVERLAY_FILE,
    PATHWAYS_FILE,
    SOURCES_FILE,
    EXAMPLES_FILE,
    *(spec.file for spec in TABLES.values()),
)


@dataclass(frozen=True, slots=True)
class Folder(Generic[Declared]):
    """One folder as read. `declared` is None where its .toml could not be read."""

    path: Path
    digest: str
    declared: Declared | None
    tables: dict[str, Table[Any]]
    sources: Sources
    examples: tuple[Example, ...]
    pathways: PathwayFile | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def read_pack_folder(path: Path) -> Folder[PackFile]:
    """The pack in `path`, with every fault that its files show on their own."""
    return _read(path, PACK_FILE, PackFile)


def read_overlay_folder(path: Path) -> Folder[OverlayFile]:
    """The overlay in `path`, with every fault that its files show on their own."""
    return _read(path, OVERLAY_FILE, OverlayFile)


def _read(path: Path, marker: str, model: type[Declared]) -> Folder[Declared]:
    declared, faults = read_declarations(path / marker, model)
    tables = {name: read_table(path / spec.file, spec) for name, spec in TABLES.items() if (path / spec.file).is_file()}
    sources = read_sources(path / SOURCES_FILE)
    examples, example_faults = read_examples(path / EXAMPLES_FILE)
    pathways, pathway_faults = _read_pathways(path / PATHWAYS_FILE)
    faults += pathway_faults
    for table in tables.values():
        faults += table.faults
    faults += sources.faults
    if not sources.faults:
        faults += source_faults(sources, tables.values(), digests_required=marker == PACK_FILE)
    faults += [*example_faults, *_unknown_files(path, marker)]
    warnings = tuple(warning for table in tables.values() for warning in table.warnings)
    return Folder(path, folder_digest(path), declared, tables, sources, examples, pathways, tuple(faults), warnings)


def _read_pathways(path: Path) -> tuple[PathwayFile | None, list[Fault]]:
    return read_declarations(path, PathwayFile) if path.is_file() else (None, [])


def _unknown_files(path: Path, marker: str) -> Iterator[Fault]:
    for file in sorted(pack_files(path)):
        if file.name not in _KNOWN_FILES or (file.name in {PACK_FILE, OVERLAY_FILE} and file.name != marker):
            remedy = f"{did_you_mean(file.name, _KNOWN_FILES)} known: {', '.join(_KNOWN_FILES)}".strip()
            yield Fault(str(file), "this file is no part of a rule pack", remedy)
