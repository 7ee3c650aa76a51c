"""The worked lines of every shipped pack come out as they were worked by hand: of the engine and of the reference, every
component, outcome and reason."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tariff.activity import read_activity
from tariff.columns import ADMITTED, EMERGENCY, KINDS, OUTPATIENT, UNBUNDLED, names
from tariff.pricing import price
from tariff.reference import ReferencePack, price_line
from tariff.rulepack import load_pack, shipped_packs
from tariff.rulepack.examples import Example

COLUMNS = dict(zip(KINDS, (ADMITTED, OUTPATIENT, EMERGENCY, UNBUNDLED), strict=True))
EXPECTED = {
    "base": "base_pence",
    "short_stay": "short_stay_pence",
    "long_stay": "long_stay_pence",
    "top_up": "top_up_pence",
    "market_forces": "mff_pence",
    "price": "price_pence",
}


def write_activity(path: Path, kind: str, examples: Iterable[Example]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, names(COLUMNS[kind]), restval="")
        writer.writeheader()
        writer.writerows(dict(example.activity) for example in examples)
    return path


def told(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[column] for name, column in EXPECTED.items()} | {"outcome": line["outcome"], "reason": line["reason"]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", shipped_packs(), ids=lambda path: path.name)
def test_worked_lines_come_out_as_worked(path: Path, kind: str, tmp_path: Path) -> None:
    pack = load_pack(path)
    examples = [example for example in pack.examples if example.kind == kind]
    expected = {example.name: {**example.expected, "outcome": example.outcome, "reason": example.reason} for example in examples}
    activity = read_activity(write_activity(tmp_path / f"{kind}.csv", kind, examples), kind).collect()
    by_engine = price(activity, pack).collect().to_dicts()
    rules = ReferencePack.from_plain(pack.plain())
    by_reference = [price_line(kind, line, rules) for line in activity.iter_rows(named=True)]
    assert examples
    assert {example.name: told(line) for example, line in zip(examples, by_reference, strict=True)} == expected
    assert {example.name: told(line) for example, line in zip(examples, by_engine, strict=True)} == expected
