"""Plain Python: one record after another, as a script with its tables in dictionaries does it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.peers.tables import (
    CLASSES,
    DAYS_AWAY,
    ELECTIVE,
    EMERGENCY,
    KEYS,
    MOST_DAYS,
    NEEDED,
    OLDEST_AGE,
    OTHER_NON_ELECTIVE,
    PRIVATE,
    PRIVATE_COMMISSIONER,
    RESULT,
    SUMS,
    TRUST_CODE_LENGTH,
    UNGROUPED,
    Tables,
)
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION

_ELECTIVE, _EMERGENCY = frozenset(ELECTIVE), frozenset(EMERGENCY)
_METHODS = frozenset((*ELECTIVE, *EMERGENCY, *OTHER_NON_ELECTIVE))
SCHEMA = pa.schema([("spell_id", pa.string()), *((name, pa.int64()) for name in RESULT[1:])])

Row = tuple[int, int, int, int, int, int, int | None]


class PerRecord:
    """The peer: tables as dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        columns = list(tables.prices)
        self.prices = {
            hrg: dict(zip(columns, values, strict=True)) for hrg, *values in zip(tables.hrg, *tables.prices.values(), strict=True)
        }
        self.top_ups = {one.code: one for one in tables.top_ups}
        self.no_price = dict.fromkeys(columns)

    def price_file(self, source: Path, out: Path) -> None:
        """Parquet to Parquet."""
        records = pq.read_table(source, columns=list(NEEDED)).to_pylist()
        amounts = [(record["spell_id"], *self.price(record)) for record in records]
        columns = dict(zip(RESULT, map(list, zip(*amounts, strict=True)), strict=True))
        pq.write_table(pa.table(columns, schema=SCHEMA), out, compression="zstd", compression_level=1)

    def totals(self, source: Path) -> pl.DataFrame:
        """Parquet to totals."""
        sums: dict[tuple[object, ...], list[int]] = {}
        for record in pq.read_table(source, columns=list(NEEDED)).to_pylist():
            discharged = record["discharge_date"]
            month = None if discharged is None else (discharged.month + 8) % 12 + 1
            key = (record["commissioner"], record["provider"], record["hrg"], month)
            cell = sums.setdefault(key, [0] * len(SUMS))
            cell[0] += 1
            for place, amount in enumerate(self.price(record), start=1):
                cell[place] += amount or 0
        rows = [(*key, *cell) for key, cell in sums.items()]
        return pl.DataFrame(rows, schema=[*KEYS, *SUMS], orient="row")

    def price(self, record: dict[str, object]) -> Row:
        """The seven amounts of one record."""
        tables, age, given = self.tables, record["age"], record["local_price"]
        local_price = None if given is None else int(given.replace(".", ""))
        admitted, discharged = record["admission_date"], record["discharge_date"]
        method, patient_class, hrg, provider = (
            record["admission_method"],
            record["patient_classification"],
            record["hrg"],
            record["provider"],
        )
        prices = self.prices.get(hrg, self.no_price)
        factor = None
        if provider is not None:
            factor = tables.factors.get(provider) or tables.factors.get(provider[:TRUST_CODE_LENGTH])

        stay, days_possible = None, True
        if admitted is not None and discharged is not None and discharged >= admitted:
            stay = (discharged - admitted).days
            days_possible = stay <= MOST_DAYS
        gross = stay or 0
        adjusted = gross
        for name in DAYS_AWAY:
            days = record[name]
            if days:
                adjusted -= days
                if not 0 <= days <= MOST_DAYS:
                    days_possible = False
        adjusted = max(adjusted, 0)

        classified = method in _METHODS and patient_class in CLASSES
        elective = method in _ELECTIVE
        trim = None
        if not elective:
            own, trim = prices["non_elective"], prices["non_elective_trim"]
        elif patient_class == "2" and gross == 0:
            own = prices["day_case"]
        else:
            own, trim = prices["ordinary_elective"], prices["elective_trim"]

        sound = (
            record["spell_id"] is not None
            and provider is not None
            and record["commissioner"] is not None
            and stay is not None
            and age is not None
            and 0 <= age <= OLDEST_AGE
            and days_possible
            and classified
            and tables.starts <= discharged <= tables.ends
            and record["administrative_category"] not in PRIVATE
            and record["commissioner"] != PRIVATE_COMMISSIONER
        )
        local_stands = local_price is not None and abs(local_price) <= AMOUNT_LIMIT_PENCE
        if sound:
            serial_number = record["commissioning_serial_number"]
            if patient_class in {"3", "4"} or (serial_number and serial_number.rstrip().endswith("=")):
                if local_stands:
                    return local_price, 0, 0, 0, 0, local_price, None
            elif own is None:
                if local_stands and hrg is not None and not hrg.startswith(UNGROUPED):
                    return local_price, 0, 0, 0, 0, local_price, None
            elif factor is not None:
                return self._national(record, prices, own, trim, adjusted, factor)
        if local_price is not None:
            return 0, 0, 0, 0, 0, 0, local_price if local_stands else None
        return 0, 0, 0, 0, 0, 0, self._indicative(prices, own, classified, patient_class, factor or MILLION)

    def _national(self, record, prices, base: int, trim: int | None, adjusted: int, factor: int) -> Row:
        tables, age, grouping = self.tables, record["age"], record["grouping_method"]
        short_stay = long_stay = share = 0
        if (
            record["admission_method"] in _EMERGENCY
            and adjusted <= tables.maximum_stay
            and age >= tables.minimum_age
            and prices["short_stay_price"] is not None
            and (grouping is None or grouping in tables.grouping_methods)
        ):
            short_stay = prices["short_stay_price"] - base
        if trim is not None and adjusted > trim:
            long_stay = (adjusted - trim) * prices["per_day"]
        if record["specialised_services"]:
            for code in record["specialised_services"].split(";"):
                one = self.top_ups.get(code.strip())
                if one is not None and one.minimum_age <= age <= one.maximum_age and one.share > share:
                    share = one.share
        pre_mff = base + short_stay + long_stay
        exact_top_up = pre_mff * share
        top_up = (exact_top_up + tables.scale // 2) // tables.scale
        total = ((pre_mff * tables.scale + exact_top_up) * factor + tables.divisor // 2) // tables.divisor
        return base, short_stay, long_stay, top_up, total - pre_mff - top_up, total, None

    @staticmethod
    def _indicative(prices, own, classified: bool, patient_class, factor: int) -> int | None:
        if patient_class in {"3", "4"}:
            own = prices["day_case"]
        for price in (own if classified else None, prices["ordinary_elective"], prices["day_case"], prices["non_elective"]):
            if price is not None:
                return (price * factor + MILLION // 2) // MILLION
        return None

    def encode_records(self, source: Path, records: int) -> list[dict[str, object]]:
        """The first records of a file, read."""
        return pl.scan_parquet(source).select(NEEDED).head(records).collect().to_dicts()

    def price_lines(self, records: list[dict[str, object]]) -> list[Row]:
        """The timed call."""
        return [self.price(record) for record in records]

    def result(self, records: list[dict[str, object]], outcome: list[Row]) -> pl.DataFrame:
        """What is compared."""
        rows = [(record["spell_id"], *row) for record, row in zip(records, outcome, strict=True)]
        return pl.DataFrame(rows, schema={"spell_id": pl.String, **dict.fromkeys(RESULT[1:], pl.Int64)}, orient="row")
