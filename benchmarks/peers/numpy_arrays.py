"""NumPy over Arrow: columns as arrays, codes as positions in their Parquet dictionary, masks where rows differ.

A blank number is never a float here: nullable columns become int64 with a sentinel. Only the rows a rule touches are
worked on where they are few (long stays, top-ups, lines that are not priced)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.peers.tables import (
    CLASSES,
    DAYS_AWAY,
    ELECTIVE,
    EMERGENCY,
    MOST_DAYS,
    NEEDED,
    OLDEST_AGE,
    OTHER_NON_ELECTIVE,
    PRICE_COLUMNS,
    PRIVATE,
    PRIVATE_COMMISSIONER,
    RESULT,
    TRUST_CODE_LENGTH,
    UNGROUPED,
    Tables,
)
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION

CODED = [
    "provider",
    "commissioner",
    "admission_method",
    "patient_classification",
    "hrg",
    "administrative_category",
    "commissioning_serial_number",
    "specialised_services",
    "grouping_method",
]
BLANK = np.iinfo(np.int32).min
NONE = -1
"""No price, no trim point, no factor."""

_METHOD = {**dict.fromkeys(ELECTIVE, 1), **dict.fromkeys(EMERGENCY, 2), **dict.fromkeys(OTHER_NON_ELECTIVE, 3)}


def _answers(column: pa.ChunkedArray, answer, blank: int, dtype=np.int64) -> np.ndarray:
    """`answer` of each code, asked once a distinct code, in row order."""
    unified = column.unify_dictionaries().combine_chunks()
    if isinstance(unified, pa.ChunkedArray):
        unified = unified.chunk(0)
    known = np.array([*(answer(code) for code in unified.dictionary.to_pylist()), blank], dtype=dtype)
    indices = unified.indices
    if indices.null_count:
        indices = indices.fill_null(len(known) - 1)
    return known[indices.to_numpy(zero_copy_only=False)]


def _filled(series: pl.Series, blank: int) -> np.ndarray:
    plain = series.to_physical() if series.dtype == pl.Date else series
    return (plain.fill_null(blank) if plain.null_count() else plain).to_numpy()


def _numbers(column: pa.ChunkedArray, blank: int) -> np.ndarray:
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    return (column.fill_null(blank) if column.null_count else column).to_numpy()


def price_arrays(line: dict[str, np.ndarray], tables: Tables) -> dict[str, np.ndarray]:
    """The six amounts and the indicative value (BLANK64 where there is none) from arrays."""
    admitted, discharged, age = line["admission_date"], line["discharge_date"], line["age"]
    method, classification, factor = line["method"], line["patient_classification"], line["factor"]
    away = [line[name] for name in DAYS_AWAY]
    taken_off = sum(np.maximum(days, 0) for days in away)
    days_possible = np.ones(age.size, dtype=bool)
    for days in away:
        days_possible &= (days == BLANK) | ((days >= 0) & (days <= MOST_DAYS))
    backwards = (admitted == BLANK) | (discharged == BLANK) | (discharged < admitted)
    gross = np.where(backwards, 0, discharged.astype(np.int64) - admitted)
    adjusted = np.maximum(gross - taken_off, 0)
    starts, ends = (int(np.datetime64(day, "D").astype(np.int64)) for day in (tables.starts, tables.ends))
    sound = (
        line["identified"]
        & line["funded"]
        & ~backwards
        & (age >= 0)
        & (age <= OLDEST_AGE)
        & days_possible
        & (gross <= MOST_DAYS)
        & (method > 0)
        & (classification > 0)
        & (discharged >= starts)
        & (discharged <= ends)
    )
    regular = (classification == 3) | (classification == 4)
    by_policy = regular | line["outside"]
    elective = method == 1
    is_day_case = elective & (classification == 2) & (gross == 0)
    own = np.where(is_day_case, line["day_case"], np.where(elective, line["ordinary_elective"], line["non_elective"]))
    national = sound & ~by_policy & (own != NONE) & (factor != NONE)
    given = line["local_given"]
    in_range = given & (np.abs(line["local_price"]) <= AMOUNT_LIMIT_PENCE)
    local = sound & in_range & (by_policy | ((own == NONE) & line["grouped"]))

    base = np.where(national, own, 0)
    reduced = (
        national
        & (method == 2)
        & (adjusted <= tables.maximum_stay)
        & (age >= tables.minimum_age)
        & line["grouping_counts"]
        & (line["short_stay_price"] != NONE)
    )
    short_stay = np.where(reduced, line["short_stay_price"] - base, 0)
    trim = np.where(elective, np.where(is_day_case, NONE, line["elective_trim"]), line["non_elective_trim"])
    long_stay = np.zeros_like(base)
    beyond = np.flatnonzero(national & (trim != NONE) & (adjusted > trim))
    long_stay[beyond] = (adjusted[beyond] - trim[beyond]) * line["per_day"][beyond]
    pre_mff = base + short_stay + long_stay
    exact_top_up = np.zeros_like(base)
    coded = np.flatnonzero(national & (line["top_ups"] != 0))
    exact_top_up[coded] = pre_mff[coded] * _highest(line["top_ups"][coded], age[coded], tables)
    top_up = (exact_top_up + tables.scale // 2) // tables.scale
    total = np.where(national, ((pre_mff * tables.scale + exact_top_up) * factor + tables.divisor // 2) // tables.divisor, 0)

    indicative = np.zeros_like(base)
    has_indicative = np.zeros(age.size, dtype=bool)
    rest = np.flatnonzero(~(national | local))
    valued = _best_known(line, own, rest, (method > 0) & (classification > 0), regular)
    has_indicative[rest] = np.where(given[rest], in_range[rest], valued != NONE)
    indicative[rest] = np.where(given[rest], line["local_price"][rest], valued)
    paid_locally = np.where(local, line["local_price"], 0)
    return {
        "base_pence": base + paid_locally,
        "short_stay_pence": short_stay,
        "long_stay_pence": long_stay,
        "top_up_pence": top_up,
        "mff_pence": total - pre_mff - top_up,
        "price_pence": total + paid_locally,
        "indicative_pence": indicative,
        "has_indicative": has_indicative,
    }


def _highest(top_ups: np.ndarray, age: np.ndarray, tables: Tables) -> np.ndarray:
    best = np.zeros(age.size, dtype=np.int64)
    for number, one in enumerate(tables.top_ups):
        earns = (top_ups & (1 << number) != 0) & (age >= one.minimum_age) & (age <= one.maximum_age)
        np.maximum(best, np.where(earns, one.share, 0), out=best)
    return best


def _best_known(line, own, rest, classified, regular) -> np.ndarray:
    first = np.where(classified[rest], np.where(regular[rest], line["day_case"][rest], own[rest]), NONE)
    for name in ("ordinary_elective", "day_case", "non_elective"):
        first = np.where(first == NONE, line[name][rest], first)
    factor = np.where(line["factor"][rest] == NONE, MILLION, line["factor"][rest])
    return np.where(first == NONE, NONE, (first * factor + MILLION // 2) // MILLION)


class NumpyArrays:
    """The peer: tables as arrays, the last element standing for "not in the table"."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.row = {hrg: row for row, hrg in enumerate(tables.hrg)}
        self.prices = {
            name: np.array([*(NONE if value is None else value for value in tables.prices[name]), NONE], dtype=np.int64)
            for name in PRICE_COLUMNS
        }

    def _factor(self, provider: str) -> int:
        factors = self.tables.factors
        return factors.get(provider) or factors.get(provider[:TRUST_CODE_LENGTH], NONE)

    def _top_ups(self, text: str) -> int:
        coded = {code.strip() for code in text.split(";")}
        return sum(1 << number for number, one in enumerate(self.tables.top_ups) if one.code in coded)

    def _lines(self, table: pa.Table) -> dict[str, np.ndarray]:
        def ask(name, answer, blank=0, dtype=np.int64):
            return _answers(table[name], answer, blank, dtype)

        hrg = ask("hrg", lambda code: self.row.get(code, -1), -1, np.int32)
        grouping = self.tables.grouping_methods
        return {
            **{name: _numbers(table[name], BLANK) for name in ("admission_date", "discharge_date", "age", *DAYS_AWAY)},
            "identified": ask("provider", lambda _: True, False, bool) & table["spell_id"].is_valid().to_numpy(),
            "funded": ask("commissioner", lambda code: code != PRIVATE_COMMISSIONER, False, bool)
            & ask("administrative_category", lambda code: code not in PRIVATE, True, bool),
            "outside": ask("commissioning_serial_number", lambda text: text.rstrip().endswith("="), False, bool),
            "method": ask("admission_method", lambda code: _METHOD.get(code, 0), 0, np.int8),
            "patient_classification": ask("patient_classification", lambda code: int(code) if code in CLASSES else 0, 0, np.int8),
            "grouping_counts": ask("grouping_method", lambda code: code in grouping, True, bool),
            "grouped": ask("hrg", lambda code: not code.startswith(UNGROUPED), False, bool),
            "top_ups": ask("specialised_services", self._top_ups, 0, np.int8),
            "factor": ask("provider", self._factor, NONE),
            "local_price": _numbers(pc.cast(pc.replace_substring(table["local_price"], ".", ""), pa.int64()), 0),
            "local_given": table["local_price"].is_valid().to_numpy(),
            **{name: values[hrg] for name, values in self.prices.items()},
        }

    def price_file(self, source: Path, out: Path) -> None:
        """Parquet to Parquet."""
        table = pq.read_table(source, columns=list(NEEDED), read_dictionary=CODED)
        amounts = price_arrays(self._lines(table), self.tables)
        columns = {"spell_id": table["spell_id"], **{name: amounts[name] for name in RESULT[1:-1]}}
        indicative = pa.array(amounts["indicative_pence"], mask=~amounts["has_indicative"])
        priced = pa.table({**columns, "indicative_pence": indicative})
        pq.write_table(priced, out, compression="zstd", compression_level=1, row_group_size=250_000, use_dictionary=False)

    def encode(self, lines: pl.DataFrame) -> dict[str, np.ndarray]:
        """Encoded lines in the shape that this peer likes best: arrays with sentinels for blanks."""
        blanks = {"factor": NONE, "local_price": 0, **dict.fromkeys(PRICE_COLUMNS, NONE)}
        self.identifiers = lines["spell_id"]
        arrays = {name: _filled(lines[name], blanks.get(name, BLANK)) for name in lines.columns if name != "spell_id"}
        policy = arrays.pop("policy")
        return {
            **arrays,
            "identified": arrays.pop("fault") == 0,
            "funded": policy & 1 == 0,
            "outside": policy >= 2,
            "grouping_counts": arrays.pop("grouping") != 2,
            "local_given": lines["local_price"].is_not_null().to_numpy(),
        }

    def price_lines(self, encoded: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The timed call."""
        return price_arrays(encoded, self.tables)

    def result(self, outcome: dict[str, np.ndarray]) -> pl.DataFrame:
        """What is compared."""
        without = pl.Series(outcome["has_indicative"])
        frame = pl.DataFrame({name: outcome[name] for name in RESULT[1:]})
        frame = frame.with_columns(indicative_pence=pl.when(without).then("indicative_pence"))
        return frame.select(self.identifiers.alias("spell_id"), *RESULT[1:])
