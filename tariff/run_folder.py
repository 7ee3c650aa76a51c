"""A run folder while it is being written: part files, a journal of those that are whole, and a lock that keeps others out.

The work stands in a hidden folder beside its place, `.NAME.unfinished`, and takes its place only when the run is whole. It
outlives the process that was writing it, so that a run can be continued where it was stopped, at any moment, with the same
bytes in the end as if it had never been."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff.activity.files import digest
from tariff.errors import ActivityError, Fault, OutputError, RulesError, TariffError
from tariff.whole_files import beside, flush_folder, refuse_existing, take_the_place_of, whole_file

MANIFEST_NAME: Final = "manifest.json"
JOURNAL_NAME: Final = "parts.jsonl"
LINES_FOLDER: Final = "priced"
ROWS_IN_A_GROUP: Final = 250_000
_START_AFRESH: Final = "give --overwrite instead of --resume to start afresh"


@dataclass(frozen=True, slots=True)
class PartFile:
    """A part file that is whole. `input` counts from 1 the groups of files that are read together."""

    file: str
    input: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run is a run of: two runs of the same identity write the same bytes.

    `inputs` have `file`, `kind` and `sha256` at least; `packs` have `label`, `digest` and the digests of their overlays;
    `options` everything else that was asked for; `versions` of the engine and its libraries. `command` is only told."""

    command: tuple[str, ...]
    inputs: tuple[Mapping[str, Any], ...]
    packs: tuple[Mapping[str, Any], ...]
    options: Mapping[str, Any]
    versions: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        told = {name: list(value) if isinstance(value, tuple) else dict(value) for name, value in self._fields()}
        return {"manifest": 1, **told}

    def _fields(self) -> Iterator[tuple[str, Any]]:
        yield from ((name, getattr(self, name)) for name in ("versions", "command", "inputs", "packs", "options"))

    def require_same(self, manifest: Mapping[str, Any], where: str) -> None:
        """ActivityError, RulesError or OutputError where the run of `manifest` is not a run of the same."""
        told, begun = self.as_json(), manifest
        changed = list(_changed_files(begun["inputs"], told["inputs"]))
        if changed:
            raise ActivityError("The activity is not what the unfinished run was pricing.", changed)
        if begun["packs"] != told["packs"]:
            names = " and ".join(sorted({pack["label"] for pack in begun["packs"]} | {pack["label"] for pack in told["packs"]}))
            what = f"the rule packs or overlays ({names}) are not those the run was begun with"
            raise RulesError("A rule pack has changed since the run was begun.", [Fault(where, what, _START_AFRESH)])
        faults = [
            Fault(where, f"was begun with {name} {begun[part].get(name)!r}, not {told[part].get(name)!r}", _START_AFRESH)
            for part in ("options", "versions")
            for name in sorted(begun[part].keys() | told[part].keys())
            if begun[part].get(name) != told[part].get(name)
        ]
        if faults:
            raise OutputError("The unfinished run was begun otherwise.", faults)


def _changed_files(begun: Iterable[Mapping[str, Any]], told: Iterable[Mapping[str, Any]]) -> Iterator[Fault]:
    before, now = [(one["kind"], one["sha256"]) for one in begun], [(one["kind"], one["sha256"]) for one in told]
    if before == now:
        return
    strangers = [one["file"] for one in told if (one["kind"], one["sha256"]) not in before]
    missing = [one["file"] for one in begun if (one["kind"], one["sha256"]) not in now]
    yield from (Fault(name, "is not a file the run was begun with, or has changed since", _START_AFRESH) for name in strangers)
    yield from (Fault(name, "was part of the run and is not given as it was", _START_AFRESH) for name in missing)
    if not (strangers or missing):
        yield Fault("", "the files are given in another order", "give them in the order the run was begun with")


def unfinished_folder(out: Path) -> Path:
    """Where the work of a run into `out` stands until it is whole."""
    return beside(out, "unfinished")


class UnfinishedRun:
    """Part files that are whole, and room for more."""

    def __init__(self, out: Path, manifest: Mapping[str, Any], parts: Iterable[PartFile] = ()) -> None:
        self.out, self.folder = out, unfinished_folder(out)
        self.manifest = manifest
        self.parts = list(parts)

    def rows_done(self) -> dict[int, int]:
        """By number of input, where it has a part already, the rows that stand in whole parts."""
        rows: dict[int, int] = {}
        for part in self.parts:
            rows[part.input] = rows.get(part.input, 0) + part.rows
        return rows

    def add(self, lines: pl.DataFrame, number: int) -> None:
        """Write the next lines of input `number` as a part. OutputError where that fails; nothing of it then counts."""
        name = f"{LINES_FOLDER}/part-{len(self.parts) + 1:05}.parquet"
        path = self.folder / name
        with whole_file(path) as partial, writing(path):
            lines.write_parquet(partial, compression="zstd", compression_level=1, row_group_size=ROWS_IN_A_GROUP)
        part = PartFile(name, number, lines.height, digest(path))
        with writing(path):
            flush_folder(path.parent)
            with (self.folder / JOURNAL_NAME).open("a", encoding="utf-8", newline="\n") as journal:
                journal.write(json.dumps(asdict(part)) + "\n")
                journal.flush()
                os.fsync(journal.fileno())
        self.parts.append(part)

    def note_written_anew(self) -> None:
        """Note the parts as they stand, after they were written anew in their places."""
        self.parts = [replace(part, sha256=digest(self.folder / part.file)) for part in self.parts]
        self.write_journal()

    def write_journal(self) -> None:
        """Write the journal of the whole parts as one."""
        with writing(self.folder), whole_file(self.folder / JOURNAL_NAME) as journal:
            journal.write_text("".join(json.dumps(asdict(part)) + "\n" for part in self.parts), encoding="utf-8", newline="\n")

    def finish(self, write_card: Callable[[Path], None], card_name: str, *, overwrite: bool, holding: Collection[str]) -> None:
        """Write card and manifest, and put the run in its place."""
        with whole_file(self.folder / card_name) as card:
            write_card(card)
        _write_manifest(self.folder, {**self.manifest, "parts": [asdict(part) for part in self.parts]})
        refuse_existing(self.out, overwrite=overwrite, holding=holding)
        with writing(self.out):
            (self.folder / JOURNAL_NAME).unlink(missing_ok=True)
            flush_folder(self.folder)
            take_the_place_of(self.out, self.folder)
            flush_folder(self.out.parent)

    def drop(self) -> None:
        """Remove what was done."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Writing fails for want of room or permission: told as such, in no words of Polars."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        told = Fault(
            str(path.parent), "writing there failed, though all of the input can be read", "make room or choose another folder"
        )
        raise OutputError("The output cannot be written.", [told]) from error


def _write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    with whole_file(folder / MANIFEST_NAME) as path:
        path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def begin(out: Path, identity: Identity, *, resume: bool, overwrite: bool) -> UnfinishedRun:
    """An unfinished run into `out`: what stands there already where it is to be resumed, else a new one.

    OutputError where one stands there and may be neither resumed nor overwritten, and as `Identity.require_same`."""
    folder = unfinished_folder(out)
    if folder.exists() and not (resume or overwrite):
        what = "an earlier run into it was stopped before its end"
        raise OutputError(
            "The output is unfinished.", [Fault(str(out), what, "give --resume to continue it, or --overwrite to start afresh")]
        )
    if resume and (manifest := _read_manifest(folder)) is not None:
        identity.require_same(manifest, str(out))
        run = UnfinishedRun(
            out, {name: value for name, value in manifest.items() if name != "parts"}, _whole_parts(folder, manifest)
        )
        _rewrite(run)
        return run
    with writing(folder):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / LINES_FOLDER).mkdir(parents=True)
        _write_manifest(folder, identity.as_json())
    return UnfinishedRun(out, identity.as_json())


def finished_already(out: Path, identity: Identity) -> bool:
    """Whether `out` holds this very run, whole. Errors as `Identity.require_same` where it holds another."""
    manifest = _read_manifest(out)
    if manifest is None or "parts" not in manifest or unfinished_folder(out).exists():
        return False
    identity.require_same(manifest, str(out))
    return True


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest, which appears only when whole; None where the run was stopped before it had one."""
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("manifest") != 1:
        raise OutputError("The unfinished run cannot be read.", [Fault(str(folder / MANIFEST_NAME), "is damaged", _START_AFRESH)])
    return manifest


def damaged_parts(folder: Path) -> list[Path]:
    """Files of priced lines in a finished run folder that are not what was written: damaged, missing, or not of the run. None
    for a folder without a manifest. OutputError where the manifest is damaged."""
    manifest = _read_manifest(folder)
    if manifest is None:
        return []
    written = {folder / part["file"]: part["sha256"] for part in manifest["parts"]}
    strangers = [path for path in sorted((folder / LINES_FOLDER).glob("*.parquet")) if path not in written]
    return [path for path, sha256 in written.items() if not path.is_file() or digest(path) != sha256] + strangers


def _whole_parts(folder: Path, manifest: Mapping[str, Any]) -> list[PartFile]:
    """The parts up to the first that is missing or is not what was written: those after it are made again."""
    whole = []
    for told in manifest.get("parts") or _journal(folder):
        part = PartFile(**told)
        path = folder / part.file
        if not path.is_file() or digest(path) != part.sha256:
            break
        whole.append(part)
    return whole


def _journal(folder: Path) -> Iterator[dict[str, Any]]:
    """Lines of the journal; a last line that was cut short tells of a part that does not count."""
    path = folder / JOURNAL_NAME
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            yield json.loads(line)
        except ValueError:
            return


def _rewrite(run: UnfinishedRun) -> None:
    """Leave nothing but whole parts and a journal of them."""
    counted = {run.folder / part.file for part in run.parts}
    with writing(run.folder):
        for path in run.folder.rglob("*"):
            if path.is_file() and path not in counted and path.name != MANIFEST_NAME:
                path.unlink()
        run.write_journal()
        _write_manifest(run.folder, run.manifest)


@contextmanager
def kept_to_continue(run: UnfinishedRun) -> Iterator[None]:
    """What is done stays where a run was stopped from without (interrupted, no room), to be resumed; else it is removed."""
    try:
        yield
    except (KeyboardInterrupt, OutputError, MemoryError) as error:
        if not run.parts:
            run.drop()
            raise
        told = "give --resume to continue the run where it stopped"
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(told) from None
        if isinstance(error, TariffError):
            raise OutputError(error.summary, [*error.faults, Fault(str(run.out), "is unfinished", told)]) from error
        raise
    except BaseException:
        run.drop()
        raise
