"""Episodes to spells, RULES 1.2, on episodes made for each rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tariff.activity import read_activity, spells_from_episodes, survey
from tariff.columns import EPISODE, READ_FAULT, schema
from tariff.errors import ActivityError

Write = Callable[..., Path]

USUAL = {
    "spell_id": "S1",
    "provider": "RXX",
    "commissioner": "99A",
    "admission_date": date(2017, 4, 1),
    "discharge_date": date(2017, 4, 20),
    "admission_method": "21",
    "patient_classification": "1",
    "age": 70,
    "hrg": "HN22E",
    "episode_number": 1,
    "length_of_stay": 5,
}


def episodes(*given: dict[str, object]) -> pl.LazyFrame:
    rows = [USUAL | one for one in given]
    names = list(dict.fromkeys(name for row in (USUAL, *rows) for name in row))
    types = schema(EPISODE) | {READ_FAULT: pl.String()}
    return pl.LazyFrame({name: [row.get(name) for row in rows] for name in names}, {name: types[name] for name in names})


def built(*given: dict[str, object], repeated: Sequence[str] = ()) -> list[dict[str, object]]:
    return spells_from_episodes(episodes(*given), repeated).collect().rows(named=True)


def one(*given: dict[str, object], repeated: Sequence[str] = ()) -> dict[str, object]:
    (spell,) = built(*given, repeated=repeated)
    return spell


def test_codes_come_from_the_first_episode_and_discharge_from_the_last_whatever_the_order() -> None:
    first = {"episode_number": 1, "admission_method": "21", "age": 69, "discharge_date": None, "patient_classification": "1"}
    last = {"episode_number": 7, "admission_method": "11", "age": 70, "patient_classification": "10"}
    for order in ((first, last), (last, first)):
        spell = one(*order)
        assert (spell["admission_method"], spell["age"], spell["patient_classification"]) == ("21", 69, "1")
        assert spell["discharge_date"] == date(2017, 4, 20)
        assert (spell["episodes"], spell[READ_FAULT]) == (2, None)


def test_episodes_whose_number_came_before_are_counted() -> None:
    twice = [{"spell_id": "S2", "episode_number": number} for number in (1, 2, 2, 2, None, None)]
    assert [spell["repeated_episodes"] for spell in built({"spell_id": "S1"}, *twice)] == [0, 2]


def test_days_are_netted_episode_by_episode_and_then_summed() -> None:
    spell = one(
        {"length_of_stay": 2, "critical_care_days": 5},
        {
            "episode_number": 2,
            "length_of_stay": 10,
            "rehabilitation_days": 3,
            "palliative_care_days": 1,
            "delayed_discharge_days": 2,
        },
    )
    assert spell["adjusted_length_of_stay"] == 0 + 4
    assert (spell["length_of_stay"], spell["critical_care_days"], spell["delayed_discharge_days"]) == (12, 5, 2)


def test_an_episode_without_a_length_is_as_long_as_its_dates() -> None:
    dated = {"length_of_stay": None, "episode_start_date": date(2017, 4, 1), "episode_end_date": date(2017, 4, 4)}
    spell = one(dated, {"episode_number": 2, "length_of_stay": 4, "episode_end_date": date(2017, 4, 20)})
    assert (spell["adjusted_length_of_stay"], spell["length_of_stay"], spell[READ_FAULT]) == (7, None, None)


def test_net_days_that_an_episode_gives_itself_stand() -> None:
    spell = one({"adjusted_length_of_stay": 1, "critical_care_days": 1}, {"episode_number": 2, "adjusted_length_of_stay": None})
    assert spell["adjusted_length_of_stay"] == 6


@pytest.mark.parametrize("open_episode", [1, 2])
def test_a_spell_with_an_episode_that_has_not_ended_is_unfinished(open_episode: int) -> None:
    numbered = [
        {"episode_number": number, "episode_start_date": date(2017, 4, number)}
        | ({"length_of_stay": None} if number == open_episode else {"episode_end_date": date(2017, 4, 9)})
        for number in (1, 2)
    ]
    spell = one(*numbered)
    assert (spell["discharge_date"], spell[READ_FAULT], spell["adjusted_length_of_stay"]) == (None, None, None)


def test_a_spell_whose_last_episode_has_no_discharge_is_unfinished() -> None:
    assert one({}, {"episode_number": 2, "discharge_date": None})["discharge_date"] is None


@pytest.mark.parametrize(("hrgs", "hrg", "fault"), [
    (("HN22E", "HN22E"), "HN22E", None),
    (("HN22E", None), "HN22E", None),
    ((None, "HN22E"), "HN22E", None),
    ((None, None), None, None),
    (("HN22E", "AA22C"), "HN22E", "conflicting_hrg"),
])  # fmt: skip
def test_the_episodes_must_agree_on_the_spell_hrg(
    hrgs: tuple[str | None, str | None], hrg: str | None, fault: str | None
) -> None:
    spell = one({"hrg": hrgs[0]}, {"episode_number": 2, "hrg": hrgs[1]})
    assert (spell["hrg"], spell[READ_FAULT]) == (hrg, fault)


def test_a_read_fault_in_any_episode_is_the_spells() -> None:
    spell = one({"hrg": "AA22C"}, {"episode_number": 2, READ_FAULT: "unreadable_date"})
    assert spell[READ_FAULT] == "unreadable_date"


@pytest.mark.parametrize(("episode", "fault"), [
    ({"length_of_stay": None}, "unreadable_number"),
    ({"length_of_stay": -1}, "days_out_of_range"),
    ({"length_of_stay": 200_001}, "days_out_of_range"),
    ({"critical_care_days": -1}, "days_out_of_range"),
    ({"length_of_stay": None, "episode_start_date": date(2017, 4, 9), "episode_end_date": date(2017, 4, 8)}, "days_out_of_range"),
])  # fmt: skip
def test_an_unknown_or_impossible_length_is_never_taken_as_nothing(episode: dict[str, object], fault: str) -> None:
    ended = {"episode_end_date": date(2017, 4, 20)} if "episode_end_date" in episode else {}
    assert one({**ended}, {"episode_number": 2, **episode})[READ_FAULT] == fault


def test_the_spells_own_values_are_taken_once() -> None:
    own = ("adjusted_length_of_stay", "grouping_method")
    given = {"adjusted_length_of_stay": 12, "grouping_method": "D"}
    spell = one(
        {"grouping_method": None, "adjusted_length_of_stay": None},
        {**given, "episode_number": 2, "length_of_stay": None},
        repeated=own,
    )
    assert (spell["adjusted_length_of_stay"], spell["grouping_method"], spell[READ_FAULT]) == (12, "D", None)
    assert one(given, given | {"adjusted_length_of_stay": 13}, repeated=own)[READ_FAULT] == "unreadable_number"
    assert one(given | {"adjusted_length_of_stay": None}, repeated=own)[READ_FAULT] == "unreadable_number"


def test_lists_of_codes_are_those_of_every_episode() -> None:
    spell = one(
        {"specialised_services": "A;B", "unbundled": None}, {"episode_number": 0, "specialised_services": "C", "unbundled": None}
    )
    assert (spell["specialised_services"], spell["unbundled"]) == ("C;A;B", None)


def test_other_codes_are_the_first_episodes_even_where_blank() -> None:
    assert one({"site": None}, {"episode_number": 2, "site": "RXX01"})["site"] is None


def test_spells_come_in_the_order_in_which_they_first_appear_and_providers_are_apart() -> None:
    keys = [("S9", "RXX"), ("S1", "RXX"), ("S9", "RYY"), ("S1", "RXX"), ("S9", "RXX")]
    spells = built(
        *({"spell_id": spell, "provider": provider, "episode_number": 9 - n} for n, (spell, provider) in enumerate(keys))
    )
    assert [(spell["spell_id"], spell["provider"], spell["episodes"]) for spell in spells] == [
        ("S9", "RXX", 2),
        ("S1", "RXX", 2),
        ("S9", "RYY", 1),
    ]


def test_episodes_without_a_spell_number_stand_alone() -> None:
    spells = built({"spell_id": None}, {"spell_id": None}, {})
    assert [(spell["spell_id"], spell["episodes"]) for spell in spells] == [(None, 1), (None, 1), ("S1", 1)]


def test_an_episode_without_a_number_comes_last() -> None:
    assert one({"episode_number": None, "age": 1}, {"episode_number": 8, "age": 2})["age"] == 2


def test_no_episodes_are_no_spells() -> None:
    assert built() == []


HEADINGS = (
    "spell_id,provider,commissioner,admission_date,discharge_date,admission_method,patient_classification,age,hrg,episode_number"
)
EPISODE_ROW = "S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E"


def test_a_file_of_episodes_is_told_by_its_episode_numbers(write: Write) -> None:
    path = write(f"{HEADINGS},length_of_stay\n{EPISODE_ROW},2,3\n{EPISODE_ROW},1,4\n")
    spell = read_activity(path).collect()
    assert spell.height == 1
    assert spell.row(0, named=True)["adjusted_length_of_stay"] == 7
    assert (survey(path).rows, survey(path).in_episodes) == (2, True)


def test_the_episodes_of_a_spell_may_lie_in_two_files_and_spells_beside_them(write: Write) -> None:
    first = write(f"{HEADINGS},length_of_stay\n{EPISODE_ROW},1,3\n", "a.csv")
    second = write(f"{HEADINGS},length_of_stay\n{EPISODE_ROW},2,x\n", "b.csv")
    whole = write(f"{HEADINGS.removesuffix(',episode_number')}\n{EPISODE_ROW.replace('S1', 'S2')}\n", "c.csv")
    frame = read_activity([first, second, whole]).collect().sort("spell_id")
    assert frame["episodes"].to_list() == [2, None]
    assert frame[READ_FAULT].to_list() == ["unreadable_number", None]


def test_episodes_without_any_length_cannot_be_netted(write: Write) -> None:
    with pytest.raises(ActivityError, match="neither 'length_of_stay' nor both of 'episode_start_date' and 'episode_end_date'"):
        read_activity(write(f"{HEADINGS}\n{EPISODE_ROW},1\n"))
