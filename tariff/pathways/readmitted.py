"""Emergency readmissions within so many days of a discharge (RULES 5.2): found by a sweep over each patient's spells,
attributed to the provider that discharged the patient, excluded by name, valued at the share not paid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import repeated
from tariff.columns import READMISSION, READMISSION_EXCLUSIONS, schema
from tariff.pathways.carrying import with_carried
from tariff.pathways.definitions import Definitions
from tariff.pathways.partitions import in_parts
from tariff.pathways.selecting import fits
from tariff.pathways.turns import NUMBER, firsts, numbered, turns
from tariff.rulepack.pathway_model import ReadmissionRule

_SCHEMA: Final = schema(READMISSION)
_ELECTIVE: Final = ("DC", "EL")
_SPELLS: Final = (*_ELECTIVE, "NEL", "NELST", "NELNE")
"""Points of delivery of spells that can come before a readmission; regular attenders and unclassified lines cannot."""
_ORDER: Final = ("patient_id", "start", "end", "provider", "line_id")
_PLACE: Final = "place"


def readmissions(
    care: pl.LazyFrame,
    definitions: Definitions,
    open_pathways: pl.LazyFrame | pl.DataFrame | None = None,
    *,
    partitions: int = 1,
) -> pl.DataFrame:
    """Emergency readmissions (`columns.READMISSION`) among lines of care, by provider and line.

    `open_pathways`, what the run before handed on, holds spells that can come before one; its own readmissions are not told
    again. The answer is the same for any number of partitions."""
    return readmissions_in(in_parts(with_carried(care, open_pathways), partitions), definitions)


def readmissions_in(parts: Iterable[pl.LazyFrame], definitions: Definitions) -> pl.DataFrame:
    """As `readmissions`, of lines of care, carried ones among them, in parts by the hash of the patient."""
    found = [_found(part, definitions.readmissions) for part in parts]
    return pl.concat(found).sort("provider", "line_id", "activity_date", "currency")


def _found(care: pl.LazyFrame, rules: tuple[ReadmissionRule, ...]) -> pl.DataFrame:
    """Readmissions among lines of care: pairs are found in what is needed to find them, and only they are read whole."""
    if not rules:
        return pl.DataFrame(schema=_SCHEMA)
    placed = care.with_row_index(_PLACE)
    spells = _worth_sorting(placed, rules)
    rule = _rule_of_each(spells, rules)
    initial = _initial(spells, rule, rules)
    again = np.flatnonzero((initial >= 0) & spells["is_new"].to_numpy())
    place = spells[_PLACE].to_numpy()
    pairs, before = _whole(placed, place[again], place[initial[again]])
    pairs = pairs.with_columns(rule=pl.Series(rule[again], dtype=pl.Int64))
    return pl.concat([_priced(pairs, before, number, its) for number, its in enumerate(rules)])


def _worth_sorting(care: pl.LazyFrame, rules: tuple[ReadmissionRule, ...]) -> pl.DataFrame:
    """Spells, as far as pairs are told by, of patients with an emergency that a rule holds for."""
    is_spell = reduce(or_, (pl.col("pod") == pod for pod in _SPELLS)) & (pl.col("patient_id") != "")
    held = reduce(or_, (pl.col("end").is_between(rule.starts, rule.ends) for rule in rules))
    emergency = pl.col("admission_method").str.starts_with("2")
    spells = care.filter(is_spell).select(
        _PLACE, *_ORDER, emergency=emergency, again=emergency & held, is_new=pl.col("row").is_not_null()
    )
    found = spells.collect(engine="streaming")
    numbers = numbered(found["patient_id"])
    concerned = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=np.bool_)
    concerned[numbers[found["again"].to_numpy()]] = True
    return found.with_columns(pl.Series(NUMBER, numbers)).filter(pl.Series(concerned[numbers]))


def _initial(spells: pl.DataFrame, rule: NDArray[np.int64], rules: tuple[ReadmissionRule, ...]) -> NDArray[np.int64]:
    """For every spell the place, among `spells`, of the one before it; -1 where it is no readmission."""
    from tariff.kernels.pathways import initial_spells

    order = turns(spells, ("provider", "line_id"))
    numbers = spells[NUMBER].to_numpy()[order]
    within = np.array([*(its.within_days for its in rules), -1], dtype=np.int32)
    longest = np.array([*(its.longest_stay_days for its in rules), 0], dtype=np.int32)
    found: NDArray[np.int64] = initial_spells(
        firsts(numbers, int(numbers.max(initial=-1)) + 1),
        spells["start"].to_physical().to_numpy()[order],
        spells["end"].to_physical().to_numpy()[order],
        spells.select(key=pl.struct("provider", "line_id").hash())["key"].to_numpy()[order],
        np.where(spells["emergency"].to_numpy(), within[rule], -1).astype(np.int32)[order],
        longest[rule][order],
    )
    initial = np.full(spells.height, -1, dtype=np.int64)
    initial[order] = np.where(found >= 0, order[found], -1)
    return initial


def _whole(care: pl.LazyFrame, *places: NDArray[np.uint32]) -> Iterator[pl.DataFrame]:
    """Lines of care at places, in the order asked for."""
    wanted = np.unique(np.concatenate(places))
    asked = pl.LazyFrame({_PLACE: wanted}, schema={_PLACE: pl.UInt32()})
    lines = care.join(asked, on=_PLACE, how="semi").collect(engine="streaming").sort(_PLACE)
    for asked_for in places:
        yield lines[np.searchsorted(wanted, asked_for)]


def _rule_of_each(spells: pl.DataFrame, rules: tuple[ReadmissionRule, ...]) -> NDArray[np.int64]:
    """Number of the rule that holds on the day each spell ended; the number of rules where none does."""
    chosen = np.full(spells.height, len(rules), dtype=np.int64)
    for number, rule in enumerate(rules):
        chosen[spells["end"].is_between(rule.starts, rule.ends).to_numpy()] = number
    return chosen


def _priced(pairs: pl.DataFrame, before: pl.DataFrame, number: int, rule: ReadmissionRule) -> pl.DataFrame:
    its = pairs["rule"] == number
    again, initial = pairs.filter(its), before.filter(its)
    elective = initial["pod"].cast(pl.String).is_in(_ELECTIVE)
    excluded = _exclusion(again, initial, rule)
    after_elective, after_other = rule.shares_bp
    whole = again.with_columns(
        activity_date=pl.col("end"),
        initial_provider=initial["provider"],
        initial_line_id=initial["line_id"],
        initial_elective=elective,
        days=(pl.col("start") - initial["end"]).dt.total_days(),
        reason_excluded=excluded,
    ).with_columns(
        share_bp=pl.when(pl.col("reason_excluded").is_not_null())
        .then(0)
        .otherwise(pl.when("initial_elective").then(after_elective).otherwise(after_other)),
    )
    whole = whole.with_columns(pence=(pl.col("price_pence") * pl.col("share_bp") * 2 + 10_000) // 20_000)
    return whole.select(pl.col(name).cast(dtype) for name, dtype in _SCHEMA.items())


def _exclusion(again: pl.DataFrame, initial: pl.DataFrame, rule: ReadmissionRule) -> pl.Series:
    """The first exclusion that each pair fits: no national price, then those of the rule in their order."""
    told = repeated(None, again.height, pl.Enum(READMISSION_EXCLUSIONS))
    found = [(again["national"].not_(), "no_national_price")]
    for exclusion in rule.exclusions:
        sides = {"readmission": [again], "initial": [initial], "either": [again, initial]}[exclusion.of]
        fitting = reduce(or_, (side.select(fits=fits(exclusion))["fits"] for side in sides))
        found.append((fitting, exclusion.flag))
    for fitting, flag in found:
        told = told.set(fitting & told.is_null(), flag)
    return told
