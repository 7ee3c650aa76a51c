"""Yearly figures that no price table holds, as RULES sections 0, 1.6, 2.2 and 5 give them."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from tariff.errors import RulesError
from tariff.rulepack.parameters import financial_year_dates, load_parameters, parameters_of, parameters_text

YEARS = [f"{first}-{(first + 1) % 100:02}" for first in range(2009, 2026)]
EVERY_YEAR = (
    "scheme",
    "grouper",
    "marginal_rate_emergency",
    "readmission_rule",
    "cquin",
    "price_uplift_net",
    "low_volume_threshold",
    "elective_variable_share",
    "top_up_includes_long_stay",
    "short_stay_minimum_age",
)
KNOWN = [
    ("2009-10", "marginal_rate_emergency", None, "published"),
    ("2010-11", "marginal_rate_emergency", 3_000, "published"),
    ("2014-15", "marginal_rate_emergency", 3_000, "published"),
    ("2015-16", "marginal_rate_emergency", 7_000, "published"),
    ("2018-19", "marginal_rate_emergency", 7_000, "published"),
    ("2019-20", "marginal_rate_emergency", None, "published"),
    ("2009-10", "cquin", 50, "assumed"),
    ("2016-17", "cquin", 250, "published"),
    ("2017-18", "cquin", 250, "assumed"),
    ("2019-20", "cquin", 125, "published"),
    ("2020-21", "cquin", None, "assumed"),
    ("2010-11", "top_up_children", 7_800, "published"),
    ("2011-12", "top_up_children", 6_000, "published"),
    ("2012-13", "top_up_children", 5_000, "published"),
    ("2011-12", "top_up_neurosciences", 2_800, "published"),
    ("2014-15", "top_up_children_high", 6_400, "assumed"),
    ("2016-17", "top_up_includes_long_stay", False, "assumed"),
    ("2017-18", "top_up_includes_long_stay", True, "assumed"),
    ("2023-24", "price_uplift_net", 180, "published"),
    ("2011-12", "price_uplift_net", -150, "assumed"),
    ("2025-26", "price_uplift_net", 215, "assumed"),
    ("2022-23", "low_volume_threshold", 50_000_000, "assumed"),
    ("2023-24", "low_volume_threshold", 50_000_000, "published"),
    ("2025-26", "low_volume_threshold", 150_000_000, "published"),
    ("2022-23", "elective_variable_share", 7_500, "published"),
    ("2023-24", "elective_variable_share", 10_000, "published"),
    ("2023-24", "outpatient_default_first", 19_700, "practice"),
    ("2024-25", "outpatient_default_first", 19_700, "assumed"),
    ("2025-26", "outpatient_default_follow_up", 10_500, "practice"),
]


@pytest.mark.parametrize("year", YEARS)
def test_every_year_has_what_the_engine_needs_with_its_source(year: str) -> None:
    found = parameters_of(year)
    assert set(EVERY_YEAR) <= set(found)
    assert all(one.source and one.confidence for several in found.values() for one in several)


@pytest.mark.parametrize(("year", "name", "value", "confidence"), KNOWN)
def test_figures(year: str, name: str, value: object, confidence: str) -> None:
    (one,) = parameters_of(year)[name]
    assert (one.value, one.confidence, one.known) == (value, confidence, True)


def test_net_uplift_is_inflation_less_efficiency() -> None:
    for year in YEARS:
        net, inflation, efficiency = (
            parameters_of(year)[f"price_{name}"][0] for name in ("uplift_net", "inflation", "efficiency")
        )
        if inflation.known and efficiency.known:
            assert int(net.value or 0) == int(inflation.value or 0) - int(efficiency.value or 0), year


def test_a_rule_that_changed_within_a_year() -> None:
    before, after = parameters_of("2010-11")["readmission_window_days"]
    assert (before.acted, before.ends, after.value, after.starts) == (False, date(2010, 11, 30), 14, date(2010, 12, 1))
    found = load_parameters().on("readmission_window_days", date(2010, 12, 25))
    assert found is not None
    assert found.value == 14


def test_what_is_not_known_is_not_nothing() -> None:
    (one,) = parameters_of("2025-26")["cquin"]
    assert (one.known, one.acted, one.value, str(one)) == (False, False, None, "not known")


def test_every_day_has_one_figure_and_no_gap_within_a_name() -> None:
    rows = load_parameters().rows
    for earlier, later in pairwise(rows):
        if earlier.parameter == later.parameter:
            assert (later.starts - earlier.ends).days == 1, later.parameter


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(RulesError, match="did you mean 'cquin'"):
        load_parameters().on("cquins", date(2017, 4, 1))
    with pytest.raises(RulesError, match="it goes from 2009-04-01 to 2026-03-31"):
        parameters_of("2031-32")
    with pytest.raises(RulesError, match="write it as 2025-26"):
        financial_year_dates("2025-27")


def test_a_faulty_file_is_told_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "parameters.csv").write_text(
        "parameter,starts,ends,value,unit,confidence,source,note\n"
        "rate,2017-04-01,2018-03-31,seventy,share,published,x,\n"
        "rate,2018-01-01,2018-12-31,70%,share,published,x,\n"
        "days,2017-04-01,2018-03-31,1,weeks,published,x,\n",
        encoding="utf-8",
    )
    with pytest.raises(RulesError) as caught:
        load_parameters(tmp_path)
    told = str(caught.value)
    assert "parameters.csv:2: column value of rate: 'seventy' is not a number" in told
    assert "parameters.csv:3: column starts of rate: line 2 holds until 2018-03-31" in told
    assert "column unit" in told
    assert "'weeks' is not known" in told


def test_the_text_of_a_year() -> None:
    text = parameters_text("2010-11")
    assert "  marginal rate emergency: 30% [published]" in text
    assert "  readmission window days: 14 days, 2010-12-01 to 2011-03-31 [published]" in text
