"""A run folder while it is being written: part files, a journal of those that are whole, and a lock that keeps others out.

The work stands in a hidden folder beside its place, `.NAME.unfinished`, and takes its place only when the run is whole. It
outlives the process that was writing it, so that a run can be continued where it was stopped, at any moment, with the same
bytes in the end as if it had never been."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl
from pydantic import ValidationError

from tariff.activity.files import digest
from tariff.errors import Fault, OutputError, TariffError
from tariff.interruptions import has_been_interrupted
from tariff.manifest import (
    LINES_FOLDER,
    MANIFEST_NAME,
    START_AFRESH,
    Identity,
    Manifest,
    PartFile,
    TableFile,
    added_files,
    read_manifest,
    write_manifest,
)
from tariff.whole_files import beside, flush_folder, refuse_existing, take_the_place_of, whole_file

JOURNAL_NAME: Final = "parts.jsonl"
ROWS_IN_A_GROUP: Final = 250_000


def unfinished_folder(out: Path) -> Path:
    """Where the work of a run into `out` stands until it is whole."""
    return beside(out, "unfinished")


class UnfinishedRun:
    """Part files that are whole, and room for more."""

    def __init__(self, out: Path, identity: Identity, parts: Iterable[PartFile] = ()) -> None:
        self.out, self.folder = out, unfinished_folder(out)
        self.identity = identity
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
        part = PartFile(file=name, input=number, rows=lines.height, sha256=digest(path))
        with writing(path):
            flush_folder(path.parent)
            with (self.folder / JOURNAL_NAME).open("a", encoding="utf-8", newline="\n") as journal:
                journal.write(part.model_dump_json() + "\n")
                journal.flush()
                os.fsync(journal.fileno())
        self.parts.append(part)

    def note_written_anew(self) -> None:
        """Note the parts as they stand, after they were written anew in their places."""
        self.parts = [part.model_copy(update={"sha256": digest(self.folder / part.file)}) for part in self.parts]
        self.write_journal()

    def write_journal(self) -> None:
        """Write the journal of the whole parts as one."""
        with writing(self.folder), whole_file(self.folder / JOURNAL_NAME) as journal:
            journal.write_text("".join(part.model_dump_json() + "\n" for part in self.parts), encoding="utf-8", newline="\n")

    def finish(self, write_card: Callable[[Path], None], card_name: str, *, overwrite: bool, holding: Collection[str]) -> None:
        """Write card and manifest, and put the run in its place."""
        with whole_file(self.folder / card_name) as card:
            write_card(card)
        write_manifest(self.folder, self.identity, self.parts, self._tables())
        refuse_existing(self.out, overwrite=overwrite, holding=holding)
        with writing(self.out):
            (self.folder / JOURNAL_NAME).unlink(missing_ok=True)
            flush_folder(self.folder)
            take_the_place_of(self.out, self.folder)
            flush_folder(self.out.parent)

    def _tables(self) -> Iterator[TableFile]:
        for path in sorted(self.folder.glob("*.parquet")):
            rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
            yield TableFile(file=path.name, rows=rows, sha256=digest(path))

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


def begin(out: Path, identity: Identity, *, resume: bool, overwrite: bool) -> UnfinishedRun:
    """An unfinished run into `out`: what stands there already where it is to be resumed, else a new one.

    OutputError where one stands there and may be neither resumed nor overwritten, and as `Identity.require_same`."""
    folder = unfinished_folder(out)
    if folder.exists() and not (resume or overwrite):
        what = "an earlier run into it was stopped before its end"
        raise OutputError(
            "The output is unfinished.", [Fault(str(out), what, "give --resume to continue it, or --overwrite to start afresh")]
        )
    if resume and (manifest := _begun(folder)) is not None:
        identity.require_same(manifest, str(out), "unfinished")
        run = UnfinishedRun(out, manifest.identity(), _whole_parts(folder, manifest))
        _rewrite(run)
        return run
    with writing(folder):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / LINES_FOLDER).mkdir(parents=True)
        write_manifest(folder, identity)
    return UnfinishedRun(out, identity)


def finished(out: Path, identity: Identity) -> Manifest | None:
    """The manifest of `out` where it holds this very run, finished; its files may be damaged since. None where it holds none, or
    another that an unfinished one is to replace.

    Errors as `Identity.require_same` where it holds another, OutputError where something was added to it."""
    manifest = _begun(out)
    if manifest is None or manifest.parts is None:
        return None
    try:
        identity.require_same(manifest, str(out), "finished")
    except TariffError:
        if unfinished_folder(out).exists():
            return None
        raise
    if added := added_files(out, manifest):
        faults = [Fault(str(path), "is no part of the run", "move it out of the folder") for path in added]
        raise OutputError("The output holds what the run did not write.", faults)
    return manifest


def _begun(folder: Path) -> Manifest | None:
    return read_manifest(folder, OutputError, START_AFRESH)


def _whole_parts(folder: Path, manifest: Manifest) -> list[PartFile]:
    """The parts up to the first that is missing or is not what was written: those after it are made again."""
    whole = []
    for part in manifest.parts or _journal(folder):
        path = folder / part.file
        if not path.is_file() or digest(path) != part.sha256:
            break
        whole.append(part)
    return whole


def _journal(folder: Path) -> Iterator[PartFile]:
    """The parts that the journal tells of; a line that was cut short or damaged tells of a part that does not count."""
    path = folder / JOURNAL_NAME
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            yield PartFile.model_validate_json(line)
        except ValidationError:
            return


def _rewrite(run: UnfinishedRun) -> None:
    """Leave nothing but whole parts and a journal of them."""
    counted = {run.folder / part.file for part in run.parts}
    with writing(run.folder):
        for path in run.folder.rglob("*"):
            if path.is_file() and path not in counted and path.name != MANIFEST_NAME:
                path.unlink()
        run.write_journal()
        write_manifest(run.folder, run.identity)


@contextmanager
def kept_to_continue(run: UnfinishedRun) -> Iterator[None]:
    """What is done stays where a run was stopped from without (interrupted, no room), to be resumed; else it is removed."""
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt) or has_been_interrupted()
        if not run.parts or not (interrupted or isinstance(error, OutputError | MemoryError)):
            run.drop()
            raise
        replacing = " --overwrite" if run.out.exists() else ""
        told = f"give{replacing} --resume to continue the run where it stopped"
        if interrupted:
            raise KeyboardInterrupt(told) from None
        if isinstance(error, TariffError):
            raise OutputError(error.summary, [*error.faults, Fault(str(run.out), "is unfinished", told)]) from error
        raise
