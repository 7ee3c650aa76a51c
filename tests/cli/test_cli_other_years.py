"""A file that spans years, and one year's activity under another year's prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from conftest import Spells, Tariff

OLD = {"admission_date": "2018-02-20", "discharge_date": "2018-03-01"}
NEW = {"admission_date": "2018-06-20", "discharge_date": "2018-06-22"}


def test_auto_prices_each_line_by_its_own_pack(tariff: Tariff, spells: Spells) -> None:
    told = tariff("price", spells(OLD, NEW), "--out", "priced.parquet")
    assert told.code == 0
    lines = pl.read_parquet("priced.parquet")
    assert lines["pack"].to_list() == ["2017-18", "2018-19"]
    assert lines["base_pence"].to_list() == [552_800, 559_100]
    assert "coverage" not in json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))


def test_dates_ignored_tells_what_the_other_year_lacks(tariff: Tariff, spells: Spells) -> None:
    """One HRG that only 2017-18 has, one of neither year (FZ99Z), one without a price anywhere (LA97A)."""
    gone = _withdrawn()
    file = spells(OLD, {**OLD, "hrg": gone}, {**OLD, "hrg": gone}, {**OLD, "hrg": "FZ99Z"}, {**OLD, "hrg": "LA97A"})
    told = tariff("price", file, "--rules", "2024-25", "--dates", "ignore", "--overlay", _factors(), "--out", "priced.parquet")
    assert told.code == 0, told.err
    lines = pl.read_parquet("priced.parquet")
    assert lines["reason"].cast(pl.String).to_list()[:4] == ["priced", *["unknown_currency"] * 3]
    coverage = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))["coverage"]
    own = tariff("price", file, "--rules", "2017-18", "--out", "own.parquet")
    assert own.code == 0
    worth = int(pl.read_parquet("own.parquet").filter(pl.col("currency") == gone)["price_pence"].sum())
    assert worth > 0
    assert (coverage["currencies"], coverage["currencies_lacked"]) == (4, 2)
    assert (coverage["lines_lacked"], coverage["lines_valued"], coverage["own_year_pence"]) == (3, 2, worth)
    assert coverage["lacked"][0] == {"kind": "admitted", "currency": gone, "lines": 2, "valued": 2, "own_year_pence": worth}
    assert "has 2 of the 4 HRGs and currencies of this activity." in told.out
    assert "1 of them have no price there either" in told.out


def test_lines_at_a_local_price_lack_nothing(tariff: Tariff, spells: Spells) -> None:
    gone = {**OLD, "hrg": _withdrawn(), "local_price": ""}
    local = {**gone, "local_price": "100"}
    file = spells(gone, local, local, {**OLD, "hrg": "FZ99Z"})
    told = tariff("price", file, "--rules", "2024-25", "--dates", "ignore", "--overlay", _factors(), "--out", "priced.parquet")
    assert told.code == 0, told.err
    coverage = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))["coverage"]
    assert (coverage["lines_lacked"], coverage["lines_valued"]) == (2, 1)
    assert tariff("price", spells(gone, name="one.csv"), "--rules", "2017-18", "--out", "own.parquet").code == 0
    assert coverage["own_year_pence"] == pl.read_parquet("own.parquet")["price_pence"].item()
    assert "1 of them have no price there either" in told.out


def _withdrawn() -> str:
    from tariff.rulepack import load_pack

    later = {row.hrg for row in load_pack("2024-25").admitted}
    return next(row.hrg for row in load_pack("2017-18").admitted if row.hrg not in later and row.combined is not None)


def _factors() -> Path:
    """The provider of the test has no published factor."""
    folder = Path("factors")
    folder.mkdir()
    (folder / "overlay.toml").write_text('[overlay]\nname = "factors"\npacks = ["2024-25"]\n', encoding="utf-8")
    (folder / "mff.csv").write_text("provider,name,mff,source,confidence\nZZB,Invented,1.05,Test,local\n", encoding="utf-8")
    return folder
