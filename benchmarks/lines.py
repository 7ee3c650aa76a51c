"""Encoded spells: what the kernel is given, and the same for its peers as frames: with the numbers of the table rows that the
codes name, as the kernel has them, and with the prices of those rows already joined."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.peers.tables import DAYS_AWAY, PRICE_COLUMNS, Tables, tables_of
from benchmarks.work import Work
from tariff.classify.admitted import encode_spells
from tariff.kernels.admitted import BLANK, BLANK_PENCE, Spells
from tariff.pricing import CompiledPack
from tariff.rulepack.book import PriceBook


class Encoded(NamedTuple):
    """The same spells three times; `prices` and `factors` are the tables that row numbers point into, row 0 = none."""

    spells: Spells
    book: PriceBook
    tables: Tables
    prices: pl.DataFrame
    factors: pl.Series
    numbered: pl.DataFrame

    @property
    def joined(self) -> pl.DataFrame:
        """The lines with prices and factor in columns of their own."""
        rows = self.numbered["hrg_row"], self.numbered["provider_row"]
        lines = self.numbered.drop("hrg_row", "provider_row")
        return pl.concat([lines, self.prices[rows[0]], self.factors[rows[1]].to_frame()], how="horizontal")


def encoded(work: Work) -> Encoded:
    """The spells of `work`, encoded by the engine."""
    frame, pack = pl.read_parquet(work.source), work.pack()
    compiled, tables = CompiledPack(pack), tables_of(pack)
    spells = encode_spells(frame, compiled.admitted)
    row_of = {hrg: row for row, hrg in enumerate(tables.hrg)}
    rows = [None, *(row_of.get(row.hrg) for row in pack.admitted)]
    prices = pl.DataFrame({name: pl.Series(tables.prices[name], dtype=pl.Int64)[rows] for name in PRICE_COLUMNS})
    factors = pl.Series("factor", [None, *(factor.mff for factor in pack.provider_factors)], dtype=pl.Int64)
    return Encoded(spells, compiled.book, tables, prices, factors, _numbered(frame["spell_id"], spells))


def _numbered(identifiers: pl.Series, spells: Spells) -> pl.DataFrame:
    sets = np.zeros(len(spells.service_start) - 1, dtype=np.int8)
    for number in range(sets.size):
        rows = spells.service_rows[spells.service_start[number] : spells.service_start[number + 1]]
        sets[number] = sum(1 << (int(row) - 1) for row in rows)
    return pl.DataFrame(
        {
            "spell_id": identifiers,
            "fault": spells.fault,
            "method": spells.method_group,
            "patient_classification": spells.patient_classification,
            "policy": spells.policy,
            "grouping": spells.grouping,
            "grouped": spells.hrg >= 0,  # below: blank or UZ
            "hrg_row": np.maximum(spells.hrg, 0).astype(np.uint32),
            "provider_row": spells.provider.astype(np.uint32),
            "top_ups": sets[spells.services],
            "age": _nulls(spells.age, BLANK),
            "local_price": _nulls(spells.local_price, BLANK_PENCE),
            **{name: _nulls(getattr(spells, name), BLANK).cast(pl.Date) for name in ("admission_date", "discharge_date")},
            **{name: _nulls(getattr(spells, name), BLANK) for name in DAYS_AWAY},
        }
    )


def _nulls(numbers: np.ndarray, blank: int) -> pl.Series:
    blanks = numbers == blank
    return pl.Series(numbers).set(pl.Series(blanks), None) if blanks.any() else pl.Series(numbers)
