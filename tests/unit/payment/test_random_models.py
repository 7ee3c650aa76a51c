"""Whatever contract terms stand together in whatever order, ledgers and bridges add up at every level, and what terms do to each
other is told apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from tariff.comparison import DIMENSIONS, bridge_ledgers, compare_ledgers
from tariff.errors import RulesError
from tariff.payment import Beside, Ledger, check_plan, gather_cells, gather_referrals, load_models, settle
from tariff.payment.models import TERMS
from tariff.reasons import PRICED

rates = st.sampled_from(["0%", "2.5%", "30%", "33.33%", "70%", "100%"])
scopes = st.sampled_from(
    [
        "",
        'pods = ["NEL"]',
        'pods = ["DC", "EL"]',
        'providers = ["XP1"]',
        'hrgs = ["AA"]',
        "months = [1, 2]",
        'commissioners = ["XC2"]',
    ]
)
PLANNED = 'against = "sums.csv"\nunplanned = "tariff"\n'
PAYMENTS = {
    "block": PLANNED,
    "cost_and_volume": PLANNED
    + 'marginal_rate = "{rate}"\ntiers = [{{ above = "5%", rate = "20%" }}]\ncap = "20%"\ncollar = "30%"\n',
    "cap_and_collar": PLANNED + 'cap = "{rate}"\n',
    "marginal_rate": PLANNED + 'rate = "{rate}"\n',
    "blended": PLANNED + 'variable_share = "{rate}"\n',
    "aligned_payment": PLANNED + 'variable_share = "{rate}"\nelective = {{}}\nceiling = "10%"\nlow_value_threshold = 20000\n',
    "gain_share": PLANNED + 'saving_paid = "{rate}"\nstop_loss = "10%"\ndiscount = "3%"\n',
    "capitation": 'per_head = 31.5\npopulation = "people.csv"\ncorridor = "5%"\nshare_beyond = "{rate}"\n',
}
OTHERS = {
    "cquin": 'rate = "{rate}"\n',
    "withhold": 'rate = "{rate}"\nachieved = "40%"\n',
    "readmissions": 'elective_share = "{rate}"\nother_share = "25%"\nfile = "readmissions.csv"\n',
    "activity_cap": 'ratio = 1.5\nfirst = {{ pods = ["DC"] }}\n',
    "referral_cap": 'share = "{rate}"\n',
    "sanctions": 'file = "sanctions.csv"\n',
    "outcome": 'at_risk = "{rate}"\nresults = "results.csv"\n',
    "best_practice_adjustment": 'file = "cases.csv"\n',
    "episode_reconciliation": 'saving_paid = "{rate}"\nstop_loss = "5%"\nepisodes = "episodes.csv"\n',
}
FILES = {
    "sums.csv": "commissioner,provider,financial_year,pounds\nXC1,XP1,2024-25,30000\nXC2,,2024-25,45000.55\n",
    "people.csv": "commissioner,registered\nXC1,900\nXC2,1100\n",
    "readmissions.csv": "commissioner,provider,financial_year,month,pod,after,pounds\n"
    "XC1,XP1,2024-25,1,NEL,elective,1000.01\nXC2,XP2,2024-25,,NEL,other,77.77\n",
    "sanctions.csv": "commissioner,provider,financial_year,month,sanction,count,amount\nXC1,XP2,2024-25,2,waits,3,250\n",
    "results.csv": "provider,measure,weight,result,benchmark,better\nXP1,gain,100%,0.3,0.4,higher\n"
    "XP2,gain,100%,0.4,0.4,higher\n",
    "cases.csv": "commissioner,provider,financial_year,tariff,expected,actual,best_practice,unit\n"
    "XC1,XP1,2024-25,hip,3,5,1335,0\n",
    "episodes.csv": "commissioner,provider,financial_year,episode,spend,target,cap\nXC1,XP1,2024-25,e1,24000,25000,\n"
    "XC2,XP2,2024-25,e2,29000,25000,27000\n",
}

payments = st.tuples(st.sampled_from(sorted(PAYMENTS)), rates, scopes)
others = st.lists(st.tuples(st.sampled_from(sorted(OTHERS)), rates, scopes), max_size=3)
any_grouping = st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=len(DIMENSIONS), unique=True).map(tuple)
contracts = st.tuples(st.booleans(), payments, others, others, st.booleans())

lines = st.lists(
    st.fixed_dictionaries(
        {
            "commissioner": st.sampled_from(["XC1", "XC2"]),
            "provider": st.sampled_from(["XP1", "XP2"]),
            "pod": st.sampled_from(["DC", "EL", "NEL"]),
            "month": st.integers(1, 3),
            "currency": st.sampled_from(["AA22C", "HN22E", None]),
            "treatment_function": st.sampled_from(["100", "300", None]),
            "gp_practice": st.sampled_from(["G1", "G2", None]),
            "best_practice_pence": st.sampled_from([0, 50, -20]),
            "units": st.integers(1, 5),
            "referral_source": st.sampled_from(["05", "03"]),
            "base_pence": st.integers(0, 10**6),
            "mff_pence": st.sampled_from([0, 333]),
        }
    ),
    min_size=1,
    max_size=20,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("contracts")
    for name, text in FILES.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


def written(name: str, contract: tuple[Any, ...]) -> str:
    priced, payment, before, after, without = contract
    terms = [(kind, OTHERS[kind], rate, scope) for kind, rate, scope in before]
    terms.append((payment[0], PAYMENTS[payment[0]], payment[1], payment[2]))
    terms += [(kind, OTHERS[kind], rate, scope) for kind, rate, scope in after]
    taking_back = [term for term in terms if term[0] == "readmissions"]
    terms = [term for term in terms if term[0] != "readmissions"]
    if taking_back and not (priced or without):  # a file does not say what such models pay for its readmissions
        terms.insert(0, taking_back[0])
    if priced:
        terms.insert(0, ("local_price", 'change = "-1.5%"\n', "", 'pods = ["NEL"]'))
    told = "".join(
        f'[[model.terms]]\nterm = "{kind}"\nsource = "s"\nconfidence = "local"\nscope = {{ {scope} }}\n{text.format(rate=rate)}'
        for kind, text, rate, scope in terms
    )
    paid = "without_best_practice" if without else "episodic"
    return f'[[model]]\nname = "{name}"\ntitle = "{name}"\nper_line = "{paid}"\n{told}'


def settled(folder: Path, priced: pl.DataFrame, drawn: list[tuple[Any, ...]]) -> tuple[Ledger, ...]:
    models = folder / "models.toml"
    body = "".join(written(f"m{number}", contract) for number, contract in enumerate(drawn))
    models.write_text('schema = 1\n[[model]]\nname = "episodic"\ntitle = "Episodic"\n' + body, encoding="utf-8")
    try:
        return settle(gather_cells(priced.lazy(), practice=True), load_models(models), beside=beside(priced))
    except RulesError as refused:
        if not all(any(one in fault.what for one in NO_SHARE_KNOWN) for fault in refused.faults):
            raise
        return reject()


NO_SHARE_KNOWN = ("for more than this term governs", "for several providers together")
"""What terms that take a share of what is paid may say of the terms before them."""


def beside(priced: pl.DataFrame) -> Beside:
    return Beside(referrals=gather_referrals(priced.lazy()))


relaxed = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]
)


@relaxed
@given(
    given_lines=lines, drawn=st.lists(contracts, min_size=1, max_size=3), groupings=st.lists(any_grouping, min_size=2, max_size=2)
)
def test_ledgers_and_bridges_of_any_models_add_up(
    priced_lines: Callable[..., pl.DataFrame],
    folder: Path,
    given_lines: list[dict[str, Any]],
    drawn: list[tuple[Any, ...]],
    groupings: list[tuple[str, ...]],
) -> None:
    priced = priced_lines(*given_lines)
    ledgers = settled(folder, priced, drawn)
    whole = compare_ledgers(ledgers).select("model", "lines", "units", "pence").rows()
    assert whole[0][3] == priced.filter(pl.col("outcome").cast(pl.String) == PRICED)["price_pence"].sum()
    for ledger, (name, _, _, paid) in zip(ledgers, whole, strict=True):
        assert ledger.model.name == name
        assert ledger.frame().collect()["pence"].sum() == paid
    coarse = _causes(bridge_ledgers(ledgers))
    for by in groupings:
        compared = compare_ledgers(ledgers, by)
        summed = compared.group_by("model", maintain_order=True).agg(pl.col("lines", "units", "pence").sum())
        assert summed.rows() == whole
        bridge = bridge_ledgers(ledgers, by)
        assert _causes(bridge) == coarse
        for group in bridge.partition_by([*by, "model"]):
            start, *steps, end = group.sort("step")["pence"].to_list()
            assert start + sum(steps) == end


@relaxed
@given(given_lines=lines, contract=contracts)
def test_what_a_cause_does_alone_and_together_is_the_ledger(
    priced_lines: Callable[..., pl.DataFrame], folder: Path, given_lines: list[dict[str, Any]], contract: tuple[Any, ...]
) -> None:
    """Each cause of the bridge is what its term would do alone; the interaction is all the rest."""
    priced = priced_lines(*given_lines)
    ledgers = settled(folder, priced, [contract])
    causes = dict(bridge_ledgers(ledgers).filter(pl.col("kind") == "cause").select("cause", "pence").iter_rows())
    whole = dict(ledgers[1].terms.group_by("line").agg(pl.col("pence").sum()).iter_rows())
    assert sum(causes.values()) == sum(whole.values())
    own = priced["best_practice_pence"].sum() if ledgers[1].model.per_line == "without_best_practice" else 0
    activity_alone = {"best_practice": -own}
    for term in ledgers[1].model.terms:
        model = ledgers[1].model.model_copy(update={"terms": (term,), "per_line": "episodic"})
        (alone,) = settle(gather_cells(priced.lazy(), practice=True), [model], beside=beside(priced))
        for line, pence in alone.terms.group_by("line").agg(pl.col("pence").sum()).iter_rows():
            activity_alone[line] = activity_alone.get(line, 0) + pence
    expected = {line: pence for line, pence in activity_alone.items() if pence}
    assert {line: pence for line, pence in causes.items() if line != "interaction"} == expected
    assert causes.get("interaction", 0) == sum(whole.values()) - sum(activity_alone.values())


def _causes(bridge: pl.DataFrame) -> dict[tuple[str, str], int]:
    sums = bridge.filter(pl.col("kind") == "cause").group_by("model", "cause").agg(pl.col("pence").sum())
    return {(model, cause): pence for model, cause, pence in sums.iter_rows() if pence}


def test_every_term_is_drawn() -> None:
    assert set(PAYMENTS) | set(OTHERS) | {"local_price"} == set(TERMS)


def test_a_plan_row_beyond_the_scope_is_refused(priced_lines: Callable[..., pl.DataFrame]) -> None:
    cells = gather_cells(priced_lines({"base_pence": 1, "pod": "NEL"}).lazy())
    plan = check_plan(pl.DataFrame({"commissioner": ["XC1"], "financial_year": ["2024-25"], "pence": [5]}))
    with pytest.raises(RulesError, match="covers more than the term, which is for NEL and NELST"):
        settle(cells, load_models("preset:pbr-2010-11"), plan)
