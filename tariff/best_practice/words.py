"""What a priced line says of best practice in words: its candidate tariffs, what each stands at, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tariff.best_practice.standing import MET, NO_EVIDENCE, NOT_MET, SETTING, STATUS_WORDS, criteria_of
from tariff.rulepack.best_practice_book import tariffs_of

if TYPE_CHECKING:
    from tariff.best_practice.standing import EvidenceOfPack
    from tariff.kernels.best_practice import Standing
    from tariff.rulepack import RulePack

Words = tuple[str, str, str | None]
"""Tariffs, statuses, missing criteria; parts separated by `;`."""
_KEY = ("candidates", "met", "not_met", "elsewhere", "evidence")


def standing_words(standing: Standing, pack: RulePack, evidence: EvidenceOfPack | None) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Columns best_practice_tariff, best_practice_status and best_practice_missing: null where no tariff covers the line."""
    height = standing.candidates.size
    covered = np.flatnonzero(standing.candidates)
    if covered.size == 0:
        nothing = pl.repeat(None, height, dtype=pl.String, eager=True)
        return nothing, nothing, nothing
    lines = pl.DataFrame({name: getattr(standing, name)[covered] for name in _KEY})
    distinct = lines.unique()
    told = [_words(pack, evidence, *key) for key in distinct.iter_rows()]
    spoken = distinct.hstack(
        pl.DataFrame(told, schema={"tariff": pl.String(), "status": pl.String(), "missing": pl.String()}, orient="row")
    )
    found = lines.join(spoken, on=_KEY, how="left", maintain_order="left").select("tariff", "status", "missing")
    place = pl.DataFrame({"row": covered}).hstack(found)
    whole = pl.DataFrame({"row": np.arange(height)}).join(place, on="row", how="left", maintain_order="left")
    return whole["tariff"], whole["status"], whole["missing"]


def _words(
    pack: RulePack, evidence: EvidenceOfPack | None, candidates: int, met: int, not_met: int, elsewhere: int, said: int
) -> Words:
    tariffs, criteria = tariffs_of(pack), criteria_of(pack)
    known = {} if evidence is None else evidence.missing(said)
    names, statuses, missing = [], [], []
    for number, tariff in enumerate(tariffs):
        bit = 1 << number
        if not candidates & bit:
            continue
        status = MET if met & bit else NOT_MET if not_met & bit else NO_EVIDENCE
        names.append(tariff)
        statuses.append(STATUS_WORDS[status])
        if elsewhere & bit:
            missing.append(f"{tariff}:{SETTING}")
        elif status != MET:
            missing += [f"{tariff}:{criterion}" for criterion in known.get(number, criteria.get(tariff, ()))]
    return ";".join(names), ";".join(statuses), ";".join(missing) or None
