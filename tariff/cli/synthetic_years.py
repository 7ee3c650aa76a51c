"""Commands that need no data of one's own: synth makes a year of activity, demo prices and compares one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tariff.cli.conversation import DONE, say


def synth(
    *,
    out: Path,
    spells: int = 200_000,
    seed: int = 1,
    year: str = "2024-25",
    kinds: str = "admitted,outpatient,emergency,unbundled",
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make a synthetic commissioner year: realistic in volume and mix, invented in every person and organisation.

    Parameters
    ----------
    out
        Folder for the activity of each kind, registers, evidence, population, plan and the overlay with the invented
        providers' market forces factors.
    spells
        How many spells of admitted care; everything else is in proportion.
    seed
        The same seed gives the same bytes.
    year
        The rule pack whose HRGs and dates the activity follows.
    kinds
        Which kinds of activity to write, separated by commas.
    overwrite
        Replace an existing folder.
    """
    from tariff.synthetic import make_year

    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    for path in make_year(out, spells=spells, seed=seed, year=year, kinds=wanted, overwrite=overwrite):
        print(path)
    return DONE


def demo(
    *,
    out: Path = Path("tariff-demo"),
    spells: int = 200_000,
    seed: int = 1,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make a synthetic commissioner year, price it and compare what it costs under every payment model.

    Parameters
    ----------
    out
        Folder for the activity, the priced lines and the report.
    spells
        How many spells.
    seed
        The same seed gives the same year.
    overwrite
        Replace an existing folder.
    """
    from tariff.demonstration import demonstrate

    demonstrate(out, spells=spells, seed=seed, overwrite=overwrite, say=say)
    return DONE
