"""What there is to write a models file with: the contract terms and their keys, and the presets that ship. Read from the terms
and presets themselves, so that it stays true."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Final, NamedTuple

from tariff.payment.model_files import PRESET, preset_text, shipped_presets
from tariff.payment.models import TERMS
from tariff.payment.plan_term import PlanTerm
from tariff.payment.term import ContractTerm

EVERY_TERM: Final = ("term", "source", "confidence", "note", "scope")
"""Keys that every term takes."""

AGAINST_A_PLAN: Final = ("against", "unplanned", "settled")
"""Keys that every term takes which pays against a plan."""


class TermGuide(NamedTuple):
    """A contract term: its name, what it does, whether it pays against a plan, the keys it must have and those it may have, and
    what its bounds are measured against."""

    name: str
    about: str
    by_plan: bool
    required: tuple[str, ...]
    optional: tuple[str, ...]
    measured: Mapping[str, str]


class PresetGuide(NamedTuple):
    """A preset: its name and title, its terms, and what it needs beside the priced lines."""

    name: str
    title: str
    terms: tuple[str, ...]
    needs: str


def term_guides() -> list[TermGuide]:
    """Every contract term, in the order of the payment models' file."""
    return [_guide(name, kind) for name, kind in TERMS.items()]


def preset_guides() -> list[PresetGuide]:
    """Every preset that ships, by name."""
    return [_preset(name) for name in shipped_presets()]


def models_text() -> str:
    """The presets and contract terms, for a terminal."""
    presets = [f"  {PRESET}{preset.name:<24} {preset.title}{_needed(preset.needs)}" for preset in preset_guides()]
    terms = [line for term in term_guides() for line in _term_lines(term)]
    told = f"Every term takes {', '.join(EVERY_TERM)}; those that pay against a plan also {', '.join(AGAINST_A_PLAN)}."
    parameters = "A parameter follows the name: preset:cost-and-volume:marginal_rate=50%. Presets hold contract terms only."
    return "\n".join(["Presets", *presets, f"  {parameters}", "", "Contract terms of a models file", *terms, f"  {told}"])


def _term_lines(term: TermGuide) -> list[str]:
    told = [f"keys: {_keys(term)}", *(f"{key}: {words}" for key, words in term.measured.items())]
    return [f"  {term.name:<26} {term.about}", *(f"  {'':<26} {line}" for line in told)]


def _guide(name: str, kind: type[ContractTerm]) -> TermGuide:
    by_plan = issubclass(kind, PlanTerm)
    shared = (*EVERY_TERM, *(AGAINST_A_PLAN if by_plan else ()))
    own = {key: field.is_required() for key, field in kind.model_fields.items() if key not in shared}
    required, optional = (tuple(key for key, needed in own.items() if needed is wanted) for wanted in (True, False))
    return TermGuide(name, kind.about, by_plan, required, optional, kind.measured)


def _preset(name: str) -> PresetGuide:
    """A preset as it is written: some lack figures of one's own and do not load without them."""
    (model,) = tomllib.loads(preset_text(name))["model"]
    written = model.get("terms", [])
    plan = any(issubclass(TERMS[term["term"]], PlanTerm) and term.get("against", "plan") == "plan" for term in written)
    own = [key for term in written for key in _lacking(term)]
    needs = [*["a plan"] * plan, *["pathways of the lines"] * ("pathways" in model), *own]
    return PresetGuide(name, model["title"], tuple(term["term"] for term in written), ", ".join(needs))


def _lacking(written: dict[str, object]) -> list[str]:
    """The keys that a term of a preset needs and leaves to its user."""
    kind = TERMS[str(written["term"])]
    needed = [key for key, field in kind.model_fields.items() if field.is_required() and key not in written]
    return needed + ([" or ".join(kind.one_of)] if kind.one_of and not set(kind.one_of) & set(written) else [])


def _needed(needs: str) -> str:
    return f" (needs {needs})" if needs else ""


def _keys(term: TermGuide) -> str:
    needed = [f"{key} (needed)" for key in term.required]
    return ", ".join([*needed, *term.optional]) or "none of its own"
