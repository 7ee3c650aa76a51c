"""A whole synthetic year: the activity file of each kind, the plan, and the overlay with the invented providers' factors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.errors import UsageError, did_you_mean
from tariff.synthetic.frames import in_contract_types, write_parquet
from tariff.synthetic.overlay import write_overlay
from tariff.synthetic.plans import make_plan, planned_cells
from tariff.synthetic.spells import admissions, admitted_model
from tariff.whole_files import whole_folder

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

YEARS: Final = ("2017-18", "2018-19", "2024-25")
"""Years that the national mix fits well enough; another needs its rule pack to be given."""
FILES: Final = ("admitted.parquet", "plan.csv", "overlay")
"""What a synthetic year holds."""
_MOST_SPELLS: Final = 500_000_000


def make_year(
    out: Path,
    *,
    spells: int = 200_000,
    seed: int = 1,
    year: str = "2024-25",
    pack: RulePack | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write a synthetic commissioner year into the folder `out` and return the paths written: `admitted.parquet` (columns of
    `columns.ADMITTED`, money as text in pounds, 250,000 spells a row group), `plan.csv` (`columns.PLAN`, money in pence) and
    the folder `overlay`.

    The activity follows the HRGs, dates and top-up codes of `pack`, or of the shipped pack of `year`; the plan is priced under
    that pack with its overlays and the year's own, so give the pack as it will be used, overlays and all. The same arguments
    give the same bytes (on one version of the engine and its libraries). Raises UsageError where the year, the number of
    spells or the seed cannot be used, or where the pack knows no HRG of the national mix; OutputError where `out` cannot be
    written, or exists without `overwrite`."""
    pack = _pack_for(year, pack)
    model = admitted_model(pack)
    _check(spells, seed)
    with whole_folder(out, overwrite=overwrite, holding=FILES) as folder:
        priced_under = _with_overlay(pack, write_overlay(folder / "overlay", pack))
        cells: list[pl.DataFrame] = []
        blocks = _noting_cells((block.frame for block in admissions(model, spells, seed)), priced_under, cells)
        write_parquet(folder / "admitted.parquet", blocks, pounds=["local_price"])
        make_plan(cells, seed).write_csv(folder / "plan.csv")
    return [out / name for name in FILES]


def admitted(
    spells: int = 200_000, seed: int = 1, *, year: str = "2024-25", pack: RulePack | None = None, coded: bool = False
) -> pl.DataFrame:
    """The admitted care of a synthetic year as one frame: columns of `columns.ADMITTED` in their types, money in pence, the same
    spells as `make_year` writes. `coded` leaves columns of few values as Enum, which is smaller and faster to price. Raises
    UsageError as `make_year`."""
    model = admitted_model(_pack_for(year, pack))
    _check(spells, seed)
    frame = pl.concat(block.frame for block in admissions(model, spells, seed))
    return frame if coded else in_contract_types(frame)


def _pack_for(year: str, pack: RulePack | None) -> RulePack:
    from tariff.rulepack import load_pack

    if pack is not None:
        return pack
    if year not in YEARS:
        nearest = did_you_mean(year, YEARS)
        known = f"it can be made for {', '.join(YEARS)}, or for a rule pack given as such"
        raise UsageError(f"no synthetic year can be made for '{year}': {nearest} {known}".replace("  ", " "))
    return load_pack(year)


def _check(spells: int, seed: int) -> None:
    if not 1 <= spells <= _MOST_SPELLS:
        raise UsageError(f"{spells:,} spells cannot be made: ask for 1 to {_MOST_SPELLS:,}")
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative: give 0 or a whole number above it")


def _with_overlay(pack: RulePack, overlay: Path) -> RulePack:
    from tariff.rulepack import load_pack

    return load_pack(pack.folder, overlays=[*(used.path for used in pack.overlays), overlay])


def _noting_cells(blocks: Iterable[pl.DataFrame], pack: RulePack, cells: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The blocks as they come, leaving in `cells` what each of them is worth."""
    for block in blocks:
        cells.append(planned_cells(block, pack))
        yield block
