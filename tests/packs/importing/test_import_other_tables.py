"""Outpatient attendances, emergency care, unbundled services, market forces factors and top-up rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tariff.errors import RulesError

if TYPE_CHECKING:
    from conftest import Official, Rows

OUTPATIENT: Rows = [
    [
        "Treatment function code",
        "Treatment function name",
        "WF01B\nFirst Attendance - Single Professional (£)",
        "WF02B First Attendance - Multi Professional (£)",
        "WF01A Follow Up Attendance - Single Professional (Â£)",
        "WF02A Follow-Up Attendance - Multi Professional",
        "WF01D First Attendance - Single Professional Non-Face-to-Face (£)",
        "WF02D First Attendance - Multi Professional Non-Face-to-Face (£)",
        "WF01C Non-face-to-face follow up (£)",
    ],
    [100, "General Surgery", 159, "1,202.50", 80.0, "-", 61, 61, "£35"],
    [130.0, "Ophthalmology", "£106", 108, "60", 87, 50, 51, 0],
    ["Source: the year's prices", "", "", "", "", "", "", "", ""],
]
EMERGENCY: Rows = [
    ["HRG code", "HRG name", "Type 1 and 2 departments (£)", "Type 3 departments (£)"],
    ["VB01Z", "Any investigation with category 5 treatment", 389, 77],
    ["VB11Z", "No investigation with no significant treatment", 77, "-"],
]
UNBUNDLED: Rows = [
    ["HRG code", "HRG name", "Unit", "Total tariff including cost (£)", "Cost of reporting (£)"],
    ["RD01A", "MRI of one area", "scan", "135", "22"],
    ["SB97Z", "Same day chemotherapy", "", "0", "-"],
]
FACTORS: Rows = [
    ["Org code", "Trust name", "2016/17 MFF", "2017/18 MFF"],
    ["RK9", "University Hospitals Plymouth", "1.01", 1.0],
    ["RJ122", "A site", "1.2", 1.0373861234],
]
TOP_UPS: Rows = [
    ["PSS flag", "Service name", "Financial year", "Top-up rate"],
    ["NCBPS23A", "Children", "2016/17", 0.3],
    ["NCBPS23A", "Children", "2017/18", "25%"],
    ["NCBPS34A", "Orthopaedics", "2017/18", 0.14],
    ["NCBPS99X", "Nothing", "2017/18", "-"],
]


def test_the_other_tables_of_a_workbook(official: Official) -> None:
    sheets = {
        "Contents": [["Contents"], ["1 APC", "Admitted care"]],
        "1 APC & OPROC": official.annex_a(),
        "2 OP Attendances": OUTPATIENT,
        "3 A&E": EMERGENCY,
        "4 Unbundled": UNBUNDLED,
        "5 MFF": FACTORS,
        "6 Top-ups": TOP_UPS,
        "7 BPTs": [["HRG code", "BPT price (£)"], ["HN22E", "5000"]],
        "8 Non-mandatory": [["HRG code", "Price (£)"], ["RD02A", "5000"]],
    }
    imported, made = official.read(official.workbook(sheets, above=("2017/18 prices",)))
    first, second = made.outpatient
    assert (first.treatment_function, first.first_single, first.first_multi) == ("100", 15_900, 120_250)
    assert (first.follow_up_single, first.follow_up_multi) == (8_000, None)
    assert (first.first_non_face_to_face, first.follow_up_non_face_to_face) == (6_100, 3_500)
    assert (second.first_single, second.first_non_face_to_face, second.follow_up_non_face_to_face) == (10_600, None, None)
    assert [(row.currency, row.price, row.type_3_price) for row in made.emergency] == [
        ("VB01Z", 38_900, 7_700),
        ("VB11Z", 7_700, None),
    ]
    assert [(row.currency, row.unit, row.price) for row in made.unbundled] == [("RD01A", "scan", 13_500), ("SB97Z", "item", None)]
    assert [(row.provider, row.mff) for row in made.provider_factors] == [("RK9", 1_000_000), ("RJ122", 1_037_386)]
    assert [(row.top_up, row.percent) for row in made.top_ups] == [("NCBPS23A", 2_500), ("NCBPS34A", 1_400)]
    assert made.rules.top_up.includes_long_stay is True
    assert [getattr(made.rules, name).method for name in ("outpatient", "emergency", "unbundled", "market_forces_factor")] == [
        "national",
        "national",
        "price_list",
        "by_provider",
    ]
    told = imported.not_placed
    assert "first_non_face_to_face of 130: single and multi-professional prices differ; left blank" in told
    assert "Source: the year's prices" in told
    assert "column 'Cost of reporting (£)' has no place in unbundled.csv (1 cells not taken)" in told
    assert "sheet '7 BPTs': best-practice tariffs" in told
    assert "sheet '8 Non-mandatory': non-mandatory prices are no national prices" in told
    assert "sheet 'Contents': no table was found on it" in told


def test_a_provider_beside_its_code_is_its_name(official: Official) -> None:
    sheets = {"1 APC": official.annex_a(), "MFF": [["Provider code", "Provider", "2017/18 MFF"], ["RK9", "Plymouth", "1.05"]]}
    _, made = official.read(official.workbook(sheets))
    assert [(row.provider, row.name, row.mff) for row in made.provider_factors] == [("RK9", "Plymouth", 1_050_000)]


def test_a_sheet_of_factors_without_codes_is_a_fault(official: Official) -> None:
    sheets = {"1 APC": official.annex_a(), "MFF": [["Provider A", "Provider B", "MFF"], ["RK9", "RK8", "1.05"]]}
    with pytest.raises(RulesError, match="market forces factors: provider could be 'Provider A' or 'Provider B'"):
        official.read(official.workbook(sheets))


@pytest.mark.parametrize("cell", ["-", "", "1.1%", "-1", "n/a"])
def test_a_provider_without_a_factor_is_left_out_and_listed(official: Official, cell: str) -> None:
    rows: Rows = [["Provider code", "Provider name", "2017/18 MFF"], ["RK9", "Plymouth", "1.05"], ["RJ1", "London", cell]]
    imported, made = official.read(official.workbook({"1 APC": official.annex_a(), "MFF": rows}))
    assert [(row.provider, row.mff) for row in made.provider_factors] == [("RK9", 1_050_000)]
    assert "workbook.xlsx, sheet 'MFF', row 3: RJ1 has no factor and is left out" in imported.not_placed
    if cell not in {"-", ""}:
        assert f"sheet 'MFF', row 3: mff of RJ1: '{cell}' is not a factor; left blank" in imported.not_placed


def test_factors_of_which_none_can_be_read_are_not_taken_for_absent(official: Official) -> None:
    rows: Rows = [["Provider code", "Provider name", "2017/18 MFF"], ["RK9", "Plymouth", "105.1%"]]
    with pytest.raises(RulesError, match="sheet 'MFF': no provider on it has a factor that can be read") as caught:
        official.read(official.workbook({"1 APC": official.annex_a(), "MFF": rows}))
    assert "sheet 'MFF', row 2: not placed: mff of RK9: '105.1%' is not a factor" in str(caught.value)


@pytest.mark.parametrize("cell", ["-", "5-7", "n/a"])
def test_no_day_is_paid_of_an_hrg_whose_trim_point_cannot_be_read(official: Official, cell: str) -> None:
    rows = official.annex_a()
    assert rows[1][0] == "AA22C"
    rows[1][8] = cell
    imported, made = official.read(official.workbook({"1 APC": rows}))
    assert official.differing(made) == {"non_elective_trim", "per_day_long_stay"}
    assert (made.admitted[0].per_day_long_stay, made.admitted[0].elective_trim) == (None, 117)
    told = (
        "row 2: per_day_long_stay of AA22C: 240 is not taken, as there is no non_elective_trim: no day beyond the price is paid"
    )
    assert told in imported.not_placed
    assert (f"non_elective_trim of AA22C: '{cell}'" in imported.not_placed) == (cell != "-")
    (warning,) = imported.warnings
    assert warning.what.endswith(f"the first AA22C ({imported.folder}/admitted.csv:2)")
    assert warning.where == str(imported.folder)
    assert ".partial" not in str(warning)


def test_a_reduction_without_its_size_is_none_and_listed(official_example: Official) -> None:
    rows = official_example.annex_a()
    number, row = next((number, row) for number, row in enumerate(rows) if row[10] == "Yes")
    row[11], row[12] = "150%", "TBC"
    imported, made = official_example.read(official_example.workbook({"1 APC": rows}), year="2017-18")
    reduced = next(one for one in made.admitted if one.hrg == row[0])
    assert (reduced.short_stay_applies, reduced.short_stay_percent, reduced.short_stay_price) == (False, None, None)
    told = f"row {number + 1}: short_stay_applies of {row[0]}: no percentage and no price can be read; left at no"
    assert told in imported.not_placed


def test_prices_of_another_year_are_told_at_once(official: Official) -> None:
    imported, made = official.read(official.workbook({"1 APC": official.annex_a()}, above=("2016/17 prices",)))
    (warning,) = imported.warnings
    assert str(warning).startswith(
        "workbook.xlsx, sheet '1 APC': admitted.csv: its titles name 2016-17, another year than 2017-18\n    labelled proxy"
    )
    assert "from sheet '1 APC' of workbook.xlsx; proxy: of 2016-17" in str(imported)
    assert "admitted.csv: its titles name 2016-17, another year than 2017-18; labelled proxy." in made.notes
    assert made.confidence_of("admitted", "combined").confidence == "proxy"


def test_a_factor_of_another_year_is_labelled(official: Official) -> None:
    sheets = {"1 APC": official.annex_a(), "MFF 2026-27": [["Provider code", "MFF"], ["RK9", 1]]}
    _, made = official.read(official.workbook(sheets))
    assert made.rules.market_forces_factor.confidence == "proxy"
    assert made.confidence_of("mff", "mff").confidence == "proxy"
    assert any("mff.csv: its titles name 2026-27, another year than 2017-18" in note for note in made.notes)


def test_outpatients_alone_make_a_pack(official: Official) -> None:
    _, made = official.read(official.workbook({"Sheet1": OUTPATIENT}))
    assert (len(made.admitted), len(made.outpatient)) == (0, 2)


def test_of_two_years_the_one_asked_for_is_read(official: Official) -> None:
    other = [list(row) for row in official.annex_a()]
    other[1][3] = 1.0
    sheets = {"1 APC 2017-18": official.annex_a(), "1 APC 2018-19": other}
    imported, made = official.read(official.workbook(sheets))
    assert official.differing(made) == set()
    assert "sheet '1 APC 2018-19': of 2018-19, not of 2017-18" in imported.not_placed


@pytest.mark.parametrize(("year", "expected"), [("2010-11", [("CHILDREN", 7_800), ("ORTHOPAEDIC", 3_000)]), ("2017-18", [])])
def test_dated_top_ups_stand_in_where_the_workbook_has_none(
    official: Official, year: str, expected: list[tuple[str, int]]
) -> None:
    _, made = official.read(official.workbook({"APC": official.annex_a()}), year=year)
    assert [(row.top_up, row.percent) for row in made.top_ups] == expected
    assert all(row.confidence == "published" for row in made.top_ups)
    assert made.rules.top_up.method == ("highest_eligible" if expected else "none")
    if expected:
        assert made.rules.top_up.includes_long_stay is False
        assert made.top_ups[0].maximum_age == 18


def test_the_scheme_of_the_year_pays_outpatients_its_own_way(official: Official) -> None:
    _, made = official.read(official.workbook({"1 APC & OPROC": official.payment_scheme()}), year="2025-26")
    rule = made.rules.outpatient
    assert (rule.method, rule.non_face_to_face, rule.default_first_pence) == ("erf", "face_to_face_price", 21_000)
    assert (made.starts.isoformat(), made.ends.isoformat()) == ("2025-04-01", "2026-03-31")
    assert made.title.startswith("NHS Payment Scheme 2025/26, imported from workbook.xlsx")


def test_printed_prices_of_care_not_face_to_face_win_over_the_way_of_the_scheme(official: Official) -> None:
    sheets = {"1 APC & OPROC": official.payment_scheme(), "2 OP Attendances": OUTPATIENT}
    _, made = official.read(official.workbook(sheets), year="2025-26")
    assert (made.rules.outpatient.method, made.rules.outpatient.non_face_to_face) == ("erf", "own_price")

    without = [row[:6] for row in OUTPATIENT]
    _, made = official.read(official.workbook({**sheets, "2 OP Attendances": without}), year="2025-26")
    assert made.rules.outpatient.non_face_to_face == "face_to_face_price"


@pytest.mark.parametrize("sign", ["£", "Â£", "\ufffd", "ï¿½", "£ "])
def test_a_pound_sign_before_an_amount_is_read_whatever_became_of_it(official: Official, sign: str) -> None:
    emergency = [EMERGENCY[0], ["VB01Z", "Any", f"{sign}1,389", "-"], ["VB11Z", "None", f"{sign}77", "-"]]
    imported, made = official.read(official.workbook({"1 APC": official.annex_a(), "3 A&E": emergency}))
    assert [row.price for row in made.emergency] == [138_900, 7_700]
    assert "3 A&E" not in imported.not_placed
