"""Who referred the patient, from a file of attendances to what a cap on consultants' referrals leaves unpaid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import tariff
from tariff.errors import RulesError
from tariff.report import compare

TERM = 'term = "referral_cap"\nshare = "25%"\nsource = "s"\nconfidence = "local"\n'
EPISODIC = '[[model]]\nname = "episodic"\ntitle = "Episodic"\n'
MODELS = f'schema = 1\n{EPISODIC}[[model]]\nname = "capped"\ntitle = "Capped"\n[[model.terms]]\n{TERM}'


@pytest.fixture
def models(tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(MODELS, encoding="utf-8")
    return path


def attendances(sources: list[str | None]) -> list[dict[str, object]]:
    """First attendances at £100 each, and a follow-up that a consultant referred too."""
    first = [{"pod": "OPFASPCL", "base_pence": 100_00, "referral_source": source} for source in sources]
    return [*first, {"pod": "OPFUPSPCL", "base_pence": 70_00, "referral_source": "05"}]


def test_priced_lines_say_who_referred_the_patient(tmp_path: Path) -> None:
    header = "attendance_id,provider,commissioner,attendance_date,treatment_function,first_attendance,attended,age,hrg"
    rows = ["O1,ZZB,99A,2017-06-30,110,1,5,40,WF01B,05", "O2,ZZB,99A,2017-06-30,110,1,5,40,WF01B,"]
    path = tmp_path / "op.csv"
    path.write_text("\n".join([f"{header},referral_source", *rows]) + "\n", encoding="utf-8")
    priced = tariff.price(tariff.read_activity(path), tariff.load_rules("example"))
    assert priced.select("line_id", "referral_source").collect().rows() == [("O1", "05"), ("O2", None)]


def test_referrals_beyond_the_share_are_not_paid_by_contract_and_treatment_function(
    priced_lines: Callable[..., pl.DataFrame], models: Path
) -> None:
    few = [{**line, "treatment_function": "130"} for line in attendances(["05", "03", "03", "03"])]
    elsewhere = [{**line, "provider": "XP2"} for line in attendances(["05"] * 2 + ["03"] * 2)]
    report = compare(priced_lines(*attendances(["05"] * 3 + ["03"]), *few, *elsewhere), models, ["provider"], suppress=False)
    capped = report.comparison.filter(pl.col("model") == "capped")
    assert dict(capped.select("provider", "difference_pence").iter_rows()) == {"XP1": -200_00, "XP2": -100_00}
    assert report.notes == ()


def test_a_reader_is_told_how_many_do_not_say(priced_lines: Callable[..., pl.DataFrame], models: Path) -> None:
    report = compare(priced_lines(*attendances(["05", "05", None, None])), models, suppress=False)
    assert report.totals[1]["difference_pence"] == -100_00
    assert report.notes == ("50% of first attendances do not say who referred the patient: no consultant is taken to have.",)


def test_lines_that_do_not_say_cannot_be_capped(priced_lines: Callable[..., pl.DataFrame], models: Path) -> None:
    with pytest.raises(RulesError, match="model 'capped': no first attendance among the priced lines says who referred"):
        compare(priced_lines(*attendances([None, None])), models)
    assert compare(priced_lines({"base_pence": 5}), models).totals[1]["difference_pence"] == 0
