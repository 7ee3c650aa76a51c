"""Ledgers, comparison and bridge add up, at every level, for any priced lines and any plan; and they agree with a second
settlement in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import combinations
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariff.columns import COMPONENTS, LEDGER, schema
from tariff.comparison import bridge_ledgers, compare_ledgers
from tariff.errors import DisagreementError, UsageError
from tariff.money import half_up
from tariff.payment import NOT_GIVEN, Ledger, Models, check_plan, gather_cells, load_models, settle

MODELS = "preset:episodic,preset:block:unplanned=tariff,preset:cost-and-volume:marginal_rate=33.33%:unplanned=tariff"
RATE = 3_333
DIMENSIONS = ("commissioner", "provider", "pod", "month", "currency")

Line = dict[str, Any]
Plan = dict[str, Any]

lines = st.lists(
    st.fixed_dictionaries(
        {
            "commissioner": st.sampled_from(["XC1", "XC2"]),
            "provider": st.sampled_from(["XP1", "XP2"]),
            "pod": st.sampled_from(["DC", "EL", "NEL"]),
            "month": st.integers(1, 3),
            "currency": st.sampled_from(["AA22C", "HN22E", None]),
            "units": st.integers(1, 5),
            "base_pence": st.integers(0, 10**7),
            "short_stay_pence": st.sampled_from([0, 0, -500]),
            "long_stay_pence": st.sampled_from([0, 0, 22_700]),
            "mff_pence": st.sampled_from([0, 333]),
            "outcome": st.sampled_from(["priced"] * 5 + ["rejected"]),
        }
    ),
    min_size=1,
    max_size=25,
).filter(lambda drawn: any(line["outcome"] == "priced" for line in drawn))
by_contract = st.dictionaries(
    st.tuples(st.sampled_from(["XC1", "XC2"]), st.sampled_from(["XP1", "XP2"])), st.integers(0, 10**7), max_size=4
).map(lambda plan: [{"commissioner": c, "provider": p, "pod": None, "pence": pence} for (c, p), pence in plan.items()])
by_pod = st.dictionaries(
    st.tuples(st.sampled_from(["XC1", "XC2"]), st.sampled_from(["DC", "EL", "AE"])), st.integers(0, 10**7), max_size=5
).map(lambda plan: [{"commissioner": c, "provider": None, "pod": pod, "pence": pence} for (c, pod), pence in plan.items()])
plans = st.one_of(by_contract, by_pod)


def plan_frame(rows: list[Plan]) -> pl.DataFrame:
    contract = {"commissioner": pl.String, "provider": pl.String, "pod": pl.String, "pence": pl.Int64}
    return check_plan(pl.DataFrame(rows, schema=contract).with_columns(pl.lit("2024-25").alias("financial_year")))


def settled(priced: pl.DataFrame, plan: list[Plan], models: str | Models = MODELS) -> tuple[Ledger, ...]:
    return settle(gather_cells(priced.lazy()), load_models(models) if isinstance(models, str) else models, plan_frame(plan))


def twin(priced: pl.DataFrame, plan: list[Plan]) -> dict[str, int]:
    """What each model pays in all, in plain Python."""
    paid = [row for row in priced.to_dicts() if row["outcome"] == "priced"]
    values: dict[int, int] = defaultdict(int)
    outside = 0
    for line in paid:
        matching = [
            number
            for number, row in enumerate(plan)
            if row["commissioner"] == line["commissioner"]
            and row["provider"] in {None, line["provider"]}
            and row["pod"] in {None, line["pod"]}
        ]
        if matching:
            values[matching[0]] += line["price_pence"]
        else:
            outside += line["price_pence"]
    growth = [(values[number], row["pence"]) for number, row in enumerate(plan)]
    return {
        "episodic": sum(line["price_pence"] for line in paid),
        "block": outside + sum(planned for _, planned in growth),
        "cost-and-volume": outside
        + sum(min(value, planned) + half_up(max(0, value - planned) * RATE, 10_000) for value, planned in growth),
    }


relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(given_lines=lines, plan=plans)
def test_models_pay_what_the_plain_twin_says(
    priced_lines: Callable[..., pl.DataFrame], given_lines: list[Line], plan: list[Plan]
) -> None:
    priced = priced_lines(*given_lines)
    compared = compare_ledgers(settled(priced, plan))
    assert dict(compared.select("model", "pence").iter_rows()) == twin(priced, plan)


@relaxed
@given(given_lines=lines, plan=plans)
def test_the_ledger_agrees_with_itself_at_every_level(
    priced_lines: Callable[..., pl.DataFrame], given_lines: list[Line], plan: list[Plan]
) -> None:
    priced = priced_lines(*given_lines)
    ledgers = settled(priced, plan)
    whole = compare_ledgers(ledgers).select("model", "lines", "units", "pence").rows()
    for size in (1, 2, len(DIMENSIONS)):
        for by in combinations(DIMENSIONS, size):
            compared = compare_ledgers(ledgers, by)
            summed = compared.group_by("model", maintain_order=True).agg(pl.col("lines", "units", "pence").sum())
            assert summed.select("model", "lines", "units", "pence").rows() == whole
            assert compared.height == compared.select(by).unique().height * len(ledgers)


@relaxed
@given(given_lines=lines, plan=plans, baseline=st.sampled_from(["episodic", "block", "cost-and-volume"]))
def test_the_bridge_adds_exactly_at_every_level(
    priced_lines: Callable[..., pl.DataFrame], given_lines: list[Line], plan: list[Plan], baseline: str
) -> None:
    ledgers = settled(priced_lines(*given_lines), plan)
    coarse = _causes(bridge_ledgers(ledgers, (), baseline))
    for by in [(), ("commissioner",), ("commissioner", "pod"), DIMENSIONS]:
        bridge = bridge_ledgers(ledgers, by, baseline)
        for group in bridge.partition_by([*by, "model"], maintain_order=True):
            start, *causes, end = group.select("kind", "pence").rows()
            assert (start[0], end[0]) == ("start", "end")
            assert start[1] + sum(pence for _, pence in causes) == end[1]
            assert all(kind == "cause" and pence for kind, pence in causes)
        assert _causes(bridge) == coarse
        ends = bridge.filter(pl.col("kind") == "end").select(*by, "model", "pence")
        compared = compare_ledgers(ledgers, by, baseline).filter(pl.col("model") != baseline).select(*by, "model", "pence")
        assert ends.sort(pl.all(), nulls_last=True).equals(compared.sort(pl.all(), nulls_last=True))


def _causes(bridge: pl.DataFrame) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for model, kind, cause, pence in bridge.select("model", "kind", "cause", "pence").iter_rows():
        sums[(model, cause)] += pence if kind == "cause" else 0
    return Counter({key: pence for key, pence in sums.items() if pence})


@relaxed
@given(given_lines=lines)
def test_a_model_without_terms_pays_the_priced_lines(priced_lines: Callable[..., pl.DataFrame], given_lines: list[Line]) -> None:
    priced = priced_lines(*given_lines)
    (ledger,) = settle(gather_cells(priced.lazy()), load_models("preset:episodic"))
    paid = priced.filter(pl.col("outcome") == "priced")
    lines_of = ledger.frame().collect()
    assert lines_of["pence"].sum() == paid["price_pence"].sum()
    assert lines_of["units"].sum() == paid["units"].sum()
    by_line = dict(lines_of.group_by("line").agg(pl.col("pence").sum()).iter_rows())
    for column, line in zip(COMPONENTS, ("base", "short_stay", "long_stay", "top_up", "market_forces"), strict=True):
        assert by_line.get(line, 0) == paid[column].sum()


def test_a_ledger_keeps_its_contract(priced_lines: Callable[..., pl.DataFrame]) -> None:
    priced = priced_lines({"base_pence": 100_00, "mff_pence": 5_00}, {"base_pence": 70_00, "pod": "NEL", "currency": None})
    plan = [{"commissioner": "XC1", "provider": "XP1", "pod": None, "pence": 150_00}]
    _, block, _ = settled(priced, plan)
    ledger = block.frame().collect()
    assert ledger.schema == schema(LEDGER)
    assert NOT_GIVEN in ledger["currency"].to_list()
    term = ledger.filter(pl.col("line") == "block_above_plan").row(0, named=True)
    assert term == {
        "model": "block",
        "commissioner": "XC1",
        "provider": "XP1",
        "gp_practice": None,
        "financial_year": "2024-25",
        "month": None,
        "pod": None,
        "treatment_function": None,
        "currency": None,
        "line": "block_above_plan",
        "units": 0,
        "pence": -25_00,
    }


def test_the_practice_is_kept_when_asked_for(priced_lines: Callable[..., pl.DataFrame]) -> None:
    priced = priced_lines({"base_pence": 1}, {"base_pence": 2, "gp_practice": "G2"}, {"base_pence": 4, "gp_practice": None})
    ledgers = settle(gather_cells(priced.lazy(), practice=True), load_models("preset:episodic"))
    assert compare_ledgers(ledgers, ["gp_practice"]).select("gp_practice", "pence").rows() == [
        ("G1", 1),
        ("G2", 2),
        (NOT_GIVEN, 4),
    ]
    assert gather_cells(priced.lazy()).height == 1


def test_groups_come_in_order_and_models_as_given(priced_lines: Callable[..., pl.DataFrame]) -> None:
    priced = priced_lines({"base_pence": 1, "pod": "NEL"}, {"base_pence": 1, "pod": "DC"})
    plan = [{"commissioner": "XC1", "provider": "XP1", "pod": None, "pence": 7}]
    compared = compare_ledgers(settled(priced, plan), ["pod"], baseline="block")
    assert compared.select("pod", "model").rows() == [
        (pod, model) for pod in ("DC", "NEL", None) for model in ("episodic", "block", "cost-and-volume")
    ]
    assert compared.filter(pl.col("model") == "block")["difference_pence"].to_list() == [0, 0, 0]
    assert compared.filter(pl.col("pod").is_null())["difference_pence"].to_list() == [-5, 0, -5]


def test_hrgs_are_told_by_chapter(priced_lines: Callable[..., pl.DataFrame]) -> None:
    codes = ["AA22C", "AB01Z", "HN22E", "WF01A", "DIALYSIS", None]
    priced = priced_lines(*({"base_pence": 10**number, "currency": code} for number, code in enumerate(codes)))
    plan = [{"commissioner": "XC1", "provider": "XP1", "pod": None, "pence": 7}]
    ledgers = settled(priced, plan)
    compared = compare_ledgers(ledgers, ["hrg_chapter"])
    paid = compared.filter(pl.col("model") == "episodic").select("hrg_chapter", "pence").rows()
    assert paid == [("A", 11), ("H", 100), ("W", 1000), ("other currencies", 110_000), (None, 0)]
    causes = bridge_ledgers(ledgers, ["hrg_chapter"]).filter(pl.col("kind") == "cause")
    assert causes["hrg_chapter"].to_list() == [None, None]


def test_one_model_alone_has_no_bridge(priced_lines: Callable[..., pl.DataFrame]) -> None:
    ledgers = settle(gather_cells(priced_lines({"base_pence": 1}).lazy()), load_models("preset:episodic"))
    assert bridge_ledgers(ledgers, ["pod"]).height == 0


@pytest.mark.parametrize(
    ("by", "baseline", "words"),
    [
        (["comissioner"], None, "did you mean 'commissioner'?"),
        (["pod", "pod"], None, "twice"),
        ([], "blok", "known: episodic, block, cost-and-volume"),
    ],
)
def test_questions_that_cannot_be_answered(
    priced_lines: Callable[..., pl.DataFrame], by: list[str], baseline: str | None, words: str
) -> None:
    ledgers = settled(priced_lines({"base_pence": 1}), [])
    with pytest.raises(UsageError) as caught:
        compare_ledgers(ledgers, by, baseline)
    assert words in str(caught.value)


def test_components_that_do_not_add_are_refused(priced_lines: Callable[..., pl.DataFrame]) -> None:
    priced = priced_lines({"base_pence": 100}).with_columns(price_pence=pl.lit(99, pl.Int64))
    with pytest.raises(DisagreementError, match="components"):
        gather_cells(priced.lazy())


def test_a_plan_for_a_year_with_nothing_priced_is_not_paid(priced_lines: Callable[..., pl.DataFrame]) -> None:
    plan = [{"commissioner": "XC1", "provider": "XP1", "pod": None, "pence": 7}]
    ledgers = settled(priced_lines({"outcome": "rejected", "reason": "missing_age"}), plan)
    assert compare_ledgers(ledgers)["pence"].to_list() == [0, 0, 0]
    assert any("left out" in note for note in ledgers[1].notes)
