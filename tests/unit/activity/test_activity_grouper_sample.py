"""The supplied sample of the grouper's input layout: real shape, deliberately dirty. What is expected is worked out here
again, in plain Python."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import polars as pl

from tariff.activity import read_activity, survey
from tariff.columns import READ_FAULT

Row = dict[str, str]
MAP = "grouper_input"


def by_spell(path: Path) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found[row["PROCODET"], row["PROVSPNO"]].append(row)
    return {key: sorted(rows, key=lambda row: int(row["EPIORDER"])) for key, rows in found.items()}


def net_days(row: Row) -> int:
    taken_off = sum(int(row[name] or 0) for name in ("CRITICALCAREDAYS", "REHABILITATIONDAYS", "SPCDAYS"))
    return max(0, int(row["EPIDUR"]) - taken_off)


def read(path: Path) -> pl.DataFrame:
    return read_activity(path, columns=MAP).collect()


def test_752_episodes_become_478_spells_and_none_is_lost(grouper_sample: Path) -> None:
    spells = read(grouper_sample)
    assert (spells.height, spells["episodes"].sum()) == (478, 752)
    assert (survey(grouper_sample, columns=MAP).rows, survey(grouper_sample, columns=MAP).in_episodes) == (752, True)
    expected = by_spell(grouper_sample)
    assert list(zip(spells["provider"], spells["spell_id"], strict=True)) == list(expected)
    assert spells["episodes"].to_list() == [len(rows) for rows in expected.values()]


def test_the_net_stay_of_every_spell(grouper_sample: Path) -> None:
    expected = [
        None if any(not row["EPIDUR"] for row in rows) else sum(map(net_days, rows)) for rows in by_spell(grouper_sample).values()
    ]
    assert read(grouper_sample)["adjusted_length_of_stay"].to_list() == expected
    assert sum(day for day in expected if day is not None) > 0


def test_class_method_and_age_are_the_first_episodes(grouper_sample: Path) -> None:
    expected = by_spell(grouper_sample).values()
    spells = read(grouper_sample)
    for ours, theirs in {
        "patient_classification": "CLASSPAT",
        "admission_method": "ADMIMETH",
        "age": "STARTAGE",
        "sex": "SEX",
    }.items():
        assert spells[ours].cast(pl.String).to_list() == [rows[0][theirs] for rows in expected]


def test_which_dirty_rows_are_faulty_and_why(grouper_sample: Path) -> None:
    expected = by_spell(grouper_sample)
    spells = read(grouper_sample)
    faulty = spells.filter(pl.col(READ_FAULT).is_not_null())

    blank_length = [key for key, rows in expected.items() if any(not row["EPIDUR"] for row in rows)]
    assert len(blank_length) == 1, "a blank EPIDUR, with no dates to work the length out from"
    assert list(faulty.select("provider", "spell_id", READ_FAULT).iter_rows()) == [(*blank_length[0], "unreadable_number")]

    aged = spells.filter(pl.col("age") > 130)
    assert aged.height == sum(int(rows[0]["STARTAGE"]) > 130 for rows in expected.values())
    assert aged[READ_FAULT].null_count() == aged.height, "age 999 can be read: the pricing checks reject it as out of range"

    class_ten = [rows for rows in expected.values() if any(row["CLASSPAT"] == "10" for row in rows)]
    assert [[row["CLASSPAT"] for row in rows].index("10") for rows in class_ten] == [1], "class 10, in a second episode"
    assert "10" not in spells["patient_classification"].to_list()

    changing = [rows for rows in expected.values() if len({(row["CLASSPAT"], row["ADMIMETH"]) for row in rows}) > 1]
    assert len(changing) == 3, "spells whose class or method changes between episodes take the first"

    gaps = [rows for rows in expected.values() if [int(row["EPIORDER"]) for row in rows] != list(range(1, len(rows) + 1))]
    assert gaps, "gaps in EPIORDER are allowed"


def test_what_grouper_input_lacks_is_blank_not_made_up(grouper_sample: Path) -> None:
    spells = read(grouper_sample)
    for name in ("commissioner", "admission_date", "discharge_date", "hrg"):
        assert spells[name].null_count() == spells.height
