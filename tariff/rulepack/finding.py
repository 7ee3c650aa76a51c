"""Where packs and overlays are: an explicit path, then the folder that $TARIFF_RULES names, then the copy shipped with the
engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tariff.errors import Fault, RulesError, did_you_mean

RULES_VARIABLE: Final = "TARIFF_RULES"
PACK_FILE: Final = "pack.toml"
OVERLAY_FILE: Final = "overlay.toml"
_PACKAGE: Final = Path(__file__).resolve().parent.parent


def shipped_rules_folder() -> Path:
    """The rules shipped with the engine: inside an installed wheel, or beside the package in a checkout."""
    installed = _PACKAGE / "_rules"
    return installed if installed.is_dir() else _PACKAGE.parent / "rules"


def rules_folders(rules_folder: Path | None = None) -> list[Path]:
    """The folders searched for a pack by name, first wins: `rules_folder` alone if given, else $TARIFF_RULES, then the
    shipped copy. RulesError where $TARIFF_RULES names no folder."""
    if rules_folder is not None:
        return [rules_folder]
    named = os.environ.get(RULES_VARIABLE)
    if named and not Path(named).is_dir():
        fault = Fault(named, "there is no such folder", f"mend or unset {RULES_VARIABLE}")
        raise RulesError(f"the folder that {RULES_VARIABLE} names cannot be used", [fault])
    return [*([Path(named)] if named else []), shipped_rules_folder()]


def packs_in(folder: Path) -> list[Path]:
    """The folders directly below `folder` that are packs, in order of name. Overlays are not packs."""
    return sorted(path.parent for path in folder.glob(f"*/{PACK_FILE}"))


def overlays_in(folder: Path) -> list[Path]:
    """The folders below `folder`/overlays that are overlays, in order of name."""
    return sorted(path.parent for path in folder.glob(f"overlays/*/{OVERLAY_FILE}"))


def shipped_packs() -> list[Path]:
    """The folders of the packs shipped with the engine, in order of name."""
    return packs_in(shipped_rules_folder())


def shipped_overlays() -> list[Path]:
    """The folders of the overlays shipped with the engine, in order of name."""
    return overlays_in(shipped_rules_folder())


def known_packs(rules_folder: Path | None = None) -> list[Path]:
    """Every pack that can be found by name, in order of name; of two with one name, the one that `find_pack` finds."""
    by_name = {path.name: path for folder in reversed(rules_folders(rules_folder)) for path in packs_in(folder)}
    return [by_name[name] for name in sorted(by_name)]


def find_pack(pack: str | Path, rules_folder: Path | None = None) -> Path:
    """The folder of `pack`, a path to a pack or the name of one. RulesError where there is none, naming those there are."""
    return _find(pack, PACK_FILE, "rule pack", rules_folder, ".", known_packs(rules_folder))


def find_overlay(overlay: str | Path, rules_folder: Path | None = None) -> Path:
    """The folder of `overlay`, a path to an overlay or the name of a shipped one. RulesError where there is none."""
    return _find(overlay, OVERLAY_FILE, "overlay", rules_folder, "overlays", overlays_known(rules_folder))


def overlays_known(rules_folder: Path | None = None) -> list[Path]:
    """Every overlay that can be found by name; of two with one name, the first is meant."""
    return [path for folder in rules_folders(rules_folder) for path in overlays_in(folder)]


def _find(wanted: str | Path, marker: str, what: str, rules_folder: Path | None, below: str, known: list[Path]) -> Path:
    explicit = Path(wanted)
    by_name = [folder / below / wanted for folder in rules_folders(rules_folder)] if explicit.name == str(wanted) else []
    for folder in (explicit, *by_name):
        if (folder / marker).is_file():
            return folder if folder.name not in {"", ".."} else folder.resolve()
    names = [path.name for path in known]
    if explicit.is_dir():
        raise RulesError(
            f"{explicit} is not a {what}", [Fault(str(explicit), f"the folder holds no {marker}", _known(names, ""))]
        )
    nearest = did_you_mean(explicit.name, names)
    raise RulesError(f"there is no {what} '{wanted}'", [Fault("", f"'{wanted}' was not found", _known(names, nearest))])


def _known(names: list[str], nearest: str) -> str:
    listed = f"known: {', '.join(names)}; or give the path of a folder" if names else "give the path of a folder"
    return f"{nearest} {listed}".strip()
