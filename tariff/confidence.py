"""Refusing figures that are not sure enough: `--confidence published,practice` leaves every line unpriced that rests on a cell
of the rule pack with any other label. It is worth what it would have been paid. A rule of method `none` rests on nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.columns import COMPONENTS, OUTCOME, REASON
from tariff.errors import Fault, UsageError, did_you_mean
from tariff.labels import Label, Labels
from tariff.reasons import PRICED, Basis
from tariff.rulepack.model import CONFIDENCES

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

_MARKET_FORCES: Final = int(Basis.MARKET_FORCES | Basis.MARKET_FORCES_DEFAULT)
_ROW: Final = ("kind", "setting", "pod", "basis", "price_row", "best_practice_row")
_NEEDED: Final = (*_ROW, "top_up_row", "provider", "outcome")
"""Columns of a priced line that tell which cells it rests on."""
_EMPTIED: Final = (
    *COMPONENTS,
    "price_pence",
    "best_practice_pence",
    "best_practice_at_stake_pence",
    "best_practice_lost_pence",
    "basis",
    "excess_days",
)
_ROWS: Final = ("price_row", "top_up_row", "best_practice_row")
_SILENCED: Final = ("best_practice_tariff", "best_practice_status", "best_practice_missing")


def read_confidences(given: Iterable[str]) -> frozenset[str]:
    """The labels that a run accepts; in one text they are parted by commas. UsageError where one is not a label."""
    labels = given.split(",") if isinstance(given, str) else given
    accepted = [label.strip().lower() for label in labels if label.strip()]
    unknown = [label for label in accepted if label not in CONFIDENCES]
    if unknown or not accepted:
        faults = [Fault("--confidence", f"'{label}' is no label", did_you_mean(label, CONFIDENCES)) for label in unknown]
        raise UsageError(f"The labels are {', '.join(CONFIDENCES)}.", faults)
    return frozenset(accepted)


class Refusals:
    """Which priced lines of one pack rest on a figure that is not accepted."""

    def __init__(self, pack: RulePack, accepted: frozenset[str]) -> None:
        self._labels = Labels(pack)
        self._accepted = accepted
        self._known: dict[tuple[Any, ...], bool] = {}

    def refuse(self, priced: pl.DataFrame) -> pl.DataFrame:
        """Priced lines with those that are refused left unpriced; `priced` holds all columns of a priced line."""
        refused = self._refused(priced.select(_NEEDED))
        if not refused.any():
            return priced
        return priced.with_columns(
            indicative_pence=pl.when(refused).then("price_pence").otherwise("indicative_pence"),
            outcome=pl.when(refused).then(pl.lit("unpriced", dtype=OUTCOME)).otherwise("outcome"),
            reason=pl.when(refused).then(pl.lit("confidence", dtype=REASON)).otherwise("reason"),
            trim_point=pl.when(~refused).then("trim_point"),
            mff_millionths=pl.when(refused).then(pl.lit(1_000_000, dtype=pl.Int32)).otherwise("mff_millionths"),
            **{name: pl.when(refused).then(pl.lit(0)).otherwise(name).cast(priced.schema[name]) for name in _EMPTIED},
            **{name: pl.when(refused).then(pl.lit(0, dtype=pl.Int32)).otherwise(name) for name in _ROWS},
            **{name: pl.when(~refused).then(name) for name in _SILENCED},
        )

    def _refused(self, lines: pl.DataFrame) -> pl.Series:
        coded = lines.with_columns(pl.col("kind", "setting", "pod", "outcome").cast(pl.String))
        by_row = self._asked(coded, _ROW, self._row_is_refused)
        by_top_up = self._asked(coded, ("top_up_row",), lambda row: row > 0 and self._is_refused(self._labels.top_up(row)))
        by_provider = self._asked(coded, ("provider", "basis"), self._factor_is_refused)
        return (by_row | by_top_up | by_provider) & (coded["outcome"] == PRICED)

    def _asked(self, lines: pl.DataFrame, columns: tuple[str, ...], question: Callable[..., bool]) -> pl.Series:
        """The answer for each line, asked once for each combination of `columns`."""
        distinct = lines.filter(pl.col("outcome") == PRICED).select(columns).unique()
        for key in distinct.iter_rows():
            if (*columns, *key) not in self._known:
                self._known[*columns, *key] = question(*key)
        answers = distinct.with_columns(
            refused=pl.Series([self._known[*columns, *key] for key in distinct.iter_rows()], dtype=pl.Boolean)
        )
        joined = lines.select(columns).join(answers, on=columns, how="left", maintain_order="left", nulls_equal=True)
        return joined["refused"].fill_null(value=False)

    def _is_refused(self, label: Label) -> bool:
        return label[0] not in self._accepted

    def _row_is_refused(self, kind: str, setting: str, pod: str, basis: int, row: int, best_practice_row: int) -> bool:
        if self._is_refused(self._labels.price(kind, setting, pod, basis, row, best_practice_row)):
            return True
        best = self._labels.best_practice(best_practice_row, basis)
        if best is not None and self._is_refused(best):
            return True
        if basis & Basis.SHORT_STAY and self._is_refused(self._labels.short_stay(row)):
            return True
        return bool(basis & Basis.LONG_STAY) and self._is_refused(self._labels.long_stay(row, setting))

    def _factor_is_refused(self, provider: str | None, basis: int) -> bool:
        return bool(basis & _MARKET_FORCES) and self._is_refused(self._labels.market_forces(provider or ""))
