"""Every worked line of every pack, priced by the engine and by the reference."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tariff.columns import ADMITTED, EMERGENCY, OUTPATIENT, UNBUNDLED, Column
from tariff.money import pence
from tariff.pricing import price
from tariff.reference import ReferencePack, price_line
from tariff.rulepack import RulePack, load_pack, shipped_packs
from tariff.rulepack.examples import Example

CONTRACTS = {"admitted": ADMITTED, "outpatient": OUTPATIENT, "emergency": EMERGENCY, "unbundled": UNBUNDLED}
PACKS = {folder.name: load_pack(folder) for folder in shipped_packs()}
EXAMPLES = [(pack, example) for pack in PACKS.values() for example in pack.examples]


def cell(column: Column, text: str) -> object:
    if not text:
        return None
    if column.dtype == pl.Date:
        return date.fromisoformat(text)
    if column.unit.startswith("pence"):
        return pence(text)
    return text if column.dtype == pl.String else int(text)


def line_of(example: Example) -> dict[str, object]:
    return {column.name: cell(column, example.activity.get(column.name, "")) for column in CONTRACTS[example.kind]}


def outcome_of(found: dict[str, object]) -> dict[str, object]:
    return {
        "base": found["base_pence"],
        "short_stay": found["short_stay_pence"],
        "long_stay": found["long_stay_pence"],
        "top_up": found["top_up_pence"],
        "market_forces": found["mff_pence"],
        "price": found["price_pence"],
        "outcome": found["outcome"],
        "reason": found["reason"],
    }


def expected_of(example: Example) -> dict[str, object]:
    return {**example.expected, "outcome": example.outcome, "reason": example.reason}


@pytest.mark.parametrize(("pack", "example"), EXAMPLES, ids=[f"{pack.label}:{example.name}" for pack, example in EXAMPLES])
def test_worked_line(pack: RulePack, example: Example) -> None:
    line = line_of(example)
    schema = {column.name: column.dtype for column in CONTRACTS[example.kind]}
    by_engine = price(pl.DataFrame([line], schema=schema), pack).collect().row(0, named=True)
    by_reference = price_line(example.kind, line, ReferencePack.from_plain(pack.plain()))
    assert outcome_of(by_engine) == expected_of(example)
    assert outcome_of(by_reference) == expected_of(example)
