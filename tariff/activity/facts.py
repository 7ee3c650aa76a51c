"""What the run card says of an activity file: what it is, how it was read, and what in it was not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tariff.activity.column_map import ColumnMap, load_map
from tariff.activity.files import damage_named
from tariff.activity.reading import FittedFile, fit


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One activity file. `rows` are rows of the file (episodes where `in_episodes`); `size` is in bytes.

    `encoding` and `separator` are empty for Parquet; `ignored` are headings nothing was read from."""

    path: Path
    kind: str
    rows: int
    in_episodes: bool
    size: int
    sha256: str
    encoding: str
    separator: str
    ignored: tuple[str, ...]
    column_map: str

    @property
    def name(self) -> str:
        """The file's own name, without its folder."""
        return self.path.name


def survey(path: str | Path, kind: str | None = None, columns: ColumnMap | str | Path | None = None) -> FileFacts:
    """Facts of one file. Errors as `read_activity`. A text file's hash and encoding are known from opening it."""
    column_map = load_map(columns)
    (fitted,) = fit([path], kind, column_map)
    return facts_of_file(fitted, column_map.name)


def facts_of_file(fitted: FittedFile, column_map: str) -> FileFacts:
    """Facts of a file that was fitted by the map of that name. ActivityError where its rows cannot be counted."""
    file = fitted.file
    return FileFacts(
        path=file.path,
        kind=fitted.kind.name,
        rows=_rows(fitted),
        in_episodes=fitted.in_parts,
        size=file.size,
        sha256=file.digest(),
        encoding=file.encoding,
        separator=file.separator,
        ignored=fitted.ignored,
        column_map=column_map,
    )


def _rows(fitted: FittedFile) -> int:
    with damage_named([fitted.file.path]):
        rows: int = fitted.file.frame.select(pl.len()).collect().item()
    return rows
