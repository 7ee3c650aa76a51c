"""The yearly job that the README shows, on a synthetic year: done, found done, and done again when its activity has changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from tariff.cli import run

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARIFF_RULES", raising=False)
    blocks = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    (shown,) = [block for block in blocks if "[price]" in block]
    assert run(["synth", "--out", "activity", "--spells", "1500", "--kinds", "admitted"]) == 0
    Path("run.toml").write_text(shown, encoding="utf-8")
    return Path("run.toml")


def test_the_yearly_job_of_the_readme(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", str(job)]) == 0, capsys.readouterr().err
    assert {path.name for path in Path.cwd().iterdir()} == {"activity", "run.toml", "priced", "report"}
    lines = pl.read_parquet("priced/priced/*.parquet")
    assert lines.height >= 1500
    assert json.loads(Path("priced/run_card.json").read_text(encoding="utf-8"))["evidence"]["files"]
    capsys.readouterr()
    assert run(["verify", "priced", "--sample", "200"]) == 0
    before = Path("priced/run_card.json").read_bytes()
    assert run(["run", str(job)]) == 0
    assert Path("priced/run_card.json").read_bytes() == before, "a finished run is found finished"
    file = Path("activity/admitted.parquet")
    pl.read_parquet(file).head(1000).write_parquet(file)
    capsys.readouterr()
    assert run(["run", str(job)]) == 3, "other activity under the same name is never taken for what was priced"
    assert "has changed since" in capsys.readouterr().err
    job.write_text(job.read_text(encoding="utf-8").replace('"resume"', '"overwrite"'), encoding="utf-8")
    assert run(["run", str(job)]) == 0
    assert run(["backtest", "priced", "priced"]) == 0
