"""Emergency readmissions as payment sees them: alike ones in one row, with what a model pays for each before it takes any of it
back. A line that a pathway pays for is not paid by the line, one at a local price not at the tariff: no more is taken back than
was paid (RULES 1.8: readmissions come after the price of the line and before the terms of the contract)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tariff.errors import ActivityError, Fault
from tariff.payment.best_practice import bundled_best_practice
from tariff.payment.cells import CELL, NOT_GIVEN
from tariff.payment.pathways import paid_as_a_whole, with_places
from tariff.reasons import PRICED

KEYS: Final = tuple(name for name in CELL if name != "gp_practice")
_LINE: Final = ("provider", "line_id")
_MONEY: Final = ("bundled_pence", "bundled_best_practice_pence", "best_practice_pence")
_SAID: Final = {"pack": "pack", "tariffs": "best_practice_tariff", "statuses": "best_practice_status"}
_TOLD_BY_LINES: Final = {**dict.fromkeys(("definition", *_SAID), pl.String()), **dict.fromkeys(_MONEY, pl.Int64())}


def gather_readmissions(found: pl.LazyFrame | pl.DataFrame, lines: pl.DataFrame | None = None) -> pl.DataFrame:
    """Readmissions found in the activity (`columns.READMISSION`) that count, alike ones in one row: the keys of a cell (the
    provider is the one that discharged), `readmitted_by`, `after`, `share_bp` of the rule pack, `price_pence`, how many
    `readmissions`, and as their `lines` (`readmitted_lines`) tell it what is bundled of them and what best practice earned.

    ActivityError where a readmission is none of the lines."""
    counting = found.lazy().filter(pl.col("reason_excluded").is_null()).collect()
    if lines is None:
        told = counting.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in _TOLD_BY_LINES.items())
    else:
        told = counting.join(lines, on=_LINE, how="left", maintain_order="left")
        _require_known(told)
    texts = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in KEYS if name not in {"month", "provider"}]
    shaped = told.select(
        *texts,
        pl.col("month").cast(pl.Int8),
        pl.col("initial_provider").alias("provider"),
        pl.col("provider").alias("readmitted_by"),
        pl.when("initial_elective").then(pl.lit("elective")).otherwise(pl.lit("other")).alias("after"),
        pl.col("share_bp", "price_pence").cast(pl.Int64),
        *_TOLD_BY_LINES,
    )
    return shaped.group_by(pl.all()).agg(pl.len().cast(pl.Int64).alias("readmissions")).sort(pl.all())


def readmitted_lines(
    found: pl.DataFrame, priced: pl.LazyFrame, pathways: pl.DataFrame | None, restated: pl.DataFrame | None
) -> pl.DataFrame:
    """What a model may pay of the lines of readmissions (`found`) other than by the line: `provider, line_id, definition` (of the
    pathway that they lie in), `bundled_pence` (the part of the price that it pays for), `best_practice_pence`, what of it goes
    with that part (`bundled_best_practice_pence`), and `pack, tariffs, statuses` of it. `restated` are lines of earlier runs that
    now belong elsewhere (`columns.RESTATED`)."""
    asked = found.lazy().select(_LINE).unique()
    spells = priced.filter((pl.col("kind").cast(pl.String) == "admitted") & (pl.col("outcome").cast(pl.String) == PRICED))
    placed = with_places(spells.join(asked, on=_LINE, how="semi"), pathways, restated)
    gone = bundled_best_practice().alias("bundled_best_practice_pence")
    said = [pl.col(column).cast(pl.String).alias(name) for name, column in _SAID.items() if name != column]
    lines = placed.with_columns(gone, *said, pl.col("pack").fill_null(NOT_GIVEN)).select(*_LINE, *_TOLD_BY_LINES).collect()
    # Of lines that share a key the one that is paid least by the line counts for all.
    return lines.sort("bundled_pence", *_TOLD_BY_LINES, descending=True).unique(_LINE, keep="first")


def with_paid(readmissions: pl.DataFrame, pathways: Sequence[str] = (), *, best_practice: bool = True) -> pl.DataFrame:
    """Readmissions with `paid_pence`: what a model pays for each by the line, without what lies in the `pathways` that it pays
    as a whole and, unless it pays `best_practice`, without what that earned. Never less than nothing. `earned_pence`: what best
    practice is in it."""
    whole = paid_as_a_whole(pathways)
    inside, gone = (pl.when(whole).then(name).otherwise(0) for name in ("bundled_pence", "bundled_best_practice_pence"))
    unpaid = pl.lit(0) if best_practice else pl.col("best_practice_pence")
    by_line = pl.col("price_pence") - unpaid - inside
    wholly = (inside != 0) & (inside == pl.col("price_pence"))
    return readmissions.with_columns(
        pl.when(wholly).then(0).otherwise(pl.max_horizontal(by_line, 0)).alias("paid_pence"),
        earned_pence=(pl.col("best_practice_pence") - gone) * int(best_practice),
    )


def _require_known(told: pl.DataFrame) -> None:
    strangers = told["best_practice_pence"].null_count()
    if strangers:
        fault = Fault(
            "readmissions", f"{strangers:,} are not among them", "give the readmissions of the run that priced the lines"
        )
        raise ActivityError("these are the readmissions of other lines", [fault])
