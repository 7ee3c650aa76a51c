"""What best practice earned on the priced lines, as contract terms ask for it (RULES 5.1, 5.8): how many lines met a tariff, and
the money that is to stay outside the marginal rate for emergency admissions. A line's price holds what best practice earned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import polars as pl

from tariff.best_practice.adjustment import also_inside_marginal_rate, outside_marginal_rate
from tariff.payment.cells import CELL, NOT_GIVEN
from tariff.payment.pathways import paid_as_a_whole, with_places
from tariff.reasons import PRICED

_KEYS: Final = tuple(name for name in CELL if name != "gp_practice")
_SAID: Final = ("pack", "tariffs", "statuses")


def gather_best_practice(
    priced: pl.LazyFrame,
    outside: Mapping[str, Collection[str]],
    pathways: pl.DataFrame | None = None,
    restated: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Priced lines that a best-practice tariff covers, summed by the keys of a cell, by `tariffs` and `statuses` (as in a priced
    line) and by `definition` of the pathway they lie in (`payment.pathways.with_places`): `lines`, `pence` that evidence earned,
    and `bundled_pence`, what of it goes with the part of the price that the pathway pays for. `outside` names, by label of rule
    pack, the tariffs that lie outside the marginal rate; `is_outside` says whether one of them is met, and `is_mixed` whether
    another is too; both are blank where the pack's list is not known."""
    named = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in _KEYS if name != "month"]
    covered = priced.filter((pl.col("outcome").cast(pl.String) == PRICED) & pl.col("best_practice_tariff").is_not_null())
    found = (
        with_places(covered, pathways, restated)
        .with_columns(bundled_best_practice().alias("bundled_pence"))
        .rename({"best_practice_tariff": "tariffs", "best_practice_status": "statuses"})
        .group_by(*_KEYS, *_SAID, "definition")
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("best_practice_pence").sum().alias("pence"),
            pl.col("bundled_pence").sum(),
        )
        .with_columns(*named, pl.col("pack").fill_null(NOT_GIVEN))
        .collect()
    )
    judged = [
        (pack, tariffs, statuses, *_judged(tariffs, statuses, outside.get(pack)))
        for pack, tariffs, statuses in found.select(_SAID).unique().iter_rows()
    ]
    schema = {**dict.fromkeys(_SAID, pl.String()), "is_outside": pl.Boolean(), "is_mixed": pl.Boolean()}
    return found.join(pl.DataFrame(judged, schema=schema, orient="row"), on=_SAID, how="left").sort(*_KEYS, *_SAID, "definition")


def bundled_best_practice() -> pl.Expr:
    """What of a priced line's best practice goes with the part of its price that a pathway pays for (`bundled_pence`). What stays
    with a line that is only partly inside is best practice first: it was paid in full beside the rest."""
    left = pl.col("price_pence") - pl.col("bundled_pence")
    gone = (pl.col("best_practice_pence") - pl.max_horizontal(left, 0)).clip(0)
    wholly = (pl.col("bundled_pence") != 0) & (left == 0)
    return pl.when(wholly).then("best_practice_pence").when(pl.col("bundled_pence") != 0).then(gone).otherwise(0)


def with_earned(best_practice: pl.DataFrame, pathways: Sequence[str] = (), *, paid: bool = True) -> pl.DataFrame:
    """Rows of `gather_best_practice` with `earned_pence`: what a model pays of it by the line, without what goes with the lines
    of the `pathways` that it pays as a whole; nothing where it pays no best practice (`paid`)."""
    inside = pl.when(paid_as_a_whole(pathways)).then("bundled_pence").otherwise(0)
    return best_practice.with_columns(earned_pence=(pl.col("pence") - inside) * int(paid))


def taken_back(best_practice: pl.DataFrame, readmissions: pl.DataFrame) -> pl.DataFrame:
    """Rows with `earned_pence` (`with_earned`), and those by which `readmissions` (their keys, `pack, tariffs, statuses` of their
    lines, and `back_pence`) take some of it back: they stand with the provider that bears it."""
    verdicts = best_practice.select(*_SAID, "is_outside").unique()
    rows = readmissions.join(verdicts, on=_SAID).with_columns(earned_pence=-pl.col("back_pence"))
    return pl.concat([best_practice, rows.select(name for name in best_practice.columns if name in rows.columns)], how="diagonal")


def money_outside(best_practice: pl.DataFrame, tariffs: Collection[str] | None) -> pl.DataFrame:
    """The rows of `gather_best_practice` whose money lies outside the marginal rate: by their pack where `tariffs` is None, else
    those on which one of `tariffs` is met; `is_mixed` accordingly."""
    if tariffs is None:
        return best_practice.filter(pl.col("is_outside").fill_null(value=False))
    said = best_practice.select("tariffs", "statuses").iter_rows()
    judged = [_judged(named, statuses, tariffs) for named, statuses in said]
    columns = {"is_outside": [outside for outside, _ in judged], "is_mixed": [mixed for _, mixed in judged]}
    told = best_practice.with_columns(pl.Series(name, values, dtype=pl.Boolean) for name, values in columns.items())
    return told.filter("is_outside")


def lines_met(best_practice: pl.DataFrame) -> pl.DataFrame:
    """Lines that met a tariff, by commissioner, provider, financial_year and `tariff`: `lines`. A line counts for each tariff."""
    split = [pl.col("tariffs").str.split(";").alias("tariff"), pl.col("statuses").str.split(";").alias("status")]
    key = ("commissioner", "provider", "financial_year", "tariff")
    met = best_practice.with_columns(split).explode("tariff", "status").filter(pl.col("status") == "met")
    return met.group_by(key).agg(pl.col("lines").sum()).sort(key)


def _judged(tariffs: str, statuses: str, listed: Collection[str] | None) -> tuple[bool | None, bool | None]:
    if listed is None:
        return None, None
    named = frozenset(listed)
    return outside_marginal_rate(tariffs, statuses, named), also_inside_marginal_rate(tariffs, statuses, named)
