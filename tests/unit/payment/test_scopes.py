"""Scopes: what they cover, what they leave out, and whether two of them meet, held against every cell of a small world."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.errors import RulesError
from tariff.payment import Scope, load_models
from tariff.payment.scope import NAMED

PODS, FUNCTIONS, HRGS = ("DC", "EL", "OPFASPCL"), ("100", "501"), ("AA22C", "AB10Z", "NZ30C")
WORLD = [dict(zip(("pod", "treatment_function", "currency"), cell, strict=True)) for cell in product(PODS, FUNCTIONS, HRGS)]
CELLS = pl.DataFrame(WORLD)

parts = st.fixed_dictionaries(
    {},
    optional={
        "pods": st.lists(st.sampled_from(PODS), min_size=1, max_size=2, unique=True),
        "treatment_functions": st.lists(st.sampled_from(FUNCTIONS), min_size=1, max_size=1),
        "hrgs": st.lists(st.sampled_from(["A", "AA", "AA22C", "NZ"]), min_size=1, max_size=2, unique=True),
    },
)
scopes = st.tuples(parts, st.lists(parts.filter(bool), max_size=2)).map(lambda drawn: Scope(**drawn[0], without=drawn[1]))
rows = st.fixed_dictionaries(
    {name: st.sampled_from([None, *values]) for name, values in zip(WORLD[0], (PODS, FUNCTIONS, HRGS), strict=True)}
)


def plainly(scope: Scope, cell: dict[str, str]) -> bool:
    tests = {"pods": "pod", "treatment_functions": "treatment_function"}
    held = all(not getattr(scope, name) or cell[column] in getattr(scope, name) for name, column in tests.items())
    by_hrg = not scope.hrgs or any(cell["currency"].startswith(prefix) for prefix in scope.hrgs)
    return held and by_hrg and not any(plainly(left_out, cell) for left_out in scope.without)


def inside(scope: Scope) -> set[int]:
    return {number for number, cell in enumerate(WORLD) if plainly(scope, cell)}


@settings(deadline=None, max_examples=60)
@given(scope=scopes, other=scopes, row=rows)
def test_scopes_say_of_every_cell_what_they_cover(scope: Scope, other: Scope, row: dict[str, str | None]) -> None:
    covered = CELLS.select(scope.covers().alias("inside"))["inside"].to_list() if scope.columns else [True] * len(WORLD)
    assert {number for number, within in enumerate(covered) if within} == inside(scope)
    if not scope.overlaps(other):
        assert not inside(scope) & inside(other)
    if scope.within(other):
        assert inside(scope) <= inside(other)
    meant = {number for number, cell in enumerate(WORLD) if all(row[name] in (None, cell[name]) for name in row)}
    plan = pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))
    if meant & inside(scope) and meant - inside(scope):
        assert plan.select(scope.straddles()).item()
    if None not in row.values():
        assert plan.select(scope.straddles()).item() in (False, None)


# a cell, and whether elective recovery counts it (RULES 2.3)
RECOVERY = [
    (("DC", "100", "AA22C"), True),
    (("EL", "110", "HN22E"), True),
    (("OPFASPCL", "130", "WF01B"), True),
    (("OPPROC", "502", "MA07G"), True),
    (("NEL", "100", "AA22C"), False),
    (("OPFUPSPCL", "130", "WF01A"), False),
    (("DC", "100", "UZ01Z"), False),
    (("EL", "502", "NZ50C"), False),
    (("OPFASPCL", "501", "WF01B"), False),
    (("OPFASPCL", "713", "WF01B"), False),
    (("OPFASPCL", "714", "WF01B"), True),
    (("OPFASPCL", "727", "WF01B"), False),
    (("OPFASPCL", "812", "WF01B"), False),
    (("OPPROC", "812", "RD10Z"), True),
    (("OPPROC", "502", "MA53Z"), False),
    (("DC", "502", "MA53Z"), True),
]


@pytest.mark.parametrize(("cell", "counts"), RECOVERY)
def test_elective_recovery(cell: tuple[str, str, str], counts: bool) -> None:
    frame = pl.DataFrame([cell], schema=["pod", "treatment_function", "currency"], orient="row")
    assert frame.select(NAMED["elective_recovery"].covers()).item() is counts


MODEL = 'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n'
TERM = '[[model.terms]]\nterm = "cquin"\nrate = "1%"\nsource = "s"\nconfidence = "local"\n'


def test_a_scope_is_written_out_or_named(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(f'{MODEL}{TERM}scope = {{ pods = ["DC"], without = [{{ hrgs = ["NZ"] }}] }}\n', encoding="utf-8")
    (model,) = load_models(path)
    assert model.words.startswith("1% of what the contract pays is added for DC, without HRGs NZ")
    path.write_text(f'{MODEL}{TERM}scope = "emergency"\n', encoding="utf-8")
    assert load_models(path).models[0].terms[0].scope == Scope(pods=("NEL", "NELST"))
    (preset,) = load_models("preset:api-2022-23:elective=elective_recovery")
    assert preset.terms[0].scopes[1] == NAMED["elective_recovery"]


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (
            '"elctive"',
            "m.toml:10: model 'm', term 1: scope: there is no scope called 'elctive'; known: elective, elective_recovery",
        ),
        ("{ without = [{ }] }", "names no activity: it would leave out all"),
        ('{ without = [{ hrgs = ["A"], without = [{ hrgs = ["AA"] }] }] }', "cannot leave out anything itself"),
        ('{ without = [{ hrg = ["A"] }] }', "'hrg' is not known here\n    did you mean 'hrgs'?"),
        ('{ without = [{ pods = ["XX"] }] }', "'XX' is not a point of delivery"),
        ('{ pods = ["XX"] }', "'XX' is not a point of delivery"),
        ("{ months = [13] }", "13 is not a month"),
    ],
)
def test_bad_scopes_are_refused_by_file_and_line(tmp_path: Path, scope: str, words: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(f"{MODEL}{TERM}scope = {scope}\n", encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        load_models(path)
    assert words in str(caught.value)
    assert "m.toml:10:" in str(caught.value)
