"""Pathways from priced lines: the steps in order, one partition of patients at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from tariff.best_practice.evidence import LINE_SCHEMA, NO_EVIDENCE, Evidence
from tariff.columns import REGISTER, RESTATED, names, schema
from tariff.errors import ActivityError, Fault
from tariff.pathways.care import CARRIED, ROW, care_lines
from tariff.pathways.carrying import OPEN, carried, farthest_reach
from tariff.pathways.definitions import Definitions
from tariff.pathways.partitions import in_parts, of_partition, partitions_for
from tariff.pathways.placing import PLACED, Places, category_of
from tariff.pathways.registered import ENTRY, entries_for, read_registers
from tariff.pathways.settling import OWED_SCHEMA, PATHWAY_SCHEMA, netted, owed, pathway_table
from tariff.pathways.sweeping import columns_swept, sweep, triggers

_RESTATED: Final = schema(RESTATED)
HandOn = Callable[[pl.LazyFrame], None]
"""Takes what a partition hands to the next run (`carrying.OPEN`)."""


@dataclass(frozen=True)
class Bundled:
    """What `bundle` gives.

    `lines`: the priced lines with `pathway_id`, `pathway_category` and `pathway_pence`; what a line is still paid by itself is
    `price_pence - pathway_pence`. `pathways`: columns.PATHWAY. `owed`: columns.OWED. `open`: for the next run, in no order.
    `restated`: carried lines that are now in another place, `change_pence` being what their `pathway_pence` changed by."""

    lines: pl.LazyFrame
    pathways: pl.DataFrame
    owed: pl.DataFrame
    open: pl.DataFrame
    restated: pl.DataFrame


@dataclass(frozen=True)
class Formed:
    """Pathways of lines of care: their places by row, and the tables of `Bundled`."""

    places: Places
    pathways: pl.DataFrame
    owed: pl.DataFrame
    restated: pl.DataFrame
    entries_left_out: int
    """Register entries that could not be used."""


class _Formed(NamedTuple):
    """Pathways of one partition: lines with their places, the pathway table, who owes whom."""

    lines: pl.DataFrame
    pathways: pl.DataFrame
    owed: pl.DataFrame


@dataclass(frozen=True)
class _Task:
    """What is the same for every partition: definitions (those to form, and all that are given), the day up to which the run
    goes, the one up to which the run before went, and evidence of years of care."""

    definitions: Definitions
    given: Definitions
    until: date
    told_until: date | None
    answers: pl.DataFrame


def bundle(
    priced: pl.LazyFrame | pl.DataFrame,
    activity: Sequence[pl.LazyFrame | pl.DataFrame],
    definitions: Definitions,
    registers: pl.LazyFrame | pl.DataFrame | None = None,
    open_pathways: pl.LazyFrame | pl.DataFrame | None = None,
    *,
    evidence: Evidence = NO_EVIDENCE,
    until: date | None = None,
    partitions: int | None = None,
) -> Bundled:
    """Form the pathways of priced lines (`columns.PRICED_LINE`), given the canonical activity they were priced from, in the same
    order: the lines of the first frame first.

    `registers` holds register entries (`columns.REGISTER`); `open_pathways` is the `open` of the run before; `evidence` says
    whether years of care met their criteria, beside what the run before was told; `until` is the day up to which the run goes,
    the last day on which a line ends unless said. Sums hold exactly: the prices of all lines are the episodic value of all
    pathways and what lines are still paid by themselves. Memory is bounded by the number of `partitions` of patients, which
    changes nothing else. A year of care is paid for the year that `until` lies in, and for years that the run before had not
    settled. Raises ActivityError where registers or open pathways lack columns, RulesError where open pathways were formed under
    definitions that are not given, DisagreementError where the activity is not that of the lines."""
    care, lines = care_lines(priced, activity), priced.lazy()
    height = _rows(lines)
    count = partitions or partitions_for(height)
    opened = None if open_pathways is None else in_parts(open_pathways.lazy(), count)
    kept: list[pl.DataFrame] = []
    formed = form(
        in_parts(care, count), height, definitions, registers, opened,
        evidence=evidence, until=until, hand_on=lambda part: kept.append(part.collect()),
    )  # fmt: skip
    return Bundled(formed.places.put_on(lines), formed.pathways, formed.owed, pl.concat(kept), formed.restated)


def form(
    parts: Sequence[pl.LazyFrame],
    height: int,
    definitions: Definitions,
    registers: pl.LazyFrame | pl.DataFrame | None = None,
    opened: Sequence[pl.LazyFrame] | None = None,
    *,
    evidence: Evidence = NO_EVIDENCE,
    until: date | None = None,
    hand_on: HandOn | None = None,
) -> Formed:
    """As `bundle`, of lines of care (`care.CARE`) and open pathways (`carrying.OPEN`) in as many parts by the hash of the patient
    (`partitions`), which are taken one after the other; `row` is below `height`. What is for the next run goes to `hand_on`,
    part by part; without it nothing does."""
    opened = [open_of(part) for part in opened or [pl.LazyFrame(schema=OPEN)] * len(parts)]
    told_until, marks = _told_by(opened)
    definitions.require_formed_under(marks)
    listed = pl.DataFrame(schema=schema(REGISTER)) if registers is None else read_registers(registers)
    until = until or _last_day(parts) or definitions.packs[-1].until
    formed = definitions.paying_between(told_until, until, farthest_reach(definitions))
    task = _Task(formed, definitions, until, told_until, _of_years(evidence, definitions))
    places = Places(height)
    pathways, matrices, restated = [], [], []
    for number, (part, carried_part) in enumerate(zip(parts, opened, strict=True)):
        of_part = listed if len(parts) == 1 else listed.filter(of_partition(number, len(parts)))
        now, changed, matrix, again = _partition(task, part, carried_part.collect(), of_part, hand_on)
        places.add(now)
        pathways.append(changed)
        matrices.append(matrix)
        restated.append(again)
    return Formed(
        places,
        pl.concat(pathways).sort("pathway_id", "patient_id", "start_date"),
        netted(pl.concat(matrices)),
        pl.concat(restated).sort("kind", "provider", "line_id"),
        0 if registers is None else _rows(registers) - listed.height,
    )


def _rows(frame: pl.LazyFrame | pl.DataFrame) -> int:
    return int(frame.lazy().select(pl.len()).collect().item())


def _last_day(parts: Sequence[pl.LazyFrame]) -> date | None:
    days = [part.select(pl.col("end").max()).collect(engine="streaming").item() for part in parts]
    return max((day for day in days if day is not None), default=None)


def open_of(open_pathways: pl.LazyFrame) -> pl.LazyFrame:
    """What the run before wrote, in its types. ActivityError where it lacks a column."""
    present = open_pathways.collect_schema().names()
    faults = [
        Fault("open pathways", f"no column '{name}'", "give what the run before wrote") for name in OPEN if name not in present
    ]
    if faults:
        raise ActivityError(f"The open pathways lack {len(faults)} of their columns.", faults)
    return open_pathways.select(pl.col(name).cast(dtype) for name, dtype in OPEN.items())


def _told_by(opened: Sequence[pl.LazyFrame]) -> tuple[date | None, set[str]]:
    """The day up to which the run before went, and the marks of the definitions it went by."""
    told = pl.concat([part.select("until", "pack").unique() for part in opened]).unique().collect(engine="streaming")
    return told["until"].max(), set(told["pack"].drop_nulls())  # type: ignore[return-value]


def _partition(
    task: _Task, part: pl.LazyFrame, before: pl.DataFrame, listed: pl.DataFrame, hand_on: HandOn | None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Forms the pathways of one part: lines with places, pathways that are new or changed, who owes whom, lines restated."""
    old_lines = before.filter(pl.col("record") == "line").select(*CARRIED).with_row_index(ROW)
    old_lines = old_lines.select((-1 - pl.col(ROW).cast(pl.Int64)).alias(ROW), *CARRIED)
    old_entries = before.filter(pl.col("record") == "register").select(names(REGISTER))
    entries = _entries_now(old_entries, listed)
    every_line = part if old_lines.is_empty() else pl.concat([old_lines.lazy(), part])
    concerned = _concerned(every_line, entries, task.definitions)
    lines = every_line.join(concerned.lazy(), on="patient_id", how="semi")
    nobodys = every_line.filter((pl.col("patient_id") == "") & triggers(task.definitions))
    needed = columns_swept(task.definitions)
    swept = pl.concat([lines.select(needed), nobodys.select(needed)]).collect(engine="streaming")
    old_answers = before.filter(pl.col("record") == "evidence").select(*LINE_SCHEMA)
    answers = _answers_now(old_answers, task.answers)
    now = _form(swept, entries, task.definitions, task.until, answers)
    earlier = _told_before(task, swept.filter(pl.col(ROW) < 0), old_entries, old_answers)
    if hand_on is not None:
        others = every_line.join(concerned.lazy(), on="patient_id", how="anti")
        of_patients = answers.join(swept.select("provider", "line_id", "patient_id"), on=["provider", "line_id"])
        hand_on(carried(lines, others, entries, of_patients.unique(), task.definitions, task.given, task.until))
    return (
        now.lines.filter((pl.col(ROW) >= 0) & pl.col("pathway_id").is_not_null()).select(ROW, *PLACED),
        _changed(now.pathways, earlier.pathways),
        pl.concat([now.owed, earlier.owed.with_columns(-pl.col("lines", "pence"))]),
        _restated(now.lines, earlier.lines),
    )


def _concerned(lines: pl.LazyFrame, entries: pl.DataFrame, definitions: Definitions) -> pl.DataFrame:
    """Patients with a trigger or a register entry; nobody else can have a pathway. They are looked for first, so that only
    their lines are sorted and swept."""
    triggering = lines.filter(triggers(definitions) & (pl.col("patient_id") != "")).select("patient_id")
    return pl.concat([triggering.collect(engine="streaming"), entries.select("patient_id")]).unique()


def _told_before(task: _Task, old_lines: pl.DataFrame, old_entries: pl.DataFrame, old_answers: pl.DataFrame) -> _Formed:
    """What the run before told of the lines it carried."""
    if task.told_until is None:
        return _Formed(old_lines.with_columns(**_NO_PLACE), pl.DataFrame(schema=PATHWAY_SCHEMA), pl.DataFrame(schema=OWED_SCHEMA))
    return _form(old_lines, old_entries, task.definitions, task.told_until, old_answers)


_NO_PLACE: Final = {name: pl.lit(None, dtype) for name, dtype in {**PLACED, "definition": pl.String()}.items()}


def _entries_now(old: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Entries given now, and those of earlier runs that are not given again."""
    return pl.concat([given, old.join(given, on=list(ENTRY), how="anti")])


def _of_years(evidence: Evidence, definitions: Definitions) -> pl.DataFrame:
    """Evidence of the tariffs that decide about the quality of a pathway."""
    tariffs = {
        its.quality.tariff for its, _ in definitions.pathways if its.quality is not None and its.quality.tariff is not None
    }
    return evidence.lines.filter(pl.col("tariff").is_in(list(tariffs)))


def _answers_now(old: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Answers given now, and those of earlier runs that are not given again."""
    return pl.concat([given, old.join(given, on=["provider", "line_id", "tariff", "criterion"], how="anti")])


def _form(lines: pl.DataFrame, registers: pl.DataFrame, definitions: Definitions, until: date, answers: pl.DataFrame) -> _Formed:
    swept = sweep(lines, entries_for(registers, definitions), definitions)
    pathways = pathway_table(swept, definitions, until, Evidence(answers, NO_EVIDENCE.gates))
    placed = swept.lines.with_columns(
        pathway_id=pl.lit(pathways["pathway_id"]).gather(pl.when(pl.col("window") >= 0).then("window")),
        pathway_category=category_of(pl.col("category")),
        definition=pl.lit(pathways["definition"]).gather(pl.when(pl.col("window") >= 0).then("window")),
    )
    return _Formed(placed, pathways, owed(placed, pathways))


def _changed(now: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Pathways that are new or no longer what an earlier run told, with the change in what is paid."""
    if earlier.is_empty():
        return now
    key = ["pathway_id", "patient_id"]
    told = earlier.select(*key, earlier_pence="price_pence").unique(key)
    different = now.join(earlier, on=list(PATHWAY_SCHEMA), how="anti", nulls_equal=True)
    changed = (
        different.join(told, on=key, how="left")
        .with_columns(change_pence=pl.col("price_pence") - pl.col("earlier_pence").fill_null(0))
        .select(*PATHWAY_SCHEMA)
    )
    return pl.concat([changed, _gone(earlier.join(now, on=key, how="anti"))])


def _gone(earlier: pl.DataFrame) -> pl.DataFrame:
    """Pathways that an earlier run told and that are none now, such as the birth that a line known later makes the second of
    twins: what they were paid is taken back."""
    nothing = ("bundle_pence", "outlier_pence", "stop_loss_pence", "withheld_pence", "price_pence", "episodic_pence")
    return earlier.with_columns(
        change_pence=-pl.col("price_pence"),
        flag=pl.col("flag").fill_null("overlap"),
        state=pl.lit("closed").cast(PATHWAY_SCHEMA["state"]),
        **{name: pl.lit(0, pl.Int64) for name in nothing},
        **{name: pl.lit(0, pl.Int32) for name in ("lines", "complications")},
    )


def _restated(now: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Carried lines whose place is not what an earlier run told."""
    if earlier.is_empty():
        return pl.DataFrame(schema=_RESTATED)
    told = earlier.select(ROW, *(pl.col(name).alias(f"{name}_told") for name in PLACED), told_definition="definition")
    both = now.filter(pl.col(ROW) < 0).join(told, on=ROW, how="left").with_columns(pl.col("pathway_pence_told").fill_null(0))
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_told")) for name in PLACED)
    changed = both.filter(differs).with_columns(change_pence=pl.col("pathway_pence") - pl.col("pathway_pence_told"))
    return changed.select(pl.col(name).cast(dtype) for name, dtype in _RESTATED.items())
