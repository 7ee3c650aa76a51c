from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tariff.errors import RulesError
from tariff.payment import check_plan, gather_cells, load_models, settle, shipped_presets
from tariff.payment.cost_and_volume import CostAndVolume
from tariff.rulepack.parameters import load_parameters

GOOD = """
schema = 1

[[model]]
name = "tariff"
title = "Tariff"

[[model]]
name = "shared"
title = "Shared growth"

[[model.terms]]
term = "cost_and_volume"
marginal_rate = 0.55
unplanned = "tariff"
source = "contract, schedule 3"
confidence = "local"
"""


@pytest.fixture
def models_file(tmp_path: Path) -> Path:
    return tmp_path / "models.toml"


def refused(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        load_models(path)
    return str(caught.value)


SOURCED = '[[model.terms]]\nsource = "s"\nconfidence = "local"\n'
COST = SOURCED + 'term = "cost_and_volume"\nmarginal_rate = "70%"\n'
RATE = SOURCED + 'term = "marginal_rate"\nrate = "30%"\n'

NAMED = (
    "pbr-2009-10 pbr-2010-11 pbr-2011-12 pbr-2012-13 pbr-2013-14 ntps-2014-15 eto-2015-16 dtr-2015-16 ntps-2016-17 ntps-2017-18 "
    "ntps-2018-19 blended-2019-20 block-2020-21 api-2022-23 nhsps-2023-25 nhsps-2025-26 orthochoice bpci-like "
    "integrated-care-budget block cost-and-volume episodic pathways"
)
OWN_FIGURES = {
    "orthochoice": "orthochoice:prices={prices}",
    "integrated-care-budget": "integrated-care-budget:per_head=900:population={people}",
}
"""Presets that rest on figures only the user has."""


def test_every_preset_loads_and_says_itself(tmp_path: Path) -> None:
    assert set(shipped_presets()) == set(NAMED.split())
    prices, people = tmp_path / "prices.csv", tmp_path / "people.csv"
    prices.write_text("currency,price\nHN12F,6500\n", encoding="utf-8")
    people.write_text("commissioner,registered\nXC1,1000\n", encoding="utf-8")
    specs = [OWN_FIGURES.get(name, name).format(prices=prices, people=people) for name in shipped_presets()]
    models = load_models([f"preset:{spec}" for spec in specs])
    assert models.names == shipped_presets()
    assert all(model.words for model in models)
    assert "prices.csv" in [origin.name for origin in models.origins]


@pytest.mark.parametrize("name", OWN_FIGURES)
def test_a_preset_that_lacks_figures_of_ones_own_asks_for_them(name: str) -> None:
    with pytest.raises(RulesError) as caught:
        load_models(f"preset:{name}")
    assert f"preset:{name}:NAME=VALUE" in str(caught.value) or f"give it as preset:{name}:population=" in str(caught.value)


# preset, parameter of rules/parameters.csv, the day, the field that holds it
FIGURES = [
    *((f"pbr-{year}-{year + 1 - 2000}", "cquin", f"{year}-06-01", "rate") for year in range(2009, 2014)),
    *((f"pbr-{year}-{year + 1 - 2000}", "marginal_rate_emergency", f"{year}-06-01", "rate") for year in range(2010, 2014)),
    ("ntps-2014-15", "marginal_rate_emergency", "2014-06-01", "rate"),
    ("eto-2015-16", "marginal_rate_emergency", "2015-06-01", "rate"),
    *((f"ntps-{year}-{year + 1 - 2000}", "marginal_rate_emergency", f"{year}-06-01", "rate") for year in range(2016, 2019)),
    *((f"ntps-{year}-{year + 1 - 2000}", "cquin", f"{year}-06-01", "rate") for year in range(2016, 2019)),
    ("pbr-2011-12", "readmission_least_cut", "2011-06-01", "other_share"),
    ("blended-2019-20", "blended_emergency_variable_share", "2019-06-01", "variable_share"),
    ("blended-2019-20", "cquin", "2019-06-01", "rate"),
    ("api-2022-23", "elective_variable_share", "2022-06-01", "variable_share"),
    ("api-2022-23", "elective_clawback_floor", "2022-06-01", "floor"),
    ("api-2022-23", "cquin", "2022-06-01", "rate"),
    ("nhsps-2023-25", "elective_variable_share", "2023-06-01", "variable_share"),
    ("nhsps-2023-25", "low_volume_threshold", "2024-06-01", "low_value_threshold"),
    ("nhsps-2025-26", "elective_variable_share", "2025-06-01", "variable_share"),
    ("nhsps-2025-26", "low_volume_threshold", "2025-06-01", "low_value_threshold"),
]
TERM_OF = {"cquin": {"cquin", "withhold"}, "marginal_rate_emergency": {"marginal_rate"}}


@pytest.mark.parametrize(("preset", "parameter", "day", "field"), FIGURES)
def test_a_preset_holds_the_dated_figure(preset: str, parameter: str, day: str, field: str) -> None:
    dated = load_parameters().on(parameter, date.fromisoformat(day))
    (model,) = load_models(f"preset:{preset}")
    held = [
        term
        for term in model.terms
        if getattr(term, field, None) is not None and term.term in TERM_OF.get(parameter, {term.term})
    ]
    assert dated is not None
    assert [getattr(term, field) for term in held] == [dated.value]
    if parameter != "low_volume_threshold":
        assert [term.confidence for term in held] == [dated.confidence]


def test_a_preset_with_an_invented_figure_says_so() -> None:
    (model,) = load_models("preset:cost-and-volume")
    assert model.terms[0].confidence == "illustrative"
    assert "illustrative" in model.words


def test_a_parameter_replaces_the_figure_and_its_label() -> None:
    (model,) = load_models("preset:cost-and-volume:marginal_rate=50%:unplanned=tariff")
    (term,) = model.terms
    assert isinstance(term, CostAndVolume)
    assert (term.marginal_rate, term.unplanned, term.confidence) == (5_000, "tariff", "local")
    assert "70%" not in model.note


def test_presets_and_files_in_one_list_keep_their_order(models_file: Path) -> None:
    models_file.write_text(GOOD, encoding="utf-8")
    models = load_models(f"preset:block, {models_file},preset:episodic")
    assert models.names == ["block", "tariff", "shared", "episodic"]
    assert [origin.name for origin in models.origins] == ["preset:block", str(models_file), "preset:episodic"]
    (term,) = models["shared"].terms
    assert isinstance(term, CostAndVolume)
    assert term.marginal_rate == 5_500  # a TOML number never passes through a float


def test_line_ends_do_not_change_the_digest(models_file: Path) -> None:
    models_file.write_bytes(GOOD.encode())
    before = load_models(models_file).origins[0].digest
    models_file.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert load_models(models_file).origins[0].digest == before


# what is done to GOOD, and what must be told: line, words
FAULTS = {
    "misspelt term": (('term = "cost_and_volume"', 'term = "cost_and_volum"'), 13, "did you mean 'cost_and_volume'?"),
    "unknown key": (('source = "contract', 'sauce = "contract'), 16, "did you mean 'source'?"),
    "unknown key of a model": (('title = "Tariff"', 'titel = "Tariff"'), 6, "did you mean 'title'?"),
    "no rate": (("marginal_rate = 0.55\n", ""), 12, "'marginal_rate' is missing"),
    "ambiguous rate": (("0.55", "55"), 14, "55 is not a share"),
    "negative rate": (("0.55", '"-10%"'), 14, "not between 0% and 100%"),
    "rate beyond one": (("0.55", '"120%"'), 14, "not between 0% and 100%"),
    "rate that may be meant either way": (("0.55", "1.2"), 14, "may mean 1.2% or 120%"),
    "no confidence": (('confidence = "local"\n', ""), 12, "'confidence' is missing"),
    "unknown confidence": (('"local"', '"locla"'), 17, "did you mean 'local'?"),
    "unknown handling of the unplanned": (('"tariff"\nsource', '"ignore"\nsource'), 15, "known: refuse, tariff"),
    "no schema": (("schema = 1\n", ""), 1, "'schema' is missing"),
    "wrong schema": (("schema = 1", "schema = 2"), 2, "known: 1"),
    "bad name": (('name = "shared"', 'name = "Shared growth!"'), 9, "use a-z, 0-9 and single hyphens"),
    "not TOML": (('name = "shared"', "name = shared"), 9, "not TOML"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_file_and_line(models_file: Path, fault: str) -> None:
    (old, new), line, words = FAULTS[fault]
    assert old in GOOD
    told = refused(
        models_file, GOOD.replace(old, new, 1) if fault != "unknown handling of the unplanned" else GOOD.replace(old, new)
    )
    assert f"{models_file}:{line}:" in told
    assert words in told


def test_two_terms_that_settle_the_same_lines_are_refused(models_file: Path) -> None:
    block = '\n[[model.terms]]\nterm = "block"\nsource = "contract"\nconfidence = "local"\n'
    told = refused(models_file, GOOD + block)
    assert "paid twice" in told
    assert f"{models_file}:8:" in told


MARGINAL = """
[[model.terms]]
term = "marginal_rate"
rate = "30%"
source = "s"
confidence = "local"
"""
# what follows a model without terms, and what must be told: line, words
BAD_TERMS = {
    "overlapping scopes": (
        MARGINAL + MARGINAL.replace("marginal_rate", "block").replace('rate = "30%"', 'scope = { pods = ["NEL", "EL"] }'),
        3,
        "marginal_rate and block both settle what is paid for some lines: it would be paid twice",
    ),
    "negative cap": (
        MARGINAL.replace("marginal_rate", "cap_and_collar").replace('rate = "30%"', 'cap = "-5%"'),
        10,
        "'-5%' is negative",
    ),
    "no bound": (
        MARGINAL.replace("marginal_rate", "cap_and_collar").replace('rate = "30%"\n', ""),
        8,
        "neither a cap nor a collar",
    ),
    "unknown pod": (MARGINAL + 'scope = { pods = ["NELL"] }\n', 13, "'NELL' is not a point of delivery; known: "),
    "unknown part of a scope": (MARGINAL + 'scope = { pod = ["NEL"] }\n', 13, "did you mean 'pods'?"),
    "unknown part of a scope, written as a table": (
        MARGINAL + "[model.terms.scope]\nmonth = [1]\n",
        14,
        "did you mean 'months'?",
    ),
    "month 13": (MARGINAL + "scope = { months = [13] }\n", 13, "13 is not a month"),
    "tiers that fall": (
        MARGINAL.replace('"marginal_rate"', '"cost_and_volume"').replace("rate =", "marginal_rate =")
        + 'tiers = [{ above = "5%", rate = "50%" }, { above = "2%", rate = "0%" }]\n',
        8,
        "the tiers do not rise",
    ),
    "a file that is not there": (MARGINAL + 'against = "nowhere.csv"\n', 13, "the file 'nowhere.csv' is not there"),
    "prices after payments": (
        MARGINAL + MARGINAL.replace("marginal_rate", "local_price").replace('rate = "30%"', 'change = "-3%"'),
        3,
        "the term local_price sets prices: put it before marginal_rate",
    ),
    "a price below nothing": (
        MARGINAL.replace("marginal_rate", "local_price").replace('rate = "30%"', 'change = "-100.01%"'),
        10,
        "takes more than all of it off",
    ),
    "prices after readmissions": (
        MARGINAL.replace("marginal_rate", "readmissions").replace("rate =", "other_share =")
        + MARGINAL.replace("marginal_rate", "local_price").replace('rate = "30%"', 'change = "-3%"'),
        3,
        "the term local_price sets prices: put it before readmissions",
    ),
    "a gate without a score": (
        MARGINAL.replace("marginal_rate", "gain_share").replace('rate = "30%"', "acceptable = 5"),
        8,
        "a quality gate needs both",
    ),
}


@pytest.mark.parametrize("fault", BAD_TERMS)
def test_bad_terms_are_refused_by_file_and_line(models_file: Path, fault: str) -> None:
    terms, line, words = BAD_TERMS[fault]
    told = refused(models_file, 'schema = 1\n\n[[model]]\nname = "m"\ntitle = "M"\n\n' + terms)
    assert words in told
    assert f"{models_file}:{line}:" in told


def test_scopes_side_by_side_may_each_be_settled(models_file: Path) -> None:
    block = MARGINAL.replace("marginal_rate", "block").replace('rate = "30%"', 'scope = { pods = ["EL", "DC"] }')
    models_file.write_text('schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n' + MARGINAL + block, encoding="utf-8")
    assert len(load_models(models_file).models[0].terms) == 2


def test_every_fault_is_told_at_once(models_file: Path) -> None:
    broken = GOOD.replace("0.55", "55").replace('confidence = "local"', 'confidence = "sure"').replace('title = "Tariff"\n', "")
    told = refused(models_file, broken)
    assert "3 faults" in told


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(RulesError, match="2 models are called 'block'"):
        load_models("preset:block,preset:block")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("preset:blok", "did you mean 'block'?"),
        ("block", "did you mean 'preset:block'?"),
        ("nowhere.toml", "cannot be read"),
        ("", "no payment models are given"),
        ("preset:block:rate=3", "has no parameter 'rate'"),
        ("preset:cost-and-volume:marginal_rat=50%", "did you mean 'marginal_rate'?"),
        ("preset:cost-and-volume:marginal_rate", "is not a parameter"),
        ("preset:cost-and-volume:marginal_rate=lots", "'lots' is not a number"),
    ],
)
def test_models_that_cannot_be_found(spec: str, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        load_models(spec)
    assert words in str(caught.value)


def test_what_stops_a_model_of_a_file_is_told_with_its_line(models_file: Path, priced_lines: Callable[..., pl.DataFrame]) -> None:
    """A plan that lacks a provider, and no plan at all: by the line of the term that needs it."""
    block = MARGINAL.replace("marginal_rate", "block").replace('rate = "30%"\n', "")
    models_file.write_text('schema = 1\n\n[[model]]\nname = "m"\ntitle = "M"\n\n' + block, encoding="utf-8")
    cells = gather_cells(priced_lines({"base_pence": 5}, {"base_pence": 7, "provider": "XP2"}).lazy())
    plan = pl.DataFrame({"commissioner": ["XC1"], "provider": ["XP1"], "financial_year": ["2024-25"], "pence": [5]})
    with pytest.raises(RulesError) as lacking:
        settle(cells, load_models(models_file), check_plan(plan))
    assert f"{models_file}:9: model 'm': the plan has no row for commissioner XC1, provider XP2" in str(lacking.value)
    with pytest.raises(RulesError) as absent:
        settle(cells, load_models([models_file, "preset:block"]))
    assert f"{models_file}:9: models 'm', 'block': its contract terms pay against a plan, and none is given" in str(absent.value)


def test_a_scope_that_holds_no_line_is_noted(models_file: Path, priced_lines: Callable[..., pl.DataFrame]) -> None:
    cquin = MARGINAL.replace("marginal_rate", "cquin") + 'scope = { providers = ["XP9"] }\n'
    models_file.write_text('schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n' + cquin, encoding="utf-8")
    (ledger,) = settle(gather_cells(priced_lines({"base_pence": 5}).lazy()), load_models(models_file))
    assert ledger.notes == ("The term cquin governs none of the priced lines for providers XP9.",)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("pathways = 3", 'pathways takes a list, not 3\n    put it in square brackets, such as pathways = ["..."]'),
        ("pathways = [3]", "pathways takes text, not 3"),
        ("terms = 3", "terms takes a list, not 3\n    begin each term with [[model.terms]]"),
        ("terms = [3]", "terms takes tables, not 3"),
        (f"{COST}tiers = 3", "term 1: tiers takes a list, not 3\n    give tables in a list: tiers = [{ above"),
        (f"{COST}tiers = [3]", "term 1: tiers takes tables, not 3"),
        (f"{COST}scope = 3", "term 1: scope takes tables, not 3"),
        (f"{COST}scope = {{ pods = 3 }}", "scope: pods takes a list, not 3"),
        (f'{COST}scope = {{ months = ["x"] }}', "scope: months takes whole numbers, not 'x'"),
        (f"{COST}note = 3", "term 1: note takes text, not 3"),
        (f"{RATE}best_practice_outside = 3", "term 1: best_practice_outside takes a list, not 3"),
        (f"{RATE}against = 3", "term 1: against: 3 is not the name of a file"),
        (f"{RATE}low = 3", "'low' is not known here"),
    ],
)
def test_a_value_of_another_type_is_told_in_words(tmp_path: Path, written: str, told: str) -> None:
    text = refused(tmp_path / "m.toml", f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{written}\n')
    assert "1 fault" in text
    assert told in text
