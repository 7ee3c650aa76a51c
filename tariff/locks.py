"""Locks on files, which go with the process that holds them: what is locked is in use, what is not is left over."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tariff.interruptions import InterruptionsPutOff

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Holds the file `path`, made where it is not there and removed in the end; False where another holds it. An interruption
    leaves no lock behind. OSError where it can be neither made nor opened."""
    descriptor = None
    try:
        with InterruptionsPutOff() as interruptions:
            descriptor = _lock(path)
            interruptions.let_in()
            yield descriptor is not None
    finally:
        try:
            with InterruptionsPutOff():
                if descriptor is not None:
                    _unlock(descriptor, path)
                    descriptor = None
        finally:  # one came before it could be put off
            if descriptor is not None:
                _unlock(descriptor, path)


def _lock(path: Path) -> int | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _try_lock(descriptor):
            os.close(descriptor)
            return None
        try:
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except FileNotFoundError:  # its holder has just removed it, and a lock on a removed file keeps nobody out
            pass
        os.close(descriptor)


def _unlock(descriptor: int, path: Path) -> None:
    """Remove the lock file and let go of it.

    It is removed while it is held, so that whoever waits for it is not left with a lock on nothing. Windows removes no file that
    is open, and therefore none that another has opened meanwhile: there it is closed first."""
    if sys.platform == "win32":
        os.close(descriptor)
    with suppress(OSError):
        path.unlink()
    if sys.platform != "win32":
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
