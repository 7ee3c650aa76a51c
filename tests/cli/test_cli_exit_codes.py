"""Exit codes are part of the interface: each is reached, and each message says what is wrong and what to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TARIFF = [sys.executable, "-m", "tariff"]


def test_0_done(tariff, spells):
    done = tariff("price", spells(), "--rules", "example", "--out", "priced.parquet")
    assert done.code == 0
    assert done.out.splitlines()[0].split() == ["1", "lines", "in"]
    assert "£6,300.00  in all, under example" in done.out
    assert "apc.csv: admitted, 1 rows" in done.err
    assert done.err.endswith("written to priced.parquet\n")


def test_results_go_to_stdout_and_messages_to_stderr(tariff, spells):
    done = tariff("price", spells(), "--rules", "example", "--out", "priced.parquet")
    assert "written" not in done.out
    assert "£" not in done.err


@pytest.mark.parametrize(("limit", "code"), [("50", 0), ("49.9", 1), ("0", 1), ("100", 0)])
def test_1_more_unpriced_than_allowed(tariff, spells, limit, code):
    file = spells({}, {"hrg": "ZZ99Z"})
    done = tariff("price", file, "--rules", "example", "--out", "priced.parquet", "--max-unpriced", limit)
    assert done.code == code
    assert Path("priced.parquet").exists(), "the lines are there to be looked at"
    assert (f"50.00% of the lines are unpriced, more than the {float(limit):g}% allowed" in done.err) == bool(code)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["prise"], 'Did you mean "price"?'),
        (["price"], "FILES"),
        (["price", "apc.csv"], "--out"),
        (["price", "apc.csv", "--out", "p.parquet", "--dates", "never"], "--dates"),
        (["price", "apc.csv", "--out", "p.parquet", "--max-unpriced", "120"], "--max-unpriced"),
        (["price", "apc.csv", "--out", "p.parquet", "--overwritten"], "--overwrite"),
        (["price", "apc.csv", "--out", "priced.csv"], "give NAME.parquet for one file, or the name of a folder"),
        (["price", "admited=apc.csv", "--out", "p.parquet"], "did you mean 'admitted'?"),
        (["price", "apc.csv", "--dates", "ignore", "--out", "p.parquet"], "name the year"),
        (["verify", "p.parquet", "--sample", "0"], "--sample"),
        (["synth", "--out", "s", "--spells", "0"], "0 spells cannot be made"),
        (["synth", "--out", "s", "--year", "2024-52"], "did you mean '2024-25'?"),
        (["rules", "shwo", "2017-18"], "show"),
    ],
)
def test_2_wrong_usage(tariff, spells, listing, arguments, told):
    spells()
    done = tariff(*arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert listing() == ["apc.csv"]


def test_3_activity_that_is_not_there_is_named_all_at_once(tariff, spells, listing):
    spells()
    done = tariff("price", "apc.csv", "april.csv", "may*.csv", "--out", "priced.parquet")
    assert done.code == 3
    assert "april.csv: there is no such file" in done.err
    assert "may*.csv: there is no such file" in done.err
    assert listing() == ["apc.csv"]


def test_3_a_file_given_twice_would_be_counted_twice(tariff, spells, listing):
    spells()
    done = tariff("price", "apc.csv", "ap*.csv", "--out", "priced.parquet")
    assert done.code == 3
    assert "apc.csv: is given more than once" in done.err
    assert listing() == ["apc.csv"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["price", "apc.csv", "--rules", "2017", "--out", "p.parquet"], "did you mean '2017-18'?"),
        (["price", "apc.csv", "--rules", "example", "--overlay", "nowhere", "--out", "p.parquet"], "nowhere"),
        (
            ["price", "apc.csv", "--rules", "example", "--columns", "grouper_output_spel", "--out", "p.parquet"],
            "grouper_output_spell",
        ),
        (["rules", "show", "2017/18"], "2017-18"),
        (["compare", "apc.csv", "--models", "preset:episodc", "--out", "c"], "did you mean 'episodic'?"),
    ],
)
def test_4_rules_that_cannot_be_used(tariff, spells, listing, arguments, told):
    spells()
    if arguments[0] == "compare":
        assert tariff("price", "apc.csv", "--rules", "example", "--out", "p.parquet").code == 0
        arguments = ["compare", "p.parquet", *arguments[2:]]
    before = listing()
    done = tariff(*arguments)
    assert (done.code, done.out) == (4, "")
    assert told in done.err
    assert listing() == before


def test_6_an_existing_output_is_kept_unless_it_may_be_overwritten(tariff, spells):
    file = spells()
    for out in ("priced.parquet", "run"):
        assert tariff("price", file, "--rules", "example", "--out", out).code == 0
        again = tariff("price", file, "--rules", "example", "--out", out)
        assert again.code == 6
        assert "choose another name or give --overwrite" in again.err
        assert ("--resume goes on with the same run" in again.err) == (out == "run")
        assert tariff("price", file, "--rules", "example", "--out", out, "--overwrite").code == 0


def test_an_empty_folder_is_no_output_yet(tariff, spells, folder):
    (folder / "run").mkdir()
    assert tariff("price", spells(), "--rules", "example", "--out", "run").code == 0
    assert tariff("compare", "run", "--models", "preset:episodic", "--out", "report").code == 0


@pytest.mark.parametrize("out", ["apc.parquet", "held", "."])
def test_6_no_output_takes_the_place_of_the_activity(tariff, spells, folder, listing, out):
    (folder / "held").mkdir()
    file = spells(name="held/apc.parquet" if out == "held" else "apc.parquet")
    before, bytes_before = listing(), file.read_bytes()
    done = tariff("price", file, "--rules", "example", "--out", out, "--overwrite")
    assert done.code == 6
    assert "which is to be priced" in done.err
    assert (listing(), file.read_bytes()) == (before, bytes_before)


@pytest.mark.parametrize(
    "arguments",
    [
        ["price", "apc.csv", "--rules", "example", "--out", "mine", "--overwrite"],
        ["compare", "p.parquet", "--models", "preset:episodic", "--out", "mine", "--overwrite"],
        ["synth", "--spells", "10", "--out", "mine", "--overwrite"],
        ["demo", "--spells", "10", "--out", "mine", "--overwrite"],
    ],
)
def test_6_a_folder_of_other_things_is_never_overwritten(tariff, spells, folder, listing, arguments):
    spells()
    assert tariff("price", "apc.csv", "--rules", "example", "--out", "p.parquet").code == 0
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.docx").write_text("years of work")
    before = listing()
    done = tariff(*arguments)
    assert done.code == 6
    assert "thesis.docx" in done.err
    assert listing() == before


@pytest.mark.parametrize("out", ["occupied/priced.parquet", "occupied/run", "occupied/deep/run"])
def test_6_an_output_that_cannot_be_written(tariff, spells, folder, listing, out):
    (folder / "occupied").write_text("a file where a folder is needed")
    file = spells()
    for arguments in (["price", file, "--rules", "example"], ["synth", "--spells", "5"], ["demo", "--spells", "5"]):
        if out.endswith(".parquet") and arguments[0] != "price":
            continue
        done = tariff(*arguments, "--out", out)
        assert (done.code, done.out) == (6, "")
        assert "The output cannot be written" in done.err
        assert out in done.err
        assert listing() == ["apc.csv", "occupied"]


def test_6_a_report_that_cannot_be_written(tariff, spells, folder):
    (folder / "occupied").write_text("a file where a folder is needed")
    assert tariff("price", spells(), "--rules", "example", "--out", "p.parquet").code == 0
    done = tariff("compare", "p.parquet", "--models", "preset:episodic", "--out", "occupied/report")
    assert done.code == 6
    assert "occupied/report" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="limits of this kind are POSIX")
def test_6_a_disk_that_fills_up_is_not_taken_for_a_damaged_input(spells, folder, listing):
    import resource

    spells(*[{"spell_id": f"S{number * 7919 % 999_983}", "commissioner": f"C{number % 97}"} for number in range(4_000)])

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, 15_000))

    for out in ("priced.parquet", "run"):
        command = [*TARIFF, "price", "apc.csv", "--rules", "example", "--out", out]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, preexec_fn=little_room, env=_uncached(folder)
        )
        assert done.returncode == 6, done.stderr
        assert "The output cannot be written" in done.stderr
        assert "make room or choose another folder" in done.stderr
        assert listing() == ["apc.csv"]


def _uncached(folder: Path) -> dict[str, str]:
    """Without a JIT, whose cache would meet the limit first."""
    return {**os.environ, "NUMBA_DISABLE_JIT": "1"}


def test_70_our_own_fault_is_owned_and_quotes_nothing(tariff, spells, monkeypatch, listing):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("NHS 943 476 5919")

    monkeypatch.setattr("tariff.batch.settling.totals_of", broken)
    done = tariff("price", spells(), "--rules", "example", "--out", "priced.parquet")
    assert done.code == 70
    assert "a fault of the engine (ZeroDivisionError at" in done.err
    assert "943" not in done.err
    assert "TARIFF_TRACEBACK=1" in done.err
    assert listing() == ["apc.csv"]


def test_70_the_whole_trace_is_shown_on_request(spells, monkeypatch, capsys):
    from tariff.cli import run

    monkeypatch.setenv("TARIFF_TRACEBACK", "1")
    monkeypatch.setattr("tariff.batch.settling.totals_of", None)
    assert run(["price", str(spells()), "--rules", "example", "--out", "priced.parquet"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_130_interrupted(tariff, spells, monkeypatch, listing):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    file = spells()
    monkeypatch.setattr("tariff.batch.settling.totals_of", interrupted)
    for out in ("priced.parquet", "run"):
        done = tariff("price", file, "--rules", "example", "--out", out)
        assert done.code == 130
        assert "nothing was left half-written" in done.err
        assert {name.split("/")[0] for name in listing()} == ({"apc.csv"} if out != "run" else {"apc.csv", ".run.unfinished"})
    assert "give --resume to continue the run where it stopped" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite signal to another process")
@pytest.mark.parametrize("polite_end", [signal.SIGINT, signal.SIGTERM])
def test_130_a_process_told_to_stop_leaves_nothing(folder, polite_end):
    if signal.getsignal(polite_end) is signal.SIG_IGN:
        pytest.skip("the tests were started to ignore that signal, and so is what they start")
    running = subprocess.Popen(
        [*TARIFF, "synth", "--spells", "5000000", "--out", "year"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 120
    while not any(folder.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    assert any(folder.iterdir()), "it has begun to write"
    running.send_signal(polite_end)
    _, told = running.communicate(timeout=120)
    assert running.returncode == 130, told
    assert "Traceback" not in told
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="pipes differ")
def test_a_reader_that_has_seen_enough_is_no_error(folder):
    done = subprocess.run(
        f"{' '.join(TARIFF)} rules show 2017-18 | head -n 1; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def _in_shell(folder: Path, command: str, redirected: str) -> subprocess.CompletedProcess[str]:
    typed = f"{' '.join(TARIFF)} {command} {redirected}"
    return subprocess.run(typed, shell=True, executable="/bin/bash", cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="nothing is always full there")
@pytest.mark.parametrize(
    ("redirected", "codes"),
    [
        ("2>&-", (0, 3)),
        (">&-", (0, 3)),
        (">&- 2>&- <&-", (0, 3)),
        (">/dev/full", (6, 3)),
        (">/dev/full 2>&-", (6, 3)),
        ("2>/dev/full", (0, 3)),
    ],
)
def test_streams_that_are_closed_or_full(folder, spells, redirected, codes):
    spells()
    done = [_in_shell(folder, f"price {name} --rules example --out run", redirected) for name in ("apc.csv", "no.csv")]
    assert tuple(one.returncode for one in done) == codes
    assert (folder / "run" / "run_card.json").is_file()
    assert "Traceback" not in done[0].stderr
    if redirected == ">/dev/full":
        assert "The result cannot be printed: No space left on device. The files that were written are whole." in done[0].stderr


def test_a_log_that_holds_no_minus_sign_still_tells_what_is_negative(folder, spells):
    spells({"hrg": "DZ11S", "admission_method": "21", "discharge_date": "2017-06-20", "age": "70", "grouping_method": "D"})
    done = subprocess.run(
        [*TARIFF, "price", "apc.csv", "--rules", "example", "--out", "priced.parquet"],
        cwd=folder,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )
    assert "-£3,000.00  short-stay reductions" in done.stdout.decode("cp1252")
