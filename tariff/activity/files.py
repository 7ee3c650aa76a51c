"""Activity files as they lie on disk: which there are, whether each is Parquet or delimited text, and its columns."""

from __future__ import annotations

import glob
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl

from tariff.activity import csv_file
from tariff.activity.csv_file import refused
from tariff.errors import ActivityError, Fault

Source: TypeAlias = str | Path | Iterable[str | Path]
"""One path, several, or a pattern such as `apc_*.parquet`."""

_PARQUET_MARK: Final = b"PAR1"
_OTHER_MARKS: Final = {
    b"PK\x03\x04": ("is a workbook or a zip archive", "save the sheet as CSV in UTF-8, or unpack the archive"),
    b"\xd0\xcf\x11\xe0": ("is an old Excel workbook", "save the sheet as CSV in UTF-8"),
    b"\x1f\x8b": ("is compressed with gzip", "unpack it first"),
    b"\x28\xb5\x2f\xfd": ("is compressed with zstd", "unpack it first"),
}


@dataclass(frozen=True, slots=True)
class ActivityFile:
    """One file, opened but not read. `columns` are its headings and types; text files also have an encoding and separator."""

    path: Path
    frame: pl.LazyFrame
    columns: Mapping[str, pl.DataType]
    size: int
    encoding: str = ""
    separator: str = ""
    sha256: str = ""

    @property
    def is_text(self) -> bool:
        """Delimited text, in which every column is String; else Parquet."""
        return bool(self.separator)

    def digest(self) -> str:
        """SHA-256 of the bytes; a text file's is known from opening it, a Parquet file is read for it."""
        return self.sha256 or digest(self.path)


def paths_of(source: Source) -> list[Path]:
    """The files of `source` in a stable order. ActivityError where a path or pattern finds nothing."""
    given = [source] if isinstance(source, str | Path) else list(source)
    found = [(one, _matching(one)) for one in given]
    faults = [Fault(str(one), "there is no such file", "check the path") for one, matches in found if not matches]
    if faults or not given:
        raise ActivityError("There is no activity to read.", faults)
    paths = [path for _, matches in found for path in matches]
    twice = [path for path, times in Counter(path.resolve() for path in paths).items() if times > 1]
    if twice:
        faults = [
            Fault(str(path), "is given more than once", "its activity would be counted twice: give it once") for path in twice
        ]
        raise ActivityError("An activity file is given more than once.", faults)
    return paths


def _matching(given: str | Path) -> list[Path]:
    path = Path(given)
    if path.exists() or not glob.has_magic(str(given)):
        return [path] if path.exists() else []
    fixed = Path(path.anchor)
    return sorted(match for match in fixed.glob(str(path.relative_to(path.anchor))) if match.is_file())


def opened(path: Path) -> ActivityFile:
    """Open a file without reading its rows. ActivityError where it cannot be used as a whole."""
    if path.is_dir():
        raise refused(path, "is a folder", f"give its files, such as {path}/*.parquet")
    try:
        with path.open("rb") as stream:
            mark = stream.read(4)
        for other, (what, remedy) in _OTHER_MARKS.items():
            if mark.startswith(other):
                raise refused(path, what, remedy)
        return _parquet(path) if mark == _PARQUET_MARK or path.suffix.lower() == ".parquet" else _text(path)
    except OSError as error:
        raise refused(
            path, f"cannot be read: {error.strerror or 'input/output error'}", "check the path and its permissions"
        ) from error


def _text(path: Path) -> ActivityFile:
    frame, content, structure = csv_file.scan(path)
    columns = dict.fromkeys(structure.headings, pl.String())
    return ActivityFile(path, frame, columns, path.stat().st_size, content.encoding, structure.separator, content.sha256)


def _parquet(path: Path) -> ActivityFile:
    _refuse_broken_parquet(path)
    try:
        columns = pl.scan_parquet(path, glob=False).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise refused(path, "is a Parquet file whose table of contents cannot be read", "copy or export it again") from error
    repeated = [name for name, times in Counter(name.strip().casefold() for name in columns).items() if times > 1]
    if repeated:
        faults = [
            Fault(str(path), f"has the heading '{name}' more than once", "keep one column of that name") for name in repeated
        ]
        raise ActivityError("An activity file cannot be used.", faults)
    # a scan of its own: one that has been asked for its columns keeps what it found, which thousands of files would add up
    return ActivityFile(path, pl.scan_parquet(path, glob=False), columns, path.stat().st_size)


def _refuse_broken_parquet(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as stream:
        begins = stream.read(4)
        stream.seek(max(0, size - 4))
        ends = stream.read(4)
    if size == 0:
        raise refused(path, "is empty", "export it again")
    if begins != _PARQUET_MARK:
        raise refused(path, "is not a Parquet file, though its name says so", "give delimited text another ending, such as .csv")
    if ends != _PARQUET_MARK or size < 12:
        raise refused(path, "is a Parquet file cut short: its end is missing", "copy or export it again")


@contextmanager
def damage_named(paths: Iterable[Path]) -> Iterator[None]:
    """Turns Polars' complaint about damaged contents, met only while rows are read, into an ActivityError naming the files.

    Polars' own words are left out: they may quote cells, and so patients."""
    try:
        yield
    except (pl.exceptions.ComputeError, pl.exceptions.SchemaError, pl.exceptions.PanicException, OSError) as error:
        faults = [
            Fault(str(path), "its contents cannot be read: damaged or changed meanwhile", "copy or export it again")
            for path in paths
        ]
        raise ActivityError("Activity could not be read to its end.", faults) from error


def digest(path: Path) -> str:
    """SHA-256 of the bytes of a file, which tells it from every other whatever it is called."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
