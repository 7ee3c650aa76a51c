"""What the agreement tests share: packs in which every method of every rule appears, lines made to reach every branch, and the
comparison of the engine with the reference, row by row and column by column."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariff.columns import ADMITTED, READ_FAULT, schema
from tariff.pricing import price
from tariff.reference import ReferencePack, price_admitted
from tariff.rulepack import RulePack, load_pack

PACK = Path(__file__).parent.parent / "spec" / "pack"
ACTIVITY_SCHEMA = {**schema(ADMITTED), READ_FAULT: pl.String()}
COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") != "1"

SHORT_STAY = (
    {"method": '"none"'},
    {"method": '"price_table"', "minimum_age": "19", "maximum_stay_days": "1", "grouping_methods": '["D"]'},
    {"method": '"price_table"', "minimum_age": "0", "maximum_stay_days": "3", "grouping_methods": '["D", "M", "G"]'},
)
LONG_STAY = ({"method": '"none"'}, {"method": '"per_day_beyond_trim"'})
TOP_UP = (
    {"method": '"none"'},
    {"method": '"highest_eligible"', "includes_long_stay": "false"},
    {"method": '"highest_eligible"', "includes_long_stay": "true"},
)
FACTOR = (
    {"method": '"none"'},
    {"method": '"by_provider"'},
    {"method": '"by_provider"', "default": '"1.061300"', "default_source": '"a test"', "default_confidence": '"local"'},
)
ROUNDING = ({"method": '"penny_once"'}, {"method": '"whole_pounds"'})
EVERY_VARIANT = list(itertools.product(SHORT_STAY, LONG_STAY, TOP_UP, FACTOR, ROUNDING))
RULE_NAMES = ("short_stay", "long_stay", "top_up", "market_forces_factor", "rounding")

Differences = Callable[..., list[str]]


def write_overlay(folder: Path, variant: Sequence[dict[str, str]]) -> Path:
    """An overlay that sets the five rules with more than one method."""
    lines = ["[overlay]", f'name = "{folder.name}"']
    for rule, values in zip(RULE_NAMES, variant, strict=True):
        cells = {"source": '"a test"', "confidence": '"illustrative"', **values}
        lines += [f"[rules.{rule}]", *(f"{key} = {text}" for key, text in cells.items())]
    folder.mkdir()
    (folder / "overlay.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


class Packs(list[RulePack]):
    """Rule packs that a failing test shows by their number, not by all that they hold."""

    def __repr__(self) -> str:
        return f"{len(self)} packs"


@pytest.fixture(scope="session")
def every_pack(tmp_path_factory: pytest.TempPathFactory) -> Packs:
    """The test pack under every combination of methods: 108 packs."""
    folder = tmp_path_factory.mktemp("overlays")
    return Packs(load_pack(PACK, overlays=(write_overlay(folder / f"v{n}", variant),)) for n, variant in enumerate(EVERY_VARIANT))


@pytest.fixture(scope="session")
def spec_pack() -> RulePack:
    """The test pack of the specification tables."""
    return load_pack(PACK)


@pytest.fixture(scope="session")
def differences() -> Differences:
    """Prices activity with both and returns what differs, in words; empty where they agree on every cell of every row."""
    return _differences


def _differences(activity: pl.DataFrame, pack: RulePack, dates: str = "strict", most: int = 10) -> list[str]:
    reference = ReferencePack.from_plain({**pack.plain(), "label": pack.label})
    ours = [price_admitted(line, reference, dates=dates) for line in activity.iter_rows(named=True)]  # type: ignore[arg-type]
    theirs = price(activity, pack, dates=dates).collect().to_dicts()  # type: ignore[arg-type]
    assert len(theirs) == len(ours)
    wrong = [number for number, (engine, said) in enumerate(zip(theirs, ours, strict=True)) if engine != said]
    told = [
        f"{pack.label} line {number} {column}: engine {theirs[number][column]}, reference {value}; {given(activity, number)}"
        for number in wrong[:most]
        for column, value in ours[number].items()
        if theirs[number][column] != value
    ]
    return [f"{len(wrong)} of {len(ours)} lines differ", *told] if wrong else []


def given(activity: pl.DataFrame, number: int) -> dict[str, Any]:
    """The cells of one made-up line that are not blank."""
    return {name: value for name, value in activity.row(number, named=True).items() if value is not None}


# --- lines made to reach every branch --------------------------------------------------------------------------------

METHODS = ["11", "12", "13", "21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D", "31", "32", "81", "82", "83"]
ELECTIVE = METHODS[:3]
GROUPINGS = ["P", "D", "B", "M", "G", "U", "O", None]
DAY_COLUMNS = ["critical_care_days", "rehabilitation_days", "palliative_care_days", "delayed_discharge_days"]


@pytest.fixture(scope="session")
def generated() -> Callable[..., pl.DataFrame]:
    """Makes `count` lines for a pack from a seed: mostly sound, with every kind of fault and edge often enough to be met."""
    return _generated


def _generated(pack: RulePack, count: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)

    def pick(values: Sequence[Any], odd: Sequence[Any] = (), share: float = 0.0) -> list[Any]:
        chosen = rng.integers(0, len(values), count)
        rare = rng.random(count) < share if odd else np.zeros(count, bool)
        other = rng.integers(0, max(len(odd), 1), count)
        return [odd[o] if r else values[c] for c, r, o in zip(chosen, rare, other, strict=True)]

    discharged = [pack.starts + timedelta(days=int(n)) for n in rng.integers(-6, (pack.ends - pack.starts).days + 7, count)]
    hrgs = pick([row.hrg for row in pack.admitted], ["ZZ99Z", "UZ05A", "UZ", None], 0.04)
    stays = _stays(rng, pack, hrgs)
    admitted = [day - timedelta(days=stay) for day, stay in zip(discharged, stays, strict=True)]
    providers = _providers(pack)
    lines: dict[str, list[Any]] = {
        "spell_id": pick(["S"], [None], 0.005),
        "provider": pick(
            [*providers, *(f"{provider[:3]}09" for provider in providers)], ["RQQ", "RZZ", "RT", "RZZ01", None], 0.06
        ),
        "commissioner": pick(["QAA", "QBB"], ["VPP00", None], 0.02),
        "admission_date": [None if rng.random() < 0.005 else day for day in admitted],
        "discharge_date": [None if rng.random() < 0.01 else day for day in discharged],
        "admission_method": pick([*METHODS, *ELECTIVE * 4], ["99", "1", "2a", None], 0.02),
        "patient_classification": pick(["1", "2", "2", "5"], ["3", "4", "3", "4", "8", "0", None], 0.07),
        "age": pick([0, 17, 18, 19, 20, 65, 130], [-1, 131, None], 0.015),
        "hrg": hrgs,
        "treatment_function": pick([None, "100", "110"], ["199"], 0.02),
        "administrative_category": pick([None, "01", "03"], ["02", "2"], 0.02),
        "commissioning_serial_number": pick([None, "=ABC", "123", "1=2"], ["=", "OAT=", "OAT=  "], 0.02),
        "specialised_services": pick([None, *_service_lists(pack)], ["", ";", "PLUMB", "PLUMB; SPINE "], 0.1),
        "grouping_method": pick([*GROUPINGS, "D", "D", "D", None, None]),
        "local_price": pick([None], [0, 1, 12345, -500, 10**12, 10**12 + 1, -(10**12) - 1], 0.15),
        "length_of_stay": pick([None], [0, 1, 2, 7, 20, 200_000, 200_001, -1], 0.1),
        "adjusted_length_of_stay": pick([None], [0, 1, 2, 11, 21, 50, 166_655, 166_672, 200_000, 200_001, -1], 0.15),
        "gp_practice": pick([None, "A81001"]),
        "patient_id": pick([None, "p1", "p2"]),
        READ_FAULT: pick([None], ["unreadable_date", "unreadable_number"], 0.01),
    }
    lines |= {column: pick([None, None, None, 0, 1, 3], [-1, 200_001, 200_000], 0.01) for column in DAY_COLUMNS}
    lines["spell_id"] = [None if key is None else f"S{number}" for number, key in enumerate(lines["spell_id"])]
    return pl.DataFrame(lines, schema_overrides={name: kind for name, kind in ACTIVITY_SCHEMA.items() if name in lines})


def _stays(rng: np.random.Generator, pack: RulePack, hrgs: Sequence[str | None]) -> list[int]:
    """Stays at the edges: 0, 1, 2, the trim points and the days beside them, and now and then impossible ones."""
    trims = {row.hrg: [trim for trim in (row.elective_trim, row.non_elective_trim) if trim is not None] for row in pack.admitted}
    stays = []
    for hrg in hrgs:
        edges = [trim + step for trim in trims.get(hrg or "", []) for step in (-1, 0, 1, 30)]
        edges += [0, 0, 1, 2]
        odd = [-1, -30, 200_000, 200_001] if rng.random() < 0.01 else edges
        stays.append(odd[rng.integers(0, len(odd))])
    return stays


def _providers(pack: RulePack) -> list[str]:
    codes = [row.provider for row in pack.provider_factors] or ["RNO"]
    return [*codes, *(f"{code[:3]}09" for code in codes)]


def _service_lists(pack: RulePack) -> list[str]:
    codes = [row.top_up for row in pack.top_ups]
    return [*codes, *(";".join(pair) for pair in itertools.permutations(codes, 2))]


@pytest.fixture(scope="session")
def lines_of() -> Callable[[list[dict[str, Any]], date], pl.DataFrame]:
    """Makes a frame of lines given as the cells in which they differ from an everyday stay; `stay` sets the admission date."""
    return _lines_of


def _lines_of(cells: list[dict[str, Any]], discharged: date) -> pl.DataFrame:
    everyday = {
        "spell_id": "S",
        "provider": "RNO",
        "commissioner": "QAA",
        "admission_method": "11",
        "patient_classification": "1",
        "age": 40,
        "discharge_date": discharged,
    }
    rows = []
    for number, line in enumerate(cells):
        stay = line.get("stay", 2)
        kept = {name: value for name, value in line.items() if name != "stay"}
        rows.append({**everyday, "admission_date": discharged - timedelta(days=stay), **kept, "spell_id": f"S{number}"})
    return pl.DataFrame(rows, schema=ACTIVITY_SCHEMA)


@pytest.fixture(scope="session")
def compiled() -> bool:
    """Whether the kernels are compiled; without, they run a hundred times slower and the tests take fewer lines."""
    return COMPILED
