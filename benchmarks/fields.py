"""Who takes part in which contest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tariff.rulepack import RulePack


@dataclass(frozen=True)
class Field:
    """Who takes part: `work` of a folder, the contenders by name, and of those that do not price the whole file, how many of its
    first lines they price; their figure is scaled."""

    work: Callable[[Path], Any]
    contenders: Mapping[str, Callable[[RulePack], Callable[[Path, Path], None]]]
    scaled: Mapping[str, int]


def field_of(kind: str) -> Field:
    """The field of a kind of contest: `spells`, `spell totals`, `spell totals, few cells` or `attendances`. Imported late, as a
    worker needs one of them."""
    if kind == "attendances":
        from benchmarks.attendances import AttendanceWork
        from benchmarks.totallers import SCALED as STARTS
        from benchmarks.totallers import TOTALLERS

        return Field(AttendanceWork, TOTALLERS, STARTS)
    from benchmarks.contenders import CONTENDERS, SCALED, TOTALLERS_OF_FEW_CELLS, TOTALLERS_OF_SPELLS
    from benchmarks.work import Work

    totallers = {"spell totals": TOTALLERS_OF_SPELLS, "spell totals, few cells": TOTALLERS_OF_FEW_CELLS}
    return Field(Work, totallers.get(kind, CONTENDERS), SCALED)
