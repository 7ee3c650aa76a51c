"""Readmissions and an anchored bundle, by the sweeps, by DuckDB and by Polars alone, on the same lines of care in memory.

    python -m benchmarks.bench_pathways [LINES]

Every contender must come to the same pence. The runs are interleaved; the figure is the ratio of the best of each to the sweep's
best. The bundle's patients have one anchor each: what happens where windows meet has no short form in SQL, so that part of the
definition is the sweep's alone, and costs it here. Nothing is written to disk."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import numpy as np
import polars as pl

from tariff.columns import KIND, POD
from tariff.pathways import Definitions, PackDefinitions, readmissions
from tariff.pathways.bundling import form
from tariff.pathways.care import CARE
from tariff.rulepack.declarations import read_declarations
from tariff.rulepack.pathway_model import PathwayFile

LINES = 1_000_000
ROUNDS = 3
_FIRST = date(2017, 4, 1)
_DEFINITIONS = Path(__file__).parent / "pathways.toml"
PRICED = {"line_id": pl.String, "price_pence": pl.Int64}


def definitions() -> Definitions:
    file, faults = read_declarations(_DEFINITIONS, PathwayFile)
    assert file is not None, faults
    return Definitions((PackDefinitions("benchmark", _FIRST, date(2018, 4, 30), file.pathway, None, file.readmission),))


def care(lines: int) -> pl.DataFrame:
    """Random lines of care: five a patient, two in five admitted, one patient in ten with one joint replacement."""
    rng = np.random.default_rng(1)
    patient = np.sort(rng.integers(lines // 5, size=lines))
    begins = np.flatnonzero(np.diff(patient, prepend=-1))
    anchor = np.zeros(lines, dtype=bool)
    anchor[begins[patient[begins] % 10 == 0]] = True
    admitted = anchor | (rng.random(lines) < 0.4)
    emergency = admitted & ~anchor & (rng.random(lines) < 0.5)
    stay = np.where(admitted, rng.integers(0, 12, size=lines), 0)
    start = np.datetime64(_FIRST) + rng.integers(0, 365, size=lines).astype("timedelta64[D]")
    frame = pl.DataFrame({"patient": patient, "start": start.astype("datetime64[ms]"), "stay": stay})
    text = {"gp_practice", "discharge_method", "diagnoses", "procedure", "financial_year"}
    made: dict[str, Any] = {
        "row": pl.int_range(lines, dtype=pl.Int64),
        "patient_id": pl.format("P{}", "patient"),
        "kind": pl.Series(np.where(admitted, "admitted", "outpatient")).cast(KIND),
        "provider": pl.Series(rng.choice(["RA1", "RB2", "RC3"], size=lines)),
        "line_id": pl.format("L{}", pl.int_range(lines)),
        "commissioner": pl.lit("QA1"),
        "start": pl.col("start").cast(pl.Date),
        "end": pl.col("start").cast(pl.Date) + pl.duration(days="stay"),
        "pod": pl.Series(np.where(admitted, np.where(emergency, "NEL", "EL"), "OPFUPSPCL")).cast(POD),
        "currency": pl.Series(np.where(anchor, "HN22A", np.where(admitted, "HE11G", "WF01A"))),
        "treatment_function": pl.Series(rng.choice(["110", "300"], size=lines)),
        "admission_method": pl.Series(np.where(admitted, np.where(emergency, "21", "11"), "")),
        "age": pl.lit(60, pl.Int32),
        "priced": pl.lit(value=True),
        "national": pl.lit(value=True),
        "without_price": pl.lit(value=False),
        "other_payer": pl.lit(value=False),
        "price_pence": pl.Series(rng.integers(1, 1_000_000, size=lines)),
        "month": pl.lit(1, pl.Int8),
    }
    made |= {name: pl.lit("") for name in text}
    return frame.select(
        pl.lit(made[name]).alias(name) if isinstance(made[name], pl.Series) else made[name].alias(name) for name in CARE
    )


# --- readmissions: the price of emergency spells within 30 days of the last discharge ------------------------------------------


def readmissions_by_sweep(lines: pl.DataFrame) -> int:
    return int(readmissions(lines.lazy(), definitions())["pence"].sum())


def readmissions_by_duckdb(lines: pl.DataFrame) -> int:
    spells = lines.filter(pl.col("kind") == "admitted").select(
        "patient_id", "provider", "line_id", "start", "end", "price_pence", "pod"
    )
    assert spells.height
    query = """
        select sum(again.price_pence) from (select *, pod::text as point from spells) again
        where point = 'NEL' and exists (
            select 1 from spells before where before.patient_id = again.patient_id
            and before."end" <= again.start and again.start - before."end" <= 30
            and (before.start, before."end", before.provider, before.line_id)
              < (again.start, again."end", again.provider, again.line_id))
    """
    return int(duckdb.sql(query).fetchall()[0][0])


def readmissions_by_polars(lines: pl.DataFrame) -> int:
    spells = (
        lines.lazy()
        .filter(pl.col("kind") == "admitted")
        .select("patient_id", "provider", "line_id", "start", "end", "price_pence", "pod")
    )
    again = spells.filter(pl.col("pod") == "NEL")
    days = (pl.col("start") - pl.col("end_before")).dt.total_days()
    order = ("start", "end", "provider", "line_id")
    pairs = again.join(spells.select("patient_id", pl.col(order).name.suffix("_before")), on="patient_id")
    comes_before, tied = pl.lit(value=False), pl.lit(value=True)
    for name in order:
        comes_before |= tied & (pl.col(f"{name}_before") < pl.col(name))
        tied &= pl.col(f"{name}_before") == pl.col(name)
    found = pairs.filter(days.is_between(0, 30) & comes_before)
    return int(found.unique("line_id").select(pl.col("price_pence").sum()).collect(engine="streaming").item())


# --- bundle: a joint replacement, from 30 days before to 90 after, with trauma and orthopaedic attendances --------------------


def bundle_by_sweep(lines: pl.DataFrame) -> int:
    formed = form([lines.lazy()], lines.height, definitions())
    return int(formed.pathways["episodic_pence"].sum())


def bundle_by_duckdb(lines: pl.DataFrame) -> int:
    bare = lines.select(
        "patient_id", "start", "end", "price_pence", "currency", pl.col("kind").cast(pl.String), "treatment_function"
    )
    assert bare.height
    query = """
        with anchors as (select * from bare where currency = 'HN22A')
        select (select sum(price_pence) from anchors) + (
            select sum(line.price_pence) from bare line join anchors on line.patient_id = anchors.patient_id
            where line.kind = 'outpatient' and line.treatment_function = '110'
            and line.start between anchors.start - 30 and anchors."end" + 90)
    """
    return int(duckdb.sql(query).fetchall()[0][0])


def bundle_by_polars(lines: pl.DataFrame) -> int:
    anchors = lines.lazy().filter(pl.col("currency") == "HN22A")
    windows = anchors.select("patient_id", opened=pl.col("start").dt.offset_by("-30d"), closes=pl.col("end").dt.offset_by("90d"))
    care_inside = lines.lazy().filter((pl.col("kind") == "outpatient") & (pl.col("treatment_function") == "110"))
    inside = care_inside.join(windows, on="patient_id").filter(pl.col("start").is_between("opened", "closes"))
    amounts = [frame.select(pl.col("price_pence").sum()).collect(engine="streaming").item() for frame in (anchors, inside)]
    return int(sum(amounts))


CONTENDERS: dict[str, dict[str, Callable[[pl.DataFrame], int]]] = {
    "readmissions": {"sweep": readmissions_by_sweep, "duckdb": readmissions_by_duckdb, "polars": readmissions_by_polars},
    "bundle": {"sweep": bundle_by_sweep, "duckdb": bundle_by_duckdb, "polars": bundle_by_polars},
}


def compare(lines: int = LINES) -> dict[str, dict[str, float]]:
    """Seconds of the sweep's best run, and how many times as long each peer's best took."""
    frame = care(lines)
    told: dict[str, dict[str, float]] = {}
    for task, contenders in CONTENDERS.items():
        answers = {name: contender(frame) for name, contender in contenders.items()}
        assert len(set(answers.values())) == 1, (task, answers)
        best = dict.fromkeys(contenders, float("inf"))
        for _ in range(ROUNDS):
            for name, contender in contenders.items():
                started = perf_counter()
                contender(frame)
                best[name] = min(best[name], perf_counter() - started)
        told[task] = {"lines": lines, "sweep_seconds": round(best["sweep"], 3)}
        told[task] |= {f"{name}_to_sweep": round(seconds / best["sweep"], 2) for name, seconds in best.items() if name != "sweep"}
    return told


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]) if len(sys.argv) > 1 else LINES), indent=1))
