from __future__ import annotations

from pathlib import Path

import pytest

from tariff.errors import RulesError
from tariff.payment import load_models, shipped_presets
from tariff.payment.cost_and_volume import CostAndVolume

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


def test_every_preset_loads_and_says_itself() -> None:
    assert shipped_presets() == ["block", "cost-and-volume", "episodic"]
    models = load_models([f"preset:{name}" for name in shipped_presets()])
    assert models.names == shipped_presets()
    assert all(model.words for model in models)


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
    "rate beyond one": (("0.55", "1.2"), 14, "not between 0% and 100%"),
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
