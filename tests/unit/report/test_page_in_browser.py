"""The page as a browser shows it: headless Chromium opens it, nothing is asked of a network, nothing goes wrong, and axe finds
nothing serious. Needs the extra `browser` and Chromium (Debian: `apt-get install chromium`)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariff.report import compare

sync_api = pytest.importorskip("playwright.sync_api", reason="the extra 'browser' is not installed")
axe = pytest.importorskip("axe_playwright_python.base", reason="the extra 'browser' is not installed")
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt-get install chromium)")

SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def report_page(priced_lines: Callable[..., pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    pods = ("DC", "EL", "NEL", "NELST", "OPFASPCL")
    lines = [
        {
            "commissioner": f"XC{commissioner}",
            "provider": f"XP{provider}",
            "pod": pod,
            "base_pence": 1_000_00 * (commissioner + provider) + 37 * number,
            "best_practice_pence": 50_00 if number == 3 else 0,
            "best_practice_tariff": "hip_fracture" if number < 4 else None,
            "best_practice_status": ("no_evidence", "not_met", "not_met", "met")[number] if number < 4 else None,
            "pathway_id": f"hip:XP{provider % 3 + 1}:L{number}" if number > 7 else None,
            "pathway_pence": 400_00 if number > 7 else 0,
        }
        for commissioner in (1, 2)
        for provider in (1, 2, 3)
        for pod in pods
        for number in range(12)
    ]
    lost = [{"outcome": "rejected", "reason": "missing_age", "indicative_pence": 10_00} for _ in range(9)]
    plan = pl.DataFrame(
        [
            {"commissioner": f"XC{who}", "provider": f"XP{at}", "pod": pod, "financial_year": "2024-25", "pence": 40_000_00}
            for who in (1, 2)
            for at in (1, 2, 3)
            for pod in pods
        ]
    )
    pathways = pl.DataFrame(
        [
            {
                "pathway_id": f"hip:XP{lead}:L{number}",
                "definition": "hip",
                "phase": None,
                "level": ("standard", "complex")[number % 2],
                "lead_provider": f"XP{lead}",
                "commissioner": "XC1",
                "financial_year": "2024-25",
                "month": 1,
                "flag": None,
                "price_pence": 4_000_00 + 200_00 * lead,
                "change_pence": 4_000_00 + 200_00 * lead,
                "episodic_pence": 4_300_00,
            }
            for lead in (1, 2, 3)
            for number in range(8, 40)
        ],
        schema_overrides={"phase": pl.String(), "flag": pl.String(), "month": pl.Int8()},
    )
    models = "preset:episodic,preset:block,preset:pbr-2013-14,preset:nhsps-2023-25"
    report = compare(priced_lines(*lines, *lost), models, plan=plan, pathways=pathways, baseline="episodic")
    return report.write(tmp_path_factory.mktemp("browser") / "report", written=date(2025, 11, 22)) / "report.html"


@pytest.fixture(scope="module")
def opened(report_page: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page in the browser, and what it asked for or complained of."""
    told: list[str] = []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("request", lambda request: told.append(f"request: {request.url}"))
        page.on("console", lambda message: told.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        page.goto(report_page.as_uri())
        yield page, told
        browser.close()


def test_nothing_is_asked_for_and_nothing_goes_wrong(opened: tuple[Any, list[str]], report_page: Path) -> None:
    _, told = opened
    assert told == [f"request: {report_page.as_uri()}"]


def test_what_a_reader_looks_for_is_there(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    for name in (
        "by-commissioner",
        "by-pod",
        "by-provider",
        "bridge-block",
        "outcomes",
        "assumptions",
        "best-practice",
        "best-practice-hip-fracture",
        "pathways",
        "pathways-by-provider",
        "pathways-owed",
    ):
        table = page.locator(f"table#{name}")
        assert table.count() == 1, name
        assert table.locator("caption").inner_text()
        assert table.locator("tbody tr").count() > 0
    assert page.locator("svg[role=img] title").count() == 4
    assert "Funnel plot of the share" in str(page.locator("#funnel-hip-fracture-description").text_content())
    assert page.locator("h1").inner_text().startswith("The 2 commissioners pay £")


def test_nothing_is_wider_than_the_page(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})


def test_axe_finds_nothing_serious(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.evaluate(_script())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        f"{rule['id']} ({rule['impact']}): {rule['help']} – {rule['nodes'][0]['html'][:120]}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
    ]
    assert serious == []
    assert len(found["passes"]) >= 10


def _script() -> str:
    return (Path(str(axe.__file__)).parent / "axe.min.js").read_text(encoding="utf-8")
