"""Options, the work, and what must hold of every measurement: the same pence from everybody."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:  # workers and tests name each other as `benchmarks.…`, however pytest was started
    sys.path.insert(0, str(ROOT))

from benchmarks.attendances import AttendanceWork, make_attendances  # noqa: E402
from benchmarks.work import Work, make_work  # noqa: E402

LIBRARIES = ("tariff", "polars", "numba", "numpy", "pyarrow", "duckdb", "pandas")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tariff benchmarks")
    group.addoption("--encoded", type=int, default=1_000_000, help="spells to price in memory (default: 1,000,000)")
    group.addoption("--spells", type=int, default=20_000_000, help="spells of a file (default: 20,000,000)")
    group.addoption("--attendances", type=int, default=100_000_000, help="attendances of a file (default: 100,000,000)")
    group.addoption("--lines-of-care", type=int, default=5_000_000, help="lines of care to form pathways of (default: 5,000,000)")
    group.addoption("--turns", type=int, default=3, help="turns of each contender (default: 3)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "guard: small sizes; fails where a ratio to the peers is lost (CI)")
    config.addinivalue_line("markers", "measure: full sizes; what the README's table is made from")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Guards run where they are asked for, by `-m guard`; otherwise the measurements do."""
    if config.getoption("markexpr"):
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("guard")])
    items[:] = [item for item in items if not item.get_closest_marker("guard")]


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """The kind of machine matters, its name does not."""
    machine_info.pop("node", None)


@pytest.fixture(scope="session")
def command(request: pytest.FixtureRequest) -> str:
    """How this run was called, without anybody's folders."""
    arguments = [part for part in request.config.invocation_params.args if not part.startswith("--benchmark-json")]
    return " ".join(["pytest", *(Path(part).name if Path(part).is_absolute() else part for part in arguments)])


@pytest.fixture(scope="session")
def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


@pytest.fixture(scope="session")
def work_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Work]:
    """The work of so many spells, made once a run."""
    made: dict[int, Work] = {}

    def work(spells: int) -> Work:
        if spells not in made:
            made[spells] = make_work(tmp_path_factory.mktemp("work"), spells)
        return made[spells]

    return work


@pytest.fixture(scope="session")
def attendances_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], AttendanceWork]:
    """So many attendances, made once a run."""
    made: dict[int, AttendanceWork] = {}

    def work(attendances: int) -> AttendanceWork:
        if attendances not in made:
            made[attendances] = make_attendances(tmp_path_factory.mktemp("attendances"), attendances)
        return made[attendances]

    return work


@pytest.fixture
def attendances(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--attendances"))


@pytest.fixture
def turns(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--turns"))


@pytest.fixture
def lines_of_care(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--lines-of-care"))


@pytest.fixture
def encoded_spells(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--encoded"))


@pytest.fixture
def spells(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--spells"))


@pytest.fixture(scope="session")
def same_pence() -> Callable[[str, pl.DataFrame, pl.DataFrame], None]:
    """Fails where a contender's identifier or seven amounts differ from the engine's on any of the spells it priced."""

    def require(name: str, theirs: pl.DataFrame, engine: pl.DataFrame) -> None:
        ours = engine.join(theirs.select("spell_id"), on="spell_id", how="semi") if theirs.height < engine.height else engine
        if not ours["spell_id"].equals(theirs["spell_id"]):
            ours, theirs = ours.sort("spell_id"), theirs.sort("spell_id")
        assert ours.height == theirs.height, f"{name} priced {theirs.height} spells, the engine {ours.height}"
        differing = {column: int(ours[column].ne_missing(theirs[column]).sum()) for column in ours.columns}
        assert not any(differing.values()), f"{name} differs from the engine: {differing}"

    return require
