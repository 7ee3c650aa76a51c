"""Compiled kernels on disk: several processes may meet in one cold cache, an install and a home that cannot be written do no
harm, and what a process needs to start is bounded. What is bounded is processor time, as the machine may be busy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import polars as pl
import pytest

import tariff
from tariff.columns import ADMITTED, names
from tariff.compiled import IS_COMPILED, _one_at_a_time, compiled

PRICE = """
import sys, time
from pathlib import Path
from tariff.batch import Job, price_files
run = price_files(Job([(None, Path("apc.csv"))], Path(sys.argv[1]), "example", overwrite=True))
print(run.card["price_pence"], time.process_time())
"""
EXPECTED = 630_000
WARM_SECONDS, COLD_SECONDS = 3, 15
SLOW = 4
"""How many times longer a slow machine may take, or one whose processors other work takes turns on."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tariff.compiled._FOLDER", tmp_path / "kernels")  # damaged here, and not under another test's feet
    row = ["S1", "ZZB", "99A", "2017-06-20", "2017-06-30", "11", "1", "60", "HN22E"]
    pl.DataFrame([row], schema=names(ADMITTED, required_only=True), orient="row").write_csv("apc.csv")
    return tmp_path


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}}
    return {**kept, **changes}


def start(out: str, **changes: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PRICE, out]
    return subprocess.Popen(command, env=environment(**changes), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> float:
    """The seconds of processor time a process took to its first price, which must be right."""
    out, err = process.communicate(timeout=1_200)
    assert process.returncode == 0, err
    pence, seconds = out.split()
    assert int(pence) == EXPECTED
    return float(seconds)


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled")
def test_a_cold_cache_that_several_processes_fill_at_once_is_whole(folder):
    cache = str(folder / "cache")
    for process in [start(f"cold{number}.parquet", NUMBA_CACHE_DIR=cache) for number in range(3)]:
        assert finished(process) < COLD_SECONDS * SLOW
    kept = {path: path.stat().st_mtime_ns for path in (folder / "cache").rglob("*.nb?")}
    assert kept
    seconds = [finished(start(f"warm{number}.parquet", NUMBA_CACHE_DIR=cache)) for number in range(2)]
    assert min(seconds) < WARM_SECONDS * SLOW
    assert {path: path.stat().st_mtime_ns for path in (folder / "cache").rglob("*.nb?")} == kept, "nothing is compiled again"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="as POSIX has it")
def test_a_home_that_cannot_be_written_leaves_the_temporary_folder(folder):
    (folder / "home").write_text("a file, so that nothing can be put below it")
    (folder / "scratch").mkdir()
    finished(start("a.parquet", HOME=str(folder / "home"), TMPDIR=str(folder / "scratch")))
    (cache,) = (folder / "scratch").glob(f"tariff-{os.getuid()}/kernels-*")
    assert cache.stat().st_mode & 0o077 == 0, "what stands there is run: nobody else may write it"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="as POSIX has it")
def test_without_any_place_for_a_cache_prices_are_right(folder):
    (folder / "home").write_text("a file")
    finished(start("a.parquet", NUMBA_CACHE_DIR=str(folder / "home")))


def _mounts() -> bool:
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "-m", "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not _mounts(), reason="nothing can be mounted here, so nothing can be made read-only for any user")
def test_a_read_only_install_prices_from_the_user_s_cache(folder):
    package = Path(tariff.__file__).parent
    shutil.copytree(package, folder / "site" / "tariff", ignore=shutil.ignore_patterns("__pycache__"))
    rules = package / "_rules" if (package / "_rules").is_dir() else package.parent / "rules"
    shutil.copytree(rules, folder / "site" / "rules")
    (folder / "home").mkdir()
    script = f"mount --bind site site && mount -o remount,ro,bind site && exec '{sys.executable}' -c \"$1\" out.parquet"
    changes = {"PYTHONPATH": str(folder / "site"), "HOME": str(folder / "home"), "PYTHONSAFEPATH": "1"}
    probe = PRICE + "\nimport tariff, errno\nassert 'site' in tariff.__file__, tariff.__file__\n"
    probe += "try:\n    open('site/tariff/x', 'w')\nexcept OSError as error:\n    assert error.errno == errno.EROFS\n"
    probe += "else:\n    raise AssertionError('it can be written')\n"
    command = ["unshare", "-m", "sh", "-c", script, "sh", probe]
    done = subprocess.run(command, env=environment(**changes), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) == EXPECTED
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        assert list((folder / "home").rglob("kernels-*/**/*.nbi"))


def _seconds_of_children() -> float:
    """Processor time of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


@pytest.mark.skipif(sys.platform == "win32", reason="the time of a process that has ended is not told there")
def test_starting_up_is_bounded():
    """`tariff --help` in half a second and a first price in three, with a warm cache; the best of three."""
    seconds: dict[str, list[float]] = {"help": [], "price": []}
    for number in range(3):
        begun = _seconds_of_children()
        subprocess.run([sys.executable, "-m", "tariff", "--help"], capture_output=True, check=True)
        seconds["help"].append(_seconds_of_children() - begun)
        seconds["price"].append(finished(start(f"{number}.parquet", HOME=os.environ.get("HOME", ""))))
        if seconds["help"][-1] < 0.5 and seconds["price"][-1] < WARM_SECONDS:
            break
    assert min(seconds["help"]) < 0.5 * SLOW
    assert min(seconds["price"]) < WARM_SECONDS * SLOW


def test_threads_that_come_to_a_loop_together_compile_it_one_after_the_other() -> None:
    at_once, most = 0, 0

    def compile_for(signature: str) -> str:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.01)
        at_once -= 1
        return signature

    compile_once = _one_at_a_time(None, compile_for)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(compile_once, "abcdefgh")) == list("abcdefgh")
    assert most == 1


def doubled(pence):
    return 2 * pence


def nowhere(pence):
    return pence.nowhere


@pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled")
@pytest.mark.parametrize("ending", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("left", ["nothing", "a part", "garbage"])
def test_a_damaged_cache_is_done_without_and_made_anew(ending, left):
    first = compiled(doubled)
    assert first(3) == 6
    kept = Path(first.stats.cache_path)
    for file in kept.glob(f"*doubled{ending}"):
        was = file.read_bytes()
        file.write_bytes({"nothing": b"", "a part": was[: len(was) // 2], "garbage": b"\x80\x05garbage"}[left])
    assert compiled(doubled)(4) == 8
    healed, again = compiled(doubled), compiled(doubled)
    assert (healed(5), again(6)) == (10, 12)
    assert sum(again.stats.cache_hits.values()) == 1


@pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled")
def test_a_cache_that_cannot_be_written_is_done_without(monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    loop = compiled(doubled)
    loop._cache.flush()
    monkeypatch.setattr(type(loop._cache), "save_overload", full)
    assert loop(7) == 14


@pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled")
def test_a_fault_of_a_loop_is_told_all_the_same():
    with pytest.raises(numba.core.errors.TypingError):
        compiled(nowhere)(1)
