"""The price of encoded spells in memory, by kernel and by peers. Kernel and Polars start from the numbers of table rows and look
the prices up; the other peers, and Polars once more, are spared that and start from prices already joined. The kernel finds
all seventeen columns of its answer, the peers the seven amounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from benchmarks.lines import encoded
from benchmarks.measure import Turns
from benchmarks.peers.duckdb_sql import DuckDbSql
from benchmarks.peers.numpy_arrays import NumpyArrays
from benchmarks.peers.per_record import PerRecord
from benchmarks.peers.polars_only import PolarsOnly
from benchmarks.work import MONEY, Work
from tariff.kernels import admitted as kernel
from tariff.kernels.admitted import Spells

RECORDS = 20_000
"""Spells the per-record loop prices; its figure is scaled."""

POLARS = "Polars only"

BLOCK = 125_000
"""Spells the kernel is given at a time: the size of the blocks in which Polars streams a file through the engine."""

SamePence = Callable[[str, pl.DataFrame, pl.DataFrame], None]


class KernelAlone:
    """Contenders ready to take turns."""

    def __init__(self, work: Work, spells: int) -> None:
        lines = encoded(work)
        tables, joined = lines.tables, lines.joined
        self.book, self.identifiers = lines.book, joined["spell_id"]
        self.blocks = [_cut(lines.spells, first, first + BLOCK) for first in range(0, spells, BLOCK)]
        polars, numpy, duckdb = PolarsOnly(tables), NumpyArrays(tables), DuckDbSql(tables)
        self.peers: dict[str, tuple[Any, Any]] = {
            POLARS: (polars, polars.encode_numbered(lines.numbered, lines.prices, lines.factors)),
            "Polars only, prices joined beforehand": (polars, polars.encode(joined)),
            "NumPy, as under pandas; joined beforehand": (numpy, numpy.encode(joined)),
            "DuckDB, joined beforehand": (duckdb, duckdb.encode(joined)),
        }
        self.script = PerRecord(tables)
        self.records = self.script.encode_records(work.source, RECORDS)
        self.turns = {name: Turns(spells) for name in ("kernel", *self.peers)} | {"per record": Turns(len(self.records))}
        self.outcomes: dict[str, Any] = {}
        self.price()

    def price(self) -> None:
        """All blocks, one after another; each answer is let go before the next, as in a stream."""
        for block in self.blocks:
            kernel.price(block, self.book, strict_dates=True)

    def kernel_turn(self) -> None:
        """A turn of the kernel."""
        self.turns["kernel"].take(self.price)

    def peers_turn(self) -> None:
        """A turn of every peer."""
        for name, (peer, lines) in self.peers.items():
            self.outcomes[name] = None
            self.outcomes[name] = self.turns[name].take(lambda peer=peer, lines=lines: peer.price_lines(lines))
        self.outcomes["per record"] = self.turns["per record"].take(lambda: self.script.price_lines(self.records))

    def require_same_pence(self, same_pence: SamePence) -> None:
        """Everybody's last answer is the kernel's, to the penny."""
        ours = self.kernel_result()
        for name, (peer, _) in self.peers.items():
            same_pence(name, peer.result(self.outcomes[name]), ours)
        same_pence("per record", self.script.result(self.records, self.outcomes["per record"]), ours)

    def kernel_result(self) -> pl.DataFrame:
        """What is compared: the blocks priced once more and kept."""
        priced = [kernel.price(block, self.book, strict_dates=True) for block in self.blocks]
        amounts = {name: np.concatenate([getattr(block, name) for block in priced]) for name in MONEY}
        frame = pl.DataFrame({"spell_id": self.identifiers, **amounts})
        none = pl.col("indicative_pence") == kernel.BLANK_PENCE
        return frame.with_columns(indicative_pence=pl.when(~none).then("indicative_pence"))


def _cut(spells: Spells, first: int, last: int) -> Spells:
    """Some of the lines; the arrays by set of services stay whole."""
    by_line = [name for name in Spells._fields if name not in {"service_start", "service_rows", "service_unknown"}]
    return spells._replace(**{name: getattr(spells, name)[first:last] for name in by_line})
