"""What the pathway tests share: patient histories as lines and register entries, formed by the sweeps and by the reference."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from tariff.best_practice.evidence import evidence_of
from tariff.columns import ADMITTED, EMERGENCY, OUTPATIENT, PRICED_LINE, REGISTER, UNBUNDLED, names, schema
from tariff.pathways import Bundled, bundle, care_lines, readmissions
from tariff.pathways.definitions import Definitions, PackDefinitions
from tariff.reference.pathways import Place, Year, pathways_of, readmissions_of
from tariff.rulepack.declarations import read_declarations
from tariff.rulepack.pathway_model import PathwayFile

HERE = Path(__file__).parent
KINDS = {"admitted": ADMITTED, "outpatient": OUTPATIENT, "emergency": EMERGENCY, "unbundled": UNBUNDLED}
_EVIDENCE = ("provider", "line_id", "tariff", "criterion", "met")
_KEY = {"admitted": "spell_id", "outpatient": "attendance_id", "emergency": "attendance_id", "unbundled": "line_id"}
_DATES = {
    "admitted": ("admission_date", "discharge_date"),
    "outpatient": ("attendance_date",),
    "emergency": ("arrival_date",),
    "unbundled": ("date",),
}
FACTORS = {"RA1": 1_100_000, "RB2": 1_000_000, "RC3": 950_000}
EVERYDAY: dict[str, Any] = {
    "patient_id": "P1", "kind": "admitted", "provider": "RB2", "commissioner": "QA1", "pod": "EL", "currency": "HN22A",
    "treatment_function": "110", "admission_method": "11", "discharge_method": "1", "primary_diagnosis": "M16",
    "secondary_diagnoses": None, "dominant_procedure": None, "age": 60, "outcome": "priced", "reason": "priced",
    "price_pence": 100_000, "local": False,
}  # fmt: skip

CRITERIA = {"diabetes_year": ("four_clinics", "eight_contacts"), "epilepsy_year": ("seen_by_nurse",)}
RULES: Any = SimpleNamespace(
    rules=SimpleNamespace(best_practice=SimpleNamespace(method="evidence")),
    best_practice=[SimpleNamespace(tariff=tariff, mechanism="year_of_care") for tariff in CRITERIA],
    best_practice_criteria=[
        SimpleNamespace(tariff=tariff, criterion=criterion) for tariff, criteria in CRITERIA.items() for criterion in criteria
    ],
)
"""What the sweeps ask of a rule pack about the criteria of years of care."""

Line = dict[str, Any]
Entry = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What one engine tells of a history: places by line, pathways by identifier."""

    places: dict[str, tuple[str | None, str | None, int]]
    pathways: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class World:
    """Definitions for both engines and the years they work in: one a rule pack, what the packs define being the same where only
    one file is given."""

    file: PathwayFile
    since: date = date(2017, 4, 1)
    ends: date = date(2018, 3, 31)
    later: PathwayFile | None = None
    """What the pack of the year after defines; None: there is no such pack."""

    @property
    def definitions(self) -> Definitions:
        return Definitions(
            tuple(
                PackDefinitions(label, since, ends, file.pathway, file.transfers, file.readmission, FACTORS, None, RULES)
                for label, file, since, ends in self._packs
            )
        )

    @property
    def _packs(self) -> list[tuple[str, PathwayFile, date, date]]:
        first = (f"{self.since.year}", self.file, self.since, self.ends)
        if self.later is None:
            return [first]
        since = self.ends + timedelta(days=1)
        ends = since.replace(year=since.year + 1) - timedelta(days=1)
        return [first, (f"{since.year}", self.later, since, ends)]

    @staticmethod
    def frames(lines: Sequence[Line]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        return frames_of(lines)

    def bundle(
        self,
        lines: Sequence[Line],
        entries: Sequence[Entry] = (),
        *,
        until: date | None = None,
        partitions: int | None = None,
        opened: pl.DataFrame | None = None,
        evidence: Sequence[Entry] = (),
    ) -> Bundled:
        priced, activity = frames_of(lines)
        shown = evidence_of(pl.DataFrame(list(evidence), schema=dict.fromkeys(_EVIDENCE, pl.String())))
        return bundle(
            priced, activity, self.definitions, entries_frame(entries), opened, evidence=shown, until=until or self.ends,
            partitions=partitions,
        )  # fmt: skip

    def by_sweep(
        self, lines: Sequence[Line], entries: Sequence[Entry] = (), *, until: date | None = None, evidence: Sequence[Entry] = ()
    ) -> Told:
        return told_of(self.bundle(lines, entries, until=until, evidence=evidence))

    def by_reference(
        self, lines: Sequence[Line], entries: Sequence[Entry] = (), *, until: date | None = None, evidence: Sequence[Entry] = ()
    ) -> Told:
        shown = [{**row, "met": row["met"] == "yes"} for row in evidence]
        until = until or self.ends
        last = max(since for _, _, since, _ in self._packs if since <= until)
        years = []
        for label, file, since, ends in self._packs:
            said = file.model_dump(mode="json", by_alias=True)
            paid = _paid_for(said["pathway"], yearly=since == last)
            years.append(Year(since, ends, until, paid, said["transfers"], FACTORS, None, label, CRITERIA, shown))
        places: dict[str, tuple[str | None, str | None, int]] = {}
        pathways: dict[str, dict[str, Any]] = {}
        for own, its in _histories(lines, entries):
            found, rows = pathways_of(own, its, years)
            for line in own:
                place = found.get(id(line), Place())
                places[line["line_id"]] = (place.pathway_id, place.category, place.pence)
            pathways |= {row["pathway_id"]: row for row in rows}
        return Told(places, pathways)

    def readmissions_by_sweep(
        self, lines: Sequence[Line], partitions: int = 1, opened: pl.DataFrame | None = None
    ) -> list[dict[str, Any]]:
        priced, activity = frames_of(lines)
        return readmissions(care_lines(priced, activity), self.definitions, opened, partitions=partitions).to_dicts()

    def readmissions_by_reference(self, lines: Sequence[Line]) -> list[dict[str, Any]]:
        said = self.file.model_dump(mode="json", by_alias=True)["readmission"]
        found = []
        for patient in sorted({line["patient_id"] for line in lines if (line["patient_id"] or "").strip()}):
            found += readmissions_of([line for line in lines if line["patient_id"] == patient], said)
        return sorted(found, key=lambda row: (row["provider"], row["line_id"]))


def _paid_for(definitions: list[dict[str, Any]], *, yearly: bool) -> list[dict[str, Any]]:
    """Years of care are paid for the year a run goes up to."""
    return [said for said in definitions if yearly or said["method"] != "year_of_care"]


def _histories(lines: Sequence[Line], entries: Sequence[Entry]) -> Iterator[tuple[list[Line], list[Entry]]]:
    """Patient by patient; every line without one by itself."""
    for patient in sorted({row["patient_id"] for row in (*lines, *entries) if (row["patient_id"] or "").strip()}):
        yield (
            [line for line in lines if line["patient_id"] == patient],
            [entry for entry in entries if entry["patient_id"] == patient],
        )
    yield from (([line], []) for line in lines if not (line["patient_id"] or "").strip())


def frames_of(lines: Sequence[Line]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Priced lines and the activity of each kind, in one order."""
    wanted = schema(PRICED_LINE)
    priced, activity = [], []
    for kind, columns in KINDS.items():
        own = [line for line in lines if line["kind"] == kind]
        if not own:
            continue
        types = schema(columns)
        rows = []
        for line in own:
            days = dict(zip(_DATES[kind], (line["start"], line["end"]), strict=False))
            row = {**line, **days, _KEY[kind]: line["line_id"], "hrg": line["currency"]}
            rows.append({name: row.get(name) for name in types})
        activity.append(pl.DataFrame(rows, schema=types))
        told = [{**line, "activity_date": line["end"], "basis": 16384 if line["local"] else 0} for line in own]
        for row in told:
            row["basis"] = _local_flag() if row["local"] else 0
        names = [name for name in wanted if name in told[0]]
        priced.append(pl.DataFrame([{name: row[name] for name in names} for row in told], schema={n: wanted[n] for n in names}))
    missing = {"gp_practice": pl.String, "financial_year": pl.String, "month": pl.Int8}
    whole = pl.concat(priced).with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in missing.items())
    return whole, activity


def _local_flag() -> int:
    from tariff.reasons import Basis

    return int(Basis.LOCAL_PRICE)


def entries_frame(entries: Sequence[Entry]) -> pl.DataFrame:
    return pl.DataFrame([{name: entry.get(name) for name in names(REGISTER)} for entry in entries], schema=schema(REGISTER))


def told_of(bundled: Bundled) -> Told:
    lines = bundled.lines.select("line_id", "pathway_id", "pathway_category", "pathway_pence").collect()
    return Told(
        {row[0]: (row[1], row[2], row[3]) for row in lines.rows()},
        {row["pathway_id"]: row for row in bundled.pathways.to_dicts()},
    )


@pytest.fixture(scope="session")
def pathway_file() -> PathwayFile:
    file, faults = read_declarations(HERE / "pathways.toml", PathwayFile)
    assert file is not None, faults
    return file


@pytest.fixture(scope="session")
def world(pathway_file: PathwayFile) -> World:
    return World(pathway_file)


@pytest.fixture(scope="session")
def two_years(pathway_file: PathwayFile) -> World:
    """Two rule packs, the second with other prices, windows and rules; the first ends amid the random histories."""
    return World(pathway_file, date(2016, 7, 1), date(2017, 6, 30), later=_dearer(pathway_file))


@pytest.fixture(scope="session")
def year_after(pathway_file: PathwayFile) -> World:
    """The same two packs, for 2017-18 and 2018-19."""
    return World(pathway_file, later=_dearer(pathway_file))


def _dearer(file: PathwayFile) -> PathwayFile:
    """The definitions of the year after: every price twice as high, windows shorter, transfers within two days."""
    said = file.model_dump(by_alias=True, mode="json")
    for pathway in said["pathway"]:
        for levels in ("levels", "antenatal", "birth", "postnatal"):
            for level in pathway.get(levels, ()):
                level["price"] = str(2 * int(level["price"].replace(",", "")))
        if "window_days" in pathway:
            pathway["window_days"] = pathway["window_days"] * 2 // 3
        if "same_birth_days" in pathway:
            pathway["same_birth_days"] = 7
    said["transfers"]["gap_days"] = 2
    return PathwayFile.model_validate_json(json.dumps(said))


@pytest.fixture(scope="session")
def make_world() -> type[World]:
    return World


@pytest.fixture(scope="session")
def everyday() -> Callable[..., Line]:
    def made(**said: Any) -> Line:
        line = {**EVERYDAY, **said}
        if line["kind"] != "admitted":
            line["end"] = line["start"]
        return line

    return made


_CHOICES: dict[str, list[Any]] = {
    "currency": [*["HN22A"] * 5, "HN13B", "HN80A", "HE11G", "HE11G", "BZ34C", "BZ80A", "NZ30A", "NZ31B", "NZ20A", "DZ13A",
                 "WF01A", "LA97A", " hn22a"],
    "provider": ["RA1", "RA1", "RB2", "RB2", "RB2", "RC3", "RB201", "RX9"],
    "commissioner": [*["QA1"] * 8, "QB2", "7A3"],
    "treatment_function": ["110", "110", "130", "501", "343", "710", "300", None],
    "admission_method": ["11", "11", "21", "21", "2B", "81", "28"],
    "discharge_method": [*["1"] * 8, "2", "4"],
    "primary_diagnosis": ["M16", "M16", "T84.0", "T840", "t84.1", "C50", "S72", None],
    "secondary_diagnoses": [*[None] * 6, "I10;C61", "v03.1; I10"],
    "outcome": ["priced"] * 14 + ["unpriced", "excluded"],
    "price_pence": [0, 1, 33_333, 100_000, 999_999],
    "age": [2, 40, 60, 70, None],
    "local": [*[False] * 6, True],
}  # fmt: skip


@pytest.fixture(scope="session")
def audits() -> Callable[[int, Sequence[Line]], list[Entry]]:
    """Random evidence of lines: (seed, lines) -> rows, some of them against each other."""

    def made(seed: int, lines: Sequence[Line]) -> list[Entry]:
        draw = random.Random(seed)
        asked = [(tariff, criterion) for tariff, criteria in CRITERIA.items() for criterion in (None, *criteria)]
        rows = []
        for line in lines:
            for _ in range(draw.choice((0, 0, 1, 3))):
                tariff, criterion = draw.choice(asked)
                met = draw.choice(("yes", "yes", "no"))
                rows.append(
                    {
                        "provider": line["provider"], "line_id": line["line_id"], "tariff": tariff, "criterion": criterion,
                        "met": met,
                    }
                )  # fmt: skip
        return list({tuple(row[name] for name in _EVIDENCE[:4]): row for row in rows}.values())

    return made


_SPANS = (0, 0, 0, 1, 2, 3, 5, 8, 12, 20, 28, 35, 70)


@pytest.fixture(scope="session")
def histories() -> Callable[[int, int], tuple[list[Line], list[Entry]]]:
    """Random histories, dense enough that windows meet, tie and cross: (seed, patients) -> lines, register entries."""

    def made(seed: int, patients: int) -> tuple[list[Line], list[Entry]]:
        draw = random.Random(seed)
        lines, entries = [], []
        for patient in range(patients):
            span = draw.choice((10, 60, 150, 150, 300))
            base = date(2017, 2, 1) + timedelta(days=draw.randrange(120))
            nobody = draw.random() < 0.03
            for number in range(draw.randrange(9)):
                lines.append(_random_line(draw, f"P{patient}", f"L{patient}.{number}", base, span))
                if nobody:
                    lines[-1]["patient_id"] = draw.choice([None, "", " "])
            for _ in range(draw.choice((0, 0, 0, 1, 2, 3))):
                entries.append(_random_entry(draw, f"P{patient}", base, span))
        keys = ("patient_id", "register", "start_date", "provider")
        return lines, list({tuple(entry[key] for key in keys): entry for entry in entries}.values())

    return made


def _random_line(draw: random.Random, patient: str, line_id: str, base: date, span: int) -> Line:
    line = {**EVERYDAY, **{name: draw.choice(choices) for name, choices in _CHOICES.items()}}
    line |= {
        "patient_id": patient,
        "line_id": line_id,
        "kind": draw.choice(["admitted"] * 3 + ["outpatient", "emergency", "unbundled"]),
    }
    line["start"] = base + timedelta(days=draw.randrange(span))
    line["end"] = line["start"] + timedelta(days=draw.choice(_SPANS))
    if line["kind"] == "admitted":
        line["pod"] = "NEL" if line["admission_method"][0] == "2" else draw.choice(["EL", "DC", "NELNE", "RADAY"])
    else:
        pods = {"outpatient": "OPFASPCL", "emergency": "AE", "unbundled": draw.choice(["UNBOTHER", "DRUG"])}
        line |= {"pod": pods[line["kind"]], "end": line["start"], "admission_method": None, "discharge_method": None}
        if line["kind"] == "emergency":
            line |= {"treatment_function": draw.choice([None, "110"])}
    if line["kind"] == "unbundled":
        line["treatment_function"] = draw.choice([None, "110"])
    if line["outcome"] != "priced":
        line["price_pence"], line["local"] = 0, False
        line["reason"] = {"unpriced": "no_price_in_setting", "excluded": draw.choice(["not_nhs_funded", "regular_attender"])}[
            line["outcome"]
        ]
    return line


def _random_entry(draw: random.Random, patient: str, base: date, span: int) -> Entry:
    register, levels = draw.choice(
        [
            ("maternity", ["standard", "intensive", "none"]),
            ("maternity_postnatal", ["standard", "intensive"]),
            ("cystic_fibrosis", ["1", "1A", "5", "9"]),
            ("mental_health", ["01", "10"]),
            ("diabetes", ["year"]),
            ("epilepsy", ["year"]),
            ("elsewhere", ["1"]),
        ]
    )
    start = base + timedelta(days=draw.randrange(-40, span))
    return {
        "patient_id": patient,
        "register": register,
        "level": draw.choice(levels),
        "start_date": start,
        "end_date": draw.choice([None, start + timedelta(days=draw.choice((0, 5, 40, 280, 400)))]),
        "provider": draw.choice(["RA1", "RB2", "RX9"]),
        "commissioner": draw.choice(["QA1", "QB2"]),
    }
