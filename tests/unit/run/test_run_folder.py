"""Runs into a folder: written in parts, stopped at any point and continued, and never two at once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariff.batch import Job, PathwayJob, price_files
from tariff.columns import ADMITTED, PRICED_LINE, names
from tariff.errors import ActivityError, DisagreementError, OutputError, RulesError, UsageError
from tariff.intake import facts_of, take_in
from tariff.priced_lines import scan_lines
from tariff.pricing import price
from tariff.report import compare
from tariff.rulepack import load_pack
from tariff.run_folder import UnfinishedRun, unfinished_folder
from tariff.whole_files import only_writer

SPELL = ["S1", "ZZB", "99A", "2017-06-20", "2017-06-30", "11", "1", "60", "HN22E"]
STOPPED = """
import os, signal, sys
from pathlib import Path
from tariff.batch import Job, price_files
stop = int(sys.argv[1])
def progress(done, of):
    if done >= stop:
        os.kill(os.getpid(), signal.SIGKILL)
files = [(None, Path(name)) for name in ("a.parquet", "b.csv")]
price_files(Job(files, Path("run"), "example", rows_in_a_part=100, command=["a", "test"], progress=progress))
"""


def spells(start: int, count: int) -> pl.DataFrame:
    rows = [[f"S{number}", *SPELL[1:7], str(number % 90), SPELL[8]] for number in range(start, start + count)]
    return pl.DataFrame(rows, schema=names(ADMITTED, required_only=True), orient="row")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    spells(0, 450).write_parquet("a.parquet")
    spells(450, 230).write_csv("b.csv")
    return tmp_path


def job(out: str = "run", **options: object) -> Job:
    given = {"files": [(None, Path("a.parquet")), (None, Path("b.csv"))], "rules": "example", "rows_in_a_part": 100}
    return Job(out=Path(out), command=["a", "test"], **{**given, **options})  # type: ignore[arg-type]


def contents(out: str) -> dict[str, bytes]:
    """Every file of a run with its bytes, the card without its times."""
    found = {str(path.relative_to(out)): path.read_bytes() for path in sorted(Path(out).rglob("*")) if path.is_file()}
    card = json.loads(found["run_card.json"])
    return {**found, "run_card.json": json.dumps({**card, "started": "", "finished": ""}).encode()}


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A run that is interrupted when so many parts are whole."""

    def stop(after: int, **options: object) -> None:
        real = UnfinishedRun.add

        def add(self: UnfinishedRun, lines: pl.DataFrame, number: int) -> None:
            if len(self.parts) == after:
                raise KeyboardInterrupt
            real(self, lines, number)

        with monkeypatch.context() as patch:
            patch.setattr(UnfinishedRun, "add", add)
            with pytest.raises(KeyboardInterrupt):
                price_files(job(**options))

    return stop


def test_a_run_is_part_files_a_manifest_and_a_card(folder):
    run = price_files(job())
    assert sorted(path.name for path in folder.iterdir()) == ["a.parquet", "b.csv", "run"]
    assert sorted(path.name for path in run.out.iterdir()) == ["manifest.json", "priced", "run_card.json"]
    manifest = json.loads((run.out / "manifest.json").read_text())
    assert [(part["input"], part["rows"]) for part in manifest["parts"]] == [
        *[(1, 100)] * 4,
        (1, 50),
        (2, 100),
        (2, 100),
        (2, 30),
    ]
    assert sorted(str(path.relative_to(run.out)) for path in run.out.glob("priced/*")) == [
        one["file"] for one in manifest["parts"]
    ]
    lines = pl.read_parquet(run.out / "priced" / "*.parquet")
    assert lines["line_id"].to_list() == [f"S{number}" for number in range(680)]


def test_parts_hold_what_the_api_gives_row_for_row():
    run = price_files(job(rows_in_a_part=7))
    parts = take_in([(None, Path("a.parquet")), (None, Path("b.csv"))]).parts
    expected = pl.concat([price(part.lines, load_pack("example")) for part in parts]).collect()
    assert pl.read_parquet(run.out / "priced" / "*.parquet").equals(expected)


@pytest.mark.parametrize("after", [1, 4, 5, 7])
def test_a_stopped_run_continues_to_the_same_bytes(stopping, after):
    price_files(job("whole"))
    stopping(after)
    assert not Path("run").exists()
    kept = {path: path.stat().st_mtime_ns for path in unfinished_folder(Path("run")).glob("priced/*")}
    assert len(kept) == after
    price_files(job(resume=True))
    assert contents("run") == contents("whole")
    assert {path.name: path.stat().st_mtime_ns for path in Path("run/priced").iterdir()}.items() >= {
        path.name: stamp for path, stamp in kept.items()
    }.items()
    assert not unfinished_folder(Path("run")).exists()


@pytest.mark.parametrize("after", [1, 3, 6, 7])
def test_episodes_and_items_written_on_spells_continue_in_their_order(stopping, after):
    """Rows that are grouped or taken apart come in the same order every time."""
    number = pl.int_range(900)
    episodes = spells(0, 900).with_columns(
        spell_id="E" + (number * 7 % 300).cast(pl.String),
        episode_number=(number // 300 + 1).cast(pl.String),
        episode_start_date="admission_date",
        episode_end_date="discharge_date",
    )
    episodes.write_parquet("a.parquet")
    items = pl.when(pl.int_range(230) % 3 == 0).then(pl.lit("XD01Z*2;VB01Z")).otherwise(None).alias("unbundled")
    spells(450, 230).with_columns(items).write_csv("b.csv")
    price_files(job("whole"))
    stopping(after)
    price_files(job(resume=True))
    assert contents("run") == contents("whole")
    lines = pl.read_parquet("run/priced/*.parquet")
    assert lines["kind"].value_counts().sort("count")["count"].to_list()[-1] == 300 + 230


def _flip_a_bit(unfinished: Path) -> None:
    path = unfinished / "priced" / "part-00003.parquet"
    spoiled = bytearray(path.read_bytes())
    spoiled[200] ^= 4
    path.write_bytes(spoiled)


def _cut_the_journal(unfinished: Path) -> None:
    path = unfinished / "parts.jsonl"
    path.write_bytes(path.read_bytes()[:-20])


def _leave_rubbish(unfinished: Path) -> None:
    (unfinished / "priced" / ".part-00006.parquet.abc.partial").write_bytes(b"PAR1")
    (unfinished / "priced" / "part-00006.parquet").write_bytes(b"PAR1")
    (unfinished / "run_card.json").write_text("{")


SPOILS = [
    _flip_a_bit,
    _cut_the_journal,
    _leave_rubbish,
    lambda unfinished: (unfinished / "priced" / "part-00002.parquet").unlink(),
    lambda unfinished: (unfinished / "parts.jsonl").unlink(),
    lambda unfinished: (unfinished / "parts.jsonl").write_text('{"file": 7}\n[]\n'),
    lambda unfinished: (unfinished / "manifest.json").unlink(),
]


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_is_not_whole_is_made_again(stopping, spoil):
    price_files(job("whole"))
    stopping(5)
    spoil(unfinished_folder(Path("run")))
    price_files(job(resume=True))
    assert contents("run") == contents("whole")


def test_with_nothing_there_it_starts_afresh():
    price_files(job("whole"))
    price_files(job(resume=True))
    assert contents("run") == contents("whole")


def test_a_finished_run_is_left_as_it_is():
    run = price_files(job())
    before = (run.out / "run_card.json").read_bytes()
    again = price_files(job(resume=True))
    assert (run.out / "run_card.json").read_bytes() == before
    assert again.card == json.loads(before)


FINISHED_SPOILS = [
    _flip_a_bit,
    lambda run: (run / "priced" / "part-00002.parquet").unlink(),
    lambda run: shutil.rmtree(run / "priced"),
    lambda run: (run / "run_card.json").unlink(),
    lambda run: (run / "run_card.json").write_text("{"),
]


@pytest.mark.parametrize("spoil", FINISHED_SPOILS)
@pytest.mark.parametrize("killed", [False, True])
def test_a_finished_run_that_was_damaged_is_made_again(stopping, spoil, killed):
    """Even where the making again is stopped in its turn."""
    price_files(job("whole"))
    price_files(job())
    spoil(Path("run"))
    if killed:
        stopping(3, resume=True)
    price_files(job(resume=True))
    assert contents("run") == contents("whole")
    assert not unfinished_folder(Path("run")).exists()


def test_a_finished_run_without_a_table_is_made_again():
    asked = {"pathways": PathwayJob()}
    price_files(job("whole", **asked))
    price_files(job(**asked))
    (Path("run") / "pathways.parquet").unlink()
    price_files(job(resume=True, **asked))
    assert contents("run") == contents("whole")


def test_what_was_added_to_a_finished_run_is_not_replaced():
    price_files(job())
    shutil.copy("run/priced/part-00001.parquet", "run/priced/mine.parquet")
    with pytest.raises(OutputError, match=r"mine\.parquet: is no part of the run\n    move it out of the folder"):
        price_files(job(resume=True))
    assert Path("run/priced/mine.parquet").is_file()


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    """The manifest of `run` with a change."""
    manifest = json.loads(Path("run/manifest.json").read_bytes())
    change(manifest)
    return json.dumps(manifest)


MANIFESTS: list[Callable[[], str]] = [
    lambda: "{",
    lambda: "[]",
    lambda: _changed(lambda manifest: manifest.pop("inputs")),
    lambda: _changed(lambda manifest: manifest.update(packs=None)),
    lambda: _changed(lambda manifest: manifest.update(options=[])),
    lambda: _changed(lambda manifest: manifest["inputs"][0].pop("sha256")),
    lambda: _changed(lambda manifest: manifest["packs"][0].pop("label")),
    lambda: _changed(lambda manifest: manifest.update(parts=7)),
    lambda: _changed(lambda manifest: manifest["parts"][0].update(rows="x")),
    lambda: _changed(lambda manifest: manifest["parts"][0].update(file="../../etc")),
    lambda: _changed(lambda manifest: manifest["parts"][0].update(more=1)),
]


@pytest.mark.parametrize("damaged", MANIFESTS)
def test_a_damaged_manifest_is_refused_by_name(damaged):
    price_files(job())
    Path("run/manifest.json").write_text(damaged())
    with pytest.raises(OutputError, match=r"manifest\.json: is damaged\n    give --overwrite instead of --resume"):
        price_files(job(resume=True))
    with pytest.raises(ActivityError, match=r"manifest\.json: is damaged\n    run `tariff price` again"):
        scan_lines("run")


def _append_rows(part: Path) -> None:
    lines = pl.read_parquet(part)
    pl.concat([lines, lines.head(1)]).write_parquet(part)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda part: part.unlink(), "is missing\n    run `tariff price` again with --resume or --overwrite"),
        (lambda part: shutil.copy(part, part.with_name("part-00099.parquet")), r"part-00099\.parquet: is no part of the run"),
        (_append_rows, "has 101 rows, not the 100 that were written"),
        (lambda part: part.write_bytes(part.read_bytes()[:-3]), "is not a whole Parquet file"),
        (lambda part: (part.parents[1] / "manifest.json").unlink(), r"manifest\.json: is missing"),
    ],
)
def test_a_run_folder_that_is_not_as_it_was_written_is_not_read(spoil, told):
    price_files(job())
    assert scan_lines("run").select(pl.len()).collect().item() == 680
    spoil(Path("run/priced/part-00003.parquet"))
    for read in (scan_lines, lambda run: compare(run, "preset:episodic")):
        for given in ("run", "run/priced"):
            with pytest.raises(ActivityError, match=told):
                read(given)


def test_an_unfinished_run_is_not_read(stopping):
    stopping(2)
    with pytest.raises(ActivityError, match="was stopped before its end\n    run `tariff price` again with --resume"):
        scan_lines(unfinished_folder(Path("run")))


def test_an_unfinished_run_is_not_begun_over_by_accident(stopping):
    stopping(2)
    with pytest.raises(OutputError, match="give --resume to continue it, or --overwrite to start afresh"):
        price_files(job())
    price_files(job(overwrite=True))
    price_files(job("whole"))
    assert contents("run") == contents("whole")


def _change_a_file() -> dict[str, object]:
    spells(450, 231).write_csv("b.csv")
    return {}


def _overlay() -> dict[str, object]:
    Path("mine").mkdir()
    text = '[overlay]\nname = "mine"\nnote = "for a test"\n'
    Path("mine/overlay.toml").write_text(text, encoding="utf-8")
    Path("mine/mff.csv").write_text("provider,name,mff,source,confidence\nZZB,A,1.1,a test,local\n", encoding="utf-8")
    return {"overlays": [Path("mine")]}


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (_change_a_file, ActivityError, "b.csv: is not a file the run was begun with, or has changed since"),
        (lambda: {"files": [(None, Path("a.parquet"))]}, ActivityError, "b.csv: was part of the run"),
        (lambda: {"files": [(None, Path("b.csv")), (None, Path("a.parquet"))]}, ActivityError, "in another order"),
        (_overlay, RulesError, "are not those the run was begun with"),
        (lambda: {"dates": "ignore"}, OutputError, "was begun with dates 'strict', not 'ignore'"),
        (lambda: {"rows_in_a_part": 50}, OutputError, "rows_in_a_part"),
    ],
)
@pytest.mark.parametrize("finished", [False, True])
def test_another_run_is_never_continued(stopping, change, error, told, finished):
    price_files(job()) if finished else stopping(2)
    with pytest.raises(error, match=told):
        price_files(job(**{"resume": True, **change()}))


def test_a_file_that_changes_meanwhile_is_refused_and_nothing_is_kept(monkeypatch):
    def change(done: int, _of: int) -> None:
        if done == 100:
            os.utime("b.csv", (1, 1))

    with pytest.raises(ActivityError, match=r"b\.csv: has changed meanwhile"):
        price_files(job(progress=change))
    assert not Path("run").exists()
    assert not unfinished_folder(Path("run")).exists()


def test_a_disk_that_fills_up_keeps_what_is_done(monkeypatch):
    real = pl.DataFrame.write_parquet

    def full(frame: pl.DataFrame, path: Path, **options: object) -> None:
        if "part-00004" in str(path):
            raise pl.exceptions.ComputeError("No space left on device, near P943")
        real(frame, path, **options)  # type: ignore[arg-type]

    price_files(job("whole"))
    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", full)
        with pytest.raises(OutputError, match="give --resume") as caught:
            price_files(job())
    assert "P943" not in str(caught.value)
    price_files(job(resume=True))
    assert contents("run") == contents("whole")


def test_a_run_whose_place_cannot_be_had_leaves_the_old_one_and_can_be_finished(monkeypatch):
    price_files(job("whole"))
    price_files(job(rows_in_a_part=300))
    before, real = contents("run"), Path.replace

    def held(path: Path, target: Path) -> Path:
        if path == unfinished_folder(Path("run")):
            raise PermissionError(13, "Access is denied")
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", lambda _: None)
        patch.setattr(Path, "replace", held)
        with pytest.raises(OutputError, match="give --overwrite --resume to continue the run"):
            price_files(job(overwrite=True))
    assert contents("run") == before
    price_files(job(overwrite=True, resume=True))
    assert contents("run") == contents("whole")
    assert not unfinished_folder(Path("run")).exists()


def test_a_run_that_does_not_reconcile_is_not_kept(monkeypatch):
    monkeypatch.setattr("tariff.batch.lines_folder.lines_expected", lambda *_: [450, 230])
    real = facts_of
    monkeypatch.setattr(
        "tariff.batch.lines_folder.facts_of", lambda *given: [{**one, "lines": one["lines"] + 1} for one in real(*given)]
    )
    with pytest.raises(DisagreementError, match="682 came in and 680 went out"):
        price_files(job())
    assert not unfinished_folder(Path("run")).exists()


def test_a_second_run_into_the_same_folder_is_refused(folder):
    with only_writer(Path("run")), pytest.raises(OutputError, match="another run is writing there") as caught:
        price_files(job())
    assert caught.value.exit_code == 6
    with only_writer(Path("elsewhere")):
        price_files(job())
    assert sorted(path.name for path in folder.iterdir()) == ["a.parquet", "b.csv", "run"]


def test_one_file_is_not_resumed():
    with pytest.raises(UsageError, match="name a folder"):
        price_files(job("one.parquet", resume=True))


def test_lines_of_nothing_but_nulls_are_all_there():
    blank = {name: pl.Series([None] * 3, dtype=pl.Null) for name in names(ADMITTED, required_only=True)}
    pl.DataFrame(blank).write_parquet("a.parquet")
    run = price_files(job(files=[("admitted", Path("a.parquet"))]))
    assert (run.card["counts"]["in"], run.card["counts"]["rejected"]) == (3, 3)


@pytest.mark.parametrize("rows", [0, 1, 100])
def test_few_lines(rows):
    spells(0, rows).write_parquet("a.parquet")
    run = price_files(job(files=[(None, Path("a.parquet"))]))
    lines = pl.read_parquet(run.out / "priced" / "*.parquet")
    assert (lines.height, len(list(run.out.glob("priced/*")))) == (rows, 1)
    assert lines.columns == list(names(PRICED_LINE))


def _stopped(stop: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", STOPPED, str(stop)], check=False, capture_output=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_holds_no_lock_and_continues_to_the_same_bytes():
    price_files(job("whole"))
    assert _stopped(300).returncode == -signal.SIGKILL
    price_files(job(resume=True))
    assert contents("run") == contents("whole")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_at_twenty_random_moments_and_continued_in_the_end():
    """Each attempt continues where the last one was killed, at a moment that no one chose."""
    price_files(job("whole", rows_in_a_part=25))
    resumed = STOPPED.replace("rows_in_a_part=100", "rows_in_a_part=25, resume=True").replace("done >= stop", "False")
    chance, killed, finished, longest = random.Random(8), 0, 0, 60.0
    while killed < 20:
        assert finished < 40, "runs end before they are killed"
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, "-c", resumed, "0"])
        try:  # the first runs to its end, and tells how long one takes; so does each that is done before it is killed
            process.wait(timeout=chance.uniform(0.4, 1.0) * longest if finished else 600)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
            continue
        finished, longest = finished + 1, time.monotonic() - started
        assert process.returncode == 0
        assert contents("run") == contents("whole")
        for path in (*Path("run/priced").iterdir(), *(path for path in Path("run").iterdir() if path.is_file())):
            path.unlink()
        Path("run/priced").rmdir()
        Path("run").rmdir()
    price_files(job(resume=True, rows_in_a_part=25))
    assert contents("run") == contents("whole")


@pytest.mark.slow
def test_of_two_runs_at_once_one_is_refused_or_finds_it_finished():
    twin = STOPPED.replace("done >= stop", "False").replace("rows_in_a_part=100", "rows_in_a_part=5")
    processes = [subprocess.Popen([sys.executable, "-c", twin, "0"], stderr=subprocess.PIPE) for _ in range(2)]
    errors = [process.communicate()[1].decode() for process in processes]
    codes = sorted(process.returncode for process in processes)
    assert codes == [0, 1], errors
    assert any(told in "".join(errors) for told in ("another run is writing there", "exists"))
    price_files(job("whole", rows_in_a_part=5))
    assert contents("run") == contents("whole")
