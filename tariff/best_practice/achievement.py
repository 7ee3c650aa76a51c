"""Achievement by tariff and provider: how many lines best practice covers, how many met it, and the money that was earned, lost
and is at stake; with the interval that says how far a share of so few lines may be chance (for a funnel plot)."""

from __future__ import annotations

from typing import Final

import polars as pl

from tariff.best_practice.standing import OPEN
from tariff.reasons import PRICED

Z_95: Final = 1.959963984540054
"""Standard normal deviate of a two-sided 95% interval."""
COUNTS: Final = ("eligible", "met", "not_met", "no_evidence")
MONEY: Final = ("earned_pence", "lost_pence", "at_stake_pence")


def best_practice_achievement(priced: pl.LazyFrame | pl.DataFrame, by: tuple[str, ...] = ("provider",)) -> pl.DataFrame:
    """One row a `tariff` and combination of the columns `by`, in that order.

    Columns: `eligible` lines that a tariff covers, of which `met`, `not_met`, `no_evidence`; `earned_pence`, `lost_pence` and
    `at_stake_pence`, with market forces; `achievement`, the share met of those with evidence, with `interval_low` and
    `interval_high`, its 95% interval by Wilson; all three are blank where nothing is known. `expected` is the share of the
    tariff over all rows, `funnel_low` and `funnel_high` the limits within which 95% of providers with so many lines would lie
    if all achieved it: outside them a provider differs by more than chance explains, and its interval does not hold `expected`.

    A line may be covered by several tariffs: it counts for each, but its money is counted once, at the first by precedence that
    is met (earned), not met (lost) or open (at stake)."""
    of_tariffs = _one_row_a_tariff(priced.lazy(), by)
    sums = of_tariffs.group_by("tariff", *by).agg(
        pl.len().cast(pl.Int64).alias("eligible"),
        *((pl.col("status") == word).sum().cast(pl.Int64).alias(word) for word in ("met", "not_met", "no_evidence")),
        pl.col("best_practice_pence").filter(pl.col("first_met")).sum().alias("earned_pence"),
        pl.col("best_practice_lost_pence").filter(pl.col("first_not_met")).sum().alias("lost_pence"),
        pl.col("best_practice_at_stake_pence").filter(pl.col("first_no_evidence")).sum().alias("at_stake_pence"),
    )
    known = pl.col("met") + pl.col("not_met")
    share = pl.when(known > 0).then(pl.col("met") / known)
    expected = pl.col("met").sum().over("tariff") / known.sum().over("tariff")
    low, high = wilson_interval(pl.col("met"), known)
    funnel_low, funnel_high = funnel_limits(expected, known)
    return (
        sums.with_columns(achievement=share, expected=pl.when(known.sum().over("tariff") > 0).then(expected))
        .with_columns(interval_low=low, interval_high=high, funnel_low=funnel_low, funnel_high=funnel_high)
        .sort("tariff", *by, nulls_last=True)
        .collect()
    )


def wilson_interval(met: pl.Expr, lines: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The 95% interval of the share `met` of `lines` (Wilson's score interval); blank where there are no lines."""
    share, squared = met / lines, Z_95 * Z_95
    centre = (share + squared / (2 * lines)) / (1 + squared / lines)
    half = Z_95 / (1 + squared / lines) * (share * (1 - share) / lines + squared / (4 * lines * lines)).sqrt()
    return (
        pl.when(lines > 0).then(pl.max_horizontal(centre - half, pl.lit(0.0))),
        pl.when(lines > 0).then(pl.min_horizontal(centre + half, pl.lit(1.0))),
    )


def funnel_limits(expected: pl.Expr, lines: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The 95% limits around the share `expected` for providers with so many `lines` (score limits, the counterpart of Wilson's
    interval); blank where there are no lines."""
    half = Z_95 * (expected * (1 - expected) / lines).sqrt()
    return (
        pl.when(lines > 0).then(pl.max_horizontal(expected - half, pl.lit(0.0))),
        pl.when(lines > 0).then(pl.min_horizontal(expected + half, pl.lit(1.0))),
    )


def criteria_missing(priced: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """One row a `tariff` and `criterion` that lines lack: `failed`, lines that are not met for want of it, and `unknown`, lines
    of which nothing, or nothing that agrees, is known of it, whether another criterion failed or not. By tariff, most failed
    first; the criterion `setting` is care in another setting, or for longer, than a price by setting pays for."""
    names = ("best_practice_tariff", "best_practice_status", "best_practice_missing")
    lines = priced.lazy().filter((pl.col("outcome") == PRICED) & pl.col("best_practice_missing").is_not_null())
    said = lines.group_by(names).agg(pl.len().cast(pl.Int64).alias("lines")).with_row_index("said")
    stands = said.select("said", *(pl.col(name).str.split(";").alias(name) for name in names[:2])).explode(names[:2])
    missing = said.select("said", "lines", pl.col(names[2]).str.split(";")).explode(names[2])
    parts = pl.col(names[2]).str.split_exact(":", 1).struct.rename_fields(["tariff", "criterion"])
    lacking = missing.with_columns(parts.alias("parts")).unnest("parts")
    opened = pl.col("criterion").str.ends_with(OPEN)
    judged = lacking.join(stands, left_on=["said", "tariff"], right_on=["said", names[0]]).with_columns(
        pl.when(opened).then(pl.lit("no_evidence")).otherwise(names[1]).alias(names[1]),
        pl.col("criterion").str.strip_suffix(OPEN),
    )
    return (
        judged.group_by("tariff", "criterion")
        .agg(
            *(
                pl.col("lines").filter(pl.col(names[1]) == status).sum().alias(name)
                for name, status in (("failed", "not_met"), ("unknown", "no_evidence"))
            )
        )
        .sort(["tariff", "failed", "criterion"], descending=[False, True, False])
        .collect()
    )


def prices_by_setting(priced: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """Of prices by setting, what was paid where: one row a `tariff`, `currency` and `setting`, with `lines`, whether the tariff
    covers that setting (`covered`), and `base_pence`, the mean base price of these lines before market forces, half-up.

    A price by setting loses and leaves at stake nothing: care given in another setting is paid that setting's price, and the
    difference lies between the prices themselves (RULES 3.1 B). Only tariffs with care in another setting have rows."""
    names = ("best_practice_tariff", "best_practice_missing")
    lines = priced.lazy().filter((pl.col("outcome").cast(pl.String) == PRICED) & pl.col(names[0]).is_not_null())
    paid = lines.group_by(*names, "currency", pl.col("setting").cast(pl.String)).agg(
        pl.len().cast(pl.Int64).alias("lines"), pl.col("base_pence").sum()
    )
    each = paid.with_columns(pl.col(names[0]).str.split(";").alias("tariff")).explode("tariff")
    missing = pl.col(names[1]).fill_null("").str.split(";")
    marked = each.with_columns(covered=~missing.list.contains(pl.concat_str("tariff", pl.lit(":setting"))))
    by_setting = marked.filter((~pl.col("covered")).any().over("tariff"))
    key = ("tariff", "currency", "setting", "covered")
    doubled = 2 * pl.col("base_pence") + pl.col("lines")
    return (
        by_setting.group_by(key)
        .agg(pl.col("lines", "base_pence").sum())
        .with_columns(base_pence=doubled // (2 * pl.col("lines")))
        .select("tariff", "currency", "setting", "covered", "lines", "base_pence")
        .sort(["tariff", "currency", "covered", "setting"], descending=[False, False, True, False])
        .collect()
    )


def _one_row_a_tariff(priced: pl.LazyFrame, by: tuple[str, ...]) -> pl.LazyFrame:
    """Priced lines that a tariff covers, once for each; `first_...` marks the tariff at which the line's money is counted."""
    money = ("best_practice_pence", "best_practice_lost_pence", "best_practice_at_stake_pence")
    lists = (pl.col(f"best_practice_{name}").str.split(";").alias(name) for name in ("tariff", "status"))
    covered = priced.filter((pl.col("outcome") == PRICED) & pl.col("best_practice_tariff").is_not_null())
    lines = covered.select(*by, *lists, *money).with_row_index("line").explode("tariff", "status")
    place = pl.int_range(pl.len()).over("line")
    return lines.with_columns(
        *(
            (place == place.filter(pl.col("status") == word).min().over("line")).fill_null(value=False).alias(f"first_{word}")
            for word in ("met", "not_met", "no_evidence")
        )
    )
