"""Outputs that appear only when whole: written under a temporary name beside their place, flushed to disk, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from tariff.errors import Fault, OutputError


def refused_writing(path: Path, error: OSError) -> OutputError:
    """The error that says why nothing can be written at `path`."""
    in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
    told = "a file stands where a folder is needed" if in_the_way else error.strerror or type(error).__name__
    return OutputError("The output cannot be written.", [Fault(str(path), told, "choose another folder or make room")])


def refuse_existing(path: Path, *, overwrite: bool, holding: Collection[str] = ()) -> None:
    """OutputError where something stands at `path` already, unless it may be overwritten. An empty folder is nothing.

    Where `holding` names what an output folder holds, overwriting is refused for a folder that holds anything else (it is
    not an earlier output, and its contents would be lost) and for a file."""
    if _is_empty_folder(path) or not (path.exists() or path.is_symlink()):
        return
    if not overwrite:
        raise OutputError("The output exists already.", [Fault(str(path), "exists", "choose another name or give --overwrite")])
    if holding and path.is_dir():
        others = sorted(entry.name for entry in path.iterdir() if entry.name not in holding)
        if others:
            _refuse_replacing(path, f"holds what is no part of such an output: {', '.join(others[:3])}")
    elif holding:
        _refuse_replacing(path, "is a file, and a folder would take its place")


def _refuse_replacing(path: Path, what: str) -> None:
    raise OutputError("The output cannot be overwritten.", [Fault(str(path), what, "choose a folder of its own")])


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what is written there takes the place of `path` if nothing fails, else it is removed.

    Raises OutputError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise refused_writing(path, error) from None
    partial = Path(name)
    try:
        yield partial
        _flush_to_disk(partial)
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except OSError as error:
        raise refused_writing(path, error) from None
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, *, overwrite: bool, holding: Collection[str] = ()) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place if nothing fails, else it is removed. `holding` as in
    `refuse_existing`."""
    refuse_existing(path, overwrite=overwrite, holding=holding)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
        partial.chmod(0o777 & ~_umask())
    except OSError as error:
        raise refused_writing(path, error) from None
    try:
        yield partial
        for file in partial.rglob("*"):
            if file.is_file():
                _flush_to_disk(file)
        take_the_place_of(path, partial)
    except OSError as error:
        raise refused_writing(path, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def take_the_place_of(path: Path, partial: Path) -> None:
    """Rename the folder `partial` to `path`. A folder that holds something cannot be renamed over: the old one steps aside first
    and is removed last."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        partial.rename(path)
        return
    aside = partial.with_suffix(".replaced")
    shutil.rmtree(aside, ignore_errors=True)
    path.rename(aside)
    partial.rename(path)
    shutil.rmtree(aside)


def flush_folder(path: Path) -> None:
    """Make the names in a folder last; Windows has no such thing, and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
