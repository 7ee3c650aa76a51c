"""Encoded spells: what the kernel is given, and the same for its peers as a frame with the prices already joined."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.work import Work
from tariff.classify.admitted import encode_spells
from tariff.kernels.admitted import BLANK, BLANK_PENCE, HRG_BLANK, HRG_UNGROUPED, Spells
from tariff.pricing import CompiledPack
from tariff.rulepack.book import DAY_CASE, NO_PRICE, NO_TRIM, NON_ELECTIVE, ORDINARY_ELECTIVE, PriceBook


class Encoded(NamedTuple):
    """The same spells twice."""

    spells: Spells
    book: PriceBook
    joined: pl.DataFrame


def encoded(work: Work) -> Encoded:
    """The spells of `work`, encoded by the engine; and joined to the rows of its price book for the peers."""
    frame = pl.read_parquet(work.source)
    compiled = CompiledPack(work.pack())
    spells, book = encode_spells(frame, compiled.admitted), compiled.book
    return Encoded(spells, book, _joined(frame["spell_id"], spells, book))


def _joined(identifiers: pl.Series, spells: Spells, book: PriceBook) -> pl.DataFrame:
    hrg = np.maximum(spells.hrg, 0)
    per_day = book.per_day[hrg]
    sets = np.zeros(len(spells.service_start) - 1, dtype=np.int8)
    for number in range(sets.size):
        rows = spells.service_rows[spells.service_start[number] : spells.service_start[number + 1]]
        sets[number] = sum(1 << (int(row) - 1) for row in rows)
    days = ("critical_care_days", "rehabilitation_days", "palliative_care_days", "delayed_discharge_days")
    prices = {"day_case": DAY_CASE, "ordinary_elective": ORDINARY_ELECTIVE, "non_elective": NON_ELECTIVE}
    trims = {"elective_trim": ORDINARY_ELECTIVE, "non_elective_trim": NON_ELECTIVE}
    return pl.DataFrame(
        {
            "spell_id": identifiers,
            "fault": spells.fault,
            "method": spells.method_group,
            "patient_classification": spells.patient_classification,
            "policy": spells.policy,
            "grouping": spells.grouping,
            "grouped": ~np.isin(spells.hrg, (HRG_BLANK, HRG_UNGROUPED)),
            "top_ups": sets[spells.services],
            "age": _nulls(spells.age, BLANK),
            "local_price": _nulls(spells.local_price, BLANK_PENCE),
            "factor": _nulls(np.where(spells.provider == 0, NO_PRICE, book.factor[spells.provider]), NO_PRICE),
            "per_day": _nulls(per_day, NO_PRICE),
            "short_stay_price": _nulls(book.short_stay_price[hrg], NO_PRICE),
            **{name: _nulls(getattr(spells, name), BLANK).cast(pl.Date) for name in ("admission_date", "discharge_date")},
            **{name: _nulls(getattr(spells, name), BLANK) for name in days},
            **{name: _nulls(book.price[hrg, column], NO_PRICE) for name, column in prices.items()},
            **{
                name: _nulls(np.where(per_day == NO_PRICE, NO_TRIM, book.trim_point[hrg, column]), NO_TRIM)
                for name, column in trims.items()
            },
        }
    )


def _nulls(numbers: np.ndarray, blank: int) -> pl.Series:
    return pl.Series(numbers).set(pl.Series(numbers == blank), None)
