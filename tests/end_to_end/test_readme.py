"""What the README shows runs: every Python block, and every command as far as its options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tariff.cli import app, run

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8") if README.exists() else ""
FENCED = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
TOML = [block for language, block in FENCED if language == "toml" and "[[model]]" in block]
PYTHON = [block for language, block in FENCED if language == "python"]
CONSOLE = [block for language, block in FENCED if language in ("", "console", "sh", "bash", "shell")]


def commands() -> list[list[str]]:
    """The arguments of every `tariff ...` in a console block; a line may end in a backslash and carry on, or in a comment."""
    lines = [line.removeprefix("$ ").strip() for block in CONSOLE for line in block.replace("\\\n", " ").splitlines()]
    called = [call.strip() for line in lines for call in line.split("&&")]
    split = [shlex.split(call, comments=True) for call in called if call.startswith("tariff ")]
    return [arguments[1:] for arguments in split]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic year, from which the files that blocks name are made."""
    folder = tmp_path_factory.mktemp("readme")
    assert run(["synth", "--spells", "400", "--year", "2017-18", "--out", str(folder / "year")]) == 0
    return folder / "year"


@pytest.mark.skipif(not PYTHON, reason="the README holds no Python block yet")
@pytest.mark.parametrize("block", PYTHON, ids=[f"block {number}" for number in range(1, len(PYTHON) + 1)])
def test_python_blocks_run(block, year, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in set(re.findall(r"""["']([\w./-]+\.(?:parquet|csv|toml))["']""", block)):
        _make(tmp_path / name, year)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


def _make(path: Path, year: Path) -> None:
    """A file as a block names it: activity, a plan, priced lines, or a models file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".toml":
        presets = Path(__file__).parents[2] / "tariff" / "payment" / "presets"
        path.write_text((presets / "episodic.toml").read_text(encoding="utf-8"), encoding="utf-8")
    elif "plan" in path.name:
        path.write_bytes((year / "plan.csv").read_bytes())
    elif "priced" in path.name:
        assert run(["price", str(year / "admitted.parquet"), "--rules", "2017-18", "--out", str(path), "--overwrite"]) == 0
    elif path.suffix == ".csv":
        import polars as pl

        pl.read_parquet(year / "admitted.parquet").write_csv(path)
    else:
        path.write_bytes((year / "admitted.parquet").read_bytes())


@pytest.mark.skipif(not commands(), reason="the README shows no command yet")
@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_commands_parse(arguments):
    if "..." in arguments:
        pytest.skip("an outline of a command, not one to run")
    app.parse_args(arguments, exit_on_error=False, print_error=False)


def test_the_models_file_it_shows_compares_lines_of_every_kind(year, tmp_path, monkeypatch, capsys):
    """As an analyst would: a plan of the fineness that its terms need, then the models."""
    monkeypatch.chdir(tmp_path)
    assert len(TOML) == 1
    Path("models.toml").write_text(TOML[0], encoding="utf-8")
    kinds = ("admitted", "outpatient", "emergency")
    files = [f"{kind}={year / kind}.parquet" for kind in kinds]
    prices = ["--rules", "example", "--dates", "ignore", "--overlay", str(year / "overlay")]
    assert run(["price", *files, *prices, "--out", "priced.parquet"]) == 0
    fine = "provider,pod,treatment_function,currency"
    assert run(["plan", "priced.parquet", "--years-on", "0", "--uplift", "-3%", "--by", fine, "--out", "plan.csv"]) == 0
    compare = ["compare", "priced.parquet", "--models", "models.toml", "--plan", "plan.csv", "--out", "report"]
    assert run(compare) == 0, capsys.readouterr().err
    assert {path.name for path in Path("report").iterdir()} >= {"report.html", "report.xlsx", "bridge.csv"}
    bridge = Path("report/bridge.csv").read_text(encoding="utf-8")
    for cause in ("local_price", "activity_cap", "marginal_rate", "fixed_above_plan", "cquin", "interaction"):
        assert f",{cause}," in bridge, cause
    assert (
        (Path("plan.csv").read_text(encoding="utf-8").splitlines()[0])
        == "commissioner,provider,pod,treatment_function,currency,financial_year,month,units,pounds"
    )
