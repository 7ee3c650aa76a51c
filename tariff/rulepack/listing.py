"""What `tariff rules list`, `show` and `check` print. Each function returns text; only the command line writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from textwrap import indent, wrap
from typing import Any, Final

from tariff.errors import Fault, RulesError
from tariff.rulepack.checking import unrevised
from tariff.rulepack.finding import OVERLAY_FILE, find_pack, known_packs, overlays_known, packs_in, shipped_overlays
from tariff.rulepack.folders import read_overlay_folder
from tariff.rulepack.loading import PackCheck, check_pack, load_pack
from tariff.rulepack.pack import RulePack
from tariff.rulepack.releases import released_digest
from tariff.rulepack.rows import TABLES

_WIDTH: Final = 110
_SHORT_DIGEST: Final = 12


@dataclass(frozen=True, slots=True)
class PacksChecked:
    """What `tariff rules check` found: the text to print, and how many faults (exit 4 where any) and warnings (exit 0)."""

    text: str
    faults: int
    warnings: int


def list_packs(rules_folder: Path | None = None) -> str:
    """The packs that can be named, one a line, and the overlays shipped with the engine."""
    packs = [check_pack(folder) for folder in known_packs(rules_folder)]
    rows = [("pack", "from", "to", "HRGs", "digest", "title"), *(_listed(check) for check in packs)]
    overlays = [("overlay", "for", "digest"), *_listed_overlays()] if rules_folder is None else []
    return "\n\n".join(_aligned(table) for table in (rows, overlays) if table)


def show_pack(pack: str | Path, overlays: Sequence[str | Path] = (), rules_folder: Path | None = None) -> str:
    """A pack in words: its dates, what it lacks, every rule and every table with source and confidence. An overlay is shown
    laid on the first pack that it is made for.

    RulesError where the pack cannot be used."""
    overlay = _overlay_at(pack, rules_folder)
    if overlay is not None:
        pack, overlays = _pack_under(overlay), [overlay, *overlays]
    loaded = load_pack(pack, overlays, rules_folder)
    return "\n\n".join(
        ["\n".join(_headlines(loaded)), *_notes(loaded), "\n".join(_rule_lines(loaded)), "\n".join(_table_lines(loaded))]
    )


def _pack_under(overlay: Path) -> str:
    """The first pack that an overlay is made for. RulesError where it names none: then it is shown on no pack in particular."""
    declared = read_overlay_folder(overlay).declared
    if declared is not None and declared.overlay.packs:
        return declared.overlay.packs[0]
    remedy = "check it with `tariff rules check`, or name the packs it is for under [overlay] packs"
    raise RulesError(f"{overlay} cannot be shown", [Fault(str(overlay / OVERLAY_FILE), "names no rule pack", remedy)])


def check_packs(paths: Sequence[str | Path], rules_folder: Path | None = None) -> PacksChecked:
    """Every fault and warning of the packs and overlays at `paths`: names, folders, or folders of packs; all known packs
    where no path is given.

    RulesError where a path is neither."""
    folders = (
        [folder for path in paths for folder in _folders_at(Path(path), rules_folder)] if paths else known_packs(rules_folder)
    )
    checks = [_check_overlay(folder) if (folder / OVERLAY_FILE).is_file() else check_pack(folder) for folder in folders]
    across = _dates_across([check.pack for check in checks if check.pack is not None and not check.pack.overlays])
    blocks = [_checked(check) for check in checks] + ["\n".join(f"{sort}: {fault}" for sort, fault in across)] * bool(across)
    faults = sum(len(check.faults) for check in checks) + sum(sort == "fault" for sort, _ in across)
    warnings = sum(len(check.warnings) for check in checks) + sum(sort == "warning" for sort, _ in across)
    return PacksChecked("\n".join([*blocks, f"{_count(faults, 'fault')}, {_count(warnings, 'warning')}"]), faults, warnings)


def _folders_at(path: Path, rules_folder: Path | None) -> list[Path]:
    if overlay := _overlay_at(path, rules_folder):
        return [overlay]
    inside = packs_in(path) if path.is_dir() else []
    return inside or [find_pack(path, rules_folder)]


def _overlay_at(given: str | Path, rules_folder: Path | None) -> Path | None:
    """The overlay that a path or a name means; None where a pack is meant, which goes first."""
    named = [folder for folder in overlays_known(rules_folder) if folder.name == str(given)]
    if (Path(given) / OVERLAY_FILE).is_file():
        return Path(given)
    return named[0] if named and str(given) not in {pack.name for pack in known_packs(rules_folder)} else None


def _check_overlay(folder: Path) -> PackCheck:
    """An overlay laid on each pack it names; on its own where it names none, or where its declarations cannot be read."""
    alone = read_overlay_folder(folder)
    packs = alone.declared.overlay.packs if alone.declared else ()
    if alone.faults or not packs:
        return PackCheck(folder, None, alone.faults, alone.warnings)
    laid = [check_pack(pack, [folder]) for pack in packs]
    faults = tuple(fault for check in laid for fault in check.faults)
    warnings = tuple(warning for check in laid for warning in check.warnings)
    return PackCheck(folder, laid[0].pack, faults, warnings)


def _dates_across(packs: Sequence[RulePack]) -> list[tuple[str, Fault]]:
    """Packs that price the same days (a fault, unless one corrects the other), and days between packs that none prices."""
    dated = sorted((pack for pack in packs if not pack.illustrative), key=lambda pack: (pack.starts, pack.label))
    found = []
    for earlier, later in pairwise(dated):
        where, names = str(later.folder), f"{earlier.label} ends {earlier.ends}, {later.label} starts {later.starts}"
        if later.starts <= earlier.ends and unrevised(later.year) != unrevised(earlier.year):
            found.append(("fault", Fault(where, f"the packs overlap: {names}", "give every day one pack")))
        elif later.starts > earlier.ends + timedelta(days=1):
            found.append(
                ("warning", Fault(where, f"no pack for the days between: {names}", "activity of those days cannot be priced"))
            )
    return found


def _checked(check: PackCheck) -> str:
    name = check.pack.label if check.pack else check.folder.name
    verdict = f"{_count(len(check.faults), 'fault')}, {_count(len(check.warnings), 'warning')}"
    lines = [f"{name}: {verdict}{_holds(check.pack)}"]
    lines += [indent(f"fault: {fault}", "  ") for fault in check.faults]
    lines += [indent(f"warning: {warning}", "  ") for warning in check.warnings]
    return "\n".join(lines)


def _holds(pack: RulePack | None) -> str:
    return f"; {len(pack.admitted):,} HRGs; digest {pack.overlays[-1].digest if pack.overlays else pack.digest}" if pack else ""


def _listed(check: PackCheck) -> tuple[str, ...]:
    pack = check.pack
    if pack is None:
        return (
            check.folder.name,
            "",
            "",
            "",
            "",
            f"{_count(len(check.faults), 'fault')}: see tariff rules check {check.folder.name}",
        )
    title = f"{pack.title} (illustrative)" if pack.illustrative else pack.title
    return (pack.label, str(pack.starts), str(pack.ends), f"{len(pack.admitted):,}", pack.digest[:_SHORT_DIGEST], title)


def _listed_overlays() -> Iterator[tuple[str, ...]]:
    for path in shipped_overlays():
        folder = read_overlay_folder(path)
        packs = ", ".join(folder.declared.overlay.packs) or "any" if folder.declared else "cannot be read"
        yield (path.name, packs, folder.digest[:_SHORT_DIGEST])


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _headlines(pack: RulePack) -> Iterator[str]:
    yield f"{pack.label}: {pack.title}"
    yield f"  prices activity completed {pack.starts} to {pack.ends}; {pack.grouper}"
    released = released_digest(pack.folder.parent, pack.year)
    yield f"  digest {pack.digest}{' (released)' if released == pack.digest else ' (not released)'}"
    for overlay in pack.overlays:
        yield f"  overlay {overlay.name}, digest {overlay.digest}"
    if pack.illustrative:
        yield "  illustrative: never chosen by date"


def _notes(pack: RulePack) -> Iterator[str]:
    notes = [*pack.notes, *(f"Overlay {overlay.name}: {overlay.note}" for overlay in pack.overlays if overlay.note)]
    if notes:
        yield "\n".join(["Notes", *(_hanging(note, "  - ") for note in notes)])


def _rule_lines(pack: RulePack) -> Iterator[str]:
    yield "Rules"
    for name in type(pack.rules).model_fields:
        rule: Any = getattr(pack.rules, name)
        yield f"  {name}: {rule.method} [{rule.confidence}]"
        values = rule.model_dump(mode="json", exclude={"method", "source", "confidence", "note"}, exclude_none=True)
        told = [f"{key} = {_words(value) if isinstance(value, list) else value}" for key, value in values.items() if value != []]
        for text in (*told, rule.source, rule.note):
            if text:
                yield _hanging(text, "      ")


def _words(values: Sequence[Any]) -> str:
    """A list in words; a list of lists as groups."""
    return ", ".join(f"({_words(value)})" if isinstance(value, list) else str(value) for value in values)


def _table_lines(pack: RulePack) -> Iterator[str]:
    yield "Tables"
    for name, spec in TABLES.items():
        rows = pack.cells.get(name, ())
        if not rows:
            continue
        yield f"  {spec.file}: {len(rows):,} rows"
        filled = [
            column for column in spec.column_names if column not in {*spec.key, "name"} and any(row[column] for row in rows)
        ]
        unlabelled = any(not row["confidence"] for row in rows)
        by_label: dict[tuple[str, str], list[str]] = {}
        for column in (filled or spec.key) if unlabelled else ():
            by_label.setdefault(pack.confidence_of(name, column), []).append(column)
        for (confidence, source), columns in by_label.items():
            yield _hanging(f"{', '.join(columns)} [{confidence}]: {source}", "      ")
        own = Counter((row["confidence"], row["source"]) for row in rows if row["confidence"])
        for (confidence, source), number in own.items():
            yield _hanging(f"{_count(number, 'row')} [{confidence}]: {source}", "      ")


def _hanging(text: str, lead: str) -> str:
    return "\n".join(wrap(text, _WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
