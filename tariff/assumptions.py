"""How many pounds rest on which figure. Every component of a priced line rests on one or more cells of a table and is no surer
than the weakest of them; this sums the components by that label, for run cards and reports. (How sure we are of the rules
themselves stands beside each rule in the run card.)"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.classify.codes import by_code_or_trust
from tariff.reasons import PRICED, Basis
from tariff.rulepack.model import CONFIDENCES

if TYPE_CHECKING:
    from tariff.rulepack import RulePack
    from tariff.rulepack.rows import AdmittedRow, ProviderFactor

LOCAL: Final = ("local", "local price given with the activity")
_SETTING_COLUMNS: Final = {
    "day_case": ("day_case", None),
    "ordinary_elective": ("ordinary_elective", "elective_trim"),
    "non_elective": ("non_elective", "non_elective_trim"),
}
"""By setting, the columns of admitted.csv that hold its price and its trim point."""


@dataclass(frozen=True, slots=True, order=True)
class Resting:
    """The pence, over so many lines, of one component that rest on one source at one confidence, in one pack."""

    pack: str
    component: str
    label: str
    source: str
    pence: int
    lines: int


Label = tuple[str, str]
"""A confidence and the source behind it."""


def weakest(labels: Iterable[Label]) -> Label:
    """The least sure of several labels: a component is no surer than that."""
    return max(labels, key=lambda label: CONFIDENCES.index(label[0]))


class Labels:
    """The label of each component of a priced line, from the rows of one pack that priced it."""

    def __init__(self, pack: RulePack) -> None:
        self._pack = pack
        self._factor_row: Callable[[str], int] = by_code_or_trust(row.provider for row in pack.provider_factors)

    def _cell(self, table: str, column: str, row: Any) -> Label:
        return self._pack.confidence_of(table, column, row)

    def _admitted(self, price_row: int) -> AdmittedRow:
        return self._pack.admitted[price_row - 1]

    def price(self, price_row: int, setting: str) -> Label:
        """Of the setting price."""
        row = self._admitted(price_row)
        own = _SETTING_COLUMNS[setting][0]
        column = "combined" if setting != "non_elective" and row.combined is not None else own
        return self._cell("admitted", column, row)

    def short_stay(self, price_row: int) -> Label:
        """Of the short-stay reduction: a printed price, else the percentage it is made from."""
        row = self._admitted(price_row)
        column = "short_stay_price" if row.short_stay_price is not None else "short_stay_percent"
        return self._cell("admitted", column, row)

    def long_stay(self, price_row: int, setting: str) -> Label:
        """Of the long-stay payment: trim point and per-day payment."""
        row = self._admitted(price_row)
        trim = _SETTING_COLUMNS[setting][1]
        cells = [self._cell("admitted", column, row) for column in (trim, "per_day_long_stay") if column]
        return weakest(cells)

    def top_up(self, top_up_row: int) -> Label:
        """Of the specialised top-up."""
        row = self._pack.top_ups[top_up_row - 1]
        return self._cell("top_ups", "percent", row)

    def factor_row(self, provider: str) -> ProviderFactor | None:
        """The row of the market forces factor that a provider is paid at; None where it is the pack's default."""
        number = abs(self._factor_row(provider))
        return self._pack.provider_factors[number - 1] if number else None

    def market_forces(self, provider: str) -> Label:
        """Of the market forces factor: the provider's row, or the pack's default."""
        rule = self._pack.rules.market_forces_factor
        row = self.factor_row(provider)
        if row is not None:
            return self._cell("mff", "mff", row)
        return getattr(rule, "default_confidence", None) or rule.confidence, getattr(rule, "default_source", None) or rule.source


def pounds_by_label(priced: pl.LazyFrame, packs: Sequence[RulePack]) -> list[Resting]:
    """The money of priced lines by component, confidence and source; lines that no pack in `packs` priced are left out.

    `priced` holds columns of `columns.PRICED_LINE`. Components add up to the priced total exactly."""
    labels = {pack.label: Labels(pack) for pack in packs}
    lines = priced.filter(pl.col("outcome") == PRICED)
    found = pl.collect_all([_by_price_row(lines), _by_top_up(lines), _by_provider(lines)])
    sums: dict[tuple[str, str, str, str], list[int]] = {}
    for pack, component, label, pence, count in _labelled(found, labels):
        entry = sums.setdefault((pack, component, *label), [0, 0])
        entry[0] += pence
        entry[1] += count
    return sorted(Resting(*key, pence=pence, lines=count) for key, (pence, count) in sums.items())


def _by_price_row(lines: pl.LazyFrame) -> pl.LazyFrame:
    local = (pl.col("basis") & int(Basis.LOCAL_PRICE)) != 0
    return lines.group_by("pack", "price_row", pl.col("setting").cast(pl.String), local.alias("local")).agg(
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
        if row["local"]:
            yield pack, "base", LOCAL, row["base_pence"], row["lines"]
            continue
        yield pack, "base", labels[pack].price(number, setting), row["base_pence"], row["lines"]
        if row["short_stay_lines"]:
            yield pack, "short_stay", labels[pack].short_stay(number), row["short_stay_pence"], row["short_stay_lines"]
        if row["long_stay_lines"]:
            yield pack, "long_stay", labels[pack].long_stay(number, setting), row["long_stay_pence"], row["long_stay_lines"]
    for row in by_top_up.iter_rows(named=True):
        yield row["pack"], "top_up", labels[row["pack"]].top_up(row["top_up_row"]), row["top_up_pence"], row["lines"]
    for row in by_provider.iter_rows(named=True):
        label = labels[row["pack"]].market_forces(row["provider"])
        yield row["pack"], "market_forces", label, row["mff_pence"], row["lines"]
