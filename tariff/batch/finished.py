"""Runs that are finished: their card, and the rule packs they were priced with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tariff.activity.files import digest
from tariff.batch.job import card_path
from tariff.errors import Fault, RulesError
from tariff.manifest import added_files, damaged_files, read_manifest
from tariff.rulepack import RulePack, load_pack
from tariff.run_card import read_run_card


def card_of(priced: Path) -> dict[str, Any]:
    """The run card of priced lines."""
    return read_run_card(card_path(priced))


def not_as_written(priced: Path) -> list[Fault]:
    """The files of priced lines that are not the bytes that were written, as run card and manifest know them."""
    if priced.is_dir():
        manifest = read_manifest(priced)
        wrong = [] if manifest is None else [*damaged_files(priced, manifest), *added_files(priced, manifest)]
    else:
        sha256 = card_of(priced).get("sha256")
        wrong = [priced] if sha256 is not None and digest(priced) != sha256 else []
    told = "is not what the run wrote: damaged, changed, missing or added since"
    return [Fault(str(path), told, "restore it, or price the activity again") for path in wrong]


def rules_of(card: Mapping[str, Any]) -> tuple[RulePack, ...]:
    """The rule packs a run card names, loaded again; RulesError where one has changed since."""
    packs = []
    for told in card["packs"]:
        pack = load_pack(told["folder"], [overlay["path"] for overlay in told["overlays"]])
        digests = (pack.digest, *(overlay.digest for overlay in pack.overlays))
        if digests != (told["digest"], *(overlay["digest"] for overlay in told["overlays"])):
            raise RulesError(
                "A rule pack has changed since the run.",
                [
                    Fault(
                        str(told["folder"]), f"is no longer what priced these lines ({told['label']})", "price the activity again"
                    )
                ],
            )
        packs.append(pack)
    return tuple(packs)
