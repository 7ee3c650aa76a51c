"""A wrong workbook fails with what was found and what was expected, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tariff.errors import RulesError
from tariff.rulepack import load_pack

if TYPE_CHECKING:
    from conftest import Official, Rows

OUTPATIENT: Rows = [
    ["Treatment function code", "First single", "First multi", "Follow up single", "Follow up multi"],
    ["100", 159, 202, 80, 90],
]


def without(rows: Rows, title: str) -> Rows:
    column = next(number for number, cell in enumerate(rows[0]) if str(cell).startswith(title))
    return [[cell for number, cell in enumerate(row) if number != column] for row in rows]


def refused(official: Official, sheets: dict[str, Any], **options: Any) -> str:
    with pytest.raises(RulesError) as caught:
        official.read(official.workbook(sheets), **options)
    assert not (official.folder / "imported").exists()
    assert [path.name for path in official.folder.iterdir()] == ["workbook.xlsx"]
    return str(caught.value)


@pytest.mark.parametrize(
    ("title", "column"),
    [
        ("HRG code", "hrg ('HRG code')"),
        ("Outpatient procedure", "outpatient_procedure ('Outpatient procedure tariff (£)')"),
        ("Combined", "combined ('Combined day case / ordinary elective spell tariff (£)')"),
        ("Day case", "day_case ('Day case spell tariff (£)')"),
        ("Non-elective spell", "non_elective ('Non-elective spell tariff (£)')"),
        ("Ordinary elective long", "elective_trim ('Ordinary elective long stay trim point (days)')"),
        ("Per day", "per_day_long_stay ('Per day long stay payment (for days exceeding trim point) (£)')"),
        ("Reduced short stay emergency tariff _app", "short_stay_applies ('Reduced short stay emergency tariff applicable?')"),
    ],
)
def test_a_column_of_annex_a_is_missing(official: Official, title: str, column: str) -> None:
    told = refused(official, {"1 APC & OPROC": without(official.annex_a(), title)})
    assert f"workbook.xlsx, sheet '1 APC & OPROC', row 1: admitted care and outpatient procedures: no column for {column}" in told
    assert "found: '" in told
    assert "'HRG name'" in told


@pytest.mark.parametrize("sheet", ["1 APC & OPROC", "Sheet1"])
@pytest.mark.parametrize(
    ("title", "column"), [("Non-elective spell", "non_elective"), ("Per day", "per_day_long_stay"), ("Combined", "combined")]
)
def test_a_price_sheet_that_lacks_a_column_is_no_small_table(official: Official, sheet: str, title: str, column: str) -> None:
    """The best-practice columns of Annex A hold codes and a percentage, as top-up rates do."""
    header, *rows = official.annex_a()
    whole = [header, *([*row[:-1], "HRG"] for row in rows)]
    told = refused(official, {sheet: without(whole, title)})
    assert f"sheet '{sheet}', row 1: admitted care and outpatient procedures: no column for {column} ('" in told
    assert f"If the workbook really lacks it, say so: --without {column}" in told
    assert "top-up" not in told


def test_codes_cannot_be_done_without(official: Official) -> None:
    told = refused(official, {"1 APC & OPROC": without(official.annex_a(), "HRG code")})
    assert "Give the column its title, or leave the sheet out with --skip SHEET" in told
    assert "--without" not in told


def test_a_sheet_of_some_other_columns_is_listed_where_another_holds_the_table(official: Official) -> None:
    trims = [[row[number] for number in (0, 1, 3, 6, 7, 8, 9)] for row in official.annex_a()]
    imported, _ = official.read(official.workbook({"1 APC & OPROC": official.annex_a(), "Trims": trims}))
    assert "sheet 'Trims', row 1: admitted care and outpatient procedures: no column for" in imported.not_placed


def test_a_column_that_the_workbook_lacks_can_be_done_without(official: Official) -> None:
    rows = without(official.annex_a(), "Outpatient procedure")
    _, made = official.read(official.workbook({"1 APC & OPROC": rows}), without=["outpatient_procedure"])
    assert official.differing(made) == {"outpatient_procedure"}
    assert any("Imported without columns the workbook is said to lack: outpatient_procedure" in note for note in made.notes)


def test_a_workbook_without_the_trim_points_of_a_setting(official: Official) -> None:
    rows = without(official.annex_a(), "Non-elective long")
    imported, made = official.read(official.workbook({"1 APC & OPROC": rows}), without=["non_elective_trim"])
    assert official.differing(made) == {"non_elective_trim"}
    assert (made.rules.long_stay.method, made.rules.long_stay.without_trim_points) == ("per_day_beyond_trim", ("non_elective",))
    absent = "workbook.xlsx holds no trim points of non-elective stays, so no excess day of theirs is paid."
    assert f"trim points: {absent}" in str(imported)
    assert any(note.startswith(f"ABSENT: {absent}") for note in made.notes)


@pytest.mark.parametrize("absent", [["non_elective_trim", "per_day_long_stay"], ["elective_trim", "non_elective_trim"]])
def test_a_workbook_that_can_pay_no_long_stay(official: Official, absent: list[str]) -> None:
    """A column that is said to be absent is not taken, though it is there: the supplied figures of 2018/19 have elective trim
    points alone."""
    imported, made = official.read(official.workbook({"1 APC & OPROC": official.annex_a()}), without=absent)
    assert official.differing(made) == set(absent)
    assert made.rules.long_stay.method == "none"
    assert "long stay: workbook.xlsx holds no trim points with per-day payments" in str(imported)
    assert "column 'Non-elective long stay trim point (days)' is left out as asked (--without)" in imported.not_placed


@pytest.mark.parametrize(
    ("title", "absent"),
    [
        ("Reduced short stay emergency tariff _app", "short_stay_applies"),
        ("Combined", "combined"),
        ("Day case", "day_case"),
        ("Non-elective spell", "non_elective"),
        ("Ordinary elective long", "elective_trim"),
        ("Per day", "per_day_long_stay"),
    ],
)
def test_any_one_column_can_be_done_without(official: Official, title: str, absent: str) -> None:
    rows = without(official.annex_a(), title)
    official.read(official.workbook({"1 APC & OPROC": rows}), without=[absent])


def test_an_outpatient_sheet_renamed(official: Official) -> None:
    told = refused(official, {"1 APC & OPROC": OUTPATIENT})
    assert "by its name this is admitted care and outpatient procedures" in told
    assert "by its titles it is outpatient attendances by treatment function" in told
    assert "found: 'Treatment function code', 'First single'" in told


def test_an_outpatient_sheet_lacks_a_column(official: Official) -> None:
    sheets = {"1 APC & OPROC": official.annex_a(), "2 Outpatient attendances": without(OUTPATIENT, "Follow up multi")}
    told = refused(official, sheets)
    assert "outpatient attendances by treatment function: no column for follow_up_multi ('WF02A Follow-up" in told


def test_no_table_at_all(official: Official) -> None:
    told = refused(official, {"Notes": [["Some words"], ["More words"]], "Empty": []})
    assert "no sheet holds a table of prices. Found: 'Notes' ('Some words'); 'Empty' (empty)" in told
    assert "expected one of: SUS tariff reference" in told


def test_two_columns_for_one_figure(official: Official) -> None:
    rows = [[*row, row[7]] for row in official.annex_a()]
    rows[0][-1] = "Non-elective spell tariff, revised"
    told = refused(official, {"1 APC": rows})
    assert "non_elective could be 'Non-elective spell tariff (£)' or 'Non-elective spell tariff, revised'" in told


def test_two_sheets_for_one_table(official: Official) -> None:
    rows = official.annex_a()
    told = refused(official, {"1 APC": rows, "1 APC (2)": rows})
    assert "several sheets hold admitted care and outpatient procedures: '1 APC' and '1 APC (2)'" in told
    _, made = official.read(official.workbook({"1 APC": rows, "1 APC (2)": rows}), skip=["1 APC (2)"])
    assert official.differing(made) == set()


def test_an_hrg_with_two_prices(official: Official) -> None:
    rows = official.annex_a()
    told = refused(official, {"1 APC": [*rows, [rows[1][0], *rows[2][1:]]]})
    assert (
        f"workbook.xlsx, sheet '1 APC', row {len(rows) + 1}: AA22C stands here and, with other figures, at workbook.xlsx" in told
    )


def test_a_pack_that_would_not_pass_check_is_told_by_the_row_of_the_workbook(official: Official) -> None:
    rows = official.annex_a()
    rows[2][4] = 5000.0
    told = refused(official, {"1 APC": rows})
    assert f"workbook.xlsx, sheet '1 APC', row 3: column combined of {rows[2][0]}: stands beside a day_case" in told


def test_what_was_not_placed_is_listed_when_the_import_fails_too(official: Official) -> None:
    rows = official.annex_a()
    rows[2][4], rows[3][2] = 5000.0, "see note"
    told = refused(official, {"1 APC": rows})
    assert f"row 4: not placed: outpatient_procedure of {rows[3][0]}: 'see note' is not an amount in whole pence" in told


def test_sus_lines_that_disagree(official: Official) -> None:
    rows = official.sus()
    told = refused(official, {"SUS": [*rows, [rows[1][0], "DAY", "NON", "", "17", "", "240"]]})
    assert "non_elective of AA22C is 17 here and 9766 on another line" in told


def test_what_cannot_be_read_is_left_blank_and_listed(official: Official) -> None:
    rows = official.annex_a()
    rows[1][2], rows[3][2], rows[5][2] = "see note", "n/a", "TBC 50"
    imported, made = official.read(official.workbook({"1 APC": rows}))
    assert official.differing(made) == set()
    assert (
        "sheet '1 APC', row 2: outpatient_procedure of AA22C: 'see note' is not an amount in whole pence; left blank"
        in imported.not_placed
    )
    assert (
        f"row 4: outpatient_procedure of {rows[3][0]}: 'n/a' is not an amount in whole pence; left blank" in imported.not_placed
    )
    notes = " ".join(load_pack(imported.folder).notes)
    assert "outpatient_procedure of AA22C: 'see note' is not an amount in whole pence; left blank" in notes


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"year": "2017"}, "'2017'"),
        ({"year": "2017-19"}, "'2017-19'"),
        ({"without": ["colour"]}, "'colour'"),
        ({"skip": ["Sheet 9"]}, "there is no sheet 'Sheet 9'"),
    ],
)
def test_a_wrong_question(official: Official, options: dict[str, Any], told: str) -> None:
    assert told in refused(official, {"1 APC": official.annex_a()}, **options)


def test_files_that_are_no_workbooks(official: Official) -> None:
    broken = official.folder / "broken.xlsx"
    broken.write_bytes(b"PK no workbook")
    with pytest.raises(RulesError, match="is not a workbook that can be read") as caught:
        official.read(broken, official.folder / "absent.xlsx")
    assert "absent.xlsx: No such file" in str(caught.value)
