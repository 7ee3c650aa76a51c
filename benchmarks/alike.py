"""What the outpatient kernel costs by how many attendances of a block are alike: one whose codes are those of an earlier one is
priced by a look at that. Run as `python -m benchmarks.alike`."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.attendances import make_attendances
from tariff.buffers import read_only
from tariff.classify.codes import NOTHING_64
from tariff.facts import (
    ATTENDANCE_HRG,
    ATTENDED,
    CONSULTANT_SPECIALTY,
    FIRST_ATTENDANCE,
    FORM,
    LED,
    MULTI_PROFESSIONAL,
    PROVIDER,
    TREATMENT_FUNCTION,
)
from tariff.kernels.outpatient import SEEN, Attendances, price
from tariff.kinds import compiled_pack
from tariff.rulepack import RulePack

ATTENDANCES = 250_000
"""A block."""
DIFFERENT = (5_000, 20_000, 100_000, ATTENDANCES)
TURNS = 30
AGE = 40


def facts_of(different: int, pack: RulePack, chance: np.random.Generator) -> NDArray[np.uint64]:
    """Facts of a block of attendances of which so many differ, with any codes that the pack knows."""
    providers, functions, hrgs = len(pack.provider_factors), len(pack.outpatient), len(pack.admitted)
    between = {
        PROVIDER: (-providers, providers),
        ATTENDANCE_HRG: (0, hrgs),
        TREATMENT_FUNCTION: (0, functions),
        ATTENDED: (SEEN, SEEN),
        FORM: (0, 5),
        FIRST_ATTENDANCE: (1, 4),
        MULTI_PROFESSIONAL: (0, 1),
        LED: (0, 2),
        CONSULTANT_SPECIALTY: (0, 1),
    }
    facts = np.zeros(different, np.uint64)
    for field, (least, most) in between.items():
        answers = chance.integers(least, most, different, endpoint=True)
        facts |= (answers - field.lowest).astype(np.uint64) << np.uint64(field.shift)
    return facts[chance.integers(0, different, ATTENDANCES)] if different < ATTENDANCES else facts


def nanoseconds(pack: RulePack, different: int) -> float:
    """Processor time an attendance, of the fastest turn."""
    book = compiled_pack(pack).book
    ages, dates = np.full(ATTENDANCES, AGE, np.int32), np.full(ATTENDANCES, book.year.starts, np.int32)
    facts = facts_of(different, pack, np.random.default_rng(different))
    attendances = Attendances(facts, read_only(dates), read_only(ages), NOTHING_64)
    turns = []
    for _ in range(TURNS):
        start = time.thread_time()
        price(attendances, book, strict_dates=True, explained=False)
        turns.append(time.thread_time() - start)
    return min(turns) / ATTENDANCES * 1e9


def main() -> None:
    """Print the table."""
    with TemporaryDirectory() as folder:
        pack = make_attendances(Path(folder), 1_000).pack()
        for different in DIFFERENT:
            print(f"{different:>9,} different of {ATTENDANCES:,}: {nanoseconds(pack, different):4.0f} ns an attendance")


if __name__ == "__main__":
    main()
