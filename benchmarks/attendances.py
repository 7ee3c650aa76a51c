"""Outpatient attendances under test: a synthetic year, repeated with identifiers of its own each time, and the pack of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.work import POUNDS, TILE, tiles, write_first, write_own_rules
from tariff.rulepack import load_pack
from tariff.synthetic import activity
from tariff.synthetic.frames import write_parquet
from tariff.synthetic.overlay import write_overlay

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

PACK: Final = "example"
"""Of the shipped packs the one with attendance prices; every outpatient rule of it acts."""
SEED: Final = 2024
ATTENDANCES_A_SPELL: Final = 5


@dataclass(frozen=True)
class AttendanceWork:
    """A folder that holds the activity and the overlay of its providers; other processes find the work by it."""

    folder: Path

    @property
    def source(self) -> Path:
        """An activity file as `tariff synth` writes it: codes dictionary-coded, `local_price` as text in pounds."""
        return self.folder / "outpatient.parquet"

    def sample(self, attendances: int) -> Path:
        """A file of the first `attendances` of the activity."""
        path = self.folder / f"outpatient-{attendances}.parquet"
        if not path.exists():
            write_first(path, self.source, attendances)
        return path

    def pack(self) -> RulePack:
        """The pack without best practice, and the invented providers' factors."""
        return load_pack(PACK, (self.folder / "overlay", self.folder / "own-rules"))


def make_attendances(folder: Path, attendances: int) -> AttendanceWork:
    """Write `attendances` and the overlay into `folder`. The same number gives the same lines."""
    write_overlay(folder / "overlay", load_pack(PACK))
    write_own_rules(folder / "own-rules", "attendances-benchmark")
    work = AttendanceWork(folder)
    tile = activity("outpatient", min(attendances, TILE) // ATTENDANCES_A_SPELL, SEED, pack=work.pack(), coded=True)
    write_parquet(work.source, tiles(tile, attendances, "attendance_id"), POUNDS)
    return work
