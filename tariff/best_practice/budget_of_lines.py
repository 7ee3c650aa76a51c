"""The budget test on one's own activity: for every HRG that a tariff covers, the base at which commissioners pay no more than
without the tariff at a stated achievement, and what they pay as achievement moves from 0 to 100% (RULES 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.best_practice.achievement import best_practice_achievement
from tariff.best_practice.budget import EVERY_TENTH, Activity, neutral_base, spending_curve
from tariff.errors import Fault, UsageError, did_you_mean
from tariff.labels import Labels
from tariff.money import BASIS_POINTS
from tariff.reasons import PRICED, Basis
from tariff.rulepack.best_practice_rows import SETTING_PRICE

if TYPE_CHECKING:
    from tariff.rulepack import RulePack
    from tariff.rulepack.best_practice_rows import BestPracticeRow

_PRICE_OF: Final = ("pack", "kind", "setting", "currency", "treatment_function", "price_row", "combined")
BASES: Final = {
    "currency": pl.String(),
    "setting": pl.String(),
    "lines": pl.Int64(),
    "price_pence": pl.Int64(),
    "addition_pence": pl.Int64(),
    "neutral_pence": pl.Int64(),
}
_CURVE: Final = {name: pl.Int64() for name in ("achievement_bp", "as_priced_pence", "neutral_pence", "conventional_pence")}


@dataclass(frozen=True, slots=True)
class BudgetTest:
    """`bases`: by HRG and setting, `lines`, the price without best practice, the addition where it is met, and the neutral base,
    in pence before market forces. `curve`: by `achievement_bp`, what commissioners pay with the base as it was priced
    (`as_priced_pence`), with the neutral base (`neutral_pence`), and without the tariff (`conventional_pence`), with market
    forces. `met` of `known` lines met the tariff. `left_out` lines have no price to lower, or one that the addition outweighs."""

    tariff: str
    neutral_at_bp: int
    bases: pl.DataFrame
    curve: pl.DataFrame
    met: int
    known: int
    left_out: int


def budget_test(priced: pl.LazyFrame, packs: Sequence[RulePack], tariff: str, neutral_at_bp: int = 7_500) -> BudgetTest:
    """The test of one tariff on lines priced under `packs`. Prices and additions are those of the packs; the market forces factor
    is each line's. UsageError where no pack pays the tariff, where it is a price by setting (which has no base of its own: the
    difference lies between settings), or where no line is covered."""
    rows = _rows_of(packs, tariff)
    covered = _covered(priced, tariff)
    parts = [_part(group, packs, rows, neutral_at_bp) for group in _grouped(covered)]
    found = [part for part in parts if part["neutral_pence"] is not None]
    left_out = sum(part["lines"] for part in parts if part["neutral_pence"] is None)
    if not found:
        told = f"no line that '{tariff}' covers has a base that could be lowered ({left_out:,} lines)"
        raise UsageError("The budget test cannot be made.", [Fault("priced lines", told)])
    achieved = best_practice_achievement(covered, by=()).filter(pl.col("tariff") == tariff)
    known = int(achieved.select(pl.col("met", "not_met").sum()).sum_horizontal().item())
    return BudgetTest(tariff, neutral_at_bp, _bases(found), _curve(found), int(achieved["met"].sum()), known, left_out)


def _rows_of(packs: Sequence[RulePack], tariff: str) -> dict[str, list[BestPracticeRow]]:
    """The rows of the tariff by label of pack."""
    rows = {pack.label: [row for row in pack.best_practice if row.tariff == tariff] for pack in packs}
    if not any(rows.values()):
        known = sorted({row.tariff for pack in packs for row in pack.best_practice})
        told = f"{did_you_mean(tariff, known)} known: {', '.join(known) or 'none'}".strip()
        raise UsageError("There is no such best-practice tariff.", [Fault("", f"no pack of the run pays '{tariff}'", told)])
    if any(row.mechanism == SETTING_PRICE for of_pack in rows.values() for row in of_pack):
        told = f"'{tariff}' is a price by setting: it lowers no base, the difference lies between settings"
        raise UsageError("The budget test cannot be made.", [Fault("", told)])
    return rows


def _covered(priced: pl.LazyFrame, tariff: str) -> pl.LazyFrame:
    listed = pl.col("best_practice_tariff").str.split(";").list.contains(tariff)
    return priced.filter((pl.col("outcome").cast(pl.String) == PRICED) & listed.fill_null(value=False))


def _grouped(covered: pl.LazyFrame) -> list[dict[str, Any]]:
    """Covered lines that are priced alike, with their units by market forces factor."""
    combined = (pl.col("basis") & int(Basis.COMBINED) != 0).alias("combined")
    by_factor = (
        covered.with_columns(pl.col("kind", "setting").cast(pl.String), combined)
        .group_by(*_PRICE_OF, "mff_millionths")
        .agg(pl.len().cast(pl.Int64).alias("lines"), pl.col("units").sum())
    )
    weights = pl.struct("units", "mff_millionths").alias("weights")
    return by_factor.group_by(_PRICE_OF).agg(pl.col("lines").sum(), weights).sort(_PRICE_OF, nulls_last=True).collect().to_dicts()


def _part(
    group: Mapping[str, Any], packs: Sequence[RulePack], rows: Mapping[str, list[BestPracticeRow]], neutral_at_bp: int
) -> dict[str, Any]:
    """One group with its price, the base that is paid where the tariff is not met, its addition and neutral base; the last is
    None where there is none."""
    pack = next(pack for pack in packs if pack.label == group["pack"])
    price, row = _ordinary_price(pack, group), _row_for(rows[group["pack"]], group)
    addition = None if row is None or price is None else _addition(row, price)
    neutral = None
    if price is not None and addition is not None and price * BASIS_POINTS - neutral_at_bp * addition >= 100 * BASIS_POINTS:
        neutral = neutral_base(price, addition, neutral_at_bp)
    base = price if row is None or row.otherwise is None else row.otherwise
    return {**group, "price_pence": price, "base_pence": base, "addition_pence": addition, "neutral_pence": neutral}


def _ordinary_price(pack: RulePack, group: Mapping[str, Any]) -> int | None:
    """What a line is paid without best practice, pence a unit; None for an attendance, or where there is no such price."""
    kind, setting, number = group["kind"], group["setting"], group["price_row"]
    if not number or setting == "attendance":
        return None
    row = Labels(pack).price_row(kind, setting, number)
    column = "combined" if group["combined"] else setting if kind in {"admitted", "outpatient"} else "price"
    price: int | None = getattr(row, column)
    return price


def _row_for(rows: Sequence[BestPracticeRow], group: Mapping[str, Any]) -> BestPracticeRow | None:
    """The row of the tariff that is about such lines: one that names the HRG before one that names none."""
    fitting = [row for row in rows if row.currency in {None, group["currency"]}]
    return min(fitting, key=lambda row: row.currency is None, default=None)


def _addition(row: BestPracticeRow, price: int) -> int | None:
    """What meeting the tariff adds, pence a unit."""
    if row.addition is not None:
        return row.addition
    return None if row.price is None else row.price - (price if row.otherwise is None else row.otherwise)


def _bases(parts: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    told = pl.DataFrame([{name: part[name] for name in BASES} for part in parts], schema=BASES)
    keys = [name for name in BASES if name != "lines"]
    return told.group_by(keys).agg(pl.col("lines").sum()).select(list(BASES)).sort("lines", "currency", descending=[True, False])


def _curve(parts: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The parts' curves added up."""
    curves = []
    for part in parts:
        activity = [Activity(weight["units"], weight["mff_millionths"]) for weight in part["weights"]]
        price, addition = part["price_pence"], part["addition_pence"]
        neutral = spending_curve(activity, price, part["neutral_pence"], addition, EVERY_TENTH)
        as_priced = spending_curve(activity, price, part["base_pence"], addition, EVERY_TENTH)["spending_pence"]
        curves.append(neutral.rename({"spending_pence": "neutral_pence"}).with_columns(as_priced_pence=as_priced))
    return (
        pl.concat(curves)
        .group_by("achievement_bp")
        .agg(pl.exclude("achievement_bp").sum())
        .select(list(_CURVE))
        .sort("achievement_bp")
    )
