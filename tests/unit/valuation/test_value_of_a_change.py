"""What a change of pack is worth: each effect alone, all together, and always to the penny."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tariff.columns import ADMITTED
from tariff.errors import UsageError
from tariff.pricing import price
from tariff.rulepack import RulePack, load_pack
from tariff.rulepack.model import NoMarketForcesFactor, NoShortStay
from tariff.valuation import BOTH, EFFECTS, LOCAL, NEITHER, ONLY_AFTER, ONLY_BEFORE, Valuation, value_change

EXAMPLE = load_pack("example")
Line = dict[str, Any]

LONG: Line = {"hrg": "HN22E", "admission_date": date(2017, 6, 16), "discharge_date": date(2017, 6, 30), "admission_method": "11"}
"""14 days under the example pack: 6,000 and 4 days beyond the trim point of 10 at 200."""
SHORT: Line = {"hrg": "DZ11S", "admission_date": date(2017, 6, 29), "discharge_date": date(2017, 6, 30), "admission_method": "21"}
"""A short emergency stay: 1,000 instead of 4,000."""


def spells(*lines: Line) -> pl.LazyFrame:
    common: Line = {
        "provider": "ZZA",
        "commissioner": "99A",
        "patient_classification": "1",
        "age": 60,
        "grouping_method": "D",
    }
    rows = [{"spell_id": f"S{number}", **common, **line} for number, line in enumerate(lines)]
    names = {name for row in rows for name in row}
    schema = {column.name: column.dtype for column in ADMITTED if column.name in names}
    return pl.DataFrame(rows, schema=schema).lazy()


def with_row(hrg: str, **changed: Any) -> RulePack:
    rows = tuple(replace(row, **changed) if row.hrg == hrg else row for row in EXAMPLE.admitted)
    return replace(EXAMPLE, label="later", admitted=rows)


def effects(valuation: Valuation) -> dict[str, int]:
    return {effect.name: pence for effect in EFFECTS if (pence := valuation.total[f"{effect.name}_pence"])}


def test_a_price() -> None:
    found = value_change(spells(LONG), EXAMPLE, with_row("HN22E", combined=610_000, per_day_long_stay=21_000))
    assert effects(found) == {"price": 10_000 + 4 * 1_000}
    assert (found.total["before_pence"], found.total["after_pence"]) == (680_000, 694_000)


def test_a_trim_point() -> None:
    found = value_change(spells(LONG), EXAMPLE, with_row("HN22E", elective_trim=12))
    assert effects(found) == {"trim": -40_000}


def test_price_comes_before_trim_point() -> None:
    found = value_change(spells(LONG), EXAMPLE, with_row("HN22E", elective_trim=12, per_day_long_stay=30_000))
    assert effects(found) == {"price": 4 * 10_000, "trim": -2 * 30_000}


def test_a_market_forces_factor() -> None:
    factors = tuple(replace(row, mff=1_100_000) if row.provider == "ZZA" else row for row in EXAMPLE.provider_factors)
    found = value_change(spells(LONG), EXAMPLE, replace(EXAMPLE, provider_factors=factors))
    assert effects(found) == {"rate": 68_000}


def test_a_market_forces_factor_that_ends_is_a_rule() -> None:
    rules = EXAMPLE.rules.model_copy(
        update={"market_forces_factor": NoMarketForcesFactor(method="none", source="x", confidence="assumed")}
    )
    found = value_change(spells({**LONG, "provider": "ZZB"}), EXAMPLE, replace(EXAMPLE, rules=rules, provider_factors=()))
    assert effects(found) == {"rule": -34_000}


def test_a_short_stay_reduction_that_ends_is_a_rule() -> None:
    rules = EXAMPLE.rules.model_copy(update={"short_stay": NoShortStay(method="none", source="x", confidence="assumed")})
    bare = tuple(
        replace(row, short_stay_applies=False, short_stay_percent=None, short_stay_price=None) for row in EXAMPLE.admitted
    )
    found = value_change(spells(SHORT), EXAMPLE, replace(EXAMPLE, rules=rules, admitted=bare))
    assert effects(found) == {"rule": 300_000}


def test_a_value_of_a_rule() -> None:
    short = EXAMPLE.rules.short_stay.model_copy(update={"minimum_age": 61})
    found = value_change(spells(SHORT), EXAMPLE, replace(EXAMPLE, rules=EXAMPLE.rules.model_copy(update={"short_stay": short})))
    assert effects(found) == {"rule": 300_000}


def test_an_hrg_that_is_withdrawn_and_one_that_is_new() -> None:
    less = replace(EXAMPLE, label="less", admitted=tuple(row for row in EXAMPLE.admitted if row.hrg != "HN22E"))
    gone, new = value_change(spells(LONG, SHORT), EXAMPLE, less), value_change(spells(LONG, SHORT), less, EXAMPLE)
    assert effects(gone) == {"coverage": -680_000}
    assert effects(new) == {"coverage": 680_000}
    assert gone.lacking.rows() == [("HN22E", 1, 680_000)]
    coverage = {(row["coverage"], row["reason"]): row["lines"] for row in gone.by("coverage", "reason").to_dicts()}
    assert coverage == {(ONLY_BEFORE, "unknown_currency"): 1, (BOTH, "priced"): 1}
    assert set(new.by("coverage")["coverage"]) == {ONLY_AFTER, BOTH}


def test_a_local_price_stays_and_a_line_nobody_prices_counts() -> None:
    lines = spells({**LONG, "hrg": "ZZ99Z", "local_price": 12_345}, {**LONG, "hrg": "UZ01Z", "local_price": None})
    found = value_change(lines, EXAMPLE, with_row("HN22E", combined=1))
    assert effects(found) == {}
    assert (found.total["before_pence"], found.total["lines"]) == (12_345, 2)
    assert set(found.by("coverage")["coverage"]) == {LOCAL, NEITHER}


def test_a_local_price_that_a_national_one_replaces_is_coverage() -> None:
    less = replace(EXAMPLE, label="less", admitted=tuple(row for row in EXAMPLE.admitted if row.hrg != "HN22E"))
    found = value_change(spells({**LONG, "local_price": 100_000}), less, EXAMPLE)
    assert effects(found) == {"coverage": 580_000}


def test_by_dimensions_add_to_the_total() -> None:
    lines = spells(LONG, SHORT, {**LONG, "provider": "ZZB", "commissioner": "98B"}, {**LONG, "hrg": None})
    found = value_change(lines, EXAMPLE, with_row("HN22E", combined=610_000))
    for dimension in ("kind", "commissioner", "provider", "chapter", "currency", "coverage"):
        for name, amount in found.total.items():
            assert int(found.by(dimension)[name].sum()) == amount, (dimension, name)
    assert found.by("provider")["provider"].to_list() == ["ZZB", "ZZA"]
    assert found.by("currency").row(0, named=True)["currency"] == "HN22E"
    with pytest.raises(UsageError, match="cannot value by 'ward'"):
        found.by("ward")


def test_no_activity() -> None:
    found = value_change(spells(LONG).head(0), EXAMPLE, EXAMPLE)
    assert set(found.total.values()) == {0}


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = spells(*([LONG, SHORT] * 7))
    whole = value_change(lines, EXAMPLE, with_row("HN22E", combined=610_000))
    monkeypatch.setattr("tariff.valuation.BLOCK_ROWS", 3)
    assert value_change(lines, EXAMPLE, with_row("HN22E", combined=610_000)).cells.equals(whole.cells)


PACKS: dict[str, tuple[str, ...]] = {
    "example": (),
    "2017-18": (),
    "2018-19": (),
    "2024-25": ("demonstration-2024-25", "nhsps-2025-26-hn-hc"),
}
NAMES = [(year, count) for year, overlays in PACKS.items() for count in range(len(overlays) + 1)]


@lru_cache
def pack(year: str, overlays: int) -> RulePack:
    return load_pack(year, PACKS[year][:overlays])


CODES = [row.hrg for row in EXAMPLE.admitted[:20]] + ["BZ34A", "UZ01Z", "ZZ99Z", None]
LINES = st.builds(
    lambda hrg, method, stay, klass, age, provider, local, service: {
        "hrg": hrg,
        "admission_method": method,
        "admission_date": date(2017, 6, 1),
        "discharge_date": date.fromordinal(date(2017, 6, 1).toordinal() + stay),
        "patient_classification": klass,
        "age": age,
        "provider": provider,
        "local_price": local,
        "specialised_services": service,
    },
    st.sampled_from(CODES),
    st.sampled_from(["11", "12", "21", "2A", "31", "81"]),
    st.sampled_from([0, 1, 2, 9, 30, 200]),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from([5, 18, 19, 60]),
    st.sampled_from(["ZZA", "ZZB", "RK9", "XXX"]),
    st.sampled_from([None, 55_555]),
    st.sampled_from([None, "CHILDREN", "ORTHOPAEDIC;CHILDREN"]),
)


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(LINES, min_size=1, max_size=12), st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_effects_add_to_what_the_packs_pay(lines: list[Line], before: tuple[str, int], after: tuple[str, int]) -> None:
    frame, was, now = spells(*lines), pack(*before), pack(*after)
    found = value_change(frame, was, now)
    paid = [
        int(price(frame, pack, dates="ignore", columns=["price_pence"]).collect()["price_pence"].sum()) for pack in (was, now)
    ]
    assert [found.total["before_pence"], found.total["after_pence"]] == paid
    assert sum(effects(found).values()) == paid[1] - paid[0] == found.total["difference_pence"]
    summed = sum(found.cells[f"{effect.name}_pence"] for effect in EFFECTS)
    assert (found.cells["before_pence"] + summed == found.cells["after_pence"]).all()
