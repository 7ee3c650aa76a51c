"""Unbundled items attached to spells, RULES 1.9: what they become, and how the same item given twice is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.activity import attached_items, read_activity, read_attached_items, without_given
from tariff.activity.attached import ATTACHED
from tariff.columns import READ_FAULT, UNBUNDLED, schema

Write = Callable[..., Path]
Lines = Callable[..., str]

ADMITTED_ON, DISCHARGED_ON = date(2017, 4, 1), date(2017, 4, 8)
USUAL = {
    "spell_id": "S1",
    "provider": "RXX",
    "commissioner": "99A",
    "admission_date": ADMITTED_ON,
    "discharge_date": DISCHARGED_ON,
}
TYPES = dict.fromkeys(("admission_date", "discharge_date"), pl.Date())


def spells_with(*given: dict[str, object]) -> pl.LazyFrame:
    rows = [USUAL | one for one in given]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.LazyFrame(
        {name: [row.get(name) for row in rows] for name in names}, {name: TYPES.get(name, pl.String()) for name in names}
    )


def items(*given: dict[str, object]) -> list[dict[str, object]]:
    return attached_items(spells_with(*given)).collect().rows(named=True)


def told(cell: str) -> list[tuple[object, object, object]]:
    return [(item["line_id"], item["units"], item[READ_FAULT]) for item in items({"unbundled": cell})]


@pytest.mark.parametrize(("cell", "expected"), [
    ("SB12Z", [("S1/SB12Z", 1)]),
    ("SB12Z;SB12Z", [("S1/SB12Z", 2)]),
    ("XC07Z*3", [("S1/XC07Z", 3)]),
    ("XC07Z*3;XC07Z*3", [("S1/XC07Z", 3)]),
    ("XC07Z*3;XC07Z*3.0;XC07Z*03", [("S1/XC07Z", 3)]),
    ("XC07Z*3;XC07Z*2", [("S1/XC07Z", 3), ("S1/XC07Z#2", 2)]),
    ("XC07Z*3;XC06Z*2;XC07Z*1;XC07Z*3", [("S1/XC07Z", 3), ("S1/XC06Z", 2), ("S1/XC07Z#2", 1)]),
    ("XC07Z*2;XC07Z;XC07Z", [("S1/XC07Z", 2), ("S1/XC07Z#2", 2)]),
    (" sb12z ; Xc07z * 3 ;; ; ", [("S1/SB12Z", 1), ("S1/XC07Z", 3)]),
    ("LD01A*0;RD20A*-2", [("S1/LD01A", 0), ("S1/RD20A", -2)]),
    (";", []),
    ("  ", []),
])  # fmt: skip
def test_what_a_cell_becomes(cell: str, expected: list[tuple[str, int]]) -> None:
    assert told(cell) == [(*one, None) for one in expected]


@pytest.mark.parametrize("piece", ["XC07Z*", "XC07Z*x", "XC07Z*3.5", "XC07Z*3*4", "XC07Z*1E05", "XC07Z*9999999999", "XC07Z*3\n4"])
def test_a_count_that_cannot_be_read_is_a_fault_of_its_item_alone(piece: str) -> None:
    assert told(f"RD20A;{piece};SB12Z") == [
        ("S1/RD20A", 1, None),
        ("S1/XC07Z", None, "unreadable_number"),
        ("S1/SB12Z", 1, None),
    ]


def test_a_count_without_a_currency_cannot_be_read() -> None:
    assert told("*3;XC07Z*y;XC07Z*x") == [
        ("S1/", 3, "unreadable_number"),
        ("S1/XC07Z", None, "unreadable_number"),
        ("S1/XC07Z#2", None, "unreadable_number"),
    ]


def test_an_item_is_canonical_unbundled_activity_of_its_spell() -> None:
    own = {
        "patient_id": "p1",
        "gp_practice": "G1",
        "treatment_function": "300",
        "administrative_category": "01",
        "commissioning_serial_number": "X=",
    }
    frame = attached_items(spells_with(own | {"unbundled": "SB12Z", "site": "RXX01"})).collect()
    assert frame.schema == ATTACHED
    assert ATTACHED.items() <= (schema(UNBUNDLED) | {READ_FAULT: pl.String()}).items()
    (item,) = frame.rows(named=True)
    assert item == own | {
        "line_id": "S1/SB12Z",
        "parent_line_id": "S1",
        "provider": "RXX",
        "commissioner": "99A",
        "date": DISCHARGED_ON,
        "currency": "SB12Z",
        "units": 1,
        READ_FAULT: None,
    }


def test_an_item_of_an_unfinished_spell_waits_for_it_and_is_dated_by_its_admission() -> None:
    (item,) = items({"unbundled": "SB12Z", "discharge_date": None})
    assert (item["date"], item[READ_FAULT]) == (ADMITTED_ON, "unfinished")


@pytest.mark.parametrize("spell_id", [None, " "])
def test_an_item_of_a_spell_without_an_identifier_has_none_either(spell_id: str | None) -> None:
    (item,) = items({"unbundled": "SB12Z", "spell_id": spell_id})
    assert item["line_id"] is None


@pytest.mark.parametrize(("fault", "discharged", "expected"), [
    ("unreadable_row", True, "unreadable_row"),
    ("missing_identifier", True, "missing_identifier"),
    ("unreadable_number", True, None),
    ("unreadable_date", True, None),
    ("conflicting_hrg", True, None),
    ("unreadable_date", False, "unreadable_date"),
    ("unreadable_number", False, "unreadable_number"),
    (None, False, "unfinished"),
])  # fmt: skip
def test_a_fault_of_the_spell_is_the_items_where_it_may_bear_on_it(
    fault: str | None, discharged: bool, expected: str | None
) -> None:
    (item,) = items({"unbundled": "SB12Z", READ_FAULT: fault, "discharge_date": DISCHARGED_ON if discharged else None})
    assert item[READ_FAULT] == expected


def test_spells_without_items_have_none() -> None:
    assert items({}) == []
    assert items({"unbundled": None}, {"unbundled": ""}) == []
    assert attached_items(spells_with({})).collect().schema == ATTACHED


PIECES = st.tuples(st.sampled_from(["SB12Z", "XC07Z", "RD20A"]), st.none() | st.integers(1, 3))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(PIECES, max_size=5), max_size=6))
def test_every_cell_by_itself_in_plain_python(cells: list[list[tuple[str, int | None]]]) -> None:
    texts = [";".join(code if count is None else f"{code}*{count}" for code, count in cell) or None for cell in cells]
    expected = []
    for place, cell in enumerate(cells):
        seen: Counter[str] = Counter()
        for code, count in dict.fromkeys(cell):
            seen[code] += 1
            suffix = f"#{seen[code]}" if seen[code] > 1 else ""
            expected.append((f"{place}/{code}{suffix}", count or cell.count((code, None))))
    got = items(*({"spell_id": str(place), "unbundled": text} for place, text in enumerate(texts)))
    assert [(item["line_id"], item["units"]) for item in got] == expected


def test_items_of_a_file_come_in_its_order_and_as_from_its_spells(write: Write, lines: Lines, tmp_path: Path) -> None:
    changes = [{"spell_id": f"S{n}", "unbundled": "XC07Z*3;RD20A" if n % 7 == 0 else ""} for n in range(700)]
    text = write(lines("admitted", *changes, {"spell_id": "Total", "unbundled": "SB12Z"}))
    spells = read_activity(text)
    frame = read_attached_items(text).collect()
    assert frame["line_id"].to_list()[:4] == ["S0/XC07Z", "S0/RD20A", "S7/XC07Z", "S7/RD20A"]
    assert frame.height == 201
    assert frame.row(-1, named=True)[READ_FAULT] == "missing_identifier"
    assert frame.equals(attached_items(spells).collect())
    spells.collect().drop(READ_FAULT).write_parquet(tmp_path / "apc.parquet")
    assert read_attached_items(tmp_path / "apc.parquet").collect().equals(frame)
    assert attached_items(spells).collect(engine="streaming").equals(frame)


def test_files_without_the_column_hold_no_items(write: Write, lines: Lines) -> None:
    files = [write(lines("admitted"), "a.csv"), write(lines("admitted", {"unbundled": "SB12Z"}), "b.csv")]
    assert read_attached_items(files).collect()["line_id"].to_list() == ["S1/SB12Z"]
    assert read_attached_items(files[0]).collect().schema == ATTACHED


def test_the_count_of_two_episodes_is_two_items_and_twice_in_one_episode_is_one(write: Write, lines: Lines) -> None:
    episodes = [
        {"episode_number": str(number), "length_of_stay": "5", "unbundled": cell}
        for number, cell in enumerate(("VC04Z*5;VC04Z*5", "VC04Z*5", "", "SB12Z"), start=1)
    ]
    path = write(lines("admitted", *episodes))
    frame = read_attached_items(path).collect()
    assert frame.select("line_id", "units").rows() == [("S1/VC04Z", 5), ("S1/VC04Z#2", 5), ("S1/SB12Z", 1)]
    assert frame.equals(attached_items(read_activity(path)).collect())


def given_lines(write: Write, lines: Lines, *changes: dict[str, str]) -> pl.LazyFrame:
    return read_activity(write(lines("unbundled", *changes), "given.csv"))


def test_an_item_given_both_ways_is_counted_once_and_the_line_stands(write: Write, lines: Lines) -> None:
    attached = attached_items(spells_with({"unbundled": "XC07Z*3;RD20A"}, {"spell_id": "S2", "unbundled": "XC07Z*3"}))
    line = {"parent_line_id": "S1", "date": "2017-04-08", "currency": "XC07Z", "units": "4"}
    kept, left_out, _ = without_given(attached, given_lines(write, lines, line, line | {"line_id": "U2"}))
    assert (kept.collect()["line_id"].to_list(), left_out) == (["S1/RD20A", "S2/XC07Z"], 1)


@pytest.mark.parametrize(
    "other",
    [{"provider": "RYY"}, {"parent_line_id": "s1"}, {"parent_line_id": ""}, {"currency": "XC06Z"}, {"date": "2017-04-07"}],
)
def test_another_provider_spell_currency_or_date_is_another_item(write: Write, lines: Lines, other: dict[str, str]) -> None:
    attached = attached_items(spells_with({"unbundled": "XC07Z*3"}))
    line = {"parent_line_id": "S1", "date": "2017-04-08", "currency": "XC07Z"}
    kept, left_out, of_another_date = without_given(attached, given_lines(write, lines, line | other))
    assert (kept.collect().height, left_out, of_another_date) == (1, 0, int("date" in other))


def test_lines_that_name_no_spell_leave_nothing_out(write: Write, lines: Lines) -> None:
    attached = attached_items(spells_with({"unbundled": "XC07Z*3"}))
    kept, left_out, _ = without_given(attached, given_lines(write, lines))
    assert (kept.collect().height, left_out) == (1, 0)


def test_what_is_kept_stays_in_order(write: Write, lines: Lines) -> None:
    attached = attached_items(spells_with(*({"spell_id": f"S{n}", "unbundled": "XC07Z*3;RD20A"} for n in range(500))))
    known = [{"parent_line_id": f"S{n}", "date": "2017-04-08", "currency": "RD20A"} for n in range(0, 500, 2)]
    kept, left_out, _ = without_given(attached, given_lines(write, lines, *known))
    expected = [f"S{n}/{code}" for n in range(500) for code in ("XC07Z", "RD20A") if code == "XC07Z" or n % 2]
    assert (kept.collect(engine="streaming")["line_id"].to_list(), left_out) == (expected, 250)


def test_lines_of_several_files_whatever_their_columns(write: Write, lines: Lines, tmp_path: Path) -> None:
    attached = attached_items(spells_with({"unbundled": "XC07Z*3;RD20A;SB12Z"}))
    line = {"parent_line_id": "S1", "date": "2017-04-08", "currency": "XC07Z"}
    first = given_lines(write, lines, line)
    coded = first.collect().with_columns(pl.lit("RD20A", pl.Enum(["RD20A"])).alias("currency")).drop(READ_FAULT)
    coded.write_parquet(tmp_path / "coded.parquet")
    second = read_activity(tmp_path / "coded.parquet")
    third = read_activity(write(lines("unbundled"), "third.csv"))
    kept, left_out, _ = without_given(attached, first, second, third)
    assert (kept.collect()["line_id"].to_list(), left_out) == (["S1/SB12Z"], 2)
    assert without_given(attached).also_given == 0
