"""Pathways paid as a whole, and emergency readmissions: sweeps over each patient's lines of care.

`care_lines` joins priced lines with what their activity says; `definitions_of` takes what to form from a rule pack; `bundle`
forms the pathways; `readmissions` finds emergency readmissions for the payment term; the rest are tables for a report."""

from tariff.pathways.bundling import Bundled, bundle
from tariff.pathways.care import care_lines
from tariff.pathways.comparing import (
    break_even,
    bundle_under,
    leakage,
    left_out,
    paid_under,
    price_against_cost,
    sensitivity,
    winners_and_losers,
)
from tariff.pathways.definitions import Definitions, PackDefinitions, definitions_of
from tariff.pathways.readmitted import readmissions

__all__ = [
    "Bundled",
    "Definitions",
    "PackDefinitions",
    "break_even",
    "bundle",
    "bundle_under",
    "care_lines",
    "definitions_of",
    "leakage",
    "left_out",
    "paid_under",
    "price_against_cost",
    "readmissions",
    "sensitivity",
    "winners_and_losers",
]
