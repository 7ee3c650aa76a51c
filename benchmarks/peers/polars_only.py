"""Polars alone: joins and expressions on exact int64 pence, streaming from Parquet to Parquet.

Blanks do most of the work: a price that may not be paid is null, whatever is worked out from it is null, and null is 0 at
the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

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
    TRUST_CODE_LENGTH,
    UNGROUPED,
    Tables,
)
from benchmarks.work import WRITING
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION

METHODS = pl.Enum([*ELECTIVE, *EMERGENCY, *OTHER_NON_ELECTIVE])
FIRST_EMERGENCY, FIRST_OTHER = len(ELECTIVE), len(ELECTIVE) + len(EMERGENCY)
DAY, CODE = pl.Int32(), pl.UInt8()
IDENTIFIER = {"spell_id": pl.col("spell_id")}
TOLD_APART = {
    **{name: pl.col(name) for name in KEYS[:-1]},
    "month": ((pl.col("discharge_date").dt.month() + 8) % 12 + 1).cast(pl.Int8),
}
"""What totals need beside the amounts."""


@dataclass(frozen=True)
class Terms:
    """What the price depends on, as expressions over whatever the frame holds. Those of codes are null where the code is
    unknown; `by_policy`, `grouping_counts` and `coded` are never null."""

    identified: pl.Expr
    funded: pl.Expr
    by_policy: pl.Expr
    elective: pl.Expr
    emergency: pl.Expr
    patient_classification: pl.Expr
    grouping_counts: pl.Expr
    grouped: pl.Expr  # the HRG is neither blank nor UZ
    share: pl.Expr  # of the highest top-up, 0 none


def from_parquet(tables: Tables) -> Terms:
    """The terms from canonical columns."""
    method = pl.col("method")
    return Terms(
        identified=pl.col("spell_id").is_not_null() & pl.col("provider").is_not_null(),
        funded=(pl.col("commissioner") != PRIVATE_COMMISSIONER)
        & ~pl.col("administrative_category").is_in(PRIVATE).fill_null(False),
        by_policy=pl.col("patient_classification").is_in(["3", "4"])
        | pl.col("commissioning_serial_number").str.strip_chars_end().str.ends_with("=").fill_null(False),
        elective=method < FIRST_EMERGENCY,
        emergency=(method >= FIRST_EMERGENCY) & (method < FIRST_OTHER),
        patient_classification=pl.col("class") + 1,
        grouping_counts=pl.col("grouping_method").is_in(tables.grouping_methods).fill_null(True),
        grouped=~pl.col("hrg").str.starts_with(UNGROUPED),
        share=_highest(tables, lambda number: pl.col("services").list.contains(tables.top_ups[number].code).fill_null(False)),
    )


def from_lines(tables: Tables) -> Terms:
    """The terms from encoded lines (`benchmarks.lines`)."""
    method = pl.col("method")
    return Terms(
        identified=pl.col("fault") == 0,
        funded=pl.col("policy") & 1 == 0,
        by_policy=(pl.col("policy") >= 2) | pl.col("patient_classification").is_between(3, 4),
        elective=pl.when(method > 0).then(method == 1),
        emergency=method == 2,
        patient_classification=pl.col("patient_classification"),
        grouping_counts=pl.col("grouping") != 2,
        grouped=pl.col("grouped"),
        share=_highest(tables, lambda number: pl.col("top_ups") & (1 << number) != 0),
    )


def _highest(tables: Tables, coded) -> pl.Expr:
    chain = pl
    age = pl.col("age")
    for number in sorted(range(len(tables.top_ups)), key=lambda number: -tables.top_ups[number].share):
        one = tables.top_ups[number]
        chain = chain.when(coded(number) & age.is_between(one.minimum_age, one.maximum_age)).then(one.share)
    return chain.otherwise(0).cast(pl.Int64)


def priced(frame: pl.LazyFrame, tables: Tables, terms: Terms, keep: Mapping[str, pl.Expr] = IDENTIFIER) -> pl.LazyFrame:
    """The amounts of `RESULT`, and the columns `keep`, from a frame with prices, trims and factor already joined."""
    admitted, discharged = (pl.col(name).cast(DAY) for name in ("admission_date", "discharge_date"))
    away = [pl.col(name).fill_null(0) for name in DAYS_AWAY]
    day_case, ordinary, non_elective = pl.col("day_case"), pl.col("ordinary_elective"), pl.col("non_elective")
    classification = pl.col("classification")
    in_year = pl.col("discharge_date").is_between(pl.lit(tables.starts), pl.lit(tables.ends))
    local = pl.when(pl.col("local_price").abs() <= AMOUNT_LIMIT_PENCE).then("local_price")
    exact = pl.col("pre_mff") * tables.scale + pl.col("exact_top_up")
    return (
        frame.with_columns(
            gross=pl.when(discharged >= admitted).then(discharged - admitted),
            taken_off=away[0] + away[1] + away[2] + away[3],
            days_possible=pl.all_horizontal(one.is_between(0, MOST_DAYS) for one in away),
            elective=terms.elective,
            emergency=terms.emergency,
            classification=terms.patient_classification,
            by_policy=terms.by_policy,
        )
        .with_columns(
            adjusted=(pl.col("gross") - pl.col("taken_off")).clip(0),
            is_day_case=pl.col("elective") & (classification == 2) & (pl.col("gross").fill_null(0) == 0),
            sound=(
                (pl.col("gross") <= MOST_DAYS)
                & pl.col("age").is_between(0, OLDEST_AGE)
                & pl.col("days_possible")
                & classification.is_between(1, 5)
                & pl.col("elective").is_not_null()
                & in_year
                & terms.identified
                & terms.funded
            ).fill_null(False),
        )
        .with_columns(
            own=pl.when("is_day_case").then(day_case).when("elective").then(ordinary).otherwise(non_elective),
            trim=pl.when(~pl.col("elective")).then("non_elective_trim").when(~pl.col("is_day_case")).then("elective_trim"),
        )
        .with_columns(
            base=pl.when(pl.col("sound") & ~pl.col("by_policy") & pl.col("factor").is_not_null()).then("own"),
            local=pl.when(pl.col("sound") & (pl.col("by_policy") | (pl.col("own").is_null() & terms.grouped))).then(local),
        )
        .with_columns(
            short_stay=pl.when(
                pl.col("emergency")
                & (pl.col("adjusted") <= tables.maximum_stay)
                & (pl.col("age") >= tables.minimum_age)
                & terms.grouping_counts
                & pl.col("short_stay_price").is_not_null()
            )
            .then(pl.col("short_stay_price") - pl.col("base"))
            .otherwise(0),
            long_stay=((pl.col("adjusted") - pl.col("trim")).clip(0) * pl.col("per_day")).fill_null(0),
            share=terms.share,
        )
        .with_columns(pre_mff=pl.col("base") + pl.col("short_stay") + pl.col("long_stay"))
        .with_columns(exact_top_up=pl.col("pre_mff") * pl.col("share"))
        .with_columns(
            top_up=(pl.col("exact_top_up") + tables.scale // 2) // tables.scale,
            total=(exact * pl.col("factor") + tables.divisor // 2) // tables.divisor,
        )
        .select(
            **keep,
            base_pence=pl.coalesce("base", "local", 0),
            short_stay_pence=pl.when(pl.col("base").is_not_null()).then("short_stay").otherwise(0),
            long_stay_pence=pl.when(pl.col("base").is_not_null()).then("long_stay").otherwise(0),
            top_up_pence=pl.col("top_up").fill_null(0),
            mff_pence=(pl.col("total") - pl.col("pre_mff") - pl.col("top_up")).fill_null(0),
            price_pence=pl.coalesce("total", "local", 0),
            indicative_pence=pl.when(pl.col("base").is_null() & pl.col("local").is_null()).then(
                pl.when(pl.col("local_price").is_not_null()).then(local).otherwise(_best_known())
            ),
        )
    )


def _best_known() -> pl.Expr:
    """The own setting's price, else ordinary elective, day case, non-elective, times the factor where one is known."""
    regular = pl.col("classification").is_between(3, 4)
    classified = pl.col("elective").is_not_null() & pl.col("classification").is_between(1, 5)
    own = pl.when(classified).then(pl.when(regular).then("day_case").otherwise("own"))
    best = pl.coalesce(own, "ordinary_elective", "day_case", "non_elective")
    return (best * pl.col("factor").fill_null(MILLION) + MILLION // 2) // MILLION


class PolarsOnly:
    """The peer: tables as frames to join."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        wide = {name: pl.Series(values, dtype=DAY if "trim" in name else pl.Int64) for name, values in tables.prices.items()}
        self.prices = pl.LazyFrame({"hrg": tables.hrg, **wide})
        self.factors = pl.LazyFrame({"provider": list(tables.factors), "factor": list(tables.factors.values())})

    def price_file(self, source: Path, out: Path) -> None:
        """Parquet to Parquet."""
        self.query(source).sink_parquet(out, maintain_order=False, **WRITING)

    def totals(self, source: Path, keys: Sequence[str] = KEYS) -> pl.DataFrame:
        """Parquet to totals."""
        sums = {"spells": pl.len(), **{name: pl.col(name).sum() for name in RESULT[1:]}}
        told_apart = {name: TOLD_APART[name] for name in keys}
        return self.query(source, told_apart).group_by(keys).agg(**sums).collect(engine="streaming")

    def query(self, source: Path, keep: Mapping[str, pl.Expr] = IDENTIFIER) -> pl.LazyFrame:
        """The whole work as one lazy query."""
        by_trust = self.factors.select(trust="provider", trust_factor="factor")
        frame = (
            pl.scan_parquet(source)
            .select(NEEDED)
            .join(self.prices, on="hrg", how="left")
            .join(self.factors, on="provider", how="left")
            .with_columns(trust=pl.col("provider").str.slice(0, TRUST_CODE_LENGTH))
            .join(by_trust, on="trust", how="left")
            .with_columns(
                factor=pl.coalesce("factor", "trust_factor"),
                local_price=pl.col("local_price").str.replace(".", "", literal=True).cast(pl.Int64),
                method=pl.col("admission_method").cast(METHODS, strict=False).to_physical(),
                services=pl.col("specialised_services").str.split(";").list.eval(pl.element().str.strip_chars()),
                **{"class": pl.col("patient_classification").cast(pl.Enum(CLASSES), strict=False).to_physical().cast(pl.Int8)},
            )
        )
        return priced(frame, self.tables, from_parquet(self.tables), keep)

    def encode(self, lines: pl.DataFrame) -> pl.LazyFrame:
        """Encoded lines in the shape that this peer likes best: a frame."""
        return priced(lines.lazy(), self.tables, from_lines(self.tables))

    def encode_numbered(self, lines: pl.DataFrame, prices: pl.DataFrame, factors: pl.Series) -> pl.LazyFrame:
        """Encoded lines with the numbers of their table rows, as the kernel has them; looked up as they are priced."""
        found = {name: pl.lit(prices[name]).gather("hrg_row") for name in prices.columns}
        frame = lines.lazy().with_columns(factor=pl.lit(factors).gather("provider_row"), **found)
        return priced(frame, self.tables, from_lines(self.tables))

    def price_lines(self, encoded: pl.LazyFrame) -> pl.DataFrame:
        """The timed call."""
        return encoded.collect()

    def result(self, outcome: pl.DataFrame) -> pl.DataFrame:
        """What is compared."""
        return outcome.select(RESULT)
