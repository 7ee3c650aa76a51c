"""Readmissions and an anchored bundle, by the sweeps, by DuckDB and by Polars alone, on the same lines of care in memory.

    python -m benchmarks.bench_pathways [LINES]

Everybody answers in full: of readmissions, the spell, the one before that it is attributed to, the days between and what is not
paid; of the bundle, what every line is to its pathway (anchor, inside, outside), and of every pathway its price, what is inside
and what that would have been paid. The answers are compared row by row. The bundle's patients have one anchor each: what happens
where windows meet has no short form in SQL, so that part of the definition is the sweep's alone, and costs it here. The sweep
also answers with a dozen columns more; what a run hands to the next is asked of nobody. Nothing is written to disk."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from benchmarks.measure import Turns, summary
from tariff.columns import KIND, POD
from tariff.pathways import Definitions, PackDefinitions, readmissions
from tariff.pathways.bundling import form
from tariff.pathways.care import CARE
from tariff.rulepack.declarations import read_declarations
from tariff.rulepack.pathway_model import PathwayFile

LINES = 1_000_000
ROUNDS = 5
_FIRST = date(2017, 4, 1)
_DEFINITIONS = Path(__file__).parent / "pathways.toml"


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


Answer = tuple[pl.DataFrame, ...]
"""Rows in no order, columns and types the same for everybody."""


# --- readmissions: emergency spells within 30 days of the last discharge, and that discharge ------------------------------------

_PAIR = ("provider", "line_id", "initial_provider", "initial_line_id", "days", "pence")


def readmissions_by_sweep(lines: pl.DataFrame) -> Answer:
    return (readmissions(lines.lazy(), definitions()).select(_PAIR),)


def readmissions_by_duckdb(lines: pl.DataFrame) -> Answer:
    spells = lines.filter(pl.col("kind") == "admitted").select(
        "patient_id", "provider", "line_id", "start", "end", "price_pence", pl.col("pod").cast(pl.String)
    )
    assert spells.height
    query = """
        with pairs as (
            select again.provider, again.line_id, again.price_pence, again.start,
                max((before."end", before.start, before.provider, before.line_id)) as latest
            from spells again join spells before on before.patient_id = again.patient_id
            where again.pod = 'NEL' and before."end" <= again.start and again.start - before."end" <= 30
            and (before.start, before."end", before.provider, before.line_id)
              < (again.start, again."end", again.provider, again.line_id)
            group by all)
        select provider, line_id, latest[3] as initial_provider, latest[4] as initial_line_id,
            (start - latest[1])::int as days, price_pence as pence from pairs
    """
    return (duckdb.sql(query).pl(),)


def readmissions_by_polars(lines: pl.DataFrame) -> Answer:
    order = ("start", "end", "provider", "line_id")
    spells = lines.lazy().filter(pl.col("kind") == "admitted").select("patient_id", *order, "price_pence", "pod")
    again = spells.filter(pl.col("pod") == "NEL").drop("pod")
    days = (pl.col("start") - pl.col("end_before")).dt.total_days().cast(pl.Int32)
    pairs = again.join(spells.select("patient_id", pl.col(order).name.suffix("_before")), on="patient_id")
    comes_before, tied = pl.lit(value=False), pl.lit(value=True)
    for name in order:
        comes_before |= tied & (pl.col(f"{name}_before") < pl.col(name))
        tied &= pl.col(f"{name}_before") == pl.col(name)
    found = pairs.with_columns(days=days).filter(pl.col("days").is_between(0, 30) & comes_before)
    latest = found.sort("end_before", "start_before", "provider_before", "line_id_before").unique(
        ["provider", "line_id"], keep="last", maintain_order=True
    )
    told = latest.select(
        "provider", "line_id", "days", initial_provider="provider_before", initial_line_id="line_id_before", pence="price_pence"
    )
    return (told.select(_PAIR).collect(engine="streaming"),)


# --- bundle: a joint replacement, from 30 days before to 90 after, with trauma and orthopaedic attendances --------------------

_PLACE = ("row", "pathway_id", "category", "pence")
_PATHWAY = ("pathway_id", "price_pence", "lines", "episodic_pence")


def bundle_by_sweep(lines: pl.DataFrame) -> Answer:
    formed = form([lines.lazy()], lines.height, definitions())
    return formed.places.placed(), formed.pathways.select(_PATHWAY)


def bundle_by_duckdb(lines: pl.DataFrame) -> Answer:
    bare = lines.select(
        "row", "patient_id", "line_id", "provider", "start", "end", "price_pence", "currency", pl.col("kind").cast(pl.String),
        "treatment_function",
    )  # fmt: skip
    assert bare.height
    anchors = """anchors as (select *, 'joint:' || provider || ':' || line_id as pathway_id from bare
        where currency = 'HN22A' and kind = 'admitted')"""
    placed = duckdb.sql(
        f"""with {anchors} select line.row, anchors.pathway_id,
            case when line.row = anchors.row then 'anchor'
                 when line.kind = 'outpatient' and starts_with(line.treatment_function, '110') then 'inside'
                 else 'outside_unrelated' end as category,
            case when category = 'outside_unrelated' then 0 else line.price_pence end as pence
        from bare line join anchors on line.patient_id = anchors.patient_id
        where line.row = anchors.row or line.start between anchors.start - 30 and anchors."end" + 90"""
    ).pl()
    assert placed.height
    pathways = duckdb.sql(
        """select pathway_id, 700000::bigint as price_pence, (count(*) filter (category <> 'outside_unrelated'))::int as lines,
        sum(pence)::bigint as episodic_pence from placed group by all"""
    ).pl()
    return placed, pathways


def bundle_by_polars(lines: pl.DataFrame) -> Answer:
    anchors = (
        lines.lazy()
        .filter((pl.col("currency") == "HN22A") & (pl.col("kind") == "admitted"))
        .select(
            "patient_id", anchor="row", pathway_id=pl.format("joint:{}:{}", "provider", "line_id"),
            opened=pl.col("start").dt.offset_by("-30d"), closes=pl.col("end").dt.offset_by("90d"),
        )
    )  # fmt: skip
    inside = (pl.col("kind") == "outpatient") & pl.col("treatment_function").str.starts_with("110")
    category = pl.when(pl.col("row") == pl.col("anchor")).then(pl.lit("anchor")).when(inside).then(pl.lit("inside"))
    placed = (
        lines.lazy()
        .select("row", "patient_id", "start", "kind", "treatment_function", "price_pence")
        .join(anchors, on="patient_id")
        .filter((pl.col("row") == pl.col("anchor")) | pl.col("start").is_between("opened", "closes"))
        .with_columns(category=category.otherwise(pl.lit("outside_unrelated")))
        .with_columns(pence=pl.when(pl.col("category") == "outside_unrelated").then(0).otherwise("price_pence"))
        .select(_PLACE)
        .collect(engine="streaming")
    )
    pathways = placed.group_by("pathway_id").agg(
        price_pence=pl.lit(700_000, pl.Int64),
        lines=(pl.col("category") != "outside_unrelated").sum().cast(pl.Int32),
        episodic_pence=pl.col("pence").sum(),
    )
    return placed, pathways


SWEEP = "engine"
CONTENDERS: dict[str, dict[str, Callable[[pl.DataFrame], Answer]]] = {
    "readmissions": {SWEEP: readmissions_by_sweep, "Polars only": readmissions_by_polars, "DuckDB": readmissions_by_duckdb},
    "bundle": {SWEEP: bundle_by_sweep, "Polars only": bundle_by_polars, "DuckDB": bundle_by_duckdb},
}


class PathwayContest:
    """Contenders for one task, which take turns on the same lines of care."""

    def __init__(self, task: str, lines: int) -> None:
        self.lines, self.contenders = care(lines), CONTENDERS[task]
        self.turns = {name: Turns(lines) for name in self.contenders}
        self.answers = {name: contender(self.lines) for name, contender in self.contenders.items()}

    def take_turns(self) -> None:
        """A turn of everybody."""
        for name, contender in self.contenders.items():
            self.answers[name] = self.turns[name].take(lambda contender=contender: contender(self.lines))

    def engine_turn(self) -> None:
        """A turn of the engine."""
        self.answers[SWEEP] = self.turns[SWEEP].take(lambda: self.contenders[SWEEP](self.lines))

    def peers_turn(self) -> None:
        """A turn of every peer."""
        for name, contender in self.contenders.items():
            if name != SWEEP:
                self.answers[name] = self.turns[name].take(lambda contender=contender: contender(self.lines))

    def require_same_answers(self) -> None:
        """Everybody's last answer is the engine's, row by row."""
        ours = self.answers[SWEEP]
        assert all(table.height for table in ours)
        for name, theirs in self.answers.items():
            for mine, other in zip(ours, theirs, strict=True):
                same = other.select(pl.col(column).cast(dtype) for column, dtype in mine.schema.items())
                assert same.sort(mine.columns[:2]).equals(mine.sort(mine.columns[:2])), f"{name} answers otherwise"


def compare(lines: int = LINES) -> dict[str, Any]:
    """Both tasks, for the JSON."""
    told = {}
    for task in CONTENDERS:
        contest = PathwayContest(task, lines)
        for _ in range(ROUNDS):
            contest.take_turns()
        contest.require_same_answers()
        told[task] = summary(lines, contest.turns)
        best = {name: (min(turns.cpu), min(turns.wall)) for name, turns in contest.turns.items()}
        told[task]["to engine"] = {
            name: {"cpu": round(cpu / best[SWEEP][0], 2), "clock": round(clock / best[SWEEP][1], 2)}
            for name, (cpu, clock) in best.items()
        }
    return told


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]) if len(sys.argv) > 1 else LINES), indent=1))
