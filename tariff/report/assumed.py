"""What the figures rest on, with the pounds that rest on each: components of price from the run cards of pricing, and contract
terms from the ledgers themselves."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from tariff.payment import Model
from tariff.report.compared import Compared
from tariff.report.suppression import Key, hide_small
from tariff.rulepack.model import CONFIDENCES

COMPONENT_NAMES: Final = {
    "base": "Base price",
    "short_stay": "Short-stay reduction",
    "long_stay": "Long-stay payment",
    "top_up": "Specialised top-up",
    "market_forces": "Market forces factor",
    "best_practice": "Best practice",
}


class Assumed(NamedTuple):
    """A component or term, how sure its figures are, where they come from, and what rests on them: net pence, and lines."""

    label: str
    what: str
    source: str
    pence: int
    lines: int
    hidden: bool


def assumption_rows(report: Compared) -> Iterator[Assumed]:
    """Components of price and then contract terms, least sure first within each."""
    order: dict[str, int] = {label: number for number, label in enumerate(reversed(CONFIDENCES))}
    rows = sorted(report.assumptions, key=lambda row: (order[row["label"]], -abs(row["pence"]), row["component"], row["source"]))
    hidden = hidden_assumptions(rows) if report.suppress else set()
    for number, row in enumerate(rows):
        what = COMPONENT_NAMES.get(row["component"], row["component"])
        yield Assumed(row["label"].capitalize(), what, row["source"], row["pence"], row["lines"], number in hidden)
    yield from sorted(_terms(report), key=lambda row: (order.get(row.label.lower(), 0), -abs(row.pence), row.what))


def hidden_assumptions(rows: Sequence[Mapping[str, Any]]) -> set[Hashable]:
    """The rows to hide; a label has a total of its own, so each hidden row has a companion under the same label."""
    by_label: dict[str, dict[Key, int]] = {}
    for number, row in enumerate(rows):
        by_label.setdefault(row["label"], {})[(number,)] = row["lines"]
    return {key[0] for counts in by_label.values() for key in hide_small(counts).cells}


def _terms(report: Compared) -> Iterator[Assumed]:
    for ledger in report.ledgers:
        paid = dict(ledger.terms.group_by("line").agg(pl.col("pence").sum()).iter_rows())
        lines = int(ledger.per_line["lines"].sum())
        yield from _terms_of(ledger.model, paid, lines, hide=report.is_too_small)


def _terms_of(model: Model, paid: Mapping[str, int], lines: int, *, hide: bool) -> Iterator[Assumed]:
    for term in model.terms:
        pence = sum(paid.get(cause.line, 0) for cause in term.causes)
        what = f"{model.title}: {term.term.replace('_', ' ')}"
        yield Assumed(term.confidence.capitalize(), what, term.source, pence, lines, hide)
