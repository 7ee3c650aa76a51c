"""Lines of care: priced lines with what only the activity says of them (when they began, who, what was found and done)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tariff.columns import KIND, POD
from tariff.errors import ActivityError, DisagreementError, Fault

ROW: Final = "row"
CARE: Final[dict[str, pl.DataType]] = {
    ROW: pl.Int64(),
    "patient_id": pl.String(),
    "kind": KIND,
    "provider": pl.String(),
    "line_id": pl.String(),
    "commissioner": pl.String(),
    "gp_practice": pl.String(),
    "start": pl.Date(),
    "end": pl.Date(),
    "pod": POD,
    "currency": pl.String(),
    "treatment_function": pl.String(),
    "admission_method": pl.String(),
    "discharge_method": pl.String(),
    "diagnoses": pl.String(),
    "procedure": pl.String(),
    "age": pl.Int32(),
    "priced": pl.Boolean(),
    "national": pl.Boolean(),
    "without_price": pl.Boolean(),
    "other_payer": pl.Boolean(),
    "price_pence": pl.Int64(),
    "financial_year": pl.String(),
    "month": pl.Int8(),
}
"""A line of care. `row` is the line's place among the priced lines, null where it was carried from an earlier run. Codes are in
capitals, without blanks and dots, and never null; `diagnoses` holds all of them, the primary first, separated by `;`."""
CARRIED: Final = {name: dtype for name, dtype in CARE.items() if name != ROW}

_TOLD_BY: Final = {
    "admission_date": "spell_id",
    "attendance_date": "attendance_id",
    "arrival_date": "attendance_id",
    "currency": "line_id",
}
"""The column that tells the kind of activity, and the one that is its line's identifier."""
_STARTS: Final = {"currency": "date"}
"""The column of the first day, where it is not the one that tells the kind."""
_READ: Final = ("admission_method", "discharge_method", "primary_diagnosis", "secondary_diagnoses", "dominant_procedure", "age")
_KEY: Final = "activity_line_id"


def care_lines(priced: pl.LazyFrame | pl.DataFrame, activity: Sequence[pl.LazyFrame | pl.DataFrame]) -> pl.LazyFrame:
    """Lines of care (`CARE`) from priced lines and the canonical activity they were priced from, in the same order: the first
    frame's lines first. Lines without key or sound dates take no part in any pathway and are left out, as are rejected ones; of
    a line without a patient, `patient_id` is empty. DisagreementError, when collected, where the activity is not that of the
    priced lines."""
    said = pl.concat([_said(frame.lazy()) for frame in activity])
    wanted = [
        "line_id", "kind", "provider", "commissioner", "gp_practice", "patient_id", "activity_date", "financial_year", "month",
        "pod", "currency", "treatment_function", "price_pence", "outcome", "reason", "basis",
    ]  # fmt: skip
    lines = pl.concat([priced.lazy().select(wanted), said], how="horizontal").with_row_index(ROW)
    return lines.map_batches(_checked, streamable=True).select(_care()).filter(_takes_part())


def _said(activity: pl.LazyFrame) -> pl.LazyFrame:
    present = activity.collect_schema().names()
    told_by = next((name for name in _TOLD_BY if name in present), None)
    if told_by is None:
        told = Fault("activity", f"none of {', '.join(_TOLD_BY)} is a column of it", "give canonical activity")
        raise ActivityError("The kind of activity cannot be told.", [told])
    texts = [pl.col(name).cast(pl.String) if name in present else pl.lit("").alias(name) for name in _READ if name != "age"]
    age = pl.col("age").cast(pl.Int32) if "age" in present else pl.lit(None, dtype=pl.Int32).alias("age")
    start = pl.col(_STARTS.get(told_by, told_by)).cast(pl.Date).alias("start")
    return activity.select(pl.col(_TOLD_BY[told_by]).cast(pl.String).alias(_KEY), start, age, *texts)


def _checked(lines: pl.DataFrame) -> pl.DataFrame:
    if not lines["line_id"].eq_missing(lines[_KEY]).all():
        raise DisagreementError("The activity is not that of the priced lines: give the files they were priced from, in order.")
    return lines


def _code(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).fill_null("").str.strip_chars().str.to_uppercase()


def _diagnosis(name: str) -> pl.Expr:
    return _code(name).str.replace_all(r"[ .]", "")


def _care() -> list[pl.Expr]:
    from tariff.reasons import Basis

    secondary = _diagnosis("secondary_diagnoses")
    made = {
        ROW: pl.col(ROW).cast(pl.Int64),
        "end": pl.col("activity_date"),
        "patient_id": pl.when(pl.col("patient_id").str.strip_chars() != "").then("patient_id").otherwise(pl.lit("")),
        "diagnoses": pl.when(secondary == "")
        .then(_diagnosis("primary_diagnosis"))
        .otherwise(_diagnosis("primary_diagnosis") + ";" + secondary),
        "procedure": _diagnosis("dominant_procedure"),
        "priced": pl.col("outcome") == "priced",
        "national": (pl.col("outcome") == "priced") & ((pl.col("basis") & int(Basis.LOCAL_PRICE)) == 0),
        "without_price": pl.col("outcome") == "unpriced",
        "other_payer": pl.col("reason") == "not_nhs_funded",
        "provider": _code("provider"),
        "commissioner": _code("commissioner"),
        "currency": _code("currency"),
        "treatment_function": _code("treatment_function"),
        "admission_method": _code("admission_method"),
        "discharge_method": _code("discharge_method"),
    }
    return [made.get(name, pl.col(name)).alias(name) for name in CARE]


def _takes_part() -> pl.Expr:
    keyed = (pl.col("line_id").str.strip_chars() != "") & (pl.col("provider") != "")
    return (keyed & (pl.col("start") <= pl.col("end"))).fill_null(value=False)
