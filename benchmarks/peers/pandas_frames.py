"""pandas: a frame, its prices merged on, its codes mapped; then the arithmetic of `numpy_arrays` on its columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peers.numpy_arrays import BLANK, NONE, price_arrays
from benchmarks.peers.tables import (
    CLASSES,
    DAYS_AWAY,
    ELECTIVE,
    EMERGENCY,
    KEYS,
    NEEDED,
    OTHER_NON_ELECTIVE,
    PRICE_COLUMNS,
    PRIVATE,
    PRIVATE_COMMISSIONER,
    RESULT,
    TRUST_CODE_LENGTH,
    UNGROUPED,
    Tables,
)

_METHOD = {**dict.fromkeys(ELECTIVE, 1), **dict.fromkeys(EMERGENCY, 2), **dict.fromkeys(OTHER_NON_ELECTIVE, 3)}
_CLASS = {code: int(code) for code in CLASSES}


class PandasFrames:
    """The peer: tables as frames and dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        columns = {name: [NONE if value is None else value for value in tables.prices[name]] for name in PRICE_COLUMNS}
        self.prices = pd.DataFrame({"hrg": tables.hrg, **columns}).astype({"hrg": "str"})

    def price_file(self, source: Path, out: Path) -> None:
        """Parquet to Parquet."""
        frame = pd.read_parquet(source, columns=list(NEEDED)).merge(self.prices, on="hrg", how="left", sort=False)
        amounts = price_arrays(self._lines(frame), self.tables)
        indicative = pd.Series(amounts["indicative_pence"]).astype("Int64").mask(~amounts["has_indicative"])
        priced = {"spell_id": frame["spell_id"], **{name: amounts[name] for name in RESULT[1:-1]}, "indicative_pence": indicative}
        pd.DataFrame(priced).to_parquet(out, compression="zstd", compression_level=1, row_group_size=250_000, index=False)

    def totals(self, source: Path) -> pd.DataFrame:
        """Parquet to totals."""
        frame = pd.read_parquet(source, columns=list(NEEDED)).merge(self.prices, on="hrg", how="left", sort=False)
        amounts = price_arrays(self._lines(frame), self.tables)
        told = {name: frame[name].astype("category") for name in KEYS[:-1]}
        told["month"] = (pd.to_datetime(frame["discharge_date"]).dt.month + 8) % 12 + 1
        sums = {name: amounts[name] for name in RESULT[1:-1]}
        sums["indicative_pence"] = np.where(amounts["has_indicative"], amounts["indicative_pence"], 0)
        lines = pd.DataFrame({**told, "spells": 1, **sums})
        return lines.groupby(list(KEYS), dropna=False, observed=True, sort=False).sum().reset_index()

    def _lines(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        """Arrays with sentinels for blanks."""
        factors, tables = self.tables.factors, self.tables
        provider = frame["provider"].map(factors)
        trust = frame["provider"].str.slice(0, TRUST_CODE_LENGTH).map(factors)
        hrg = frame["hrg"]
        return {
            **{name: _days(frame[name]) for name in ("admission_date", "discharge_date")},
            **{name: frame[name].fillna(BLANK).to_numpy(np.int64) for name in ("age", *DAYS_AWAY)},
            "identified": (frame["spell_id"].notna() & frame["provider"].notna()).to_numpy(),
            "funded": (
                frame["commissioner"].notna()
                & (frame["commissioner"] != PRIVATE_COMMISSIONER)
                & ~frame["administrative_category"].isin(PRIVATE)
            ).to_numpy(bool),
            "outside": frame["commissioning_serial_number"].str.rstrip().str.endswith("=").fillna(False).to_numpy(bool),
            "method": frame["admission_method"].map(_METHOD).fillna(0).to_numpy(np.int8),
            "patient_classification": frame["patient_classification"].map(_CLASS).fillna(0).to_numpy(np.int8),
            "grouping_counts": (
                frame["grouping_method"].isin(tables.grouping_methods) | frame["grouping_method"].isna()
            ).to_numpy(),
            "grouped": (hrg.notna() & ~hrg.str.startswith(UNGROUPED).fillna(False).astype(bool)).to_numpy(),
            "top_ups": self._top_ups(frame["specialised_services"]),
            "factor": provider.fillna(trust).fillna(NONE).to_numpy(np.int64),
            "local_price": pd.to_numeric(frame["local_price"].str.replace(".", "", regex=False)).fillna(0).to_numpy(np.int64),
            "local_given": frame["local_price"].notna().to_numpy(),
            **{name: frame[name].fillna(NONE).to_numpy(np.int64) for name in PRICE_COLUMNS},
        }

    def _top_ups(self, texts: pd.Series) -> np.ndarray:
        """Bits of the top-ups coded; asked once a distinct text."""
        distinct = texts.dropna().unique()
        bits = {}
        for text in distinct:
            coded = {code.strip() for code in text.split(";")}
            bits[text] = sum(1 << number for number, one in enumerate(self.tables.top_ups) if one.code in coded)
        return texts.map(bits).fillna(0).to_numpy(np.int8)


def _days(dates: pd.Series) -> np.ndarray:
    """Days since 1970, BLANK where there is none."""
    days = pd.to_datetime(dates).to_numpy("datetime64[D]")
    return np.where(np.isnat(days), BLANK, days.astype(np.int64))
