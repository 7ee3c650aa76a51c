"""`tariff compare` from files on disk: models of one's own, pathways and readmissions wherever they stand, any baseline and any
grouping."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

MODELS = """schema = 1
[[model]]
name = "by-line"
title = "By the line"
[[model]]
name = "bundled"
title = "Bundled"
pathways = ["all"]
[[model]]
name = "readmissions"
title = "Readmissions"
[[model.terms]]
term = "readmissions"
source = "a test"
confidence = "local"
"""
HIP = {
    "patient_id": "P1",
    "hrg": "FZ18K",
    "treatment_function": "100",
    "admission_date": "2017-06-01",
    "discharge_date": "2017-06-04",
    "gp_practice": "G1",
}
BACK = {
    "patient_id": "P1",
    "hrg": "EB12C",
    "treatment_function": "300",
    "admission_method": "21",
    "admission_date": "2017-06-20",
    "discharge_date": "2017-06-21",
}


@pytest.fixture
def priced(tariff, spells) -> Path:
    """Priced lines with an emergency readmission, their tables beside them."""
    Path("models.toml").write_text(MODELS, encoding="utf-8")
    done = tariff("price", spells(HIP, BACK), "--rules", "example", "--pathways", "active", "--out", "priced.parquet")
    assert done.code == 0, done.err
    return Path("priced.parquet")


def totals(folder: str) -> dict[str, int]:
    card = json.loads(Path(folder, "run_card.json").read_text(encoding="utf-8"))
    return {told["model"]: told["pence"] for told in card["totals"]}


def test_tables_are_found_beside_the_lines_or_where_they_are_said_to_be(tariff, priced):
    arguments = ["--models", "models.toml", "--no-suppress"]
    done = tariff("compare", priced, *arguments, "--out", "beside")
    assert done.code == 0, done.err
    assert totals("beside")["readmissions"] < totals("beside")["by-line"]
    Path("elsewhere").mkdir()
    shutil.copy(priced, "elsewhere/lines.parquet")
    lost = tariff("compare", "elsewhere/lines.parquet", *arguments, "--out", "lost")
    assert lost.code == 4
    assert "model 'bundled': it pays pathways, and the priced lines come without them" in lost.err
    assert "model 'readmissions': the priced lines come without their readmissions" in lost.err
    tables = ["--pathways", "priced.pathways.parquet", "--readmissions", "priced.readmissions.parquet"]
    said = tariff("compare", "elsewhere/lines.parquet", *arguments, *tables, "--out", "said")
    assert said.code == 0, said.err
    assert totals("said") == totals("beside")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nowhere.parquet", "nowhere.parquet: not found"),
        ("models.toml", "models.toml: is not a whole Parquet file"),
        ("priced.parquet", "these are not pathways\n  priced.parquet: lacks the columns definition, lead_provider, change_pence"),
    ],
)
def test_a_table_that_is_none_is_refused(tariff, priced, listing, given, told):
    before = listing()
    done = tariff("compare", priced, "--models", "models.toml", "--pathways", given, "--out", "report")
    assert (done.code, done.out) == (3, "")
    assert told in done.err
    assert listing() == before


def test_a_file_given_twice_is_refused(tariff, priced, listing):
    before = listing()
    for again in (priced, f"./{priced}"):
        done = tariff("compare", priced, again, "--models", "preset:episodic", "--out", "report")
        assert done.code == 3
        assert "is given more than once" in done.err
    assert listing() == before


@pytest.mark.parametrize(
    ("more", "told"), [([], "A few lines with an identifier that came before"), (["--no-suppress"], "2 lines worth £")]
)
def test_lines_that_came_in_another_file_are_counted_and_told(tariff, priced, more, told):
    shutil.copy(priced, "copy.parquet")
    done = tariff("compare", priced, "copy.parquet", "--models", "preset:episodic", *more, "--out", "report")
    assert done.code == 0, done.err
    assert f"Warning: {told}" in done.out
    assert told in Path("report/report.html").read_text(encoding="utf-8")
    card = json.loads(Path("report/run_card.json").read_text(encoding="utf-8"))
    assert card["repeated_keys"] == {"lines": 2, "price_pence": pl.read_parquet(priced)["price_pence"].sum()}
    assert any(note.startswith("Warning: ") for note in card["notes"])


def test_lines_that_one_run_counted_as_repeated_are_told_from_its_card(tariff, spells):
    assert tariff("price", spells(HIP, HIP | {"spell_id": "S1"}), "--rules", "example", "--out", "p.parquet").code == 0
    assert pl.read_parquet("p.parquet")["line_id"].n_unique() == 1
    done = tariff("compare", "p.parquet", "--models", "preset:episodic", "--no-suppress", "--out", "report")
    assert "Warning: 1 line worth £" in done.out


def test_a_file_by_two_keys_and_the_page_hide_alike(tariff, spells):
    """Whole-contract rows: what one provider's pathways are paid would be the total's rest beside another's."""
    many = [{**HIP, "patient_id": f"A{number}", "provider": "ZZA"} for number in range(20)]
    few = [{**HIP, "patient_id": f"B{number}", "provider": "ZZB"} for number in range(3)]
    few += [{**BACK, "patient_id": f"C{number}", "provider": "ZZC"} for number in range(3)]
    Path("models.toml").write_text(MODELS, encoding="utf-8")
    assert tariff("price", spells(*many, *few), "--rules", "example", "--pathways", "active", "--out", "p.parquet").code == 0
    done = tariff("compare", "p.parquet", "--models", "models.toml", "--by", "provider,pod", "--out", "report")
    assert done.code == 0, done.err
    told = pl.read_csv("report/comparison.csv", infer_schema=False)
    whole = told.filter(pl.col("pod").is_null() & (pl.col("model") == "bundled"))
    paid = dict(whole.select("provider", "pounds").iter_rows())
    assert paid["ZZB"] == paid["ZZA"] == "[c]"


def test_any_model_may_be_the_baseline(tariff, priced):
    done = tariff("compare", priced, "--models", "models.toml", "--baseline", "readmissions", "--out", "report", "--no-suppress")
    assert done.code == 0, done.err
    compared = pl.read_parquet("report/comparison.parquet")
    paid = compared.filter(pl.col("model") == "readmissions")["pence"].sum()
    assert compared.filter(pl.col("model") == "by-line")["baseline_pence"].sum() == paid == totals("report")["readmissions"]
    wrong = tariff("compare", priced, "--models", "models.toml", "--baseline", "by-lines", "--out", "other")
    assert wrong.code == 2
    assert "the baseline 'by-lines' is not among the models: did you mean 'by-line'?" in wrong.err


def test_groupings_add_to_the_same_totals(tariff, priced):
    done = tariff(
        "compare", priced, "--models", "models.toml", "--by", "gp_practice,hrg_chapter", "--out", "report", "--no-suppress"
    )
    assert done.code == 0, done.err
    compared = pl.read_parquet("report/comparison.parquet")
    assert compared.columns[:2] == ["gp_practice", "hrg_chapter"]
    assert {"G1", "not given"} <= set(compared["gp_practice"])
    assert dict(compared.group_by("model").agg(pl.col("pence").sum()).iter_rows()) == totals("report")
    assert set(pl.read_csv("report/bridge.csv", infer_schema=False)["model"]) == {"bundled", "readmissions"}
    unknown = tariff("compare", priced, "--models", "models.toml", "--by", "practice", "--out", "other")
    assert (unknown.code, unknown.out) == (2, "")
    assert "known: commissioner, provider, gp_practice" in unknown.err


HEAD = 'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n'
BAD = {
    "an unknown term": (
        'term = "blok"',
        "bad.toml:6: model 'm', term 1: the term 'blok' is not known\n    did you mean 'block'?",
    ),
    "a negative cap": ('term = "cap_and_collar"\ncap = "-5%"', "bad.toml:7: model 'm', term 1: cap: '-5%' is negative"),
    "a provider without a plan": (
        'term = "block"',
        "bad.toml:6: model 'm': the plan has no row for commissioner 99A, provider ZZB, 2017-18: 2 lines worth",
    ),
    "no plan row for a year": ('term = "block"\nagainst = "sums.csv"', "bad.toml:6: model 'm': the plan has no row for"),
    "a file that is not there": ('term = "sanctions"\nfile = "no.csv"', "bad.toml:7: model 'm', term 1: file: the file 'no.csv'"),
    "a file with a bad cell": ('term = "sanctions"\nfile = "sums.csv"', "sums.csv:1: column 'pounds' is not known"),
    "two terms for one line": (
        'term = "block"\nsource = "s"\nconfidence = "local"\nscope = { pods = ["EL"] }\n[[model.terms]]\nterm = "capitation"\n'
        'per_head = 5\npopulation = "sums.csv"',
        "bad.toml:2: model 'm': the terms block and capitation both settle what is paid for some lines: it would be paid twice",
    ),
    "a figure that may be meant either way": (
        'term = "cquin"\nrate = "2.5"',
        "bad.toml:7: model 'm', term 1: rate: '2.5' may mean 2.5% or 250%: write the percent sign",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_models_are_refused_by_file_and_line(tariff, priced, listing, case):
    term, told = BAD[case]
    text = f'{HEAD}[[model.terms]]\n{term}\nsource = "s"\nconfidence = "local"\n'
    Path("bad.toml").write_text(text, encoding="utf-8")
    Path("sums.csv").write_text("commissioner,provider,financial_year,pounds\n99A,ZZA,2017-18,5\n", encoding="utf-8")
    before = listing()
    done = tariff("compare", priced, "--models", "bad.toml", "--plan", "sums.csv", "--out", "report")
    assert (done.code, done.out) == (4, "")
    assert told in done.err
    assert listing() == before
