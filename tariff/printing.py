"""What a run prints: counts first, then money, then what to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tariff.money import pounds
from tariff.reasons import OUTCOMES, PRICED

_COMPONENT_WORDS = {
    "base_pence": "base prices",
    "short_stay_pence": "short-stay reductions",
    "long_stay_pence": "long-stay payments",
    "top_up_pence": "specialised top-ups",
    "mff_pence": "market forces",
}


def printed_run(card: Mapping[str, Any]) -> str:
    """A run card in words for a terminal or a log."""
    return "\n".join([*_counts(card), "", *_money(card), *_left_out(card), *_warnings(card)])


def _counts(card: Mapping[str, Any]) -> Iterator[str]:
    counts = card["counts"]
    yield f"{counts['in']:>14,}  lines in"
    for outcome in OUTCOMES:
        yield f"{counts[outcome]:>14,}  {outcome}"
        for reason in card["reasons"]:
            if reason["outcome"] == outcome != PRICED:
                worth = f", worth {pounds(reason['indicative_pence'], whole=True)} if priced" if reason["indicative_pence"] else ""
                yield f"{'':>14}    {reason['lines']:,} {reason['reason']}: {reason['sentence']}{worth}"


def _money(card: Mapping[str, Any]) -> Iterator[str]:
    for name, pence in card["components"].items():
        yield f"{pounds(pence):>22}  {_COMPONENT_WORDS[name]}"
    yield f"{pounds(card['price_pence']):>22}  in all, under {', '.join(pack['label'] for pack in card['packs']) or 'no pack'}"


def _left_out(card: Mapping[str, Any]) -> Iterator[str]:
    """Rules that a pack declares absent, and the pounds that rest on anything weaker than a published or practised figure."""
    for pack in card["packs"]:
        absent = [rule["rule"].replace("_", " ") for rule in pack["rules"] if rule["method"] == "none"]
        if absent:
            yield f"\nNot applied, because rule pack {pack['label']} has no figures for it: {', '.join(absent)}."
    weak: dict[str, int] = {}
    for resting in card["assumptions"]:
        if resting["label"] not in ("published", "practice", "local"):
            weak[resting["label"]] = weak.get(resting["label"], 0) + abs(resting["pence"])
    if weak:
        told = "; ".join(f"{pounds(pence, whole=True)} on {label} figures" for label, pence in sorted(weak.items()))
        yield f"\nResting on less than published figures: {told}. The run card has the list."


def _warnings(card: Mapping[str, Any]) -> Iterator[str]:
    for warning in card["warnings"]:
        yield f"\nWarning: {warning['lines']:,} lines worth {pounds(warning['price_pence'], whole=True)}. {warning['sentence']}"
