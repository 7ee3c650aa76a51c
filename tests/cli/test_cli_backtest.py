"""`tariff backtest` tells every line that changed between two runs, by cause, and what each cause is worth."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

BEFORE = [{"patient_id": "P943", "spell_id": f"S{number}"} for number in range(1, 9)]


@pytest.fixture
def priced(tariff, spells):
    """Price some spells as a run of a name; returns its name."""

    def run(name: str, *changes: dict[str, str], options: tuple[str, ...] = ("--rules", "example")) -> str:
        file = spells(*changes, name=f"{name.partition('.')[0]}.csv")
        assert tariff("price", file, *options, "--out", name).code == 0
        return name

    return run


def test_nothing_changed(tariff, priced):
    before, after = priced("one", *BEFORE), priced("two.parquet", *BEFORE)
    done = tariff("backtest", before, after, "--out", "changed.csv")
    assert done.code == 0
    assert "No line changed." in done.out
    assert pl.read_csv("changed.csv").height == 0


def test_each_change_has_its_cause(tariff, priced):
    changed = [dict(row) for row in BEFORE[1:]]
    changed[0] |= {"discharge_date": ""}
    changed[1] |= {"discharge_date": "2017-09-30"}
    changed[2] |= {"treatment_function": "100"}
    changed[3] |= {"provider": "ZZA"}
    before, after = priced("one.parquet", *BEFORE), priced("two", *changed, {"spell_id": "S99"}, {"spell_id": "S99"})
    done = tariff("backtest", before, after, "--out", "changed.parquet")
    rows = pl.read_parquet("changed.parquet")
    causes = {(row["provider"], row["line_id"], row["occurrence"]): row["cause"] for row in rows.iter_rows(named=True)}
    assert done.code == 5
    assert causes == {
        ("ZZB", "S1", 0): "gone",
        ("ZZB", "S2", 0): "reason_changed",
        ("ZZB", "S3", 0): "price_changed",
        ("ZZB", "S4", 0): "detail_changed",
        ("ZZB", "S5", 0): "gone",
        ("ZZA", "S5", 0): "new",
        ("ZZB", "S99", 0): "new",
        ("ZZB", "S99", 1): "new",
    }
    (stay,) = rows.filter(pl.col("line_id") == "S3").iter_rows(named=True)
    assert stay["components_changed"] == "long_stay;mff"
    assert stay["price_pence_after"] > stay["price_pence_before"] == 630_000
    totals = [pl.read_parquet(path)["price_pence"].sum() for path in ("one.parquet", "two/priced/part-00001.parquet")]
    assert rows["price_difference_pence"].sum() == totals[1] - totals[0]
    parts = [f"{name}_difference_pence" for name in ("base", "short_stay", "long_stay", "top_up", "mff")]
    assert rows.select(pl.sum_horizontal(parts)).to_series().equals(rows["price_difference_pence"], check_names=False)
    for told in ("2  gone", "3  new", "1  reason_changed", "1  price_changed", "long stay: 1 lines", "1  detail_changed"):
        assert told in done.out
    assert "P943" not in done.out + done.err
    assert "patient_id" not in rows.columns


def test_another_pack(tariff, priced, folder):
    (folder / "mine").mkdir()
    (folder / "mine/overlay.toml").write_text('[overlay]\nname = "mine"\nnote = "for a test"\n', encoding="utf-8")
    text = "provider,name,mff,source,confidence\nZZA,Another,1.100000,a test,local\n"
    (folder / "mine/mff.csv").write_text(text, encoding="utf-8")
    before = priced("one.parquet", *BEFORE)
    after = priced("two.parquet", *BEFORE, options=("--rules", "example", "--overlay", "mine"))
    done = tariff("backtest", before, after)
    assert done.code == 5
    assert "8  pack_changed" in done.out
    assert "Rule pack example+mine was used in the second run only." in done.out


def test_what_is_no_run(tariff, spells, priced):
    before = priced("one.parquet")
    assert tariff("backtest", before, "nowhere").code == 3
    assert tariff("backtest", before, spells(name="not_priced.parquet")).code == 3
    Path("there.csv").write_text("kept")
    assert tariff("backtest", before, before, "--out", "there.csv").code == 6
    assert Path("there.csv").read_text() == "kept"
