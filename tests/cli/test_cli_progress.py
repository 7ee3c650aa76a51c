"""How far a run is: a bar on a terminal, now and then a line in a log, never a word among the results."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from tariff.cli.progress import LogLines, bar, duration, line_of_log


def test_a_line_every_half_minute_with_rate_and_time_left():
    said: list[str] = []
    times = iter([0.0, 0.0, 10.0, 30.0, 59.0, 61.0])
    lines = LogLines(said.append, lambda: next(times))
    for done in (0, 1_000, 300_000, 590_000, 610_000):
        lines(done, 1_000_000)
    assert said == [
        "300,000 of 1,000,000 lines, 10,000 a second, about 1 min 10 s left",
        "610,000 of 1,000,000 lines, 10,000 a second, about 39 s left",
    ]


def test_the_rate_of_a_resumed_run_is_that_of_its_own_lines():
    said: list[str] = []
    times = iter([0.0, 0.0, 40.0])
    lines = LogLines(said.append, lambda: next(times))
    lines(900_000, 1_000_000)
    lines(904_000, 1_000_000)
    assert said == ["904,000 of 1,000,000 lines, 100 a second, about 16 min 0 s left"]


@pytest.mark.parametrize(("seconds", "told"), [(-1, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7_300, "2 h 1 min")])
def test_durations(seconds, told):
    assert duration(seconds) == told


def test_no_rate_no_time_left():
    assert line_of_log(0, 10, 0.0) == "0 of 10 lines, 0 a second"


def test_the_bar_tells_count_rate_and_time_left():
    out = io.StringIO()
    with bar(Console(file=out, force_terminal=True, width=120)) as told:
        told(0, 1_000)
        told(400, 1_000)
        told(900, 1_000)
    assert "900 of 1,000 lines" in out.getvalue()
    assert "a second" in out.getvalue()


@pytest.fixture
def many(spells):
    return ["price", str(spells(*[{}] * 3_000, name="apc.parquet")), "--rules", "example"]


@pytest.mark.parametrize("out", [["--out", "p.parquet"], ["--out", "run"], ["--out", "t.parquet", "--aggregate"]])
def test_every_kind_of_run_says_how_far_it_is(many, out, monkeypatch, tariff):
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("tariff.cli.progress.LogLines", lambda _say: lambda done, of: told.append((done, of)))
    assert tariff(*many, *out).code == 0
    assert told[0] == (0, 3_000)
    assert told[-1] == (3_000, 3_000)
    assert told == sorted(told)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_sees_the_bar_and_a_log_does_not(many):
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "tariff", *many, "--out"]
    shown = subprocess.run([*command, "a.parquet"], stdout=subprocess.PIPE, stderr=theirs, check=True, text=True)
    seen = os.read(ours, 1 << 16).decode()
    os.close(ours)
    os.close(theirs)
    assert "of 3,000 lines" in seen
    logged = subprocess.run([*command, "b.parquet"], capture_output=True, check=True, text=True)
    assert "of 3,000 lines" not in logged.stderr
    assert "\x1b" not in shown.stdout + logged.stdout + logged.stderr
    assert shown.stdout == logged.stdout
