"""Activity in, totals out, and no line is kept: what commissioners pay by whichever columns of the priced line are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.cells import Cells
from tariff.columns import PRICED_LINE, schema
from tariff.errors import Fault, UsageError, did_you_mean
from tariff.pricing import Dates, price
from tariff.reasons import PRICED

if TYPE_CHECKING:
    from tariff.best_practice.evidence import Evidence
    from tariff.rulepack import RulePack

KEYS: Final = (
    "kind",
    "commissioner",
    "provider",
    "gp_practice",
    "treatment_function",
    "currency",
    "pod",
    "setting",
    "financial_year",
    "month",
    "outcome",
    "reason",
    "pack",
    "referral_source",
)
"""Columns of a priced line that totals may be made by."""
_SCHEMA: Final = pl.Schema(schema(PRICED_LINE))
SUMS: Final = ("units", *(name for name in _SCHEMA.names() if name.endswith("_pence") and name != "pathway_pence"))
"""What may be summed."""
PRICED_LINES: Final = "priced_lines"


def totals(
    activity: pl.LazyFrame | pl.DataFrame,
    rules: RulePack | Sequence[RulePack],
    by: Sequence[str] = ("commissioner", "provider", "pod"),
    *,
    sums: Sequence[str] = SUMS,
    dates: Dates = "strict",
    confidence: Iterable[str] | None = None,
    evidence: Evidence | pl.LazyFrame | pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Lines and pence of priced activity by the columns `by` (of `KEYS`), without making the lines.

    Activity is priced as by `pricing.price`, with the same arguments and errors, block by block; what is kept grows with the
    number of cells. Returns one row a cell, sorted: `by`, `lines`, `priced_lines` and `sums` (of `SUMS`, pence and units; a null
    counts nothing). Raises UsageError for a column that cannot be summed or summed by."""
    _refuse_unknown(by, KEYS, "Totals cannot be made by that.")
    _refuse_unknown(sums, SUMS, "That cannot be summed.")
    priced = price(activity, rules, dates=dates, confidence=confidence, evidence=evidence, columns=[*by, "reason", *sums])
    cells = Cells(by, (*sums, PRICED_LINES), _SCHEMA)
    for block in priced.collect_batches():
        cells.add(block.with_columns((pl.col("reason") == PRICED).alias(PRICED_LINES)))
    return cells.frame().select(*by, "lines", PRICED_LINES, *sums).sort(by, nulls_last=True)


def _refuse_unknown(given: Sequence[str], known: Sequence[str], what: str) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UsageError(what, [Fault("totals", f"'{name}' is none of {', '.join(known)}", did_you_mean(name, known)) for name in unknown])
