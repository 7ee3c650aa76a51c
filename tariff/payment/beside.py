"""What comes with priced lines beside their cells, for the models and terms that ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl


@dataclass(frozen=True)
class Beside:
    """`readmissions` (`gather_readmissions`), what lies `inside` pathways (`gather_inside`), the `pathways` (`columns.PATHWAY`),
    what `best_practice` earned (`gather_best_practice`) and `referrals` (`gather_referrals`). None: the lines came without."""

    readmissions: pl.DataFrame | None = None
    inside: pl.DataFrame | None = None
    pathways: pl.DataFrame | None = None
    best_practice: pl.DataFrame | None = None
    referrals: pl.DataFrame | None = None


NOTHING: Final = Beside()
"""Priced lines by themselves."""
