"""`tariff price --evidence`: what evidence pays, what of it was not used, and that `verify` prices with it again."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

HIP = {"hrg": "HE11G", "admission_method": "21", "age": "80"}
CRITERIA = [
    "surgery_within_36_hours",
    "joint_care",
    "joint_protocol",
    "geriatrician_within_72_hours",
    "directed_rehabilitation",
    "falls_and_bone_assessment",
    "mental_tests_before_and_after",
]


def rows(line: str, *, failed: str = "") -> str:
    return "".join(f"ZZB,{line},hip_fracture,{name},{'no' if name == failed else 'yes'},,\n" for name in CRITERIA)


@pytest.fixture
def evidence() -> str:
    text = "provider,line_id,tariff,criterion,met,period_start,period_end\n" + rows("MET") + rows("FAILED", failed="joint_care")
    text += rows("NOBODY") + "ZZB,OPEN,hip_fracture,speed,yes,,\nZZB,,hip_knee_replacement,,yes,2017-04-01,2018-03-31\n"
    Path("evidence.csv").write_text(text, encoding="utf-8")
    return "evidence.csv"


def test_evidence_pays_and_what_is_not_used_is_told(tariff, spells, evidence):
    lines = [{"spell_id": name, "provider": "ZZB", **HIP} for name in ("MET", "FAILED", "OPEN")]
    file = spells(*lines, {"spell_id": "KNEE", "provider": "ZZB"})
    done = tariff("price", file, "--rules", "example", "--evidence", evidence, "--out", "priced.parquet")
    assert done.code == 0
    assert "Evidence of best practice: 22 answers of lines, 1 of provider gates." in done.out
    assert "Warning: 1 row of evidence: the rule pack has no such criterion of the tariff (hip_fracture speed)." in done.out
    assert "Warning: 7 rows of evidence: no line of this run has that provider and identifier (hip_fracture)." in done.out
    assert "NOBODY" not in done.out + done.err
    priced = pl.read_parquet("priced.parquet").select(
        "line_id",
        "price_pence",
        "best_practice_pence",
        "best_practice_lost_pence",
        "best_practice_at_stake_pence",
        "best_practice_status",
    )
    assert priced.rows() == [
        ("MET", 420_000, 105_000, 0, 0, "met"),
        ("FAILED", 315_000, 0, 105_000, 0, "not_met"),
        ("OPEN", 315_000, 0, 0, 105_000, "no_evidence"),
        ("KNEE", 682_500, 52_500, 0, 0, "met"),
    ]
    card = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))
    assert card["evidence"]["answers_of_gates"] == 1
    assert [found["problem"] for found in card["evidence"]["not_used"]] == ["unknown_criterion", "unknown_line"]

    verified = tariff("verify", "priced.parquet", "--every-line")
    assert (verified.code, "no disagreement" in verified.out) == (0, True)
    told = tariff("explain", "priced.parquet", "--line", "FAILED").out
    assert "Fragility hip fracture (hip_fracture): not met; failed: Joint care by geriatrician and orthopaedic surgeon (" in told
    assert "What failed cost £1,050.00, with market forces." in told

    Path(evidence).write_text("provider,line_id,tariff,met\nZZB,MET,hip_fracture,no\n", encoding="utf-8")
    changed = tariff("verify", "priced.parquet")
    assert (changed.code, "The evidence is not that of the run." in changed.err) == (3, True)


def test_evidence_that_cannot_be_used_stops_the_run(tariff, spells):
    Path("evidence.csv").write_text("line,answer\n1,yes\n", encoding="utf-8")
    done = tariff(
        "price", spells({"spell_id": "S1"}), "--rules", "example", "--evidence", "evidence.csv", "--out", "priced.parquet"
    )
    assert done.code == 3
    assert "no column 'provider'" in done.err
    assert not Path("priced.parquet").exists()


def test_gates_are_counted_from_the_evidence_of_lines_and_are_evidence(tariff, spells):
    """ZZB meets both shares of the heart failure gate (70%, 60%); ZZC misses one; ZZA sent nothing."""
    heart = {"hrg": "EB03D", "admission_method": "21", "age": "80"}
    lines = [
        {"spell_id": f"{provider}{n}", "provider": provider, **heart} for provider in ("ZZB", "ZZC", "ZZA") for n in range(10)
    ]
    told = "provider,line_id,tariff,criterion,met\n"
    for provider, seen in (("ZZB", 6), ("ZZC", 5)):
        for n in range(10):
            told += f"{provider},{provider}{n},heart_failure,audit_submission,yes\n"
            told += f"{provider},{provider}{n},heart_failure,specialist_input,{'yes' if n < seen else 'no'}\n"
    Path("lines.csv").write_text(told, encoding="utf-8")
    file = spells(*lines)
    first = tariff("price", file, "--rules", "example", "--evidence", "lines.csv", "--out", "first.parquet")
    assert "40 rows of evidence: the tariff is a provider gate" in first.out
    counted = tariff("best-practice", "gates", "first.parquet", "--evidence", "lines.csv", "--out", "gates.csv")
    assert counted.code == 0
    assert "ZZB  heart_failure specialist_input: passed (6 of 10 lines, threshold 60%)" in counted.out
    assert "ZZC  heart_failure specialist_input: not passed (5 of 10 lines, threshold 60%)" in counted.out
    assert "ZZA" not in counted.out
    tariff("price", file, "--rules", "example", "--evidence", "gates.csv", "--out", "second.parquet")
    statuses = pl.read_parquet("second.parquet").select("provider", "best_practice_status").unique()
    assert dict(statuses.iter_rows()) == {"ZZB": "met", "ZZC": "not_met", "ZZA": "no_evidence"}
    assert tariff("verify", "second.parquet", "--every-line").code == 0
    assert "Warning" not in counted.out
    of_others = "ZZB,ZZB0,heart_failure,specialist_input,no\nZZB,NOBODY,heart_failure,audit_submission,yes\n"
    of_others += "ZZB,ZZB1,heart_failure,speed,yes\nZZB,ZZB1,heart_failure,,yes\n"
    Path("more.csv").write_text(told + of_others, encoding="utf-8")
    more = tariff("best-practice", "gates", "first.parquet", "--evidence", "more.csv", "--out", "more_gates.csv")
    assert "ZZB  heart_failure specialist_input: not passed (5 of 10 lines" in more.out
    for warning in (
        "2 rows of evidence: one criterion of one line is said to be both met and not met",
        "1 row of evidence: no line of this run has that provider and identifier (heart_failure).",
        "1 row of evidence: the rule pack has no such criterion of the tariff (heart_failure speed).",
        "1 row of evidence: the pack states no threshold for it, so it is counted into no gate (heart_failure).",
    ):
        assert f"Warning: {warning}" in more.out
    again = tariff("best-practice", "gates", "first.parquet", "--evidence", "lines.csv", "--out", "gates.csv")
    assert again.code == 6, "an existing output is refused"


def test_the_budget_test_prints_the_neutral_base_and_the_curve(tariff, spells):
    tariff("price", spells(*({"spell_id": f"S{n}", **HIP} for n in range(20))), "--rules", "example", "--out", "p.parquet")
    done = tariff("best-practice", "budget", "p.parquet", "--tariff", "hip_fracture", "--neutral-at", "75%")
    assert done.code == 0
    assert "no line has evidence" in done.out
    (base,) = [line.split() for line in done.out.splitlines() if line.startswith("HE11G")]
    assert base[-4:] == ["20", "£3,000", "£1,000", "£2,250"]
    shares = [line.split()[0] for line in done.out.splitlines() if line.strip()[:1].isdigit() and "%" in line.split()[0]]
    assert shares == [f"{share}%" for share in range(0, 101, 10)]
    wrong = tariff("best-practice", "budget", "p.parquet", "--tariff", "hip_fracture", "--neutral-at", "lots")
    assert (wrong.code, "write it as 75%" in wrong.err) == (2, True)
    assert tariff("best-practice", "budget", "p.parquet", "--tariff", "day_case_surgery").code == 2


def test_the_catalogue_is_shown_with_sources(tariff):
    done = tariff("best-practice", "catalogue", "hip_fracture")
    assert "2010-11: £445" in done.out
    assert "published · RULES 3.2: nos.org.uk quoting PbR guidance 2013-14" in done.out
    assert "assumed · RULES 3.2: unverified 0.85, no text at hand" in done.out
