"""Whole pathways instead of lines: what lies inside a pathway that a model bundles is not paid by the line, and each pathway is
paid its price to the lead provider. Pathways are formed and priced with the lines (`pathway_id`); here they are only paid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tariff.errors import ActivityError, Fault
from tariff.payment.activity import as_lines
from tariff.payment.cells import CELL, NOT_GIVEN
from tariff.payment.term import Cause
from tariff.reasons import PRICED

INSIDE: Final = Cause(
    "bundled_lines",
    "Care inside pathways, not paid by line",
    "What lies inside a bundled pathway is paid by the pathway's price.",
)
BUNDLE: Final = Cause("pathway_price", "Prices of pathways", "What each bundled pathway pays its lead provider.")

EVERY: Final = "all"
"""In a model's list of pathways: every pathway that the lines are in."""


def gather_inside(priced: pl.LazyFrame, pathways: pl.DataFrame) -> pl.DataFrame:
    """What pathways (`columns.PATHWAY`) pay in place of lines, by the keys of a cell (practices apart) and `definition`:
    `bundled_pence`, the part of the lines' prices, and `best_practice_pence`, what best practice makes of lines wholly inside.

    ActivityError where lines lie in pathways that are not among these: the pathways would be paid, and the lines as well."""
    keys = [name for name in CELL if name != "gp_practice"]
    texts = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in keys if name != "month"]
    part = pl.col("pathway_pence") if "pathway_pence" in priced.collect_schema().names() else pl.col("price_pence")
    whole = pl.when(part == pl.col("price_pence")).then(pl.col("best_practice_pence")).otherwise(0)
    named = pathways.lazy().select("pathway_id", "definition").unique()
    inside = (
        priced.filter((pl.col("outcome").cast(pl.String) == PRICED) & pl.col("pathway_id").is_not_null() & (part != 0))
        .join(named, on="pathway_id", how="left")
        .with_columns(*texts, part.alias("bundled_pence"), whole.alias("best_practice_pence"))
        .group_by(*keys, "definition")
        .agg(pl.len().alias("lines"), pl.col("bundled_pence", "best_practice_pence").sum())
        .collect()
    )
    strangers = inside.filter(pl.col("definition").is_null())
    if strangers.height:
        told = f"{strangers['lines'].sum():,} lines lie in pathways that are not among them"
        remedy = "give the pathways of the run that priced the lines"
        raise ActivityError("these are the pathways of other lines", [Fault("pathways", told, remedy)])
    return inside.drop("lines")


def with_restated(inside: pl.DataFrame, restated: pl.DataFrame) -> pl.DataFrame:
    """What lies inside pathways (`gather_inside`), with lines of earlier runs that now belong elsewhere (`columns.RESTATED`): the
    pathway they lie in now pays for them, and the one the earlier run told of no longer does. What best practice earned on them
    is not known any more, and stays with the line."""
    keys = [name for name in CELL if name != "gp_practice"]
    texts = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in keys if name != "month"]
    told = pl.col("pathway_pence") - pl.col("change_pence")
    changes = [
        restated.filter(pl.col(definition).is_not_null()).select(
            *texts,
            "month",
            pl.col(definition).alias("definition"),
            pence.alias("bundled_pence"),
            pl.lit(0, pl.Int64).alias("best_practice_pence"),
        )
        for definition, pence in (("definition", pl.col("pathway_pence")), ("told_definition", -told))
    ]
    columns = [*keys, "definition", "bundled_pence", "best_practice_pence"]
    whole = pl.concat([inside.select(columns), *(change.select(columns) for change in changes)])
    return whole.group_by(*keys, "definition").agg(pl.col("bundled_pence", "best_practice_pence").sum())


def with_places(lines: pl.LazyFrame, pathways: pl.DataFrame | None, restated: pl.DataFrame | None) -> pl.LazyFrame:
    """Priced lines with `definition`, that of the pathway (`columns.PATHWAY`) that they lie in, and `bundled_pence`, the part of
    their price that it pays for: as the latest run tells them, where lines of earlier runs are `restated` (`columns.RESTATED`).
    Blank and 0 where there are no pathways."""
    if pathways is None:
        return lines.with_columns(definition=pl.lit(None, pl.String), bundled_pence=pl.lit(0, pl.Int64))
    part = pl.col("pathway_pence") if "pathway_pence" in lines.collect_schema().names() else pl.col("price_pence")
    named = pathways.lazy().select("pathway_id", "definition").unique("pathway_id")
    inside = pl.when(pl.col("pathway_id").is_null()).then(0).otherwise(part).alias("bundled_pence")
    placed = lines.with_columns(inside).join(named, on="pathway_id", how="left", maintain_order="left")
    if restated is None or not restated.height:
        return placed
    key = ["kind", "provider", "line_id"]
    latest = restated.lazy().with_columns(pl.col("kind").cast(pl.String)).unique(key, keep="last", maintain_order=True)
    now = latest.select(*key, now="definition", now_pence="pathway_pence")
    again = placed.with_columns(pl.col("kind").cast(pl.String)).join(now, on=key, how="left", maintain_order="left")
    return again.with_columns(
        pl.when(pl.col("now_pence").is_null()).then("definition").otherwise("now").alias("definition"),
        pl.coalesce("now_pence", "bundled_pence").alias("bundled_pence"),
    )


def paid_as_a_whole(chosen: Sequence[str]) -> pl.Expr:
    """Whether a row's `definition` is among the pathways that a model names, which may be `all`."""
    named = pl.lit(value=True) if EVERY in chosen else pl.col("definition").is_in(list(chosen)).fill_null(value=False)
    return named & pl.col("definition").is_not_null()


def bundled_lines(
    inside: pl.DataFrame | None, pathways: pl.DataFrame | None, chosen: Sequence[str], *, best_practice: bool
) -> pl.DataFrame:
    """The ledger lines that take bundled care off (`best_practice`: with what that earned, which its prices hold) and pay
    the price of its pathways (`columns.PATHWAY`) to their lead providers: of a pathway that an earlier run told of, what has
    changed. Pathways with a flag are not paid and hold no care; what an earlier run paid for one is taken back."""
    wanted = paid_as_a_whole(chosen)
    frames = []
    if inside is not None:
        paid = pl.col("bundled_pence") - (0 if best_practice else pl.col("best_practice_pence"))
        frames.append(as_lines(inside.filter(wanted).with_columns(pl.lit(INSIDE.line).alias("line"), (-paid).alias("pence"))))
    if pathways is not None:
        line = pl.lit(BUNDLE.line).alias("line")
        named = pathways.filter(wanted).select(
            "commissioner",
            "financial_year",
            "month",
            pl.col("lead_provider").alias("provider"),
            line,
            pl.col("change_pence").alias("pence"),
        )
        frames.append(as_lines(named.with_columns(pl.col("commissioner").fill_null(NOT_GIVEN))))
    return as_lines(pl.concat(frames).group_by(*CELL, "line").agg(pl.col("pence").sum()))
