"""Episodes to spells (RULES 1.2): one spell for each provider and spell number, its codes from the first episode, its
discharge from the last, its days netted episode by episode and then summed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from tariff.columns import ADMITTED, READ_FAULT, names

EPISODES: Final = "episodes"
"""Column that counts the episodes of each spell: they add to the episodes of the file."""
REPEATED_EPISODES: Final = "repeated_episodes"
"""Column that counts those of them whose number came before in the spell: their days count again."""

LONGEST_STAY_DAYS: Final = 200_000
_DAYS_TAKEN_OFF: Final = ("critical_care_days", "rehabilitation_days", "palliative_care_days", "delayed_discharge_days")
_SUMMED: Final = ("length_of_stay", *_DAYS_TAKEN_OFF)
_CODE_LISTS: Final = ("specialised_services", "best_practice", "unbundled")
EPISODE_MARK: Final = "\x1e"
"""Stands between the unbundled items of one episode and the next: a day count is of its episode, so that two episodes with
the same count are two items, while the same count twice in one episode is one (RULES 1.9)."""
_ROW: Final = "_row"
_ORDER: Final = "_order"
_ALONE: Final = "_alone"
_GROSS: Final = "_gross_days"
_NET: Final = "_net_days"
_OPEN: Final = "_open"
_LAST_NUMBER: Final = 2**31 - 1


def spells_from_episodes(episodes: pl.LazyFrame, repeated: Collection[str] = ()) -> pl.LazyFrame:
    """One row a spell, in the order in which spells first appear, from canonical episodes (`columns.EPISODE`).

    - Admission method, class, age, admission date and every other code: the first episode's, by `episode_number`. Lists of
      codes (specialised services, unbundled, best practice) hold those of all its episodes; unbundled items keep apart by
      episode (`EPISODE_MARK`).
    - `discharge_date`: the last episode's; null, an unfinished spell, where any episode has not ended.
    - `adjusted_length_of_stay`: per episode max(0, length - critical care - rehabilitation - palliative - delayed days), summed.
    - Columns in `repeated` hold the spell's own value on every episode, as grouper outputs do; `hrg` always does.
    - `episodes`: how many there were; `repeated_episodes`: how many of them had the number of another before them in the file. An
      episode without a spell number stands alone.
    - `read_fault`: the first fault of any episode; else `days_out_of_range` or `unreadable_number` where an episode's length is
      impossible or unknown, or `conflicting_hrg` where its episodes disagree."""
    present = episodes.collect_schema().names()
    own = [name for name in dict.fromkeys(("hrg", *repeated)) if name in present]
    prepared = _prepared(episodes, present)
    by_spell = prepared.group_by("provider", "spell_id", _ALONE).agg(_facts(present, own))
    taken = {*own, "discharge_date", "adjusted_length_of_stay", READ_FAULT, *_SUMMED, *_CODE_LISTS}
    first = prepared.select(_ORDER, *(name for name in names(ADMITTED) if name in present and name not in taken))
    built = by_spell.drop("provider", "spell_id").join(first, on=_ORDER, how="left").sort(_ROW)
    kept = [name for name in names(ADMITTED) if name in present or name == "adjusted_length_of_stay"]
    return built.select(*kept, EPISODES, REPEATED_EPISODES, READ_FAULT)


def _prepared(episodes: pl.LazyFrame, present: Collection[str]) -> pl.LazyFrame:
    """Episodes with their place in the file and in the spell, and their gross and net days."""
    number = pl.col("episode_number").fill_null(_LAST_NUMBER).cast(pl.Int64)
    row = pl.col(_ROW).cast(pl.Int64)
    return (
        episodes.with_row_index(_ROW)
        .with_columns(
            (number * 2**32 + row).alias(_ORDER),
            pl.when(pl.col("spell_id").is_null()).then(row + 1).otherwise(0).alias(_ALONE),
            _gross_days(present).alias(_GROSS),
            _not_ended(present).alias(_OPEN),
        )
        .with_columns(_net_days(present).alias(_NET))
    )


def _gross_days(present: Collection[str]) -> pl.Expr:
    """Length of the episode: as given, else end minus start."""
    given = [pl.col("length_of_stay").cast(pl.Int64)] if "length_of_stay" in present else []
    if "episode_start_date" in present and "episode_end_date" in present:
        given.append((pl.col("episode_end_date") - pl.col("episode_start_date")).dt.total_days())
    return pl.coalesce(given) if given else pl.lit(None, pl.Int64)


def _not_ended(present: Collection[str]) -> pl.Expr:
    return pl.col("episode_end_date").is_null() if "episode_end_date" in present else pl.lit(False)


def _net_days(present: Collection[str]) -> pl.Expr:
    """RULES 1.2.4, with delayed days taken off as well (RULES 1.5); an episode's own net days stand where given."""
    off = [pl.col(name).cast(pl.Int64).fill_null(0) for name in _DAYS_TAKEN_OFF if name in present]
    net = (pl.col(_GROSS) - pl.sum_horizontal(off) if off else pl.col(_GROSS)).clip(lower_bound=0)
    return pl.coalesce(pl.col("adjusted_length_of_stay").cast(pl.Int64), net) if "adjusted_length_of_stay" in present else net


def _facts(present: Collection[str], own: Collection[str]) -> list[pl.Expr]:
    facts = [
        pl.len().cast(pl.Int32).alias(EPISODES),
        (pl.col("episode_number").count() - pl.col("episode_number").drop_nulls().n_unique())
        .cast(pl.Int32)
        .alias(REPEATED_EPISODES),
        pl.col(_ROW).min(),
        pl.col(_ORDER).min(),
        pl.when(~pl.col(_OPEN).any()).then(pl.col("discharge_date").max_by(_ORDER)).alias("discharge_date"),
        *(_first_given(name).alias(name) for name in own if name != "adjusted_length_of_stay"),
        *(_total(name).alias(name) for name in _SUMMED if name in present and name not in own),
        *(_all_codes(name).alias(name) for name in _CODE_LISTS if name in present and name not in own),
    ]
    stay_is_own = "adjusted_length_of_stay" in own
    stay = _first_given("adjusted_length_of_stay") if stay_is_own else _total(_NET)
    return [*facts, stay.alias("adjusted_length_of_stay"), _fault(present, stay_is_own).alias(READ_FAULT)]


def _first_given(name: str) -> pl.Expr:
    """The value of the first episode that has one."""
    return pl.col(name).min_by(pl.when(pl.col(name).is_not_null()).then(_ORDER))


def _total(name: str) -> pl.Expr:
    """Sum of days over the episodes. Unknown if an episode's length is unknown; blank days to be taken off are none."""
    total = pl.col(name).cast(pl.Int64).sum().cast(pl.Int32, strict=False)
    return total if name in _DAYS_TAKEN_OFF else pl.when(pl.col(name).is_not_null().all()).then(total)


def _all_codes(name: str) -> pl.Expr:
    joined = pl.col(name).sort_by(_ORDER).drop_nulls().str.join(EPISODE_MARK if name == "unbundled" else ";")
    return pl.when(joined != "").then(joined)


def _fault(present: Collection[str], stay_is_own: bool) -> pl.Expr:
    read = [_first_given(READ_FAULT)] if READ_FAULT in present else []
    differing = [_spoken(_differs("adjusted_length_of_stay"), "unreadable_number")] if stay_is_own else []
    known = pl.col("adjusted_length_of_stay") if stay_is_own else pl.col(_NET)
    unknown = known.is_null().all() if stay_is_own else (known.is_null() & ~pl.col(_OPEN)).any()
    return pl.coalesce(
        *read,
        _spoken(_impossible(present), "days_out_of_range"),
        _spoken(unknown, "unreadable_number"),
        *differing,
        _spoken(_differs("hrg"), "conflicting_hrg"),
    )


def _impossible(present: Collection[str]) -> pl.Expr:
    days = [
        pl.col(_GROSS),
        *(pl.col(name).cast(pl.Int64) for name in (*_DAYS_TAKEN_OFF, "adjusted_length_of_stay") if name in present),
    ]
    return pl.any_horizontal((one < 0) | (one > LONGEST_STAY_DAYS) for one in days).any()


def _differs(name: str) -> pl.Expr:
    return (pl.col(name).min() != pl.col(name).max()).fill_null(False)


def _spoken(when: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(when).then(pl.lit(reason))
