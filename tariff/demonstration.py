"""`tariff demo`: a synthetic commissioner year, priced and compared under every payment model, from nothing but the package.

The 2024-25 pack runs under a shipped overlay that switches on, each with its label, what the published figures at hand
lack; the report says how many pounds rest on each label and what the bare pack leaves off."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

from tariff.batch import Job, PathwayJob, price_files
from tariff.columns import COMPONENTS, KINDS, PATHWAY_TABLES
from tariff.printing import printed_run
from tariff.reasons import PRICED
from tariff.report import compare
from tariff.rulepack import find_overlay, load_pack
from tariff.synthetic import make_year
from tariff.whole_files import refuse_existing

YEAR: Final = "2024-25"
OVERLAY: Final = "demonstration-2024-25"
_HOLDING: Final = frozenset(
    {"activity", "priced.parquet", "priced.run_card.json", "report", *(f"priced.{table}.parquet" for table in PATHWAY_TABLES)}
)
MODELS: Final = ",".join(
    f"preset:{name}"
    for name in (
        "episodic",
        "block",
        "cost-and-volume",
        "pbr-2013-14",
        "ntps-2016-17",
        "blended-2019-20",
        "api-2022-23",
        "nhsps-2025-26",
        "pathways",
    )
)


def demonstrate(out: Path, *, spells: int, seed: int, overwrite: bool, say: Callable[[str], None]) -> Path:
    """Make, price and compare a synthetic year in the folder `out`; returns the report's page. All or nothing."""
    refuse_existing(out, overwrite=overwrite, holding=_HOLDING)
    is_new = not out.exists()
    try:
        return _demonstrate(out, spells, seed, overwrite, say)
    except BaseException:
        if is_new:
            shutil.rmtree(out, ignore_errors=True)
        raise


def _demonstrate(out: Path, spells: int, seed: int, overwrite: bool, say: Callable[[str], None]) -> Path:
    say(f"making a synthetic year of {spells:,} spells and all care around them: invented people, England's mix of care")
    activity = out / "activity"
    shipped = find_overlay(OVERLAY)
    pack = load_pack(YEAR, [shipped])
    make_year(activity, spells=spells, seed=seed, year=YEAR, pack=pack, overwrite=overwrite)
    say(f"pricing them under {YEAR} with the overlay {OVERLAY}")
    priced = out / "priced.parquet"
    overlays = (shipped, activity / "overlay")
    files = [(kind, activity / f"{kind}.parquet") for kind in KINDS]
    evidence = (activity / "evidence.parquet",)
    job = Job(
        files,
        priced,
        YEAR,
        overlays,
        evidence=evidence,
        pathways=PathwayJob(),
        overwrite=overwrite,
        command=["tariff", "demo"],
    )
    run = price_files(job)
    print(printed_run(run.card))
    say("comparing what commissioners pay under each payment model")
    report = compare(priced, MODELS, by=["commissioner", "pod"], plan=activity / "plan.csv")
    report.write(out / "report", overwrite=overwrite)
    print(report)
    page = out / "report" / "report.html"
    say(f"open {page} in a browser; see how one price came about with: tariff explain {priced} --line {_much_at_work(priced)}")
    return page


def _much_at_work(priced: Path) -> str:
    """The identifier of a line on which as many components act as on any."""
    acting = pl.sum_horizontal(pl.col(name) != 0 for name in COMPONENTS)
    found = (
        pl.scan_parquet(priced, glob=False).filter(pl.col("outcome").cast(pl.String) == PRICED).select("line_id", acting=acting)
    )
    return str(found.sort("acting", "line_id", descending=[True, False]).head(1).collect()["line_id"].item())
