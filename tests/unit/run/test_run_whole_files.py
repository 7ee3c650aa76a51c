"""Outputs appear only when whole, and nothing that is not an output is ever replaced."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tariff.errors import OutputError
from tariff.whole_files import refuse_existing, whole_file, whole_folder


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
