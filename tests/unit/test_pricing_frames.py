"""A frame is priced as it stands, or refused: nothing in it is rounded or taken for what it may mean."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

import tariff
from tariff.errors import ActivityError, UsageError
from tariff.rulepack import RulePack, load_pack

SPELL = pl.DataFrame(
    {
        "spell_id": ["S1"],
        "provider": ["ZZB"],
        "commissioner": ["99A"],
        "admission_date": [date(2017, 6, 20)],
        "discharge_date": [date(2017, 6, 30)],
        "admission_method": ["11"],
        "patient_classification": ["3"],
        "age": [60],
        "hrg": ["HN22E"],
        "local_price": [12_345],
    }
)


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return load_pack("example")


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("local_price", 123.45, "'local_price' is of type Float64; whole numbers of pence are needed"),
        ("local_price", "123.45", "'local_price' is of type String; whole numbers of pence are needed"),
        ("age", 18.9, "'age' is of type Float64; whole numbers are needed"),
        ("age", True, "'age' is of type Boolean; whole numbers are needed"),
        ("admission_date", "2017-06-20", "'admission_date' is of type String; dates are needed"),
        ("admission_date", datetime(2017, 6, 20), "dates are needed"),
        ("hrg", 22, "'hrg' is of type Int64; texts are needed"),
    ],
)
def test_a_column_of_another_type_is_refused(pack: RulePack, column: str, value: object, says: str) -> None:
    frame = SPELL.with_columns(pl.Series(column, [value]))
    for refused in (lambda: tariff.price(frame, pack), lambda: tariff.totals(frame, pack)):
        with pytest.raises(ActivityError, match=says):
            refused()
    with pytest.raises(ActivityError, match=says):
        frame.select(tariff.price_expression(pack, frame.columns))


def test_whole_numbers_of_any_width_and_coded_texts_will_do(pack: RulePack) -> None:
    expected = tariff.price(SPELL, pack).collect()
    assert expected["price_pence"].to_list() == [12_345]
    coded = SPELL.with_columns(pl.col("hrg").cast(pl.Categorical), pl.col("age").cast(pl.UInt8), sex=pl.lit(None, pl.Null))
    assert tariff.price(coded, pack).collect().equals(expected)


def test_labels_in_one_text_are_parted_by_commas_as_on_the_command_line(pack: RulePack) -> None:
    for confidence, expected in (("published,local", "priced"), (["published", "local"], "priced"), ("published", "confidence")):
        assert tariff.price(SPELL, pack, confidence=confidence).collect()["reason"].to_list() == [expected]


def test_files_of_evidence_are_to_be_read_first(pack: RulePack) -> None:
    with pytest.raises(UsageError, match=r"a list was given\n.*give tariff.read_evidence of the files"):
        tariff.price(SPELL, pack, evidence=["audit.csv"])  # type: ignore[arg-type]


def test_dates_are_strict_or_ignored_and_nothing_else(pack: RulePack) -> None:
    late = SPELL.with_columns(discharge_date=date(2019, 6, 20))
    reasons = [tariff.price(late, pack, dates=dates).collect()["reason"].item() for dates in ("strict", "ignore")]
    assert reasons == ["outside_pack_dates", "priced"]
    with pytest.raises(UsageError, match="did you mean 'strict'"):
        tariff.price(late, pack, dates="Strict")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'maybe' is none of strict, ignore"):
        tariff.price_expression(pack, late.columns, dates="maybe")  # type: ignore[arg-type]
