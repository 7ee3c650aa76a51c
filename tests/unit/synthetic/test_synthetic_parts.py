"""The parts that a year is made of, each on its own."""

from __future__ import annotations

import csv
import hashlib
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tariff.errors import UsageError
from tariff.synthetic.carry_over import carry_over
from tariff.synthetic.histories import courses_of, share_out
from tariff.synthetic.mix import HERE, Cells, national_cells, national_volumes
from tariff.synthetic.profiles import draw_profiles, profiles_of
from tariff.synthetic.seasons import calendar_of
from tariff.synthetic.stays import stay_shapes
from tariff.synthetic.traits import LONGEST_STAY, OLDEST, main_specialty, traits_of


@pytest.mark.parametrize(
    ("hrg", "name", "ages"),
    [
        ("FE22Z", "Diagnostic Endoscopic Upper Gastrointestinal Tract Procedures, 19 years and over", (19, OLDEST)),
        ("CA60B", "Tonsillectomy, 18 years and under", (0, 18)),
        ("FE32D", "Diagnostic Colonoscopy, between 6 and 18 years", (6, 18)),
        ("PW01B", "Paediatric Minor Infections with CC Score 1-3", (0, 18)),
        ("PB04C", "Neonatal Diagnoses, Admitted from Other Location or Born in Hospital, with CC Score 1-3", (0, 1)),
        ("NZ51B", "Emergency Caesarean Section with CC Score 2-3", (16, 49)),
        ("DZ11S", "Lobar, Atypical or Viral Pneumonia, without Interventions, with CC Score 10-13", (19, OLDEST)),
        ("HN22E", "Very Major Knee Procedures for Non-Trauma with CC Score 0-1", (0, OLDEST)),
    ],
)
def test_ages_are_read_from_names_and_chapters(hrg: str, name: str, ages: tuple[int, int]) -> None:
    traits = traits_of(hrg, name)
    assert (traits.youngest, traits.oldest) == ages


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("Bronchitis, with length of stay 1 day or less, Discharged Home", (0, 1)),
        ("Lymphoma with length of stay 1 day or more, with CC Score 2+", (1, LONGEST_STAY)),
        ("Rehabilitation with length of stay between 5 and 8 days", (5, 8)),
        ("Observation, with length of stay 0 days", (0, 0)),
        ("Chest Pain", (0, LONGEST_STAY)),
    ],
)
def test_stays_are_read_from_names(name: str, stays: tuple[int, int]) -> None:
    traits = traits_of("DZ65K", name)
    assert (traits.shortest_stay, traits.longest_stay) == stays


@pytest.mark.parametrize(
    ("hrg", "name", "method"),
    [
        ("HN22E", "Very Major Knee Procedures for Non-Trauma with CC Score 0-1", "P"),
        ("DZ11S", "Lobar, Atypical or Viral Pneumonia, without Interventions, with CC Score 10-13", "D"),
        ("EB12C", "Unspecified Chest Pain with CC Score 0-4", "D"),
        ("VA11A", "Multiple Trauma with Diagnosis Score 24-32, with Intervention Score 0-8", "M"),
        ("UZ01Z", "", "U"),
        ("NZ31C", "Normal Delivery, with Epidural", "P"),
        ("WH50A", "Procedure Not Carried Out, for Medical or Patient Reasons", "D"),
    ],
)
def test_procedures_and_diagnoses_are_told_apart(hrg: str, name: str, method: str) -> None:
    assert traits_of(hrg, name).grouping_method == method


def test_complications_and_specialties() -> None:
    traits = traits_of("HN22E", "Very Major Knee Procedures for Non-Trauma with CC Score 10+")
    assert traits.complications == 10
    assert traits.functions == ("110", "110", "110", "110")
    assert main_specialty("104") == "100"
    assert main_specialty("130") == "130"


def test_england_s_volumes_are_the_published_ones() -> None:
    assert national_volumes() == {
        "day_case": 7_690_986,
        "ordinary_elective": 1_268_571,
        "non_elective_long_stay": 4_599_401,
        "non_elective_short_stay": 6_605_591,
        "regular_attender": 828_656,
    }


def test_a_small_pack_has_a_mix_of_its_own() -> None:
    cells = national_cells({"HN22E", "DZ11S"})
    assert {"HN22E", "DZ11S", "UZ01Z"} <= set(cells.hrgs)
    assert cells.weight.sum() == pytest.approx(1)
    known = np.isin(np.array(cells.hrgs)[cells.hrg], ["HN22E", "DZ11S"])
    assert cells.weight[known].sum() == pytest.approx(0.987)


def test_a_pack_outside_the_mix_is_refused() -> None:
    with pytest.raises(UsageError, match="none of the HRGs"):
        national_cells({"ZZ99Z"})


def test_profiles_add_to_the_weights(cells: Cells) -> None:
    profiles = profiles_of(cells)
    assert profiles.chance[-1] == pytest.approx(1)
    weight = np.bincount(profiles.cell, np.diff(profiles.chance, prepend=0), len(cells.weight))
    np.testing.assert_allclose(weight, cells.weight, atol=1e-9)
    assert (np.diff(profiles.stratum) >= 0).all()


def test_draws_are_as_even_as_whole_spells_allow(cells: Cells) -> None:
    profiles = profiles_of(cells)
    drawn = draw_profiles(np.random.default_rng(1), profiles, 10_000)
    assert (np.diff(drawn) >= 0).all()
    for place in (50_000, 100_000):
        assert abs((drawn <= place).mean() - profiles.chance[place]) <= 1 / 10_000


def test_courses_keep_to_one_profile_and_their_length() -> None:
    profile = np.array([0] * 9 + [1] * 2 + [2], np.int32)
    repeats = np.array([4] * 9 + [1] * 3, np.int32)
    course = courses_of(np.random.default_rng(3), profile, repeats)
    assert (np.diff(course) >= 0).all()
    assert np.bincount(course).max() <= 4
    assert all(len(set(profile[course == number])) == 1 for number in set(course))
    assert len(set(course[9:])) == 3


def test_what_happens_once_goes_to_different_patients() -> None:
    stratum = np.array([0] * 6 + [1] * 4)
    once = np.array([True, False, True, False, True, False, False, False, True, True])
    patient = share_out(np.random.default_rng(2), stratum, np.full(10, 6, np.int8), once)
    assert len(set(patient[once])) == once.sum()
    assert not set(patient[:6]) & set(patient[6:])


def test_long_stays_are_longer_where_the_trim_point_is(cells: Cells) -> None:
    shapes = stay_shapes(cells)
    long = cells.setting == 2
    same_share = np.abs(cells.short_share - 0.4) < 0.1
    low, high = (shapes.median[long & same_share & chosen].mean() for chosen in (cells.trim_shape < 15, cells.trim_shape > 40))
    assert high > 2 * low
    assert (shapes.shortest[long] >= 2).all()
    assert (shapes.shortest <= shapes.longest).all()


def test_the_calendar_knows_weekdays_and_leap_years() -> None:
    calendar = calendar_of(date(2023, 4, 1), date(2024, 3, 31))
    assert calendar.days == 366
    assert calendar.weekday[0] == 5
    christmas = (date(2023, 12, 25) - date(2023, 4, 1)).days
    assert np.diff(calendar.elective_chances)[christmas - 1] < 0.2 * np.diff(calendar.emergency_chances)[christmas - 1]


def test_the_carried_tables_bear_their_digests() -> None:
    with (HERE / "sources.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["table"] for row in rows} == {"national_mix", "national_care", "hrgs"}
    for row in rows:
        assert row["sha256"] == hashlib.sha256((HERE / f"{row['table']}.csv").read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        assert "Open Government Licence" in row["licence"]


def test_the_carried_tables_are_the_supplied_figures(tmp_path: Path) -> None:
    folder = os.environ.get("TARIFF_TEST_DATA")
    if not folder:
        pytest.skip("TARIFF_TEST_DATA is not set: the supplied figures are not at hand")
    supplied = Path(folder)
    made = carry_over(
        supplied / "activity" / "national_cost_collection_2024-25.csv",
        supplied / "prices" / "ntps_2017-18_2018-19_apc_oproc.csv",
        tmp_path,
    )
    for path in made:
        assert path.read_bytes() == (HERE / path.name).read_bytes()
