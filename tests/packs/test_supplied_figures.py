"""Every figure of the real packs equals the supplied transcription, cell by cell."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from tariff.money import millionths
from tariff.rulepack import load_pack, shipped_overlays

PRICES = Path(os.environ.get("TARIFF_TEST_DATA", "")) / "prices"
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


def test_the_demonstration_overlay_keeps_prices_and_takes_over_2017_18_trims() -> None:
    bare = {row.hrg: row for row in load_pack("2024-25").admitted}
    older = {row.hrg: row for row in load_pack("2017-18").admitted}
    laid = load_pack("2024-25", shipped_overlays())
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
