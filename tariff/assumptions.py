"""How many pounds rest on which figure. Every component of a priced line rests on one or more cells of a table and is no surer
than the weakest of them; this sums the components by that label, for run cards and reports. (How sure we are of the rules
themselves stands beside each rule in the run card.)"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.labels import Label, Labels
from tariff.reasons import PRICED, Basis

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

TELLING: Final = int(
    Basis.LOCAL_PRICE
    | Basis.PASS_THROUGH
    | Basis.DEFAULT_PRICE
    | Basis.COMBINED
    | Basis.MULTI_PROFESSIONAL
    | Basis.NON_FACE_TO_FACE
    | Basis.BEST_PRACTICE
)
"""Flags that tell which cell a price was read from."""


@dataclass(frozen=True, slots=True, order=True)
class Resting:
    """The pence, over so many lines, of one component that rest on one source at one confidence, in one pack."""

    pack: str
    component: str
    label: str
    source: str
    pence: int
    lines: int


def pounds_by_label(priced: pl.LazyFrame, packs: Sequence[RulePack]) -> list[Resting]:
    """The money of priced lines by component, confidence and source; lines that no pack in `packs` priced are left out.

    `priced` holds columns of `columns.PRICED_LINE`. Components add up to the priced total exactly."""
    # one after another: collected at once, their common part is held whole, which is all lines
    return pounds_of_sums([sums.collect() for sums in sums_by_figure(priced)], packs)


def sums_by_figure(priced: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Pence and lines of priced lines by what they rest on: the row priced from, the top-up, the provider's factor."""
    lines = priced.filter(pl.col("outcome") == PRICED)
    return [_by_price_row(lines), _by_top_up(lines), _by_provider(lines)]


def pounds_of_sums(found: list[pl.DataFrame], packs: Sequence[RulePack]) -> list[Resting]:
    """`pounds_by_label` of the sums of `sums_by_figure`."""
    labels = {pack.label: Labels(pack) for pack in packs}
    sums: dict[tuple[str, str, str, str], list[int]] = {}
    for pack, component, label, pence, count in _labelled(found, labels):
        entry = sums.setdefault((pack, component, *label), [0, 0])
        entry[0] += pence
        entry[1] += count
    return sorted(Resting(*key, pence=pence, lines=count) for key, (pence, count) in sums.items())


def _by_price_row(lines: pl.LazyFrame) -> pl.LazyFrame:
    key = [pl.col("kind", "setting", "pod").cast(pl.String), (pl.col("basis") & TELLING).alias("telling")]
    return lines.group_by("pack", "price_row", "best_practice_row", *key).agg(
        pl.len().alias("lines"),
        pl.col("base_pence", "short_stay_pence", "long_stay_pence").sum(),
        (pl.col("short_stay_pence") != 0).sum().alias("short_stay_lines"),
        (pl.col("long_stay_pence") != 0).sum().alias("long_stay_lines"),
    )


def _by_top_up(lines: pl.LazyFrame) -> pl.LazyFrame:
    return (
        lines.filter(pl.col("top_up_row") > 0)
        .group_by("pack", "top_up_row")
        .agg(pl.len().alias("lines"), pl.col("top_up_pence").sum())
    )


def _by_provider(lines: pl.LazyFrame) -> pl.LazyFrame:
    return (
        lines.filter(pl.col("mff_pence") != 0)
        .group_by("pack", "provider")
        .agg(pl.len().alias("lines"), pl.col("mff_pence").sum())
    )


Labelled = tuple[str, str, Label, int, int]


def _labelled(found: list[pl.DataFrame], labels: dict[str, Labels]) -> Iterator[Labelled]:
    by_price_row, by_top_up, by_provider = (frame.filter(pl.col("pack").is_in(list(labels))) for frame in found)
    for row in by_price_row.iter_rows(named=True):
        pack, number, setting = row["pack"], row["price_row"], row["setting"]
        label = labels[pack].price(row["kind"], setting, row["pod"], row["telling"], number, row["best_practice_row"])
        yield pack, "base", label, row["base_pence"], row["lines"]
        if row["short_stay_lines"]:
            yield pack, "short_stay", labels[pack].short_stay(number), row["short_stay_pence"], row["short_stay_lines"]
        if row["long_stay_lines"]:
            yield pack, "long_stay", labels[pack].long_stay(number, setting), row["long_stay_pence"], row["long_stay_lines"]
    for row in by_top_up.iter_rows(named=True):
        yield row["pack"], "top_up", labels[row["pack"]].top_up(row["top_up_row"]), row["top_up_pence"], row["lines"]
    for row in by_provider.iter_rows(named=True):
        label = labels[row["pack"]].market_forces(row["provider"])
        yield row["pack"], "market_forces", label, row["mff_pence"], row["lines"]
