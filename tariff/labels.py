"""How sure we are of each component of a priced line, and where its figure comes from: the cell of the rule pack's table that it
was read from. A component that rests on several cells is no surer than the weakest of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from tariff.classify.codes import by_code_or_trust
from tariff.reasons import Basis
from tariff.rulepack.model import CONFIDENCES

if TYPE_CHECKING:
    from tariff.rulepack import RulePack
    from tariff.rulepack.best_practice_rows import BestPracticeRow
    from tariff.rulepack.rows import ProviderFactor

Label = tuple[str, str]
"""A confidence and the source behind it."""

LOCAL: Final[Label] = ("local", "local price given with the activity")
PASS_THROUGH: Final[Label] = ("local", "cost given with the activity")
_TRIM: Final = {"ordinary_elective": "elective_trim", "non_elective": "non_elective_trim"}
_TABLE_OF_KIND: Final = {"outpatient": "outpatient", "emergency": "emergency", "unbundled": "unbundled"}


def weakest(labels: Iterable[Label]) -> Label:
    """The least sure of several labels."""
    return max(labels, key=lambda label: CONFIDENCES.index(label[0]))


def attendance_column(pod: str, basis: int) -> str:
    """The column of outpatient.csv that a priced attendance was paid from, but for the method of paying those by telephone."""
    stage = "follow_up" if "FUP" in pod else "first"
    return f"{stage}_{'multi' if basis & Basis.MULTI_PROFESSIONAL else 'single'}"


class Labels:
    """The label of each component of a priced line, from the rows of the one pack that priced it."""

    def __init__(self, pack: RulePack) -> None:
        self._pack = pack
        self._factor_row: Callable[[str], int] = by_code_or_trust(row.provider for row in pack.provider_factors)

    def price_row(self, kind: str, setting: str, number: int) -> Any:
        """The row of the rule pack's table that a line was priced from: `price_row` counts from 1."""
        if kind == "admitted" or setting == "outpatient_procedure":
            return self._pack.admitted[number - 1]
        rows: tuple[Any, ...] = getattr(self._pack, _TABLE_OF_KIND[kind])
        return rows[number - 1]

    def best_practice_row(self, number: int) -> BestPracticeRow:
        """The row of best_practice.csv that a priced line names: `best_practice_row` counts from 1."""
        return self._pack.best_practice[number - 1]

    def best_practice(self, number: int, basis: int) -> Label | None:
        """Of the price or the addition that best practice pays, or of the price where it is not met; None where the ordinary
        price alone is paid."""
        row = self.best_practice_row(number) if number else None
        if row is None or not (basis & Basis.BEST_PRACTICE or row.otherwise is not None):
            return None
        paid = "addition" if row.addition is not None else "price" if basis & Basis.BEST_PRACTICE else "otherwise"
        return self._pack.confidence_of("best_practice", paid, row)

    def price(self, kind: str, setting: str, pod: str, basis: int, number: int, best_practice_row: int = 0) -> Label:
        """Of the price itself, with what best practice makes of it: an addition is no surer than the price it is paid on."""
        best = self.best_practice(best_practice_row, basis)
        if best is not None and (number == 0 or self.best_practice_row(best_practice_row).addition is None):
            return best
        plain = self._ordinary_price(kind, setting, pod, basis, number)
        return plain if best is None else weakest([plain, best])

    def _ordinary_price(self, kind: str, setting: str, pod: str, basis: int, number: int) -> Label:
        if basis & Basis.LOCAL_PRICE:
            return LOCAL
        if basis & Basis.PASS_THROUGH:
            return PASS_THROUGH
        if basis & Basis.DEFAULT_PRICE:
            rule = self._pack.rules.outpatient
            return str(getattr(rule, "default_confidence", rule.confidence)), str(getattr(rule, "default_source", rule.source))
        row = self.price_row(kind, setting, number)
        if kind == "admitted":
            column = "combined" if basis & Basis.COMBINED else setting
            return self._pack.confidence_of("admitted", column, row)
        if setting == "outpatient_procedure":
            return self._pack.confidence_of("admitted", "outpatient_procedure", row)
        if kind == "outpatient":
            return self._pack.confidence_of("outpatient", self._column_paid(row, pod, basis), row)
        return self._pack.confidence_of(kind, "price", row)

    def _column_paid(self, row: Any, pod: str, basis: int) -> str:
        own_price = getattr(self._pack.rules.outpatient, "non_face_to_face", "") == "own_price"
        if basis & Basis.NON_FACE_TO_FACE and own_price:
            return f"{'follow_up' if 'FUP' in pod else 'first'}_non_face_to_face"
        return attendance_column(pod, basis)

    def short_stay(self, number: int) -> Label:
        """Of the short-stay reduction: a printed price, else the percentage it is made from."""
        row = self._pack.admitted[number - 1]
        column = "short_stay_price" if row.short_stay_price is not None else "short_stay_percent"
        return self._pack.confidence_of("admitted", column, row)

    def long_stay(self, number: int, setting: str) -> Label:
        """Of the long-stay payment: trim point and per-day payment."""
        row = self._pack.admitted[number - 1]
        return weakest(self._pack.confidence_of("admitted", column, row) for column in (_TRIM[setting], "per_day_long_stay"))

    def top_up(self, number: int) -> Label:
        """Of the specialised top-up."""
        return self._pack.confidence_of("top_ups", "percent", self._pack.top_ups[number - 1])

    def factor_row(self, provider: str) -> ProviderFactor | None:
        """The row of the market forces factor that a provider is paid at; None where it is the pack's default."""
        number = abs(self._factor_row(provider.strip().upper()))
        return self._pack.provider_factors[number - 1] if number else None

    def market_forces(self, provider: str) -> Label:
        """Of the market forces factor: the provider's row, or the pack's default."""
        rule = self._pack.rules.market_forces_factor
        row = self.factor_row(provider)
        if row is not None:
            return self._pack.confidence_of("mff", "mff", row)
        return getattr(rule, "default_confidence", None) or rule.confidence, getattr(rule, "default_source", None) or rule.source
