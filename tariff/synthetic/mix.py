"""Which HRG in which setting: England's 2024/25 volumes as weights, narrowed to what a rule pack knows."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tariff.errors import UsageError
from tariff.synthetic.traits import Traits, traits_of

HERE: Final = Path(__file__).parent

SETTINGS: Final = ("day_case", "ordinary_elective", "non_elective_long_stay", "non_elective_short_stay", "regular_attender")
"""Settings of the cost collection; a long stay is of two days or more."""
DAY_CASE, ORDINARY_ELECTIVE, LONG_STAY, SHORT_STAY, REGULAR_ATTENDER = range(len(SETTINGS))

UNKNOWN_SHARE: Final = 0.01
"""Share of spells whose HRG is a national one that the rule pack does not know."""
UNGROUPED: Final = "UZ01Z"
UNGROUPED_SHARE: Final = 0.003
"""Share of spells whose data were invalid for grouping."""

_HRG: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z]")
_SMALLEST_TRIM: Final = 5


@dataclass(frozen=True, slots=True)
class Cells:
    """The mix to draw from: arrays of one length, a cell being an HRG in a setting. `hrg` indexes `hrgs`; weights add to 1."""

    hrgs: tuple[str, ...]
    traits: tuple[Traits, ...]
    setting: NDArray[np.int8]
    hrg: NDArray[np.int16]
    weight: NDArray[np.float64]
    trim_shape: NDArray[np.int32]
    short_share: NDArray[np.float64]

    def by_hrg(self, trait: Callable[[Traits], float]) -> NDArray[np.float64]:
        """One number of each cell's HRG."""
        return np.array([trait(traits) for traits in self.traits], np.float64)[self.hrg]


@dataclass(frozen=True, slots=True)
class _Currency:
    name: str
    elective_trim: int | None
    non_elective_trim: int | None


def national_cells(known: Collection[str]) -> Cells:
    """England's mix for a pack that knows the HRGs `known`: settings keep their national volumes; within each, the HRGs the
    pack knows share all but `UNKNOWN_SHARE`, taken by national HRGs it does not know, and `UNGROUPED_SHARE`.

    Raises UsageError where the pack knows no HRG of the national mix."""
    volumes, currencies = _national_mix(), _currencies()
    rows = [row for setting in range(len(SETTINGS)) for row in _weigh_setting(setting, volumes[setting], frozenset(known))]
    if not rows:
        raise UsageError("the rule pack holds none of the HRGs of England's 2024/25 mix, so no activity can be made for it")
    hrgs = tuple(sorted({hrg for _, hrg, _ in rows}))
    number = {hrg: position for position, hrg in enumerate(hrgs)}
    trims, short = _trim_shapes(hrgs, currencies), _short_shares(volumes)
    weight = np.array([weight for *_, weight in rows])
    return Cells(
        hrgs,
        tuple(traits_of(hrg, currencies[hrg].name if hrg in currencies else "") for hrg in hrgs),
        np.array([setting for setting, *_ in rows], np.int8),
        np.array([number[hrg] for _, hrg, _ in rows], np.int16),
        weight / weight.sum(),
        np.array([trims[hrg][setting != ORDINARY_ELECTIVE] for setting, hrg, _ in rows], np.int32),
        np.array([short.get(hrg, 0.0) for _, hrg, _ in rows]),
    )


def _weigh_setting(setting: int, volumes: Mapping[str, int], known: frozenset[str]) -> list[tuple[int, str, float]]:
    """The rows of one setting, their weights adding to its national volume; none where the pack knows none of its HRGs."""
    usable = {hrg: volume for hrg, volume in volumes.items() if _HRG.fullmatch(hrg) and not hrg.startswith("UZ")}
    inside = {hrg: volume for hrg, volume in usable.items() if hrg in known}
    outside = {hrg: volume for hrg, volume in usable.items() if hrg not in known}
    if not inside:
        return []
    unknown = UNKNOWN_SHARE if outside else 0.0
    shares = [(inside, 1 - unknown - UNGROUPED_SHARE), (outside, unknown), ({UNGROUPED: 1}, UNGROUPED_SHARE)]
    total = sum(volumes.values())
    return [(setting, hrg, total * share * part) for group, share in shares for hrg, part in _parts(group)]


def _parts(volumes: Mapping[str, int]) -> Iterable[tuple[str, float]]:
    total = sum(volumes.values())
    return ((hrg, volume / total) for hrg, volume in volumes.items())


def _short_shares(volumes: list[dict[str, int]]) -> dict[str, float]:
    """Of each HRG's non-elective volume, the share that stays less than two days."""
    short, long = volumes[SHORT_STAY], volumes[LONG_STAY]
    return {hrg: short.get(hrg, 0) / (short.get(hrg, 0) + long.get(hrg, 0)) for hrg in {*short, *long}}


def _trim_shapes(hrgs: Iterable[str], currencies: Mapping[str, _Currency]) -> dict[str, tuple[int, int]]:
    """Elective and non-elective trim point of each HRG in 2017/18; else the median of its root, subchapter or chapter."""
    kin: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for hrg, currency in currencies.items():
        if currency.elective_trim is not None and currency.non_elective_trim is not None:
            for letters in (5, 4, 2, 1, 0):
                kin[hrg[:letters]].append((currency.elective_trim, currency.non_elective_trim))

    def shape(hrg: str) -> tuple[int, int]:
        nearest = next(kin[hrg[:letters]] for letters in (5, 4, 2, 1, 0) if hrg[:letters] in kin)
        elective, non_elective = (int(median(trims)) for trims in zip(*nearest, strict=True))
        return max(elective, _SMALLEST_TRIM), max(non_elective, _SMALLEST_TRIM)

    return {hrg: shape(hrg) for hrg in hrgs}


@cache
def _national_mix() -> list[dict[str, int]]:
    """England's volume by HRG, one mapping a setting."""
    volumes: list[dict[str, int]] = [{} for _ in SETTINGS]
    with (HERE / "national_mix.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            volumes[SETTINGS.index(row["setting"])][row["hrg"]] = int(row["activity"])
    return volumes


@cache
def _currencies() -> dict[str, _Currency]:
    with (HERE / "hrgs.csv").open(encoding="utf-8", newline="") as lines:
        return {
            row["hrg"]: _Currency(
                row["name"], *(int(row[trim]) if row[trim] else None for trim in ("elective_trim", "non_elective_trim"))
            )
            for row in csv.DictReader(lines)
        }


def national_volumes() -> dict[str, int]:
    """England's 2024/25 volume by setting, in units as costed (finished consultant episodes, not spells)."""
    return {setting: sum(volumes.values()) for setting, volumes in zip(SETTINGS, _national_mix(), strict=True)}
