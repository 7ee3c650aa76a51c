"""The section of pathways: its tables add to the table of pathways, take titles from the run card, and give no small number
away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariff.columns import OWED, PATHWAY, schema
from tariff.pathways.settling import netted
from tariff.report import compare
from tariff.report.pathway_report import PathwayReport
from tariff.report.pathway_section import level_table, owed_table, pathway_figures, pathway_finding, provider_table
from tariff.report.pathway_sheets import pathway_sheets
from tariff.report.suppression import CONFIDENTIAL
from tariff.report.table import Table

Lines = Callable[..., pl.DataFrame]
CARD = {"card": 1, "packs": [{"label": "example", "pathways": [{"name": "hip", "title": "Hip replacement"}]}]}


def formed(*groups: tuple[str, str, str, int, int, int]) -> list[dict[str, Any]]:
    """Pathways: definition, level, lead provider, how many, and of each the bundle's price and its value line by line."""
    return [
        {
            "pathway_id": f"{definition}:{lead}:{level}{number}",
            "definition": definition,
            "level": level,
            "patient_id": f"{lead}{number}",
            "lead_provider": lead,
            "commissioner": "XC1",
            "financial_year": "2024-25",
            "month": 1,
            "price_pence": price,
            "change_pence": price,
            "episodic_pence": episodic,
            "lines": 1,
            "complications": 0,
        }
        for definition, level, lead, count, price, episodic in groups
        for number in range(count)
    ]


def table_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    contract = schema(PATHWAY)
    return pl.DataFrame([{name: row.get(name) for name in contract} for row in rows], schema=contract)


GROUPS = (
    ("hip", "standard", "XP1", 40, 6_000_00, 6_500_00),
    ("hip", "standard", "XP2", 20, 6_000_00, 5_000_00),
    ("hip", "complex", "XP1", 10, 9_000_00, 8_000_00),
    ("hip", "complex", "XP2", 12, 9_000_00, 8_500_00),
    ("eye", "standard", "XP1", 30, 1_000_00, 1_100_00),
    ("eye", "standard", "XP2", 25, 1_000_00, 1_300_00),
)


@pytest.fixture
def pathways() -> pl.DataFrame:
    rows = formed(*GROUPS)
    return table_of([*rows, {**rows[0], "pathway_id": "hip:XP1:flagged", "flag": "death", "price_pence": 0, "change_pence": 0}])


@pytest.fixture
def lines(priced_lines: Lines, pathways: pl.DataFrame) -> pl.DataFrame:
    """The care of each pathway, of XP1's one in three at XP2, and of XP2's every second at XP1."""
    every, other = {"XP1": 3, "XP2": 2}, {"XP1": "XP2", "XP2": "XP1"}
    inside = [
        {
            "provider": other[row["lead_provider"]] if number % every[row["lead_provider"]] == 0 else row["lead_provider"],
            "base_pence": row["episodic_pence"],
            "pathway_id": row["pathway_id"],
            "pathway_pence": row["episodic_pence"],
        }
        for number, row in enumerate(pathways.filter(pl.col("flag").is_null()).to_dicts())
    ]
    return priced_lines(*inside, *({"base_pence": 100_00} for _ in range(9)))


def text_of(table: Table | None) -> dict[str, list[str]]:
    assert table is not None
    return {row[0].text: [cell.text for cell in row[1:]] for row in (*table.rows, table.total)}


def test_the_page_tells_what_pathways_pay_beside_line_by_line(
    lines: pl.DataFrame, pathways: pl.DataFrame, tmp_path: Path
) -> None:
    report = compare(lines, "preset:episodic", pathways=pathways, run_card=CARD)
    text = (report.write(tmp_path / "report", written=date(2026, 11, 22)) / "report.html").read_text(encoding="utf-8")
    found = report.pathway_figures
    assert pathway_finding(found) == "137 pathways of 2 kinds pay £5,500 more than the same care line by line"
    rows = {(row[0].text, row[1].text): [cell.text for cell in row[2:]] for row in level_table(found).rows}
    assert rows == {
        ("Eye", "standard"): ["55", "£65,500", "£55,000", "−£10,500", "£1,000", "£1,191"],
        ("Hip replacement", "complex"): ["22", "£182,000", "£198,000", "+£16,000", "£9,000", "£8,273"],
        ("Hip replacement", "standard"): ["60", "£360,000", "£360,000", "£0", "£6,000", "£6,000"],
    }
    assert text_of(provider_table(found)) == {
        "XP2": ["57", "£234,500", "£253,000", "+£18,500"],
        "XP1": ["80", "£373,000", "£360,000", "−£13,000"],
        "All lead providers": ["137", "£607,500", "£613,000", "+£5,500"],
    }
    for shown in ("of 2 kinds pay", "Hip replacement", "Of 2 lead providers, 1 would gain and 1 would lose", "Leakage: lead"):
        assert shown in text, shown
    assert "[c]</td>" not in text[text.index('id="pathways-heading"') : text.index('id="outcomes-heading"')]


def test_tables_add_to_the_pathways_and_debts_to_the_lines(lines: pl.DataFrame, pathways: pl.DataFrame) -> None:
    found = compare(lines, "preset:episodic", pathways=pathways).pathway_figures
    paid = pathways.filter(pl.col("flag").is_null())
    for rows in (found.levels, found.providers, found.cells):
        assert sum(row["pathways"] for row in rows) == paid.height
        assert sum(row["bundle_pence"] for row in rows) == paid["price_pence"].sum()
        assert sum(row["episodic_pence"] for row in rows) == paid["episodic_pence"].sum()
    leads = dict(paid.select("pathway_id", "lead_provider").rows())
    elsewhere = [row for row in lines.to_dicts() if row["pathway_id"] and row["provider"] != leads[row["pathway_id"]]]
    assert sum(row["lines"] for row in found.balances) == len(elsewhere) > 0
    assert sum(row["owes_pence"] for row in found.balances) == sum(row["price_pence"] for row in elsewhere)
    assert sum(row["is_owed_pence"] for row in found.balances) == sum(row["price_pence"] for row in elsewhere)
    assert sum(row["net_pence"] for row in found.balances) == 0
    first = sum(row["price_pence"] for row in elsewhere if row["provider"] == "XP1")
    (balance,) = (row for row in found.balances if row["provider"] == "XP1")
    assert balance["is_owed_pence"] == first


def test_the_workbook_holds_the_same_figures(lines: pl.DataFrame, pathways: pl.DataFrame, tmp_path: Path) -> None:
    report = compare(lines, "preset:episodic", pathways=pathways, run_card=CARD)
    workbook = report.write(tmp_path / "report") / "report.xlsx"
    paid = pathways.filter(pl.col("flag").is_null())
    for name in ("Pathways", "Pathways by provider", "Pathways level by provider"):
        sheet = pl.read_excel(workbook, sheet_name=name, read_options={"header_row": 3})
        rows = sheet.filter(pl.col(sheet.columns[0]) != "Total")
        assert rows["Pathways"].cast(pl.Int64).sum() == paid.height, name
        assert round(rows["As pathways (£)"].sum() * 100) == paid["price_pence"].sum(), name
        assert round(rows["Difference (£)"].sum() * 100) == (paid["price_pence"] - paid["episodic_pence"]).sum(), name
    debts = pl.read_excel(workbook, sheet_name="Who owes whom", read_options={"header_row": 3})
    owed = pl.read_excel(workbook, sheet_name="Pathways owed", read_options={"header_row": 3}).filter(
        pl.col("Provider") != "Total"
    )
    assert round(debts["Owes (£)"].sum() * 100) == round(owed["Owes (£)"].sum() * 100) > 0
    assert round(debts["Net (£)"].sum() * 100) == 0


def test_no_section_where_there_are_no_pathways(priced_lines: Lines, tmp_path: Path) -> None:
    report = compare(priced_lines(*({"base_pence": 1_00} for _ in range(20))), "preset:episodic")
    folder = report.write(tmp_path / "report")
    assert "pathways-heading" not in (folder / "report.html").read_text(encoding="utf-8")
    assert list(pathway_sheets(report.pathway_figures)) == []


def test_pathways_beside_files_are_told_and_who_owes_is_as_the_run_told_it(
    lines: pl.DataFrame, pathways: pl.DataFrame, tmp_path: Path
) -> None:
    lines.write_parquet(tmp_path / "priced.parquet")
    pathways.write_parquet(tmp_path / "priced.pathways.parquet")
    by_lines = compare(tmp_path / "priced.parquet", "preset:episodic").pathway_figures
    assert by_lines.total["pathways"] == 137
    told = pl.DataFrame(
        [("hip", "XP1", "XP2", 9, 77_00, 77_00), ("hip", "XP2", "XP1", 0, 0, -77_00)], schema=schema(OWED), orient="row"
    )
    told.write_parquet(tmp_path / "priced.pathways_owed.parquet")
    as_told = compare(tmp_path / "priced.parquet", "preset:episodic").pathway_figures
    assert [(row["provider"], row["net_pence"]) for row in as_told.balances] == [("XP2", 77_00), ("XP1", -77_00)]


def test_what_a_later_run_tells_of_a_pathway_replaces_what_the_earlier_told(lines: pl.DataFrame, pathways: pl.DataFrame) -> None:
    again = pathways.head(1).with_columns(price_pence=pl.lit(7_000_00, pl.Int64), change_pence=pl.lit(1_000_00, pl.Int64))
    both = pl.concat([pathways, again])
    found = pathway_figures(lines.lazy(), both, None, (), suppress=True)
    assert found.total["pathways"] == 137
    assert found.total["bundle_pence"] == both["change_pence"].sum()


def test_small_numbers_are_hidden_unless_they_are_asked_for(priced_lines: Lines) -> None:
    few = table_of(
        formed(
            ("hip", "standard", "XP1", 50, 6_000_00, 6_500_00),
            ("hip", "standard", "XP2", 20, 6_000_00, 5_000_00),
            ("hip", "standard", "XP3", 3, 6_000_00, 1_234_00),
        )
    )
    lines = priced_lines().lazy()
    found = pathway_figures(lines, few, None, (), suppress=True)
    shown = text_of(provider_table(found))
    assert shown["XP3"] == ["[c]"] * 4
    assert shown["XP2"] == ["[c]"] * 4, "or XP3 could be found by subtraction"
    assert shown["XP1"] == ["50", "£325,000", "£300,000", "−£25,000"]
    assert shown["All lead providers"][0] == "73"
    assert [row[0].text for row in provider_table(found).rows] == ["XP1", "XP2", "XP3"], "hidden ones last, by name"
    assert "gain and" not in provider_table(found).finding
    printed = str([sheet.rows for sheet in pathway_sheets(found)])
    assert "3702" not in printed
    assert "3702.0" in str([sheet.rows for sheet in pathway_sheets(pathway_figures(lines, few, None, (), suppress=False))])


def test_so_few_pathways_that_even_their_sum_is_hidden(priced_lines: Lines) -> None:
    few = table_of(formed(("hip", "standard", "XP1", 4, 6_000_00, 6_500_00)))
    found = pathway_figures(priced_lines().lazy(), few, None, (), suppress=True)
    assert pathway_finding(found) == "Pathways"
    for table in (level_table(found), provider_table(found)):
        assert not any(character.isdigit() for row in (*table.rows, table.total) for cell in row[1:] for character in cell.text)
    assert owed_table(found) is None


debts = st.dictionaries(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCD")).filter(lambda pair: pair[0] != pair[1]),
    st.one_of(st.integers(1, 9), st.integers(1, 80)),
    min_size=1,
)


@given(debts)
@settings(max_examples=60, deadline=None)
def test_no_small_debt_is_told_nor_its_other_side(table: dict[tuple[str, str], int]) -> None:
    gross = pl.DataFrame(
        [("hip", debtor, creditor, count, count * 100) for (debtor, creditor), count in table.items()],
        schema={"definition": pl.String, "debtor": pl.String, "creditor": pl.String, "lines": pl.Int64, "pence": pl.Int64},
        orient="row",
    )
    few = table_of(formed(("hip", "standard", "A", 50, 1, 1)))
    found = pathway_figures(pl.LazyFrame(), few, netted(gross), (), suppress=True)
    sheets = {sheet.name: sheet.rows for sheet in pathway_sheets(found)}
    for debtor, creditor, lines, _, net in sheets["Who owes whom"]:
        count, back = table.get((str(debtor), str(creditor)), 0), table.get((str(creditor), str(debtor)), 0)
        assert (lines == "[c]") or not 1 <= count <= 7
        assert (net == "[c]") or not (1 <= count <= 7 or 1 <= back <= 7)
    owes: dict[str, int] = defaultdict(int)
    for (debtor, _), count in table.items():
        owes[debtor] += count
    for name, lines, *_ in sheets["Pathways owed"][:-1]:
        assert (lines == "[c]") or not 1 <= owes[str(name)] <= 7


def test_no_file_of_pathways_tells_what_another_hides(tmp_path: Path) -> None:
    """XP1 leads 20 hips, XP2 3 and XP3 30; 2 lines in XP1's at XP2, 40 in XP2's few at XP3, and 90 in XP3's at XP1."""
    leads = {"XP1": 20, "XP2": 3, "XP3": 30}
    owed = [("XP1", "XP2", 2), ("XP2", "XP1", 0), ("XP2", "XP3", 40), ("XP3", "XP2", 0), ("XP3", "XP1", 90), ("XP1", "XP3", 0)]
    pence = pl.lit(1_00).alias("gain_pence")
    by_lead = pl.DataFrame({"definition": "hip", "lead_provider": list(leads), "pathways": list(leads.values())}).with_columns(
        pence
    )
    levelled = by_lead.with_columns(phase=pl.lit(None, pl.String), level=pl.lit("standard"))
    debts = pl.DataFrame(owed, schema=["debtor", "creditor", "lines"], orient="row")
    report = PathwayReport(
        {
            "price_against_cost": levelled.with_columns(bundle_pence=0, episodic_pence=0),
            "winners_and_losers": by_lead,
            "break_even": levelled.group_by("definition", "phase", "level").agg(pl.col("pathways").sum()),
            "leakage": by_lead.drop("pathways").with_columns(elsewhere_lines=pl.Series([2, 40, 90])),
            "who_owes_whom": debts.with_columns(definition=pl.lit("hip"), pence=1_00, net_pence=1_00),
        }
    )
    report.write(tmp_path)
    told = {name: pl.read_csv(tmp_path / f"{name}.csv", infer_schema=False) for name in report.tables}
    hidden = {name: table.filter(pl.any_horizontal(pl.all() == CONFIDENTIAL)) for name, table in told.items()}
    assert hidden["winners_and_losers"]["lead_provider"].to_list() == ["XP1", "XP2"]  # a lone one could be told from the total
    assert hidden["price_against_cost"]["lead_provider"].to_list() == ["XP1", "XP2"]
    assert {"XP1", "XP2"} <= set(hidden["leakage"]["lead_provider"])
    pairs = set(hidden["who_owes_whom"].select("debtor", "creditor").rows())
    assert {("XP1", "XP2"), ("XP2", "XP3")} <= pairs
    assert pairs == {(creditor, debtor) for debtor, creditor in pairs}  # a net tells the other side
    assert hidden["break_even"].is_empty()
