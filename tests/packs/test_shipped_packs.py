"""Every pack that ships, and the facts that a reader of the published tables can check."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from tariff.rulepack import RulePack, check_pack, load_pack, shipped_overlays, shipped_packs
from tariff.rulepack.rows import TABLES

PACKS = shipped_packs()
REAL = ("2017-18", "2018-19", "2024-25")
# fmt: off
SPLIT = [
    "CA11A", "CA14Z", "CA32A", "CA60A", "CA60B", "CA61Z", "EY06E", "EY08E", "FZ18J", "FZ18K", "GA10K",
    "GB06H", "KA03D", "LB13E", "LB13F", "LB25E", "LB25F", "LB51B", "MA04D", "YG11A", "YL20A",
]
# fmt: on


@pytest.fixture(scope="module")
def packs() -> dict[str, RulePack]:
    return {path.name: load_pack(path) for path in PACKS}


def test_the_shipped_packs_are_found() -> None:
    assert [path.name for path in PACKS] == [*REAL, "example"]
    assert [path.name for path in shipped_overlays()] == ["demonstration-2024-25", "nhsps-2025-26-hn-hc"]


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_pack_has_no_faults_and_no_warnings(path: Path) -> None:
    check = check_pack(path)
    assert check.pack is not None
    assert (check.faults, check.warnings) == ((), ())
    assert check.pack.label == path.name
    assert len(check.pack.examples) >= 12


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_every_figure_and_rule_has_a_source(path: Path) -> None:
    pack = load_pack(path)
    for rule in type(pack.rules).model_fields:
        assert getattr(pack.rules, rule).source
    for name, rows in pack.cells.items():
        for column in TABLES[name].column_names:
            if any(row[column] for row in rows):
                confidence, source = pack.confidence_of(name, column)
                assert confidence
                assert source


@pytest.mark.parametrize("year", REAL)
def test_real_packs_name_the_crown_licence(year: str, packs: dict[str, RulePack]) -> None:
    sources = next(iter(packs[year].sources.values()))
    assert {line.licence for line in sources.lines} == {"Open Government Licence v3.0 (Crown copyright)"}


def test_number_of_hrgs(packs: dict[str, RulePack]) -> None:
    assert {year: len(pack.admitted) for year, pack in packs.items()} == {
        "2017-18": 2303,
        "2018-19": 2303,
        "2024-25": 2405,
        "example": 64,
    }


@pytest.mark.parametrize("year", ["2017-18", "2018-19"])
def test_facts_of_the_two_national_tariff_years(year: str, packs: dict[str, RulePack]) -> None:
    rows = packs[year].admitted
    assert sum(row.outpatient_procedure is not None for row in rows) == 235
    assert [row.hrg for row in rows if row.day_case is not None] == SPLIT
    assert [
        row.hrg for row in rows if row.day_case is not None and row.ordinary_elective is not None and row.combined is None
    ] == SPLIT
    assert [row.hrg for row in rows if not row.has_price] == ["LA97A", "PB03Z", "SB97Z", "SC97Z", "UZ01Z"]
    assert min(min(row.elective_trim or 0, row.non_elective_trim or 0) for row in rows) == 5
    assert packs[year].starts == date(int(year[:4]), 4, 1)


def test_2024_25_prices_every_setting_or_none(packs: dict[str, RulePack]) -> None:
    rows = packs["2024-25"].admitted
    assert [row.hrg for row in rows if not row.has_price] == ["LA97A", "PB03Z", "RD97Z", "RN97Z", "SB97Z", "SC97Z", "UZ01Z"]
    assert [row.hrg for row in rows if row.day_case is not None] == ["BZ34A", "BZ34B"]
    assert all(row.elective_trim is None and row.per_day_long_stay is None for row in rows)
    assert len(packs["2024-25"].provider_factors) == 205


def test_2018_19_is_one_step_up_from_2017_18(packs: dict[str, RulePack]) -> None:
    before = {row.hrg: row.combined for row in packs["2017-18"].admitted}
    ratios = [Fraction(row.combined, before[row.hrg] or 1) for row in packs["2018-19"].admitted if row.combined]
    assert len(ratios) == 2277
    assert (round(float(sum(ratios) / len(ratios)), 4), round(float(min(ratios)), 4), round(float(max(ratios)), 4)) == (
        1.008,
        1.0,
        1.0363,
    )


def test_confidence_is_told_where_a_figure_is_not_the_years_own(packs: dict[str, RulePack]) -> None:
    labels = {
        (pack, column): packs[pack].confidence_of("admitted", column).confidence
        for pack in REAL
        for column in TABLES["admitted"].column_names
    }
    assert {key for key, label in labels.items() if label != "published"} == {
        ("2018-19", "non_elective_trim"),
        ("2018-19", "per_day_long_stay"),
    }
    assert labels["2018-19", "non_elective_trim"] == "proxy"
    assert packs["2024-25"].confidence_of("mff", "mff").confidence == "proxy"
    assert packs["2024-25"].rules.market_forces_factor.confidence == "proxy"


@pytest.mark.parametrize("year", ["2017-18", "2018-19"])
@pytest.mark.parametrize("rule", ["short_stay", "market_forces_factor", "top_up"])
def test_what_a_table_lacks_is_declared_not_filled(year: str, rule: str, packs: dict[str, RulePack]) -> None:
    declared = getattr(packs[year].rules, rule)
    assert (declared.method, declared.confidence) == ("none", "assumed")
    assert "not in the published figures at hand" in declared.source


def test_the_example_pack_is_illustrative_throughout(packs: dict[str, RulePack]) -> None:
    pack = packs["example"]
    assert pack.illustrative
    assert {getattr(pack.rules, rule).confidence for rule in type(pack.rules).model_fields} == {"illustrative"}
    assert {line.confidence for sources in pack.sources.values() for line in sources.lines} == {"illustrative"}
    assert not any(packs[year].illustrative for year in REAL)


def test_the_example_pack_holds_every_kind_of_row(packs: dict[str, RulePack]) -> None:
    rows = {row.hrg: row for row in packs["example"].admitted}
    assert rows["DZ11S"].short_stay_price
    assert rows["EB12C"].short_stay_percent
    assert rows["EB12C"].short_stay_price is None
    assert not rows["HN22E"].short_stay_applies
    assert rows["CA11A"].day_case
    assert rows["HE11G"].combined is None
    assert not rows["LA97A"].has_price
    assert not rows["UZ01Z"].has_price
    assert rows["PX57C"].per_day_long_stay == 0
    assert any(len(factor.provider) == 5 for factor in packs["example"].provider_factors)
    assert len({hrg[0] for hrg in rows}) >= 15


def test_the_example_pack_holds_every_kind_of_row_of_other_care(packs: dict[str, RulePack]) -> None:
    pack = packs["example"]
    functions = {row.treatment_function: row for row in pack.outpatient}
    assert {"100", "101", "110", "130", "320", "420", "501", "560", "812"} <= set(functions)
    assert functions["812"].first_single is None
    assert functions["130"].first_non_face_to_face is None
    assert not functions["560"].mff
    assert functions["110"].mff
    emergency = {row.currency: row for row in pack.emergency}
    assert list(emergency) == [*(f"VB{number:02}Z" for number in range(1, 12)), "VB99Z"]
    assert (emergency["VB99Z"].price, emergency["VB10Z"].type_3_price, emergency["VB06Z"].mff) == (None, 8000, False)
    unbundled = {row.currency: row for row in pack.unbundled}
    assert {code[:2] for code in unbundled} >= {"SB", "SC", "SD", "RD", "RN", "VC", "XA", "XB", "XC", "LD"}
    assert {f"XC{number:02}Z" for number in range(1, 8)} | {"XA06Z", "XB08Z", "LD01A", "LD01B"} <= set(unbundled)
    assert {code for code, row in unbundled.items() if row.pass_through} == {"HCDR", "DEV14"}
    assert {row.unit for row in unbundled.values()} == {"item", "day", "journey", "session", "contact", "cluster_day"}
    assert {row.pod for row in unbundled.values()} == {None, "DRUG", "DEVICE", "COMM", "OTHER"}


def test_the_example_pack_works_a_line_for_every_reason_of_other_care(packs: dict[str, RulePack]) -> None:
    worked: dict[str, set[str]] = {}
    for example in packs["example"].examples:
        worked.setdefault(example.kind, set()).add(example.reason)
    shared = {"missing_organisation", "outside_pack_dates", "not_nhs_funded", "outside_national_tariff", "ungrouped"}
    shared |= {"priced", "unknown_currency", "no_market_forces_factor"}
    assert worked["outpatient"] >= shared | {"attendance_status", "first_attendance", "not_attended", "not_consultant_led"}
    assert worked["outpatient"] >= {"no_attendance_price", "excluded_by_pack", "missing_date", "age_out_of_range"}
    assert worked["emergency"] >= shared | {"department_type", "planned_follow_up", "walk_in_centre", "missing_currency"}
    assert worked["unbundled"] >= shared | {"units_out_of_range", "no_pass_through_cost", "no_price_in_setting"}
    assert worked["unbundled"] >= {"amount_out_of_range", "missing_currency", "excluded_by_pack", "missing_date"}


def test_rules_of_other_care(packs: dict[str, RulePack]) -> None:
    rules = packs["example"].rules
    assert (rules.outpatient.method, rules.outpatient.default_first_pence) == ("national", 15000)
    assert rules.outpatient.default_follow_up_pence is None
    methods = {
        year: (pack.rules.outpatient.method, pack.rules.emergency.method, pack.rules.unbundled.method)
        for year, pack in packs.items()
    }
    assert methods == {
        "2017-18": ("national", "none", "none"),
        "2018-19": ("national", "none", "none"),
        "2024-25": ("erf", "national", "price_list"),
        "example": ("national", "national", "price_list"),
    }


def test_what_stands_in_for_other_care_of_2024_25_is_said(packs: dict[str, RulePack]) -> None:
    pack = packs["2024-25"]
    assert pack.rules.outpatient.default_first_pence == 19700
    assert pack.plain()["rules"]["outpatient"]["default_confidence"] == "assumed"
    assert pack.plain()["rules"]["outpatient"]["no_price_treatment_functions"] == ["812"]
    assert pack.outpatient == ()
    for row in (*pack.emergency, *pack.unbundled):
        table = "emergency" if row in pack.emergency else "unbundled"
        assert pack.confidence_of(table, "price", row) == (row.confidence, row.source)
    assert {row.confidence for row in pack.emergency} == {"proxy"}
    assert {(row.confidence, row.pass_through, row.mff) for row in pack.unbundled} == {
        ("proxy", False, False),
        ("assumed", True, True),
    }
    assert {row.unit for row in pack.unbundled if row.currency.endswith("MHPS")} == {"day"}
    assert {row.pod for row in pack.unbundled if row.unit == "contact"} == {"COMM", "OTHER"}


def test_plain_is_text_after_overlays(packs: dict[str, RulePack]) -> None:
    plain = packs["example"].plain()
    assert plain["year"] == "example"
    assert plain["starts"] == "2017-04-01"
    assert plain["rules"]["short_stay"]["grouping_methods"] == ["D"]
    assert plain["tables"]["admitted"][0]["combined"] == "8000"
    assert plain["tables"]["admitted"][0]["short_stay_percent"] == "25%"
    assert {type(cell) for rows in plain["tables"].values() for row in rows or () for cell in row.values()} == {str}
    assert packs["2017-18"].plain()["tables"]["top_up_providers"] is None
    assert packs["2017-18"].plain()["tables"]["mff"] == []
    assert packs["2017-18"].plain()["tables"]["emergency"] == []
    assert plain["tables"]["emergency"][9]["type_3_price"] == "80"
    assert plain["tables"]["unbundled"][0]["mff"] == ""
