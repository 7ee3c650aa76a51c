"""How much care there is beside admitted care, and of which currencies: England's 2024/25 volumes as weights, narrowed to what
a rule pack knows. Volumes stand to spells as England's stand to its finished consultant episodes."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np

from tariff.synthetic.mix import DAY_CASE, HERE, UNKNOWN_SHARE, Cells, national_volumes
from tariff.synthetic.traits import OLDEST, Traits, traits_of

DEPARTMENTS: Final = {
    "Outpatient Procedures": "outpatient_procedure",
    "Emergency Care": "emergency_care",
    "Critical care": "critical_care",
    "Critical care transport": "critical_care_transport",
    "Diagnostic Imaging": "diagnostic_imaging",
    "Nuclear Medicine": "nuclear_medicine",
    "Directly Accessed Diagnostic Services": "direct_access",
    "Renal Dialysis": "renal_dialysis",
    "High Cost Drugs": "high_cost_drug",
    "High Cost Devices": "high_cost_device",
    "Community Health Service": "community_contact",
    "Mental Health Care Contact": "mental_health_contact",
    "NHS Talking Therapy Care Contact": "talking_therapy",
    "Mental Health Provider Spell": "mental_health_day",
}
"""The departments of the cost collection that the other kinds of activity are drawn from, and what they are called here."""

_HRG: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z]")


def per_spell(volumes: Mapping[str, int]) -> float:
    """Units of care for every spell, as in England."""
    return sum(volumes.values()) / sum(national_volumes().values())


def volumes_of(*departments: str, roots: Collection[str] = (), not_roots: Collection[str] = ()) -> dict[str, int]:
    """England's volumes by currency in some departments (names of `DEPARTMENTS`), of currencies with one of the `roots` (first
    two letters) where any are given, and with none of `not_roots`."""
    total: dict[str, int] = defaultdict(int)
    for department in departments:
        for currency, (_, activity) in _national_care()[department].items():
            if (not roots or currency[:2] in roots) and currency[:2] not in not_roots:
                total[currency] += activity
    return dict(total)


def of_hrgs(volumes: Mapping[str, int]) -> dict[str, int]:
    """Only the currencies that are HRGs, without data invalid for grouping."""
    return {code: volume for code, volume in volumes.items() if _HRG.fullmatch(code) and not code.startswith("UZ")}


def narrowed(volumes: Mapping[str, int], known: Collection[str]) -> dict[str, float]:
    """Shares of the currencies, adding to 1: those `known` share all but `UNKNOWN_SHARE`, which the others take; none where none
    of them is known. Where nothing at all is known, England's shares: a year that a pack cannot price is a year all the same."""
    inside = {code: volume for code, volume in volumes.items() if code in known}
    outside = {code: volume for code, volume in volumes.items() if code not in known}
    if not known or not outside:
        return _shares(volumes, 1.0)
    if not inside:
        return {}
    return {**_shares(inside, 1 - UNKNOWN_SHARE), **_shares(outside, UNKNOWN_SHARE)}


def name_of(currency: str) -> str:
    """What the cost collection calls a currency; empty where it has none."""
    return _names().get(currency, "")


def cells_of(shares: Mapping[str, float], traits: Iterable[Traits] | None = None) -> Cells:
    """The mix to draw currencies from that are given to people by age and sex as planned care is; `traits` read from names
    unless given."""
    codes = tuple(shares)
    weight = np.array(list(shares.values()), np.float64)
    read = tuple(traits) if traits is not None else tuple(_traits_by_name(code) for code in codes)
    nothing = np.zeros(len(codes))
    return Cells(
        codes,
        read,
        np.full(len(codes), DAY_CASE, np.int8),
        np.arange(len(codes), dtype=np.int16),
        weight / weight.sum(),
        nothing.astype(np.int32),
        nothing,
    )


def _traits_by_name(code: str) -> Traits:
    """As an HRG's, and what the names of community and mental health currencies say of ages."""
    name = name_of(code)
    traits = traits_of(code, name)
    if "Midwife" in name:
        return replace(traits, youngest=16, oldest=49, female_share=1.0)
    ages = next((ages for word, ages in _AGES_BY_WORD.items() if word in name), None)
    return traits if ages is None else replace(traits, youngest=ages[0], oldest=ages[1])


_AGES_BY_WORD: Final = {
    "Health Visitor": (0, 3),
    "Newborn": (0, 1),
    "Older Adult": (65, OLDEST),
    "Memory": (65, OLDEST),
    "Organic": (65, OLDEST),
    "Adult": (19, OLDEST),
    "Child": (0, 18),
    "School": (4, 18),
    "Young Person": (6, 18),
    "Education-based": (6, 18),
}
"""The first word that a name holds decides."""


def _shares(volumes: Mapping[str, int], share: float) -> dict[str, float]:
    total = sum(volumes.values())
    return {code: share * volume / total for code, volume in volumes.items()}


@cache
def _national_care() -> dict[str, dict[str, tuple[str, int]]]:
    """By department and currency, in capitals: name and England's volume."""
    care: dict[str, dict[str, tuple[str, int]]] = {department: {} for department in DEPARTMENTS.values()}
    with (HERE / "national_care.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            care[row["department"]][row["currency"].upper()] = (row["name"], int(row["activity"]))
    return care


@cache
def _names() -> dict[str, str]:
    return {currency: name for department in _national_care().values() for currency, (name, _) in department.items()}
