from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tariff.columns import PLAN, schema
from tariff.errors import RulesError
from tariff.payment import check_plan, gather_cells, load_models, read_plan, settle

HEADER = "commissioner,provider,pod,financial_year,month,pounds"


@pytest.fixture
def plan_file(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: str, header: str = HEADER) -> Path:
        path = tmp_path / "plan.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def refused(path: Path) -> str:
    with pytest.raises(RulesError) as caught:
        read_plan(path)
    return str(caught.value)


def test_a_plan_is_read_exactly(plan_file: Callable[..., Path]) -> None:
    plan = read_plan(plan_file('XC1,XP1,DC,2024-25,3,"1,234.05"', "XC1,XP1,NEL,2024-25,, 10 ", "XC1,XP2,,2024-25,,0"))
    assert plan.schema == schema(PLAN)
    assert plan["pence"].to_list() == [123_405, 1_000, 0]
    assert plan["month"].to_list() == [3, None, None]
    assert plan["pod"].to_list() == ["DC", "NEL", None]


def test_whole_pence_and_parquet_are_read_too(plan_file: Callable[..., Path], tmp_path: Path) -> None:
    path = plan_file("XC1,2024-25,123405", header="Commissioner,Financial_Year,Pence")
    plan = read_plan(path)
    assert plan["pence"].to_list() == [123_405]
    plan.write_parquet(tmp_path / "plan.parquet")
    assert read_plan(tmp_path / "plan.parquet").equals(plan)
    assert check_plan(plan.select("commissioner", "financial_year", "pence")).equals(plan)


def test_faults_of_rows_are_told_by_line_and_at_once(plan_file: Callable[..., Path]) -> None:
    told = refused(
        plan_file("XC1,XP1,DC,2024-25,13,5", ",XP1,DC,2024-25,1,5", "XC1,XP1,EL,2024-25,,12.345", "XC1,XP1,NEL,2024-25,,")
    )
    assert "4 faults" in told
    assert "plan.csv:2: month: 13 is not 1 (April) to 12 (March)" in told
    assert "plan.csv:3: commissioner is blank" in told
    assert "plan.csv:4: pounds: '12.345' has more than 2 decimal places" in told
    assert "plan.csv:5: pounds is blank" in told


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("XC1,XP1,DC,2024-25,1,-5", "plan.csv:2: pounds: '-5' is negative"),
        ("XC1,XP1,QQ,2024-25,1,5", "plan.csv:2: pod: 'QQ' is not a point of delivery"),
        ("XC1,XP1,OPPROCFAA,2024-25,1,5", "did you mean 'OPPROC"),
        ("XC1,XP1,DC,2024-25,1,5,more", "plan.csv:2: has a cell in a column without a heading"),
    ],
)
def test_what_no_plan_holds_is_refused(plan_file: Callable[..., Path], row: str, told: str) -> None:
    assert told in refused(plan_file(row))


def test_negative_units_and_plans_made_elsewhere_are_refused_too(plan_file: Callable[..., Path]) -> None:
    assert "units: '-3' is negative" in refused(plan_file("XC1,2024-25,5,-3", header="commissioner,financial_year,pounds,units"))
    made = pl.DataFrame({"commissioner": ["XC1"], "financial_year": ["2024-25"], "pod": ["DC"], "pence": [5]})
    for wrong, told in ((pl.lit("QQ").alias("pod"), "'QQ' is not a point"), (-pl.col("pence"), "1 rows have negative pence")):
        with pytest.raises(RulesError, match=told):
            check_plan(made.with_columns(wrong))


def test_a_plan_is_read_as_a_spreadsheet_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    rows = [f"{HEADER},", 'XC1,XP1,DC,2024-25,3,"£1,234.05",', ",,,,,,", "XC1,XP1,NEL,2024-25,,10,", ",,,,,,"]
    path.write_bytes("\r\n".join([*rows, ""]).encode("cp1252"))
    plan = read_plan(path)
    assert plan["pence"].to_list() == [123_405, 1_000]
    path.write_bytes("\r\n".join([*rows, "XC1,XP1,NEL,2024-25,,7,", ""]).encode("cp1252"))
    assert "plan.csv:6: the row (commissioner XC1, financial_year 2024-25, provider XP1, pod NEL) covers what line 4" in refused(
        path
    )
    path.write_text(HEADER.replace(",", ";") + "\nXC1;XP1;DC;2024-25;3;5\n", encoding="utf-8-sig")
    assert read_plan(path)["pence"].to_list() == [500]


def test_faults_of_the_header(plan_file: Callable[..., Path]) -> None:
    told = refused(plan_file("a,b,c", header="comissioner,financial_year,value"))
    assert "did you mean 'commissioner'?" in told
    assert "column 'commissioner' is missing" in told
    assert "neither 'pounds' nor 'pence'" in told
    assert "both 'pounds' and 'pence'" in refused(plan_file("a,b,1,1", header="commissioner,financial_year,pounds,pence"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("XC1,XP1,DC,2024-25,,5", "XC1,XP1,DC,2024-25,,6"),
        ("XC1,XP1,DC,2024-25,,5", "XC1,XP1,,2024-25,,6"),
        ("XC1,,DC,2024-25,,5", "XC1,XP1,,2024-25,4,6"),
        ("XC1,XP1,DC,2024-25,,5", "XC1,XP1,DC,2024-25,2,6"),
    ],
)
def test_rows_that_would_pay_activity_twice_are_refused(plan_file: Callable[..., Path], first: str, second: str) -> None:
    told = refused(plan_file(first, second))
    assert "1 fault" in told
    assert "plan.csv:3:" in told
    assert "what line 2 covers: paid twice" in told


def test_rows_side_by_side_are_not_overlapping(plan_file: Callable[..., Path]) -> None:
    rows = [
        "XC1,XP1,DC,2024-25,1,5",
        "XC1,XP1,DC,2024-25,2,5",
        "XC1,XP1,EL,2024-25,,5",
        "XC1,XP2,,2024-25,,5",
        "XC1,XP1,DC,2023-24,,5",
    ]
    assert read_plan(plan_file(*rows)).height == 5


def test_a_plan_that_cannot_be_read(tmp_path: Path) -> None:
    empty = tmp_path / "plan.csv"
    empty.write_text("", encoding="utf-8")
    assert "cannot be read" in refused(empty)
    assert "cannot be read" in refused(tmp_path / "nowhere.csv")
    broken = tmp_path / "plan.parquet"
    broken.write_bytes(b"PAR1 and no more")
    assert "cannot be read" in refused(broken)


def test_activity_without_a_plan_is_refused_by_name(priced_lines: Callable[..., pl.DataFrame]) -> None:
    lines = priced_lines({"base_pence": 100_00}, {"base_pence": 250_00, "provider": "XP2", "pod": "NEL"})
    cells = gather_cells(lines.lazy())
    plan = pl.DataFrame({"commissioner": ["XC1"], "provider": ["XP1"], "financial_year": ["2024-25"], "pence": [100_00]})
    with pytest.raises(RulesError) as caught:
        settle(cells, load_models("preset:episodic,preset:block"), check_plan(plan))
    told = str(caught.value)
    assert "model 'block': the plan has no row for commissioner XC1, provider XP2, 2024-25: 1 lines worth £250.00 (NEL)" in told
    assert "XP1" not in told


def test_activity_without_a_plan_is_paid_at_tariff_where_the_term_says_so(priced_lines: Callable[..., pl.DataFrame]) -> None:
    lines = priced_lines({"base_pence": 100_00}, {"base_pence": 250_00, "provider": "XP2", "pod": "NEL"})
    plan = pl.DataFrame({"commissioner": ["XC1"], "provider": ["XP1"], "financial_year": ["2024-25"], "pence": [40_00]})
    (ledger,) = settle(gather_cells(lines.lazy()), load_models("preset:block:unplanned=tariff"), check_plan(plan))
    assert ledger.frame().collect()["pence"].sum() == 40_00 + 250_00
    assert ledger.outside_plan == (1, 250_00)


def test_a_model_that_needs_a_plan_is_refused_without_one(priced_lines: Callable[..., pl.DataFrame]) -> None:
    cells = gather_cells(priced_lines({"base_pence": 1}).lazy())
    with pytest.raises(RulesError, match=r"--plan FILE"):
        settle(cells, load_models("preset:block"))


def test_plans_that_do_not_match_the_time_of_the_activity_are_noted(priced_lines: Callable[..., pl.DataFrame]) -> None:
    cells = gather_cells(priced_lines({"base_pence": 100_00}).lazy())
    plan = pl.DataFrame({"commissioner": ["XC1"] * 2, "financial_year": ["2024-25", "2023-24"], "pence": [100_00, 77_00]})
    (ledger,) = settle(cells, load_models("preset:block"), check_plan(plan))
    assert "Plan rows worth £77 are for years with no priced activity and are left out." in ledger.notes
    assert any("covers 1 of 12 months" in note for note in ledger.notes)
    assert ledger.frame().collect()["pence"].sum() == 100_00


def test_a_block_is_paid_where_nothing_was_done(priced_lines: Callable[..., pl.DataFrame]) -> None:
    cells = gather_cells(priced_lines({"base_pence": 100_00}).lazy())
    plan = pl.DataFrame(
        {"commissioner": ["XC1"] * 2, "provider": ["XP1", "XP9"], "financial_year": ["2024-25"] * 2, "pence": [100_00, 9_00]}
    )
    (ledger,) = settle(cells, load_models("preset:block"), check_plan(plan))
    assert ledger.terms.select("provider", "line", "pence").rows() == [("XP9", "block_below_plan", 9_00)]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("XC1,2024-25,5,90000000000000000", "pounds: '90000000000000000' is too large to be meant"),
        ("XC1,2024-25,5,99999999999999999999999", "is too large to be meant"),
        ("XC1,2024-25,99999999999999999999,5", "units: '99999999999999999999' is too large to be meant"),
    ],
)
def test_figures_that_no_plan_has_are_refused_by_line(tmp_path: Path, row: str, told: str) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(f"commissioner,financial_year,units,pounds\nXC1,2023-24,1,99999999999.99\n{row}\n", encoding="utf-8")
    with pytest.raises(RulesError) as refused:
        read_plan(path)
    (fault,) = refused.value.faults
    assert fault.where == f"{path}:3"
    assert told in fault.what


@pytest.mark.parametrize("name", ["units", "pence"])
def test_a_frame_with_figures_that_no_plan_has_is_refused(name: str) -> None:
    frame = pl.DataFrame({"commissioner": ["XC1"], "financial_year": ["2024-25"], "units": [1], "pence": [1]})
    with pytest.raises(RulesError, match="the plan cannot be used") as refused:
        check_plan(frame.with_columns(pl.lit(9 * 10**18).alias(name)))
    assert refused.value.faults[0].what == f"1 rows have {name} too large to be meant"
