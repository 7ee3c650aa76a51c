"""Parquet to Parquet: every contender in a process of its own, taking turns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks.contest import Contest
from benchmarks.work import MONEY, TILE

NOT_COMPARED = ("floor: read and write",)
REFERENCE_SAMPLE = 2_000

SamePence = Callable[[str, pl.DataFrame, pl.DataFrame], None]


class ParquetToParquet(Contest):
    """Spells from Parquet to Parquet."""

    kind = "spells"

    def __enter__(self) -> ParquetToParquet:
        super().__enter__()
        return self

    def require_same_pence(self, same_pence: SamePence) -> None:
        """Every file is the engine's, to the penny, and a sample of it the reference's."""
        engine = _amounts(self.workers[0].out)
        for worker in self.workers[1:]:
            if worker.name not in NOT_COMPARED:
                same_pence(worker.name, _amounts(worker.out), engine)
        same_pence("the reference", self._reference(), engine)

    def _reference(self) -> pl.DataFrame:
        from tariff.activity import read_activity
        from tariff.reference import ReferencePack, price_admitted

        pack = ReferencePack.from_plain(self.work.pack().plain())
        lines = read_activity(self.work.source).head(TILE).collect().sample(REFERENCE_SAMPLE, seed=1).to_dicts()
        priced = [price_admitted(line, pack) for line in lines]
        rows = [(line["line_id"], *(line[name] for name in MONEY)) for line in priced]
        return pl.DataFrame(rows, schema={"spell_id": pl.String, **dict.fromkeys(MONEY, pl.Int64)}, orient="row")


def _amounts(path: Path) -> pl.DataFrame:
    frame = pl.read_parquet(path)
    return frame.rename({"line_id": "spell_id"} if "line_id" in frame.columns else {}).select("spell_id", *MONEY)
