from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from tariff.columns import PRICED_LINE, schema


def _line(number: int, given: dict[str, Any]) -> dict[str, Any]:
    """One priced line: whatever is not given is plain, and the price is what the components add to."""
    components = {
        name: given.get(name, 0) for name in ("base_pence", "short_stay_pence", "long_stay_pence", "top_up_pence", "mff_pence")
    }
    plain = {
        "line_id": f"L{number}",
        "kind": "admitted",
        "commissioner": "XC1",
        "provider": "XP1",
        "gp_practice": "G1",
        "activity_date": date(2024, 4, 15),
        "financial_year": "2024-25",
        "month": 1,
        "pod": "DC",
        "setting": "day_case",
        "currency": "AA22C",
        "treatment_function": "100",
        "units": 1,
        "excess_days": 0,
        "mff_millionths": 1_000_000,
        "best_practice_pence": 0,
        "best_practice_at_stake_pence": 0,
        "best_practice_lost_pence": 0,
        "pathway_pence": 0,
        "basis": 0,
        "outcome": "priced",
        "reason": "priced",
        "price_row": 1,
        "top_up_row": 0,
        "best_practice_row": 0,
        "pack": "2024-25",
    }
    return {**plain, **components, "price_pence": sum(components.values()), **given}


@pytest.fixture(scope="session")
def priced_lines() -> Callable[..., pl.DataFrame]:
    def make(*lines: dict[str, Any]) -> pl.DataFrame:
        contract = schema(PRICED_LINE)
        rows = [_line(number, given) for number, given in enumerate(lines)]
        return pl.DataFrame([{name: row.get(name) for name in contract} for row in rows], schema=contract)

    return make
