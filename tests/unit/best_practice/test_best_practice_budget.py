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


ROW = "hrg,non_elective,non_elective_trim,per_day_long_stay,short_stay_applies,short_stay_percent,short_stay_price"


def with_row(folder: Path, row: str, replaces: str = "") -> RulePack:
    """The pack of the tables with another price row; and with a tariff that replaces the short-stay reduction."""
    folder.mkdir()
    rule = f'[rules.best_practice]\nmethod = "evidence"\nreplaces_short_stay = ["{replaces}"]\n' if replaces else ""
    said = f'{rule}source = "a test"\nconfidence = "illustrative"\n' if rule else ""
    (folder / "overlay.toml").write_text(f'schema = 1\n[overlay]\nname = "{folder.name}"\n{said}', encoding="utf-8")
    (folder / "admitted.csv").write_text(f"{ROW},source,confidence\n{row},a test,illustrative\n", encoding="utf-8")
    return load_pack(PACK, overlays=(folder,))


@pytest.mark.parametrize(
    ("reduction", "neutral"),
    [
        # 80 x 75% of £100.55 are £6,033, which 40 longer stays bear alone: 2,000 - 150.825
        (",1200", 1_849_00),
        # half of the base: the short stays bear half as much each, 2,000 - 100.55; 949.50 is 950
        ("50%,", 1_899_00),
        # a reduced price that the base falls below reduces nothing: all bear it, 2,000 - 75.4125
        (",2000", 1_924_00),
    ],
)
def test_short_stays_keep_their_reduced_price(tmp_path: Path, reduction: str, neutral: int) -> None:
    """What the budget says at a share is what the engine prices at the base it prints, short stays and all."""
    lines = pl.concat([spells(40, "TB07A"), short(spells(40, "TB07A"))], how="diagonal")
    evidence_of_three_quarters = evidence(lines.sample(fraction=1.0, shuffle=True, seed=2), 60, "copd")
    conventional = with_row(tmp_path / "first", short_stay_row(2_000, reduction))
    priced = price(lines, conventional, evidence=evidence_of_three_quarters)
    found = budget_test(priced, [conventional], "copd")
    assert found.bases["neutral_pence"].to_list() == [neutral]
    curve = {row["achievement_bp"]: row for row in found.curve.to_dicts()}
    assert curve[0]["conventional_pence"] == total(priced, "price_pence") - total(priced, "best_practice_pence")
    for name, base in (("as-priced", 2_000_00), ("neutral", neutral)):
        there = with_row(tmp_path / name, short_stay_row(base // 100, reduction))
        for share in (0, 5_000, 10_000):
            met = evidence(lines, lines.height * share // 10_000, "copd")
            assert total(price(lines, there, evidence=met), "price_pence") == curve[share][f"{name.replace('-', '_')}_pence"]
    paid = total(price(lines, there, evidence=evidence_of_three_quarters), "price_pence")
    dearer = with_row(tmp_path / "dearer", short_stay_row(neutral // 100 + 2, reduction))
    assert paid <= curve[0]["conventional_pence"]
    assert total(price(lines, dearer, evidence=evidence_of_three_quarters), "price_pence") > curve[0]["conventional_pence"]


def short_stay_row(base: int, reduction: str) -> str:
    """Percentage and price of the reduction; a printed price cannot stand above the base."""
    percent, printed = reduction.split(",")
    return f"TB07A,{base},8,200,yes,{percent},{min(base, int(printed)) if printed else ''}"


def short(lines: pl.DataFrame) -> pl.DataFrame:
    """The same as short emergency stays, set on a diagnosis."""
    return lines.with_columns(
        spell_id="short" + pl.col("spell_id"), discharge_date=pl.col("admission_date"), grouping_method=pl.lit("D")
    )


def total(priced: pl.LazyFrame, column: str) -> int:
    return int(priced.select(pl.col(column).sum()).collect().item())


def test_top_ups_long_stays_and_a_tariff_that_replaces_the_reduction(tmp_path: Path) -> None:
    """A top-up is paid on the base and not on the addition, so a lower base takes some of it too; a line that met a tariff which
    replaces the reduction is told from one that never had it."""
    lines = pl.concat(
        [
            spells(40, "TB07A").with_columns(specialised_services=pl.lit("ORTHO")),
            short(spells(40, "TB07A", "RTR")).with_columns(specialised_services=pl.lit("")),
            spells(4, "TB07A", "RTR").with_columns(
                spell_id="long" + pl.col("spell_id"), discharge_date=date(2017, 5, 30), specialised_services=pl.lit("")
            ),
        ],
        how="diagonal",
    )
    met = evidence(lines, 63, "copd").with_columns(pl.col("met").shuffle(seed=3))
    conventional = with_row(tmp_path / "first", "TB07A,2000,8,200,yes,,900", replaces="copd")
    priced = price(lines, conventional, evidence=met)
    found = budget_test(priced, [conventional], "copd")
    (neutral,) = found.bases["neutral_pence"]
    curve = {row["achievement_bp"]: row for row in found.curve.to_dicts()}
    without = total(priced, "price_pence") - total(priced, "best_practice_pence")
    assert curve[0]["conventional_pence"] == pytest.approx(without, abs=lines.height)
    there = with_row(tmp_path / "there", f"TB07A,{neutral // 100},8,200,yes,,900", replaces="copd")
    for share in (0, 10_000):
        answered = evidence(lines, lines.height * share // 10_000, "copd")
        paid = total(price(lines, there, evidence=answered), "price_pence")
        assert paid == pytest.approx(curve[share]["neutral_pence"], abs=lines.height)


TWO_ROWS = """tariff,name,mechanism,currency,settings,minimum_age,maximum_age,price,addition,source,confidence
gall,In a day,provider_gate,TB04A,day_case,,,1100,,a test,illustrative
gall,Overnight,provider_gate,TB04A,ordinary_elective,,,1500,,a test,illustrative
old,Of the old,addition,TA01A,non_elective,80,,,100,a test,illustrative
old,Of the others,addition,TA01A,non_elective,19,79,,40,a test,illustrative
"""


def test_each_line_is_tested_by_the_row_that_covers_it(tmp_path: Path) -> None:
    """Two rows of one HRG: £1,000 is the price of both settings, £100 more is paid for a day case, £500 for an overnight stay."""
    (tmp_path / "overlay.toml").write_text('schema = 1\n[overlay]\nname = "two"\n', encoding="utf-8")
    (tmp_path / "best_practice.csv").write_text(TWO_ROWS, encoding="utf-8")
    criteria = "tariff,criterion,name,source,confidence\nold,c,C,a test,illustrative\ngall,c,C,a test,illustrative\n"
    (tmp_path / "best_practice_criteria.csv").write_text(criteria, encoding="utf-8")
    two = load_pack(PACK, overlays=(tmp_path,))
    nights = spells(10, "TB04A", method="11")
    days = nights.with_columns(
        spell_id="d" + pl.col("spell_id"), patient_classification=pl.lit("2"), discharge_date=pl.col("admission_date")
    )
    gate = {"provider": "RNO", "tariff": "gall", "period_start": "2017-04-01", "period_end": "2018-03-31", "met": "yes"}
    priced = price(pl.concat([nights, days]), two, evidence=pl.DataFrame([gate]))
    found = budget_test(priced, [two], "gall")
    assert found.bases.select("setting", "addition_pence", "neutral_pence").rows() == [
        ("day_case", 100_00, 925_00),
        ("ordinary_elective", 500_00, 625_00),
    ]
    assert found.curve.filter(pl.col("achievement_bp") == 10_000)["as_priced_pence"].item() == total(priced, "price_pence")

    ages = pl.concat([spells(10, "TA01A", age=85), spells(10, "TA01A", "RTR", age=40)]).with_columns(best_practice=pl.lit(None))
    by_age = budget_test(price(ages, two), [two], "old", 10_000)
    assert set(by_age.bases.select("addition_pence", "neutral_pence").rows()) == {(100_00, 5_931_00), (40_00, 5_931_00)}
    named = price(ages.with_columns(best_practice=pl.lit("trauma2")), two)
    with pytest.raises(UsageError, match=r"could be lowered \(20 lines\)"):
        budget_test(named, [two], "old")


def test_what_cannot_be_tested_is_told(pack: RulePack) -> None:
    priced = price(spells(9, "TA01A"), pack)
    with pytest.raises(UsageError, match=r"(?s)no pack of the run pays 'hipp'.*did you mean 'hip'"):
        budget_test(priced, [pack], "hipp")
    with pytest.raises(UsageError, match="no line that 'hip' covers has a base that could be lowered"):
        budget_test(priced, [pack], "hip")
    with pytest.raises(UsageError, match="is a price by setting: it lowers no base"):
        budget_test(priced, [pack], next(row.tariff for row in pack.best_practice if row.mechanism == "setting_price"))
    with pytest.raises(UsageError, match="is met by every line it covers"):
        budget_test(priced, [pack], "dialysis")
