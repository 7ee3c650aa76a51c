"""A contest between processes: every contender in one of its own, warmed up and waiting, taking turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Turns
from benchmarks.worker import Worker

if TYPE_CHECKING:
    from tariff.rulepack import RulePack


@dataclass(frozen=True)
class Field:
    """Who takes part: `work` of a folder, the contenders by name, and of those that do not price the whole file, how many of its
    first lines they price; their figure is scaled."""

    work: Callable[[Path], Any]
    contenders: Mapping[str, Callable[[RulePack], Callable[[Path, Path], None]]]
    scaled: Mapping[str, int]


def field_of(kind: str) -> Field:
    """The field of a kind of contest: `spells`, `spell totals` or `attendances`. Imported late, as a worker needs one of them."""
    if kind == "attendances":
        from benchmarks.attendances import AttendanceWork
        from benchmarks.totallers import SCALED as STARTS
        from benchmarks.totallers import TOTALLERS

        return Field(AttendanceWork, TOTALLERS, STARTS)
    from benchmarks.contenders import CONTENDERS, SCALED, TOTALLERS_OF_SPELLS
    from benchmarks.work import Work

    return Field(Work, TOTALLERS_OF_SPELLS if kind == "spell totals" else CONTENDERS, SCALED)


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
