"""One bad pack per mistake in what is said of outpatients, emergency care and unbundled care."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import PackOnTheBench

    Mistake = Callable[[PackOnTheBench], object]
    Case = tuple[Mistake, str, str | None, str, str]
    """What is done to the pack; then the file, the start of the line (None: no line), what is told, and what to do."""

PRICE = "write pounds as printed, such as 8,207 or 119.50; leave the cell blank where there is no national price"
VALUE = "mend the value; rules/README.md says what it may be"
OUTPATIENT_RULE = '[rules.outpatient]\nmethod = "national"'
EMERGENCY_RULE = '[rules.emergency]\nmethod = "national"'


def row(file: str, old: str, new: str) -> Mistake:
    """A row of a table of the example pack replaced."""
    return lambda bench: bench.edit(file, f"\n{old}\n", f"\n{new}\n")


DECLARATIONS: dict[str, Case] = {
    "a method that there is not": (
        lambda bench: bench.edit("pack.toml", OUTPATIENT_RULE, '[rules.outpatient]\nmethod = "nationl"'),
        "pack.toml",
        'method = "nationl"',
        "[rules.outpatient] method 'nationl' is not known",
        "did you mean 'national'? known: none, national, erf",
    ),
    "an emergency method that there is not": (
        lambda bench: bench.edit("pack.toml", EMERGENCY_RULE, '[rules.emergency]\nmethod = "erf"'),
        "pack.toml",
        'method = "erf"',
        "[rules.emergency] method 'erf' is not known",
        "known: none, national",
    ),
    "an unbundled method that there is not": (
        lambda bench: bench.edit("pack.toml", '"price_list"', '"price_lists"'),
        "pack.toml",
        'method = "price_lists"',
        "[rules.unbundled] method 'price_lists' is not known",
        "did you mean 'price_list'? known: none, price_list",
    ),
    "a rule left out": (
        lambda bench: bench.edit(
            "pack.toml",
            '[rules.unbundled]\nmethod = "price_list"\nsource = "Invented for illustration, after RULES 1.9"\n'
            'confidence = "illustrative"\n',
            "",
        ),
        "pack.toml",
        "schema = 1",
        "[rules] 'unbundled' is missing",
        "add 'unbundled'; rules/README.md says what it may be",
    ),
    "a price of telephone attendances that there is not": (
        lambda bench: bench.edit("pack.toml", '"own_price"', '"own"'),
        "pack.toml",
        'non_face_to_face = "own"',
        "[rules.outpatient] non_face_to_face 'own' is not known",
        "known: own_price, face_to_face_price",
    ),
    "a value of another method": (
        lambda bench: bench.edit(
            "pack.toml", OUTPATIENT_RULE, '[rules.outpatient]\nmethod = "national"\nsimplest_currency = "A"'
        ),
        "pack.toml",
        'simplest_currency = "A"',
        "[rules.outpatient] 'simplest_currency' is not known here",
        (
            "known: source, confidence, note, non_face_to_face, no_price_treatment_functions, default_first, default_follow_up, "
            "default_source, default_confidence, method"
        ),
    ),
    "a default price without a label": (
        lambda bench: bench.edit("pack.toml", 'default_confidence = "illustrative"\n', ""),
        "pack.toml",
        "[rules.outpatient]",
        "[rules] 'outpatient': a default price needs default_source and default_confidence",
        VALUE,
    ),
    "a default price of 0": (
        lambda bench: bench.edit("pack.toml", 'default_first = "150"', 'default_first = "0"'),
        "pack.toml",
        'default_first = "0"',
        "[rules.outpatient] 'default_first': '0' is a printed 0, which is not a price (found '0')",
        VALUE,
    ),
    "a default price that is no amount": (
        lambda bench: bench.edit("pack.toml", 'default_first = "150"', 'default_follow_up = "75.005"'),
        "pack.toml",
        'default_follow_up = "75.005"',
        "[rules.outpatient] 'default_follow_up': '75.005' has more than 2 decimal places (found '75.005')",
        VALUE,
    ),
    "a default price that is no text": (
        lambda bench: bench.edit("pack.toml", 'default_first = "150"', "default_first = 150.0"),
        "pack.toml",
        "default_first = 150.0",
        "[rules.outpatient] 'default_first': Input should be a valid string (found 150.0)",
        VALUE,
    ),
    "a treatment function without a price that is none": (
        lambda bench: bench.edit("pack.toml", '["812"]', '["81"]'),
        "pack.toml",
        'no_price_treatment_functions = ["81"]',
        (
            "[rules.outpatient] 'no_price_treatment_functions': '81' has not the form of a treatment function (three digits) "
            "(found ['81'])"
        ),
        VALUE,
    ),
    "no simplest currency": (
        lambda bench: bench.edit("pack.toml", 'simplest_currency = "VB11Z"\n', ""),
        "pack.toml",
        "[rules.emergency]",
        "[rules.emergency] 'simplest_currency' is missing",
        "add 'simplest_currency'; rules/README.md says what it may be",
    ),
    "a simplest currency that is no code": (
        lambda bench: bench.edit("pack.toml", '"VB11Z"', '"vb11z"'),
        "pack.toml",
        'simplest_currency = "vb11z"',
        (
            "[rules.emergency] 'simplest_currency': 'vb11z' has not the form of a currency (capital letters and digits) "
            "(found 'vb11z')"
        ),
        VALUE,
    ),
}

TABLES: dict[str, Case] = {
    "an attendance price of 0": (
        row("outpatient.csv", "101,Urology,180,220,90,110,70,40,", "101,Urology,180,220,90,110,0,40,"),
        "outpatient.csv",
        "101,",
        "column first_non_face_to_face of 101: '0' is a printed 0, which is not a price",
        PRICE,
    ),
    "a treatment function of two digits": (
        row("outpatient.csv", "101,Urology,180,220,90,110,70,40,", "10,Urology,180,220,90,110,70,40,"),
        "outpatient.csv",
        "10,",
        "column treatment_function of 10: '10' has not the form of a treatment function (three digits)",
        "a treatment function is three digits, such as 110",
    ),
    "a treatment function twice": (
        lambda bench: bench.append("outpatient.csv", "812,Imaging,,,,,,,"),
        "outpatient.csv",
        "812,Imaging",
        "column treatment_function of 812: stands on line 14 already",
        "keep one of the two rows",
    ),
    "market forces neither yes nor no": (
        row("outpatient.csv", "101,Urology,180,220,90,110,70,40,", "101,Urology,180,220,90,110,70,40,1"),
        "outpatient.csv",
        "101,",
        "column mff of 101: '1' is neither yes nor no",
        "write yes or no",
    ),
    "an emergency price of 0": (
        lambda bench: bench.edit("emergency.csv", 'with Category 4 Treatment",500,,', 'with Category 4 Treatment",500,0,'),
        "emergency.csv",
        "VB02Z,",
        "column type_3_price of VB02Z: '0' is a printed 0, which is not a price",
        PRICE,
    ),
    "an emergency currency in small letters": (
        lambda bench: bench.edit("emergency.csv", "VB02Z,", "Vb02z,"),
        "emergency.csv",
        "Vb02z,",
        "column currency of Vb02z: 'Vb02z' has not the form of a currency (capital letters and digits)",
        "write the currency in capital letters and digits, such as XC05Z",
    ),
    "an emergency currency twice": (
        lambda bench: bench.append("emergency.csv", "VB01Z,Again,1,,"),
        "emergency.csv",
        "VB01Z,Again",
        "column currency of VB01Z: stands on line 2 already",
        "keep one of the two rows",
    ),
    "an unbundled currency with a space": (
        lambda bench: bench.append("unbundled.csv", "XC 05,Care,day,1,,,"),
        "unbundled.csv",
        "XC 05,",
        "column currency of XC 05: 'XC 05' has not the form of a currency (capital letters and digits)",
        "write the currency in capital letters and digits, such as XC05Z",
    ),
    "an unbundled currency twice": (
        lambda bench: bench.append("unbundled.csv", "SB12Z,Again,item,1,,,"),
        "unbundled.csv",
        "SB12Z,Again",
        "column currency of SB12Z: stands on line 2 already",
        "keep one of the two rows",
    ),
    "a unit price of 0": (
        lambda bench: bench.append("unbundled.csv", "XX01Z,New,day,0.00,,,"),
        "unbundled.csv",
        "XX01Z,",
        "column price of XX01Z: '0.00' is a printed 0, which is not a price",
        PRICE,
    ),
    "no unit": (
        lambda bench: bench.append("unbundled.csv", "XX01Z,New,,1,,,"),
        "unbundled.csv",
        "XX01Z,",
        "column unit of XX01Z: is blank",
        "write day, session or the like",
    ),
    "a unit of two words": (
        lambda bench: bench.append("unbundled.csv", "XX01Z,New,Bed days,1,,,"),
        "unbundled.csv",
        "XX01Z,",
        "column unit of XX01Z: 'Bed days' is not one lower-case word",
        "write day, session or the like",
    ),
    "an unknown point of delivery": (
        lambda bench: bench.append("unbundled.csv", "XX01Z,New,day,1,UNBAC,,"),
        "unbundled.csv",
        "XX01Z,",
        "column pod of XX01Z: 'UNBAC' is not a point-of-delivery code that the engine knows",
        "write a national code, or leave it blank",
    ),
    "a point of delivery that is none": (
        lambda bench: bench.append("unbundled.csv", "XX01Z,New,day,1,NOTCLASSIFIED,,"),
        "unbundled.csv",
        "XX01Z,",
        "column pod of XX01Z: 'NOTCLASSIFIED' is not a point-of-delivery code that the engine knows",
        "write a national code, or leave it blank",
    ),
    "a price for what passes through": (
        lambda bench: bench.append("unbundled.csv", "XX01Z,New,item,1,DRUG,yes,"),
        "unbundled.csv",
        "XX01Z,",
        "column price of XX01Z: is given though pass_through is yes",
        "a pass-through currency is paid at the line's own cost: leave the price blank, or write no",
    ),
}


@pytest.mark.parametrize("name", DECLARATIONS | TABLES)
def test_mistake_is_told(bench: PackOnTheBench, name: str) -> None:
    mistake, *expected = (DECLARATIONS | TABLES)[name]
    mistake(bench)
    assert bench.faults() == [bench.message(*expected)]


@pytest.mark.parametrize("old", ["VB11Z", "VB09Z"])
def test_a_currency_that_the_rule_names_must_stand_in_the_table(bench: PackOnTheBench, old: str) -> None:
    bench.edit("pack.toml", f'"{old}"', '"VB12Z"')
    line = (bench.folder / "pack.toml").read_text(encoding="utf-8").split(EMERGENCY_RULE)[0].count("\n") + 2
    what = "[rules.emergency] names 'VB12Z', which emergency.csv has not"
    assert bench.faults() == [f"pack.toml:{line}: {what}\n    add it to emergency.csv, or name one that stands there"]


def test_without_the_table_the_rule_may_name_any_currency(bench: PackOnTheBench) -> None:
    bench.drop("emergency.csv").edit("pack.toml", '"VB11Z"', '"VB12Z"')
    assert bench.faults() == []


def test_a_faulty_table_is_not_held_against_the_rule(bench: PackOnTheBench) -> None:
    bench.edit("emergency.csv", "VB11Z,", "vb11z,")
    assert [fault.split(":")[0] for fault in bench.faults()] == ["emergency.csv"]


def test_a_worked_line_with_a_cell_of_another_kind_is_told(bench: PackOnTheBench) -> None:
    header = (bench.folder / "examples.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    cells = {"example": "misplaced", "kind": "emergency", "spell_id": "S1", "outcome": "rejected", "reason": "missing_date"}
    bench.append("examples.csv", ",".join({**cells, "source": "x"}.get(name, "") for name in header))
    assert bench.faults() == [
        bench.message(
            "examples.csv",
            "misplaced,",
            "column spell_id: emergency activity has no such column",
            "leave the cell blank, or mend the kind",
        )
    ]


@pytest.mark.parametrize("table", ["admitted", "outpatient", "emergency", "unbundled"])
def test_a_pack_may_lack_the_prices_of_a_kind(bench: PackOnTheBench, table: str) -> None:
    bench.drop(f"{table}.csv")
    needs = ["[rules.short_stay]", "[rules.long_stay]"] if table == "admitted" else []
    assert [fault.split(" ")[1] for fault in bench.faults()] == needs


NONE = 'method = "none"\nsource = "None"\nconfidence = "illustrative"\n'


@pytest.mark.parametrize("rule", ["outpatient", "emergency", "unbundled"])
def test_a_table_that_no_rule_uses_only_warns(bench: PackOnTheBench, rule: str) -> None:
    text = (bench.folder / "pack.toml").read_text(encoding="utf-8")
    before, stated = text.split(f"[rules.{rule}]\n")
    after = stated.split("\n[rules.", maxsplit=1)[1]
    bench.write("pack.toml", f"{before}[rules.{rule}]\n{NONE}\n[rules.{after}")
    assert bench.warnings() == [f"{rule}.csv: is not used: [rules.{rule}] is none\n    change the rule, or take the table out"]


def test_a_named_currency_without_a_price_only_warns(bench: PackOnTheBench) -> None:
    bench.edit("emergency.csv", 'Treatment",60,,', 'Treatment",,,')
    (warning,) = bench.warnings()
    assert (
        "[rules.emergency] names 'VB11Z', whose price is blank\n    what should be paid at its price will be unpriced" in warning
    )
