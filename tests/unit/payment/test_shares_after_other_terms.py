"""CQUIN, withholds and outcomes take a share of what a contract pays after the terms before them: of all that these pay for what
the share governs, and of nothing else. Where that cannot be told, they are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tariff.errors import RulesError
from tariff.payment import gather_cells, load_models, read_plan, settle

TERM = '[[model.terms]]\nterm = "{kind}"\nsource = "s"\nconfidence = "local"\n{more}\n'
FILES = {
    "goals.csv": "provider,goal,weight,achieved\nXP1,staff,100%,0%\nXP2,staff,100%,0%\n",
    "results.csv": "provider,measure,weight,result,benchmark,better\nXP1,m,100%,0,1,higher\nXP2,m,100%,0,1,higher\n",
    "people.csv": "commissioner,registered\nXC1,100\n",
}
CQUIN = 'rate = "10%"\n'
WITHHOLD = 'rate = "10%"\nachieved = "0%"\n'
OUTCOME = 'at_risk = "10%"\nresults = "results.csv"\n'
CAPITATION = ("capitation", 'per_head = "10"\npopulation = "people.csv"')


@pytest.fixture
def shares_paid(tmp_path: Path, priced_lines: Callable[..., pl.DataFrame]) -> Callable[..., int]:
    """The pence of the last of some terms, of £1,100 of emergencies and £500 of day cases."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    def paid(plan: str, *terms: tuple[str, str], second: str = "XP1") -> int:
        priced = priced_lines(
            {"provider": "XP1", "pod": "NEL", "base_pence": 1_100_00, "commissioner": "XC1"},
            {"provider": second, "pod": "DC", "base_pence": 500_00, "commissioner": "XC1"},
        )
        (tmp_path / "plan.csv").write_text(f"commissioner,provider,pod,financial_year,pounds\n{plan}", encoding="utf-8")
        told = "".join(TERM.format(kind=kind, more=more) for kind, more in terms)
        (tmp_path / "m.toml").write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{told}', encoding="utf-8")
        (ledger,) = settle(gather_cells(priced.lazy()), load_models(tmp_path / "m.toml"), read_plan(tmp_path / "plan.csv"))
        return int(ledger.terms.filter(pl.col("line") == terms[-1][0])["pence"].sum())

    return paid


YEAR = "2024-25"
WHOLE = f"XC1,XP1,,{YEAR},1000\n"
BY_POD = f"XC1,XP1,NEL,{YEAR},700\nXC1,XP1,DC,{YEAR},300\n"
NEL = 'scope = { pods = ["NEL"] }'


@pytest.mark.parametrize(
    ("plan", "first", "last", "pounds"),
    [
        (WHOLE, ("block", ""), ("cquin", CQUIN), 100),
        (BY_POD, ("block", ""), ("cquin", CQUIN + NEL), 70),
        (BY_POD, ("block", ""), ("cquin", CQUIN + 'scope = { pods = ["DC"] }'), 30),
        (BY_POD, ("block", ""), ("withhold", WITHHOLD + NEL), -70),
        (BY_POD, ("block", ""), ("outcome", OUTCOME + NEL), -70),
        # a block of emergencies alone, whose lines name the contract and no point of delivery
        (WHOLE, ("block", NEL + '\nagainst = "plan.csv"'), ("withhold", WITHHOLD + NEL), -100),
        (WHOLE, ("block", NEL + '\nagainst = "plan.csv"'), ("withhold", WITHHOLD), -150),
        (WHOLE, ("block", NEL + '\nagainst = "plan.csv"'), ("withhold", WITHHOLD + 'scope = { pods = ["DC"] }'), -50),
        (WHOLE, CAPITATION, ("cquin", CQUIN), 100),
    ],
)
def test_a_share_is_of_what_the_terms_before_pay(shares_paid, plan, first, last, pounds):
    assert shares_paid(plan, first, last) == pounds * 100


@pytest.mark.parametrize("last", [("cquin", CQUIN), ("withhold", WITHHOLD), ("outcome", OUTCOME)])
@pytest.mark.parametrize("scope", [NEL, 'scope = { hrgs = ["A"] }', "scope = { months = [1] }"])
def test_a_payment_for_more_than_the_share_governs_is_refused(shares_paid, last, scope):
    with pytest.raises(RulesError) as refused:
        shares_paid(WHOLE, ("block", ""), (last[0], last[1] + scope))
    assert "for more than this term governs" in refused.value.faults[0].what
    assert "m.toml" in refused.value.faults[0].where


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (("cquin", CQUIN + 'goals = "goals.csv"'), "goals are met provider by provider"),
        (("withhold", 'rate = "10%"\ngoals = "goals.csv"'), "goals are met provider by provider"),
        (("outcome", OUTCOME), "results are measured provider by provider"),
    ],
)
@pytest.mark.parametrize("first", [CAPITATION, ("block", "")])
def test_what_several_providers_are_paid_together_is_of_no_provider_that_could_meet_a_goal(shares_paid, first, last, told):
    with pytest.raises(RulesError) as refused:
        shares_paid(f"XC1,,,{YEAR},1000\n", first, last, second="XP2")
    assert told in refused.value.faults[0].what


@pytest.mark.parametrize(("last", "pounds"), [(("cquin", CQUIN + 'goals = "goals.csv"'), 0), (("outcome", OUTCOME), -100)])
def test_what_each_provider_is_paid_hangs_on_its_own_goals(shares_paid, last, pounds):
    plan = f"XC1,XP1,,{YEAR},600\nXC1,XP2,,{YEAR},400\n"
    assert shares_paid(plan, ("block", ""), last, second="XP2") == pounds * 100


HUGE = "99999999999999999999"
SANCTIONS = "commissioner,provider,financial_year,sanction,count,amount\n"
RESULTS = "provider,measure,weight,result,benchmark,better\n"


@pytest.mark.parametrize(
    ("term", "more", "files", "where"),
    [
        ("sanctions", 'file = "f.csv"', f"{SANCTIONS}XC1,XP1,{YEAR},a,{HUGE},1\n", "f.csv:2"),
        ("sanctions", 'file = "f.csv"', f"{SANCTIONS}XC1,XP1,{YEAR},a,1,{HUGE}\n", "f.csv:2"),
        ("capitation", 'per_head = "1"\npopulation = "f.csv"', f"commissioner,registered\nXC1,{HUGE}\n", "f.csv:2"),
        ("capitation", f'per_head = "{HUGE}"\npopulation = "people.csv"', "", "m.toml"),
        ("local_price", 'prices = "f.csv"', f"pod,price\nNEL,{HUGE}\n", "f.csv:2"),
        ("local_price", f'change = "{HUGE}%"', "", "m.toml"),
        ("outcome", 'at_risk = "1%"\nresults = "f.csv"', f"{RESULTS}XP1,m,100%,{HUGE},1,higher\n", "f.csv:2"),
    ],
)
def test_figures_that_cannot_be_meant_are_refused_where_they_stand(shares_paid, tmp_path, term, more, files, where):
    (tmp_path / "f.csv").write_text(files, encoding="utf-8")
    with pytest.raises(RulesError) as refused:
        shares_paid(WHOLE, (term, more))
    assert where in refused.value.faults[0].where
    assert "is more than" in refused.value.faults[0].what


def test_a_payment_that_cannot_be_meant_is_refused(shares_paid, tmp_path):
    (tmp_path / "f.csv").write_text("commissioner,registered\nXC1,1000000000\n", encoding="utf-8")
    with pytest.raises(RulesError) as refused:
        shares_paid(WHOLE, ("capitation", 'per_head = "10000000000"\npopulation = "f.csv"'))
    assert "comes to more than £100,000,000,000,000" in refused.value.faults[0].what
