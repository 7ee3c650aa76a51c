"""What best practice costs: the same encoded spells priced by the kernel without it, and with it in the same pass; a share of the
spells is covered by a tariff, and of each evidence says met, not met, or nothing. `python -m benchmarks.bench_best_practice`

The kernel with best practice prices every line as it is paid, and every covered line up to three times more (without best
practice, with all that is open met, with all that failed met)."""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from benchmarks.kernel_alone import BLOCK, _cut
from benchmarks.work import Work, make_work
from tariff.activity import read_activity
from tariff.classify.admitted import encode_spells
from tariff.kernels import admitted as kernel
from tariff.kernels.admitted import Spells
from tariff.kernels.best_practice import NO_CASES, Cases, no_standing
from tariff.kinds import CompiledPack
from tariff.rulepack.best_practice_book import (
    ADDITION_PAID,
    ANY_ATTENDANCE,
    ATTENDANCE,
    HIGHEST_AGE,
    LONGEST_STAY,
    LOWEST_AGE,
    MET_PRICE,
    NO_AMOUNT,
    NO_HIGHEST_AGE,
    NO_LONGEST_STAY,
    NO_LOWEST_AGE,
    OTHERWISE,
    TARIFF,
    BestPracticeBook,
)

SHARE_COVERED = 0.15
"""Of spells: more than the candidates of any national list (RULES 3.2)."""
MOST = 1.5
"""Cost of the kernel with best practice, to the kernel without it."""


class BestPracticeCost:
    """Two contenders: the kernel without best practice and with it."""

    def __init__(self, work: Work, spells: int, share: float = SHARE_COVERED) -> None:
        compiled = CompiledPack(work.pack())
        lines = encode_spells(read_activity(work.source).collect(), compiled.admitted)
        self.plain = compiled.book._replace(best_practice=_terms())
        self.blocks = [_cut(lines, first, first + BLOCK) for first in range(0, spells, BLOCK)]
        rng = np.random.default_rng(1)
        self.cases = [_covered(rng, block, share) for block in self.blocks]
        self.without(), self.with_it()

    def without(self) -> int:
        """All blocks without best practice; the sum of prices."""
        return sum(
            int(kernel.price(block, self.plain, strict_dates=True, cases=NO_CASES).price_pence.sum()) for block in self.blocks
        )

    def with_it(self) -> int:
        """All blocks with best practice; the sum of prices without what it earned, which must be the same."""
        total = 0
        for block, cases in zip(self.blocks, self.cases, strict=True):
            standing = no_standing(cases.case.size - 1)
            priced = kernel.price(block, self.plain, strict_dates=True, cases=cases, standing=standing)
            total += int(priced.price_pence.sum()) - int(standing.best_practice_pence.sum())
        return total

    def ratio(self, turns: int) -> tuple[float, float, float]:
        """Processor time with best practice to without, and both in seconds: the least of the turns, turn about in one run."""
        plain, best = [], []
        for _ in range(turns):
            plain.append(_timed(self.without))
            best.append(_timed(self.with_it))
        return min(best) / min(plain), min(plain), min(best)


def _timed(turn: object) -> float:
    started = time.process_time()
    turn()  # type: ignore[operator]
    return time.process_time() - started


def _terms() -> BestPracticeBook:
    """Two tariffs: an addition and a price, of every setting and age."""
    terms = np.zeros((3, 14), dtype=np.int64)
    terms[:, [MET_PRICE, OTHERWISE, ADDITION_PAID]] = NO_AMOUNT
    terms[:, ATTENDANCE], terms[:, LOWEST_AGE] = ANY_ATTENDANCE, NO_LOWEST_AGE
    terms[:, HIGHEST_AGE], terms[:, LONGEST_STAY] = NO_HIGHEST_AGE, NO_LONGEST_STAY
    terms[1, ADDITION_PAID], terms[2, TARIFF], terms[2, MET_PRICE] = 133_500, 1, 500_000
    terms.flags.writeable = False
    return terms


def _covered(rng: np.random.Generator, block: Spells, share: float) -> Cases:
    """Cases for a share of the spells: the addition, the price, or both; every sort of evidence."""
    some = np.flatnonzero(rng.random(block.facts.size) < share)
    place = np.zeros(block.facts.size, dtype=np.int32)
    place[some] = np.arange(1, some.size + 1)
    case = np.concatenate([[0], rng.integers(1, 4, some.size)]).astype(np.int32)
    said = np.concatenate([[0], rng.integers(0, 9, some.size)]).astype(np.int32)
    status = np.array([[one, other] for one in range(3) for other in range(3)], dtype=np.uint8)
    start, rows = np.array([0, 0, 1, 2, 4], dtype=np.int32), np.array([1, 2, 1, 2], dtype=np.int32)
    return Cases(place, case, said, np.zeros(some.size + 1, np.uint8), start, rows, status)


def main() -> None:
    """Measure, print, and fail where best practice costs more than it may."""
    import tempfile
    from pathlib import Path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spells", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        contest = BestPracticeCost(make_work(Path(folder), asked.spells), asked.spells)
        if contest.without() != contest.with_it():
            raise SystemExit("the price less what best practice earned is not the price without it")
        ratio, plain, best = contest.ratio(asked.turns)
    each = 1e9 / asked.spells
    told = {"spells": asked.spells, "covered": SHARE_COVERED, "ratio": round(ratio, 3)}
    told |= {"ns_a_spell_without": round(plain * each, 1), "ns_a_spell_with": round(best * each, 1)}
    print(json.dumps(told, indent=1))
    if ratio > MOST:
        raise SystemExit(f"best practice costs {ratio:.2f} times the kernel without it; it may cost {MOST}")


if __name__ == "__main__":
    main()
