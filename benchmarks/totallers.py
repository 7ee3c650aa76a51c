"""Who totals outpatient attendances. Each is made once, in a process of its own, and then called again and again; it leaves its
totals in a file, which costs nobody anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.contenders import let_go
from benchmarks.peers.attendance_tables import KEYS, NEEDED

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

Totaller = Callable[[Path, Path], None]

FLOOR = "floor: read"
START = "engine, the first 10,000,000"
SCALED = {START: 10_000_000}
"""Whether cost grows with the file: who totals only its first so many attendances."""


def engine(pack: RulePack) -> Totaller:
    """The engine: the file read and checked as `tariff price` does, priced, summed."""
    import tariff

    names = {"lines": "attendances", "priced_lines": "priced"}

    def total(source: Path, out: Path) -> None:
        totals = tariff.totals(source, pack, KEYS, sums=["price_pence"])
        totals.rename(names).write_parquet(out)

    return total


def floor(pack: RulePack) -> Totaller:
    """Reads the columns that a price depends on, and does nothing with them."""

    def read(source: Path, out: Path) -> None:
        pl.scan_parquet(source).select(NEEDED).sink_batches(let_go)

    return read


def polars_only(pack: RulePack) -> Totaller:
    """Polars alone."""
    from benchmarks.peers.attendance_tables import tables_of
    from benchmarks.peers.polars_attendances import PolarsAttendances

    peer = PolarsAttendances(tables_of(pack))
    return lambda source, out: peer.totals(source).write_parquet(out)


def duckdb_sql(pack: RulePack) -> Totaller:
    """DuckDB."""
    from benchmarks.peers.attendance_tables import tables_of
    from benchmarks.peers.duckdb_attendances import DuckDbAttendances

    peer = DuckDbAttendances(tables_of(pack))
    return lambda source, out: peer.totals(source).write_parquet(out)


TOTALLERS: dict[str, Callable[[RulePack], Totaller]] = {
    "engine": engine,
    START: engine,
    FLOOR: floor,
    "Polars only": polars_only,
    "DuckDB": duckdb_sql,
}
