"""What is laid aside in the temporary folder goes with the process, and where that was killed, with the next."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tariff.batch import Job, price_files
from tariff.scratch import remove_left_behind, scratch_folder

HEADINGS = (
    "spell_id,provider,commissioner,admission_date,discharge_date,admission_method,patient_classification,age,hrg,patient_id"
)
SPELL = "S1,ZZB,99A,2017-06-20,2017-06-30,11,1,60,HN22E,P\u2019943"
KILLED = """
import os, signal
from pathlib import Path
from tariff.activity import read_activity
read_activity(Path("apc.csv"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own; the test is started in another."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def old(folder: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))


def test_a_scratch_folder_is_removed_in_the_end(temporary):
    with scratch_folder() as folder:
        (folder / "lines").write_text("of single patients")
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_copy_of_a_killed_run_is_removed_by_the_next(temporary):
    Path("apc.csv").write_bytes(f"{HEADINGS}\n{SPELL}\n".encode("cp1252"))
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    (left,) = temporary.glob("tariff-*")
    assert "943" in next(left.glob("*.csv")).read_text(encoding="utf-8")
    old(left)
    Path("other.csv").write_text(f"{HEADINGS}\n{SPELL}\n", encoding="utf-8")
    price_files(Job([(None, Path("other.csv"))], Path("out.parquet"), "example"))
    assert not left.exists()


def test_what_another_uses_or_owns_is_left_alone(temporary):
    (temporary / "tariff-notes").mkdir()
    (temporary / "tariff-scratch-young").mkdir()
    with scratch_folder() as used:
        for folder in (used, temporary / "tariff-notes"):
            old(folder)
        remove_left_behind()
        assert used.is_dir()
    assert {path.name for path in temporary.iterdir()} == {"tariff-notes", "tariff-scratch-young"}
    old(temporary / "tariff-scratch-young")
    remove_left_behind()
    assert [path.name for path in temporary.iterdir()] == ["tariff-notes"]
