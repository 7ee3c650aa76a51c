"""Which files must be read at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tariff.activity import grouped, read_activity
from tariff.errors import ActivityError, UsageError

Write = Callable[..., Path]
Lines = Callable[..., str]

EPISODE = {"episode_number": "1", "length_of_stay": "3"}


def test_files_of_episodes_are_one_group_and_every_other_file_is_its_own(write: Write, lines: Lines) -> None:
    first = write(lines("admitted", EPISODE), "first.csv")
    outpatients = [write(lines("outpatient"), f"op{n}.csv") for n in (1, 2)]
    spells = write(lines("admitted", {"spell_id": "S2"}), "spells.csv")
    second = write(lines("admitted", EPISODE | {"episode_number": "2"}), "second.csv")
    groups = grouped([(None, one) for one in (outpatients[0], first, spells, second, outpatients[1])])
    assert [(group.kind, group.paths, group.in_episodes) for group in groups] == [
        ("outpatient", (outpatients[0],), False),
        ("admitted", (first, second), True),
        ("admitted", (spells,), False),
        ("outpatient", (outpatients[1],), False),
    ]
    heights = [read_activity(group.paths, kind=group.kind).collect().height for group in groups]
    assert heights == [1, 1, 1, 1], "a spell whose episodes lie in two files is one spell"


def test_a_pattern_is_its_files_and_a_kind_that_is_said_holds(write: Write, lines: Lines, tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(lines("emergency"), f"{name}.csv")
    groups = grouped([("emergency", str(tmp_path / "*.csv"))])
    assert [group.paths[0].name for group in groups] == ["a.csv", "b.csv"]
    with pytest.raises(ActivityError, match="lacks the column 'attendance_date'"):
        grouped([("outpatient", tmp_path / "a.csv")])
    with pytest.raises(UsageError, match="is not a kind"):
        grouped([("inpatient", tmp_path / "a.csv")])


def test_the_faults_of_every_file_are_listed_at_once(write: Write, lines: Lines) -> None:
    files = [write("", "empty.csv"), write(lines("unbundled")), write(lines("emergency").replace("age", "x"), "lacks.csv")]
    with pytest.raises(ActivityError, match="2 of 3 activity files cannot be used") as error:
        grouped([(None, path) for path in files])
    assert len(error.value.faults) == 2


def test_a_file_given_twice_would_count_twice(write: Write, lines: Lines) -> None:
    path = write(lines("unbundled"))
    with pytest.raises(ActivityError, match="given more than once"):
        grouped([(None, path), ("unbundled", path)])
