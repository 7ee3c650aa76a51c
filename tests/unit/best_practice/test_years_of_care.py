"""Whether a patient's year of care met its criteria: every status, each way in which evidence can fall short, and a second
opinion in plain Python on generated histories."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariff.best_practice import evidence_of, evidence_problems, years_of_care
from tariff.pricing import price
from tariff.rulepack import RulePack, load_pack

CRITERIA = (
    "four_clinics",
    "eight_contacts",
    "dietitian",
    "four_blood_tests",
    "seven_checks",
    "psychology",
    "day_and_night_advice",
)
EVERY = ";".join(CRITERIA)
APRIL, MARCH = date(2017, 4, 1), date(2018, 3, 31)


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return load_pack("example")


def clinics(*rows: tuple[str, str, str, date]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["patient_id", "provider", "line_id", "activity_date"], orient="row")


def answers(line: str, provider: str = "ZZA", **said: str) -> list[dict[str, Any]]:
    tariff = "paediatric_diabetes"
    return [
        {"provider": provider, "line_id": line, "tariff": tariff, "criterion": name, "met": met} for name, met in said.items()
    ]


def year(patient: str = "P1", provider: str = "ZZA", tariff: str = "paediatric_diabetes") -> dict[str, Any]:
    return {"patient_id": patient, "provider": provider, "tariff": tariff, "period_start": APRIL, "period_end": MARCH}


def found(pack: RulePack, care: pl.DataFrame, rows: list[dict[str, Any]], *years: dict[str, Any]) -> list[tuple[str, str | None]]:
    schema = dict.fromkeys(("provider", "line_id", "tariff", "criterion", "met"), pl.String())
    evidence = evidence_of(pl.DataFrame(rows, schema=schema))
    told = years_of_care(evidence, pack, care, pl.DataFrame(list(years)))
    assert told.columns == [*years[0], "status", "missing"]
    return told.select("status", "missing").rows()


CARE = clinics(
    ("P1", "ZZA", "C1", date(2017, 5, 1)),
    ("P1", "ZZA", "C2", date(2017, 9, 1)),
    ("P1", "ZZA", "LATE", date(2018, 4, 1)),
    ("P1", "ZZB", "ELSEWHERE", date(2017, 6, 1)),
    ("P2", "zza ", " D1", date(2017, 5, 1)),
)
ALL = dict.fromkeys(CRITERIA, "yes")
SOME, OTHERS = dict.fromkeys(CRITERIA[:3], "yes"), dict.fromkeys(CRITERIA[3:], "yes")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (answers("C1", **ALL), ("met", None)),
        (answers("C1", **(ALL | {"psychology": "no"})), ("not_met", "psychology")),
        (answers("C1", four_clinics="yes"), ("no_evidence", ";".join(CRITERIA[1:]))),
        ([], ("no_evidence", EVERY)),
        # answers may stand on several lines of the year
        (
            answers("C1", **dict.fromkeys(CRITERIA[:3], "yes")) + answers("C2", **dict.fromkeys(CRITERIA[3:], "yes")),
            ("met", None),
        ),
        (answers("C1", **{"": "yes"}), ("met", None)),
        (answers("C1", **{"": "no"}), ("not_met", None)),
        # contradictions, on one line or on two, are no evidence
        (answers("C1", **ALL) + answers("C2", psychology="no"), ("no_evidence", "psychology")),
        (answers("C1", **ALL) + answers("C1", psychology="no"), ("no_evidence", "psychology")),
        # of another year, another provider, another patient, a criterion the pack has not
        (answers("LATE", **ALL), ("no_evidence", EVERY)),
        (answers("ELSEWHERE", "ZZB", **ALL), ("no_evidence", EVERY)),
        (answers("D1", **ALL), ("no_evidence", EVERY)),
        (answers("C1", **ALL) + answers("C1", speed="no"), ("met", None)),
    ],
)
def test_every_status(pack: RulePack, rows: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    assert found(pack, CARE, rows, year()) == [expected]


def test_years_come_back_in_order_and_unknown_tariffs_are_no_evidence(pack: RulePack) -> None:
    years = (year("P2"), year("P9"), year("P1"), year("P1", tariff="hip_fracture"))
    rows = answers("C1", **(ALL | {"seven_checks": "no"})) + answers("D1", **ALL)
    told = found(pack, CARE, rows, *years)
    assert told == [("met", None), ("no_evidence", EVERY), ("not_met", "seven_checks"), ("no_evidence", None)]


def test_generated_histories_and_a_second_opinion(pack: RulePack) -> None:
    rng = np.random.default_rng(7)
    care = [
        (f"P{rng.integers(60)}", f"ZZ{'AB'[rng.integers(2)]}", f"L{number}", APRIL + timedelta(days=int(rng.integers(-60, 430))))
        for number in range(600)
    ]
    rows: list[dict[str, Any]] = []
    for _, provider, line, _ in care:
        for criterion in (*CRITERIA, ""):
            if rng.random() < (0.6 if criterion else 0.05):
                rows += answers(line, provider, **{criterion: "yes" if rng.random() < 0.96 else "no"})
    years = [year(f"P{patient}", provider) for patient in range(60) for provider in ("ZZA", "ZZB")]
    told = found(pack, clinics(*care), rows, *years)
    assert told == [plainly(one, care, rows) for one in years]
    assert {status for status, _ in told} == {"met", "not_met", "no_evidence"}


def plainly(one: dict[str, Any], care: list[tuple[str, str, str, date]], rows: list[dict[str, Any]]) -> tuple[str, str | None]:
    """Status and missing criteria of one year, from the rules in words."""
    whose = (one["patient_id"], one["provider"])
    own = {line for patient, provider, line, day in care if (patient, provider) == whose and APRIL <= day <= MARCH}
    heard: dict[str, set[str]] = {}
    for row in rows:
        if row["line_id"] in own and row["provider"] == one["provider"]:
            heard.setdefault(row["criterion"], set()).add(row["met"])
    said = {name: met.pop() for name, met in heard.items() if len(met) == 1}
    failed = [name for name in CRITERIA if said.get(name) == "no"]
    unknown = [name for name in CRITERIA if name not in said]
    whole = said.get("")
    if whole == "yes" and failed:
        return "no_evidence", ";".join(["contradictory", *failed])
    if failed:
        return "not_met", ";".join([*failed, *(f"{name}?" for name in unknown if whole is None)])
    if whole == "yes":
        return "met", None
    if whole == "no":
        return ("not_met", None) if unknown else ("no_evidence", "contradictory")
    return ("no_evidence", ";".join(unknown)) if unknown else ("met", None)


def test_a_year_of_care_covers_no_line_and_its_evidence_is_no_problem(pack: RulePack) -> None:
    attendance = pl.DataFrame(
        {
            "attendance_id": ["C1"],
            "provider": ["ZZA"],
            "commissioner": ["99A"],
            "attendance_date": [date(2017, 5, 1)],
            "treatment_function": ["100"],
            "first_attendance": ["2"],
            "attended": ["5"],
            "age": [9],
            "hrg": ["WF01A"],
            "best_practice": ["paediatric_diabetes"],
        }
    )
    evidence = evidence_of(pl.DataFrame(answers("C1", **ALL) + answers("GONE", psychology="yes")))
    priced = price(attendance, pack, evidence=evidence)
    line = priced.select("outcome", "best_practice_tariff", "best_practice_pence", "basis").collect().row(0)
    assert line[1:3] == (None, 0)
    assert [(found.problem, found.rows) for found in evidence_problems(evidence, [pack], priced)] == [("unknown_line", 1)]
