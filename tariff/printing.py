"""What a run prints: counts first, then money, then what to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from tariff.coverage import printed_coverage
from tariff.money import pounds
from tariff.reasons import OUTCOMES, PRICED

if TYPE_CHECKING:
    from tariff.best_practice.budget_of_lines import BudgetTest

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
    known = (_left_out, _coverage, _warnings, _pathways, _evidence)
    return "\n".join([*_counts(card), "", *_money(card), *(line for told in known for line in told(card))])


def _counts(card: Mapping[str, Any]) -> Iterator[str]:
    counts = card["counts"]
    yield f"{counts['in']:>14,}  lines in"
    yield from _attached_items(card.get("attached_items", {}))
    for outcome in OUTCOMES:
        yield f"{counts[outcome]:>14,}  {outcome}"
        yield from (_reason(told) for told in card["reasons"] if told["outcome"] == outcome != PRICED)


def _attached_items(card: Mapping[str, int]) -> Iterator[str]:
    items, also_given, of_another_date = (card.get(name, 0) for name in ("items", "also_given", "of_another_date"))
    if items or also_given:
        left_out = f"; {also_given:,} more came as lines too and are counted once" if also_given else ""
        yield f"{'':>14}    {items:,} of them items written on spells{left_out}"
    if of_another_date:
        told = "of these items have a line of the same spell and currency, but of another date: if they are the same care,"
        yield f"{'':>14}    {of_another_date:,} {told} it is counted twice"


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
        absent = [_not_applied(rule) for rule in pack["rules"] if _not_applied(rule) and _concerns(rule, card)]
        if absent:
            yield f"\nNot applied, because rule pack {pack['label']} has no figures for it: {', '.join(absent)}."
    weak: dict[str, int] = {}
    for resting in card["assumptions"]:
        if resting["label"] not in ("published", "practice", "local"):
            weak[resting["label"]] = weak.get(resting["label"], 0) + resting["pence"]
    if weak:
        told = "; ".join(f"{pounds(pence, whole=True)} on {label} figures" for label, pence in sorted(weak.items()))
        yield f"\nResting on less than published figures, net of reductions: {told}. The run card has the list."


def _not_applied(rule: Mapping[str, Any]) -> str:
    """A rule that the pack declares absent, in all or in some settings; blank for one that it has."""
    name, settings = rule["rule"].replace("_", " "), rule.get("not_paid_in", ())
    if rule["method"] == "none":
        return str(name)
    return f"{name} of {' and '.join(settings).replace('non_', 'non-').replace('_', ' ')} stays" if settings else ""


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
        lines = "1 line" if warning["lines"] == 1 else f"{warning['lines']:,} lines"
        yield f"\nWarning: {lines} worth {pounds(warning['price_pence'], whole=True)}. {warning['sentence']}"


def _pathways(card: Mapping[str, Any]) -> Iterator[str]:
    """Pathways that were to be formed and whose registers were not given."""
    if lacking := (card.get("pathways") or {}).get("without_register"):
        named = ", ".join(f"{name} ({what})" for name, what in lacking.items())
        told = "none of these is formed, save births by their lines"
        yield f"\nWarning: no registers were given (--registers), and pathways need them: {named}; {told}."


def _evidence(card: Mapping[str, Any]) -> Iterator[str]:
    """How much evidence of best practice was used, and what of it was not."""
    if evidence := card.get("evidence"):
        used = f"{evidence['answers_of_lines']:,} answers of lines, {evidence['answers_of_gates']:,} of provider gates"
        yield f"\nEvidence of best practice: {used}."
        for found in evidence["not_used"]:
            shown = f" ({', '.join(found['examples'])})" if found["examples"] else ""
            rows = "1 row" if found["rows"] == 1 else f"{found['rows']:,} rows"
            yield f"\nWarning: {rows} of evidence: {found['sentence']}{shown}."


def printed_budget(found: BudgetTest) -> str:
    """A budget test in words: the base of every HRG, and what is paid as achievement moves."""
    share = f"{found.met:,} of {found.known:,} lines with evidence met it" if found.known else "no line has evidence"
    told = [
        f"{found.tariff}: {share}.",
        "",
        f"Base at which spending is no greater than without it at {_percent(found.neutral_at_bp)}",
    ]
    told.append(f"{'HRG':<8}{'setting':<22}{'lines':>8}{'price':>12}{'addition':>12}{'neutral base':>14}")
    for row in found.bases.iter_rows(named=True):
        amounts = "".join(
            f"{pounds(row[name], whole=row[name] % 100 == 0):>{width}}"
            for name, width in (("price_pence", 12), ("addition_pence", 12), ("neutral_pence", 14))
        )
        setting = row["setting"].replace("_", " ")
        told.append(f"{row['currency'] or 'any':<8}{setting:<22}{row['lines']:>8,}{amounts}")
    if found.left_out:
        why = "no price to lower, one that the addition outweighs, or nothing that tells their row"
        told.append(f"Left out: {found.left_out:,} lines with {why}.")
    without = pounds(found.curve["conventional_pence"][0], whole=True)
    told += ["", f"What commissioners pay with market forces, as achievement moves; {without} without the tariff"]
    told.append(f"{'achievement':>11}{'base as priced':>18}{'neutral base':>18}{'difference':>16}")
    for row in found.curve.iter_rows(named=True):
        as_priced, neutral = (pounds(row[name], whole=True) for name in ("as_priced_pence", "neutral_pence"))
        change = row["neutral_pence"] - row["conventional_pence"]
        difference = ("+" if change > 0 else "") + pounds(change, whole=True)
        told.append(f"{_percent(row['achievement_bp']):>11}{as_priced:>18}{neutral:>18}{difference:>16}")
    return "\n".join(told)


def _percent(share_bp: int) -> str:
    return f"{share_bp / 100:g}%"
