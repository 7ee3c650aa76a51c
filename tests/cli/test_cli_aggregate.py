"""`tariff price --aggregate` writes totals that are exactly those of the lines, and no lines."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from tariff.aggregation import KEYS, SUMS
from tariff.batch import Job, price_files
from tariff.columns import COMPONENTS
from tariff.rulepack import find_pack


@pytest.fixture
def files(folder: Path) -> list[tuple[str | None, Path]]:
    """The worked examples of the example pack, a file for each kind."""
    with (find_pack("example") / "examples.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    made = []
    for kind in ("admitted", "outpatient", "emergency", "unbundled"):
        kept = [{name: value for name, value in row.items() if value} for row in rows if row["kind"] == kind]
        names = list(dict.fromkeys(name for row in kept for name in row if name not in _EXPECTED))
        table = {name: [row.get(name) for row in kept] for name in names}
        pl.DataFrame(table, schema=dict.fromkeys(names, pl.String())).write_parquet(folder / f"{kind}.parquet")
        made.append((kind, folder / f"{kind}.parquet"))
    return made


_EXPECTED = {"example", "kind", "outcome", "reason", "source", "units_priced", "price", "base"}


def of_lines(path: Path) -> pl.DataFrame:
    lines = pl.read_parquet(path).with_columns(pl.col("kind", "pod", "outcome", "reason").cast(pl.String))
    sums = [pl.len().cast(pl.Int64).alias("lines"), *(pl.col(name).sum() for name in SUMS[1:])]
    return lines.group_by(KEYS).agg(sums).sort(KEYS, nulls_last=True)


@pytest.mark.parametrize("rules", ["example", "auto"])
@pytest.mark.parametrize("rows", [3, 500_000])
def test_the_totals_are_those_of_the_lines(files, rules, rows):
    lines = price_files(Job(files, Path("lines.parquet"), rules))
    totals = price_files(Job(files, Path("totals.parquet"), rules, aggregate=True, rows_in_a_part=rows))
    cells = pl.read_parquet("totals.parquet")
    assert cells.equals(of_lines(Path("lines.parquet")))
    assert set(cells["outcome"]) >= ({"priced", "excluded", "unpriced", "rejected"} if rules == "example" else {"unpriced"})
    same = ("inputs", "counts", "reasons", "components", "price_pence", "assumptions", "control_totals")
    assert {name: totals.card[name] for name in same} == {name: lines.card[name] for name in same}
    repeated = [told for told in lines.card["warnings"] if told["warning"] != "repeated_key"]
    assert totals.card["warnings"] == repeated


def test_the_command(tariff, files, listing):
    before = listing()
    done = tariff("price", *(f"{kind}={path}" for kind, path in files), "--rules", "example", "--aggregate", "--out", "t.parquet")
    assert done.code == 0, done.err
    assert sorted(set(listing()) - set(before)) == ["t.parquet", "t.run_card.json"]
    card = json.loads(Path("t.run_card.json").read_text(encoding="utf-8"))
    cells = pl.read_parquet("t.parquet")
    assert card["options"]["aggregate"] is True
    assert (cells["lines"].sum(), cells["price_pence"].sum()) == (card["counts"]["in"], card["price_pence"])
    assert sum(cells[name].sum() for name in COMPONENTS) == card["price_pence"]
    assert not {"line_id", "patient_id", "gp_practice"} & set(cells.columns)
    assert tariff("compare", "t.parquet", "--models", "preset:episodic", "--out", "report").code == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--out", "folder"], "give NAME.parquet for their totals"),
        (["--dates", "ignore", "--rules", "example", "--out", "t.parquet"], "does not go with dates ignored"),
        (["--resume", "--out", "t.parquet"], "name a folder"),
    ],
)
def test_what_totals_cannot_do(tariff, spells, listing, arguments, told):
    file = spells()
    done = tariff("price", file, "--aggregate", *arguments)
    assert done.code == 2
    assert told in done.err
    assert listing() == ["apc.csv"]


def test_no_lines_give_no_cells(tariff, spells):
    file = spells()
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert tariff("price", file, "--rules", "example", "--aggregate", "--out", "t.parquet").code == 0
    assert pl.read_parquet("t.parquet").shape == (0, len(KEYS) + len(SUMS))
