"""`tariff plan` as an analyst uses it: a plan from this year's lines, and the lines against a plan, month by month."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

SPELLS = [
    {"discharge_date": "2017-04-30", "admission_date": "2017-04-20", "commissioner": "99A"},
    {"discharge_date": "2017-05-30", "admission_date": "2017-05-20", "commissioner": "99A"},
    {"discharge_date": "2017-05-31", "admission_date": "2017-05-21", "commissioner": "99B"},
]
"""£6,300 each: April and May of one commissioner, May of another."""


@pytest.fixture
def priced(tariff, spells) -> Path:
    file = spells(*SPELLS, {"hrg": "ZZ99Z"})
    assert tariff("price", file, "--rules", "example", "--out", "priced.parquet").code == 0
    return Path("priced.parquet")


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def population(path: str, *heads: int) -> str:
    told = [f"{who},{count}" for who, count in zip(("99A", "99B"), heads, strict=True)]
    Path(path).write_text("\n".join(["commissioner,registered", *told]) + "\n", encoding="utf-8")
    return path


def test_a_plan_from_this_years_lines(tariff, priced):
    before, after = population("before.csv", 1000, 200), population("after.csv", 1010, 210)
    done = tariff("plan", priced, "--uplift", "-1.5%", "--population", before, after, "--out", "plan.csv")
    assert done.code == 0, done.err
    assert [line.split("  ")[-1] for line in done.out.splitlines() if line] == [
        "lines priced in 2017-18",
        "lines not priced, which the plan leaves out",
        "plan rows for 2018-19, by commissioner, provider and point of delivery",
        "priced",
        "change of prices",
        "growth of activity with the population",
        "planned",
    ]
    assert "−1.5%" in done.out
    assert "+1% to +5%" in done.out
    assert "the lines hold only part of 2017-18 (2 of 12 months)" in done.err
    assert [(row["commissioner"], row["provider"], row["pod"], row["units"], row["pounds"]) for row in rows("plan.csv")] == [
        ("99A", "ZZB", "EL", "2", "12535.11"),
        ("99B", "ZZB", "EL", "1", "6515.78"),
    ]


def test_the_plan_it_writes_is_one_that_models_pay_by(tariff, priced):
    assert tariff("plan", priced, "--years-on", "0", "--uplift", "10%", "--phase", "usual", "--out", "plan.csv").code == 0
    assert len(rows("plan.csv")) == 24
    done = tariff(
        "compare", priced, "--models", "preset:episodic,preset:block", "--plan", "plan.csv", "--out", "report", "--no-suppress"
    )
    assert done.code == 0, done.err
    assert "+10.0%" not in done.err
    assert "£20,790" in done.out


def test_lines_against_a_plan(tariff, priced):
    Path("plan.csv").write_text("commissioner,provider,financial_year,pounds\n99A,ZZB,2017-18,36500\n", encoding="utf-8")
    done = tariff("plan", priced, "--against", "plan.csv", "--no-suppress", "--out", "table.csv", "--phase", "calendar-days")
    assert done.code == 0, done.err
    first = done.out.splitlines()[0]
    assert first == (
        "Against plan to May of 2017-18: +£12,800 (+209.8%); forecast for the year: +£76,590 (+209.8%); "
        "£6,300 is in no row of the plan"
    )
    told = {row["commissioner"]: row for row in rows("table.csv")}
    assert told["99A"]["plan_pounds"] == "6100.00"
    assert told["99A"]["actual_pounds"] == "12600.00"
    assert told["99A"]["forecast_pounds"] == "75393.44"
    assert (told["99B"]["plan_pounds"], told["99B"]["unplanned_pounds"]) == ("0.00", "6300.00")
    through = tariff("plan", priced, "--against", "plan.csv", "--no-suppress", "--through-month", "1")
    assert through.out.startswith("Against plan to April of 2017-18: +£3,300")


def test_small_numbers_are_hidden_unless_asked_for(tariff, priced):
    Path("plan.csv").write_text("commissioner,financial_year,pounds\n99A,2017-18,365\n99B,2017-18,365\n", encoding="utf-8")
    hidden = tariff("plan", priced, "--against", "plan.csv", "--out", "table.csv")
    assert "[c]" in hidden.out
    assert {row["actual_pounds"] for row in rows("table.csv")} == {"[c]"}
    assert "[c]" not in tariff("plan", priced, "--against", "plan.csv", "--no-suppress").out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "Give --out PLAN.csv to make a plan"),
        (["--out", "plan.parquet"], "call it plan.csv"),
        (["--out", "plan.csv", "--uplift", "5"], "'5' may mean 5% or 500%"),
        (["--out", "plan.csv", "--uplift", "five"], "'five' is not a number"),
        (["--out", "plan.csv", "--by", "practice"], "cannot be made by 'practice'"),
        (["--out", "plan.csv", "--through-month", "3"], "--through-month goes with --against PLAN only"),
        (["--out", "plan.csv", "--weights", "w.csv"], "give --population BEFORE AFTER too"),
        (["--against", "year.csv", "--uplift", "5%"], "--uplift makes a plan"),
        (["--against", "year.csv", "--by", "practice"], "cannot be told by 'practice'"),
        (["--against", "year.csv", "--through-month", "13"], "--through-month"),
        (["--against", "year.csv"], "The plan is for 2030-31, and the priced lines are of 2017-18"),
    ],
)
def test_what_cannot_be_meant_is_refused(tariff, priced, listing, options, told):
    Path("year.csv").write_text("commissioner,financial_year,pounds\n99A,2030-31,365\n", encoding="utf-8")
    before = listing()
    done = tariff("plan", priced, *options)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert listing() == before


def test_a_plan_that_cannot_be_used_is_refused_by_file_and_line(tariff, priced):
    Path("plan.csv").write_text("commissioner,financial_year,pounds\n99A,2017-18,x\n99A,2017-18,5\n", encoding="utf-8")
    done = tariff("plan", priced, "--against", "plan.csv")
    assert (done.code, done.out) == (4, "")
    assert "plan.csv:2: pounds: 'x' is not a number" in done.err


def test_nothing_that_is_read_is_written_over(tariff, priced, spells):
    Path("plan.csv").write_text("commissioner,financial_year,pounds\n99A,2017-18,365\n", encoding="utf-8")
    done = tariff("plan", priced, "--against", "plan.csv", "--out", "plan.csv", "--overwrite")
    assert done.code == 6
    assert "is read by this command" in done.err
    assert tariff("plan", priced, "--out", "plan.csv").code == 6
    assert tariff("plan", priced, "--out", "plan.csv", "--overwrite").code == 0
    unpriced = spells({"hrg": "ZZ99Z"}, name="other.csv")
    assert tariff("price", unpriced, "--rules", "example", "--out", "other.parquet").code == 0
    nothing = tariff("plan", "other.parquet", "--out", "other_plan.csv")
    assert nothing.code == 3
    assert "no line is priced" in nothing.err
