"""A whole synthetic year: the activity file of each kind, the plan, and the overlay with the invented providers' factors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.activity import attached_items, without_given
from tariff.columns import KINDS
from tariff.errors import UsageError, did_you_mean
from tariff.synthetic.blocks import year_blocks, year_model
from tariff.synthetic.frames import in_contract_types, parquet_file
from tariff.synthetic.overlay import write_overlay
from tariff.synthetic.plans import make_plan, planned_cells
from tariff.synthetic.population import population_frame
from tariff.whole_files import whole_folder

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

YEARS: Final = ("2017-18", "2018-19", "2024-25")
"""Years that the national mix fits well enough; another needs its rule pack to be given."""
_BESIDE_ACTIVITY: Final = ("registers", "evidence")
FILES: Final = (
    *(f"{name}.parquet" for name in (*KINDS, *_BESIDE_ACTIVITY)),
    "population.csv",
    "plan.csv",
    "overlay",
)
"""What a synthetic year holds, the files of kinds left out excepted."""
_MOST_SPELLS: Final = 500_000_000
_POUNDS: Final = ("local_price",)


def make_year(
    out: Path,
    *,
    spells: int = 200_000,
    seed: int = 1,
    year: str = "2024-25",
    pack: RulePack | None = None,
    kinds: Collection[str] = KINDS,
    overwrite: bool = False,
) -> list[Path]:
    """Write a synthetic commissioner year into the folder `out` and return the paths written: a Parquet file for each of the
    `kinds` (columns of `columns.ADMITTED`, `OUTPATIENT`, `EMERGENCY` and `UNBUNDLED`, money as text in pounds, at most 250,000
    rows a row group), `registers.parquet`, `evidence.parquet` and `population.csv` (columns in `columns`; evidence is of
    spells and outpatient attendances, made or not), `plan.csv` (`columns.PLAN`, money in pence) and the folder `overlay`.

    The activity follows the currencies, dates and top-up codes of `pack`, or of the shipped pack of `year`; the plan is priced
    under that pack with its overlays and the year's own, so give the pack as it will be used, overlays and all. `spells` says
    how much admitted care there is; the other kinds stand to it as in England, and tell of the same patients. The same
    arguments give the same bytes (on one version of the engine and its libraries), and the file of one kind is the same
    whichever others are made. Raises UsageError where the year, a kind, the number of spells or the seed cannot be used, or
    where the pack knows no HRG of the national mix; OutputError where `out` cannot be written, or exists without `overwrite`."""
    _check(spells, seed, kinds)
    pack = _pack_for(year, pack)
    model = year_model(pack)
    with whole_folder(out, overwrite=overwrite, holding=FILES) as folder, ExitStack() as files:
        priced_under = _with_overlay(pack, write_overlay(folder / "overlay", pack))
        names = [*(kind for kind in KINDS if kind in kinds), *_BESIDE_ACTIVITY]
        write = {name: files.enter_context(parquet_file(folder / f"{name}.parquet", _POUNDS)) for name in names}
        cells: list[pl.DataFrame] = []
        for block in year_blocks(model, spells, seed, names):
            cells += [planned_cells(lines, priced_under) for lines in _priced_lines(block)]
            for name, frame in block.items():
                write[name](frame)
        population_frame(spells, seed).write_csv(folder / "population.csv")
        make_plan(cells, seed).write_csv(folder / "plan.csv")
    return [out / name for name in FILES if (out / name).exists()]


def activity(
    kind: str,
    spells: int = 200_000,
    seed: int = 1,
    *,
    year: str = "2024-25",
    pack: RulePack | None = None,
    coded: bool = False,
) -> pl.DataFrame:
    """One kind of activity of a synthetic year as one frame: columns of its contract in their types, money in pence, the same
    rows as `make_year` writes for so many `spells`. `coded` leaves columns of few values as Enum, which is smaller and faster
    to price. Raises UsageError as `make_year`."""
    _check(spells, seed, [kind])
    model = year_model(_pack_for(year, pack))
    frame = pl.concat(block[kind] for block in year_blocks(model, spells, seed, [kind]))
    return frame if coded else in_contract_types(frame)


def admitted(
    spells: int = 200_000, seed: int = 1, *, year: str = "2024-25", pack: RulePack | None = None, coded: bool = False
) -> pl.DataFrame:
    """The admitted care of a synthetic year, as `activity` gives it."""
    return activity("admitted", spells, seed, year=year, pack=pack, coded=coded)


def _priced_lines(block: Mapping[str, pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The activity that is paid for: each kind, and the items attached to spells that are not given as lines as well."""
    yield from (frame for name, frame in block.items() if name in KINDS)
    if "admitted" in block:
        attached = attached_items(block["admitted"].lazy())
        given = [in_contract_types(block[name]).lazy() for name in ("unbundled",) if name in block]
        yield without_given(attached, *given).items.collect()


def _pack_for(year: str, pack: RulePack | None) -> RulePack:
    from tariff.rulepack import load_pack

    if pack is not None:
        return pack
    if year not in YEARS:
        nearest = did_you_mean(year, YEARS)
        known = f"it can be made for {', '.join(YEARS)}, or for a rule pack given as such"
        raise UsageError(f"no synthetic year can be made for '{year}': {nearest} {known}".replace("  ", " "))
    return load_pack(year)


def _check(spells: int, seed: int, kinds: Collection[str]) -> None:
    if not 1 <= spells <= _MOST_SPELLS:
        raise UsageError(f"{spells:,} spells cannot be made: ask for 1 to {_MOST_SPELLS:,}")
    for kind in kinds:
        if kind not in KINDS:
            nearest = did_you_mean(kind, KINDS)
            raise UsageError(f"'{kind}' is no kind of activity: {nearest} there are {', '.join(KINDS)}".replace("  ", " "))
    if not kinds:
        raise UsageError("no kind of activity is asked for")
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative: give 0 or a whole number above it")


def _with_overlay(pack: RulePack, overlay: Path) -> RulePack:
    from tariff.rulepack import load_pack

    return load_pack(pack.folder, overlays=[*(used.path for used in pack.overlays), overlay])
