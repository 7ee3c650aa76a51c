"""What the spells of a year look like, taken together."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tariff.pricing import price
from tariff.reasons import OUTCOMES
from tariff.rulepack import RulePack, load_pack
from tariff.synthetic.mix import LONG_STAY, SETTINGS, UNGROUPED, UNGROUPED_SHARE, UNKNOWN_SHARE, Cells, national_volumes
from tariff.synthetic.overlay import write_overlay
from tariff.synthetic.places import COMMISSIONERS, PRACTICES, PROVIDER_CODES

ELECTIVE = ["11", "12", "13"]


def _setting() -> pl.Expr:
    """The setting a spell was drawn in, as far as the file tells it."""
    by_class = pl.col("patient_classification").replace_strict(
        {"2": "day_case", "3": "regular_attender", "4": "regular_attender"}, default="ordinary_elective"
    )
    stay = pl.when(pl.col("stay") < 2).then(pl.lit("non_elective_short_stay")).otherwise(pl.lit("non_elective_long_stay"))
    return pl.when(pl.col("admission_method").is_in(ELECTIVE)).then(by_class).otherwise(stay)


def test_settings_stand_as_in_england(clean: pl.DataFrame) -> None:
    volumes = national_volumes()
    shares = clean.group_by(setting=_setting()).len().select("setting", pl.col("len") / clean.height)
    found = dict(shares.iter_rows())
    assert set(found) == set(SETTINGS)
    for setting, share in found.items():
        assert share == pytest.approx(volumes[setting] / sum(volumes.values()), abs=0.006)


def test_hrgs_stand_as_the_weights_say(year: pl.DataFrame, cells: Cells) -> None:
    expected: dict[str, float] = {}
    for hrg, weight in zip(cells.hrg, cells.weight, strict=True):
        expected[cells.hrgs[hrg]] = expected.get(cells.hrgs[hrg], 0.0) + weight
    drawn = dict(year["hrg"].drop_nulls().value_counts().iter_rows())
    commonest = sorted(expected, key=expected.__getitem__, reverse=True)[:100]
    for hrg in commonest:
        assert drawn[hrg] == pytest.approx(expected[hrg] * year.height, rel=0.1, abs=16)


def test_the_pack_knows_all_hrgs_but_the_stated_share(year: pl.DataFrame, pack_2024: RulePack) -> None:
    hrg = year["hrg"].drop_nulls()
    known = hrg.is_in([row.hrg for row in pack_2024.admitted])
    assert (~known & (hrg != UNGROUPED)).mean() == pytest.approx(UNKNOWN_SHARE, abs=0.001)
    assert (hrg == UNGROUPED).mean() == pytest.approx(UNGROUPED_SHARE, abs=0.001)


def test_every_outcome_is_seen_and_nearly_all_are_priced(year: pl.DataFrame, tmp_path: Path) -> None:
    overlay = write_overlay(tmp_path / "overlay", load_pack("2017-18"))
    priced = price(year, load_pack("2024-25", overlays=[overlay])).select("outcome", "reason").collect()
    assert set(priced["outcome"].cast(pl.String).unique()) == set(OUTCOMES)
    assert priced["reason"].n_unique() >= 13
    assert 0.93 < (priced["outcome"] == "priced").mean() < 0.98


def test_nobody_is_in_two_beds_at_once(clean: pl.DataFrame) -> None:
    in_time = clean.sort("patient_id", "discharge_date", "admission_date")
    gap = (pl.col("admission_date") - pl.col("discharge_date").shift().over("patient_id")).dt.total_days()
    assert in_time.select(gap.alias("gap"))["gap"].min() >= 0


def test_some_emergencies_are_readmissions_and_patients_come_again(clean: pl.DataFrame) -> None:
    in_time = clean.sort("patient_id", "discharge_date", "admission_date")
    gap = (pl.col("admission_date") - pl.col("discharge_date").shift().over("patient_id")).dt.total_days()
    emergencies = in_time.with_columns(gap=gap).filter(pl.col("admission_method").str.starts_with("2"))
    assert 0.1 < (emergencies["gap"] <= 30).sum() / emergencies.height < 0.25
    contacts = clean.group_by("patient_id").len()["len"]
    assert 1.7 < contacts.mean() < 2.5
    assert contacts.max() > 8


def test_a_patient_is_one_person(clean: pl.DataFrame) -> None:
    traits = clean.group_by("patient_id").agg(
        pl.col("sex", "commissioner", "gp_practice").n_unique(), (pl.col("age").max() - pl.col("age").min()).alias("aged")
    )
    assert traits.select("sex", "commissioner", "gp_practice").max().row(0) == (1, 1, 1)
    assert traits["aged"].max() <= 1


def test_ages_and_sexes_fit_the_hrgs(clean: pl.DataFrame, cells: Cells) -> None:
    traits = dict(zip(cells.hrgs, cells.traits, strict=True))
    for hrg, youngest, oldest in (
        clean.group_by("hrg").agg(pl.col("age").min().alias("a"), pl.col("age").max().alias("b")).iter_rows()
    ):
        assert youngest >= traits[hrg].youngest
        assert oldest <= max(traits[hrg].oldest, 1)
    assert set(clean.filter(pl.col("hrg").str.starts_with("NZ"))["sex"]) == {"2"}
    assert clean.filter(pl.col("hrg").str.starts_with("PB"))["age"].max() == 0
    assert clean.filter(pl.col("hrg").str.starts_with("LB"))["sex"].n_unique() == 2


def test_mothers_are_admitted_as_mothers_and_give_birth_once(clean: pl.DataFrame, cells: Cells) -> None:
    births = [hrg for hrg, traits in zip(cells.hrgs, cells.traits, strict=True) if hrg.startswith("NZ") and traits.stage == 1]
    given = clean.filter(pl.col("hrg").is_in(births))
    assert given["patient_id"].is_unique().all()
    assert given.filter(~pl.col("admission_method").is_in(ELECTIVE))["admission_method"].is_in(["31"]).mean() > 0.85


def test_long_stays_have_the_shape_of_the_trim_points(clean: pl.DataFrame, cells: Cells) -> None:
    long_cells = cells.setting == LONG_STAY
    trims = {cells.hrgs[hrg]: int(trim) for hrg, trim in zip(cells.hrg[long_cells], cells.trim_shape[long_cells], strict=True)}
    non_elective = clean.filter(~pl.col("admission_method").is_in(ELECTIVE), pl.col("hrg").is_in(list(trims))).with_columns(
        trim=pl.col("hrg").replace_strict(trims, return_dtype=pl.Int64)
    )
    beyond = (non_elective["stay"] > non_elective["trim"]).mean()
    assert 0.03 < beyond < 0.08
    lower, upper = (pl.col("stay").quantile(q, "linear") for q in (0.25, 0.75))
    of_hrg = non_elective.group_by("hrg").agg(pl.len(), pl.col("trim").first(), (upper + 1.5 * (upper - lower)).alias("shape"))
    common = of_hrg.filter(pl.col("len") >= 60, pl.col("trim") > 15)
    assert common.height >= 10
    assert 0.8 < (common["shape"] / common["trim"]).median() < 1.2


def test_day_cases_and_regular_attenders_do_not_stay(clean: pl.DataFrame) -> None:
    day_cases = clean.filter(pl.col("patient_classification") == "2")["stay"]
    assert day_cases.max() <= 1
    assert 0 < (day_cases == 1).mean() < 0.02
    assert clean.filter(pl.col("patient_classification").is_in(["3", "4"]))["stay"].max() == 0


def test_days_taken_off_leave_a_day(clean: pl.DataFrame) -> None:
    within = ["critical_care_days", "rehabilitation_days", "palliative_care_days", "delayed_discharge_days"]
    taken = clean.select(pl.sum_horizontal(within).alias("taken"), "stay")
    assert (taken["taken"] < taken["stay"].clip(1)).all()
    for column in within:
        assert 0 < (clean[column] > 0).mean() < 0.02


def test_unfinished_stays_and_wrong_rows_are_few(year: pl.DataFrame) -> None:
    assert year["discharge_date"].is_null().sum() == round(0.002 * year.height)
    assert (year["admission_method"] == "99").sum() == round(0.0003 * year.height)
    for column in ("hrg", "commissioner", "admission_date"):
        assert year[column].null_count() == round(0.0001 * year.height)


def test_the_year_has_weekends(clean: pl.DataFrame) -> None:
    weekend = clean["discharge_date"].dt.weekday() >= 6
    elective = clean["admission_method"].is_in(ELECTIVE)
    assert (weekend & elective).sum() / elective.sum() < 0.12
    assert 0.2 < (weekend & ~elective).sum() / (~elective).sum() < 0.27
    assert clean["discharge_date"].dt.month().n_unique() == 12


def test_lines_outside_national_prices_mostly_carry_a_local_one(clean: pl.DataFrame) -> None:
    local_agreement = pl.col("commissioning_serial_number").str.ends_with("=").fill_null(value=False)
    outside = pl.col("patient_classification").is_in(["3", "4"]) | local_agreement
    assert 0.5 < clean.filter(outside)["local_price"].is_not_null().mean() < 0.7
    assert clean.filter(~outside)["local_price"].is_null().all()


def test_no_organisation_is_real(year: pl.DataFrame) -> None:
    assert set(year["provider"].unique()) <= set(PROVIDER_CODES)
    assert set(year["commissioner"].drop_nulls()) == set(COMMISSIONERS)
    assert set(year["gp_practice"].unique()) <= set(PRACTICES)
    assert all(code.startswith("ZZ") for code in PROVIDER_CODES)
    assert not [code for code in (*COMMISSIONERS, *PRACTICES) if not code.startswith(("ZC", "ZP"))]


def test_no_provider_is_one_of_the_national_list() -> None:
    folder = os.environ.get("TARIFF_TEST_DATA")
    if not folder:
        pytest.skip("TARIFF_TEST_DATA is not set: the national list of providers is not at hand")
    listed = pl.read_csv(Path(folder) / "prices" / "mff_2026-27.csv", infer_schema=False)["provider"]
    assert not {code[:3] for code in PROVIDER_CODES} & {code[:3] for code in listed}


def test_identifiers_say_nothing_of_order(year: pl.DataFrame) -> None:
    assert year["spell_id"].is_unique().all()
    assert year["patient_id"].str.contains(r"^\d{11}$").all()
    first_seen = year.unique("patient_id", maintain_order=True)["patient_id"].cast(pl.Int64).to_numpy()
    assert abs(np.corrcoef(np.arange(len(first_seen)), first_seen)[0, 1]) < 0.03
