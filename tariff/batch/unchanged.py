"""The files of a run must stay as they are while it goes on."""

from __future__ import annotations

from pathlib import Path

from tariff.batch.job import Job
from tariff.errors import ActivityError, Fault


class AsTheyStand:
    """Size and time of change of every file that a job reads, as they were at the start."""

    def __init__(self, job: Job) -> None:
        given = [] if job.pathways is None else [job.pathways.registers, job.pathways.open_pathways]
        read = [*(path for _, path in job.files), *job.evidence, *(path for path in given if path is not None)]
        self._before = {path: _stamp(path) for path in read}

    def require_unchanged(self) -> None:
        """ActivityError where a file has changed: it may have been priced half as it was and half as it is."""
        changed = [path for path, before in self._before.items() if _stamp(path) != before]
        if changed:
            faults = [Fault(str(path), "has changed meanwhile", "price it again") for path in changed]
            raise ActivityError("Activity changed while it was being priced.", faults)


def _stamp(path: Path) -> tuple[int, int] | None:
    """None for a file that is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
