"""Outputs appear only when whole, and nothing that is not an output is ever replaced."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tariff.errors import OutputError
from tariff.whole_files import only_writer, refuse_existing, whole_file, whole_files, whole_folder


class _BreakError(Exception):
    """Something that goes wrong half-way."""


def break_off(path: Path) -> None:
    path.write_text("half")
    raise _BreakError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "out.txt"
    with whole_file(target) as partial:
        partial.write_text("half")
        assert not target.exists()
        assert partial.parent == target.parent, "renaming within a folder is one step"
    assert target.read_text() == "half"
    assert names(target.parent) == ["out.txt"]


def test_a_file_that_breaks_off_leaves_what_was_there(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("before")
    with pytest.raises(_BreakError), whole_file(target) as partial:
        break_off(partial)
    assert target.read_text() == "before"
    assert names(tmp_path) == ["out.txt"]


def test_a_folder_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "run"
    with whole_folder(target, overwrite=False) as partial:
        (partial / "deep").mkdir()
        (partial / "deep" / "a").write_text("a")
        assert not target.exists()
    assert (target / "deep" / "a").read_text() == "a"
    assert names(tmp_path) == ["run"]


def test_a_folder_that_breaks_off_leaves_what_was_there(tmp_path):
    target = tmp_path / "run"
    target.mkdir()
    (target / "a").write_text("before")
    with pytest.raises(_BreakError), whole_folder(target, overwrite=True) as partial:
        break_off(partial / "a")
    assert (target / "a").read_text() == "before"
    assert names(tmp_path) == ["run"]


def test_an_overwritten_folder_holds_nothing_of_the_old_one(tmp_path):
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").write_text("old")
    with whole_folder(target, overwrite=True) as partial:
        (partial / "new").write_text("new")
    assert names(target) == ["new"]
    assert names(tmp_path) == ["run"]


def test_a_folder_takes_the_place_of_an_empty_one(tmp_path):
    target = tmp_path / "run"
    target.mkdir()
    with whole_folder(target, overwrite=False) as partial:
        (partial / "new").write_text("new")
    assert names(target) == ["new"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions differ")
def test_outputs_have_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    with whole_file(tmp_path / "out"):
        pass
    with whole_folder(tmp_path / "run", overwrite=False):
        pass
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert os.access(tmp_path / "run", os.R_OK | os.X_OK)


def test_what_exists_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="--overwrite"):
        refuse_existing(tmp_path / "out", overwrite=False)
    refuse_existing(tmp_path / "out", overwrite=True)
    refuse_existing(tmp_path / "nothing", overwrite=False)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_dangling_link_exists(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists"):
        refuse_existing(tmp_path / "link", overwrite=False)


def test_a_folder_that_holds_anything_else_is_refused_even_then(tmp_path):
    for name in ("run_card.json", "priced", "letter.docx"):
        (tmp_path / name).write_text("")
    with pytest.raises(OutputError, match=r"no part of such an output: letter\.docx"):
        refuse_existing(tmp_path, overwrite=True, holding={"run_card.json", "priced"})
    refuse_existing(tmp_path, overwrite=True, holding={"run_card.json", "priced", "letter.docx"})
    with pytest.raises(OutputError, match="is a file"):
        refuse_existing(tmp_path / "letter.docx", overwrite=True, holding={"priced"})


@pytest.mark.parametrize("open_output", [whole_file, lambda path: whole_folder(path, overwrite=False)], ids=["file", "folder"])
def test_below_a_file_nothing_can_be_written(tmp_path, open_output):
    (tmp_path / "occupied").write_text("")
    with pytest.raises(OutputError, match="a file stands where a folder is needed"), open_output(tmp_path / "occupied" / "out"):
        pass
    assert names(tmp_path) == ["occupied"]


@pytest.mark.parametrize("open_output", [whole_file, lambda path: whole_folder(path, overwrite=False)], ids=["file", "folder"])
def test_an_operating_system_error_while_writing_is_told_as_the_output_s(tmp_path, open_output):
    with pytest.raises(OutputError, match="No space left on device"), open_output(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []


Refusing = Callable[[str, int], None]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    """Renames onto a name are refused so many times, as Windows refuses what a virus scanner holds; nobody waits for it."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    real = Path.replace

    def refuse(name: str, times: int) -> None:
        left = [times]

        def replace(self: Path, target: Path) -> Path:
            if Path(target).name == name and self.suffix == ".partial" and left[0]:
                left[0] -= 1
                raise PermissionError(13, "Access is denied", str(self))
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)

    return refuse


def test_what_is_held_for_a_moment_is_replaced_all_the_same(tmp_path, refusing):
    for name, open_output in (("file", whole_file), ("folder", lambda path: whole_folder(path, overwrite=True))):
        refusing(name, 3)
        with open_output(tmp_path / name) as partial:
            (partial if name == "file" else partial / "new").write_text("new")
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "new").read_text() == "new"
    assert names(tmp_path) == ["file", "folder"]


def test_a_folder_that_cannot_be_replaced_stays_and_so_does_the_new_one(tmp_path, refusing):
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").write_text("old")
    refusing("run", 99)
    with (
        pytest.raises(OutputError, match="Access is denied; what was to take its place is whole and stands at") as caught,
        whole_folder(target, overwrite=True) as partial,
    ):
        (partial / "new").write_text("new")
    assert (target / "old").read_text() == "old"
    assert str(partial) in str(caught.value)
    assert (partial / "new").read_text() == "new"
    assert names(tmp_path) == sorted(["run", partial.name])


def test_an_old_folder_that_cannot_be_removed_is_no_failure(tmp_path, monkeypatch, caplog):
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with whole_folder(target, overwrite=True) as partial:
            (partial / "new").write_text("new")
    assert names(target) == ["new"]
    (left,) = (path for path in tmp_path.iterdir() if path != target)
    assert str(left) in caplog.text
    with whole_folder(target, overwrite=True):
        pass
    assert names(tmp_path) == ["run"], "the next run removes it"


@pytest.mark.parametrize("held", ["lines", "table", "card"])
@pytest.mark.parametrize("links", [True, False])
def test_files_that_belong_together_are_replaced_together(tmp_path, refusing, monkeypatch, held, links):
    def no_link(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", no_link)
    together = [tmp_path / name for name in ("lines", "table", "card")]
    for path in (together[0], together[2]):
        path.write_text("old")
    refusing(held, 99)
    with pytest.raises(OutputError, match=rf"{held}: Access is denied\n    choose another folder or close what has it open"):
        write_all(together)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"lines": "old", "card": "old"}
    refusing("", 0)
    write_all(together)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(("lines", "table", "card"), "new")


def write_all(together: list[Path]) -> None:
    with whole_files(together) as partials:
        for partial in partials:
            partial.write_text("new")


KILLED = """
import os, signal, sys
from pathlib import Path
from tariff import whole_files
open_output = {"file": whole_files.whole_file, "folder": lambda path: whole_files.whole_folder(path, overwrite=False)}
with open_output[sys.argv[1]](Path("out")):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_a_killed_process_left_goes_with_the_next(tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".out.txt.abcd1234.partial").write_text("another output's")
    subprocess.run([sys.executable, "-c", KILLED, what], check=False)
    assert len(names(tmp_path)) == 3
    with whole_file(Path("out")) if what == "file" else whole_folder(Path("out"), overwrite=False):
        pass
    assert names(tmp_path) == [".out.txt.abcd1234.partial", "out"]


KILLED_BETWEEN = """
import os, signal, sys
from pathlib import Path
from tariff import whole_files
moves, real = [], whole_files._move
def move(source, target):
    moves.append(target)
    if len(moves) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)
whole_files._move = move
whole_files._remove = lambda path: os.kill(os.getpid(), signal.SIGKILL) if len(moves) == 2 else None
if sys.argv[1] == "report":
    with whole_files.whole_folder(Path("out"), overwrite=True) as partial:
        (partial / "a").write_text("new")
else:
    unfinished = whole_files.beside(Path("out"), "unfinished")
    unfinished.mkdir()
    (unfinished / "a").write_text("new")
    whole_files.take_the_place_of(Path("out"), unfinished)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("what", ["report", "run"])
@pytest.mark.parametrize(("moment", "found"), [(2, "old"), (3, "new")])
def test_a_folder_that_stepped_aside_for_a_killed_process_is_put_right_by_the_next(tmp_path, monkeypatch, what, moment, found):
    """Killed before the second rename the old one comes back, killed after it the old one goes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    subprocess.run([sys.executable, "-c", KILLED_BETWEEN, what, str(moment)], check=False)
    assert any(name.endswith(".replaced") for name in names(tmp_path))
    assert (tmp_path / "out").exists() == (found == "new")
    with pytest.raises(OutputError, match="exists"), whole_folder(Path("out"), overwrite=False):
        raise AssertionError("it was opened")
    assert (tmp_path / "out" / "a").read_text() == found
    assert not any(name.endswith(".replaced") for name in names(tmp_path))


@pytest.fixture
def interrupted_after(monkeypatch, interruptible) -> Callable[[int], None]:
    """An interruption comes right after the rename of that number."""
    from tariff import whole_files as module

    real, moves = module._move, []

    def set_moment(moment: int) -> None:
        def interrupted(source: Path, target: Path) -> None:
            moves.append(target)
            real(source, target)
            if len(moves) == moment:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(module, "_move", interrupted)

    return set_moment


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_an_interruption_while_files_take_their_places_arrives_when_all_have(tmp_path, interrupted_after, moment):
    together = [tmp_path / name for name in ("lines", "table", "card")]
    for path in together:
        path.write_text("old")
    interrupted_after(moment)
    with pytest.raises(KeyboardInterrupt):
        write_all(together)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(("lines", "table", "card"), "new")


@pytest.mark.parametrize("moment", [1, 2])
def test_an_interruption_while_a_folder_takes_its_place_arrives_when_it_has(tmp_path, interrupted_after, moment):
    (tmp_path / "run").mkdir()
    interrupted_after(moment)
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "run", overwrite=True) as partial:
        (partial / "a").write_text("new")
    assert (tmp_path / "run" / "a").read_text() == "new"
    assert names(tmp_path) == ["run"]


def test_an_output_that_is_being_written_is_left_alone(tmp_path):
    with whole_file(tmp_path / "out") as partial:
        partial.write_text("first")
        with pytest.raises(OutputError, match="another run is writing there"), whole_file(tmp_path / "out"):
            raise AssertionError("it was opened")
        with pytest.raises(OutputError, match="another run is writing there"), only_writer(tmp_path / "out"):
            raise AssertionError("it was held")
    assert (tmp_path / "out").read_text() == "first"
    assert names(tmp_path) == ["out"]
