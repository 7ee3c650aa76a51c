"""Every figure of the real packs equals the supplied transcription, cell by cell."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from tariff.money import half_up, millionths, scaled
from tariff.rulepack import load_pack

SUPPLIED = Path(os.environ.get("TARIFF_TEST_DATA", ""))
PRICES = SUPPLIED / "prices"
COSTS = SUPPLIED / "activity" / "national_cost_collection_2024-25.csv"
pytestmark = pytest.mark.skipif(
    "TARIFF_TEST_DATA" not in os.environ, reason="TARIFF_TEST_DATA does not name the supplied figures"
)

OWN = ("outpatient_procedure", "combined", "day_case", "ordinary_elective", "non_elective", "elective_trim")


def supplied(file: str) -> list[dict[str, str]]:
    with (PRICES / file).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.mark.parametrize("year", ["2017-18", "2018-19"])
def test_national_tariff_figures(year: str) -> None:
    suffix = year.replace("-", "_")
    expected = [
        {
            **{column: row[f"{column}_{suffix}"] for column in OWN},
            "hrg": row["hrg"],
            "name": row["name"],
            "non_elective_trim": row["non_elective_trim_2017_18"],
            "per_day_long_stay": row["per_day_long_stay_2017_18"],
        }
        for row in supplied("ntps_2017-18_2018-19_apc_oproc.csv")
    ]
    found = [{column: row[column] for column in expected[0]} for row in load_pack(year).plain()["tables"]["admitted"]]
    assert found == expected


def test_payment_scheme_figures() -> None:
    expected = {
        row["hrg"]: (row["day_case"], row["ordinary_elective"], row["non_elective"]) for row in supplied("nhsps_2024-25_apc.csv")
    }
    found = {
        row["hrg"]: tuple(
            text or "0"
            for text in (row["combined"] or row["day_case"], row["combined"] or row["ordinary_elective"], row["non_elective"])
        )
        for row in load_pack("2024-25").plain()["tables"]["admitted"]
    }
    assert found == expected


def test_market_forces_factors() -> None:
    expected = [(row["provider"], row["name"], millionths(row["mff"])) for row in supplied("mff_2026-27.csv")]
    assert [(row.provider, row.name, row.mff) for row in load_pack("2024-25").provider_factors] == expected


def costs(department: str) -> dict[str, dict[str, str]]:
    """The rows of a department of the National Cost Collection that have figures, by currency in capitals."""
    with COSTS.open(encoding="utf-8-sig", newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["department"] == department]
    return {row["currency"].upper(): row for row in rows if row["unit_cost"]}


def pence_of(cost: str) -> int:
    """An average cost, printed to up to four decimals, half-up to the penny."""
    return half_up(scaled(cost, 4), 100)


def expected_proxies(department: str, keep: str = "") -> dict[str, tuple[str, int]]:
    return {
        code: (row["description"], pence_of(row["unit_cost"])) for code, row in costs(department).items() if code.startswith(keep)
    }


def test_emergency_care_stands_at_average_costs() -> None:
    rows = load_pack("2024-25").emergency
    assert {row.currency: (row.name, row.price) for row in rows} == expected_proxies("Emergency Care")
    assert {(row.type_3_price, row.mff, row.confidence, row.source) for row in rows} == {
        (None, False, "proxy", "National Cost Collection 2024/25, Emergency Care")
    }


def test_emergency_attendances_of_england_come_to_the_pound() -> None:
    """Volume x carried-in penny figure, in exact integers, two ways round."""
    collected = costs("Emergency Care")
    volumes = {code: int(row["activity"]) for code, row in collected.items()}
    assert sum(volumes.values()) == 23_570_779
    priced = sum(volumes[row.currency] * (row.price or 0) for row in load_pack("2024-25").emergency)
    assert priced == sum(volumes[code] * pence_of(row["unit_cost"]) for code, row in collected.items())
    assert priced == 660_383_584_670


DEPARTMENTS = {
    "Critical care": "",
    "Critical care transport": "",
    "Renal Dialysis": "",
    "Diagnostic Imaging": "RD",
    "Nuclear Medicine": "RN",
    "Community Health Service": "",
    "Mental Health Care Contact": "",
    "NHS Talking Therapy Care Contact": "",
    "Mental Health Provider Spell": "",
}


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_other_currencies_stand_at_average_costs(department: str) -> None:
    expected = expected_proxies(department, DEPARTMENTS[department])
    if department == "Critical care":
        del expected["XA06Z"]  # its 8,920 journeys are costed under transport, 19 here
    source = f"National Cost Collection 2024/25, {department}"
    rows = [row for row in load_pack("2024-25").unbundled if row.source == source]
    assert {row.currency: (row.name, row.price) for row in rows} == expected
    assert {(row.pass_through, row.mff, row.confidence) for row in rows} == {(False, False, "proxy")}


def test_every_priced_currency_is_of_one_of_these_departments() -> None:
    known = {f"National Cost Collection 2024/25, {department}" for department in DEPARTMENTS}
    assert {row.source for row in load_pack("2024-25").unbundled if row.price is not None} == known


def test_drugs_and_devices_pass_through() -> None:
    with COSTS.open(encoding="utf-8-sig", newline="") as opened:
        pods = {"High Cost Drugs": "DRUG", "High Cost Devices": "DEVICE"}
        expected = {
            (row["currency"].upper(), row["description"], pods[row["department"]])
            for row in csv.DictReader(opened)
            if row["department"] in pods
        }
    rows = [row for row in load_pack("2024-25").unbundled if row.pass_through]
    assert {(row.currency, row.name, row.pod) for row in rows} == expected
    assert {row.confidence for row in rows} == {"assumed"}


def test_the_demonstration_overlay_keeps_prices_and_takes_over_2017_18_trims() -> None:
    bare = {row.hrg: row for row in load_pack("2024-25").admitted}
    older = {row.hrg: row for row in load_pack("2017-18").admitted}
    laid = load_pack("2024-25", ["demonstration-2024-25"])
    replaced = [row for row in laid.admitted if row.origin.file.startswith("demonstration")]
    assert len(replaced) == 2041
    for row in replaced:
        below, before = bare[row.hrg], older[row.hrg]
        assert (row.combined, row.day_case, row.ordinary_elective, row.non_elective, row.name) == (
            below.combined,
            below.day_case,
            below.ordinary_elective,
            below.non_elective,
            below.name,
        )
        assert (row.elective_trim, row.non_elective_trim, row.per_day_long_stay) == (
            before.elective_trim,
            before.non_elective_trim,
            before.per_day_long_stay,
        )
        assert row.short_stay_percent == band(before.non_elective_trim or 0)


def band(trim: int) -> int | None:
    """The stand-in of the overlay: RULES 1.4 percentages (basis points) by the 2017/18 non-elective trim point."""
    return next((share for lowest, share in ((20, 2500), (10, 4500), (6, 7000)) if trim >= lowest), None)
