"""Outputs that appear only when whole: written under a temporary name beside their place, flushed to disk, then renamed."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from tariff.errors import Fault, OutputError
from tariff.interruptions import InterruptionsPutOff
from tariff.locks import locked

PARTIAL: Final = ".partial"
REPLACED: Final = ".replaced"
_log: Final = logging.getLogger(__name__)
_RANDOM: Final = re.compile(r"(\.[a-z0-9_]{8})?\Z")
"""What a temporary name holds beyond that of its output; that of a run folder which steps aside holds nothing."""
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds to wait before what Windows refuses is tried again: a virus scanner or an indexer holds a new file for a moment."""


def refused_writing(path: Path, error: OSError) -> OutputError:
    """The error that says why nothing can be written at `path`."""
    in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
    told = "a file stands where a folder is needed" if in_the_way else error.strerror or type(error).__name__
    way_out = "close what has it open" if isinstance(error, PermissionError) else "make room"
    return OutputError("The output cannot be written.", [Fault(str(path), told, f"choose another folder or {way_out}")])


def refuse_existing(
    path: Path, *, overwrite: bool, holding: Collection[str] = (), remedy: str = "choose another name or give --overwrite"
) -> None:
    """OutputError where something stands at `path` already, unless it may be overwritten. An empty folder is nothing.

    Where `holding` names what an output folder holds, overwriting is refused for a folder that holds anything else (it is
    not an earlier output, and its contents would be lost) and for a file."""
    if _is_empty_folder(path) or not (path.exists() or path.is_symlink()):
        return
    if not overwrite:
        raise OutputError("The output exists already.", [Fault(str(path), "exists", remedy)])
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


def beside(out: Path, ending: str) -> Path:
    """The hidden name beside `out` that ends in `ending`."""
    place = Path(os.path.abspath(out))  # noqa: PTH100 - not resolve(): a link is replaced, not what it leads to
    return place.with_name(f".{place.name}.{ending}")


@contextmanager
def only_writer(out: Path) -> Iterator[None]:
    """Holds `out` against everything else that would write it on this machine; the lock goes with the process, however that
    ends.

    OutputError where another holds it."""
    path = beside(out, "lock")
    with ExitStack() as held:
        with _refusing(out):
            path.parent.mkdir(parents=True, exist_ok=True)
            alone = held.enter_context(locked(path))
        if not alone:
            told = Fault(str(out), "another run is writing there", "wait until it ends, or choose another name")
            raise OutputError("The output is in use.", [told])
        _put_right(out)
        yield


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what is written there takes the place of `path` if nothing fails, else it is removed.

    Raises OutputError where it cannot be written."""
    with whole_files([path]) as (partial,):
        yield partial


@contextmanager
def whole_files(paths: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """`whole_file` for several that belong together: all of them take their places, or none does. The first stands for all: who
    holds it holds the others."""
    with only_writer(paths[0]):
        try:
            with _refusing(paths[0]):
                partials = tuple(_partial_file(path) for path in paths)
                yield partials
            for path, partial in zip(paths, partials, strict=True):
                with _refusing(path):
                    _flush_to_disk(partial)
                    partial.chmod(0o666 & ~_umask())
            with InterruptionsPutOff():
                _put_in_place(list(zip(partials, paths, strict=True)))
        finally:
            for path in paths:
                _remove_left_over(path, PARTIAL)


def _partial_file(path: Path) -> Path:
    with _refusing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over(path, PARTIAL, REPLACED)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PARTIAL, dir=path.parent)
        os.close(handle)
    return Path(name)


def _put_in_place(moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename each to its place. What stood there before is kept until all are there, and put back where one cannot be."""
    kept: list[tuple[Path, Path | None]] = []
    for partial, path in moves:
        try:
            with _refusing(path):
                before = _second_name(path, partial) if len(moves) > 1 else None
                _move(partial, path)
        except OutputError:
            _remove(partial.with_suffix(REPLACED))
            _put_back(kept)
            raise
        kept.append((path, before))
    for _, before in kept:
        if before is not None:
            _remove(before)


def _put_back(kept: Sequence[tuple[Path, Path | None]]) -> None:
    for path, before in kept:
        if before is None:
            _remove(path)
        else:
            _move(before, path)


def _put_right(out: Path) -> None:
    """Where a process was killed after the folder `out` had stepped aside and before another took its place, it comes back; where
    it was killed after that, the old one goes."""
    for aside in _left_over(out, REPLACED):
        if aside.is_dir() and not os.path.lexists(out):
            with _refusing(out):
                _move(aside, out)
        else:
            _remove(aside)


def _second_name(path: Path, partial: Path) -> Path | None:
    """Another name for what stands at `path`, where anything does. On a file system without links it is copied."""
    if not path.exists():
        return None
    kept = partial.with_suffix(REPLACED)
    try:
        os.link(path, kept)
    except OSError:
        shutil.copy2(path, kept)
    return kept


@contextmanager
def whole_folder(path: Path, *, overwrite: bool, holding: Collection[str] = ()) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place if nothing fails, else it is removed; where it is whole and only its
    place cannot be had, it stays, and is named. `holding` as in `refuse_existing`."""
    with only_writer(path):
        refuse_existing(path, overwrite=overwrite, holding=holding)
        try:
            with _refusing(path):
                partial = _partial_folder(path)
                yield partial
                for file in partial.rglob("*"):
                    if file.is_file():
                        _flush_to_disk(file)
        except BaseException:
            _remove_left_over(path, PARTIAL)
            raise
        try:
            take_the_place_of(path, partial)
        except OSError as error:
            told = f"cannot be replaced: {error.strerror}; what was to take its place is whole and stands at {partial}"
            remedy = "close what has it open and rename that folder, or do it again"
            raise OutputError("The output cannot be written.", [Fault(str(path), told, remedy)]) from None


def _partial_folder(path: Path) -> Path:
    _remove_left_over(path, PARTIAL)
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=PARTIAL, dir=path.parent))
    partial.chmod(0o777 & ~_umask())
    return partial


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise refused_writing(path, error) from None


def take_the_place_of(path: Path, partial: Path) -> None:
    """Rename the folder `partial` to `path`. A folder that holds something cannot be renamed over: the old one steps aside first
    and is removed last. OSError where that fails; then the old one is back in its place, and `partial` stands where it stood.

    An old one that cannot be removed does no harm: where it is left is logged."""
    aside = partial.with_suffix(REPLACED)
    with InterruptionsPutOff():
        there = os.path.lexists(path)
        if there:
            _remove(aside)
            _move(path, aside)
        try:
            _move(partial, path)
        except BaseException:
            if there and not os.path.lexists(path):
                _move(aside, path)
            raise
        _remove(aside)
    if os.path.lexists(aside):
        _log.warning("What stood at %s before could not be removed. It is left at %s.", path, aside)
    _remove_left_over(path, REPLACED)


def _move(source: Path, target: Path) -> None:
    """Rename; again after a pause while permission is refused."""
    for pause in _PAUSES:
        with suppress(PermissionError):
            source.replace(target)
            return
        time.sleep(pause)
    source.replace(target)


def _remove_left_over(path: Path, *endings: str) -> None:
    """Remove what writing `path` has left, now or in a process that ended too soon."""
    for entry in _left_over(path, *endings):
        _remove(entry)


def _left_over(path: Path, *endings: str) -> list[Path]:
    """What writing `path` has left beside it: whoever holds `path` knows that nobody else uses it."""
    start = f".{path.name}"
    with suppress(OSError):
        beside_it = [entry for entry in path.parent.iterdir() if entry.suffix in endings and entry.name.startswith(start)]
        return [entry for entry in beside_it if _RANDOM.fullmatch(entry.stem.removeprefix(start))]
    return []


def _remove(path: Path) -> None:
    """Remove a file or a folder as far as it goes."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


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
