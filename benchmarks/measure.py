"""Timing: contenders take turns, A B C A B C, so that whatever else the machine does falls on all of them; what counts is the
ratio of their fastest turns."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20


@dataclass
class Turns:
    """The turns of one contender: seconds by the clock and of processor time, all threads; `lines` it priced a turn."""

    lines: int
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: int | None = None  # bytes, of the whole process

    def take(self, work: Callable[[], Any]) -> Any:
        """One turn, timed."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        return result

    def summary(self) -> dict[str, Any]:
        """For the JSON."""
        return {
            "lines": self.lines,
            "wall_s": self.wall,
            "cpu_s": self.cpu,
            "peak_mb": self.peak and round(self.peak / MEGABYTE),
        }

    @property
    def cpu_per_line(self) -> float:
        """Fastest turn, seconds of processor time a line."""
        return min(self.cpu) / self.lines


def summary(lines: int, turns: Mapping[str, Turns]) -> dict[str, Any]:
    """All contenders for the JSON."""
    return {"lines": lines, "contenders": {name: one.summary() for name, one in turns.items()}}


def peak_memory() -> int:
    """The most memory this process has held, in bytes. Not `ru_maxrss` where the system offers better: a child inherits that
    of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
