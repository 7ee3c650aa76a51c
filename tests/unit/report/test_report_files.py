"""The report as written: complete Parquet, careful CSV, and a page that stands by itself."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from tariff.columns import COMPONENTS, LEDGER, PODS, schema
from tariff.errors import ActivityError, DisagreementError, OutputError, RulesError
from tariff.reasons import OUTCOMES
from tariff.report import Report, compare
from tariff.report.report import FILES
from tariff.report.tables import COMPONENT_NAMES, LABEL_MEANINGS
from tariff.report.words import POD_NAMES, headline, percentage, short_money, signed, value_name
from tariff.rulepack.model import CONFIDENCES

MODELS = "preset:episodic,preset:block,preset:cost-and-volume"
DAY = date(2025, 11, 22)

CARD: dict[str, Any] = {
    "card": 1,
    "packs": [
        {
            "label": "2024-25",
            "title": "Unit prices <2024/25>",
            "digest": "ab" * 32,
            "overlays": [{"name": "local", "digest": "cd" * 32, "path": "/somewhere/local", "note": "Local prices."}],
            "rules": [{"rule": "top_up", "method": "none", "source": "not at hand", "note": ""}],
            "notes": ["Prices without trim points."],
        }
    ],
    "assumptions": [
        {"pack": "2024-25", "component": "base", "label": "published", "source": "unit prices", "pence": 90_000_00, "lines": 60},
        {
            "pack": "2024-25",
            "component": "market_forces",
            "label": "proxy",
            "source": "another year's index",
            "pence": 5,
            "lines": 3,
        },
    ],
    "warnings": [{"warning": "local_price_ignored", "lines": 2, "price_pence": 9_00, "sentence": "A local price was ignored."}],
    "inputs": [{"path": "/somewhere/private/apc.parquet", "sha256": "ef" * 32, "rows": 70}],
}


@pytest.fixture(scope="module")
def lines(priced_lines: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    """Two commissioners of some size and one of three lines; one provider's code would act as a formula."""
    many = [
        {"commissioner": code, "provider": provider, "pod": pod, "base_pence": 1_000_00 + number, "mff_pence": 50_00}
        for code, provider in (("XC1", "XP1"), ("XC2", "=1+1"))
        for pod in ("DC", "NEL", "EL")
        for number in range(10)
    ]
    few = [{"commissioner": "XC3", "pod": "DC", "base_pence": 77_77} for _ in range(3)]
    lost = [{"outcome": "rejected", "reason": "missing_age", "indicative_pence": 10_00} for _ in range(9)]
    unknown = [{"outcome": "unpriced", "reason": "ungrouped"} for _ in range(12)]
    return priced_lines(*many, *few, *lost, *unknown)


@pytest.fixture(scope="module")
def plan() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "commissioner": ["XC1", "XC2", "XC3"],
            "provider": ["XP1", "=1+1", "XP1"],
            "financial_year": ["2024-25"] * 3,
            "pence": [30_000_00, 35_000_00, 200_00],
        }
    )


@pytest.fixture(scope="module")
def report(lines: pl.DataFrame, plan: pl.DataFrame) -> Report:
    return compare(lines, MODELS, plan=plan, run_card=CARD)


@pytest.fixture(scope="module")
def folder(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write(tmp_path_factory.mktemp("out") / "report", written=DAY)


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_a_report_is_its_files_and_no_more(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert list(folder.parent.iterdir()) == [folder]


def test_parquet_is_complete_and_agrees_with_the_ledger(folder: Path, lines: pl.DataFrame) -> None:
    comparison = pl.read_parquet(folder / "comparison.parquet")
    ledger = pl.read_parquet(folder / "ledger.parquet")
    assert ledger.schema == schema(LEDGER)
    totals = dict(comparison.group_by("model").agg(pl.col("pence").sum()).iter_rows())
    assert totals == dict(ledger.group_by("model").agg(pl.col("pence").sum()).iter_rows())
    assert totals["episodic"] == lines["price_pence"].sum()
    assert totals["block"] == 65_200_00
    assert comparison.filter(commissioner="XC3", model="episodic", pod="DC")["lines"].item() == 3


def test_the_csv_hides_small_numbers_and_keeps_money_exact(folder: Path) -> None:
    comparison = pl.read_csv(folder / "comparison.csv", infer_schema=False)
    few = comparison.filter(pl.col("commissioner") == "XC3")
    assert few.select("lines", "units", "pounds", "baseline_pounds", "difference_pounds").unique().rows() == [("[c]",) * 5]
    exact = pl.read_parquet(folder / "comparison.parquet")["pence"]
    shown = [(text, pence) for text, pence in zip(comparison["pounds"], exact, strict=True) if text != "[c]"]
    assert len(shown) > 5
    assert all(round(float(text) * 100) == pence and re.fullmatch(r"-?\d+\.\d\d", text) for text, pence in shown)
    bridge = pl.read_csv(folder / "bridge.csv", infer_schema=False)
    assert set(bridge.filter(pl.col("commissioner") == "XC3")["pounds"]) == {"[c]"}


def test_text_in_the_csv_never_becomes_a_formula(lines: pl.DataFrame, plan: pl.DataFrame, tmp_path: Path) -> None:
    compare(lines, MODELS, by=["provider"], plan=plan, suppress=False).write(tmp_path / "report", written=DAY)
    text = (tmp_path / "report" / "comparison.csv").read_text(encoding="utf-8")
    assert "'=1+1," in text
    assert not re.search(r"(^|,)=", text, flags=re.MULTILINE)
    assert re.search(r",-\d+\.\d\d$", text, flags=re.MULTILINE)


def test_the_run_card_tells_what_was_compared(folder: Path) -> None:
    card = json.loads((folder / "run_card.json").read_text(encoding="utf-8"))
    assert [model["name"] for model in card["models"]] == ["episodic", "block", "cost-and-volume"]
    assert card["totals"][1]["pence"] == 65_200_00
    assert card["plan"]["rows"] == 3
    assert card["priced_by"][0]["packs"][0]["digest"] == "ab" * 32
    assert all(len(origin["sha256"]) == 64 for origin in card["models_from"])


def test_the_same_report_is_the_same_bytes(report: Report, folder: Path, tmp_path: Path) -> None:
    again = report.write(tmp_path / "again", written=DAY)
    for name in FILES:
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_an_existing_report_is_kept_unless_told(report: Report, tmp_path: Path) -> None:
    target = report.write(tmp_path / "report", written=DAY)
    with pytest.raises(OutputError, match="exists"):
        report.write(target)
    report.write(target, overwrite=True, written=DAY)
    assert sorted(path.name for path in target.iterdir()) == sorted(FILES)


def test_overwriting_never_takes_other_files_with_it(report: Report, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work", encoding="utf-8")
    with pytest.raises(OutputError, match=r"thesis\.docx"):
        report.write(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.docx").exists()


def test_an_empty_folder_may_be_filled(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    assert (report.write(tmp_path / "report") / "report.html").exists()


def test_a_folder_that_cannot_be_written_leaves_nothing(report: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError):
        report.write(tmp_path / "file" / "report")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


class Page(HTMLParser):
    """What a page holds: its tags in order, addresses it would fetch or link to, ids, and tables without a caption."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []
        self.headings: list[int] = []
        self.unscoped = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.addresses += [str(given[name]) for name in ("src", "href", "xlink:href", "action", "data") if name in given]
        self.ids += [str(given["id"])] if "id" in given else []
        self.labelled += str(given["aria-labelledby"]).split() if "aria-labelledby" in given else []
        self.unscoped += tag == "th" and given.get("scope") not in {"col", "row"}
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))


def test_the_page_stands_by_itself(page: str) -> None:
    parsed = Page(page)
    assert all(address.startswith("#") for address in parsed.addresses)
    assert "http" not in page
    assert not {"script", "link", "img", "iframe", "object"} & set(parsed.tags)
    assert "url(http" not in page
    assert "@import" not in page
    assert len(page.encode()) < 1_500_000


def test_the_page_is_accessible_in_its_bones(page: str) -> None:
    parsed = Page(page)
    assert '<html lang="en-GB">' in page
    assert '<a class="skip" href="#main">' in page
    assert parsed.tags.count("table") == parsed.tags.count("caption") >= 7
    assert parsed.unscoped == 0
    assert len(parsed.ids) == len(set(parsed.ids))
    assert set(parsed.labelled) <= set(parsed.ids)
    assert parsed.headings[0] == 1
    assert all(after - before <= 1 for before, after in zip(parsed.headings, parsed.headings[1:], strict=False))
    assert page.count('role="img"') == parsed.tags.count("svg") == page.count("<desc ") == 2


def test_the_page_states_the_finding_and_shows_the_bridge(page: str, report: Report) -> None:
    assert f"<title>{report.headline}</title>" in page
    (heading,) = re.findall("<h1>(.*)</h1>", page)
    assert re.sub("<[^>]*>", "", heading) == report.headline
    assert report.headline == (
        "The 3 commissioners pay £63,236 under the episodic tariff;"
        " £1,964 more under a block contract and £460 less under cost and volume."
    )
    assert "Waterfall from Episodic tariff, £63,236, to Block contract, £65,200:" in page
    assert "Activity above plan, not paid for" in page
    assert "−£460" in page


def test_the_page_tells_outcomes_assumptions_and_method(page: str) -> None:
    assert "The HRG is UZ: the data were invalid for grouping." in page
    assert "Another year" in page or "another year" in page
    assert "Unit prices &lt;2024/25&gt;" in page
    assert "sha256 abababababababab" in page
    assert "apc.parquet" in page
    assert "/somewhere" not in page
    assert "Specialised top-ups" in page
    assert "Written 22 November 2025" in page


def test_the_page_hides_small_numbers(page: str, report: Report, lines: pl.DataFrame, plan: pl.DataFrame, tmp_path: Path) -> None:
    assert report.hidden_values("commissioner") >= {"XC3"}
    assert len(report.hidden_values("commissioner")) == 2
    assert "£233" not in page
    assert "A local price was ignored. [c] lines." in page
    open_page = compare(lines, MODELS, plan=plan, run_card=CARD, suppress=False).write(tmp_path / "open") / "report.html"
    text = open_page.read_text(encoding="utf-8")
    assert "£233" in text
    assert "[c]" not in text
    assert "for internal use only" in text


def test_no_table_of_the_workbook_tells_what_another_hides(priced_lines: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    """XP2's 3 lines are all that XC1 pays beside XP1's 20: XC1's total, or XP1's, would tell them."""
    told = [("XC1", "XP1", 20), ("XC1", "XP2", 3), ("XC2", "XP3", 30), ("XC2", "XP4", 12)]
    rows = [{"commissioner": payer, "provider": name, "base_pence": 1_00} for payer, name, count in told for _ in range(count)]
    report = compare(priced_lines(*rows), "preset:episodic")
    hidden = [set(report.hidden_values(name)) for name in ("commissioner", "provider")]
    assert hidden[1] >= {"XP2"}
    for payer, names in (("XC1", {"XP1", "XP2"}), ("XC2", {"XP3", "XP4"})):
        assert len(hidden[1] & names) + (payer in hidden[0]) != 1
    report.write(tmp_path / "report", written=DAY)
    sheet = CalamineWorkbook.from_path(tmp_path / "report" / "report.xlsx").get_sheet_by_name("By provider").to_python()
    assert {row[0] for row in sheet if row[1] == "[c]"} == hidden[1]


@pytest.mark.parametrize("seed", range(12))
def test_no_two_tables_of_the_workbook_tell_a_hidden_figure(priced_lines: Callable[..., pl.DataFrame], seed: int) -> None:
    """Whoever knows which values share lines can tell a figure where it is a sum of shown ones: by rank, it never is."""
    rng = np.random.default_rng(seed)
    providers = {"P": "A", "Q": "A", "R": "B", "S": "B", "T": "C", "U": "C"}
    codes = {"provider": list(providers), "pod": ["DC", "EL", "NEL"], "currency": ["AA22C", "HN22E", "FZ18K"]}
    drawn = [{name: str(rng.choice(values)) for name, values in codes.items()} for _ in range(rng.integers(3, 12))]
    cells = [{**cell, "commissioner": providers[cell["provider"]]} for cell in drawn]
    rows = [{**cell, "base_pence": 1_00} for cell in cells for _ in range(rng.choice([2, 3, 5, 20, 40]))]
    report = compare(priced_lines(*rows), "preset:episodic")
    joint = report.compare_by(report.told_by).filter(pl.col("lines") > 0)
    slices = {(name, value): (joint[name] == value).to_numpy() for name in report.told_by for value in joint[name].unique()}
    hidden = {(name, value) for name, value in slices if value in report.hidden_values(name)}
    for own, other in itertools.permutations(report.told_by, 2):
        shown = [told for (name, value), told in slices.items() if name in {own, other} and (name, value) not in hidden]
        known = np.array([np.ones(joint.height), *shown], dtype=float)
        for name, value in hidden:
            if name == own:
                more = np.vstack([known, slices[name, value]])
                assert np.linalg.matrix_rank(more) > np.linalg.matrix_rank(known), (name, value, other)


def test_without_a_run_card_nothing_is_claimed(lines: pl.DataFrame, plan: pl.DataFrame, tmp_path: Path) -> None:
    text = (compare(lines, MODELS, plan=plan).write(tmp_path / "report") / "report.html").read_text(encoding="utf-8")
    assert "What the prices rest on is not known: the priced lines came without their run card" in text
    assert "Digest not known" in text


def test_the_terminal_summary_counts_then_tells_money(report: Report) -> None:
    told = str(report)
    first, second, *_ = told.splitlines()
    assert first == "84 lines: 63 priced, 12 unpriced, 9 rejected"
    assert second == report.headline
    assert "By commissioner" in told
    assert "By point of delivery" in told
    assert "\x1b[" not in told


def test_a_lone_small_reason_cannot_be_found_by_subtraction(priced_lines: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    lines = priced_lines(*[{"base_pence": 100}] * 40, *[{"outcome": "rejected", "reason": "missing_age"}] * 2)
    report = compare(lines, "preset:episodic")
    text = (report.write(tmp_path / "report") / "report.html").read_text(encoding="utf-8")
    assert str(report).splitlines()[0] == "Lines: 40 priced, [c] rejected"
    assert "42" not in re.sub(r"<style>.*</style>|#[0-9A-Fa-f]{6}|sha256 \w+", "", text, flags=re.DOTALL)


def test_too_few_lines_to_show_anything(priced_lines: Callable[..., pl.DataFrame], plan: pl.DataFrame, tmp_path: Path) -> None:
    lines = priced_lines(*[{"commissioner": "XC3", "base_pence": 123_45}] * 5)
    report = compare(lines, MODELS, plan=plan.filter(pl.col("commissioner") == "XC3"))
    text = (report.write(tmp_path / "report") / "report.html").read_text(encoding="utf-8")
    assert "too few priced lines" in report.headline
    assert "£" not in re.sub(r"<style>.*</style>", "", text, flags=re.DOTALL)
    assert "£" not in str(report)


def test_nothing_priced_is_no_crash(priced_lines: Callable[..., pl.DataFrame], plan: pl.DataFrame, tmp_path: Path) -> None:
    lines = priced_lines(*[{"outcome": "unpriced", "reason": "ungrouped"}] * 9)
    report = compare(lines, MODELS, plan=plan)
    report.write(tmp_path / "report")
    assert report.headline == "No line was priced, so there is nothing to compare."


def test_many_values_and_many_models_stay_readable(priced_lines: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    lines = priced_lines(*[{"base_pence": 100_00 + n, "currency": f"AA{n % 40:02}Z"} for n in range(400)])
    plan = pl.DataFrame({"commissioner": ["XC1"], "financial_year": ["2024-25"], "pence": [3_000_000]})
    models = "preset:episodic,preset:block,preset:cost-and-volume," + str(_own_model(tmp_path))
    report = compare(lines, models, by=["currency", "month"], plan=plan, suppress=False)
    text = (report.write(tmp_path / "report") / "report.html").read_text(encoding="utf-8")
    assert "Other 15: see comparison.csv" in text
    assert "Own rate: difference" in text
    assert "April" in text


def _own_model(folder: Path) -> Path:
    path = folder / "own.toml"
    path.write_text(
        'schema = 1\n[[model]]\nname = "own"\ntitle = "Own rate"\n[[model.terms]]\nterm = "cost_and_volume"\n'
        'marginal_rate = "20%"\nsource = "contract"\nconfidence = "local"\n',
        encoding="utf-8",
    )
    return path


def _written(lines: pl.DataFrame) -> dict[str, Any]:
    """A whole run card of the lines."""
    of_outcome = lines.group_by(pl.col("outcome").cast(pl.String)).len()
    card = deepcopy(CARD)
    return {
        **card,
        "command": ["tariff", "price"],
        "inputs": [{**card["inputs"][0], "file": "apc.parquet", "kind": "admitted", "lines": 70, "ignored": []}],
        "packs": [{**card["packs"][0], "folder": "/rules", "best_practice": [], "pathways": [], "lines_priced": 63}],
        "options": {"dates": "strict", "columns": None},
        "attached_items": {},
        "counts": {"in": lines.height, **dict.fromkeys(OUTCOMES, 0), **dict(of_outcome.iter_rows())},
        "reasons": [],
        "components": {name: int(lines[name].sum()) for name in COMPONENTS},
        "price_pence": int(lines["price_pence"].sum()),
        "control_totals": [],
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card["counts"].update(priced=7),
        lambda card: card.update(price_pence=card["price_pence"] + 1),
    ],
)
def test_a_run_card_of_other_lines_is_refused(lines: pl.DataFrame, tmp_path: Path, change: Callable[..., None]) -> None:
    lines.write_parquet(tmp_path / "priced.parquet")
    card = _written(lines)
    change(card)
    (tmp_path / "priced.run_card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ActivityError, match=r"priced\.run_card\.json: does not tell of the lines that stand beside it"):
        compare(tmp_path / "priced.parquet", "preset:episodic")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda card: card.pop("counts"), "counts"),
        (lambda card: card["packs"][0].update(rules=None), r"packs\.0\.rules"),
        (lambda card: card["inputs"][0].pop("sha256"), r"inputs\.0\.sha256"),
        (lambda card: card["assumptions"][0].update(label="x"), r"assumptions\.0\.label"),
        (lambda card: card.update(options=[]), "options"),
        (lambda card: card["components"].pop("mff_pence"), r"components\.mff_pence"),
    ],
)
def test_a_damaged_run_card_is_refused_by_place(
    lines: pl.DataFrame, tmp_path: Path, change: Callable[..., None], place: str
) -> None:
    lines.write_parquet(tmp_path / "priced.parquet")
    card = _written(lines)
    change(card)
    (tmp_path / "priced.run_card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ActivityError, match=rf"priced\.run_card\.json: is damaged at {place}\n    price again"):
        compare(tmp_path / "priced.parquet", "preset:episodic")


def test_priced_lines_are_read_from_files_with_their_run_card(lines: pl.DataFrame, tmp_path: Path) -> None:
    lines.write_parquet(tmp_path / "priced.parquet")
    beside = tmp_path / "priced.run_card.json"
    beside.write_text(json.dumps(_written(lines)), encoding="utf-8")
    report = compare(tmp_path / "priced.parquet", "preset:episodic")
    assert [row["label"] for row in report.assumptions] == ["published", "proxy"]
    run = tmp_path / "run"
    (run / "priced").mkdir(parents=True)
    lines.write_parquet(run / "priced" / "part-00001.parquet")
    lines.write_parquet(run / "priced" / "part-00002.parquet")
    assert compare(run, "preset:episodic").lines == 2 * lines.height


def test_priced_lines_that_cannot_be_used(lines: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ActivityError, match="not found"):
        compare(tmp_path / "nowhere.parquet", "preset:episodic")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1")
    with pytest.raises(ActivityError, match="not a whole Parquet file"):
        compare(broken, "preset:episodic")
    with pytest.raises(ActivityError, match="column 'pod' is missing"):
        compare(lines.drop("pod"), "preset:episodic")
    with pytest.raises(ActivityError, match="no lines"):
        compare(lines.clear(), "preset:episodic")
    with pytest.raises(RulesError, match="a plan is needed"):
        compare(lines, "preset:block")
    with pytest.raises(DisagreementError):
        compare(lines.with_columns(price_pence=pl.col("price_pence") + 1), "preset:episodic")


def test_words() -> None:
    assert set(POD_NAMES) == set(PODS)
    assert set(LABEL_MEANINGS) == set(CONFIDENCES)
    assert list(COMPONENT_NAMES) == ["base", "short_stay", "long_stay", "top_up", "market_forces", "best_practice"]
    assert [short_money(pence) for pence in (0, -1_49, 99_999_999, 100_000_000, -312_450_000_00)] == [
        "£0",
        "−£1",
        "£1,000,000",
        "£1.0m",
        "−£312.5m",
    ]
    assert [signed(text) for text in ("£0", "£5", "−£5", "0.0%", "£1.0m")] == ["£0", "+£5", "−£5", "0.0%", "+£1.0m"]
    assert [percentage(1, 3), percentage(-1, 8), percentage(0, 0)] == ["33.3%", "−12.5%", "–"]
    assert value_name("pod", "DC") == "Day case (DC)"
    assert value_name("month", 12) == "March"
    assert value_name("provider", None) == "Whole contract"
    assert headline("Commissioner XC1", False, [("tariff", 100, 0), ("block", 100, 0)]) == (
        "Commissioner XC1 pays £1 under tariff; the same under block."
    )


def test_the_terminal_shows_a_row_for_each_of_many_models(lines: pl.DataFrame) -> None:
    plan = pl.DataFrame(
        {
            "commissioner": [who for who in ("XC1", "XC2", "XC3") for _ in range(3)],
            "pod": ["DC", "NEL", "EL"] * 3,
            "financial_year": ["2024-25"] * 9,
            "pence": [10_000_00] * 9,
        }
    )
    told = str(compare(lines, f"{MODELS},preset:blended-2019-20,preset:api-2022-23", plan=plan))
    assert "Aligned payment 2022/23" in told
    assert "By commissioner:" not in told


def test_a_headline_of_many_models_names_the_ends() -> None:
    totals = [("the tariff", 100_00, 0), ("a", 90_00, -10_00), ("b", 120_00, 20_00), ("c", 100_00, 0), ("d", 95_00, -5_00)]
    told = headline("Commissioner XC1", False, totals)
    assert (
        told == "Commissioner XC1 pays £100 under the tariff; the 4 other models range from £10 less under a to £20 more under b."
    )


def test_lines_priced_before_a_column_was_added_are_compared(lines: pl.DataFrame, plan: pl.DataFrame) -> None:
    earlier = lines.drop("pathway_pence", "best_practice_lost_pence", "best_practice_tariff")
    assert compare(earlier, MODELS, plan=plan).totals == compare(lines, MODELS, plan=plan).totals
