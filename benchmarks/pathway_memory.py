"""What forming the pathways of a national year costs in memory and time: priced lines and their activity on disk, as a run folder
of many parts, under every definition of the `example` pack with registers.

    python -m benchmarks.pathway_memory [--spells 20000000] [--attendances 20000000] [--folder DIR]

The lines are random, five a patient, written to a temporary folder in DIR and removed in the end (some 2 GB for 40 million lines;
as much again is laid aside while pathways are formed). Forming is measured in a process of its own, interpreter and libraries
included: processor time of all threads, the clock, and the most memory held."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import MEGABYTE, peak_memory
from tariff.columns import ADMITTED, OUTPATIENT, PATHWAY_TABLES, PRICED_LINE, REGISTER, schema
from tariff.pathways import definitions_of
from tariff.pathways.writing import write_pathways
from tariff.rulepack import load_pack

ROWS_IN_A_PART = 1_000_000
LINES_A_PATIENT = 5
_FIRST = np.datetime64("2017-04-01")
_HRGS = ["HN22A", "BZ34C", "FZ18K", "NZ30A", "NZ31B", *(f"EB{number:02}C" for number in range(95))]
_FUNCTIONS = ["110", "130", "100", "560", "501", "343", "263", "410", *(str(number) for number in range(300, 340))]


def _lines(kind: str, rows: int, first: int, patients: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Canonical activity and its priced lines."""
    rng = np.random.default_rng(first)
    spells = kind == "admitted"
    emergency = (rng.random(rows) < 0.4) & spells
    start = _FIRST + rng.integers(0, 360, rows).astype("timedelta64[D]")
    stay = (rng.exponential(3, rows) * spells).astype(np.int64)
    drawn = pl.DataFrame(
        {
            "line_id": pl.int_range(first, first + rows, eager=True).cast(pl.String),
            "patient": rng.integers(0, patients, rows),
            "provider": rng.integers(0, 200, rows),
            "start": start.astype("datetime64[ms]"),
            "stay": stay,
            "hrg": pl.Series(_HRGS).gather(rng.integers(0, len(_HRGS), rows)),
            "function": pl.Series(_FUNCTIONS).gather(rng.integers(0, len(_FUNCTIONS), rows)),
            "emergency": emergency,
            "pence": rng.integers(5_000, 900_000, rows),
        }
    ).with_columns(
        patient_id=pl.format("PATIENT{}", "patient"),
        provider=pl.format("X{}", pl.col("provider") + 10),
        commissioner=pl.format("C{}", pl.col("provider") % 40 + 10),
        start=pl.col("start").cast(pl.Date),
        end=pl.col("start").cast(pl.Date) + pl.duration(days="stay"),
    )
    same = ["provider", "commissioner", "patient_id"]
    method = pl.when("emergency").then(pl.lit("21")).otherwise(pl.lit("11"))
    if spells:
        own = {"spell_id": "line_id", "admission_date": "start", "discharge_date": "end", "hrg": "hrg"}
        made = {
            "admission_method": method,
            "age": pl.lit(60),
            "primary_diagnosis": pl.lit("M16"),
            "discharge_method": pl.lit("1"),
        }
        point = pl.when("emergency").then(pl.lit("NEL")).otherwise(pl.lit("EL"))
    else:
        own = {"attendance_id": "line_id", "attendance_date": "start"}
        made = {"age": pl.lit(60), "hrg": pl.lit("WF01A")}
        point = pl.lit("OPFUPSPCL")
    types = schema(ADMITTED if spells else OUTPATIENT)
    activity = drawn.select(*same, **{name: pl.col(column) for name, column in own.items()}, **made)
    told = schema(PRICED_LINE)
    priced = drawn.select(
        "line_id", *same, kind=pl.lit(kind), activity_date="end", treatment_function="function", pod=point,
        currency="hrg" if spells else pl.lit("WF01A"), price_pence="pence", outcome=pl.lit("priced"), reason=pl.lit("priced"),
        basis=pl.lit(0), gp_practice=pl.lit(None), financial_year=pl.lit("2017-18"), month=pl.lit(1), pack=pl.lit("example"),
    )  # fmt: skip
    return (
        activity.select(pl.col(name).cast(types[name]) for name in activity.columns),
        priced.select(pl.col(name).cast(told[name]) for name in priced.columns),
    )


def _registers(patients: int) -> pl.DataFrame:
    """One patient in forty is on a register."""
    listed = range(0, patients, 40)
    rows = pl.DataFrame({"number": listed}).with_columns(kind=pl.col("number") // 40 % 3)
    names = {0: ("maternity", "standard"), 1: ("cystic_fibrosis", "1"), 2: ("mental_health", "01")}
    return rows.select(
        patient_id=pl.format("PATIENT{}", "number"),
        register=pl.col("kind").replace_strict({key: name for key, (name, _) in names.items()}),
        level=pl.col("kind").replace_strict({key: level for key, (_, level) in names.items()}),
        start_date=pl.lit("2017-04-01").str.to_date(),
        end_date=pl.lit(None, pl.Date),
        provider=pl.lit("X10"),
        commissioner=pl.lit("C10"),
    ).select(pl.col(name).cast(dtype) for name, dtype in schema(REGISTER).items())


def write(folder: Path, spells: int, attendances: int) -> None:
    """The year on disk: `priced`, `admitted` and `outpatient` in parts of the same rows, and `registers.parquet`."""
    patients, part, first = (spells + attendances) // LINES_A_PATIENT, 0, 0
    for kind, rows in (("admitted", spells), ("outpatient", attendances)):
        (folder / kind).mkdir()
        (folder / "priced").mkdir(exist_ok=True)
        for begun in range(0, rows, ROWS_IN_A_PART):
            activity, priced = _lines(kind, min(ROWS_IN_A_PART, rows - begun), first, patients)
            activity.write_parquet(folder / kind / f"{part:05}.parquet", compression="lz4")
            priced.write_parquet(folder / "priced" / f"{part:05}.parquet", compression="lz4", row_group_size=250_000)
            part, first = part + 1, first + activity.height
    _registers(patients).write_parquet(folder / "registers.parquet")


def _form(folder: Path, told: Any) -> None:
    """In a process of its own."""
    definitions = definitions_of(load_pack("example"))
    everyone = tuple(replace(pack, factors=None) for pack in definitions.packs)  # every provider has a factor, of 1
    definitions = replace(definitions, packs=everyone)
    started = time.perf_counter(), time.process_time()
    totals = write_pathways(
        sorted((folder / "priced").glob("*.parquet")),
        [pl.scan_parquet(folder / kind / "*.parquet") for kind in ("admitted", "outpatient")],
        definitions,
        {name: folder / f"{name}.parquet" for name in PATHWAY_TABLES},
        folder / "work",
        registers=pl.scan_parquet(folder / "registers.parquet"),
    )
    told.put(
        {
            "clock_s": round(time.perf_counter() - started[0], 1),
            "cpu_s": round(time.process_time() - started[1], 1),
            "peak_mb": round(peak_memory() / MEGABYTE),
            "pathways_paid": totals.paid,
            "readmissions": totals.readmissions,
            "handed_on_mb": round((folder / "pathways_open.parquet").stat().st_size / MEGABYTE),
        }
    )


def measure(spells: int, attendances: int, beside: Path | None = None) -> dict[str, Any]:
    """Write, form, tell, remove."""
    with TemporaryDirectory(dir=beside) as name:
        write(Path(name), spells, attendances)
        context = multiprocessing.get_context("spawn")
        told = context.Queue()
        process = context.Process(target=_form, args=(Path(name), told))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"forming pathways ended with {process.exitcode}")
        return {"spells": spells, "attendances": attendances, **told.get()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--spells", type=int, default=20_000_000)
    parser.add_argument("--attendances", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    print(json.dumps(measure(given.spells, given.attendances, given.folder), indent=1))
