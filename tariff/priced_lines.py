"""Priced lines as they are read again: a frame, a Parquet file or a run folder, and the run cards that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from tariff.activity.blocks import Filed, Lines, pieces_of
from tariff.columns import COMPONENTS, PRICED_LINE, names, schema
from tariff.errors import ActivityError, Fault, did_you_mean
from tariff.manifest import LINES_FOLDER, MANIFEST_NAME, read_manifest, require_all_files
from tariff.reasons import OUTCOMES
from tariff.run_card import read_run_card

Priced = pl.DataFrame | pl.LazyFrame | str | Path | Sequence[str | Path]
"""Priced lines: a frame of `columns.PRICED_LINE`, a Parquet file, a run folder, or several of these."""

RunCards = Mapping[str, Any] | str | Path | Sequence[Mapping[str, Any]] | None
"""Run cards of a pricing run: read already, a file, several, or none (then they are looked for beside the files)."""


LATER: Final = (
    "best_practice_lost_pence",
    "best_practice_tariff",
    "best_practice_status",
    "best_practice_missing",
    "pathway_category",
    "pathway_pence",
    "referral_source",
)
"""Columns that priced lines have gained since they were first published: lines priced before do without."""


def scan_lines(priced: Priced) -> pl.LazyFrame:
    """The lines as a LazyFrame. ActivityError where they cannot be read or are not priced lines."""
    frame = scan_written(priced)
    where = "the frame" if isinstance(priced, pl.DataFrame | pl.LazyFrame) else ", ".join(map(str, paths_given(priced)))
    found = frame.collect_schema().names()
    lacking = [name for name in names(PRICED_LINE) if name not in found and name not in LATER]
    if lacking:
        if are_totals(frame):
            told = "are totals (`tariff price --aggregate`), and this looks at single lines: only `tariff compare` takes totals"
            raise ActivityError("these are not priced lines", [Fault(where, told, "price the lines, without --aggregate")])
        faults = [
            Fault(where, f"column '{name}' is missing", did_you_mean(name, set(found) - set(names(PRICED_LINE))))
            for name in lacking
        ]
        raise ActivityError("these are not priced lines: give what `tariff price` wrote", faults)
    plain = {column.name: None if column.nullable else 0 for column in PRICED_LINE if column.name not in found}
    return frame.with_columns(pl.lit(value, schema(PRICED_LINE)[name]).alias(name) for name, value in plain.items())


def are_totals(written: pl.LazyFrame) -> bool:
    """Whether what `tariff price` wrote is totals rather than lines."""
    found = written.collect_schema().names()
    return "line_id" not in found and set(_TOTALS_HAVE) <= set(found)


_TOTALS_HAVE: Final = ("lines", "lines_valued", "kind", "reason", *COMPONENTS, "price_pence")


def scan_written(priced: Priced) -> pl.LazyFrame:
    """Whatever `tariff price` wrote, lines or totals, as it stands. ActivityError where it cannot be read."""
    if isinstance(priced, pl.DataFrame | pl.LazyFrame):
        return priced.lazy()
    paths = paths_given(priced)
    where = ", ".join(map(str, paths))
    frame = _scan([file for path in paths for file in files_of(path)], where)
    try:
        frame.collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise ActivityError("the priced lines cannot be read", [_unreadable(where)]) from error
    return frame


def lines_of(priced: Path) -> Lines:
    """The priced lines of a file or run folder, to be gone through block by block. ActivityError as `scan_lines`."""
    whole = scan_lines(priced)
    return Lines(whole, pieces_of([(Filed(pl.scan_parquet(file, glob=False)), file) for file in files_of(priced)]))


def find_cards(priced: Priced, given: RunCards) -> tuple[Mapping[str, Any], ...]:
    """The run cards given, or those found beside the files; none where there are none."""
    if isinstance(given, Mapping):
        return (given,)
    if isinstance(given, str | Path):
        return (read_run_card(Path(given)),)
    if given is not None:
        return tuple(given)
    if isinstance(priced, pl.DataFrame | pl.LazyFrame):
        return ()
    return tuple(read_run_card(card) for card in map(_card_path, paths_given(priced)) if card.is_file())


def require_own_cards(
    priced: Priced, given: RunCards, cards: Sequence[Mapping[str, Any]], outcomes: Mapping[str, int], pence: int
) -> None:
    """ActivityError where the run cards found beside the files tell of other lines than the files hold, as they do where one was
    replaced without the other. `outcomes` are the lines by outcome and `pence` their price."""
    if given is not None or isinstance(priced, pl.DataFrame | pl.LazyFrame) or len(cards) != len(paths_given(priced)):
        return
    told = {outcome: sum(card["counts"][outcome] for card in cards) for outcome in OUTCOMES}
    if (told, sum(card["price_pence"] for card in cards)) != ({one: outcomes.get(one, 0) for one in OUTCOMES}, pence):
        remedy = "run `tariff price` again with --overwrite, or put back the card that was written with the lines"
        what = "does not tell of the lines that stand beside it, or not of their price"
        faults = [Fault(", ".join(str(_card_path(path)) for path in paths_given(priced)), what, remedy)]
        raise ActivityError("The run card is not that of the lines.", faults)


TableBeside = pl.DataFrame | str | Path | Sequence[str | Path] | None
"""A table that belongs to priced lines: a frame, a Parquet file or one for each file of lines; none: it is looked for."""


def find_beside(
    priced: Priced, what: Literal["pathways", "pathways_owed", "pathways_restated", "readmissions"], given: TableBeside
) -> pl.DataFrame | None:
    """A table that belongs to priced lines: as given, or found beside every file as `X.<what>.parquet` or in the run folder as
    `<what>.parquet`; None where a file lacks it. ActivityError where it cannot be read or is not such a table."""
    if isinstance(given, pl.DataFrame):
        return given
    if given is None and isinstance(priced, pl.DataFrame | pl.LazyFrame):
        return None
    files = [_beside(path, what) for path in paths_given(priced)] if given is None else paths_given(given)  # type: ignore[arg-type]
    if given is None and not all(path.is_file() for path in files):
        return None
    return pl.concat([_read_beside(file, what) for file in files], how="diagonal")


def _read_beside(file: Path, what: str) -> pl.DataFrame:
    try:
        found = _scan([file], str(file), f"there are no {what}").collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ActivityError(f"the {what} cannot be read", [_unreadable(str(file))]) from error
    lacking = [name for name in _NEEDED[what] if name not in found.columns]
    if lacking:
        told = f"lacks the columns {', '.join(lacking[:3])}{' and others' if len(lacking) > 3 else ''}"
        raise ActivityError(f"these are not {what}", [Fault(str(file), told, f"give the {what} that `tariff price` wrote")])
    return found.select(*_NEEDED[what], *(name for name in _TOLD.get(what, ()) if name in found.columns))


_WHERE: Final = ("commissioner", "financial_year", "month")
_NEEDED: Final = {
    "pathways": ("pathway_id", "definition", "lead_provider", *_WHERE, "change_pence"),
    "pathways_owed": ("definition", "debtor", "creditor", "lines", "pence"),
    "pathways_restated": (
        *(*_WHERE, "kind", "provider", "line_id", "pod", "treatment_function", "currency"),
        *("definition", "told_definition", "pathway_pence", "change_pence"),
    ),
    "readmissions": (
        *(*_WHERE, "provider", "line_id", "pod", "treatment_function", "currency"),
        *("initial_provider", "initial_elective", "reason_excluded", "share_bp", "price_pence"),
    ),
}
"""The columns of each table that payment looks at: the tables grow, and those of earlier runs are of use."""
_TOLD: Final = {"pathways": ("phase", "level", "flag", "price_pence", "episodic_pence", "complications")}
"""What a report tells besides, where a table has it."""


def _beside(priced: Path, what: str) -> Path:
    return priced / f"{what}.parquet" if priced.is_dir() else priced.with_suffix(f".{what}.parquet")


def paths_given(priced: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files and folders that were named, one or several."""
    return [Path(priced)] if isinstance(priced, str | Path) else [Path(path) for path in priced]


def _card_path(priced: Path) -> Path:
    return priced / "run_card.json" if priced.is_dir() else priced.with_suffix(".run_card.json")


def files_of(path: Path) -> list[Path]:
    """The files of priced lines that a path stands for. ActivityError where a folder holds none, or a run folder not all that was
    written."""
    if not path.is_dir():
        return [path]
    path = _run_of(path)
    if (manifest := read_manifest(path)) is not None:
        require_all_files(path, manifest)
        return [path / part.file for part in manifest.parts or ()]
    within = path / LINES_FOLDER
    if within.is_dir() and _card_path(path).is_file():
        told = Fault(str(path / MANIFEST_NAME), "is missing", "run `tariff price` again with --overwrite")
        raise ActivityError("The run folder is not as it was written.", [told])
    files = sorted((within if within.is_dir() else path).glob("*.parquet"))
    if not files:
        raise ActivityError(
            "there are no priced lines", [Fault(str(path), "holds no Parquet file", "give what `tariff price` wrote")]
        )
    return files


def _run_of(folder: Path) -> Path:
    """The run whose parts a folder holds, so that they are held to what was written too; else the folder."""
    run = folder.absolute().parent
    parts_of_a_run = folder.absolute().name == LINES_FOLDER and _card_path(run).is_file() and not _card_path(folder).is_file()
    return run if parts_of_a_run else folder


def _scan(files: list[Path], where: str, summary: str = "there are no priced lines") -> pl.LazyFrame:
    absent = [file for file in files if not file.is_file()]
    if absent:
        told = [Fault(str(file), "not found", "give what `tariff price` wrote") for file in absent]
        raise ActivityError(summary, told)
    try:
        return pl.scan_parquet(files, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ActivityError("the priced lines cannot be read", [_unreadable(where)]) from error


def _unreadable(where: str) -> Fault:
    return Fault(where, "is not a whole Parquet file", "price the activity again")
