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

from tariff.best_practice.evidence import COLUMNS as EVIDENCE
from tariff.columns import ADMITTED, EMERGENCY, OUTPATIENT, READ_FAULT, UNBUNDLED, Column, schema
from tariff.pricing import price
from tariff.reference import ReferencePack, price_line
from tariff.rulepack import RulePack, load_pack

PACK = Path(__file__).parent.parent / "spec" / "pack"
CONTRACTS: dict[str, tuple[Column, ...]] = {
    "admitted": ADMITTED,
    "outpatient": OUTPATIENT,
    "emergency": EMERGENCY,
    "unbundled": UNBUNDLED,
}
ACTIVITY_SCHEMAS = {kind: {**schema(columns), READ_FAULT: pl.String()} for kind, columns in CONTRACTS.items()}
MOST_TOLD = 10
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
ADMITTED_RULES = {
    "short_stay": SHORT_STAY,
    "long_stay": LONG_STAY,
    "top_up": TOP_UP,
    "market_forces_factor": FACTOR,
    "rounding": ROUNDING,
}
EVERY_VARIANT = [dict(zip(ADMITTED_RULES, chosen, strict=True)) for chosen in itertools.product(*ADMITTED_RULES.values())]

_LISTED = {"no_price_treatment_functions": '["812"]'}
_DEFAULTS = {
    "default_first": '"197"',
    "default_follow_up": '"98.50"',
    "default_source": '"a test"',
    "default_confidence": '"local"',
}
OUTPATIENT_RULE = (
    {"method": '"none"'},
    {"method": '"national"', "non_face_to_face": '"own_price"', **_LISTED},
    {"method": '"national"', "non_face_to_face": '"face_to_face_price"', **_LISTED, **_DEFAULTS},
    {"method": '"erf"', "non_face_to_face": '"own_price"', **_LISTED, **_DEFAULTS},
    {"method": '"erf"', "non_face_to_face": '"face_to_face_price"'},
)
EMERGENCY_RULE = (
    {"method": '"none"'},
    {"method": '"national"', "simplest_currency": '"VB11Z"', "dead_on_arrival_as": '"VB09Z"'},
    {"method": '"national"', "simplest_currency": '"VB05Z"'},
    {"method": '"national"', "simplest_currency": '"VB04Z"', "dead_on_arrival_as": '"VB04Z"'},
    {"method": '"national"', "simplest_currency": '"VB11Z"', "dead_on_arrival_as": '"VB05Z"'},
    {"method": '"national"', "simplest_currency": '"VB10Z"', "dead_on_arrival_as": '"VB10Z"'},
    {"method": '"national"', "simplest_currency": '"VB99Z"', "dead_on_arrival_as": '"VB03Z"'},
)
UNBUNDLED_RULE = ({"method": '"none"'}, *[{"method": '"price_list"'}] * 6)

Differences = Callable[..., list[str]]


def variants_of_other_kinds() -> list[dict[str, dict[str, str]]]:
    """Every method of paying outpatients with every factor and rounding; the methods of the other kinds take turns."""
    return [
        {
            "outpatient": outpatient,
            "market_forces_factor": factor,
            "rounding": rounding,
            "emergency": EMERGENCY_RULE[number % len(EMERGENCY_RULE)],
            "unbundled": UNBUNDLED_RULE[number % len(UNBUNDLED_RULE)],
        }
        for number, (outpatient, factor, rounding) in enumerate(itertools.product(OUTPATIENT_RULE, FACTOR, ROUNDING))
    ]


def write_overlay(folder: Path, variant: dict[str, dict[str, str]]) -> Path:
    """An overlay that sets these rules."""
    lines = ["[overlay]", f'name = "{folder.name}"']
    for rule, values in variant.items():
        cells = {"source": '"a test"', "confidence": '"illustrative"', **values}
        lines += [f"[rules.{rule}]", *(f"{key} = {text}" for key, text in cells.items())]
    folder.mkdir()
    (folder / "overlay.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


class Packs(list[RulePack]):
    """Rule packs that a failing test shows by their number, not by all that they hold."""

    def __repr__(self) -> str:
        return f"{len(self)} packs"


def _packs(folder: Path, variants: list[dict[str, dict[str, str]]]) -> Packs:
    return Packs(load_pack(PACK, overlays=(write_overlay(folder / f"v{n}", variant),)) for n, variant in enumerate(variants))


@pytest.fixture(scope="session")
def every_pack(tmp_path_factory: pytest.TempPathFactory) -> Packs:
    """The test pack under every combination of the methods of admitted care: 108 packs."""
    return _packs(tmp_path_factory.mktemp("overlays"), EVERY_VARIANT)


@pytest.fixture(scope="session")
def packs_of_other_kinds(tmp_path_factory: pytest.TempPathFactory) -> Packs:
    """The test pack under the methods of outpatient, emergency and unbundled care: 30 packs."""
    return _packs(tmp_path_factory.mktemp("overlays"), variants_of_other_kinds())


@pytest.fixture(scope="session")
def spec_pack() -> RulePack:
    """The test pack of the specification tables."""
    return load_pack(PACK)


@pytest.fixture(scope="session")
def differences() -> Differences:
    """Prices activity with both and returns what differs, in words; empty where they agree on every cell of every row."""
    return _differences


def _differences(
    activity: pl.DataFrame,
    pack: RulePack,
    dates: Any = "strict",
    kind: str = "admitted",
    evidence: Sequence[dict[str, Any]] = (),
) -> list[str]:
    reference = ReferencePack.from_plain(pack.plain(), evidence)
    ours = [price_line(kind, line, reference, dates=dates) for line in activity.iter_rows(named=True)]
    said = pl.DataFrame(list(evidence), schema=dict.fromkeys(EVIDENCE, pl.String()))
    theirs = price(activity, pack, dates=dates, evidence=said).collect().to_dicts()
    assert len(theirs) == len(ours)
    wrong = [number for number, (engine, said) in enumerate(zip(theirs, ours, strict=True)) if engine != said]
    told = [
        f"{pack.label} line {number} {column}: engine {theirs[number][column]}, reference {value}; {given(activity, number)}"
        for number in wrong[:MOST_TOLD]
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
    """Makes `count` lines of a kind for a pack from a seed: mostly sound, with every kind of fault and edge often enough to be
    met."""
    return _generated


def _generated(pack: RulePack, count: int, seed: int, kind: str = "admitted") -> pl.DataFrame:
    picker = Picker(np.random.default_rng(seed), count)
    lines = {**common_cells(picker, pack), **CELLS_OF_KIND[kind](picker, pack)}
    contract = ACTIVITY_SCHEMAS[kind]
    return pl.DataFrame(
        {name: cells for name, cells in lines.items() if name in contract},
        schema_overrides={name: dtype for name, dtype in contract.items() if name in lines},
    )


class Picker:
    """Chooses cells at random: `count` of them at a time, a share of them from the odd ones."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.rng, self.count = rng, count

    def __call__(self, values: Sequence[Any], odd: Sequence[Any] = (), share: float = 0.0) -> list[Any]:
        chosen = self.rng.integers(0, len(values), self.count).tolist()
        if not odd:
            return [values[number] for number in chosen]
        rare = (self.rng.random(self.count) < share).tolist()
        other = self.rng.integers(0, len(odd), self.count).tolist()
        return [odd[o] if r else values[c] for c, r, o in zip(chosen, rare, other, strict=True)]

    def keys(self, letter: str) -> list[str | None]:
        """An identifier for each line, and now and then none."""
        return [None if blank else f"{letter}{number}" for number, blank in enumerate(self.rng.random(self.count) < 0.005)]

    def days(self, pack: RulePack) -> list[date]:
        """Days of the pack's year and the weeks beside it."""
        return [
            pack.starts + timedelta(days=n)
            for n in self.rng.integers(-6, (pack.ends - pack.starts).days + 7, self.count).tolist()
        ]

    def written(self, codes: Sequence[str | None], share: float = 0.05) -> list[str | None]:
        """Codes, some of them in small letters or between blanks."""
        ways = self.rng.integers(0, 3, self.count).tolist()
        careless = (self.rng.random(self.count) < share).tolist()
        forms: tuple[Callable[[str], str], ...] = (str.lower, lambda code: f" {code}  ", lambda code: f"{code.lower()} ")
        return [forms[way](code) if code and odd else code for code, way, odd in zip(codes, ways, careless, strict=True)]


LOCAL_PRICES = [0, 1, 12345, -500, 10**12, 10**12 + 1, -(10**12) - 1]


def common_cells(pick: Picker, pack: RulePack) -> dict[str, list[Any]]:
    """Cells of the columns that mean the same in every kind."""
    providers = _providers(pack)
    return {
        "provider": pick.written(
            pick([*providers, *(f"{code[:3]}09" for code in providers)], ["RQQ", "RZZ", "RT", "RZZ01", None], 0.06), 0.02
        ),
        "commissioner": pick(["QAA", "QBB"], ["VPP00", "vpp00 ", None], 0.02),
        "treatment_function": pick([None, "100", "110"], ["199", " 199"], 0.02),
        "administrative_category": pick([None, "01", "03"], ["02", "2", " 2 "], 0.02),
        "commissioning_serial_number": pick([None, "=ABC", "123", "1=2"], ["=", "OAT=", "OAT=  "], 0.02),
        "local_price": pick([None], LOCAL_PRICES, 0.15),
        "gp_practice": pick([None, "A81001"]),
        "patient_id": pick([None, "p1", "p2"]),
        READ_FAULT: pick([None], ["unreadable_date", "unreadable_number"], 0.01),
    }


def admitted_cells(pick: Picker, pack: RulePack) -> dict[str, list[Any]]:
    """Cells of spells."""
    rng = pick.rng
    discharged = pick.days(pack)
    hrgs = pick([row.hrg for row in pack.admitted], ["ZZ99Z", "UZ05A", "UZ", None], 0.04)
    admitted = [day - timedelta(days=stay) for day, stay in zip(discharged, _stays(rng, pack, hrgs), strict=True)]
    return {
        "spell_id": pick.keys("S"),
        "admission_date": [None if rng.random() < 0.005 else day for day in admitted],
        "discharge_date": [None if rng.random() < 0.01 else day for day in discharged],
        "admission_method": pick([*METHODS, *ELECTIVE * 4], ["99", "1", "2a", " 11", None], 0.02),
        "patient_classification": pick(["1", "2", "2", "5"], ["3", "4", "3", "4", "8", "0", " 2", None], 0.07),
        "age": pick([0, 17, 18, 19, 20, 65, 130], [-1, 131, None], 0.015),
        "hrg": pick.written(hrgs),
        "specialised_services": pick([None, *_service_lists(pack)], ["", ";", "PLUMB", "PLUMB; SPINE "], 0.1),
        "best_practice": pick([None, *named_tariffs(pack)], ["", " ; ", "no_such", "Trauma1;no_such", "TRAUMA2; trauma1"], 0.1),
        "grouping_method": pick([*GROUPINGS, "D", "D", "D", None, None], ["d", " D"], 0.02),
        "length_of_stay": pick([None], [0, 1, 2, 7, 20, 200_000, 200_001, -1], 0.1),
        "adjusted_length_of_stay": pick([None], [0, 1, 2, 11, 21, 50, 166_655, 166_672, 200_000, 200_001, -1], 0.15),
    } | {column: pick([None, None, None, 0, 1, 3], [-1, 200_001, 200_000], 0.01) for column in DAY_COLUMNS}


ATTENDANCE_HRGS = [f"WF0{team}{letter}" for team in "12" for letter in "ABCDE"]
AGES_OR_NONE: tuple[list[int | None], list[int | None], float] = ([None, 0, 18, 65, 130], [-1, 131], 0.01)


def outpatient_cells(pick: Picker, pack: RulePack) -> dict[str, list[Any]]:
    """Cells of attendances: attendance HRGs, procedures with a price and without, and neither."""
    procedures = [row.hrg for row in pack.admitted]
    priced = [row.hrg for row in pack.admitted if row.outpatient_procedure is not None] or procedures
    hrgs = [pick(codes) for codes in (ATTENDANCE_HRGS, procedures, priced, [None])]
    odd = pick(["ZZ99Z", "UZ01Z", "UZ", "WF01", "WF02", "WF01Z", "WF02BX", "WF03A", "WF"])
    functions = [row.treatment_function for row in pack.outpatient] or ["100", "110"]
    return {
        "attendance_id": pick.keys("A"),
        "attendance_date": [
            None if blank else day for blank, day in zip(pick([False], [True], 0.005), pick.days(pack), strict=True)
        ],
        "treatment_function": pick.written(pick(functions, ["812", "199", "999", None], 0.1)),
        "first_attendance": pick(["1", "2", "3", "4"], ["01", "02", "03", " 4", "0", "5", "001", "", None], 0.1),
        "attended": pick(["5", "6"], ["05", "06 ", "0", "00", "2", "3", "4", "7", "07", "1", "8", "9", "55", None], 0.1),
        "age": pick(*AGES_OR_NONE),
        "hrg": pick.written(
            [one[way] for one, way in zip(zip(*hrgs, odd, strict=True), pick([0, 0, 1, 2, 3], [4], 0.1), strict=True)]
        ),
        "multi_professional": pick([None, "N", "Y"], ["y", "YES", "1", "TRUE", "true ", "0", "X", " "], 0.1),
        "consultant_led": pick([None, None, "Y"], ["N", "n", "NO", "0", "FALSE", "false ", "1", "X", ""], 0.15),
        "main_specialty": pick([None, "100", "300"], ["560", "900", "901", "904", "905", "950", "960", " 950"], 0.15),
        "local_price": pick([None], LOCAL_PRICES, 0.25),
        "best_practice": pick([None, None, *named_tariffs(pack)], ["", "no_such", " TIA ;no_such"], 0.05),
    }


def named_tariffs(pack: RulePack) -> list[str]:
    """What lines may name: each tariff that covers only lines that name it, and all of them; nothing where there is none."""
    named = list(dict.fromkeys(row.tariff for row in pack.best_practice if not (row.currency or row.treatment_function)))
    return [*named, ";".join(named)]


def emergency_cells(pick: Picker, pack: RulePack) -> dict[str, list[Any]]:
    """Cells of emergency care attendances."""
    currencies = [row.currency for row in pack.emergency] or ["VB01Z"]
    return {
        "attendance_id": pick.keys("E"),
        "arrival_date": [
            None if blank else day for blank, day in zip(pick([False], [True], 0.005), pick.days(pack), strict=True)
        ],
        "department_type": pick(["1", "2", "3"], ["01", "02", "03 ", "4", "04", "5", "0", "003", None], 0.15),
        "hrg": pick.written(pick(currencies, ["ZZ99Z", "UZ01Z", "UZ", "VB98Z", "VB99Z", None], 0.1)),
        "age": pick(*AGES_OR_NONE),
        "attendance_category": pick([None, "1"], ["01", "2", "3", "02", "03", "4", "X"], 0.1),
    }


def unbundled_cells(pick: Picker, pack: RulePack) -> dict[str, list[Any]]:
    """Cells of unbundled items."""
    currencies = [row.currency for row in pack.unbundled] or ["XC05Z"]
    strangers = ["ZZ99Z", "UZ01Z", "UZ", "XA06Z", "XB08Z", "LD99B", "LD99A", "XA99Z", "RN99Z", "SB99Z", "QQ", None]
    dear = [row.currency for row in pack.unbundled if (row.price or 0) >= 100_000] or currencies
    many = (pick.rng.random(pick.count) < 0.03).tolist()
    plain = pick.written(pick(currencies, strangers, 0.12))
    units = pick([1, 1, 2, 3, 7, 30, 365], [0, -1, 10_000_001, None], 0.03)
    return {
        "line_id": pick.keys("U"),
        "date": [None if blank else day for blank, day in zip(pick([False], [True], 0.005), pick.days(pack), strict=True)],
        "currency": [one if odd else other for odd, one, other in zip(many, pick(dear), plain, strict=True)],
        "units": [one if odd else other for odd, one, other in zip(many, pick([10_000_000, 9_999_999]), units, strict=True)],
        "local_price": pick([None], LOCAL_PRICES, 0.25),
        "parent_line_id": pick([None, "S1"]),
    }


CELLS_OF_KIND = {
    "admitted": admitted_cells,
    "outpatient": outpatient_cells,
    "emergency": emergency_cells,
    "unbundled": unbundled_cells,
}


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
    return pl.DataFrame(rows, schema=ACTIVITY_SCHEMAS["admitted"])


@pytest.fixture(scope="session")
def compiled() -> bool:
    """Whether the kernels are compiled; without, they run a hundred times slower and the tests take fewer lines."""
    return COMPILED
