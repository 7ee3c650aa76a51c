"""A job: what to price, with what, and where to put it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tariff.activity import shipped_maps
from tariff.columns import PATHWAY_TABLES
from tariff.manifest import LINES_FOLDER, MANIFEST_NAME
from tariff.pricing import Dates
from tariff.rulepack.choosing import AUTO
from tariff.run_card import Totals

CARD_NAME: Final = "run_card.json"
ROWS_IN_A_PART: Final = 250_000
RUN_FOLDER: Final = frozenset({CARD_NAME, LINES_FOLDER, MANIFEST_NAME, *(f"{table}.parquet" for table in PATHWAY_TABLES)})
"""What a run folder holds."""

Progress = Callable[[int, int], None]
"""Told the lines that are done and how many there are, as a run goes on."""


@dataclass(frozen=True, slots=True)
class PathwayJob:
    """Pathways to form: register entries, what the run before handed on, and names of definitions (None: the active ones)."""

    registers: Path | None = None
    open_pathways: Path | None = None
    names: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What to price, with what, and where to put it. `files` are (kind or None, path)."""

    files: Sequence[tuple[str | None, Path]]
    out: Path
    rules: str | Path = AUTO
    overlays: Sequence[Path] = ()
    columns: Path | str | None = None
    dates: Dates = "strict"
    confidence: Sequence[str] | None = None
    evidence: Sequence[Path] = ()
    pathways: PathwayJob | None = None
    overwrite: bool = False
    command: Sequence[str] = ()
    resume: bool = False
    rows_in_a_part: int = ROWS_IN_A_PART
    progress: Progress | None = field(default=None, compare=False)
    aggregate: bool = False
    aggregate_by: Sequence[str] = ()

    def tell(self, done: int, of: int) -> None:
        """Tell whoever listens how many lines are done."""
        if self.progress is not None:
            self.progress(done, of)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run. `totals` is None where it was finished before and nothing was left to do."""

    out: Path
    card: Mapping[str, Any]
    totals: Totals | None = field(repr=False)


def is_one_file(out: Path) -> bool:
    """Whether the output is one Parquet file; any other name is a run folder."""
    return out.suffix.lower() == ".parquet"


def card_path(priced: Path) -> Path:
    """Where the run card of priced lines stands: in the run folder, or beside the file."""
    return priced / CARD_NAME if priced.is_dir() or not is_one_file(priced) else priced.with_suffix(f".{CARD_NAME}")


def options_of(job: Job) -> dict[str, Any]:
    """The options of a job as a run card tells them."""
    return {
        "rules": str(job.rules),
        "dates": job.dates,
        "confidence": None if job.confidence is None else list(job.confidence),
        "columns": named_for_good(job.columns),
        "overlays": [str(path) for path in job.overlays],
    }


def named_for_good(column_map: Path | str | None) -> str | None:
    """A column map as `tariff verify` can find it again, from whatever folder it is started in."""
    if column_map is None or str(column_map) in shipped_maps():
        return None if column_map is None else str(column_map)
    return str(Path(column_map).resolve())
