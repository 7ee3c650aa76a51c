"""Who prices from Parquet to Parquet. Each is made once, in a process of its own, and then called again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from benchmarks.peers.tables import FEW_KEYS, KEYS
from benchmarks.work import ENGINE_COLUMNS, WRITING

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

Pricer = Callable[[Path, Path], None]


def engine(pack: RulePack) -> Pricer:
    """The engine: identifier and seven money columns."""
    import tariff

    def price(source: Path, out: Path) -> None:
        priced = tariff.price(source, pack, columns=ENGINE_COLUMNS)
        priced.sink_parquet(out, maintain_order=True, **WRITING)

    return price


def engine_whole(pack: RulePack) -> Pricer:
    """The engine: every column of the priced line, as `tariff price` writes it."""
    import tariff

    def price(source: Path, out: Path) -> None:
        tariff.price(source, pack).sink_parquet(out, maintain_order=True, **WRITING)

    return price


def floor(pack: RulePack) -> Pricer:
    """No pricing: reads the columns that a price depends on, and writes identifier and seven money columns that were there."""
    import tariff
    from benchmarks.peers.tables import NEEDED

    ready: dict[Path, pl.DataFrame] = {}

    def copy(source: Path, out: Path) -> None:
        pl.scan_parquet(source).select(NEEDED).sink_batches(let_go)
        ready[source].write_parquet(out, **WRITING)

    def get_ready(source: Path, out: Path) -> None:
        if source not in ready:
            ready[source] = tariff.price(source, pack, columns=ENGINE_COLUMNS).collect()
        copy(source, out)

    copy.get_ready = get_ready  # type: ignore[attr-defined]
    return copy


def let_go(batch: pl.DataFrame) -> None:
    """Forget a batch."""


def polars_only(pack: RulePack) -> Pricer:
    """Polars alone."""
    from benchmarks.peers.polars_only import PolarsOnly
    from benchmarks.peers.tables import tables_of

    return PolarsOnly(tables_of(pack)).price_file


def duckdb_sql(pack: RulePack) -> Pricer:
    """DuckDB."""
    from benchmarks.peers.duckdb_sql import DuckDbSql
    from benchmarks.peers.tables import tables_of

    return DuckDbSql(tables_of(pack)).price_file


def numpy_arrays(pack: RulePack) -> Pricer:
    """NumPy over Arrow dictionaries."""
    from benchmarks.peers.numpy_arrays import NumpyArrays
    from benchmarks.peers.tables import tables_of

    return NumpyArrays(tables_of(pack)).price_file


def pandas_frames(pack: RulePack) -> Pricer:
    """pandas."""
    from benchmarks.peers.pandas_frames import PandasFrames
    from benchmarks.peers.tables import tables_of

    return PandasFrames(tables_of(pack)).price_file


def per_record(pack: RulePack) -> Pricer:
    """Plain Python."""
    from benchmarks.peers.per_record import PerRecord
    from benchmarks.peers.tables import tables_of

    return PerRecord(tables_of(pack)).price_file


def _into_file(totals: Callable[[Path], Any]) -> Pricer:
    """Totals into a file, which costs nobody anything."""

    def total(source: Path, out: Path) -> None:
        found = totals(source)
        (found if isinstance(found, pl.DataFrame) else pl.from_pandas(found)).write_parquet(out)

    return total


def engine_totals(pack: RulePack, keys: Sequence[str] = KEYS) -> Pricer:
    """The engine, summing as it prices."""
    import tariff
    from benchmarks.peers.tables import RESULT

    names = {"currency": "hrg", "lines": "spells"}
    by = ["currency" if name == "hrg" else name for name in keys]

    def totals(source: Path) -> pl.DataFrame:
        found = tariff.totals(source, pack, by, sums=RESULT[1:])
        return found.drop("priced_lines").rename(names, strict=False)

    return _into_file(totals)


def aggregate_run(pack: RulePack) -> Pricer:
    """`tariff price --aggregate`: totals by all that it tells apart, those of items attached to spells, the file's hash and the
    run card. What the others do not total is left out of its totals afterwards."""
    from benchmarks.peers.tables import RESULT
    from tariff.batch import Job, price_files

    overlays = tuple(Path(overlay.path) for overlay in pack.overlays)

    def run(source: Path, out: Path) -> None:
        whole = out.with_suffix(".run.parquet")
        job = Job([("admitted", source)], whole, pack.year, overlays, aggregate=True, overwrite=True)
        price_files(job)
        cells = pl.scan_parquet(whole, glob=False).filter(pl.col("kind") == "admitted").rename({"currency": "hrg"})
        sums = [pl.col("lines").sum().alias("spells"), *(pl.col(name).sum() for name in RESULT[1:])]
        cells.group_by(KEYS).agg(sums).collect().write_parquet(out)

    return run


def floor_totals(pack: RulePack) -> Pricer:
    """No pricing: reads the columns that a price depends on, and does nothing with them."""
    from benchmarks.peers.tables import NEEDED

    def read(source: Path, out: Path) -> None:
        pl.scan_parquet(source).select(NEEDED).sink_batches(let_go)

    return read


def polars_totals(pack: RulePack, keys: Sequence[str] = KEYS) -> Pricer:
    """Polars alone."""
    from benchmarks.peers.polars_only import PolarsOnly
    from benchmarks.peers.tables import tables_of

    return _into_file(partial(PolarsOnly(tables_of(pack)).totals, keys=keys))


def duckdb_totals(pack: RulePack, keys: Sequence[str] = KEYS) -> Pricer:
    """DuckDB."""
    from benchmarks.peers.duckdb_sql import DuckDbSql
    from benchmarks.peers.tables import tables_of

    return _into_file(partial(DuckDbSql(tables_of(pack)).totals, keys=keys))


def pandas_totals(pack: RulePack) -> Pricer:
    """pandas."""
    from benchmarks.peers.pandas_frames import PandasFrames
    from benchmarks.peers.tables import tables_of

    return _into_file(PandasFrames(tables_of(pack)).totals)


def per_record_totals(pack: RulePack) -> Pricer:
    """Plain Python."""
    from benchmarks.peers.per_record import PerRecord
    from benchmarks.peers.tables import tables_of

    return _into_file(PerRecord(tables_of(pack)).totals)


TOTALLERS_OF_SPELLS: dict[str, Callable[[RulePack], Pricer]] = {
    "engine": engine_totals,
    "engine, `tariff price --aggregate`": aggregate_run,
    "floor: read": floor_totals,
    "Polars only": polars_totals,
    "DuckDB": duckdb_totals,
    "pandas": pandas_totals,
    "per record": per_record_totals,
}
TOTALLERS_OF_FEW_CELLS: dict[str, Callable[[RulePack], Pricer]] = {
    "engine": partial(engine_totals, keys=FEW_KEYS),
    "floor: read": floor_totals,
    "Polars only": partial(polars_totals, keys=FEW_KEYS),
    "DuckDB": partial(duckdb_totals, keys=FEW_KEYS),
}
CONTENDERS: dict[str, Callable[[RulePack], Pricer]] = {
    "engine": engine,
    "engine, every column": engine_whole,
    "floor: read and write": floor,
    "Polars only": polars_only,
    "DuckDB": duckdb_sql,
    "NumPy over Arrow": numpy_arrays,
    "pandas": pandas_frames,
    "per record": per_record,
}
SCALED = {"pandas": 1_000_000, "NumPy over Arrow": 1_000_000, "per record": 20_000}
"""Contenders too slow for the whole file, or that hold all of it in memory: they price its first so many spells at most, and the
figure is scaled."""
