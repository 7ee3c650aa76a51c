"""`rules/released.csv`: the digests of released packs. A released pack never changes; a correction is a new pack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from tariff.errors import RulesError
from tariff.rulepack.tables import Placed, TableColumn, TableSpec, read_table

RELEASED_FILE: Final = "released.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Placed):
    """One released pack."""

    pack: str
    digest: str
    released: date


def releases_in(rules_folder: Path) -> tuple[Release, ...]:
    """The released packs of a rules folder; none where it has no released.csv. RulesError where that file is faulty."""
    path = rules_folder / RELEASED_FILE
    if not path.is_file():
        return ()
    table = read_table(path, _RELEASED)
    if table.faults:
        raise RulesError(f"{path} cannot be used", table.faults)
    return table.rows


def released_digest(rules_folder: Path, year: str) -> str | None:
    """The digest with which pack `year` was released among the packs of `rules_folder`, or None where it was not."""
    return next((release.digest for release in releases_in(rules_folder) if release.pack == year), None)


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError(f"'{text}' is not a sha256 digest")
    return text


_RELEASED: Final = TableSpec(
    name="released",
    columns=(
        TableColumn("pack", str, "label of the pack", "write the pack's year, such as 2017-18", required=True),
        TableColumn("digest", _digest, "digest of its folder", "write what `tariff rules check` prints", required=True),
        TableColumn("released", date.fromisoformat, "when it was released", "write a date such as 2026-04-01", required=True),
    ),
    row=Release,
    key=("pack",),
    labels=(),
)
