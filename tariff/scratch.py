"""Folders in the temporary folder for what a process lays aside. It is of single patients: readable by this user alone, and gone
when the process ends; what a killed process left is removed by the next that starts."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tariff.interruptions import InterruptionsPutOff
from tariff.locks import locked

_PREFIX: Final = "tariff-scratch-"
_LOCK: Final = "in-use"
_SECONDS_TO_LOCK: Final = 60
"""A folder younger than this may be of a process that has not locked it yet."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is removed in the end. OSError where none can be made."""
    remove_left_behind()
    with InterruptionsPutOff() as interruptions:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            interruptions.let_in()
            with locked(folder / _LOCK):
                yield folder
        finally:
            with InterruptionsPutOff():
                shutil.rmtree(folder, ignore_errors=True)


def remove_left_behind() -> None:
    """Remove the folders of this user that no living process holds."""
    with suppress(OSError):
        for entry in Path(tempfile.gettempdir()).iterdir():
            if entry.name.startswith(_PREFIX):
                with suppress(OSError):
                    _remove_if_left(entry)


def _remove_if_left(folder: Path) -> None:
    found = folder.lstat()
    own = os.name == "nt" or found.st_uid == os.getuid()
    if not (own and stat.S_ISDIR(found.st_mode)) or time.time() - found.st_mtime < _SECONDS_TO_LOCK:
        return
    with locked(folder / _LOCK) as left:
        pass  # let go of it first: Windows removes no folder that holds an open file
    if left:
        shutil.rmtree(folder, ignore_errors=True)
