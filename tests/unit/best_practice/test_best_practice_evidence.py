"""Evidence as files give it: what cannot be used is listed with counts, and nothing is silently met."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariff.best_practice.evidence import COLUMNS, Evidence, evidence_of, evidence_rows, read_evidence
from tariff.best_practice.not_used import evidence_problems
from tariff.errors import ActivityError
from tariff.pricing import price
from tariff.rulepack import RulePack, load_pack
from tariff.waterfall import explain

PACK = Path(__file__).parents[2] / "spec" / "pack"


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return load_pack(PACK)


def hips(*spells: str) -> pl.DataFrame:
    """Spells of a broken hip at RNO."""
    stay = {"admission_date": date(2017, 5, 1), "discharge_date": date(2017, 5, 9), "admission_method": "21"}
    who = {"provider": "RNO", "commissioner": "QAA", "patient_classification": "1", "age": 80, "hrg": "TB01A"}
    return pl.DataFrame([{"spell_id": spell, **who, **stay} for spell in spells])


def said(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(
        [dict(zip(COLUMNS, (*row, None, None), strict=False)) for row in rows], schema=dict.fromkeys(COLUMNS, pl.String())
    )


def told(evidence: Evidence, pack: RulePack, priced: pl.LazyFrame | None = None) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {problem.problem: (problem.rows, problem.examples) for problem in evidence_problems(evidence, [pack], priced)}


def test_everything_that_cannot_be_used_is_listed_with_counts(pack: RulePack) -> None:
    evidence = evidence_of(
        said(
            ("RNO", "S1", "hip", "surgery", "yes"),
            ("RNO", "S1", "hip", "surgery", "no"),
            ("RNO", "S1", "hip", "geriatrician", "yes"),
            ("RNO", "S1", "hip", "protocol", "yes"),
            ("RNO", "S2", "hip", "", "yes"),
            ("RNO", "S9", "hip", "", "yes"),
            ("RNO", "S2", "hip", "speed", "yes"),
            ("RNO", "S2", "knee", "", "yes"),
            ("RNO", "S2", "copd", "", "yes"),
            ("RNO", "S2", "hip", "protocol", None),
            (None, "S2", "hip", "", "yes"),
            ("RNO", "S2", "hip", "", "perhaps"),
        )
    )
    priced = price(hips("S1", "S2"), pack, evidence=evidence)
    statuses = priced.select("line_id", "best_practice_status", "price_pence").collect().rows()
    assert statuses == [("S1", "no_evidence", 600_000), ("S2", "met", 733_500)]
    assert told(evidence, pack, priced) == {
        "unreadable": (2, ()),
        "silent": (1, ()),
        "contradictory": (2, ("hip surgery",)),
        "unknown_tariff": (1, ("knee",)),
        "unknown_criterion": (1, ("hip speed",)),
        "unknown_line": (1, ("hip",)),
        "not_covered": (1, ("copd",)),
    }


def test_a_tariff_answered_against_its_criteria_is_listed(pack: RulePack) -> None:
    """As a whole met though a criterion is not, as a whole not met though all are: neither is used. The rest agrees."""
    every = ("surgery", "geriatrician", "protocol")
    evidence = evidence_of(
        said(
            ("RNO", "S1", "hip", "", "yes"),
            ("RNO", "S1", "hip", "surgery", "no"),
            ("RNO", "S1", "hip", "protocol", "yes"),
            ("RNO", "S2", "hip", "", "no"),
            *(("RNO", "S2", "hip", criterion, "yes") for criterion in every),
            ("RNO", "S3", "hip", "", "no"),
            *(("RNO", "S3", "hip", criterion, "yes") for criterion in every[:2]),
            ("RNO", "S4", "hip", "", "yes"),
            *(("RNO", "S4", "hip", criterion, "yes") for criterion in every),
        )
    )
    priced = price(hips("S1", "S2", "S3", "S4"), pack, evidence=evidence).collect()
    assert priced["best_practice_status"].to_list() == ["no_evidence", "no_evidence", "not_met", "met"]
    assert told(evidence, pack, priced.lazy()) == {"contradictory_whole": (2 + 4, ("hip",))}
    one, other = (str(explain(priced, pack, line=line)) for line in ("S1", "S2"))
    assert "no evidence; the evidence contradicts itself: met as a whole, though not: Surgery within 36 hours." in one
    assert "no evidence; the evidence contradicts itself: not met as a whole, though every criterion is." in other


def test_a_gate_answered_against_its_criteria_is_listed_for_the_days_they_share(pack: RulePack) -> None:
    columns = ["provider", "tariff", "criterion", "met", "period_start", "period_end"]
    rows = [
        ("RNO", "joint", "", "yes", "2017-04-01", "2017-06-30"),
        ("RNO", "joint", "proms", "no", "2017-06-30", "2017-09-30"),
        ("RTR", "joint", "", "yes", "2017-04-01", "2017-06-30"),
        ("RTR", "joint", "proms", "no", "2017-07-01", "2017-09-30"),
        ("RMX", "joint", "", "no", "2017-04-01", "2018-03-31"),
        ("RMX", "joint", "proms", "yes", "2017-04-01", "2017-09-30"),
        ("RMX", "joint", "registry", "yes", "2017-09-01", "2018-03-31"),
    ]
    assert told(evidence_of(pl.DataFrame(rows, schema=columns, orient="row")), pack) == {"contradictory_whole": (5, ("joint",))}


def test_an_answer_against_what_the_line_itself_shows_is_listed(pack: RulePack) -> None:
    """A stay of no days is same-day emergency care, one of eight is not, whatever evidence says; what agrees is no problem."""
    stays = hips("S1", "S2", "S3", "S4").with_columns(
        hrg=pl.lit("TB03A"),
        grouping_method=pl.lit("D"),
        admission_date=pl.when(pl.col("spell_id").is_in(["S1", "S2"])).then("discharge_date").otherwise("admission_date"),
    )
    answers = zip(("S1", "S2", "S3", "S4"), ("no", "yes", "yes", "no"), strict=True)
    evidence = evidence_of(said(*(("RNO", line, "sdec", "", met) for line, met in answers)))
    priced = price(stays, pack, evidence=evidence).collect()
    assert priced["best_practice_status"].to_list() == ["no_evidence", "met", "not_met", "not_met"]
    assert told(evidence, pack, priced.lazy()) == {"contradicts_line": (2, ("sdec",))}
    assert "no evidence; the evidence contradicts what the line itself shows." in str(explain(priced, pack, line="S1"))


def test_problems_never_name_a_line(pack: RulePack) -> None:
    evidence = evidence_of(said(("RNO", "SECRET1", "hip", "", "yes"), ("RNO", "SECRET1", "hip", "", "no")))
    problems = [*evidence_problems(evidence, [pack], price(hips("S1"), pack, evidence=evidence))]
    assert problems
    assert "SECRET" not in " ".join(str(problem) for problem in problems)


def test_a_gate_of_what_is_no_gate_is_listed(pack: RulePack) -> None:
    gate = {"provider": "RNO", "tariff": "hip", "period_start": "2017-04-01", "period_end": "2018-03-31", "met": "yes"}
    assert told(evidence_of(pl.DataFrame([gate])), pack) == {"not_a_gate": (1, ("hip",))}


def test_files_of_both_shapes_and_both_formats(pack: RulePack, tmp_path: Path) -> None:
    lines, gates, both = tmp_path / "lines.csv", tmp_path / "gates.csv", tmp_path / "both.parquet"
    lines.write_text("Provider,LINE_ID,tariff,criterion,met\nrno, S1 ,HIP,,Yes\n", encoding="utf-8")
    gates.write_text("provider,tariff,period_start,period_end,met\nRNO,joint,2017-04-01,2018-03-31,1\n", encoding="utf-8")
    pl.DataFrame(
        {
            "provider": pl.Series(["RNO", "RNO"], dtype=pl.Categorical),
            "line_id": ["S1", None],
            "tariff": ["hip", "joint"],
            "met": ["yes", "yes"],
            "period_start": [None, date(2017, 4, 1)],
            "period_end": [None, date(2018, 3, 31)],
        }
    ).write_parquet(both)
    of_text, of_parquet = read_evidence([lines, gates]), read_evidence([both])
    assert of_text.lines.rows() == of_parquet.lines.rows() == [("RNO", "S1", "hip", "", True)]
    assert of_text.gates.rows() == of_parquet.gates.rows() == [("RNO", "joint", "", date(2017, 4, 1), date(2018, 3, 31), True)]
    assert price(hips("S1"), pack, evidence=of_text).select("price_pence").collect().item() == 733_500


def test_a_row_with_more_cells_than_headings_is_not_trusted(pack: RulePack, tmp_path: Path) -> None:
    file = tmp_path / "evidence.csv"
    rows = "RNO,S1,hip,,yes,extra\nRNO,S2,hip,,,yes\nRNO,S3,hip,,yes\n"
    file.write_text("provider,line_id,tariff,criterion,met\n" + rows, encoding="utf-8")
    evidence = read_evidence([file])
    assert evidence.lines.rows() == [("RNO", "S3", "hip", "", True)]
    assert told(evidence, pack) == {"unreadable": (2, ())}
    assert [row["line_id"] for row in evidence_rows([file])] == [None, None, "S3"], "nor does the reference"


@pytest.mark.parametrize(
    ("header", "lacks"),
    [("line_id,tariff,criterion,met", "no column 'provider'"), ("provider,tariff,met", "neither line_id, nor period_start")],
)
def test_files_that_are_no_evidence(header: str, lacks: str, tmp_path: Path) -> None:
    file = tmp_path / "evidence.csv"
    file.write_text(header + "\n" + ",".join("x" for _ in header.split(",")) + "\n", encoding="utf-8")
    with pytest.raises(ActivityError, match=lacks):
        read_evidence([file])


def test_no_evidence_at_all_is_not_met_and_shows_what_is_at_stake(pack: RulePack) -> None:
    columns = ["price_pence", "best_practice_pence", "best_practice_at_stake_pence", "best_practice_status"]
    bare = price(hips("S1"), pack, columns=columns).collect()
    empty: Any = evidence_of(said())
    assert bare.rows() == [(600_000, 0, 133_500, "no_evidence")]
    assert price(hips("S1"), pack, columns=columns, evidence=empty).collect().equals(bare)


def gates(*rows: tuple[str, ...]) -> Evidence:
    return evidence_of(pl.DataFrame(list(rows), schema=["provider", "tariff", "met", "period_start", "period_end"], orient="row"))


@pytest.mark.parametrize(("starts", "ends"), [("2017-04-01", "2018-03-31"), ("1/4/2017", "31/03/2018"), ("20170401", "20180331")])
def test_days_are_read_as_activity_writes_them(pack: RulePack, starts: str, ends: str) -> None:
    found = gates(("RNO", "joint", "yes", starts, ends)).gates.row(0, named=True)
    assert (found["period_start"], found["period_end"]) == (date(2017, 4, 1), date(2018, 3, 31))


def test_gates_that_contradict_each_other_and_periods_that_run_backwards_are_listed(pack: RulePack) -> None:
    evidence = gates(
        ("RNO", "joint", "yes", "2017-04-01", "2017-06-30"),
        ("RNO", "joint", "no", "2017-06-30", "2017-09-30"),
        ("RNO", "joint", "no", "2017-10-01", "2017-12-31"),
        ("RTR", "joint", "yes", "2017-04-01", "2018-03-31"),
        ("RTR", "joint", "yes", "2017-09-01", "2017-08-31"),
        ("RMX", "joint", "yes", "31/02/2017", "2018-03-31"),
    )
    assert told(evidence, pack) == {
        "backward_period": (1, ()),
        "contradictory_gates": (2, ("joint",)),
        "unreadable": (1, ()),
    }


def test_gates_of_providers_without_lines_are_listed(pack: RulePack) -> None:
    """RNO treats nobody under its own code, but at its site RNO01."""
    evidence = gates(*((provider, "joint", "yes", "2017-04-01", "2018-03-31") for provider in ("RNO", "RNO01", "RTR", "RTR05")))
    priced = price(hips("S1").with_columns(provider=pl.lit("RNO01")), pack, evidence=evidence)
    assert told(evidence, pack, priced) == {"unknown_provider": (2, ("joint",))}


def test_a_column_that_stands_twice_is_refused() -> None:
    twice = pl.DataFrame({"provider": ["RNO"], "line_id": ["S1"], "tariff": ["hip"], "met": ["yes"], "Met": ["no"]})
    with pytest.raises(ActivityError, match="column 'met' stands twice"):
        evidence_of(twice)


def test_answers_of_single_lines_about_a_gate_are_listed(pack: RulePack) -> None:
    assert told(evidence_of(said(("RNO", "S1", "joint", "proms", "yes"))), pack) == {"gate_by_line": (1, ("joint",))}


def test_an_identifier_in_the_wrong_column_is_never_told(pack: RulePack) -> None:
    swapped = evidence_of(said(("RNO", "hip", "9434765919", "", "yes"), ("RNO", "hip", "knee_2", "", "yes")))
    assert told(swapped, pack) == {"unknown_tariff": (2, ("knee_2",))}
    criterion = evidence_of(said(("RNO", "S1", "hip", "ab1234567", "yes"), ("RNO", "S1", "hip", "within_36_hours", "yes")))
    assert told(criterion, pack) == {"unknown_criterion": (2, ("hip within_36_hours",))}
