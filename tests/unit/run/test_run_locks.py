"""Locks: one holder, nothing left when it goes, and no interruption that arrives at the wrong moment leaves one behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from tariff.interruptions import InterruptionsPutOff
from tariff.locks import locked

pytestmark = pytest.mark.usefixtures("interruptible")


def test_a_second_is_not_let_in_and_nothing_is_left(tmp_path):
    path = tmp_path / "lock"
    with locked(path) as first:
        assert first
        with locked(path) as second:
            assert not second
        assert path.exists()
    assert not path.exists()


def test_what_cannot_be_made_is_an_error_and_interruptions_arrive_again(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(OSError, match="No such file"), locked(tmp_path / "nowhere" / "lock"):
        raise AssertionError("not reached")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("moment", ["_lock", "_unlock"])
def test_an_interruption_while_a_lock_is_taken_or_let_go_leaves_none(tmp_path, monkeypatch, moment):
    import tariff.locks

    done = getattr(tariff.locks, moment)

    def interrupted(*arguments):
        result = done(*arguments)
        signal.raise_signal(signal.SIGINT)
        return result

    monkeypatch.setattr(tariff.locks, moment, interrupted)
    path = tmp_path / "lock"
    with pytest.raises(KeyboardInterrupt), locked(path):
        assert moment == "_unlock", "an interruption while it was taken arrives before anything is done"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_what_came_meanwhile_arrives_once_let_in():
    with InterruptionsPutOff() as interruptions:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interruptions.let_in()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_another_thread_changes_no_handler():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def elsewhere():
        with InterruptionsPutOff():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]


_HOLDER = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGTERM, signal.default_int_handler)
from tariff.locks import locked
print("ready", flush=True)
try:
    while True:
        with locked(Path(sys.argv[1])):
            pass
except KeyboardInterrupt:
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite signal to another process")
def test_a_process_told_to_stop_at_any_moment_leaves_no_lock(tmp_path):
    for turn in range(12):
        holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE)
        assert holder.stdout is not None
        holder.stdout.readline()
        time.sleep(0.001 * turn)
        holder.send_signal(signal.SIGTERM)
        holder.communicate(timeout=30)
        assert list(tmp_path.iterdir()) == []


ENDED = """
import os, signal
from tariff.interruptions import ended_by_interruptions, has_been_interrupted
with ended_by_interruptions():
    {act}
"""
IN_A_FINALISER = "type('Odd', (), {'__del__': lambda _: signal.raise_signal(signal.SIGTERM)})(); import time; time.sleep(30)"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite signal to another process")
@pytest.mark.parametrize(
    "act",
    [
        "signal.raise_signal(signal.SIGINT)",
        "signal.raise_signal(signal.SIGTERM)",
        "exec('signal.raise_signal(signal.SIGINT)')",
        IN_A_FINALISER,
    ],
    ids=["ctrl-c", "polite end", "in text that is executed, as data classes are made", "in a finaliser"],
)
def test_a_program_that_is_interrupted_ends_with_its_exit_code(act):
    """Not by the signal, and without a trace, wherever it arrives."""
    done = subprocess.run([sys.executable, "-c", ENDED.format(act=act)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, "tariff: interrupted; nothing was left half-written\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite signal to another process")
def test_an_interruption_while_the_program_ends_or_that_it_was_started_to_ignore_is_not_heeded():
    late = ENDED.format(act="pass") + "signal.raise_signal(signal.SIGINT); signal.raise_signal(signal.SIGTERM)"
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" + ENDED.format(
        act="signal.raise_signal(signal.SIGINT)"
    )
    for program in (late, ignored):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_an_interruption_between_two_handlers_put_back_swallows_none(monkeypatch):
    """One that arrives while handlers are put back leaves the rest unput: what comes later arrives all the same."""
    real, calls = signal.signal, []

    def interrupted(number, handler):
        before = real(number, handler)
        calls.append(number)
        if len(calls) == 3:  # two taken, the first of them put back
            raise KeyboardInterrupt
        return before

    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    monkeypatch.setattr(signal, "signal", interrupted)
    with pytest.raises(KeyboardInterrupt), InterruptionsPutOff():
        pass
    monkeypatch.undo()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before
