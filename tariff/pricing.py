"""Activity in, priced lines out: the file to read first.

`price` takes any amount of activity as a LazyFrame and returns priced lines as a LazyFrame; `price_block` does the work on a
bounded block: check and classify (`tariff.classify`), price (`tariff.kernels`), and put the answer into the one schema of
priced lines. Every row comes back, in the order it went in, with its components, the rows of the rule pack that priced it,
and one reason."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.classify import CompiledPack, encode_spells, financial_month, financial_year
from tariff.columns import ADMITTED, KIND, OUTCOME, POD, PRICED_LINE, READ_FAULT, REASON, SETTING, names, schema
from tariff.errors import ActivityError, Fault, UsageError, did_you_mean
from tariff.reasons import OUTCOME_OF_REASON

if TYPE_CHECKING:
    from tariff.kernels.admitted import PricedSpells
    from tariff.rulepack import RulePack

Dates = Literal["strict", "ignore"]
PRICED_SCHEMA: Final = schema(PRICED_LINE)
_PASSED_THROUGH: Final = ("commissioner", "provider", "gp_practice", "patient_id", "treatment_function")
_INPUTS: Final = (*names(ADMITTED), READ_FAULT)
_OUTCOME_OF_REASON: Final = np.array(OUTCOME_OF_REASON, dtype=np.uint8)


@lru_cache(maxsize=32)
def _compiled(pack: RulePack) -> CompiledPack:
    return CompiledPack(pack)


def price(
    activity: pl.LazyFrame | pl.DataFrame, rules: RulePack | Sequence[RulePack], *, dates: Dates = "strict"
) -> pl.LazyFrame:
    """Price canonical activity under one rule pack, or each line under the pack of its own date.

    `activity` holds the columns of `columns.ADMITTED` (required ones at least), one row a spell. Returns a LazyFrame of
    `columns.PRICED_LINE`, one row for each row in, in the same order, money in pence; it streams, so a file of any size can
    be priced and sunk without being held in memory. `dates="ignore"` prices lines that a pack's dates do not cover (one pack
    only). Raises ActivityError where a required column is missing. Rules: RULES 1.1 to 1.8."""
    packs = _in_date_order(rules)
    if dates == "ignore" and len(packs) != 1:
        raise UsageError("Dates can be ignored under one rule pack only: name the year whose prices are wanted.")
    frame = activity.lazy()
    present = frame.collect_schema().names()
    _require_columns(present)
    return frame.select(name for name in _INPUTS if name in present).map_batches(
        lambda block: _price_by_date(block, packs, dates), schema=PRICED_SCHEMA, streamable=True
    )


def price_expression(rules: RulePack, columns: Sequence[str], *, dates: Dates = "strict") -> pl.Expr:
    """The same prices as an expression: a struct of `columns.PRICED_LINE` from the canonical `columns` of the frame.

    It works row by row, so it may stand in any lazy query: `frame.with_columns(priced=tariff.price_expression(rules, cols))`."""
    _require_columns(columns)
    wanted = [name for name in _INPUTS if name in columns]
    packs = _in_date_order(rules)

    def priced(series: Sequence[pl.Series]) -> pl.Series:
        return _price_by_date(pl.DataFrame(list(series)), packs, dates).to_struct("priced")

    return pl.map_batches(wanted, priced, return_dtype=pl.Struct(PRICED_SCHEMA), is_elementwise=True)


def _in_date_order(rules: RulePack | Sequence[RulePack]) -> tuple[CompiledPack, ...]:
    packs = tuple(rules) if isinstance(rules, Sequence) else (rules,)
    if not packs:
        raise UsageError("No rule pack was given to price with.")
    ordered = tuple(sorted((_compiled(pack) for pack in packs), key=lambda pack: pack.starts))
    for earlier, later in zip(ordered, ordered[1:], strict=False):
        if later.starts <= earlier.ends:
            raise UsageError(f"Rule packs {earlier.label} and {later.label} cover the same dates: give one of them.")
    return ordered


def _require_columns(present: Sequence[str]) -> None:
    missing = [name for name in names(ADMITTED, required_only=True) if name not in present]
    if missing:
        raise ActivityError(
            f"The activity lacks {len(missing)} of the columns that admitted care needs.",
            [
                Fault("activity", f"no column '{name}'", did_you_mean(name, [p for p in present if p not in _INPUTS]))
                for name in missing
            ],
        )


def _price_by_date(block: pl.DataFrame, packs: tuple[CompiledPack, ...], dates: Dates) -> pl.DataFrame:
    """Each line under the pack of its discharge date; lines that no pack covers are unpriced `no_pack_for_date`."""
    if len(packs) == 1:
        return price_block(block, packs[0], dates=dates)
    starts = np.array([pack.starts for pack in packs], dtype="datetime64[D]").astype(np.int32)
    ends = np.array([pack.ends for pack in packs], dtype="datetime64[D]").astype(np.int32)
    days = block["discharge_date"].to_physical()
    dated = days.is_not_null().to_numpy()
    day = days.fill_null(int(starts[0])).to_numpy()
    chosen = np.maximum(np.searchsorted(starts, day, side="right") - 1, 0)
    covered = ~dated | ((day >= starts[chosen]) & (day <= ends[chosen]))
    row = pl.Series("row", np.arange(block.height))
    parts = [
        price_block(block.filter(pl.Series(chosen == number)), pack).with_columns(row.filter(pl.Series(chosen == number)))
        for number, pack in enumerate(packs)
        if (chosen == number).any()
    ]
    if not parts:
        return price_block(block, packs[0])
    whole = pl.concat(parts).sort("row").drop("row")
    return whole if covered.all() else _without_pack(whole, pl.Series(~covered))


def _without_pack(priced: pl.DataFrame, uncovered: pl.Series) -> pl.DataFrame:
    no_pack = uncovered & (priced["reason"] == "outside_pack_dates")
    return priced.with_columns(
        reason=pl.when(no_pack).then(pl.lit("no_pack_for_date", dtype=REASON)).otherwise("reason"),
        indicative_pence=pl.when(no_pack).then(None).otherwise("indicative_pence"),
        pack=pl.when(no_pack).then(None).otherwise("pack"),
    )


def price_block(block: pl.DataFrame, pack: CompiledPack, *, dates: Dates = "strict") -> pl.DataFrame:
    """Price one bounded block of canonical admitted activity; rows come back in order, as `columns.PRICED_LINE`."""
    from tariff.kernels import admitted

    lines = encode_spells(block, pack.admitted)
    return _priced_lines(block, admitted.price(lines, pack.book, strict_dates=dates == "strict"), pack)


def _enumeration(codes: NDArray[np.uint8], dtype: pl.Enum) -> pl.Series:
    return pl.Series(codes).cat.to(dtype)


def _with_blanks(numbers: NDArray[Any], blank: int) -> pl.Series:
    series = pl.Series(numbers)
    blanks = numbers == blank
    return series.set(pl.Series(blanks), None) if blanks.any() else series


def _priced_lines(block: pl.DataFrame, priced: PricedSpells, pack: CompiledPack) -> pl.DataFrame:
    from tariff.kernels.admitted import BLANK, BLANK_PENCE
    from tariff.rulepack.book import NO_TRIM

    present = set(block.columns)
    activity_date = pl.col("discharge_date")
    zero = pl.lit(0, dtype=pl.Int64)
    columns: dict[str, pl.Expr | pl.Series] = {
        "line_id": pl.col("spell_id").cast(pl.String),
        **{name: pl.col(name).cast(pl.String) for name in _PASSED_THROUGH if name in present},
        "currency": pl.col("hrg").cast(pl.String),
        "kind": pl.lit("admitted", dtype=KIND),
        "activity_date": activity_date,
        "financial_year": financial_year(activity_date),
        "month": financial_month(activity_date),
        "units": pl.lit(1, dtype=pl.Int64),
        "pod": _enumeration(priced.pod, POD),
        "setting": _enumeration(priced.setting, SETTING),
        "outcome": _enumeration(_OUTCOME_OF_REASON[priced.reason], OUTCOME),
        "reason": _enumeration(priced.reason, REASON),
        "adjusted_length_of_stay": _with_blanks(priced.adjusted_length_of_stay, BLANK),
        "trim_point": _with_blanks(priced.trim_point, NO_TRIM),
        "indicative_pence": _with_blanks(priced.indicative_pence, BLANK_PENCE),
        **{
            name: pl.Series(getattr(priced, name))
            for name in (
                "excess_days",
                "base_pence",
                "short_stay_pence",
                "long_stay_pence",
                "top_up_pence",
                "mff_pence",
                "price_pence",
                "mff_millionths",
                "basis",
                "price_row",
                "top_up_row",
            )
        },
        "best_practice_pence": zero,
        "best_practice_at_stake_pence": zero,
        "best_practice_row": pl.lit(0, dtype=pl.Int32),
        "pack": pl.lit(pack.label),
    }
    return block.select(
        (columns[name].alias(name) if name in columns else pl.lit(None, dtype=dtype).alias(name))
        for name, dtype in PRICED_SCHEMA.items()
    )


