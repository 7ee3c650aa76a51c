"""`tariff explain` prints one line as a waterfall: each component, the rule in words, file and line, source."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from tariff.rulepack import find_pack

FULL = {"specialised_services": "ORTHOPAEDIC", "admission_date": "2017-06-16"}
"""Fourteen days, four beyond the trim point, with a top-up that covers them, at a provider with a factor of 1.05."""


@pytest.fixture
def priced(tariff, spells) -> Path:
    short = {"hrg": "DZ11S", "admission_method": "21", "age": "70", "admission_date": "2017-06-29"}
    file = spells(
        {"spell_id": "FULL", **FULL},
        {"spell_id": "SHORT", **short},
        {"spell_id": "UNKNOWN", "hrg": "ZZ99Z", "local_price": ""},
        {"spell_id": "LATE", "discharge_date": "2018-04-02"},
        {"spell_id": "LOCAL", "hrg": "ZZ99Z", "local_price": "1,234.50"},
        {"spell_id": "SHARED"},
        {"spell_id": "SHARED", "provider": "ZZA"},
        {"spell_id": "TWICE"},
        {"spell_id": "TWICE", "hrg": "ZZ99Z"},
        {"spell_id": "NETTED", "critical_care_days": "2", "local_price": "5", "specialised_services": "NONE;BURNS"},
    )
    assert tariff("price", file, "--rules", "example", "--out", "priced.parquet").code == 0
    return Path("priced.parquet")


@pytest.fixture
def explained(tariff, priced):
    def explain(line: str, *options: str) -> str:
        done = tariff("explain", priced, "--line", line, *options)
        assert (done.code, done.err) == (0, "")
        return done.out

    return explain


def in_pack(place: str) -> str:
    """The text of a line of the example pack, as a waterfall cites it."""
    file, line = place.rsplit(":", 1)
    return (find_pack("example").parent / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def test_every_component_with_its_rule_its_place_and_its_source(explained):
    told = explained("FULL")
    assert "Base price            £6,000.00  combined day case and ordinary elective price of HN22E" in told
    assert "£800.00  4 days beyond the trim point of 10, at £200.00 a day (RULES 1.5)" in told
    assert "£1,360.00  Specialised orthopaedic services, 20% on the price and long stay (RULES 1.6)" in told
    assert "£408.00  factor 1.050000 (RULES 1.7)" in told
    assert re.search(r"^Price +£8,568\.00$", told, flags=re.MULTILINE)
    cited = re.findall(r"(example/\w+\.csv:\d+) · illustrative · (.+)", told)
    assert [in_pack(place).split(",")[0] for place, _ in cited] == ["HN22E", "HN22E", "ORTHOPAEDIC", "ZZB"]
    assert all("Invented round figures" in source for _, source in cited)


def test_the_components_shown_add_to_the_price_shown(explained):
    for line in ("FULL", "SHORT", "LOCAL", "NETTED"):
        amounts = [
            int(sign.replace("−", "-") + whole.replace(",", "") + part)
            for sign, whole, part in re.findall(r"^\w.{2,20}? +(−?)£([\d,]+)\.(\d\d)\b", explained(line), flags=re.MULTILINE)
        ]
        assert sum(amounts[:-1]) == amounts[-1], line


def test_a_short_stay(explained):
    told = explained("SHORT")
    assert "−£3,000.00  reduced short-stay emergency price instead of the full one (RULES 1.4)" in told
    assert "Short-stay reduction applied without knowing whether a diagnosis set the HRG." in told


def test_a_local_price_stands_alone(explained):
    told = explained("LOCAL")
    assert "Local price  " in told
    assert "£1,234.50  paid as given with the activity, no market forces factor" in told
    assert "Market forces" not in told


def test_what_no_component_speaks_of_is_noted(explained):
    told = explained("NETTED")
    assert "adjusted stay 8 days" in told
    for note in ("were taken off the stay", "the line has a national price, which stands", "passed over", "not eligible"):
        assert note in told


def test_a_line_that_is_not_priced_tells_its_reason(explained):
    assert "Not priced: unpriced, unknown_currency. The rule pack does not hold this HRG or currency." in explained("UNKNOWN")
    told = explained("LATE")
    assert "Not priced: unpriced, outside_pack_dates." in told
    assert "Its value at the best price known would be £" in told


def test_an_unknown_line(tariff, priced):
    done = tariff("explain", priced, "--line", "FUL")
    assert done.code == 2
    assert "no priced line 'FUL'" in done.err
    done = tariff("explain", priced, "--line", "FULL", "--provider", "ZZA")
    assert done.code == 2
    assert "no priced line 'FULL' of provider 'ZZA'" in done.err


def test_a_line_that_several_providers_use(tariff, priced, explained):
    done = tariff("explain", priced, "--line", "SHARED")
    assert done.code == 2
    assert "give --provider ZZA or ZZB" in done.err
    assert "Price                 £6,000.00" in explained("SHARED", "--provider", "ZZA")


def test_a_line_that_one_provider_uses_twice(explained):
    told = explained("TWICE")
    assert "£6,300.00" in told
    assert "The provider used this identifier 2 times; this is the first of these lines." in told


def test_a_run_folder_is_explained_like_a_file(tariff, priced):
    assert tariff("price", "apc.csv", "--rules", "example", "--out", "run").code == 0
    assert tariff("explain", "run", "--line", "FULL").out == tariff("explain", priced, "--line", "FULL").out


def test_priced_lines_without_their_run_card(tariff, priced):
    Path("priced.run_card.json").unlink()
    done = tariff("explain", priced, "--line", "FULL")
    assert done.code == 3
    assert "keep the run card beside the priced lines" in done.err


def test_the_same_in_python(priced):
    import tariff

    told = tariff.explain(pl.scan_parquet(priced), tariff.load_rules("example"), line="FULL")
    assert [step.component for step in told.steps] == ["Base price", "Long stay", "Top-up", "Market forces"]
    assert sum(step.pence for step in told.steps) == told.line["price_pence"] == 856_800
    assert "patient_id" not in told.line


def test_the_pack_that_priced_the_line_must_be_at_hand(priced):
    import tariff

    with pytest.raises(tariff.TariffError, match="it is 'example'; given: 2017-18"):
        tariff.explain(pl.scan_parquet(priced), tariff.load_rules("2017-18"), line="FULL")
