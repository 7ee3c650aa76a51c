"""Parquet to Parquet: every contender in a process of its own, taking turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import polars as pl

from benchmarks.contenders import SCALED
from benchmarks.measure import Turns
from benchmarks.work import MONEY, Work
from benchmarks.worker import Worker

NOT_COMPARED = ("floor: read and write",)
REFERENCE_SAMPLE = 2_000

SamePence = Callable[[str, pl.DataFrame, pl.DataFrame], None]


class ParquetToParquet:
    """Workers warmed up and waiting. Use as a context. The first contender is the engine."""

    def __init__(self, work: Work, names: Sequence[str], spells: int, out: Path) -> None:
        self.work = work
        work.sample(1_000)
        for name in names:
            if name in SCALED:
                work.sample(SCALED[name])
        self.workers = [Worker(work.folder, name, out / f"{number}.parquet") for number, name in enumerate(names)]
        self.turns = {name: Turns(min(spells, SCALED.get(name, spells))) for name in names}
        self._stack = ExitStack()

    def __enter__(self) -> ParquetToParquet:
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

    def require_same_pence(self, same_pence: SamePence) -> None:
        """Every file is the engine's, to the penny, and a sample of it the reference's."""
        engine = _amounts(self.workers[0].out)
        for worker in self.workers[1:]:
            if worker.name not in NOT_COMPARED:
                same_pence(worker.name, _amounts(worker.out), engine)
        same_pence("the reference", self._reference(), engine)

    def _reference(self) -> pl.DataFrame:
        from tariff.reference import ReferencePack, price_admitted

        pack = ReferencePack.from_plain(self.work.pack().plain())
        lines = pl.read_parquet(self.work.source).sample(REFERENCE_SAMPLE, seed=1).to_dicts()
        priced = [price_admitted(line, pack) for line in lines]
        rows = [(line["line_id"], *(line[name] for name in MONEY)) for line in priced]
        return pl.DataFrame(rows, schema={"spell_id": pl.String, **dict.fromkeys(MONEY, pl.Int64)}, orient="row")


def _amounts(path: Path) -> pl.DataFrame:
    frame = pl.read_parquet(path)
    return frame.rename({"line_id": "spell_id"} if "line_id" in frame.columns else {}).select("spell_id", *MONEY)
