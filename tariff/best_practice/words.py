"""What a priced line says of best practice in words: its candidate tariffs, what each stands at, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.best_practice.standing import MET, NO_EVIDENCE, NOT_MET, STATUS_WORDS, criteria_of
from tariff.buffers import filled, repeated
from tariff.rulepack.best_practice_book import tariffs_of
from tariff.rulepack.best_practice_rows import SETTING

if TYPE_CHECKING:
    from tariff.best_practice.standing import EvidenceOfPack
    from tariff.kernels.best_practice import Cases, Standing
    from tariff.rulepack import RulePack

Words = tuple[str | None, str | None, str | None]
"""Tariffs, statuses, missing criteria; parts separated by `;`."""
_BITS: Final = ("candidates", "met", "not_met", "elsewhere")
_KEY: Final = (*_BITS, "evidence")
_NUMBERS: Final = (
    "best_practice_pence",
    "best_practice_at_stake_pence",
    "best_practice_lost_pence",
    "best_practice_row",
)
_TEXTS: Final = ("best_practice_tariff", "best_practice_status", "best_practice_missing")


def standing_columns(
    cases: Cases, standing: Standing, pack: RulePack, evidence: EvidenceOfPack | None, wanted: Sequence[str]
) -> dict[str, pl.Series]:
    """The wanted columns of a priced line that tell of best practice: numbers are 0 and texts null where no tariff covers the
    line."""
    with_place = np.flatnonzero(cases.place != 0)
    columns = {name: _of_lines(getattr(standing, name), cases.place, with_place) for name in _NUMBERS if name in wanted}
    if not set(wanted).isdisjoint(_TEXTS):
        columns.update(zip(_TEXTS, _texts(cases, standing, pack, evidence), strict=True))
    return columns


def _of_lines(of_places: NDArray[Any], place: NDArray[np.int32], with_place: NDArray[np.intp]) -> pl.Series:
    """Numbers of places as numbers of lines, few of which have a place."""
    if not of_places.any():
        return repeated(0, place.size, pl.Series(of_places).dtype)
    found = filled(place.size, 0, of_places.dtype)
    found[with_place] = of_places[place[with_place]]
    return pl.Series(found)


def _texts(cases: Cases, standing: Standing, pack: RulePack, evidence: EvidenceOfPack | None) -> Iterator[pl.Series]:
    """Tariffs, statuses and missing criteria of every line; what stands at no place is said of place 0, and is null."""
    stands = {name: getattr(standing, name) for name in _BITS} | {"evidence": cases.evidence}
    places = pl.DataFrame(stands)
    distinct = places.unique()
    told = [_words(pack, evidence, *key) for key in distinct.iter_rows()]
    schema = dict.fromkeys(("tariff", "status", "missing"), pl.String())
    spoken = distinct.hstack(pl.DataFrame(told, schema=schema, orient="row"))
    found = places.join(spoken, on=_KEY, how="left", maintain_order="left")
    place = pl.Series(cases.place)
    return (found[name].gather(place) for name in schema)


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
    return ";".join(names) or None, ";".join(statuses) or None, ";".join(missing) or None
