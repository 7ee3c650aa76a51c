"""Emergency readmissions within so many days of a discharge (RULES 5.2): found by a sweep over each patient's spells,
attributed to the provider that discharged the patient, excluded by name, valued at the share not paid."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import READMISSION, READMISSION_EXCLUSIONS, schema
from tariff.pathways.carrying import with_carried
from tariff.pathways.definitions import Definitions
from tariff.pathways.partitions import in_partitions
from tariff.pathways.selecting import fits
from tariff.rulepack.pathway_model import ReadmissionRule

_SCHEMA: Final = schema(READMISSION)
_ELECTIVE: Final = ("DC", "EL")
_SPELLS: Final = (*_ELECTIVE, "NEL", "NELST", "NELNE")
"""Points of delivery of spells that can come before a readmission; regular attenders and unclassified lines cannot."""
_ORDER: Final = ("patient_id", "start", "end", "provider", "line_id")


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
    spells = with_carried(care, open_pathways).filter(pl.col("pod").cast(pl.String).is_in(_SPELLS))
    found = [_found(part, definitions) for part in in_partitions(spells, partitions)]
    return pl.concat(found).sort("provider", "line_id", "activity_date", "currency")


def _found(spells: pl.DataFrame, definitions: Definitions) -> pl.DataFrame:
    from tariff.kernels.pathways import initial_spells

    emergencies = spells.filter(pl.col("admission_method").str.starts_with("2")).select("patient_id").unique()
    spells = spells.join(emergencies, on="patient_id", how="semi").sort(_ORDER)
    rule = _rule_of_each(spells, definitions.readmissions)
    emergency = spells["admission_method"].str.starts_with("2").to_numpy()
    within = np.array([*(its.within_days for its in definitions.readmissions), -1], dtype=np.int32)
    longest = np.array([*(its.longest_stay_days for its in definitions.readmissions), 0], dtype=np.int32)
    initial: NDArray[np.int64] = initial_spells(
        first_of_patients(spells["patient_id"]),
        spells["start"].to_physical().to_numpy(),
        spells["end"].to_physical().to_numpy(),
        spells.select(key=pl.struct("provider", "line_id").hash())["key"].to_numpy(),
        np.where(emergency, within[rule], -1).astype(np.int32),
        longest[rule],
    )
    again = np.flatnonzero((initial >= 0) & spells["row"].is_not_null().to_numpy())
    pairs = spells[again].with_columns(rule=pl.Series(rule[again], dtype=pl.Int64))
    before = spells[initial[again]]
    return pl.concat(
        [_priced(pairs, before, number, its) for number, its in enumerate(definitions.readmissions)]
        or [pl.DataFrame(schema=_SCHEMA)]
    )


def first_of_patients(patients: pl.Series) -> NDArray[np.int64]:
    """Where each patient's lines begin among sorted lines, and after the last one their number."""
    begins = np.flatnonzero(patients.ne_missing(patients.shift(1)).to_numpy()) if len(patients) else np.zeros(0, np.int64)
    if len(begins) and begins[0] != 0:
        begins = np.concatenate([[0], begins])
    return np.append(begins, len(patients)).astype(np.int64)


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
    told = pl.repeat(None, again.height, dtype=pl.Enum(READMISSION_EXCLUSIONS), eager=True)
    found = [(again["national"].not_(), "no_national_price")]
    for exclusion in rule.exclusions:
        sides = {"readmission": [again], "initial": [initial], "either": [again, initial]}[exclusion.of]
        fitting = reduce(or_, (side.select(fits=fits(exclusion))["fits"] for side in sides))
        found.append((fitting, exclusion.flag))
    for fitting, flag in found:
        told = told.set(fitting & told.is_null(), flag)
    return told
