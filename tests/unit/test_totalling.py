"""Totals of activity are the sums of its priced lines: of every kind, from frames and from files, to the penny."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import tariff
from tariff.activity.reading import activity_to_price
from tariff.errors import UsageError
from tariff.pricing import price
from tariff.rulepack import RulePack, find_overlay, load_pack
from tariff.synthetic import activity
from tariff.totalling import KEYS, SUMS

BY = ("commissioner", "provider", "pod", "month", "currency", "reason")


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return load_pack("example")


def by_lines(lines: pl.LazyFrame | pl.DataFrame, rules: RulePack | list[RulePack], by: tuple[str, ...]) -> pl.DataFrame:
    priced = price(lines, rules).collect()
    return (
        priced.group_by(by)
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            (pl.col("outcome") == "priced").sum().cast(pl.Int64).alias("priced_lines"),
            *(pl.col(name).sum().cast(pl.Int64) for name in SUMS),
        )
        .sort(by, nulls_last=True)
    )


@pytest.mark.parametrize("kind", ["admitted", "outpatient", "emergency", "unbundled"])
def test_totals_are_the_sums_of_the_lines(kind: str, pack: RulePack) -> None:
    lines = activity(kind, 400, 7, pack=pack)
    for by in (BY, KEYS, ("provider",)):
        assert tariff.totals(lines, pack, by).equals(by_lines(lines, pack, by))


def test_one_column_may_be_given_by_its_name(pack: RulePack) -> None:
    lines = activity("admitted", 100, 7, pack=pack)
    assert tariff.totals(lines, pack, "pod", sums="price_pence").equals(tariff.totals(lines, pack, ["pod"], sums=["price_pence"]))
    assert price(lines, pack, columns="price_pence").collect().equals(price(lines, pack, columns=["price_pence"]).collect())


def test_each_line_under_the_pack_of_its_own_date() -> None:
    packs = [load_pack("2017-18"), load_pack("2018-19")]
    lines = pl.concat([activity("admitted", 200, 3, pack=pack) for pack in packs], how="diagonal")
    by = ("pack", "financial_year", "provider", "outcome")
    found = tariff.totals(lines, packs, by)
    assert found.equals(by_lines(lines, packs, by))
    assert {"2017-18", "2018-19"} <= set(found["pack"])


def test_files_give_the_same_whatever_their_codes_look_like(pack: RulePack, tmp_path: Path) -> None:
    lines = activity("outpatient", 100, 5, pack=pack).drop("local_price")
    untidy = lines.with_columns(pl.col("provider", "attended").map_elements(lambda code: f" {code.lower()} ", pl.String))
    untidy.write_csv(tmp_path / "untidy.csv")
    lines.write_parquet(tmp_path / "tidy.parquet")
    expected = by_lines(lines, pack, BY)
    assert tariff.totals(tmp_path / "tidy.parquet", pack, BY).equals(expected)
    assert tariff.totals(str(tmp_path / "untidy.csv"), pack, BY).equals(expected)


CODES = ("provider", "commissioner", "hrg", "admission_method", "grouping_method")


@pytest.fixture
def untidy(tmp_path: Path) -> Path:
    lines = activity("admitted", 400, 5, pack=load_pack("2024-25")).drop("local_price")
    spoiled = lines.with_columns(pl.col(CODES).map_elements(lambda code: f"{code.lower()} ", pl.String))
    spoiled.write_parquet(tmp_path / "untidy.parquet")
    return tmp_path / "untidy.parquet"


@pytest.mark.parametrize("confidence", [None, ["published", "illustrative"], ["published"]])
def test_labels_are_found_whatever_the_codes_look_like(confidence: list[str] | None, untidy: Path) -> None:
    pack, by = load_pack("2024-25", (find_overlay("demonstration-2024-25"),)), ("provider", "currency", "reason")
    priced = price(untidy, pack, confidence=confidence).collect()
    sums = (pl.len().cast(pl.Int64).alias("lines"), pl.col("price_pence").sum())
    expected = priced.group_by(by).agg(*sums).sort(by, nulls_last=True)
    found = tariff.totals(untidy, pack, by, sums=["price_pence"], confidence=confidence)
    assert found.drop("priced_lines").equals(expected)
    few = price(untidy, pack, confidence=confidence, columns=["reason", "price_pence", "reason"]).collect()
    assert few.equals(priced.select("reason", "price_pence"))


def test_a_row_of_totals_and_a_cell_that_cannot_be_read_are_told(pack: RulePack, tmp_path: Path) -> None:
    lines = activity("outpatient", 30, 5, pack=pack).drop("local_price").head(3).cast({"age": pl.String})
    spoiled = lines.with_columns(attendance_id=pl.Series(["A1", "Grand total", "A3"]), age=pl.Series(["forty", "40", "40"]))
    spoiled.write_csv(tmp_path / "spoiled.csv")
    reasons = tariff.totals(tmp_path / "spoiled.csv", pack, ["reason"])["reason"].to_list()
    assert {"unreadable_number", "missing_identifier"} <= set(reasons)


def test_no_lines_have_no_cells(pack: RulePack) -> None:
    lines = activity("outpatient", 30, 5, pack=pack).clear()
    found = tariff.totals(lines, pack)
    assert found.height == 0
    assert found.columns == ["commissioner", "provider", "pod", "lines", "priced_lines", *SUMS]


@pytest.mark.parametrize(("by", "sums"), [(["patient_id"], SUMS), (["provider"], ["price"])])
def test_what_cannot_be_summed_is_refused_with_a_hint(by: list[str], sums: list[str], pack: RulePack) -> None:
    with pytest.raises(UsageError) as refused:
        tariff.totals(activity("outpatient", 30, 5, pack=pack), pack, by, sums=sums)
    assert "is none of" in str(refused.value.faults[0])


@pytest.mark.parametrize("identifier", [None, "", "  ", "Total", "\u2003"])
def test_identifiers_are_left_unread_only_where_none_is_missing(identifier: str | None, pack: RulePack, tmp_path: Path) -> None:
    lines = activity("outpatient", 100, 5, pack=pack).drop("local_price")
    spoiled = lines.with_columns(attendance_id=pl.Series([identifier, *lines["attendance_id"][1:]]))
    for name, frame in (("sound", lines), ("spoiled", spoiled)):
        frame.write_parquet(tmp_path / f"{name}.parquet", row_group_size=40)
    assert activity_to_price(tmp_path / "sound.parquet", identifiers=False).identified
    assert not activity_to_price(tmp_path / "spoiled.parquet", identifiers=False).identified
    by = ("provider", "reason")
    assert tariff.totals(tmp_path / "sound.parquet", pack, by).equals(by_lines(lines, pack, by))
    found = tariff.totals(tmp_path / "spoiled.parquet", pack, by)
    assert found.filter(pl.col("reason") == "missing_identifier")["lines"].sum() >= 1
    if identifier != "Total":
        assert found.equals(by_lines(spoiled, pack, by))


def test_admitted_care_is_told_without_its_identifiers(tmp_path: Path) -> None:
    pack = load_pack("2024-25")
    lines = activity("admitted", 200, 5, pack=pack).drop("local_price")
    lines.write_parquet(tmp_path / "a.parquet")
    assert tariff.totals(tmp_path / "a.parquet", pack, BY).equals(by_lines(lines, pack, BY))
