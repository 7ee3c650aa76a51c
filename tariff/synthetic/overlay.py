"""The overlay that goes with a synthetic year: the market forces factors of its invented providers."""

from __future__ import annotations

import csv
import hashlib
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tariff.synthetic.places import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tariff.rulepack import RulePack

OVERLAY_NAME: Final = "synthetic-providers"
_INVENTED_ON: Final = "2026-11-22"

_HEADER: Final = f"""\
schema = 1

[overlay]
name = "{OVERLAY_NAME}"
note = "Market forces factors of the providers of a synthetic year. Providers and factors are invented: no real trust is shown."
"""

_SWITCHED_ON: Final = """
[rules.market_forces_factor]
method = "by_provider"
source = "Synthetic year: the rule pack holds no market forces factors, so those of the invented providers are switched on"
confidence = "illustrative"
"""

_TRUST_CODE_LENGTH: Final = 3


def write_overlay(folder: Path, pack: RulePack) -> Path:
    """Write the overlay's files into `folder`, for use with `pack`, and return the folder. Where the pack's own rule is a factor
    of 1 for everyone, the overlay switches the rule on."""
    folder.mkdir(parents=True, exist_ok=True)
    switched = _SWITCHED_ON if pack.rules.market_forces_factor.method == "none" else ""
    factors = _table(
        ("provider", "name", "mff"), ((provider.code[:_TRUST_CODE_LENGTH], provider.name, provider.mff) for provider in PROVIDERS)
    )
    _write(folder / "overlay.toml", _HEADER + switched)
    _write(folder / "mff.csv", factors)
    _write(folder / "sources.csv", _sources(hashlib.sha256(factors.encode()).hexdigest()))
    return folder


def _sources(digest: str) -> str:
    header = ("table", "columns", "confidence", "publisher", "document", "sheet", "licence", "retrieved", "sha256", "note")
    row = (
        "mff",
        "",
        "illustrative",
        "This project",
        "Synthetic year: invented providers and factors",
        "",
        "MIT",
        _INVENTED_ON,
        digest,
        "Every provider and every factor is invented.",
    )
    return _table(header, [row])


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
