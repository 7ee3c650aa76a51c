"""The manifest of a run folder: what the run is a run of, and every file it wrote with its rows and hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ConfigDict, Field, ValidationError

from tariff.activity.files import digest
from tariff.errors import ActivityError, Fault, OutputError, RulesError, TariffError
from tariff.rulepack.model import Strict
from tariff.whole_files import whole_file

MANIFEST_NAME: Final = "manifest.json"
LINES_FOLDER: Final = "priced"
START_AFRESH: Final = "give --overwrite instead of --resume to start afresh"
_CONTINUE: Final = "run `tariff price` again with --resume"
_MAKE_AGAIN: Final = "run `tariff price` again with --resume or --overwrite"


class InputFile(Strict):
    """A file that was read. `lines` and `bytes` are told of activity."""

    model_config = ConfigDict(extra="allow")
    file: str
    kind: str
    sha256: str


class PackUsed(Strict):
    """A rule pack by label and digest, with the digests of its overlays."""

    model_config = ConfigDict(extra="allow")
    label: str
    digest: str
    overlays: tuple[Mapping[str, str], ...]


class WrittenFile(Strict):
    """A file that the run wrote, by its place in the folder."""

    file: str
    rows: Annotated[int, Field(ge=0)]
    sha256: str


class PartFile(WrittenFile):
    """A part file that is whole. `input` counts from 1 the groups of files that are read together."""

    file: Annotated[str, Field(pattern=rf"^{LINES_FOLDER}/part-\d+\.parquet$")]
    input: Annotated[int, Field(ge=1)]


class TableFile(WrittenFile):
    """A table beside the lines."""

    file: Annotated[str, Field(pattern=r"^\w+\.parquet$")]


class Identity(Strict):
    """What a run is a run of: two runs of the same identity write the same bytes.

    `options` are everything that was asked for besides inputs and packs; `versions` of the engine and its libraries. `command` is
    only told."""

    versions: Mapping[str, str]
    command: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    packs: tuple[PackUsed, ...]
    options: Mapping[str, Any]

    def require_same(self, begun: Identity, where: str, state: Literal["unfinished", "finished"]) -> None:
        """ActivityError, RulesError or OutputError where the run that was `begun` is not a run of the same."""
        changed = list(_changed_files(begun.inputs, self.inputs))
        if changed:
            raise ActivityError(f"The activity is not that of the {state} run.", changed)
        if begun.packs != self.packs:
            names = " and ".join(sorted({pack.label for pack in (*begun.packs, *self.packs)}))
            what = f"the rule packs or overlays ({names}) are not those the run was begun with"
            raise RulesError("A rule pack has changed since the run was begun.", [Fault(where, what, START_AFRESH)])
        faults = [
            Fault(where, f"was begun with {name} {before.get(name)!r}, not {now.get(name)!r}", START_AFRESH)
            for before, now in ((begun.options, self.options), (begun.versions, self.versions))
            for name in sorted(before.keys() | now.keys())
            if before.get(name) != now.get(name)
        ]
        if faults:
            raise OutputError(f"The {state} run was begun otherwise.", faults)


class Manifest(Identity):
    """The manifest as it is written. `parts` are told when the run is whole."""

    manifest: Literal[1]
    parts: tuple[PartFile, ...] | None = None
    tables: tuple[TableFile, ...] = ()

    def files(self) -> tuple[WrittenFile, ...]:
        """Every file that the run wrote, but for its card."""
        return (*(self.parts or ()), *self.tables)

    def identity(self) -> Identity:
        """What the run is a run of."""
        return Identity(**{name: getattr(self, name) for name in Identity.model_fields})


def _changed_files(begun: Iterable[InputFile], told: Iterable[InputFile]) -> Iterator[Fault]:
    before, now = [(one.kind, one.sha256) for one in begun], [(one.kind, one.sha256) for one in told]
    if before == now:
        return
    strangers = [one.file for one in told if (one.kind, one.sha256) not in before]
    missing = [one.file for one in begun if (one.kind, one.sha256) not in now]
    yield from (Fault(name, "is not a file the run was begun with, or has changed since", START_AFRESH) for name in strangers)
    yield from (Fault(name, "was part of the run and is not given as it was", START_AFRESH) for name in missing)
    if not (strangers or missing):
        yield Fault("", "the files are given in another order", "give them in the order the run was begun with")


def write_manifest(
    folder: Path, identity: Identity, parts: Iterable[PartFile] | None = None, tables: Iterable[TableFile] = ()
) -> None:
    """Write the manifest of a run that is begun, or that is whole where its files are given."""
    told = Manifest(manifest=1, **dict(identity), parts=None if parts is None else tuple(parts), tables=tuple(tables))
    with whole_file(folder / MANIFEST_NAME) as path:
        path.write_text(told.model_dump_json(indent=1, exclude_defaults=True) + "\n", encoding="utf-8", newline="\n")


def read_manifest(folder: Path, error: type[TariffError] = ActivityError, remedy: str = _MAKE_AGAIN) -> Manifest | None:
    """The manifest, which appears only when whole; None where there is none. `error` where it is damaged."""
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise error("The run cannot be read.", [Fault(str(path), "is damaged", remedy)]) from None


def damaged_files(folder: Path, manifest: Manifest) -> list[Path]:
    """Files of a finished run that are missing or are not the bytes that were written."""
    written = {folder / one.file: one.sha256 for one in manifest.files()}
    return [path for path, sha256 in written.items() if not path.is_file() or digest(path) != sha256]


def added_files(folder: Path, manifest: Manifest) -> list[Path]:
    """Files that stand among the parts of a finished run and are none of them."""
    written = {folder / part.file for part in manifest.parts or ()}
    return [path for path in sorted((folder / LINES_FOLDER).glob("*.parquet")) if path not in written]


def require_all_files(folder: Path, manifest: Manifest) -> None:
    """ActivityError where a file of a finished run is missing, was added, or has not the rows that were written. Cheap: nothing
    but the ends of the files is read; whether they are the bytes that were written is for `tariff verify` to find."""
    if manifest.parts is None:
        raise ActivityError("The run is not finished.", [Fault(str(folder), "was stopped before its end", _CONTINUE)])
    found = ((folder / one.file, _wrong(folder / one.file, one.rows)) for one in manifest.files())
    faults = [Fault(str(path), wrong, _MAKE_AGAIN) for path, wrong in found if wrong]
    faults += [Fault(str(path), "is no part of the run", "move it out of the folder") for path in added_files(folder, manifest)]
    if faults:
        raise ActivityError("The run folder is not as it was written.", faults)


def _wrong(path: Path, rows: int) -> str:
    """What is wrong with a file that should have so many rows, if anything."""
    try:
        found = pq.read_metadata(path).num_rows
    except FileNotFoundError:
        return "is missing"
    except (OSError, pa.ArrowException):
        return "is not a whole Parquet file"
    return "" if found == rows else f"has {found:,} rows, not the {rows:,} that were written"
