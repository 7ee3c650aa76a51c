"""Outpatient attendances from Parquet to totals by commissioner, provider and point of delivery."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.contest import Contest
from benchmarks.peers.attendance_tables import KEYS, SUMS
from benchmarks.totallers import FLOOR, START

REFERENCE_SAMPLE = 4_000


class AttendanceTotals(Contest):
    """Attendances to totals."""

    kind = "attendances"

    def __enter__(self) -> AttendanceTotals:
        super().__enter__()
        return self

    def require_same_totals(self) -> None:
        """Everybody's totals are the engine's, to the penny and the attendance; and the engine's of a sample the reference's."""
        engine = _totals(self.workers[0].out)
        for worker in self.workers[1:]:
            if worker.name not in (FLOOR, START):
                _require_same(worker.name, _totals(worker.out), engine)
        from benchmarks.totallers import engine as engine_of

        source = self.work.sample(REFERENCE_SAMPLE)
        engine_of(self.work.pack())(source, out := self.work.folder / "sample-totals.parquet")
        _require_same("the reference", self._reference(source), _totals(out))

    def _reference(self, source: Path) -> pl.DataFrame:
        from tariff.activity import read_activity
        from tariff.reference import ReferencePack, price_line

        pack = ReferencePack.from_plain(self.work.pack().plain())
        lines = [price_line("outpatient", line, pack) for line in read_activity(source).collect().to_dicts()]
        columns = (*KEYS, "outcome", "price_pence")
        frame = pl.DataFrame([{name: line[name] for name in columns} for line in lines], infer_schema_length=None)
        sums = {
            "attendances": pl.len(),
            "priced": (pl.col("outcome") == "priced").sum(),
            "price_pence": pl.col("price_pence").sum(),
        }
        return _ordered(frame.group_by(KEYS).agg(**sums))


def _totals(path: Path) -> pl.DataFrame:
    return _ordered(pl.read_parquet(path))


def _ordered(totals: pl.DataFrame) -> pl.DataFrame:
    texts = dict.fromkeys(KEYS, pl.String) | dict.fromkeys(SUMS, pl.Int64)
    return totals.select(pl.col(name).cast(dtype) for name, dtype in texts.items()).sort(KEYS)


def _require_same(name: str, theirs: pl.DataFrame, engine: pl.DataFrame) -> None:
    assert theirs.equals(engine), (
        f"{name} totals differently: {theirs.join(engine, on=[*KEYS, *SUMS], how='anti', nulls_equal=True)}"
    )
