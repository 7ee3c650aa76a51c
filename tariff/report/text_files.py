"""CSV that people open in a spreadsheet: money in pounds, small numbers hidden, and no text that could act as a formula."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from tariff.report.suppression import CONFIDENTIAL

_ACTING: Final = r"^[=+\-@\t\r]"
"""How a cell begins that a spreadsheet would run as a formula."""


def write_csv(frame: pl.DataFrame, path: Path, *, hidden: pl.Series, counts: Sequence[str] = ("lines", "units")) -> None:
    """Write `frame` to `path` for a spreadsheet: columns ending `_pence` (or `pence`) become pounds with two decimals.

    Where `hidden` (one boolean a row) is true, counts and money are `[c]`. Text that begins like a formula gets an apostrophe;
    numbers are left alone."""
    money = [name for name in frame.columns if name == "pence" or name.endswith("_pence")]
    shielded = [name for name in (*counts, *money) if name in frame.columns]
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    written = frame.with_columns(
        *(_unacting(name) for name in texts),
        *(_decimal(name) for name in money),
        *(pl.col(name).cast(pl.String) for name in counts if name in frame.columns),
    )
    shown = written.with_columns(
        pl.when(~hidden).then(pl.col(name)).otherwise(pl.lit(CONFIDENTIAL)).alias(name) for name in shielded
    )
    shown.rename({name: name.replace("pence", "pounds") for name in money}).write_csv(path)


def _unacting(name: str) -> pl.Expr:
    column = pl.col(name)
    return pl.when(column.str.contains(_ACTING)).then(pl.lit("'") + column).otherwise(column).alias(name)


def _decimal(name: str) -> pl.Expr:
    """Pence as exact decimal text, `-1234.05`: no float between."""
    column = pl.col(name)
    sign = pl.when(column < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole, part = column.abs() // 100, (column.abs() % 100).cast(pl.String).str.zfill(2)
    return pl.format("{}{}.{}", sign, whole, part).alias(name)
