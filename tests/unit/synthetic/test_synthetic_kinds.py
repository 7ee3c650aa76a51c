"""The kinds of activity beside admitted care: how much of each, whom it is about, how it hangs together."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariff.activity import attached_items
from tariff.columns import EMERGENCY, EVIDENCE, OUTPATIENT, POPULATION, REGISTER, UNBUNDLED, names, schema
from tariff.pricing import price
from tariff.rulepack import RulePack, load_pack
from tariff.synthetic import activity, spells
from tariff.synthetic.blocks import year_blocks, year_model
from tariff.synthetic.care_mix import narrowed, per_spell, volumes_of
from tariff.synthetic.conditions import MATERNITY_LEVELS, REGISTERS
from tariff.synthetic.evidence import CRITERIA, GATES
from tariff.synthetic.other_care import SORTS, UNKNOWN_SORT_SHARE
from tariff.synthetic.places import COMMISSIONERS, PRACTICES, PROVIDER_CODES
from tariff.synthetic.population import population_frame
from tariff.synthetic.visits import VISITS_PER_SPELL

Frames = dict[str, pl.DataFrame]
KINDS = {"outpatient": OUTPATIENT, "emergency": EMERGENCY, "unbundled": UNBUNDLED}
DATES = {"admitted": "discharge_date", "outpatient": "attendance_date", "emergency": "arrival_date", "unbundled": "date"}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_those_of_the_contract(linked: Frames, kind: str) -> None:
    frame, contract = linked[kind], KINDS[kind]
    assert set(names(contract, required_only=True)) <= set(frame.columns)
    assert frame.columns == [name for name in names(contract) if name in frame.columns]
    assert all(frame.schema[name] == schema(contract)[name] for name in frame.columns)


def test_volumes_stand_to_spells_as_stated(linked: Frames) -> None:
    height = linked["admitted"].height
    assert linked["outpatient"].height == VISITS_PER_SPELL * height
    assert linked["emergency"].height == round(23_570_779 / 20_993_205 * height)
    procedures = linked["outpatient"].filter(~pl.col("hrg").str.starts_with("WF"), pl.col("hrg") != "UZ01Z")
    assert procedures.height / height == pytest.approx(0.81, abs=0.02)


def test_unbundled_units_stand_to_spells_as_in_england(linked: Frames, pack_2024: RulePack) -> None:
    known = {row.currency for row in pack_2024.unbundled}
    of_spells = pl.col("parent_line_id").is_not_null()
    for sort in SORTS:
        volumes = volumes_of(*sort.departments, roots=sort.roots)
        made = 1.0 if known & set(volumes) else UNKNOWN_SORT_SHARE
        lines = linked["unbundled"].filter(pl.col("currency").is_in(list(volumes)))
        lines = lines if sort.name in {"devices", "transport"} else lines.filter(~of_spells)
        stated = made * per_spell(volumes) * linked["admitted"].height
        assert lines["units"].sum() == pytest.approx(stated, rel=0.12, abs=60), sort.name


def test_emergency_currencies_are_england_s(linked: Frames) -> None:
    volumes = volumes_of("emergency_care")
    counts = dict(linked["emergency"]["hrg"].drop_nulls().value_counts().iter_rows())
    for code, volume in volumes.items():
        assert counts.get(code, 0) == pytest.approx(per_spell({code: volume}) * linked["admitted"].height, abs=8)


def test_only_known_currencies_but_the_stated_share(linked: Frames, pack_2024: RulePack) -> None:
    known = {row.currency for row in pack_2024.unbundled}
    assert 0 < (~linked["unbundled"]["currency"].drop_nulls().is_in(list(known))).mean() < 0.02
    procedures = linked["outpatient"]["hrg"].filter(~linked["outpatient"]["hrg"].str.contains("^WF|^UZ"))
    assert 0.005 < (~procedures.is_in([row.hrg for row in pack_2024.admitted])).mean() < 0.015


def test_a_patient_is_one_person_in_every_kind(linked: Frames) -> None:
    columns = ["patient_id", "sex", "gp_practice", "commissioner"]
    people = pl.concat([linked[kind].select(columns) for kind in DATES]).filter(pl.col("commissioner").is_not_null()).unique()
    assert people["patient_id"].is_unique().all()
    assert people["patient_id"].str.contains(r"^\d{11}$").all()
    admitted = set(linked["admitted"]["patient_id"])
    for kind in KINDS:
        assert 0.2 < linked[kind]["patient_id"].is_in(list(admitted)).mean() < 0.7


def test_everything_falls_in_the_year(linked: Frames, pack_2024: RulePack) -> None:
    for kind, column in DATES.items():
        days = linked[kind][column].drop_nulls()
        assert days.is_between(pack_2024.starts, pack_2024.ends).all()
        assert days.dt.month().n_unique() == 12


def test_the_dead_come_no_more(linked: Frames) -> None:
    died = linked["admitted"].filter(pl.col("discharge_method") == "4").select("patient_id", died="discharge_date")
    dead_on_arrival = linked["emergency"].filter(pl.col("hrg") == "VB99Z").select("patient_id", died="arrival_date")
    assert died.height > 100
    for kind in KINDS:
        own = pl.col("parent_line_id").is_null() if kind == "unbundled" else pl.lit(value=True)
        after = linked[kind].filter(own).join(pl.concat([died, dead_on_arrival]), on="patient_id")
        assert after.filter(pl.col(DATES[kind]) > pl.col("died")).is_empty()


def test_most_emergency_admissions_begin_with_an_attendance(linked: Frames) -> None:
    admitted = linked["admitted"].filter(pl.col("admission_method") == "21", pl.col("admission_date").is_not_null())
    came = linked["emergency"].select("patient_id", "provider", "arrival_date", found=True)
    days = [
        admitted.with_columns(arrival_date=pl.col("admission_date") - pl.duration(days=before)).join(
            came, on=["patient_id", "provider", "arrival_date"], how="semi"
        )
        for before in (0, 1)
    ]
    found = pl.concat(days)["spell_id"].n_unique()
    assert found / admitted.height > 0.93
    assert 0.25 < found / linked["emergency"].height < 0.5


def test_the_admitted_need_more_than_the_others(linked: Frames) -> None:
    admitted = linked["admitted"].filter(pl.col("admission_method") == "21")
    same_day = {"left_on": ["patient_id", "arrival_date"], "right_on": ["patient_id", "admission_date"]}
    simplest = pl.col("hrg").is_in(["VB11Z", "VB09Z"])
    of_admitted = linked["emergency"].join(admitted, how="semi", **same_day).select(simplest.mean()).item()
    of_others = linked["emergency"].join(admitted, how="anti", **same_day).select(simplest.mean()).item()
    assert of_admitted < of_others / 2


def test_planned_admissions_have_a_first_attendance_and_follow_ups(linked: Frames) -> None:
    planned = linked["admitted"].filter(
        pl.col("admission_method").is_in(["11", "12", "13"]),
        pl.col("patient_classification").is_in(["1", "2"]),
        pl.col("admission_date").dt.month().is_in([1, 2, 3]),
    )
    here = ["patient_id", "provider", "treatment_function"]
    both = planned.unique(here, keep="first").join(linked["outpatient"], on=here, suffix="_seen")
    ahead = both.filter(pl.col("first_attendance").is_in(["1", "3"]), pl.col("attendance_date") < pl.col("admission_date"))
    after = both.filter(pl.col("first_attendance").is_in(["2", "4"]), pl.col("attendance_date") > pl.col("discharge_date"))
    stories = planned.unique(here).height
    assert ahead["spell_id"].n_unique() / stories > 0.75
    assert 0.2 < after["spell_id"].n_unique() / stories < 0.8


def test_mothers_are_seen_before_birth_and_registered(linked: Frames) -> None:
    mothers = linked["registers"].filter(pl.col("register") == "maternity")
    assert set(mothers["level"]) == set(MATERNITY_LEVELS)
    births = linked["admitted"].filter(pl.col("hrg").str.contains("^NZ[345]"), pl.col("admission_date").is_not_null())
    assert set(births["patient_id"]) <= set(mothers["patient_id"])
    lead = births.join(mothers, on="patient_id")
    assert (lead["provider"] == lead["provider_right"]).all()
    assert (lead["admission_date"] == lead["end_date"]).all()
    late = births.filter(pl.col("admission_date").dt.month().is_in([12, 1, 2, 3]))
    seen = linked["outpatient"].filter(pl.col("treatment_function").is_in(["501", "560"]))
    assert late["patient_id"].is_in(seen["patient_id"].implode()).mean() > 0.98
    assert set(linked["registers"].filter(pl.col("register") == "maternity_postnatal")["patient_id"]) <= set(
        mothers["patient_id"]
    )


def test_attendances_have_the_stated_shape(linked: Frames) -> None:
    frame = linked["outpatient"]
    attendances = frame.filter(pl.col("hrg").str.starts_with("WF"))
    assert frame["attended"].is_in(["3", "7"]).mean() == pytest.approx(0.06, abs=0.01)
    assert attendances["first_attendance"].is_in(["3", "4"]).mean() == pytest.approx(0.2, abs=0.03)
    assert attendances["multi_professional"].eq("Y").mean() == pytest.approx(0.025, abs=0.008)
    assert 0.3 < frame["first_attendance"].is_in(["1", "3"]).mean() < 0.45
    by_code = attendances.filter(pl.col("first_attendance") != "9").select(
        pl.col("hrg").str.tail(1).replace_strict({"A": "2", "B": "1", "C": "4", "D": "3"}) == pl.col("first_attendance")
    )
    assert by_code.to_series().all()
    nobody = frame.filter(pl.col("consultant_led") == "N", pl.col("main_specialty").is_in(["560", "950", "960"]).not_())
    assert nobody.is_empty()


def test_procedures_fit_the_people(linked: Frames) -> None:
    frame = linked["outpatient"].filter(pl.col("age") < 130)
    assert set(frame.filter(pl.col("hrg").str.contains("^M[AC]|^NZ"))["sex"]) == {"2"}
    assert frame.filter(pl.col("treatment_function") == "420")["age"].max() <= 18
    assert frame.filter(pl.col("treatment_function") == "430", ~pl.col("referral_source").is_in(["01"]))["age"].min() >= 65


def test_critical_care_adds_to_the_days_of_the_spell(linked: Frames) -> None:
    attached = attached_items(linked["admitted"].lazy()).collect()
    lines = linked["unbundled"].filter(pl.col("currency").str.contains("^X[ABC]0"), ~pl.col("currency").is_in(["XA06Z", "XB08Z"]))
    same = ["provider", "parent_line_id", "currency", "date"]
    both_ways = attached.join(lines, on=same, how="semi")
    assert 10 < both_ways.height < attached.height / 3
    either = pl.concat([attached.select(*same, "units"), lines.join(attached, on=same, how="anti").select(*same, "units")])
    days = either.group_by(spell_id="parent_line_id").agg(pl.col("units").sum())
    known = linked["admitted"].filter(pl.col("critical_care_days") > 0)
    compared = known.join(days, on="spell_id", how="left")
    assert (compared["units"].fill_null(0) == compared["critical_care_days"]).mean() > 0.98
    assert days.join(known, on="spell_id", how="anti").is_empty()


def test_some_cells_repeat_an_item_with_its_days(linked: Frames) -> None:
    cells = linked["admitted"]["unbundled"].drop_nulls()
    assert cells.str.contains(r"^(X\w+\*\d+)").all()
    repeated = cells.str.split(";").list.eval(pl.element().is_duplicated()).list.any()
    assert 0 < repeated.mean() < 0.15


def test_what_belongs_to_a_spell_names_it(linked: Frames) -> None:
    parts = linked["unbundled"].filter(pl.col("parent_line_id").is_not_null(), pl.col("date").is_not_null())
    spells_of = linked["admitted"].select("spell_id", "patient_id", "provider", "admission_date", "discharge_date")
    joined = parts.join(spells_of, left_on="parent_line_id", right_on="spell_id")
    assert joined.height == parts.height
    assert (joined["patient_id"] == joined["patient_id_right"]).all()
    assert (joined["provider"] == joined["provider_right"]).all()
    inside = (pl.col("date") >= pl.col("admission_date")) & (pl.col("date") <= pl.col("discharge_date"))
    assert joined.select(inside.fill_null(value=True).all()).item()


def test_drugs_and_devices_have_a_cost(linked: Frames) -> None:
    costly = linked["unbundled"].filter(pl.col("currency").str.contains("^HCDR|^DEV"))
    assert 0.95 < costly["local_price"].is_not_null().mean() < 1
    assert costly["local_price"].min() > 0
    assert costly.filter(pl.col("currency").str.starts_with("DEV"))["parent_line_id"].is_not_null().mean() > 0.2


def test_series_come_at_their_intervals() -> None:
    frame = activity("unbundled", 4_000, seed=2, pack=load_pack("example"))
    sessions = frame.filter(pl.col("currency").str.starts_with("LD01"), pl.col("date").is_not_null()).sort("patient_id", "date")
    gaps = sessions.select(gap=(pl.col("date") - pl.col("date").shift().over("patient_id")).dt.total_days())["gap"].drop_nulls()
    assert gaps.is_in([2, 3]).mean() > 0.8
    fractions = frame.filter(pl.col("currency") == "SC22Z", pl.col("date").is_not_null())
    assert fractions["date"].dt.weekday().is_between(1, 5).mean() > 0.95
    clusters = frame.filter(pl.col("currency").str.starts_with("MHC"), pl.col("date").is_not_null(), pl.col("units") > 0)
    assert clusters.height > 0
    assert (clusters["units"] == (clusters["end_date"] - clusters["date"]).dt.total_days() + 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_nearly_all_is_priced_where_the_pack_has_prices(linked: Frames, kind: str, pack_2024: RulePack) -> None:
    priced = price(linked[kind], pack_2024).select("outcome", "reason").collect()
    assert priced.height == linked[kind].height
    reasons = set(priced["reason"].cast(pl.String))
    expected = {
        "outpatient": {"not_attended", "first_attendance", "attendance_status"},
        "emergency": {"department_type", "planned_follow_up", "walk_in_centre", "missing_currency"},
        "unbundled": {"units_out_of_range", "no_pass_through_cost", "missing_currency", "unknown_currency"},
    }[kind]
    assert expected | {"priced", "missing_organisation", "missing_date", "not_nhs_funded"} <= reasons
    if kind != "outpatient":
        assert (priced["outcome"] == "priced").mean() > 0.9


def test_blocks_share_no_patient_and_no_line(monkeypatch: pytest.MonkeyPatch, pack_2024: RulePack) -> None:
    monkeypatch.setattr(spells, "BLOCK", 1_000)
    blocks = list(year_blocks(year_model(pack_2024), 1_500, 1, (*DATES, "registers")))
    first, second = blocks
    patients = [{*pl.concat([block[name]["patient_id"] for name in block])} for block in blocks]
    assert not patients[0] & patients[1]
    for kind, key in {"outpatient": "attendance_id", "emergency": "attendance_id", "unbundled": "line_id"}.items():
        ids = pl.concat([first[kind][key], second[kind][key]])
        assert ids.is_unique().all()


def test_the_same_seed_gives_the_same_lines(pack_2024: RulePack) -> None:
    for kind in KINDS:
        again = [activity(kind, 300, seed=5, pack=pack_2024) for _ in range(2)]
        assert_frame_equal(*again)
        assert not again[0].equals(activity(kind, 300, seed=6, pack=pack_2024))


def test_one_spell_has_a_year_of_every_kind(pack_2024: RulePack) -> None:
    (block,) = year_blocks(year_model(pack_2024), 1, 5, [*DATES, "registers", "evidence"])
    assert block["admitted"].height == 1
    assert block["outpatient"].height == VISITS_PER_SPELL


def test_a_pack_without_tables_gets_england_s_mix() -> None:
    volumes = {"A": 60, "B": 30, "C": 10}
    assert narrowed(volumes, ()) == {"A": 0.6, "B": 0.3, "C": 0.1}
    assert narrowed(volumes, {"Z"}) == {}
    assert narrowed(volumes, {"B", "C"}) == pytest.approx({"B": 0.7425, "C": 0.2475, "A": 0.01})
    assert narrowed(volumes, {"A", "B", "C"}) == {"A": 0.6, "B": 0.3, "C": 0.1}
    pack = load_pack("2017-18")
    frame = activity("unbundled", 1_000, seed=1, pack=pack)
    assert frame["date"].drop_nulls().is_between(pack.starts, pack.ends).all()
    assert frame["currency"].str.starts_with("SC").any()


def test_diagnoses_and_procedures_fit_the_pathways(linked: Frames) -> None:
    fitting = {
        "^HN12": ("^M1", "^W(3|93)"), "^HN22": ("^M1", "^W4"), "^BZ34": ("^H2[56]", "^C7[15]"), "^FF62": ("^K4", "^T2"),
        "^HT1[23]": ("^S72", "^W"), "^SB": ("^C", "^X7"), "^NZ5": ("^O", "^R1"), "^AA35": ("^I6", None), "^DZ11": ("^J1", None),
    }  # fmt: skip
    for hrgs, (diagnosis, procedure) in fitting.items():
        spells_of = linked["admitted"].filter(pl.col("hrg").str.contains(hrgs))
        assert spells_of.height > 0
        assert spells_of["primary_diagnosis"].str.contains(diagnosis).all()
        if procedure:
            assert spells_of["dominant_procedure"].str.contains(procedure).all()


def test_best_practice_candidates_are_of_age_and_of_the_right_kind(linked: Frames) -> None:
    candidates = linked["admitted"].filter(pl.col("best_practice").is_not_null())
    hips = candidates.filter(pl.col("best_practice") == "hip_fracture", pl.col("age") < 130)
    assert hips["age"].min() >= 60
    assert not hips["admission_method"].is_in(["11", "12", "13"]).any()
    replaced = candidates.filter(pl.col("best_practice") == "hip_knee_replacement", pl.col("admission_method") != "99")
    assert replaced["admission_method"].is_in(["11", "12", "13"]).all()


def test_evidence_answers_for_most_candidates(linked: Frames) -> None:
    evidence = linked["evidence"]
    assert evidence.columns == names(EVIDENCE)
    lines = evidence.filter(pl.col("criterion").is_not_null())
    for tariff, criteria in CRITERIA.items():
        assert set(lines.filter(pl.col("tariff") == tariff)["criterion"]) <= set(criteria)
    hips = linked["admitted"].filter(pl.col("best_practice") == "hip_fracture").select("spell_id", "provider")
    known = hips.join(lines, left_on=["spell_id", "provider"], right_on=["line_id", "provider"])
    assert 0.88 < known["spell_id"].n_unique() / hips.height < 0.99
    known = known.filter(pl.col("met").is_not_null())
    passed = known.group_by("spell_id").agg((pl.col("met") == "yes").all())["met"].mean()
    assert 0.3 < passed < 0.75
    existing = pl.concat([linked["admitted"]["spell_id"], linked["outpatient"]["attendance_id"]])
    assert 0 < (~lines["line_id"].is_in(existing.implode())).mean() < 0.01
    gates = evidence.filter(pl.col("criterion").is_null())
    assert set(gates["tariff"]) == set(GATES)
    assert gates.select(pl.col("period_start", "period_end").null_count()).row(0) == (0, 0)


def test_registers_hold_everybody_once_at_a_time(linked: Frames, pack_2024: RulePack) -> None:
    registers = linked["registers"]
    assert registers.columns == names(REGISTER)
    assert {"maternity", "maternity_postnatal", *(register.name for register in REGISTERS)} == set(registers["register"])
    in_time = registers.filter(pl.col("register") != "maternity").sort("register", "patient_id", "start_date")
    overlap = in_time.select(pl.col("start_date") <= pl.col("end_date").shift().over("register", "patient_id"))
    assert not overlap.to_series().fill_null(value=False).any()
    of_fibrosis = registers.filter(pl.col("register") == "cystic_fibrosis")
    admitted = linked["admitted"].filter(pl.col("hrg").str.contains("^DZ13|^PD13"))
    assert set(admitted["patient_id"]) <= set(of_fibrosis["patient_id"])
    others = registers.filter(~pl.col("register").str.starts_with("maternity"))
    assert others["start_date"].is_between(pack_2024.starts, pack_2024.ends).all()
    assert (others["end_date"] >= others["start_date"]).all()


def test_more_people_are_registered_than_are_seen(linked: Frames) -> None:
    population = population_frame(linked["admitted"].height, 7)
    assert population.columns == names(POPULATION)
    seen = pl.concat([linked[kind].select("patient_id", "gp_practice") for kind in DATES]).unique()
    registered = population.group_by(pl.col("gp_practice").cast(pl.String)).agg(pl.col("registered").sum())
    both = seen.group_by("gp_practice").agg(pl.len()).join(registered, on="gp_practice", how="full")
    assert both.null_count().sum_horizontal().item() == 0
    assert (both["registered"] > both["len"]).all()


def test_no_organisation_is_real(linked: Frames) -> None:
    for kind in KINDS:
        assert set(linked[kind]["provider"].unique()) <= set(PROVIDER_CODES)
        assert set(linked[kind]["commissioner"].drop_nulls()) <= set(COMMISSIONERS)
        assert set(linked[kind]["gp_practice"].unique()) <= set(PRACTICES)
