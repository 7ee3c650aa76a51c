"""The pathway that the README shows is formed by the commands it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import polars as pl
import pytest

from tariff.cli import run

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
DEFINED = [block for block in re.findall(r"^```toml\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL) if "[[pathway]]" in block]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pathways")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert run(["synth", "--spells", "3000", "--year", "2017-18", "--out", "activity"]) == 0
        contract = folder / "contract"
        contract.mkdir()
        (contract / "overlay.toml").write_text('schema = 1\n[overlay]\nname = "contract"\n', encoding="utf-8")
        (contract / "pathways.toml").write_text(DEFINED[0], encoding="utf-8")
        section = TEXT[TEXT.index("## Whole pathways") :]
        shown = re.search(r"^```console\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
        assert shown is not None
        for line in shown[1].replace("\\\n", " ").splitlines():
            assert run(shlex.split(line, comments=True)[1:]) == 0, line
    return folder


def test_the_pathway_is_formed_and_adds_up(told):
    assert len(DEFINED) == 1
    lines = pl.read_parquet(told / "run" / "priced" / "*.parquet")
    pathways = pl.read_parquet(told / "run" / "pathways.parquet")
    paid = pathways.filter(pl.col("flag").is_null())
    assert paid.height > 5
    assert paid["level"].is_in(["complex", "standard"]).all()
    assert lines["pathway_pence"].sum() == pathways["episodic_pence"].sum() > 0


def test_its_tables_say_what_each_decision_moves(told):
    moved = pl.read_csv(told / "tables" / "sensitivity.csv")
    assert {"as defined", "window 30 days shorter", "later wins", "nothing outside by name"} <= set(moved["decision"])
    assert (told / "tables" / "who_owes_whom.csv").exists()
