from __future__ import annotations

from tariff.payment.guide import models_text, preset_guides, term_guides
from tariff.payment.model_files import shipped_presets
from tariff.payment.models import TERMS


def test_every_term_says_what_it_does_and_what_it_needs() -> None:
    guides = {guide.name: guide for guide in term_guides()}
    assert set(guides) == set(TERMS)
    assert all(guide.about.endswith(".") for guide in guides.values())
    assert guides["marginal_rate"].required == ("rate",)
    assert guides["marginal_rate"].by_plan
    assert guides["capitation"].required == ("per_head", "population")
    assert not guides["capitation"].by_plan
    assert "against" not in guides["block"].optional


def test_every_preset_says_what_it_needs() -> None:
    needs = {guide.name: guide.needs for guide in preset_guides()}
    assert list(needs) == shipped_presets()
    assert needs["episodic"] == ""
    assert needs["block"] == "a plan"
    assert needs["integrated-care-budget"] == "per_head, population"
    assert needs["orthochoice"] == "prices or change"
    assert {guide.name: guide.terms for guide in preset_guides()}["pbr-2013-14"] == ("readmissions", "marginal_rate", "cquin")


def test_the_guide_on_a_terminal_names_them_all() -> None:
    text = models_text()
    assert all(f"  preset:{name} " in text for name in shipped_presets())
    assert all(f"  {name} " in text for name in TERMS)
    assert "ceiling: so much over the elective plan: at 5% no more than 105% of it is paid" in text
    assert max(map(len, text.splitlines())) < 200
