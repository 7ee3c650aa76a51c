"""The budget test on one's own activity: for every HRG that a tariff covers, the base at which commissioners pay no more than
without the tariff at a stated achievement, and what they pay as achievement moves from 0 to 100% (RULES 3.1).

What a line pays at another base follows RULES 1.8: a short stay keeps its reduced price, which a lower base may undercut, or
whose percentage is of that base; a top-up is paid on the price and not on the addition; a long stay is paid as before."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.best_practice.achievement import best_practice_achievement
from tariff.best_practice.budget import EVERY_TENTH, check_share
from tariff.errors import Fault, UsageError, did_you_mean
from tariff.labels import Labels
from tariff.money import BASIS_POINTS, MILLION, PENCE_PER_POUND, half_up
from tariff.reasons import PRICED, Basis
from tariff.rulepack.best_practice_book import is_shown_by_line
from tariff.rulepack.best_practice_rows import EMERGENCY_SETTING, SETTING_PRICE
from tariff.rulepack.book import short_stay_price

if TYPE_CHECKING:
    from tariff.rulepack import RulePack
    from tariff.rulepack.best_practice_rows import BestPracticeRow
    from tariff.rulepack.rows import AdmittedRow

_PAID_ALIKE: Final = (
    *("pack", "kind", "setting", "currency", "price_row", "combined"),
    *("row", "reduced", "unmet_pence", "top_up_row", "on_long_stay"),
)
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
    forces; other tariffs of the lines are left aside. `met` of `known` lines met the tariff. `left_out` lines have no price to
    lower, or one that the addition outweighs, or do not tell which row of the tariff covers them."""

    tariff: str
    neutral_at_bp: int
    bases: pl.DataFrame
    curve: pl.DataFrame
    met: int
    known: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Alike:
    """Covered lines that are paid alike: their ordinary price and the row of the tariff, pence a unit, and what weighs them."""

    currency: str | None
    setting: str
    cell: tuple[object, ...]
    """Where their base stands: all lines of one cell have one base."""
    row: BestPracticeRow
    price: int
    lines: int
    weight: int
    """Units by market forces factor, in millionths."""
    long_stay: int
    """What long stays are paid, exactly: pence x BASIS_POINTS x MILLION."""
    top_up: int
    """Share of a top-up, basis points."""
    reduced_from: AdmittedRow | None
    """Of short stays: the row that holds the reduced price."""
    replaces_short_stay: bool

    @property
    def base_as_priced(self) -> int:
        """What is paid where the tariff is not met."""
        return self.price if self.row.otherwise is None else self.row.otherwise

    @property
    def addition(self) -> int:
        """What meeting the tariff adds, whether it is an addition or a price of its own."""
        return self.row.addition if self.row.addition is not None else (self.row.price or 0) - self.base_as_priced

    def paid(self, base: int, *, met: bool) -> int:
        """What the lines are paid at a base, exactly: pence x BASIS_POINTS x MILLION."""
        on_top = self.addition if met and self.row.addition is not None else 0
        price = base + (self.addition if met and self.row.addition is None else 0)
        if self.reduced_from is not None and not (met and self.replaces_short_stay):
            # an `otherwise` is a cell of its own: lowering it leaves the price that a percentage is of
            own = self.reduced_from if self.row.otherwise is not None else replace(self.reduced_from, non_elective=base)
            reduced = short_stay_price(own)
            price = price if reduced is None else min(price, reduced)
        return self.weight * ((price + on_top) * BASIS_POINTS + price * self.top_up) + self.long_stay


def budget_test(priced: pl.LazyFrame, packs: Sequence[RulePack], tariff: str, neutral_at_bp: int = 7_500) -> BudgetTest:
    """The test of one tariff on lines priced under `packs`. Prices and additions are those of the packs; market forces factor,
    short and long stay and top-up are each line's. A best-practice price of its own keeps its distance from the base and moves
    with it. Only lines that the tariff covers are weighed, though others of the HRG may share their base. UsageError where no
    pack pays the tariff, where it has no base of its own (a price by setting, and what the line itself shows: the difference
    lies between settings or currencies), or where no line is covered."""
    check_share(neutral_at_bp)
    rows = _rows_of(packs, tariff)
    covered = _covered(priced, tariff)
    groups = _grouped(covered, rows)
    cells: dict[tuple[object, ...], list[_Alike]] = {}
    for alike in filter(None, (_alike(group, packs) for group in groups)):
        cells.setdefault(alike.cell, []).append(alike)
    neutral = {cell: base for cell, parts in cells.items() if (base := _neutral_base(parts, neutral_at_bp)) is not None}
    found = [part for cell in neutral for part in cells[cell]]
    left_out = sum(group["lines"] for group in groups) - sum(part.lines for part in found)
    if not found:
        told = f"no line that '{tariff}' covers has a base that could be lowered ({left_out:,} lines)"
        raise UsageError("The budget test cannot be made.", [Fault("priced lines", told)])
    achieved = best_practice_achievement(covered, by=()).filter(pl.col("tariff") == tariff)
    known = int(achieved.select(pl.col("met", "not_met").sum()).sum_horizontal().item())
    bases, curve = _bases(found, neutral), _curve(found, neutral)
    return BudgetTest(tariff, neutral_at_bp, bases, curve, int(achieved["met"].sum()), known, left_out)


def _rows_of(packs: Sequence[RulePack], tariff: str) -> dict[str, dict[int, BestPracticeRow]]:
    """The rows of the tariff with their numbers, by label of pack."""
    rows = {
        pack.label: {number: row for number, row in enumerate(pack.best_practice, start=1) if row.tariff == tariff}
        for pack in packs
    }
    if not any(rows.values()):
        known = sorted({row.tariff for pack in packs for row in pack.best_practice})
        told = f"{did_you_mean(tariff, known)} known: {', '.join(known) or 'none'}".strip()
        raise UsageError("There is no such best-practice tariff.", [Fault("", f"no pack of the run pays '{tariff}'", told)])
    with_criteria = {pack.label: frozenset(asked.tariff for asked in pack.best_practice_criteria) for pack in packs}
    for label, row in ((label, row) for label, of_pack in rows.items() for row in of_pack.values()):
        if row.mechanism == SETTING_PRICE:
            told = f"'{tariff}' is a price by setting: it lowers no base, the difference lies between settings"
            raise UsageError("The budget test cannot be made.", [Fault("", told)])
        if is_shown_by_line(row, with_criteria[label]):
            told = f"'{tariff}' is met by every line it covers: the price it replaces is that of another currency or function"
            raise UsageError("The budget test cannot be made.", [Fault("", told)])
    return rows


def _covered(priced: pl.LazyFrame, tariff: str) -> pl.LazyFrame:
    listed = pl.col("best_practice_tariff").str.split(";").list.contains(tariff)
    return priced.filter((pl.col("outcome").cast(pl.String) == PRICED) & listed.fill_null(value=False))


def _grouped(covered: pl.LazyFrame, rows: Mapping[str, Mapping[int, BestPracticeRow]]) -> list[dict[str, Any]]:
    """Covered lines that are paid alike, with their units and long stays by market forces factor."""
    reduced = _has(Basis.SHORT_STAY)
    perhaps = ~reduced & _has(Basis.BEST_PRACTICE) & (pl.col("setting") == "non_elective") & (pl.col("long_stay_pence") == 0)
    by_factor = (
        covered.with_columns(pl.col("kind", "setting", "pod").cast(pl.String))
        .with_columns(
            row=_row_of_each(rows),
            combined=_has(Basis.COMBINED),
            reduced=reduced,
            on_long_stay=_has(Basis.TOP_UP_ON_LONG_STAY),
            # the reduction of a line on which a tariff replaces it shows in what the line would be paid otherwise
            unmet_pence=pl.when(perhaps).then(pl.col("price_pence") - pl.col("best_practice_pence")),
        )
        .group_by(*_PAID_ALIKE, "mff_millionths")
        .agg(pl.len().cast(pl.Int64).alias("lines"), pl.col("units", "long_stay_pence").sum())
    )
    weights = pl.struct("units", "long_stay_pence", "mff_millionths").alias("weights")
    grouped = by_factor.group_by(_PAID_ALIKE).agg(pl.col("lines").sum(), weights).sort(_PAID_ALIKE, nulls_last=True)
    found = grouped.collect().to_dicts()
    return [group | {"row": rows[group["pack"]].get(group["row"])} for group in found]


def _has(flag: Basis) -> pl.Expr:
    return pl.col("basis") & int(flag) != 0


def _row_of_each(rows: Mapping[str, Mapping[int, BestPracticeRow]]) -> pl.Expr:
    """The number of the row that covers each line: the one the line names; where that is another tariff's, the one row that is
    about such lines, so far as a priced line tells; null where several are."""
    found = pl.lit(None, dtype=pl.Int32)
    for label, of_pack in rows.items():
        fits = [(number, _is_about(row)) for number, row in of_pack.items()]
        only = pl.when(pl.sum_horizontal(fit for _, fit in fits) == 1).then(
            pl.coalesce(pl.when(fit).then(pl.lit(number, dtype=pl.Int32)) for number, fit in fits)
        )
        named = pl.when(pl.col("best_practice_row").is_in(list(of_pack))).then("best_practice_row").otherwise(only)
        found = pl.when(pl.col("pack") == label).then(named).otherwise(found) if of_pack else found
    return found


def _is_about(row: BestPracticeRow) -> pl.Expr:
    """Whether a row may cover a line, by what a priced line tells: HRG, treatment function, setting and stay, but not age."""
    said = [pl.lit(row.kind) == pl.col("kind")]
    said += [pl.col("currency") == row.currency] if row.currency else []
    said += [pl.col("treatment_function") == row.treatment_function] if row.treatment_function else []
    said += [pl.col("adjusted_length_of_stay") <= row.maximum_stay_days] if row.maximum_stay_days is not None else []
    if row.settings:
        emergency = (pl.col("setting") == "non_elective") & (pl.col("pod") != "NELNE")
        inside = pl.col("setting").is_in(row.settings)
        said.append(inside | emergency if EMERGENCY_SETTING in row.settings else inside)
    return pl.all_horizontal(said).fill_null(value=False)


def _alike(group: Mapping[str, Any], packs: Sequence[RulePack]) -> _Alike | None:
    """Lines paid alike with their price and row; None where either is missing."""
    pack, row = next(pack for pack in packs if pack.label == group["pack"]), group["row"]
    column = _price_column(group)
    if row is None or column is None:
        return None
    priced_from = Labels(pack).price_row(group["kind"], group["setting"], group["price_row"])
    price: int | None = getattr(priced_from, column)
    if price is None:
        return None
    top_up = pack.top_ups[group["top_up_row"] - 1].percent if group["top_up_row"] else 0
    on_long_stay = BASIS_POINTS + (top_up if group["on_long_stay"] else 0)
    found = _Alike(
        currency=group["currency"],
        setting=group["setting"],
        cell=(pack.label, group["kind"], group["price_row"], column, None if row.otherwise is None else row.origin),
        row=row,
        price=price,
        lines=group["lines"],
        weight=sum(part["units"] * part["mff_millionths"] for part in group["weights"]),
        long_stay=sum(part["long_stay_pence"] * part["mff_millionths"] for part in group["weights"]) * on_long_stay,
        top_up=top_up,
        reduced_from=priced_from if group["reduced"] else None,
        replaces_short_stay=row.tariff in getattr(pack.rules.best_practice, "replaces_short_stay", ()),
    )
    return replace(found, reduced_from=priced_from) if _was_reduced_but_for_best_practice(found, group["unmet_pence"]) else found


def _was_reduced_but_for_best_practice(lines: _Alike, unmet_pence: int | None) -> bool:
    """Whether a tariff that is met replaces the short-stay reduction of these lines: without it each would be paid less than its
    full price. The penny allows for the rounding of each line."""
    full = half_up(lines.paid(lines.base_as_priced, met=False), BASIS_POINTS * MILLION)
    return unmet_pence is not None and (unmet_pence + 1) * lines.lines < full


def _price_column(group: Mapping[str, Any]) -> str | None:
    """The column of the table that holds the ordinary price; None for an attendance, or where there is no such price."""
    if not group["price_row"] or group["setting"] == "attendance":
        return None
    if group["kind"] not in {"admitted", "outpatient"}:
        return "price"
    return "combined" if group["combined"] else str(group["setting"])


def _neutral_base(parts: Sequence[_Alike], neutral_at_bp: int) -> int | None:
    """The highest base in whole pounds at which the lines of one cell cost no more than without the tariff where `neutral_at_bp`
    of them meet it; None where even a pound is too much."""
    without = sum(part.paid(part.price, met=False) for part in parts) * BASIS_POINTS
    highest = max(part.price + max(0, -part.addition) for part in parts) // PENCE_PER_POUND
    fitting = bisect_right(
        range(1, highest + 1), without, key=lambda base: _spending(parts, base * PENCE_PER_POUND, neutral_at_bp)
    )
    return fitting * PENCE_PER_POUND or None


def _spending(parts: Iterable[_Alike], base: int, share_bp: int) -> int:
    """What the lines cost at one base where a share of them meets the tariff: pence x BASIS_POINTS x BASIS_POINTS x MILLION."""
    return sum((BASIS_POINTS - share_bp) * part.paid(base, met=False) + share_bp * part.paid(base, met=True) for part in parts)


def _bases(parts: Sequence[_Alike], neutral: Mapping[tuple[object, ...], int]) -> pl.DataFrame:
    rows = [(part.currency, part.setting, part.lines, part.price, part.addition, neutral[part.cell]) for part in parts]
    told = pl.DataFrame(rows, schema=BASES, orient="row")
    keys = [name for name in BASES if name != "lines"]
    return (
        told.group_by(keys)
        .agg(pl.col("lines").sum())
        .select(list(BASES))
        .sort("lines", "currency", "setting", descending=[True, False, False])
    )


def _curve(parts: Sequence[_Alike], neutral: Mapping[tuple[object, ...], int]) -> pl.DataFrame:
    """What is paid at each achievement, exact until its one rounding."""
    without = sum(part.paid(part.price, met=False) for part in parts) * BASIS_POINTS
    rows = [
        (
            share,
            sum(_spending([part], part.base_as_priced, share) for part in parts),
            sum(_spending([part], neutral[part.cell], share) for part in parts),
            without,
        )
        for share in EVERY_TENTH
    ]
    exact = BASIS_POINTS * BASIS_POINTS * MILLION
    return pl.DataFrame([(share, *(half_up(paid, exact) for paid in sums)) for share, *sums in rows], schema=_CURVE, orient="row")
