"""One bad pack per mistake in what is said of best practice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tariff.rulepack import check_pack
from tariff.rulepack.best_practice_rows import BEST_PRACTICE

Mistake = Callable[[Any], Any]
BEST, CRITERIA = "best_practice.csv", "best_practice_criteria.csv"


def row(**cells: str) -> str:
    """A row of best_practice.csv."""
    names = BEST_PRACTICE.column_names
    assert set(cells) <= set(names)
    return ",".join(cells.get(name, "") for name in names)


def added(**cells: str) -> Mistake:
    return lambda bench: bench.append(BEST, row(**cells))


HIP = {"tariff": "hip_fracture", "mechanism": "addition", "currency": "HE11G"}
FAULTS: dict[str, tuple[Mistake, str]] = {
    "a tariff in capitals": (added(**HIP | {"tariff": "Hip"}, addition="5"), "holds something beside small letters"),
    "a mechanism that there is not": (added(**HIP | {"mechanism": "bonus"}, addition="5"), "'bonus' is not known"),
    "an addition with a price": (added(**HIP, addition="5", price="6"), "an addition has an amount and no price"),
    "an addition without an amount": (added(**HIP), "an addition has an amount and no price"),
    "a price with an addition": (
        added(tariff="acute_stroke", mechanism="price", currency="AA22G", price="5", addition="6"),
        "a price has a price and no addition",
    ),
    "a gate with both": (
        added(tariff="heart_failure", mechanism="provider_gate", currency="EB03E", price="5", addition="6"),
        "a provider gate has either a price or an addition",
    ),
    "settings of two kinds": (
        added(**HIP, addition="5", settings="non_elective;attendance"),
        "belong to admitted and outpatient care",
    ),
    "a setting that there is not": (added(**HIP, addition="5", settings="ward"), "'ward' is not known"),
    "a price by setting without one": (
        added(tariff="day_case_surgery", mechanism="setting_price", currency="LB13E", price="5"),
        "a price by setting names its settings and the HRG",
    ),
    "a session of admitted care": (
        added(tariff="haemodialysis", mechanism="session", currency="LD04A", price="5"),
        "a session is unbundled care of one currency",
    ),
    "a treatment function without a kind of attendance": (
        added(
            tariff="paediatric_epilepsy",
            mechanism="treatment_function",
            treatment_function="224",
            settings="attendance",
            price="5",
        ),
        "is about one kind of attendance of one treatment function",
    ),
    "a parent of what is no treatment function": (
        added(**HIP, addition="5", parent_treatment_function="420"),
        "is given though the mechanism is addition",
    ),
    "a price of a year of care": (
        added(tariff="parkinsons", mechanism="year_of_care", price="3000"),
        "a year of care is paid by its pathway",
    ),
    "a year of care of one HRG": (
        added(tariff="paediatric_diabetes", mechanism="year_of_care", currency="PK67A"),
        "a year of care is about a patient, whatever the care",
    ),
    "a year of care of some ages": (
        added(tariff="parkinsons", mechanism="year_of_care", maximum_age="18"),
        "the register says whose year of care it is",
    ),
    "a year of care that nothing can show": (
        added(tariff="parkinsons", mechanism="year_of_care"),
        "has no criteria, so nothing could show that it is met",
    ),
    "ages the wrong way round": (added(**HIP, addition="5", minimum_age="60", maximum_age="50"), "60 is above maximum_age 50"),
    "an age of unbundled care": (
        added(tariff="haemodialysis", mechanism="session", currency="LD04A", settings="unbundled", price="5", minimum_age="19"),
        "unbundled activity has no age",
    ),
    "a free addition": (added(**HIP, addition="0"), "is a printed 0"),
    "a tariff of two mechanisms": (
        added(**HIP | {"mechanism": "price"}, price="5"),
        "is price, and addition above",
    ),
    "a tariff that nothing can show": (
        added(tariff="rare", mechanism="addition", addition="5"),
        "has no criteria, so nothing could show that it is met",
    ),
    "an HRG that the pack has not": (
        added(**HIP | {"currency": "HE99G"}, addition="5"),
        "column currency of hip_fracture: admitted.csv has no 'HE99G'",
    ),
    "a procedure that the pack has not": (
        added(tariff="day_case_surgery", mechanism="setting_price", currency="LB99F", settings="outpatient_procedure", price="5"),
        "column currency of day_case_surgery: admitted.csv has no 'LB99F'",
    ),
    "a currency that is not unbundled": (
        added(tariff="haemodialysis", mechanism="session", currency="HE11G", settings="unbundled", price="5"),
        "column currency of haemodialysis: unbundled.csv has no 'HE11G'",
    ),
    "a treatment function that the pack has not": (
        added(**HIP | {"currency": ""}, treatment_function="999", settings="attendance", addition="5"),
        "column treatment_function of hip_fracture: outpatient.csv has no '999'",
    ),
    "a parent that the pack has not": (
        added(
            tariff="paediatric_epilepsy",
            mechanism="treatment_function",
            treatment_function="224",
            settings="attendance",
            attendance="first_single",
            price="5",
            parent_treatment_function="421",
        ),
        "column parent_treatment_function of paediatric_epilepsy: outpatient.csv has no '421'",
    ),
    "criteria of no tariff": (
        lambda bench: bench.append(CRITERIA, "hip_fractures,speed,Speed,"),
        "best_practice.csv has no tariff 'hip_fractures'",
    ),
    "a criterion that means something else": (
        lambda bench: bench.append(CRITERIA, "hip_fracture,setting,In theatre,"),
        "'setting' is kept: it says that a price by setting covers the line in another setting",
    ),
    "a criterion that means a contradiction": (
        lambda bench: bench.append(CRITERIA, "hip_fracture,contradictory,None,"),
        "'contradictory' is kept: it says that answers contradict each other",
    ),
    "a criterion twice": (lambda bench: bench.append(CRITERIA, "hip_fracture,joint_care,Again,"), "stands on line"),
    "a threshold of what is no gate": (
        lambda bench: bench.append(CRITERIA, "hip_fracture,speed,Speed,60%"),
        "is given though the tariff is no provider gate",
    ),
    "a rule that names no tariff": (
        lambda bench: bench.edit("pack.toml", 'replaces_short_stay = ["same', 'replaces_short_stay = ["sam'),
        "replaces_short_stay names 'sam_day_emergency_care', which best_practice.csv has not",
    ),
    "an exclusive group that names no tariff": (
        lambda bench: bench.edit("pack.toml", 'exclusive = [["major_trauma_2", ', 'exclusive = [["major_trauma_3", '),
        "exclusive names 'major_trauma_3', which best_practice.csv has not",
    ),
    "a method that there is not": (
        lambda bench: bench.edit("pack.toml", 'method = "evidence"', 'method = "evidense"'),
        "[rules.best_practice] method 'evidense' is not known",
    ),
    "evidence for no table": (
        lambda bench: bench.drop(BEST).drop(CRITERIA),
        "[rules.best_practice] method 'evidence' needs best_practice.csv, which the pack has not",
    ),
    "more tariffs than can be held": (
        lambda bench: [
            (added(tariff=f"t{number}", mechanism="addition", addition="5")(bench), bench.append(CRITERIA, f"t{number},x,X,"))
            for number in range(60)
        ],
        "60 is the most",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_mistake_is_told(bench: Any, name: str) -> None:
    mistake, what = FAULTS[name]
    mistake(bench)
    faults = bench.faults()
    assert len(faults) == 1, faults
    assert what in faults[0]


def test_a_price_that_meeting_lowers_is_only_warned_of(bench: Any) -> None:
    added(tariff="acute_stroke", mechanism="price", currency="AA22C", minimum_age="16", price="5", otherwise="6")(bench)
    assert any("meeting the criteria lowers the price" in warning for warning in bench.warnings())


def test_an_attendance_may_be_named_by_its_own_hrg(bench: Any) -> None:
    added(**HIP | {"currency": "WF01B"}, settings="attendance", addition="5")(bench)
    assert bench.faults() == []


def test_an_overlay_is_held_against_what_it_is_laid_on(bench: Any, tmp_path: Path) -> None:
    """Its tariffs may be for HRGs of the pack and for those it brings itself."""
    laid = tmp_path / "local"
    laid.mkdir()
    labels = "source,confidence"
    (laid / "overlay.toml").write_text('[overlay]\nname = "local"\n', encoding="utf-8")
    (laid / "admitted.csv").write_text(f"hrg,combined,{labels}\nHE98Z,5,a test,local\n", encoding="utf-8")
    lines = [f"hip_fracture,addition,{hrg},5,a test,local" for hrg in ("HN22E", "HE98Z", "HE99G")]
    header = f"tariff,mechanism,currency,addition,{labels}"
    (laid / "best_practice.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    (fault,) = check_pack(bench.folder, [laid]).faults
    assert fault.where == "local/best_practice.csv:4"
    assert fault.what == "column currency of hip_fracture: admitted.csv has no 'HE99G'"


def test_tables_that_no_rule_uses_are_warned_of(bench: Any) -> None:
    text = (bench.folder / "pack.toml").read_text(encoding="utf-8")
    block = text[text.index("[rules.best_practice]") : text.index("[rules.market_forces_factor]")]
    none = '[rules.best_practice]\nmethod = "none"\nsource = "a test"\nconfidence = "illustrative"\n\n'
    bench.write("pack.toml", text.replace(block, none))
    assert any("[rules.best_practice] is none" in warning for warning in bench.warnings())
