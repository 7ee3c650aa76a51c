"""One priced line in words: each component as a step of a waterfall, the rule that acted, the file and line of the rule pack
it was read from, and how sure we are of it. No arithmetic of its own: every amount is a column of the priced line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.best_practice.standing import OPEN
from tariff.errors import Fault, RulesError, UsageError
from tariff.labels import LOCAL, PASS_THROUGH, Labels
from tariff.money import MILLION, pounds
from tariff.reasons import PRICED, REASON_NUMBER, REASONS, Basis, basis_sentences
from tariff.rulepack.best_practice_rows import CONTRADICTORY, EMERGENCY_SETTING, SETTING

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

_SETTING_WORDS: Final = {
    "day_case": "day case",
    "ordinary_elective": "ordinary elective",
    "non_elective": "non-elective",
    "regular_day": "regular day attender",
    "regular_night": "regular night attender",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One component: what it is, in pence, the rule in words, and where its figures stand."""

    component: str
    pence: int
    rule: str
    where: str
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """One priced line explained. `str()` gives the printed form; no patient identifier is part of it."""

    line: Mapping[str, Any]
    steps: Sequence[Step]
    notes: Sequence[str]

    def __str__(self) -> str:
        line = self.line
        setting = _SETTING_WORDS.get(line["setting"], line["setting"].replace("_", " "))
        stay = f", adjusted stay {_days(line['adjusted_length_of_stay'])}" if line["kind"] == "admitted" else ""
        head = [
            f"Line {line['line_id']} of provider {line['provider']}, for commissioner {line['commissioner']}",
            f"{line['currency'] or 'no HRG'}, {setting}, point of delivery {line['pod']}{stay}, "
            f"completed {line['activity_date'] or 'not yet'}",
            f"Rule pack {line['pack']}" if line["pack"] else "No rule pack",
        ]
        if line["outcome"] != PRICED:
            return "\n".join([*head, "", *self.notes])
        width = max(len(step.component) for step in self.steps)
        body = [text for step in self.steps for text in _printed(step, width)]
        total = f"{'Price':<{width}}  {pounds(line['price_pence']):>16}"
        return "\n".join([*head, "", *body, f"{'':<{width}}  {'─' * 16}", total, *(["", *self.notes] if self.notes else [])])


def _days(count: int | None) -> str:
    return "unknown" if count is None else f"{count} day{'' if count == 1 else 's'}"


def _printed(step: Step, width: int) -> Iterator[str]:
    yield f"{step.component:<{width}}  {pounds(step.pence):>16}  {step.rule}"
    if step.where:
        yield f"{'':<{width}}  {'':>16}  {step.where} · {step.confidence} · {step.source}"


def explain(
    priced: pl.LazyFrame | pl.DataFrame, rules: RulePack | Sequence[RulePack], *, line: str, provider: str | None = None
) -> Waterfall:
    """Explain the priced line whose `line_id` is `line` (and whose provider is `provider`, where several share it).

    `rules` are the packs that priced it. UsageError where no line or several match; RulesError where its pack is not given."""
    row, times = _the_line(priced.lazy(), line, provider)
    repeated = [_REPEATED.format(times=times)] if times > 1 else []
    packs = {pack.label: pack for pack in (rules if isinstance(rules, Sequence) else (rules,))}
    if row["outcome"] != PRICED:
        return Waterfall(row, (), [*_why_not_priced(row), *_in_a_pathway(row), *repeated])
    if row["pack"] not in packs:
        given = ", ".join(packs) or "none"
        raise RulesError(
            "The rule pack that priced the line is not at hand.", [Fault("", f"it is '{row['pack']}'; given: {given}")]
        )
    notes = [*basis_sentences(row["basis"] & _WORTH_SAYING), *best_practice_notes(row, packs[row["pack"]])]
    return Waterfall(row, list(_steps(row, packs[row["pack"]])), [*notes, *_in_a_pathway(row), *repeated])


_WORTH_SAYING: Final = int(
    Basis.LOCAL_PRICE_IGNORED
    | Basis.GROUPING_METHOD_UNKNOWN
    | Basis.STAY_GIVEN
    | Basis.STAY_NETTED
    | Basis.TOP_UP_UNKNOWN
    | Basis.TOP_UP_NOT_ELIGIBLE
    | Basis.DATES_IGNORED
    | Basis.BEST_PRACTICE_UNKNOWN
)
"""Flags that no step speaks of."""


def _the_line(priced: pl.LazyFrame, line: str, provider: str | None) -> tuple[dict[str, Any], int]:
    """The first line of that identifier, and how many there are of it. UsageError where several providers have it, or none."""
    wanted = pl.col("line_id") == line
    if provider is not None:
        wanted &= pl.col("provider") == provider
    found = priced.filter(wanted).drop("patient_id").collect()
    if found.height == 0:
        of = f" of provider '{provider}'" if provider else ""
        raise UsageError("There is no such line.", [Fault("", f"no priced line '{line}'{of}", "check the identifier, as text")])
    providers = sorted(set(found["provider"].drop_nulls()))
    if len(providers) > 1:
        told = [Fault("", f"'{line}' is used by {len(providers):,} providers", f"give --provider {' or '.join(providers[:5])}")]
        raise UsageError("Several lines carry this identifier.", told)
    return found.row(0, named=True), found.height


_REPEATED: Final = "The provider used this identifier {times} times; this is the first of these lines."


def _why_not_priced(row: Mapping[str, Any]) -> Iterator[str]:
    reason = REASONS[REASON_NUMBER[row["reason"]]]
    yield f"Not priced: {reason.outcome}, {reason.code}. {reason.sentence} ({reason.rule})"
    if row["indicative_pence"] is not None:
        yield f"Its value at the best price known would be {pounds(row['indicative_pence'])}; nobody pays it."


def _in_a_pathway(row: Mapping[str, Any]) -> Iterator[str]:
    """What a line is to a pathway, and how much of its price the bundle pays. The rest of the pathway's identifier is not told: a
    register entry's is made of the patient's."""
    if not row.get("pathway_id"):
        return
    definition, provider, _ = row["pathway_id"].split(":", 2)
    place = row["pathway_category"]
    words = _PLACE_WORDS.get(place) or f"outside it ({place.removeprefix('outside_').replace('_', ' ')}), paid by itself"
    paid = row["pathway_pence"]
    told = f" Where pathways are paid as a whole, the bundle pays {pounds(paid)} of this price." if paid else ""
    yield f"Pathway {definition} of provider {provider}: {words}.{told}"


_PLACE_WORDS: Final = {
    "anchor": "its anchor",
    "inside": "inside it",
    "prorated": "a stay that crosses its end, inside for its days",
    "warranty": "a complication after its end, inside by its warranty",
}
"""What a line inside a pathway is to it."""


def _steps(row: Mapping[str, Any], pack: RulePack) -> Iterator[Step]:
    if row["basis"] & Basis.LOCAL_PRICE:
        yield Step("Local price", row["base_pence"], "paid as given with the activity, no market forces factor", "", *LOCAL)
        return
    if row["basis"] & Basis.PASS_THROUGH:
        yield Step("Pass-through", row["base_pence"], "at cost, no market forces factor (RULES 1.9)", "", *PASS_THROUGH)
        return
    labels = Labels(pack)
    number, setting = row["price_row"], row["setting"]
    best = row["best_practice_row"] if labels.best_practice(row["best_practice_row"], row["basis"]) else 0
    where = str(labels.price_row(row["kind"], setting, number).origin) if number else "" if best else "the pack's default"
    if best:
        where = " and ".join(filter(None, (where, str(labels.best_practice_row(best).origin))))
    label = labels.price(row["kind"], setting, row["pod"], row["basis"], number, row["best_practice_row"])
    yield Step(
        "Base price", row["base_pence"], _price_in_words(row, labels) + _with_best_practice(row, labels, best), where, *label
    )
    if row["basis"] & Basis.SHORT_STAY:
        rule = "reduced short-stay emergency price instead of the full one (RULES 1.4)"
        yield Step("Short stay", row["short_stay_pence"], rule, where, *labels.short_stay(number))
    if row["basis"] & Basis.LONG_STAY:
        per_day = pack.admitted[number - 1].per_day_long_stay or 0
        rule = f"{_days(row['excess_days'])} beyond the trim point of {row['trim_point']}, at {pounds(per_day)} a day (RULES 1.5)"
        yield Step("Long stay", row["long_stay_pence"], rule, where, *labels.long_stay(number, setting))
    if row["top_up_row"]:
        top_up = pack.top_ups[row["top_up_row"] - 1]
        on = "price and long stay" if row["basis"] & Basis.TOP_UP_ON_LONG_STAY else "price"
        rule = f"{top_up.name}, {top_up.percent / 100:g}% on the {on} (RULES 1.6)"
        yield Step("Top-up", row["top_up_pence"], rule, str(top_up.origin), *labels.top_up(row["top_up_row"]))
    yield from _market_forces(row, pack, labels)


def _with_best_practice(row: Mapping[str, Any], labels: Labels, number: int) -> str:
    """What best practice makes of a base price; nothing where it makes nothing of it."""
    if not number:
        return ""
    paid = labels.best_practice_row(number)
    if not row["basis"] & Basis.BEST_PRACTICE:
        return f"; at the price for lines that do not meet {paid.tariff} (RULES 3.1)"
    if paid.addition is not None:
        return f", with {pounds(paid.addition)} on top for best practice, {paid.tariff} (RULES 3.1)"
    return f"; at the best-practice price of {paid.tariff} (RULES 3.1)"


def best_practice_notes(row: Mapping[str, Any], pack: RulePack) -> Iterator[str]:
    """What a line stands at with each best-practice tariff that covers it, the criteria that failed or are open in words and
    where they stand in the pack, and what that earned, cost, or leaves at stake."""
    if not row.get("best_practice_tariff"):
        return
    names = {paid.tariff: paid.name for paid in reversed(pack.best_practice)}
    statuses = row["best_practice_status"].split(";")
    for tariff, status in zip(row["best_practice_tariff"].split(";"), statuses, strict=True):
        told = "; ".join([status.replace("_", " "), *_why_so(row, tariff, pack, status)])
        yield f"Best practice {names[tariff]} ({tariff}): {told}."
    for column, words in _WORTH_OF_BEST_PRACTICE.items():
        if row[column]:
            yield f"{words} {pounds(row[column])}, with market forces."


def _why_so(row: Mapping[str, Any], tariff: str, pack: RulePack, status: str) -> Iterator[str]:
    """What keeps a line from meeting a tariff: what failed, with where the pack asks for it, what nothing is known of, and where
    the evidence contradicts itself."""
    asked = {criterion.criterion: criterion for criterion in pack.best_practice_criteria if criterion.tariff == tariff}
    parts = (text.partition(":") for text in (row["best_practice_missing"] or "").split(";"))
    missing = [name for of, _, name in parts if of == tariff]
    named = [name for name in missing if name in asked]
    if CONTRADICTORY in missing:
        against = f"itself: met as a whole, though not: {'; '.join(asked[name].name for name in named)}"
        whole = "itself: not met as a whole, though every criterion is" if asked else "what the line itself shows"
        yield f"the evidence contradicts {against if named else whole}"
        return
    if status == "not_met":
        failed = [f"{asked[name].name} ({asked[name].origin})" for name in named]
        failed += [_elsewhere_in_words(row, tariff, pack)] if SETTING in missing else []
        yield f"failed: {'; '.join(failed) or 'the evidence names no criterion'}"
        named = [name.removesuffix(OPEN) for name in missing if name.endswith(OPEN)]
    if named:
        yield f"nothing is known of: {'; '.join(asked[name].name for name in named)}"
    elif status == "no_evidence":
        yield "the evidence says nothing usable of it"


def _elsewhere_in_words(row: Mapping[str, Any], tariff: str, pack: RulePack) -> str:
    """What keeps care from a price by setting: the stay, where the setting is one that it pays for."""
    here = {row["setting"], EMERGENCY_SETTING if row["setting"] == "non_elective" else row["setting"]}
    longest = [
        paid.maximum_stay_days
        for paid in pack.best_practice
        if paid.tariff == tariff and paid.currency == row["currency"] and here & set(paid.settings)
    ]
    if longest and longest[0] is not None:
        return f"the stay was {_days(row['adjusted_length_of_stay'])}, and the price is of {_days(longest[0])} at most"
    return "the care was given in another setting"


_WORTH_OF_BEST_PRACTICE: Final = {
    "best_practice_pence": "Best practice makes this difference to the price:",
    "best_practice_lost_pence": "What failed cost",
    "best_practice_at_stake_pence": "What nothing is known of would be worth",
}


def _price_in_words(row: Mapping[str, Any], labels: Labels) -> str:
    """What the base price is a price of, by kind of activity."""
    kind, basis = row["kind"], row["basis"]
    if kind == "admitted":
        setting = "combined day case and ordinary elective" if basis & Basis.COMBINED else _SETTING_WORDS[row["setting"]]
        return f"{setting} price of {row['currency']} (RULES 1.3)"
    if basis & Basis.OUTPATIENT_PROCEDURE:
        return f"outpatient procedure price of {row['currency']}, instead of the attendance (RULES 2.2)"
    if kind == "outpatient":
        instead = f"; {row['currency']} has no outpatient price" if basis & Basis.PROCEDURE_AS_ATTENDANCE else ""
        which = "default price of" if basis & Basis.DEFAULT_PRICE else "price of"
        professionals = "multi-professional" if basis & Basis.MULTI_PROFESSIONAL else "single-professional"
        where = ", not face to face" if basis & Basis.NON_FACE_TO_FACE else ""
        stage = "a follow-up" if "FUP" in row["pod"] else "a first attendance"
        return f"{which} {stage}, {professionals}{where}, treatment function {row['treatment_function']}{instead} (RULES 2.1)"
    if kind == "emergency":
        paid = labels.price_row(kind, row["setting"], row["price_row"]).currency
        simplest = f", paid at the simplest currency, {paid}" if basis & Basis.SIMPLEST_CURRENCY else ""
        return f"emergency care price of {row['currency']}{simplest} (RULES 2.5)"
    unit = labels.price_row(kind, row["setting"], row["price_row"]).unit or "unit"
    return f"{row['units']:,} × price per {unit.replace('_', ' ')} of {row['currency']} (RULES 1.9)"


def _market_forces(row: Mapping[str, Any], pack: RulePack, labels: Labels) -> Iterator[Step]:
    rule = pack.rules.market_forces_factor
    if row["basis"] & Basis.MARKET_FORCES_INCLUDED:
        yield Step("Market forces", 0, "none: the price already holds local market forces", "", rule.confidence, rule.source)
        return
    if rule.method == "none":
        yield Step("Market forces", 0, "factor 1: the pack has no market forces factors", "", rule.confidence, rule.source)
        return
    found = labels.factor_row(row["provider"])
    factor = f"factor {row['mff_millionths'] / MILLION:.6f} (RULES 1.7)"
    where = str(found.origin) if found else "the pack's default"
    yield Step("Market forces", row["mff_pence"], factor, where, *labels.market_forces(row["provider"]))
