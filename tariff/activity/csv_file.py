"""A delimited text file before its cells are read: its encoding, separator, headings and soundness.

One pass over the bytes proves that the text can be decoded and that its quoting is regular, and hashes it for the run card;
Polars then reads every column as text. Without that proof a stray quotation mark could swallow rows unseen."""

from __future__ import annotations

import atexit
import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from tariff.errors import ActivityError, Fault
from tariff.scratch import scratch_folder

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SURPLUS: Final = " surplus"
"""Column that catches a cell beyond the headings; a name no trimmed heading can have."""

MOST_SURPLUS: Final = 500
"""Cells of a list that goes on beyond the last heading; a line with more is no list but another table."""

_CHUNK_BYTES: Final = 1 << 22
_HEADING_BYTES: Final = 1 << 20
_QUOTE: Final = ord('"')
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Content:
    """What the bytes of a file are: how they decode and what they hash to."""

    encoding: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Structure:
    """How decoded text is laid out. `headings` are trimmed; a blank heading is named by its place. `lines_to_headings` counts
    them, and the line before them that names the separator."""

    headings: tuple[str, ...]
    separator: str
    line_end: str
    has_blank_lines: bool
    lines_to_headings: int


def refused(path: Path, what: str, remedy: str) -> ActivityError:
    """The error for one file that cannot be used."""
    return ActivityError("An activity file cannot be used.", [Fault(str(path), what, remedy)])


def scan(path: Path) -> tuple[pl.LazyFrame, Content, Structure]:
    """The file lazily, every heading a String column, beside `SURPLUS`; lines with nothing at all on them are passed over.

    Raises ActivityError where the text cannot be decoded, is empty, or its quoting is broken."""
    text, content, structure = _proven(path)
    return _scanned(text, structure, [SURPLUS]), content, structure


def scan_list_at_end(path: Path) -> pl.LazyFrame:
    """The same of a file whose last column holds a list that goes on in cells beyond the headings: all of it in that column, its
    items separated by `;`. Raises ActivityError besides where a line holds more than a list would."""
    text, content, structure = _proven(path)
    surplus = _most_cells(text, structure, content.sha256) - len(structure.headings)
    if surplus > MOST_SURPLUS:
        what = f"has a line with {surplus:,} cells beyond its {len(structure.headings)} headings"
        raise refused(path, what, "export it again: no list is as long")
    names, last = [f"{SURPLUS} {place}" for place in range(surplus)], structure.headings[-1]
    listed = pl.concat_str(last, *names, separator=";", ignore_nulls=True)
    frame = _scanned(text, structure, names)
    return frame.with_columns(pl.when(listed != "").then(listed).alias(last)).drop(names)


def _proven(path: Path) -> tuple[Path, Content, Structure]:
    """The text of a file, in UTF-8, which may be a copy of it, and what is known of it."""
    stamp = path.stat()
    content = _content(path, stamp.st_size, stamp.st_mtime_ns)
    text = path if content.encoding == "utf-8" else _as_utf8(path, content.encoding, content.sha256)
    return text, content, _structure(path, text, content.sha256)


def _scanned(text: Path, structure: Structure, surplus: Sequence[str]) -> pl.LazyFrame:
    frame = pl.scan_csv(
        text,
        has_header=False,
        skip_rows=structure.lines_to_headings,
        schema=dict.fromkeys((*structure.headings, *surplus), pl.String()),
        separator=structure.separator,
        eol_char=structure.line_end,
        missing_columns="insert",
        extra_columns="ignore",
        truncate_ragged_lines=True,
        glob=False,
    )
    return frame.filter(pl.any_horizontal(pl.all().is_not_null())) if structure.has_blank_lines else frame


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


@lru_cache(maxsize=4096)
def _content(path: Path, size: int, modified_ns: int) -> Content:
    """Cached by size and time of change, so that a run reads the bytes of a file once for hash and encoding."""
    del size, modified_ns
    digest = hashlib.sha256()
    utf8 = codecs.getincrementaldecoder("utf-8")()
    is_utf8, marked, first = True, "", True
    for chunk in _chunks(path):
        digest.update(chunk)
        if first:
            marked, first = "utf-16" if chunk.startswith(_UTF_16_MARKS) else "", False
        if not marked and b"\0" in chunk:
            raise refused(path, "holds NUL bytes: it is not a text file", "export it again as CSV in UTF-8")
        is_utf8 = is_utf8 and not marked and _decodes(utf8, chunk)
    if first:
        raise refused(path, "is empty: it has not even headings", "export it again")
    is_utf8 = is_utf8 and _decodes(utf8, b"", final=True)
    return Content(marked or ("utf-8" if is_utf8 else "cp1252"), digest.hexdigest())


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=1)
def _scratch_folder() -> Path:
    """A folder for transcoded copies, which goes with the process."""
    kept = ExitStack()
    atexit.register(kept.close)
    return kept.enter_context(scratch_folder())


def _as_utf8(path: Path, encoding: str, sha256: str) -> Path:
    """A copy of the file in UTF-8, which is all that Polars reads; made once a process."""
    copy = _scratch_folder() / f"{sha256}.csv"
    if copy.exists():
        return copy
    partial = copy.with_suffix(".part")
    try:
        _transcode(path, partial, encoding)
        return partial.replace(copy)
    except UnicodeDecodeError as error:
        what = f"is neither UTF-8 nor {encoding} text: a byte cannot be decoded"
        raise refused(path, what, "export it again as CSV in UTF-8") from error
    except OSError as error:
        what = f"could not be copied as UTF-8 to the temporary folder: {error.strerror}"
        raise refused(path, what, "save it as CSV in UTF-8") from error
    finally:
        partial.unlink(missing_ok=True)


def _transcode(path: Path, copy: Path, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    with copy.open("wb") as stream:
        for chunk in _chunks(path):
            stream.write(decoder.decode(chunk).encode())
        stream.write(decoder.decode(b"", final=True).encode())


@lru_cache(maxsize=4096)
def _structure(path: Path, text: Path, sha256: str) -> Structure:
    del sha256
    start = _opening_text(text)
    line_end = _line_end(path, start)
    named, start = _separator_named(path, start)
    separator, headings = _headings(path, start, named or SEPARATORS)
    quotes_regular = _QuoteCheck(path, separator)
    blank_lines = _BlankLines(separator, len(headings))
    tail = b""
    for place, raw in enumerate(_chunks(text)):
        chunk = raw if place else raw.removeprefix(codecs.BOM_UTF8)
        quotes_regular.take(chunk)
        blank_lines.take(chunk)
        tail = (tail + chunk)[-_HEADING_BYTES:]
    quotes_regular.finish()
    _refuse_cut_short(path, tail, separator, len(headings))
    return Structure(headings, separator, line_end, blank_lines.seen, lines_to_headings=2 if named else 1)


def _opening_text(text: Path) -> str:
    with text.open("rb") as stream:
        start = stream.read(_HEADING_BYTES)
    return codecs.getincrementaldecoder("utf-8-sig")().decode(start)


def _line_end(path: Path, start: str) -> str:
    """What ends a line: a carriage return alone, as on older Macs, or a line feed. Cells in quotation marks may hold either."""
    outside = "".join(start.split('"')[::2])
    if "\n" not in outside:
        return "\r" if "\r" in outside else "\n"
    if "\r" in outside.partition("\n")[0].removesuffix("\r"):
        raise refused(path, "has line ends of two kinds: carriage returns and line feeds", "export it again with one of them")
    return "\n"


_NAMES_SEPARATOR: Final = re.compile(r'("?)sep=(.)\1(\r\n|\n|\r)', re.IGNORECASE)


def _separator_named(path: Path, start: str) -> tuple[str, str]:
    """The separator that a line before the headings names, as Excel on Windows has it (`sep=;`), and the text after that line;
    blank where none does."""
    named = _NAMES_SEPARATOR.match(start)
    if named is None:
        return "", start
    if named[2] not in SEPARATORS:
        known = ", ".join(SEPARATORS.values())
        raise refused(
            path, f"names a separator in its first line that is not known: {named[2]!r}", f"export it with one of {known}"
        )
    return named[2], start[named.end() :]


def _headings(path: Path, start: str, separators: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The separator that splits the first line into most headings, and those headings."""
    if not start.strip():
        raise refused(path, "is empty: it has not even headings", "export it again")
    split = {separator: record for separator in separators if (record := _first_record(start, separator)) is not None}
    if not split:
        raise refused(path, "has headings that cannot be read: a quotation mark is out of place", "repair the first line")
    separator = max(split, key=lambda one: len(split[one]))
    headings = tuple(heading.strip() or f"column {place}" for place, heading in enumerate(split[separator], 1))
    if not headings:
        raise refused(path, "has a blank first line where its headings should be", "begin the file with its headings")
    _refuse_repeats(path, headings)
    return separator, headings


def _first_record(start: str, separator: str) -> list[str] | None:
    """The cells of the first line, or None where its quoting rules the separator out."""
    try:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=separator, strict=True), [])
    except csv.Error:
        return None


def _refuse_repeats(path: Path, headings: tuple[str, ...]) -> None:
    lower = [heading.casefold() for heading in headings]
    repeated = dict.fromkeys(heading for heading, folded in zip(headings, lower, strict=True) if lower.count(folded) > 1)
    once = list(dict.fromkeys(heading.casefold() for heading in repeated))
    if once:
        faults = [
            Fault(str(path), f"has the heading '{heading}' more than once", "keep one column of that name") for heading in once
        ]
        raise ActivityError("An activity file cannot be used.", faults)


class _QuoteCheck:
    """Proves that every quotation mark opens or closes a cell or is doubled inside one, a chunk at a time."""

    def __init__(self, path: Path, separator: str) -> None:
        self._path = path
        self._edges = np.zeros(256, np.bool_)
        self._edges[[ord(separator), ord("\n"), ord("\r"), _QUOTE]] = True
        self._inside = False
        self._held = b"\n"
        self._lines_before = 0
        self._waiting = b""

    def take(self, chunk: bytes) -> None:
        """Check the marks of a chunk but its last byte, whose successor is not known yet."""
        data = self._waiting + chunk
        self._check(data, len(data) - 1, self._held)
        self._held = data[-2:-1] or self._held
        self._waiting = data[-1:]

    def finish(self) -> None:
        """Check the last byte, and that the last cell was closed."""
        self._check(self._waiting + b"\n", len(self._waiting), self._held)
        if self._inside:
            raise self._broken(self._lines_before, "a cell is opened by a quotation mark and never closed")

    def _check(self, data: bytes, upto: int, before: bytes) -> None:
        if b'"' in data[:upto]:
            array = np.frombuffer(before + data, np.uint8)
            places = np.flatnonzero(array[1 : upto + 1] == _QUOTE) + 1
            opens = np.arange(places.size) % 2 == int(self._inside)
            beside = np.where(opens, array[places - 1], array[places + 1])
            wrong = np.flatnonzero(~self._edges[beside])
            if wrong.size:
                line = self._lines_before + data[: int(places[wrong[0]])].count(b"\n")
                raise self._broken(line, "a quotation mark stands inside a cell")
            self._inside ^= bool(places.size % 2)
        self._lines_before += data[:upto].count(b"\n")

    def _broken(self, lines_before: int, what: str) -> ActivityError:
        remedy = "put the whole cell in quotation marks and double those inside it"
        return ActivityError("An activity file cannot be used.", [Fault(f"{self._path}:{lines_before + 1}", what, remedy)])


class _BlankLines:
    """Whether some line may hold nothing, or separators only (as spreadsheets leave below the data)."""

    def __init__(self, separator: str, columns: int) -> None:
        empty = ("", separator * (columns - 1))
        self._patterns = [f"{end}{line}{end}".encode() for line in empty for end in ("\n", "\r")]
        self._patterns += [f"\n{line}\r\n".encode() for line in empty]
        self._reach = max(map(len, self._patterns))
        self._held = b""
        self.seen = False

    def take(self, chunk: bytes) -> None:
        data = self._held + chunk
        self.seen = self.seen or any(pattern in data for pattern in self._patterns)
        self._held = data[-self._reach :]


@lru_cache(maxsize=4096)
def _most_cells(text: Path, structure: Structure, sha256: str) -> int:
    """The most cells that a line may have: separators inside quotation marks count as well, line ends inside them do not."""
    del sha256
    most, of_line, inside = 0, 1, 0
    for chunk in _chunks(text):
        array = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(array == ord(structure.line_end))
        if inside or b'"' in chunk:
            marks = inside + np.cumsum(array == _QUOTE)
            ends, inside = ends[marks[ends] % 2 == 0], int(marks[-1]) % 2
        separators = np.flatnonzero(array == ord(structure.separator))
        before = np.searchsorted(separators, ends)
        cells = np.diff(before, prepend=0, append=separators.size) + 1
        cells[0] += of_line - 1
        most, of_line = max(most, int(cells.max())), int(cells[-1])
    return most


def _refuse_cut_short(path: Path, tail: bytes, separator: str, columns: int) -> None:
    """A last line without its end and with too few cells is a file cut short in copying, not a short row."""
    last = tail.rpartition(b"\n")[2]
    if not last or b'"' in last or tail.count(b"\n") == 0:
        return
    cells = last.count(separator.encode()) + 1
    if cells < columns:
        what = f"ends in the middle of a line, after {cells} of {columns} cells: it looks cut short"
        raise refused(path, what, "copy or export the file again; if the line is whole, end it with a line break")
