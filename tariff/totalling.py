"""Activity in, totals out, and no line is kept: what commissioners pay by whichever columns of the priced line are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.activity.blocks import Lines
from tariff.activity.files import Source, damage_named, paths_of
from tariff.activity.reading import IDENTIFIERS, PRICING_ONLY, REPEATED, activity_to_price
from tariff.cells import Cells
from tariff.columns import PRICED_LINE, names_given, schema
from tariff.errors import Fault, UsageError, did_you_mean
from tariff.pricing import Dates, pricer
from tariff.reasons import PRICED, REASON_NUMBER

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
_PRICED: Final = REASON_NUMBER[PRICED]
AS_FILED: Final = PRICING_ONLY | REPEATED | IDENTIFIERS | {"unbundled"}
"""What no total shows, or tells apart as codes are; and lists of items, which are tidied as they are taken apart."""


def totals(
    activity: pl.LazyFrame | pl.DataFrame | Source,
    rules: RulePack | Sequence[RulePack],
    by: str | Sequence[str] = ("commissioner", "provider", "pod"),
    *,
    sums: str | Sequence[str] = SUMS,
    dates: Dates = "strict",
    confidence: Iterable[str] | None = None,
    evidence: Evidence | pl.LazyFrame | pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Lines and pence of priced activity by the columns `by` (of `KEYS`), without making the lines.

    `activity` is a frame of canonical activity of one kind, or files of it as `read_activity` takes them. It is priced as by
    `pricing.price`, with the same arguments and errors, block by block; what is kept grows with the number of cells.
    Unbundled items written on spells are not among the lines, as for `price`.
    Returns one row a cell, sorted: `by`, `lines`, `priced_lines` and `sums` (of `SUMS`, pence and units; a null counts nothing).
    Codes are told apart without case and surrounding blanks. Raises UsageError for columns that cannot be summed or summed by."""
    by, sums = names_given(by), names_given(sums)
    _refuse_unknown(by, KEYS, "Totals cannot be made by that.")
    _refuse_unknown(sums, SUMS, "That cannot be summed.")
    if isinstance(activity, pl.LazyFrame | pl.DataFrame):
        lines, files = Lines(activity.lazy()), []
    else:
        # confidence labels and evidence are found by provider and identifier, which are then wanted as they are told everywhere
        told_as_filed = evidence is None and confidence is None
        lines = activity_to_price(activity, as_filed=AS_FILED if told_as_filed else PRICING_ONLY, identifiers=not told_as_filed)
        files = paths_of(activity)
    priced = pricer(
        lines,
        rules,
        dates=dates,
        columns=[*by, "reason", *sums],
        confidence=confidence,
        evidence=evidence,
    ).for_sums()
    cells = Cells(by, (*sums, PRICED_LINES), _SCHEMA, REPEATED)
    with damage_named(files) if files else nullcontext():
        for block in lines.each_block(priced.inputs, priced):
            reason = block["reason"].to_physical() if isinstance(block["reason"].dtype, pl.Enum) else block["reason"]
            cells.add(block.hstack([pl.Series(PRICED_LINES, reason.to_numpy() == _PRICED)]))
    return cells.frame(in_order=True).select(*by, "lines", PRICED_LINES, *sums)


def _refuse_unknown(given: Sequence[str], known: Sequence[str], what: str) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UsageError(
            what, [Fault("totals", f"'{name}' is none of {', '.join(known)}", did_you_mean(name, known)) for name in unknown]
        )
