"""A contest between processes: every contender in one of its own, warmed up and waiting, taking turns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.fields import field_of
from benchmarks.measure import Turns
from benchmarks.worker import Worker


class Contest:
    """Workers warmed up and waiting. Use as a context. The first contender is the engine."""

    kind: str

    def __init__(self, work: Any, names: Sequence[str], lines: int, out: Path) -> None:
        self.work, scaled = work, field_of(self.kind).scaled
        for sample in (1_000, *(scaled[name] for name in names if name in scaled)):
            work.sample(sample)
        self.workers = [Worker(self.kind, work.folder, name, out / f"{number}.parquet") for number, name in enumerate(names)]
        self.turns = {name: Turns(min(lines, scaled.get(name, lines))) for name in names}
        self._stack = ExitStack()

    def __enter__(self) -> Contest:
        for worker in self.workers:
            self._stack.enter_context(worker)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)

    def engine_turn(self) -> None:
        self._turn(self.workers[0])

    def peers_turn(self) -> None:
        """A turn of everybody else."""
        for worker in self.workers[1:]:
            self._turn(worker)

    def _turn(self, worker: Worker) -> None:
        told, turns = worker.take_turn(), self.turns[worker.name]
        turns.wall.append(told["wall"])
        turns.cpu.append(told["cpu"])
        turns.peak = turns.peak or int(told["peak"])  # of the first turn: later ones add to it only what is kept
