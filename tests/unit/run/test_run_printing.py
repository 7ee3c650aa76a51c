"""What a run prints: counts first, then money, then what to know."""

from __future__ import annotations

from typing import Any

import pytest

from tariff.printing import printed_run


def card(**changes: Any) -> dict[str, Any]:
    rules = [{"rule": "long_stay", "method": "per_day_beyond_trim"}, {"rule": "top_up", "method": "none"}]
    plain = {
        "counts": {"in": 1_234, "priced": 1_230, "excluded": 0, "unpriced": 4, "rejected": 0},
        "reasons": [
            {"reason": "priced", "outcome": "priced", "lines": 1_230, "sentence": "Priced.", "indicative_pence": 0},
            {"reason": "ungrouped", "outcome": "unpriced", "lines": 4, "sentence": "UZ.", "indicative_pence": 150_099},
        ],
        "components": {
            "base_pence": 200_000,
            "short_stay_pence": -12_345,
            "long_stay_pence": 0,
            "top_up_pence": 0,
            "mff_pence": 5,
        },
        "price_pence": 187_660,
        "packs": [{"label": "2017-18", "lines_priced": 1_230, "rules": rules}],
        "assumptions": [],
        "warnings": [],
        "inputs": [{"kind": "admitted"}],
    }
    return plain | changes


def test_counts_come_first_then_money():
    assert printed_run(card()).splitlines() == [
        "         1,234  lines in",
        "         1,230  priced",
        "             0  excluded",
        "             4  unpriced",
        "                  4 ungrouped: UZ. Worth £1,501 if priced.",
        "             0  rejected",
        "",
        "             £2,000.00  base prices",
        "              −£123.45  short-stay reductions",
        "                 £0.00  long-stay payments",
        "                 £0.00  specialised top-ups",
        "                 £0.05  market forces",
        "             £1,876.60  in all, under 2017-18",
        "",
        "Not applied, because rule pack 2017-18 has no figures for it: top up.",
    ]


@pytest.mark.parametrize(
    ("kinds", "items", "told"),
    [
        (["admitted"], 0, "top up, market forces factor."),
        (["admitted"], 3, "top up, unbundled, market forces factor."),
        (["emergency", "outpatient"], 0, "emergency, market forces factor."),
        (["admitted", "unbundled", "emergency"], 0, "top up, emergency, unbundled, market forces factor."),
    ],
)
def test_only_rules_that_concern_the_activity_are_told_as_not_applied(kinds, items, told):
    absent = [{"rule": rule, "method": "none"} for rule in ("top_up", "emergency", "unbundled", "market_forces_factor")]
    packs = [{"label": "2017-18", "lines_priced": 9, "rules": absent}]
    given = card(packs=packs, inputs=[{"kind": kind} for kind in kinds], attached_items={"items": items})
    assert printed_run(given).endswith(f"has no figures for it: {told}")


def test_packs_that_priced_nothing_are_not_named_among_several():
    packs = [{"label": year, "lines_priced": lines, "rules": []} for year, lines in (("2017-18", 0), ("2018-19", 3))]
    assert "in all, under 2018-19" in printed_run(card(packs=packs))
    assert "in all, under no rule pack" in printed_run(card(packs=[]))
    assert "in all, under 2017-18" in printed_run(card(packs=packs[:1]))


def test_pounds_on_weak_figures_are_net_of_reductions():
    resting = [
        {"label": "published", "pence": 900_000},
        {"label": "assumed", "pence": -20_000},
        {"label": "assumed", "pence": 10_000},
        {"label": "proxy", "pence": 5_000},
    ]
    told = "less than published figures, net of reductions: −£100 on assumed figures; £50 on proxy figures."
    assert told in printed_run(card(assumptions=resting))
    assert "Resting" not in printed_run(card(assumptions=resting[:1]))


def test_warnings_come_last():
    warnings = [{"warning": "repeated_key", "lines": 2, "price_pence": 12_050, "sentence": "Twice."}]
    assert printed_run(card(warnings=warnings)).splitlines()[-1] == "Warning: 2 lines worth £121. Twice."
