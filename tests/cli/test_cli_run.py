"""`tariff run run.toml` does a whole job, asking nothing; what is wrong with the file is told by line, all at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

JOB = """schema = 1

[price]
files = ["apc*.csv"]
out = "priced"
rules = "example"
existing = "resume"

[compare]
models = ["preset:episodic", "preset:block"]
plan = "plan.csv"
out = "report"
"""
PLAN = "commissioner,provider,pod,treatment_function,currency,financial_year,month,units,pence\n99A,ZZB,,,,2017-18,,10,1000000\n"


@pytest.fixture
def job(folder, spells, monkeypatch) -> Path:
    """A job in a folder of its own, which is not the one that it is started from."""
    (folder / "yearly").mkdir()
    spells({}, {"admission_date": ""}, name="yearly/apc.csv")
    (folder / "yearly" / "plan.csv").write_text(PLAN, encoding="utf-8")
    path = folder / "yearly" / "run.toml"
    path.write_text(JOB, encoding="utf-8")
    return path


def test_a_whole_job(tariff, job):
    done = tariff("run", "yearly/run.toml")
    assert done.code == 0, done.err
    assert {path.name for path in job.parent.iterdir()} == {"apc.csv", "plan.csv", "run.toml", "priced", "report"}
    assert (job.parent / "report" / "report.html").is_file()
    assert "apc.csv: admitted, 2 rows" in done.err
    card = json.loads((job.parent / "priced" / "run_card.json").read_text(encoding="utf-8"))
    assert card["command"] == ["tariff", "run", "yearly/run.toml"]
    again = tariff("run", job)
    assert (again.code, again.out) == (0, done.out)


def test_the_same_lines_as_the_command(tariff, job):
    assert tariff("run", job).code == 0
    assert tariff("price", job.parent / "apc.csv", "--rules", "example", "--out", "priced.parquet").code == 0
    assert pl.read_parquet(job.parent / "priced" / "priced" / "*.parquet").equals(pl.read_parquet("priced.parquet"))


def test_exit_codes(tariff, job):
    job.write_text(JOB.replace('existing = "resume"', "max_unpriced = 0.5").replace("[compare]", "").split("models")[0])
    assert tariff("run", job).code == 0
    assert tariff("run", job).code == 6
    job.write_text(job.read_text().replace("apc*", "april*"))
    assert tariff("run", job).code == 3
    assert tariff("run", "nowhere.toml").code == 2


def test_too_much_unpriced(tariff, job, spells):
    spells({}, {"hrg": "ZZ99Z"}, name="yearly/apc.csv")
    job.write_text(JOB.replace('existing = "resume"', "max_unpriced = 0.5\nexisting = 'overwrite'"))
    done = tariff("run", job)
    assert done.code == 1
    assert "50.00% of the lines are unpriced" in done.err


def test_aggregate_in_a_job(tariff, job):
    text = JOB.split("[compare]", maxsplit=1)[0].replace('out = "priced"', 'out = "totals.parquet"\naggregate = true')
    job.write_text(text.replace('existing = "resume"', ""))
    assert tariff("run", job).code == 0
    assert pl.read_parquet(job.parent / "totals.parquet")["lines"].sum() == 2
    job.write_text(text.replace('"resume"', '"overwrite"') + JOB[JOB.index("[compare]") :])
    done = tariff("run", job)
    assert done.code == 0, done.err
    assert (job.parent / "report" / "report.html").is_file()


def test_every_fault_is_told_with_its_line(tariff, job, listing):
    spoiled = (
        JOB.replace("rules =", "ruels =")
        .replace('"resume"', '"maybe"')
        .replace('out = "report"\n', "")
        .replace("schema = 1", "schema = 2")
    )
    job.write_text(spoiled, encoding="utf-8")
    before = listing()
    done = tariff("run", "yearly/run.toml")
    assert (done.code, done.out) == (4, "")
    for told in (
        "yearly/run.toml:1: ",
        "yearly/run.toml:6: [price] 'ruels' is not known here",
        "did you mean 'rules'?",
        "yearly/run.toml:7: [price] existing 'maybe' is not known",
        "known: refuse, overwrite, resume",
        "yearly/run.toml:9: [compare] 'out' is missing",
        "`tariff run --help` says what it may be",
    ):
        assert told in done.err
    assert listing() == before
    job.write_text("schema = 1\n[price\n", encoding="utf-8")
    assert "yearly/run.toml:2: not TOML" in tariff("run", job.relative_to(Path.cwd())).err


def test_what_to_do_is_told_in_the_keys_of_the_job(tariff, job, spells):
    """There are no options to give to a job."""
    text = job.read_text(encoding="utf-8")
    assert tariff("run", job).code == 0
    for existing in ("refuse", "resume"):
        job.write_text(
            re.sub('existing = ".*"', "", text).replace("[price]", f'[price]\nexisting = "{existing}"'), encoding="utf-8"
        )
        if existing == "resume":
            spells({"age": "70"}, name="yearly/apc.csv")
        done = tariff("run", job)
        assert done.code == (6 if existing == "refuse" else 3)
        assert 'existing = "overwrite"' in done.err
        assert "--overwrite" not in done.err
    assert "The activity is not that of the finished run." in done.err


def test_a_damaged_run_is_made_again_before_it_is_compared(tariff, job, caplog):
    """A report of half the money never takes the place of the right one."""
    assert tariff("run", job).code == 0
    right = (job.parent / "report" / "comparison.csv").read_bytes()
    (job.parent / "priced" / "priced" / "part-00001.parquet").unlink()
    again = tariff("run", job)
    assert (again.code, "is not as it was written: it is made again" in again.err + caplog.text) == (0, True)
    assert (job.parent / "report" / "comparison.csv").read_bytes() == right
    assert (job.parent / "priced" / "priced" / "part-00001.parquet").is_file()
