"""The budget test on priced lines: the base by HRG that is neutral at a stated achievement, and the curve from 0 to 100%."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

import tariff
from tariff.best_practice.budget_of_lines import budget_test
from tariff.errors import UsageError
from tariff.pricing import price
from tariff.rulepack import RulePack, load_pack

PACK = Path(__file__).parents[2] / "spec" / "pack"


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return load_pack(PACK)


def spells(count: int, hrg: str, provider: str = "RNO", method: str = "21", age: int = 80) -> pl.DataFrame:
    stay = {"admission_date": date(2017, 5, 1), "discharge_date": date(2017, 5, 5), "admission_method": method}
    who = {"provider": provider, "commissioner": "QAA", "patient_classification": "1", "age": age, "hrg": hrg}
    return pl.DataFrame([{"spell_id": f"{provider}{hrg}{number}", **who, **stay} for number in range(count)])


def evidence(lines: pl.DataFrame, met: int, tariff_code: str = "hip") -> pl.DataFrame:
    said = ["yes"] * met + ["no"] * (lines.height - met)
    return lines.select("provider", line_id="spell_id", tariff=pl.lit(tariff_code), criterion=pl.lit(""), met=pl.Series(said))


def test_the_base_and_the_curve_of_hips(pack: RulePack) -> None:
    """A price of £6,000 and £1,335 on top: neutral at 75% at 6,000 - 1,001.25, rounded down to £4,998. The lines that met it are
    tested on the price without the addition, and the factor of RTR, 1.10, weighs its lines."""
    lines = pl.concat([spells(30, "TB01A"), spells(10, "TB01A", "RTR"), spells(5, "TB01A", age=50), spells(5, "TA01A")])
    hips = lines.filter((pl.col("hrg") == "TB01A") & (pl.col("age") > 60))
    priced = price(lines, pack, evidence=evidence(hips, 12))
    found = budget_test(priced, [pack], "hip")
    assert found.bases.select("currency", "lines", "price_pence", "addition_pence", "neutral_pence").rows() == [
        ("TB01A", 40, 6_000_00, 1_335_00, 4_998_00)
    ]
    assert (found.met, found.known, found.left_out) == (12, 40, 0)
    curve = {row["achievement_bp"]: row for row in found.curve.to_dicts()}
    weight = 30 + 10 * 1.10
    assert curve[0]["conventional_pence"] == curve[0]["as_priced_pence"] == round(weight * 6_000_00)
    assert curve[10_000]["as_priced_pence"] == round(weight * 7_335_00)
    assert curve[0]["neutral_pence"] == round(weight * 4_998_00)
    assert curve[7_000]["neutral_pence"] < curve[7_000]["conventional_pence"] < curve[8_000]["neutral_pence"]
    paid = priced.filter(pl.col("best_practice_tariff") == "hip").select(pl.col("price_pence").sum()).collect().item()
    assert paid == pytest.approx(curve[0]["as_priced_pence"] + 12 * 1_335_00, abs=40)


@pytest.mark.parametrize("share", [0, 2_500, 6_600, 10_000])
def test_spending_at_the_stated_share_is_no_greater_than_without_the_tariff(pack: RulePack, share: int) -> None:
    found = budget_test(price(spells(25, "TB01A"), pack), [pack], "hip", share)
    (base,) = found.bases["neutral_pence"]
    assert base * 10_000 + share * 1_335_00 <= 6_000_00 * 10_000 < (base + 100) * 10_000 + share * 1_335_00


def test_a_gate_is_tested_by_its_addition(pack: RulePack) -> None:
    found = tariff.budget_test(price(spells(9, "TB05A", method="11"), pack), [pack], "joint", 5_000)
    assert found.bases.row(0) == ("TB05A", "ordinary_elective", 9, 5_000_00, 550_00, 4_725_00)


def test_what_cannot_be_tested_is_told(pack: RulePack) -> None:
    priced = price(spells(9, "TA01A"), pack)
    with pytest.raises(UsageError, match=r"(?s)no pack of the run pays 'hipp'.*did you mean 'hip'"):
        budget_test(priced, [pack], "hipp")
    with pytest.raises(UsageError, match="no line that 'hip' covers has a base that could be lowered"):
        budget_test(priced, [pack], "hip")
    with pytest.raises(UsageError, match="is a price by setting: it lowers no base"):
        budget_test(priced, [pack], next(row.tariff for row in pack.best_practice if row.mechanism == "setting_price"))
