"""What the run card is told of each file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tariff.activity import read_activity, survey
from tariff.columns import READ_FAULT
from tariff.errors import ActivityError

Write = Callable[..., Path]
Spells = Callable[..., str]


def test_facts_of_a_text_file(write: Write, spells: Spells) -> None:
    path = write(spells("S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,x", more="theirs").replace(",", ";"))
    facts = survey(path)
    content = path.read_bytes()
    assert (facts.name, facts.kind, facts.rows, facts.in_episodes) == ("apc.csv", "admitted", 1, False)
    assert (facts.size, facts.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (facts.encoding, facts.separator, facts.ignored, facts.column_map) == ("utf-8", ";", ("theirs",), "")


def test_facts_of_a_parquet_file(write: Write, spells: Spells, tmp_path: Path) -> None:
    path = tmp_path / "apc.parquet"
    read_activity(write(spells())).collect().drop(READ_FAULT).write_parquet(path)
    facts = survey(path, kind="admitted")
    assert (facts.rows, facts.encoding, facts.separator, facts.ignored) == (1, "", "", ())
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_hash_of_a_transcoded_file_is_that_of_the_file_given(write: Write, spells: Spells) -> None:
    path = write(spells(more="£"), encoding="cp1252")
    assert survey(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert survey(path).size == path.stat().st_size


def test_a_file_that_changed_is_surveyed_anew(write: Write, spells: Spells) -> None:
    before = survey(write(spells()))
    after = survey(write(spells() + "S2,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E\n"))
    assert (before.rows, after.rows) == (1, 2)
    assert before.sha256 != after.sha256


def test_a_file_that_cannot_be_used_has_no_facts(tmp_path: Path) -> None:
    with pytest.raises(ActivityError):
        survey(tmp_path / "nowhere.csv")
