"""The measurements behind the README's table. What pytest-benchmark times itself is the engine; every contender's turns, the
engine's among them, are in `extra_info`."""

from __future__ import annotations

import pytest

from benchmarks.attendance_totals import AttendanceTotals
from benchmarks.bench_pathways import CONTENDERS as PATHWAY_TASKS
from benchmarks.bench_pathways import PathwayContest
from benchmarks.contenders import CONTENDERS, TOTALLERS_OF_FEW_CELLS, TOTALLERS_OF_SPELLS
from benchmarks.kernel_alone import KernelAlone
from benchmarks.measure import summary
from benchmarks.parquet_to_parquet import ParquetToParquet
from benchmarks.spell_totals import SpellTotals, TotalsOfFewCells
from benchmarks.totallers import TOTALLERS

pytestmark = pytest.mark.measure


def test_kernel_alone(benchmark, work_of, encoded_spells, turns, same_pence, versions, command):
    contest = KernelAlone(work_of(encoded_spells), encoded_spells)
    contest.peers_turn()
    for one in contest.turns.values():
        one.wall.clear()
        one.cpu.clear()
    benchmark.pedantic(contest.kernel_turn, setup=contest.peers_turn, rounds=turns)
    contest.require_same_pence(same_pence)
    benchmark.extra_info.update(summary(encoded_spells, contest.turns), versions=versions, command=command)


def test_parquet_to_parquet(benchmark, work_of, spells, turns, same_pence, versions, command, tmp_path):
    with ParquetToParquet(work_of(spells), list(CONTENDERS), spells, tmp_path) as contest:
        benchmark.pedantic(contest.engine_turn, setup=contest.peers_turn, rounds=turns)
        contest.require_same_pence(same_pence)
    benchmark.extra_info.update(summary(spells, contest.turns), versions=versions, command=command)


@pytest.mark.parametrize(
    ("totals", "totallers"),
    [(SpellTotals, TOTALLERS_OF_SPELLS), (TotalsOfFewCells, TOTALLERS_OF_FEW_CELLS)],
    ids=["many cells", "few cells"],
)
def test_spell_totals(totals, totallers, benchmark, work_of, spells, turns, versions, command, tmp_path):
    with totals(work_of(spells), list(totallers), spells, tmp_path) as contest:
        benchmark.pedantic(contest.engine_turn, setup=contest.peers_turn, rounds=turns)
        contest.require_same_totals()
    benchmark.extra_info.update(summary(spells, contest.turns), versions=versions, command=command)


def test_attendance_totals(benchmark, attendances_of, attendances, turns, versions, command, tmp_path):
    with AttendanceTotals(attendances_of(attendances), list(TOTALLERS), attendances, tmp_path) as contest:
        benchmark.pedantic(contest.engine_turn, setup=contest.peers_turn, rounds=turns)
        contest.require_same_totals()
    benchmark.extra_info.update(summary(attendances, contest.turns), versions=versions, command=command)


@pytest.mark.parametrize("task", PATHWAY_TASKS)
def test_pathways(task, benchmark, lines_of_care, turns, versions, command):
    contest = PathwayContest(task, lines_of_care)
    benchmark.pedantic(contest.engine_turn, setup=contest.peers_turn, rounds=turns)
    contest.require_same_answers()
    benchmark.extra_info.update(summary(lines_of_care, contest.turns), versions=versions, command=command)
