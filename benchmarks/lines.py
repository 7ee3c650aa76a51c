"""Encoded spells: what the kernel is given, and the same for its peers as frames: with the numbers of the table rows that the
codes name, as the kernel has them, and with the prices of those rows already joined."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.peers.tables import DAYS_AWAY, PRICE_COLUMNS, Tables, tables_of
from benchmarks.work import Work
from tariff.activity import read_activity
from tariff.classify.admitted import encode_spells
from tariff.facts import (
    FAULT,
    GROUPING,
    METHOD_GROUP,
    NOBODY,
    PATIENT_CLASSIFICATION,
    POLICY,
    PROVIDER,
    SPELL_HRG,
    Field,
)
from tariff.kernels.admitted import BLANK, BLANK_PENCE, Spells
from tariff.kinds import CompiledPack
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
    frame, pack = read_activity(work.source).collect(), work.pack()
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
    hrg, fault = _told(spells, SPELL_HRG), _told(spells, FAULT)
    services = spells.services if spells.services.size else np.zeros(hrg.size, dtype=np.int32)
    return pl.DataFrame(
        {
            "spell_id": identifiers,
            "fault": np.where(fault == 0, _told(spells, NOBODY), fault),
            "method": _told(spells, METHOD_GROUP).astype(np.uint8),
            "patient_classification": _told(spells, PATIENT_CLASSIFICATION).astype(np.uint8),
            "policy": _told(spells, POLICY).astype(np.uint8),
            "grouping": _told(spells, GROUPING).astype(np.uint8),
            "grouped": hrg >= 0,  # below: blank or UZ
            "hrg_row": np.maximum(hrg, 0).astype(np.uint32),
            "provider_row": np.abs(_told(spells, PROVIDER)).astype(np.uint32),
            "top_ups": sets[services],
            "age": _nulls(spells.age, BLANK),
            "local_price": _nulls(spells.local_price, BLANK_PENCE),
            **{name: _nulls(getattr(spells, name), BLANK).cast(pl.Date) for name in ("admission_date", "discharge_date")},
            **{name: _nulls(getattr(spells, name), BLANK) for name in DAYS_AWAY},
        }
    )


def _told(spells: Spells, field: Field) -> np.ndarray:
    """The answers in a field of the facts."""
    return ((spells.facts >> np.uint64(field.shift)) & np.uint64((1 << field.bits) - 1)).astype(np.int64) + field.lowest


def _nulls(numbers: np.ndarray, blank: int) -> pl.Series:
    blanks = numbers == blank
    return pl.Series(numbers).set(pl.Series(blanks), None) if blanks.any() else pl.Series(numbers)
