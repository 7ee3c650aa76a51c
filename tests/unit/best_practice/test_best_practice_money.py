"""What best practice is worth: achievement, counted gates, the budget test, the aligned payment adjustment, explain, labels."""

from __future__ import annotations

from datetime import date
from math import sqrt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.assumptions import pounds_by_label
from tariff.best_practice.achievement import best_practice_achievement
from tariff.best_practice.adjustment import aligned_payment_adjustment, outside_marginal_rate
from tariff.best_practice.budget import Activity, break_even_bp, neutral_base, spending, spending_curve
from tariff.best_practice.evidence import Evidence, evidence_of
from tariff.best_practice.gates import counted_gates, with_gates
from tariff.errors import UsageError
from tariff.pricing import price
from tariff.rulepack import RulePack, load_pack
from tariff.waterfall import explain

PACK = Path(__file__).parents[2] / "spec" / "pack"
MONEY = ("price_pence", "best_practice_pence", "best_practice_at_stake_pence", "best_practice_lost_pence")


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return load_pack(PACK)


def spells(count: int, hrg: str, provider: str = "RNO", method: str = "21", first: int = 0) -> pl.DataFrame:
    stay = {"admission_date": date(2017, 5, 1), "discharge_date": date(2017, 5, 5), "admission_method": method}
    who = {"provider": provider, "commissioner": "QAA", "patient_classification": "1", "age": 80, "hrg": hrg}
    return pl.DataFrame([{"spell_id": f"{provider}{hrg}{number}", **who, **stay} for number in range(first, first + count)])


def whole(activity: pl.DataFrame, tariff: str, met: int, not_met: int) -> pl.DataFrame:
    """Evidence of the first lines: so many met, then so many not met."""
    said = ["yes"] * met + ["no"] * not_met
    lines = activity.head(len(said)).select("provider", line_id="spell_id")
    return lines.with_columns(tariff=pl.lit(tariff), criterion=pl.lit(""), met=pl.Series(said))


def gate(tariff: str, met: str = "yes", provider: str = "RNO") -> Evidence:
    row = {"provider": provider, "tariff": tariff, "period_start": "2017-04-01", "period_end": "2018-03-31", "met": met}
    return evidence_of(pl.DataFrame([row]))


def test_hips_and_knees_of_one_trust(pack: RulePack) -> None:
    """220 hips and 260 knees at an uplift of £550 are £264,000. The publication (boneandjoint 2018.9.014; RULES 7, W1) says
    "£265,000": it rounds, and this is the product."""
    hips_and_knees = spells(220 + 260, "TB05A", method="11")
    columns = ["price_pence", "best_practice_pence"]
    priced = price(hips_and_knees, pack, columns=columns, evidence=gate("joint")).collect()
    assert priced["best_practice_pence"].sum() == 264_000_00
    assert priced["price_pence"].sum() == 480 * 5_550_00
    lost = price(hips_and_knees, pack, evidence=gate("joint", "no")).select("best_practice_lost_pence").collect()
    assert lost["best_practice_lost_pence"].sum() == 264_000_00


def test_achievement_by_tariff_and_provider(pack: RulePack) -> None:
    here, there = spells(20, "TB01A"), spells(10, "TB01A", "RTR")
    evidence = pl.concat([whole(here, "hip", 12, 4), whole(there, "hip", 1, 7)])
    priced = price(pl.concat([here, there, spells(3, "TA01A")]), pack, evidence=evidence)
    found = best_practice_achievement(priced)
    assert found.select("tariff", "provider", "eligible", "met", "not_met", "no_evidence").rows() == [
        ("hip", "RNO", 20, 12, 4, 4),
        ("hip", "RTR", 10, 1, 7, 2),
    ]
    assert found.select("earned_pence", "lost_pence", "at_stake_pence").rows() == [
        (12 * 133_500, 4 * 133_500, 4 * 133_500),
        (146_850, 7 * 146_850, 2 * 146_850),
    ]
    assert found["achievement"].to_list() == [0.75, 0.125]
    assert found["expected"].to_list() == pytest.approx([13 / 24] * 2)
    assert (found["funnel_low"] < found["expected"]).all()
    assert found["achievement"][1] < found["funnel_low"][1], "RTR is below what chance explains"


@settings(deadline=None, max_examples=50)
@given(met=st.integers(0, 500), more=st.integers(1, 500))
def test_the_interval_is_wilsons(met: int, more: int) -> None:
    lines, z = met + more, 1.959963984540054
    status = ["met"] * met + ["not_met"] * more
    priced = pl.DataFrame(
        {"provider": "A", "outcome": "priced", "best_practice_tariff": "t", "best_practice_status": status}
    ).with_columns(pl.lit(0).alias(name) for name in MONEY[1:])
    row = best_practice_achievement(priced).row(0, named=True)
    middle = (met + z * z / 2) / (lines + z * z)
    half = z * sqrt(met * more / lines + z * z / 4) / (lines + z * z)
    assert row["interval_low"] == pytest.approx(max(0, middle - half), abs=1e-12)
    assert row["interval_high"] == pytest.approx(min(1, middle + half), abs=1e-12)


def test_a_line_of_several_tariffs_has_its_money_once(pack: RulePack) -> None:
    line = spells(1, "TB01A").with_columns(best_practice=pl.lit("trauma2"))
    evidence = pl.concat([whole(line, "hip", 1, 0), whole(line, "trauma2", 1, 0)])
    found = best_practice_achievement(price(line, pack, evidence=evidence))
    assert found.select("tariff", "met", "earned_pence").rows() == [("hip", 1, 0), ("trauma2", 1, 433_500)]


def test_nothing_known_is_no_achievement(pack: RulePack) -> None:
    row = best_practice_achievement(price(spells(3, "TB01A"), pack)).row(0, named=True)
    assert (row["eligible"], row["achievement"], row["interval_low"], row["at_stake_pence"]) == (3, None, None, 3 * 133_500)
    assert best_practice_achievement(price(spells(3, "TA01A"), pack)).height == 0


def test_a_gate_by_counting(pack: RulePack) -> None:
    """80% of lines must meet both criteria; RNO has 8 of 10, RTR 7 of 10. A line without evidence counts as not met; RMX sent
    none at all, so nothing is known of it."""
    lines = pl.concat([spells(10, "TB06A"), spells(10, "TB06A", "RTR"), spells(10, "TB06A", "RMX")])
    evidence = evidence_of(
        pl.concat(
            whole(lines.filter(pl.col("provider") == provider), "laparotomy", met, 1).with_columns(criterion=pl.lit(criterion))
            for provider, met in (("RNO", 8), ("RTR", 7))
            for criterion in ("consultants", "critical_care")
        )
    )
    counted = counted_gates(price(lines, pack), evidence, pack, date(2017, 4, 1), date(2017, 9, 30))
    assert counted.select("provider", "criterion", "lines", "met_lines", "met").rows() == [
        ("RNO", "consultants", 10, 8, True),
        ("RNO", "critical_care", 10, 8, True),
        ("RTR", "consultants", 10, 7, False),
        ("RTR", "critical_care", 10, 7, False),
    ]
    priced = price(lines, pack, evidence=with_gates(evidence, counted)).collect()
    assert priced.filter(pl.col("provider") == "RNO")["price_pence"].to_list() == [770_000] * 10
    statuses = dict(priced.select("provider", "best_practice_status").unique().iter_rows())
    assert statuses == {"RNO": "met", "RTR": "not_met", "RMX": "no_evidence"}


def test_the_base_that_is_neutral_at_a_stated_achievement() -> None:
    """A conventional price of £4,000 and an addition of £1,335: at 75% the base is 4,000 - 1,001.25, rounded down."""
    base = neutral_base(400_000, 133_500, 7_500)
    assert base == 299_800
    assert neutral_base(400_000, 133_500, 7_500, whole_pounds=False) == 299_875
    assert neutral_base(400_000, 133_500, 0) == 400_000
    activity = [Activity(300), Activity(100, 1_151_077)]
    assert spending(activity, base, 133_500, 7_500) <= spending(activity, 400_000, 0, 0)
    assert spending(activity, base + 100, 133_500, 7_500) > spending(activity, 400_000, 0, 0)
    assert break_even_bp(400_000, base, 133_500) == 7_505


def test_what_commissioners_pay_as_achievement_moves() -> None:
    curve = spending_curve([Activity(100)], 400_000, 299_800, 133_500)
    assert curve["achievement_bp"].to_list() == list(range(0, 10_001, 1_000))
    assert curve["spending_pence"][0] == 100 * 299_800
    assert curve["spending_pence"][-1] == 100 * (299_800 + 133_500)
    assert curve["difference_pence"][7] < 0 < curve["difference_pence"][8]
    assert set(curve["spending_pence"].diff().drop_nulls()) == {100 * 13_350}


@settings(deadline=None)
@given(st.integers(100, 2_000_000), st.integers(1, 500_000), st.integers(0, 10_000), st.integers(1, 5_000))
def test_the_neutral_base_never_costs_more(price_pence: int, addition: int, share: int, lines: int) -> None:
    try:
        base = neutral_base(price_pence, addition, share)
    except UsageError:
        assert price_pence * 10_000 - share * addition < 100 * 10_000
        return
    assert spending([Activity(lines)], base, addition, share) <= spending([Activity(lines)], price_pence, 0, 0)


@pytest.mark.parametrize("share", [-1, 10_001])
def test_shares_lie_between_nothing_and_all(share: int) -> None:
    with pytest.raises(UsageError):
        neutral_base(400_000, 133_500, share)
    with pytest.raises(UsageError):
        spending([Activity(1)], 400_000, 133_500, share)


def test_the_adjustment_under_the_aligned_payment_model() -> None:
    """120 qualified, 100 were expected, at £4,500 instead of £4,000: £10,000 to the provider; 90 take £5,000 from it."""
    assert aligned_payment_adjustment(120, 100, 450_000, 400_000) == 1_000_000
    assert aligned_payment_adjustment(90, 100, 450_000, 400_000) == -500_000
    assert aligned_payment_adjustment(100, 100, 450_000, 400_000) == 0


def test_major_trauma_is_outside_the_marginal_rate(pack: RulePack) -> None:
    listed = frozenset(pack.rules.best_practice.outside_marginal_rate)  # type: ignore[union-attr]
    assert outside_marginal_rate("trauma2;hip", "met;not_met", listed)
    assert not outside_marginal_rate("trauma2;hip", "not_met;met", listed)
    assert not outside_marginal_rate(None, None, listed)


def test_explain_names_the_criterion_that_failed_and_what_it_cost(pack: RulePack) -> None:
    line = spells(1, "TB01A", "RW3")
    rows = [("surgery", "no"), ("geriatrician", "yes"), ("protocol", "yes")]
    evidence = pl.concat(whole(line, "hip", 1, 0).with_columns(criterion=pl.lit(name), met=pl.lit(met)) for name, met in rows)
    told = str(explain(price(line, pack, evidence=evidence), pack, line="RW3TB01A0"))
    assert "Best practice An addition for all criteria (hip): not met; failed: Surgery within 36 hours (" in told
    assert "best_practice_criteria.csv:" in told
    assert "What failed cost £1,536.69, with market forces." in told
    half = str(explain(price(line, pack, evidence=evidence.head(2)), pack, line="RW3TB01A0"))
    assert "); nothing is known of: Joint assessment protocol." in half
    paid = str(explain(price(line, pack, evidence=whole(line, "hip", 1, 0)), pack, line="RW3TB01A0"))
    assert "non-elective price of TB01A (RULES 1.3), with £1,335.00 on top for best practice, hip (RULES 3.1)" in paid
    assert "pack/admitted.csv:25 and pack/best_practice.csv:2" in paid
    open_still = str(explain(price(line, pack), pack, line="RW3TB01A0"))
    assert "no evidence; nothing is known of: Surgery within 36 hours; Seen by a geriatrician" in open_still
    assert "What nothing is known of would be worth £1,536.69, with market forces." in open_still


def test_explain_tells_a_longer_stay_from_another_setting(pack: RulePack) -> None:
    emergency, overnight = spells(1, "TB03A"), spells(1, "TB04A", method="11")
    told = str(explain(price(emergency, pack), pack, line="RNOTB03A0"))
    assert "(sdec): not met; failed: the stay was 4 days, and the price is of 0 days at most." in told
    told = str(explain(price(overnight, pack), pack, line="RNOTB04A0"))
    assert "(daycase): not met; failed: the care was given in another setting." in told


def test_achievement_by_setting_counts_who_could_have_been_there(pack: RulePack) -> None:
    """An emergency could not have been a day case, nor an elective stay same-day emergency care."""
    lines = pl.concat(
        [spells(3, hrg, method=method, first=10 * int(method)) for hrg in ("TB03A", "TB04A") for method in ("11", "21")]
    )
    found = best_practice_achievement(price(lines, pack)).select("tariff", "eligible", "not_met").rows()
    assert found == [("daycase", 3, 3), ("sdec", 3, 3)]


def test_the_base_rests_on_the_best_practice_row_too(tmp_path: Path) -> None:
    overlay = tmp_path / "local"
    overlay.mkdir()
    (overlay / "overlay.toml").write_text('[overlay]\nname = "local"\n', encoding="utf-8")
    (overlay / "best_practice.csv").write_text(
        "tariff,mechanism,currency,treatment_function,settings,attendance,minimum_age,addition,source,confidence\n"
        "hip,addition,TB01A,,non_elective,,60,2000,our agreement,assumed\n",
        encoding="utf-8",
    )
    agreed = load_pack(PACK, overlays=(overlay,))
    line = spells(1, "TB01A")
    priced = price(line, agreed, evidence=whole(line, "hip", 1, 0)).collect()
    assert priced["price_pence"].item() == 800_000
    labels = {(row.component, row.label): row.pence for row in pounds_by_label(priced.lazy(), [agreed])}
    assert labels == {("base", "illustrative"): 800_000}, "no surer than the price it is paid on"
    refused = price(line, agreed, evidence=whole(line, "hip", 1, 0), confidence=["illustrative"]).collect()
    assert refused.select("reason", "price_pence", "indicative_pence", "best_practice_tariff").row(0) == (
        "confidence",
        0,
        800_000,
        None,
    )
    kept = price(line, agreed, evidence=whole(line, "hip", 0, 1), confidence=["illustrative"]).collect()
    assert kept["price_pence"].item() == 600_000
