"""Pathways paid as a whole, and emergency readmissions: sweeps over each patient's lines of care.

`care_lines` joins priced lines with what their activity says; `definitions_of` takes what to form from a rule pack; `bundle`
forms the pathways; `readmissions` finds emergency readmissions for the payment term."""

from tariff.pathways.bundling import Bundled, bundle
from tariff.pathways.care import care_lines
from tariff.pathways.definitions import Definitions, definitions_of
from tariff.pathways.readmitted import readmissions

__all__ = ["Bundled", "Definitions", "bundle", "care_lines", "definitions_of", "readmissions"]
