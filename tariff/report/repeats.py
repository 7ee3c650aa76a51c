"""Lines that came before among the priced lines of a comparison: a month given in two files would be paid twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple

import polars as pl

from tariff.errors import ActivityError, Fault
from tariff.priced_lines import Priced, files_of, paths_given
from tariff.repeated_keys import repeated_keys


class Repeats(NamedTuple):
    """Lines whose key (kind, provider, line_id) came before, and what they are worth."""

    lines: int = 0
    pence: int = 0


def require_each_once(priced: Priced) -> None:
    """ActivityError where a file of priced lines, or of totals, is given more than once."""
    if isinstance(priced, pl.DataFrame | pl.LazyFrame):
        return
    seen: set[Path] = set()
    faults = []
    for path in paths_given(priced):
        files = {file.resolve() for file in files_of(path)}
        if not seen.isdisjoint(files):
            faults.append(Fault(str(path), "is given more than once", "its lines would be paid twice: give it once"))
        seen |= files
    if faults:
        raise ActivityError("Priced lines are given more than once.", faults)


def repeats_of(priced: Priced, lines: pl.LazyFrame, cards: Sequence[Mapping[str, Any]]) -> Repeats:
    """Repeated lines over all files given; those of one run its card tells. A frame, which may cost its pricing to go through
    once more, is taken as it is."""
    if isinstance(priced, pl.DataFrame | pl.LazyFrame):
        return Repeats()
    if len(paths_given(priced)) == len(cards) == 1:
        told = [warning for warning in cards[0].get("warnings", ()) if warning["warning"] == "repeated_key"]
        return Repeats(sum(one["lines"] for one in told), sum(one["price_pence"] for one in told))
    return Repeats(*repeated_keys(lines, Path(gettempdir())))
