"""Polars alone: totals of outpatient attendances by joins and expressions on exact int64 pence, streaming from Parquet.

As among the spells, blanks do most of the work: a price that may not be paid is null, and null adds nothing to a sum."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from benchmarks.peers.attendance_tables import (
    FIRST_ATTENDANCES,
    FIRST_CODES,
    FORMS,
    KEYS,
    NEEDED,
    NO,
    NOT_CONSULTANT,
    OLDEST_AGE,
    PODS,
    PRIVATE,
    PRIVATE_COMMISSIONER,
    REMOTE_CODES,
    SEEN,
    SUMS,
    TRUST_CODE_LENGTH,
    UNGROUPED,
    YES,
    AttendanceTables,
    Hrg,
)
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION

SMALL = pl.UInt8()


def _in(column: str, codes: Iterable[str]) -> pl.Expr:
    """Whether a code is in a list; a blank is not."""
    return pl.col(column).is_in(list(codes)).fill_null(False)


def _with_factor(price: str) -> pl.Expr:
    return (pl.col(price) * pl.col("factor") + MILLION // 2) // MILLION


class PolarsAttendances:
    """The peer: tables as frames to join."""

    def __init__(self, tables: AttendanceTables) -> None:
        self.tables = tables
        schema = {"hrg": pl.String, "procedure": pl.Boolean, "procedure_price": pl.Int64}
        says = {"says_first": pl.Boolean, "says_remote": pl.Boolean, "says_multi": pl.Boolean}
        rows = [tuple(vars(one)[name] for name in Hrg.__dataclass_fields__) for one in tables.hrgs]
        self.hrgs = pl.LazyFrame(rows, schema={**schema, **says}, orient="row")
        self.factors = pl.LazyFrame({"provider": list(tables.factors), "factor": list(tables.factors.values())})
        self.prices = self._prices()

    def _prices(self) -> pl.LazyFrame:
        """By treatment function and form; None stands for every function that is not in the table."""
        found = {(one.treatment_function, one.form): (one.price, one.takes_factor) for one in self.tables.prices}
        rows = []
        for function in self.tables.functions:
            forms = [found.get((function, form), (None, True)) for form in range(len(FORMS))]
            rows.append((function, *(price for price, _ in forms), *(takes for _, takes in forms)))
        names = [*(f"price_{form}" for form in range(len(FORMS))), *(f"takes_{form}" for form in range(len(FORMS)))]
        types = [pl.Int64] * len(FORMS) + [pl.Boolean] * len(FORMS)
        schema = {"treatment_function": pl.String, **dict(zip(names, types, strict=True))}
        return pl.LazyFrame(rows, schema=schema, orient="row").with_columns(in_table=True)

    def totals(self, source: Path) -> pl.DataFrame:
        """Parquet to totals."""
        found = self.query(source).collect(engine="streaming")
        return found.with_columns(pod=pl.Series(PODS).gather(found["pod"])).select(*KEYS, *SUMS)

    def query(self, source: Path) -> pl.LazyFrame:
        """The whole work as one lazy query; the point of delivery as its number."""
        by_trust = self.factors.select(trust="provider", trust_factor="factor")
        return (
            pl.scan_parquet(source)
            .select(NEEDED)
            .join(self.hrgs, on="hrg", how="left")
            .join(self.prices, on="treatment_function", how="left")
            .join(self.factors, on="provider", how="left")
            .with_columns(trust=pl.col("provider").str.slice(0, TRUST_CODE_LENGTH))
            .join(by_trust, on="trust", how="left")
            .with_columns(**self._terms())
            .with_columns(
                attendance_price=self._of_form("price", [self.tables.default_of(form) for form in range(len(FORMS))]),
                takes_factor=self._of_form("takes", [True] * len(FORMS)),
                pod=pl.when(~pl.col("classified"))
                .then(len(PODS) - 1)
                .when("procedure")
                .then(10 + pl.col("first"))
                .when("remote")
                .then(8 + pl.col("first"))
                .otherwise(4 * pl.col("first") + 2 * pl.col("multi") + pl.col("led"))
                .cast(SMALL),
            )
            .with_columns(price=self._price())
            .group_by(KEYS)
            .agg(attendances=pl.len(), priced=pl.col("price").count(), price_pence=pl.col("price").sum())
        )

    def _terms(self) -> dict[str, pl.Expr]:
        tables = self.tables
        classified = _in("first_attendance", FIRST_ATTENDANCES)
        ungrouped = pl.col("hrg").str.starts_with(UNGROUPED).fill_null(False)
        given = pl.col("hrg").is_not_null() & ~ungrouped
        led = _in("consultant_led", YES) | ~(_in("consultant_led", NO) | _in("main_specialty", NOT_CONSULTANT))
        by_policy = pl.col("commissioning_serial_number").str.strip_chars_end().str.ends_with("=").fill_null(False)
        if tables.excluded_hrgs:
            by_policy |= _in("hrg", tables.excluded_hrgs)
        if tables.excluded_functions:
            by_policy |= _in("treatment_function", tables.excluded_functions)
        return {
            "sound": pl.col("attendance_id").is_not_null()
            & pl.col("provider").is_not_null()
            & (pl.col("commissioner") != PRIVATE_COMMISSIONER)
            & pl.col("attendance_date").is_between(pl.lit(tables.starts), pl.lit(tables.ends))
            & pl.col("age").is_between(0, OLDEST_AGE).fill_null(True)
            & classified
            & _in("attended", SEEN)
            & ~_in("administrative_category", PRIVATE),
            "classified": classified,
            "by_policy": by_policy,
            "ungrouped": ungrouped,
            "unknown": given & pl.col("procedure").is_null(),
            "procedure": pl.coalesce("procedure", given),
            "first": pl.coalesce("says_first", _in("first_attendance", FIRST_CODES)).cast(SMALL),
            "remote": pl.coalesce("says_remote", _in("first_attendance", REMOTE_CODES)),
            "multi": pl.coalesce("says_multi", _in("multi_professional", YES)).cast(SMALL),
            "led": led,
            "local": pl.col("local_price").str.replace(".", "", literal=True).cast(pl.Int64),
            "factor": pl.coalesce("factor", "trust_factor"),
        }

    def _of_form(self, name: str, elsewhere: list[int | None] | list[bool]) -> pl.Expr:
        """The column of the form that an attendance has; `elsewhere` where the treatment function is not in the table."""
        first, multi, remote = pl.col("first") == 1, pl.col("multi") == 1, pl.col("remote")
        columns = [pl.when("in_table").then(f"{name}_{form}").otherwise(pl.lit(elsewhere[form])) for form in range(len(FORMS))]
        follow_up_single, follow_up_multi, first_single, first_multi, follow_up_remote, first_remote = columns
        return (
            pl.when(remote & first)
            .then(first_remote)
            .when(remote)
            .then(follow_up_remote)
            .when(first & multi)
            .then(first_multi)
            .when(first)
            .then(first_single)
            .when(multi)
            .then(follow_up_multi)
            .otherwise(follow_up_single)
        )

    def _price(self) -> pl.Expr:
        """What is paid: the local price, the procedure's or the attendance's; null where nothing is."""
        by_procedure = pl.col("procedure_price").is_not_null()
        without = ~pl.col("ungrouped") & ~by_procedure & (~pl.col("led") | pl.col("attendance_price").is_null())
        return (
            pl.when(~pl.col("sound").fill_null(False))
            .then(None)
            .when(pl.col("by_policy") | pl.col("unknown") | without)
            .then(pl.when(pl.col("local").abs() <= AMOUNT_LIMIT_PENCE).then("local"))
            .when("ungrouped")
            .then(None)
            .when(by_procedure)
            .then(_with_factor("procedure_price"))
            .when("takes_factor")
            .then(_with_factor("attendance_price"))
            .otherwise("attendance_price")
        )
