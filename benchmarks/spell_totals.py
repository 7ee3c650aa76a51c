"""Spells from Parquet to totals: by commissioner, provider, HRG and month, or without the HRG, which are few cells."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.contenders import SCALED
from benchmarks.contest import Contest
from benchmarks.peers.tables import FEW_KEYS, KEYS, SUMS

FLOOR = "floor: read"


class SpellTotals(Contest):
    """Spells to totals."""

    kind = "spell totals"
    keys: tuple[str, ...] = KEYS

    def __enter__(self) -> SpellTotals:
        super().__enter__()
        return self

    def require_same_totals(self) -> None:
        """Everybody's totals are the engine's, to the penny and the spell; those of a sample are the engine's of that sample."""
        from benchmarks.contenders import engine_totals

        engine = self._totals(self.workers[0].out)
        for worker in self.workers[1:]:
            expected = engine
            if worker.name in SCALED:
                engine_totals(self.work.pack())(self.work.sample(SCALED[worker.name]), out := self.work.folder / "sample.parquet")
                expected = self._totals(out)
            if worker.name != FLOOR:
                theirs = self._totals(worker.out)
                differing = theirs.join(expected, on=[*self.keys, *SUMS], how="anti", nulls_equal=True)
                assert theirs.equals(expected), f"{worker.name} totals differently: {differing}"

    def _totals(self, path: Path) -> pl.DataFrame:
        types = dict.fromkeys(self.keys[:-1], pl.String) | {"month": pl.Int8} | dict.fromkeys(SUMS, pl.Int64)
        frame = pl.read_parquet(path).with_columns(pl.col("month").cast(pl.Float64).fill_nan(None))
        return frame.select(pl.col(name).cast(dtype) for name, dtype in types.items()).sort(self.keys, nulls_last=True)


class TotalsOfFewCells(SpellTotals):
    """Spells to totals without the HRG."""

    kind = "spell totals, few cells"
    keys = FEW_KEYS
