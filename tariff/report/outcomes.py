"""What became of every line: priced, excluded by policy, unpriced or rejected, each counted and valued by its one reason.
And which rule pack priced how much,
and which evidence was of no use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tariff.reasons import OUTCOMES, REASON_NUMBER, REASONS
from tariff.report.suppression import CONFIDENTIAL, is_small
from tariff.report.words import counted

if TYPE_CHECKING:
    from tariff.report.compared import Compared


def count_outcomes(priced: pl.LazyFrame) -> pl.DataFrame:
    """Lines by outcome and reason: `lines`, `price_pence` (priced lines alone carry money), `indicative_pence` (value at the
    best price known of lines not priced) and `valued` (lines that have one). In the order of `reasons.REASONS`."""
    sums = (
        priced.group_by(pl.col("outcome", "reason").cast(pl.String))
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("price_pence", "indicative_pence").sum(),
            pl.col("indicative_pence").count().cast(pl.Int64).alias("valued"),
        )
        .collect()
    )
    order = pl.col("outcome").replace_strict({outcome: number for number, outcome in enumerate(OUTCOMES)}, return_dtype=pl.Int32)
    within = pl.col("reason").replace_strict(REASON_NUMBER, return_dtype=pl.Int32)
    return sums.sort(order, within)


def count_packs(priced: pl.LazyFrame) -> pl.DataFrame:
    """Priced lines by the rule pack that priced them: `pack`, `lines`, `price_pence`."""
    sums = pl.len().cast(pl.Int64).alias("lines"), pl.col("price_pence").sum()
    return priced.filter(pl.col("outcome").cast(pl.String) == OUTCOMES[0]).group_by("pack").agg(sums).sort("pack").collect()


def evidence_not_used(report: Compared) -> Iterator[tuple[str, str]]:
    """Evidence that changed no price because it could not, from the run cards: what is wrong with it, and how many rows."""
    for card in report.cards:
        for found in (card.get("evidence") or {}).get("not_used", ()):
            shown = f" ({', '.join(found['examples'])})" if found["examples"] else ""
            hide = report.suppress and is_small(found["rows"])
            yield found["sentence"] + shown, f"{CONFIDENTIAL} rows" if hide else counted(found["rows"], "row", "rows")


def reason_sentence(code: str) -> str:
    """The sentence for a clerk of a reason."""
    return REASONS[REASON_NUMBER[code]].sentence
