"""What a change of rule pack is worth on one's own activity. The same lines are priced under both packs, and the difference is
taken apart into effects that add to it exactly, line by line, in whole pence.

The effects are taken in one order, each with everything before it already changed. Another order would split the same total
differently; no order is the right one, so it is stated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from tariff.errors import DisagreementError, Fault, UsageError, did_you_mean
from tariff.pricing import price
from tariff.reasons import PRICED, Basis
from tariff.rulepack.chapters import chapter_name

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

BLOCK_ROWS: Final = 250_000

BOTH, ONLY_BEFORE, ONLY_AFTER, LOCAL, NEITHER = "both", "only_before", "only_after", "local", "neither"
COVERAGE: Final[dict[str, str]] = {
    BOTH: "priced nationally by both packs",
    ONLY_BEFORE: "priced nationally by the earlier pack alone",
    ONLY_AFTER: "priced nationally by the later pack alone",
    LOCAL: "at a local price under both",
    NEITHER: "priced by neither",
}
"""How a line is covered. A line that is priced nationally by one pack and at its local price under the other counts with the
pack that prices it nationally."""


class Effect(NamedTuple):
    """One part of the difference: its name, its title, and what it holds."""

    name: str
    title: str
    sentence: str


EFFECTS: Final = (
    Effect(
        "coverage",
        "Coverage",
        "Lines that only one of the packs prices nationally: HRGs new or withdrawn, a price that is no longer printed, an "
        "exclusion, a provider without a factor. The whole price of the line.",
    ),
    Effect(
        "price",
        "Prices",
        "The later pack's prices instead of the earlier's: of settings, of short stays and of days beyond the trim point, "
        "under the earlier pack's trim points, rates and rules.",
    ),
    Effect("trim", "Trim points", "The later pack's trim points, at the later pack's prices."),
    Effect("rate", "Rates", "The later pack's market forces factors and top-up rates, on the later pack's prices."),
    Effect(
        "rule",
        "Rules",
        "What is left: methods and values of rules, best-practice tariffs, and the figures of a rule whose method changes "
        "(short-stay prices where the reduction begins or ends, factors where there were none).",
    ),
)
"""The effects in the order in which they are taken."""

_STAGES: Final = tuple(effect.name for effect in EFFECTS if effect.name != "coverage")
_KEY: Final = ("kind", "commissioner", "provider", "currency")
_EFFECT_COLUMNS: Final = tuple(f"{effect.name}_pence" for effect in EFFECTS)
_SUMS: Final = ("lines", "before_pence", *_EFFECT_COLUMNS, "after_pence", "difference_pence")

DIMENSIONS: Final = ("kind", "commissioner", "provider", "chapter", "currency", "coverage", "reason")


@dataclass(frozen=True)
class Valuation:
    """The activity under both packs. `cells` has a row for each kind, commissioner, provider, currency, coverage and reason:
    `lines`, `before_pence`, the effects, `after_pence` and `difference_pence`; before and effects add to after, exactly."""

    before: RulePack
    after: RulePack
    cells: pl.DataFrame

    @cached_property
    def total(self) -> dict[str, int]:
        """Lines, pence before and after, and the effects, of all activity."""
        return {name: int(self.cells[name].sum()) for name in _SUMS}

    def by(self, *dimensions: str) -> pl.DataFrame:
        """The same sums grouped by any of `DIMENSIONS`, largest difference first (either way), then in order of name.

        UsageError for a dimension that is not known."""
        for name in dimensions:
            if name not in DIMENSIONS:
                raise UsageError(f"cannot value by '{name}': {did_you_mean(name, DIMENSIONS)} known: {', '.join(DIMENSIONS)}")
        grouped = self.cells.group_by(dimensions).agg(pl.col(_SUMS).sum())
        size = pl.col("difference_pence").abs()
        return grouped.sort([size, *dimensions], descending=[True, *(False for _ in dimensions)], nulls_last=True)

    def currencies(self) -> dict[str, dict[str, int]]:
        """By coverage the number of distinct currencies (HRGs) of the activity and of lines."""
        counted = self.cells.group_by("coverage").agg(pl.col("currency").n_unique(), pl.col("lines").sum())
        return {row["coverage"]: {"currencies": row["currency"], "lines": row["lines"]} for row in counted.iter_rows(named=True)}

    @cached_property
    def lacking(self) -> pl.DataFrame:
        """Currencies that the later pack does not price where the earlier does: lines, and their value at the earlier pack's own
        price, largest first."""
        return (
            self.cells.filter(pl.col("coverage") == ONLY_BEFORE)
            .group_by("currency")
            .agg(pl.col("lines", "before_pence").sum())
            .sort(["before_pence", "currency"], descending=[True, False])
        )


def value_change(activity: pl.LazyFrame | Iterable[pl.LazyFrame], before: RulePack, after: RulePack) -> Valuation:
    """What changing from pack `before` to pack `after` is worth on `activity` (canonical, one frame a kind), dates ignored.

    Every line is priced under both packs. For lines that both price nationally the later pack's figures replace the earlier's
    group by group (prices, trim points, rates, rules), each hybrid pack being priced in full; the difference between one and
    the next is the effect. Effects therefore add to the difference on every line. Activity is read in blocks of bounded size."""
    frames = [activity] if isinstance(activity, pl.LazyFrame) else list(activity)
    packs = {"before": before, **_hybrids(before, after)}
    blocks = (block for frame in frames for block in frame.collect_batches(chunk_size=BLOCK_ROWS, maintain_order=True))
    parts = [_summed(_valued(block, packs)) for block in blocks if block.height]
    cells = _summed(pl.concat(parts)) if parts else _summed(_valued(_no_rows(frames), packs))
    valuation = Valuation(before, after, cells.sort([*_KEY, "coverage", "reason"], nulls_last=True))
    _require_sums(valuation.total)
    return valuation


def _no_rows(frames: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    return frames[0].head(0).collect()


def _hybrids(before: RulePack, after: RulePack) -> dict[str, RulePack]:
    """The packs between `before` and `after`, by the effect that leads to each; the last is `after` itself."""
    priced = _with_prices(before, after)
    trimmed = _with_columns(priced, after, ("elective_trim", "non_elective_trim") if _alike(before, after, "long_stay") else ())
    return {"price": priced, "trim": trimmed, "rate": _with_rates(trimmed, after), "rule": after}


def _alike(before: RulePack, after: RulePack, rule: str) -> bool:
    """Whether a rule works by the same method in both packs: then its figures can change without it."""
    return bool(getattr(before.rules, rule).method == getattr(after.rules, rule).method)


_SETTING_PRICES: Final = ("outpatient_procedure", "combined", "day_case", "ordinary_elective", "non_elective")
_SHORT_STAY: Final = ("short_stay_applies", "short_stay_percent", "short_stay_price")


def _with_prices(before: RulePack, after: RulePack) -> RulePack:
    columns = [*_SETTING_PRICES]
    columns += _SHORT_STAY if _alike(before, after, "short_stay") else ()
    columns += ["per_day_long_stay"] if _alike(before, after, "long_stay") else []
    pack = _with_columns(before, after, columns)
    tables: dict[str, Any] = {
        name: _replaced(getattr(pack, name), getattr(after, name), key)
        for name, key in (("outpatient", "treatment_function"), ("emergency", "currency"), ("unbundled", "currency"))
        if _alike(before, after, name)
    }
    return replace(pack, **tables)


def _with_columns(pack: RulePack, after: RulePack, columns: Sequence[str]) -> RulePack:
    """`pack` with these columns of admitted care taken from `after`, for the HRGs of both."""
    if not columns:
        return pack
    later = {row.hrg: row for row in after.admitted}
    rows = tuple(
        replace(row, **{name: getattr(later[row.hrg], name) for name in columns}) if row.hrg in later else row
        for row in pack.admitted
    )
    return pack if rows == pack.admitted else replace(pack, admitted=rows)


def _replaced(rows: Sequence[Any], later: Sequence[Any], key: str) -> tuple[Any, ...]:
    """Rows with those of the same key taken from a later table."""
    by_key = {getattr(row, key): row for row in later}
    return tuple(by_key.get(getattr(row, key), row) for row in rows)


def _with_rates(pack: RulePack, after: RulePack) -> RulePack:
    tables: dict[str, Any] = {}
    if _alike(pack, after, "market_forces_factor"):
        tables["provider_factors"] = after.provider_factors
    if _alike(pack, after, "top_up"):
        tables.update(top_ups=after.top_ups, top_up_providers=after.top_up_providers)
    return replace(pack, **tables) if tables else pack


def _valued(block: pl.DataFrame, packs: dict[str, RulePack]) -> pl.DataFrame:
    """Each line of a block with its price before and after, how it is covered, and the effects."""
    before, after = (_priced(block, packs[name], (*_KEY, "price_pence", "reason", *_NATIONAL)) for name in ("before", "rule"))
    national = _is_national(before), _is_national(after)
    both = national[0] & national[1]
    previous, under = before["price_pence"], packs["before"]
    effects: dict[str, pl.Series] = {}
    for stage in _STAGES:
        now = after["price_pence"] if stage == "rule" else _hybrid_price(block, packs[stage], under, previous)
        effects[f"{stage}_pence"] = (now - previous) * both.cast(pl.Int64)
        previous, under = now, packs[stage]
    whole = after["price_pence"] - before["price_pence"]
    return before.select(pl.col(_KEY).cast(pl.String)).with_columns(
        _coverage(before, after, *national),
        _reason(before, after, *national),
        before["price_pence"].alias("before_pence"),
        (whole * (~both).cast(pl.Int64)).alias("coverage_pence"),
        *(series.alias(name) for name, series in effects.items()),
        after["price_pence"].alias("after_pence"),
        whole.alias("difference_pence"),
        pl.lit(1, pl.Int64).alias("lines"),
    )


_NATIONAL: Final = ("outcome", "basis")


def _priced(block: pl.DataFrame, pack: RulePack, columns: Sequence[str]) -> pl.DataFrame:
    return price(block, pack, dates="ignore", columns=columns).collect()


def _hybrid_price(block: pl.DataFrame, pack: RulePack, under: RulePack, previous: pl.Series) -> pl.Series:
    """The price under a hybrid pack, `previous` being that under the stage before; where the hybrid has no national price, it
    is the previous one, so that the effect falls to a later stage."""
    if pack is under:
        return previous
    priced = _priced(block, pack, ("price_pence", *_NATIONAL))
    return previous.zip_with(~_is_national(priced), priced["price_pence"])


def _is_national(priced: pl.DataFrame) -> pl.Series:
    local = (priced["basis"] & int(Basis.LOCAL_PRICE)) != 0
    return (priced["outcome"].cast(pl.String) == PRICED) & ~local


def _coverage(before: pl.DataFrame, after: pl.DataFrame, was: pl.Series, now: pl.Series) -> pl.Expr:
    priced = (before["outcome"].cast(pl.String) == PRICED) & (after["outcome"].cast(pl.String) == PRICED)
    cases = ((was & now, BOTH), (was & ~now, ONLY_BEFORE), (now & ~was, ONLY_AFTER), (priced, LOCAL))
    found: Any = pl
    for mask, name in cases:
        found = found.when(mask).then(pl.lit(name))
    coverage: pl.Expr = found.otherwise(pl.lit(NEITHER)).alias("coverage")
    return coverage


def _reason(before: pl.DataFrame, after: pl.DataFrame, was: pl.Series, now: pl.Series) -> pl.Expr:
    """Why a line is not priced nationally by the pack that does not: the later pack's reason, where neither does."""
    later, earlier = after["reason"].cast(pl.String), before["reason"].cast(pl.String)
    return pl.when(now & ~was).then(earlier).otherwise(later).alias("reason")


def _summed(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines or cells added up by key, chapter and coverage."""
    named = lines.with_columns(_chapter().alias("chapter"))
    return named.group_by(*_KEY, "chapter", "coverage", "reason").agg(pl.col(_SUMS).sum())


def _chapter() -> pl.Expr:
    """The chapter of an HRG with its name; blank for a currency that is none."""
    letter = pl.col("currency").str.slice(0, 1)
    is_hrg = pl.col("currency").str.contains(r"^[A-Z]{2}\d{2}[A-Z]$")
    names = {chr(code): chapter_name(chr(code)) for code in range(ord("A"), ord("Z") + 1)}
    return pl.when(is_hrg).then(letter.replace(names)).otherwise(None)


def _require_sums(total: dict[str, int]) -> None:
    """Before, effects and after must add. DisagreementError otherwise."""
    effects = sum(total[name] for name in _EFFECT_COLUMNS)
    if total["before_pence"] + effects != total["after_pence"]:
        told = f"{total['before_pence']}p and effects of {effects}p do not make {total['after_pence']}p"
        raise DisagreementError(
            "The valuation does not add up. This is a fault of the engine: please report it.", [Fault("", told)]
        )


def effect_rows(total: dict[str, int]) -> Iterator[tuple[Effect, int]]:
    """The effects with their pence, in order."""
    return ((effect, total[f"{effect.name}_pence"]) for effect in EFFECTS)
