"""Commands are run in this process, in a folder of their own, on files of a few rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tariff.cli import run

SPELL = {
    "spell_id": "S1",
    "provider": "ZZB",
    "commissioner": "99A",
    "admission_date": "2017-06-20",
    "discharge_date": "2017-06-30",
    "admission_method": "11",
    "patient_classification": "1",
    "age": "60",
    "hrg": "HN22E",
}
"""An elective stay of ten days under the example pack: 6,000 and no days beyond the trim point; market forces factor 1.05."""


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


Tariff = Callable[..., Result]
Spells = Callable[..., Path]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the commands of a test are started in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARIFF_RULES", raising=False)
    monkeypatch.delenv("TARIFF_TRACEBACK", raising=False)
    return tmp_path


@pytest.fixture
def tariff(capsys: pytest.CaptureFixture[str]) -> Tariff:
    """Run a command: `tariff("price", "apc.csv", "--out", "priced.parquet")`. No command may show a traceback."""

    def run_it(*arguments: str | Path) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Result(code, printed.out, printed.err)

    return run_it


def write_rows(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Rows as a file: Parquet with every column as text, or CSV, as the name says."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".parquet":
        columns = {name: [row.get(name) or None for row in rows] for name in names}
        pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String())).write_parquet(path)
        return path
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def spells(folder: Path) -> Spells:
    """Write a file of spells: each argument is what differs from `SPELL`; spells are numbered where they are not named."""

    def write(*changes: Mapping[str, str], name: str = "apc.csv") -> Path:
        rows = [{**SPELL, "spell_id": f"S{number}", **change} for number, change in enumerate(changes or [{}], start=1)]
        return write_rows(folder / name, rows)

    return write


@pytest.fixture
def everything(folder: Path) -> Path:
    """The worked examples of the example pack as one file: every rule acts in it, and every reason but three."""
    from tariff.rulepack import find_pack

    with (find_pack("example") / "examples.csv").open(encoding="utf-8", newline="") as file:
        kept = [
            {name: value for name, value in row.items() if name in _CANONICAL and value}
            for row in csv.DictReader(file)
            if row["kind"] == "admitted"
        ]
    return write_rows(folder / "everything.csv", kept)


def _canonical() -> frozenset[str]:
    from tariff.columns import ADMITTED, names

    return frozenset(names(ADMITTED))


_CANONICAL = _canonical()


@pytest.fixture
def listing(folder: Path) -> Callable[[], list[str]]:
    """Every file and folder below the folder of the test."""
    return lambda: sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
