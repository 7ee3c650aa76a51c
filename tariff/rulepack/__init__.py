"""Rule packs: a year's payment rules and prices as data, each figure with its source. See rules/README.md."""

from tariff.rulepack.finding import find_overlay, find_pack, known_packs, shipped_overlays, shipped_packs
from tariff.rulepack.listing import PacksChecked, check_packs, list_packs, show_pack
from tariff.rulepack.loading import PackCheck, check_pack, load_pack
from tariff.rulepack.model import CONFIDENCES
from tariff.rulepack.pack import OverlayUsed, RulePack
from tariff.rulepack.rows import AdmittedRow, EmergencyRow, OutpatientRow, ProviderFactor, TopUp, UnbundledRow
from tariff.rulepack.sources import Label
from tariff.rulepack.tables import Origin

load_rules = load_pack
"""The name under which the package offers `load_pack`."""

__all__ = [
    "CONFIDENCES",
    "AdmittedRow",
    "EmergencyRow",
    "Label",
    "Origin",
    "OutpatientRow",
    "OverlayUsed",
    "PackCheck",
    "PacksChecked",
    "ProviderFactor",
    "RulePack",
    "TopUp",
    "UnbundledRow",
    "check_pack",
    "check_packs",
    "find_overlay",
    "find_pack",
    "known_packs",
    "list_packs",
    "load_pack",
    "load_rules",
    "shipped_overlays",
    "shipped_packs",
    "show_pack",
]
