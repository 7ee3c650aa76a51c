"""The catalogue of best-practice tariffs: the published figures, each with its source; what is only believed is marked so."""

from __future__ import annotations

import pytest

from tariff.rulepack.best_practice_catalogue import CatalogueLine, best_practice_catalogue


@pytest.fixture(scope="module")
def lines() -> tuple[CatalogueLine, ...]:
    return best_practice_catalogue()


def figures(lines: tuple[CatalogueLine, ...], tariff: str) -> list[tuple[str | None, int | None, str]]:
    return [(line.year, line.amount, line.confidence) for line in lines if line.tariff == tariff]


def test_published_figures(lines: tuple[CatalogueLine, ...]) -> None:
    hip = {year: (amount, confidence) for year, amount, confidence in figures(lines, "hip_fracture")}
    assert hip["2010-11"] == (44_500, "published")
    assert hip["2012-13"] == hip["2013-14"] == (133_500, "published")
    assert hip["2011-12"] == (89_000, "assumed")
    assert figures(lines, "major_trauma_1") == [("2016-17", 150_000, "published")]
    assert figures(lines, "major_trauma_2") == [("2016-17", 300_000, "published")]
    assert figures(lines, "hip_knee_replacement") == [(None, 55_000, "published")]
    assert figures(lines, "same_day_emergency_care") == [(None, 24_000, "published")]
    assert figures(lines, "emergency_laparotomy") == [("2019-20", 70_000, "published")]
    diabetes = [(amount, confidence) for _, amount, confidence in figures(lines, "paediatric_diabetes")]
    assert diabetes == [(35_800, "published"), (12_100, "published"), (14_800, "published"), (318_900, "assumed")]


def test_what_is_unverified_is_assumed_and_off(lines: tuple[CatalogueLine, ...]) -> None:
    for line in lines:
        if line.amount is not None and "unverified" in line.source:
            assert line.is_off_by_default, line.origin
    assert not any(line.is_off_by_default for line in lines if line.confidence == "published")


def test_tariffs_stand_by_first_year_with_a_source(lines: tuple[CatalogueLine, ...]) -> None:
    assert all(line.source.startswith("RULES ") for line in lines)
    years = [line.first_year for line in lines]
    assert years == sorted(years)
    assert {"hip_fracture", "copd", "nstemi", "endoscopy", "parkinsons", "tia"} <= {line.tariff for line in lines}
