"""What a run prints: counts first, then money, then what to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tariff.coverage import printed_coverage
from tariff.money import pounds
from tariff.reasons import OUTCOMES, PRICED

_COMPONENT_WORDS = {
    "base_pence": "base prices",
    "short_stay_pence": "short-stay reductions",
    "long_stay_pence": "long-stay payments",
    "top_up_pence": "specialised top-ups",
    "mff_pence": "market forces",
}

_ADMITTED_ONLY: Final = dict.fromkeys(("setting", "short_stay", "long_stay", "top_up"), frozenset({"admitted"}))
_RULES_OF_KINDS: Final = {**_ADMITTED_ONLY, **{kind: frozenset({kind}) for kind in ("outpatient", "emergency", "unbundled")}}
"""The kinds of activity that a rule is about, where it is not about all: what a run lacks for others is no news."""


def printed_run(card: Mapping[str, Any]) -> str:
    """A run card in words for a terminal or a log."""
    return "\n".join([*_counts(card), "", *_money(card), *_left_out(card), *_coverage(card), *_warnings(card), *_evidence(card)])


def _counts(card: Mapping[str, Any]) -> Iterator[str]:
    counts = card["counts"]
    yield f"{counts['in']:>14,}  lines in"
    items, also_given = (card.get("attached_items", {}).get(name, 0) for name in ("items", "also_given"))
    if items or also_given:
        left_out = f"; {also_given:,} more came as lines too and are counted once" if also_given else ""
        yield f"{'':>14}    {items:,} of them items written on spells{left_out}"
    for outcome in OUTCOMES:
        yield f"{counts[outcome]:>14,}  {outcome}"
        yield from (_reason(told) for told in card["reasons"] if told["outcome"] == outcome != PRICED)


def _reason(told: Mapping[str, Any]) -> str:
    worth = f" Worth {pounds(told['indicative_pence'], whole=True)} if priced." if told["indicative_pence"] else ""
    return f"{'':>14}    {told['lines']:,} {told['reason']}: {told['sentence']}{worth}"


def _money(card: Mapping[str, Any]) -> Iterator[str]:
    for name, pence in card["components"].items():
        yield f"{pounds(pence):>22}  {_COMPONENT_WORDS[name]}"
    acting = ", ".join(pack["label"] for pack in _acting(card)) or "no rule pack"
    yield f"{pounds(card['price_pence']):>22}  in all, under {acting}"


def _acting(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The packs that priced a line; the one that was named, where it priced none."""
    packs = card["packs"]
    return packs if len(packs) == 1 else [pack for pack in packs if pack["lines_priced"]]


def _left_out(card: Mapping[str, Any]) -> Iterator[str]:
    """Rules that a pack declares absent, and the pounds that rest on anything weaker than a published or practised figure."""
    for pack in _acting(card):
        absent = [rule["rule"].replace("_", " ") for rule in pack["rules"] if rule["method"] == "none" and _concerns(rule, card)]
        if absent:
            yield f"\nNot applied, because rule pack {pack['label']} has no figures for it: {', '.join(absent)}."
    weak: dict[str, int] = {}
    for resting in card["assumptions"]:
        if resting["label"] not in ("published", "practice", "local"):
            weak[resting["label"]] = weak.get(resting["label"], 0) + abs(resting["pence"])
    if weak:
        told = "; ".join(f"{pounds(pence, whole=True)} on {label} figures" for label, pence in sorted(weak.items()))
        yield f"\nResting on less than published figures: {told}. The run card has the list."


def _concerns(rule: Mapping[str, Any], card: Mapping[str, Any]) -> bool:
    """Whether a rule is about activity that this run priced. Unbundled items may be written on spells."""
    kinds = {facts["kind"] for facts in card["inputs"]}
    kinds |= {"unbundled"} if card.get("attached_items", {}).get("items") else set()
    return not _RULES_OF_KINDS.get(rule["rule"], kinds).isdisjoint(kinds)


def _coverage(card: Mapping[str, Any]) -> Iterator[str]:
    """What the pack covers of another year's activity, where dates were ignored."""
    if card.get("coverage"):
        yield "\n" + "\n".join(printed_coverage(card["coverage"]))


def _warnings(card: Mapping[str, Any]) -> Iterator[str]:
    for warning in card["warnings"]:
        yield f"\nWarning: {warning['lines']:,} lines worth {pounds(warning['price_pence'], whole=True)}. {warning['sentence']}"


def _evidence(card: Mapping[str, Any]) -> Iterator[str]:
    """How much evidence of best practice was used, and what of it was not."""
    if evidence := card.get("evidence"):
        used = f"{evidence['answers_of_lines']:,} answers of lines, {evidence['answers_of_gates']:,} of provider gates"
        yield f"\nEvidence of best practice: {used}."
        for found in evidence["not_used"]:
            shown = f" ({', '.join(found['examples'])})" if found["examples"] else ""
            yield f"\nWarning: {found['rows']:,} rows of evidence: {found['sentence']}{shown}."
