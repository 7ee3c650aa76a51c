"""The best-practice section: it tells what `best_practice_achievement` finds, draws who differs by more than chance, and gives no
small number away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.best_practice.achievement import best_practice_achievement, criteria_missing, prices_by_setting
from tariff.report import compare
from tariff.report.best_practice import KNOWN, OPEN, BestPractice, TariffFacts, achieved, outside_limits, tariff_sections

Lines = Callable[..., pl.DataFrame]


def said(tariff: str, name: str, mechanism: str, **criteria: str) -> dict[str, Any]:
    return {"tariff": tariff, "name": name, "mechanism": mechanism, "criteria": criteria, "outside_marginal_rate": False}


TARIFFS = [
    said("hip", "Hip fracture", "addition", surgery="Surgery in time"),
    said("joint", "Joint replacement", "provider_gate"),
]
CARD = {"card": 1, "packs": [{"label": "example", "best_practice": TARIFFS}]}


def covered(provider: str, tariff: str, met: int, not_met: int, no_evidence: int) -> list[dict[str, Any]]:
    """So many lines of each status, £100 apiece."""
    worth = {"met": "best_practice_pence", "not_met": "best_practice_lost_pence", "no_evidence": "best_practice_at_stake_pence"}
    return [
        {
            "provider": provider,
            "base_pence": 1_000_00,
            "best_practice_tariff": tariff,
            "best_practice_status": status,
            "best_practice_missing": None if status == "met" else f"{tariff}:surgery",
            worth[status]: 100_00,
        }
        for status, count in (("met", met), ("not_met", not_met), ("no_evidence", no_evidence))
        for _ in range(count)
    ]


@pytest.fixture
def lines(priced_lines: Lines) -> pl.DataFrame:
    return priced_lines(
        *covered("XP1", "hip", 90, 10, 20),
        *covered("XP2", "hip", 40, 60, 9),
        *covered("XP3", "hip", 30, 30, 0),
        *covered("XP1", "joint", 0, 12, 0),
        *covered("XP2", "joint", 25, 0, 0),
        *({"provider": "XP4", "base_pence": 500_00} for _ in range(10)),
    )


def page(lines: pl.DataFrame, folder: Path) -> str:
    report = compare(lines, "preset:episodic", run_card=CARD)
    return (report.write(folder / "report", written=date(2026, 11, 22)) / "report.html").read_text(encoding="utf-8")


def test_the_page_tells_what_is_found(lines: pl.DataFrame, tmp_path: Path) -> None:
    text = page(lines, tmp_path)
    assert "Best practice earned providers" in text
    assert "Hip fracture: 61.5% met; XP1 above, XP2 below what chance explains" in text
    assert "Joint replacement: 1 provider passed all year, 1 failed all year" in text
    assert 'id="funnel-hip-title"' in text
    assert "funnel-joint" not in text, "the lines of a gate are no sample"
    found = best_practice_achievement(lines).filter(tariff="hip", provider="XP2").row(0, named=True)
    low, high = (f"{100 * found[f'interval_{end}']:.0f}" for end in ("low", "high"))
    for shown in ("40.0%", f"{low} to {high}%", "£4,000", "£6,000", "£900", "Surgery in time"):
        assert shown in text, shown


def test_the_workbook_holds_the_same_figures(lines: pl.DataFrame, tmp_path: Path) -> None:
    page(lines, tmp_path)
    workbook = tmp_path / "report" / "report.xlsx"
    read = pl.read_excel(workbook, sheet_name="Best practice by provider", read_options={"header_row": 3})
    hips = read.filter(pl.col("Tariff") == "Hip fracture").sort("Provider")
    found = best_practice_achievement(lines).filter(pl.col("tariff") == "hip")
    assert [float(cell) for cell in hips["Share met"]] == pytest.approx(found["achievement"].to_list())
    assert [float(cell) for cell in hips["Limits from"]] == pytest.approx(found["funnel_low"].to_list())
    assert [round(float(cell) * 100) for cell in hips["Lost (£)"]] == found["lost_pence"].to_list()
    joints = read.filter(pl.col("Tariff") == "Joint replacement")
    assert set(joints["95% from"]) == {"[z]"}
    criteria = pl.read_excel(workbook, sheet_name="Best practice criteria", read_options={"header_row": 3})
    assert criteria.filter(pl.col("Tariff") == "Hip fracture").row(0) == ("Hip fracture", "Surgery in time", 100, 29)


def test_without_a_run_card_the_codes_are_told(lines: pl.DataFrame, tmp_path: Path) -> None:
    report = compare(lines, "preset:episodic")
    text = (report.write(tmp_path / "report") / "report.html").read_text(encoding="utf-8")
    assert "Hip: 61.5% met" in text


def test_no_section_where_nothing_is_covered(priced_lines: Lines, tmp_path: Path) -> None:
    text = page(priced_lines(*({"base_pence": 1_00} for _ in range(20))), tmp_path)
    assert "best-practice-heading" not in text


def test_small_numbers_are_hidden_unless_they_are_asked_for(priced_lines: Lines) -> None:
    few = priced_lines(
        *covered("XP1", "hip", 90, 3, 20),
        *covered("XP2", "hip", 40, 60, 9),
        *covered("XP3", "hip", 41, 61, 30),
        *covered("XP4", "hip", 50, 50, 12),
    )
    (section,) = tariff_sections(achieved(few.lazy(), [CARD], suppress=True))
    shown = {row[0].text: [cell.text for cell in row] for row in section.table.rows}
    assert shown["XP1"] == ["XP1", "[c]", "[c]", "[c]", "20", "[c]", "[c]", "[c]", "[c]", "£2,000"]
    assert shown["XP2"][2] == "[c]", "or XP1 could be found by subtraction"
    assert shown["XP3"][1:4] == ["132", "41", "61"]
    assert "XP1" not in section.svg
    assert "2 providers not drawn" in section.note
    (section,) = tariff_sections(achieved(few.lazy(), [CARD], suppress=False))
    assert "[c]" not in str(section.table)


counts = st.tuples(*[st.one_of(st.integers(0, 9), st.integers(0, 60))] * 3)


@given(st.dictionaries(st.tuples(st.sampled_from("ABC"), st.sampled_from("wxyz")), counts, min_size=1))
@settings(max_examples=60, deadline=None)
def test_no_count_of_providers_or_tariffs_can_be_found_by_subtraction(table: dict[tuple[str, str], tuple[int, int, int]]) -> None:
    schema = {"tariff": pl.String(), "provider": pl.String()} | dict.fromkeys((*KNOWN, *OPEN), pl.Int64())
    by_provider = pl.DataFrame([(*key, *row) for key, row in table.items()], schema=schema, orient="row").with_columns(
        eligible=pl.sum_horizontal(*KNOWN, *OPEN), earned_pence=0, lost_pence=0, at_stake_pence=0
    )
    by_tariff = by_provider.group_by("tariff").agg(pl.exclude("provider").sum())
    found = BestPractice(by_tariff, by_provider)
    for part in (KNOWN, OPEN):
        hidden = found.hidden_tariffs[part]
        _nothing_given_away({(row["tariff"],): [row[name] for name in part] for row in by_tariff.to_dicts()}, hidden)
        for tariff in by_tariff["tariff"]:
            rows = {(row["provider"],): [row[name] for name in part] for row in found.providers_of(tariff)}
            of_providers = found.hidden_providers(tariff, part)
            _nothing_given_away(rows, of_providers)
            assert (tariff,) not in hidden or of_providers == frozenset(rows), "their sum would give the tariff away"


def _nothing_given_away(rows: dict[Any, list[int]], hidden: frozenset[Any]) -> None:
    assert {key for key, row in rows.items() if any(1 <= count <= 7 for count in row)} <= hidden
    others = [key for key, row in rows.items() if any(row) and key not in hidden]
    assert len(hidden) != 1 or not others


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), min_size=2, max_size=6))
@settings(max_examples=40, deadline=None)
def test_outside_the_limits_is_where_the_interval_does_not_hold_the_share_of_all(rows: list[tuple[int, int]]) -> None:
    lines = [
        {"provider": f"P{number}", "outcome": "priced", "best_practice_tariff": "hip", "best_practice_status": status}
        for number, (met, not_met) in enumerate(rows)
        for status in ["met"] * met + ["not_met"] * not_met
    ]
    schema = dict.fromkeys(("provider", "outcome", "best_practice_tariff", "best_practice_status"), pl.String())
    money = ("best_practice_pence", "best_practice_lost_pence", "best_practice_at_stake_pence")
    priced = pl.DataFrame(lines, schema=schema).with_columns(pl.lit(0, pl.Int64).alias(name) for name in money)
    for row in best_practice_achievement(priced).to_dicts():
        low, high = row["expected"] - row["interval_low"], row["interval_high"] - row["expected"]
        if min(abs(low), abs(high)) > 1e-9:
            assert (outside_limits(row) == 0) == (low > 0 and high > 0)


def test_what_a_gate_is_comes_from_the_run_card() -> None:
    found = BestPractice(facts={"joint": TariffFacts("Joints", "provider_gate")})
    assert found.is_gate("joint")
    assert not found.is_gate("hip")


def test_criteria_that_lines_lack(priced_lines: Lines) -> None:
    both = {"best_practice_tariff": "stroke;hip", "best_practice_status": "not_met;no_evidence"}
    lines = priced_lines(
        *({**both, "best_practice_missing": "stroke:imaging;stroke:unit;hip:surgery"} for _ in range(3)),
        {**both, "best_practice_missing": "stroke:unit;stroke:imaging?;hip:surgery;hip:joint_care"},
        {**both, "best_practice_status": "met;not_met", "best_practice_missing": "hip:setting"},
    )
    assert criteria_missing(lines).rows() == [
        ("hip", "setting", 1, 0),
        ("hip", "joint_care", 0, 1),
        ("hip", "surgery", 0, 4),
        ("stroke", "unit", 4, 0),
        ("stroke", "imaging", 3, 1),
    ]


def by_setting(setting: str, pence: int, *, covered: bool, count: int = 10) -> list[dict[str, Any]]:
    said = {"best_practice_tariff": "daycase", "best_practice_status": "met" if covered else "not_met"}
    missing = None if covered else "daycase:setting"
    return [{**said, "best_practice_missing": missing, "setting": setting, "base_pence": pence, "currency": "TB04A"}] * count


def test_prices_by_setting_stand_side_by_side_and_lose_nothing(priced_lines: Lines, tmp_path: Path) -> None:
    lines = priced_lines(
        *by_setting("day_case", 1_100_00, covered=True),
        *by_setting("ordinary_elective", 1_000_00, covered=False, count=9),
        *by_setting("ordinary_elective", 1_000_05, covered=False),
        *covered("XP1", "hip", 10, 10, 10),
    )
    assert prices_by_setting(lines).rows() == [
        ("daycase", "TB04A", "day_case", True, 10, 1_100_00),
        ("daycase", "TB04A", "ordinary_elective", False, 19, 1_000_03),
    ]
    text = page(lines, tmp_path)
    assert "What prices by setting paid where" in text
    assert "£1,100" in text
    sheet = pl.read_excel(
        tmp_path / "report" / "report.xlsx", sheet_name="Best practice by setting", read_options={"header_row": 3}
    )
    assert sheet["Covered"].to_list() == ["yes", "no"]
    (row,) = best_practice_achievement(lines, by=()).filter(tariff="daycase").to_dicts()
    assert (row["lost_pence"], row["at_stake_pence"]) == (0, 0)


def test_evidence_that_was_not_used_stands_in_the_data_quality_section(lines: pl.DataFrame, tmp_path: Path) -> None:
    unused = [
        {"problem": "unknown_line", "rows": 1_200, "sentence": "no line of this run has it", "examples": ["hip"]},
        {"problem": "contradictory", "rows": 2, "sentence": "both met and not met", "examples": []},
    ]
    report = compare(lines, "preset:episodic", run_card=CARD | {"evidence": {"not_used": unused}})
    report.write(tmp_path / "report")
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "No line of this run has it (hip): 1,200 rows of evidence." in text
    assert "Both met and not met: [c] rows of evidence." in text
    sheet = pl.read_excel(tmp_path / "report" / "report.xlsx", sheet_name="Evidence not used", read_options={"header_row": 3})
    assert sheet.rows() == [("no line of this run has it (hip)", "1,200 rows"), ("both met and not met", "[c] rows")]


def test_one_provider_is_no_funnel_and_nothing_lost_is_not_said(priced_lines: Lines, tmp_path: Path) -> None:
    text = page(priced_lines(*covered("XP1", "hip", 20, 0, 10)), tmp_path)
    assert "Best practice earned providers" in text
    assert "was lost where criteria failed" not in text
    assert "Hip fracture: 100.0% met<" in text
    assert "funnel-hip" not in text


def test_without_any_evidence_all_is_at_stake(priced_lines: Lines, tmp_path: Path) -> None:
    text = page(priced_lines(*covered("XP1", "hip", 0, 0, 10), *covered("XP2", "hip", 0, 0, 12)), tmp_path)
    assert "Hip fracture: no evidence" in text
    assert "hangs on missing evidence" in text
    assert "funnel-hip" not in text
