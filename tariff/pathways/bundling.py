"""Pathways from priced lines: the steps in order, one partition of patients at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from tariff.columns import PATHWAY_CATEGORY, REGISTER, names, schema
from tariff.errors import ActivityError, Fault
from tariff.pathways.care import CARE, CARRIED, ROW, care_lines
from tariff.pathways.carrying import OPEN, carried
from tariff.pathways.definitions import Definitions
from tariff.pathways.partitions import of_partition, partitions_for
from tariff.pathways.registered import entries_for, read_registers
from tariff.pathways.settling import PATHWAY_SCHEMA, netted, owed, pathway_table
from tariff.pathways.sweeping import sweep

PLACED: Final = {
    "pathway_id": pl.String(),
    "pathway_category": PATHWAY_CATEGORY,
    "pathway_pence": pl.Int64(),
}
"""What pathways add to a priced line: `pathway_pence` is the part of its price that the bundle pays in its place."""
_RESTATED: Final = {
    "kind": CARE["kind"],
    "provider": pl.String(),
    "line_id": pl.String(),
    **PLACED,
    "price_pence": pl.Int64(),
    "change_pence": pl.Int64(),
}


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


@dataclass(frozen=True, slots=True)
class _Formed:
    """Pathways of one partition: lines with their places, the pathway table, who owes whom."""

    lines: pl.DataFrame
    pathways: pl.DataFrame
    owed: pl.DataFrame


def bundle(
    priced: pl.LazyFrame | pl.DataFrame,
    activity: Sequence[pl.LazyFrame | pl.DataFrame],
    definitions: Definitions,
    registers: pl.LazyFrame | pl.DataFrame | None = None,
    open_pathways: pl.LazyFrame | pl.DataFrame | None = None,
    *,
    until: date | None = None,
    partitions: int | None = None,
) -> Bundled:
    """Form the pathways of priced lines (`columns.PRICED_LINE`), given the canonical activity they were priced from, in the same
    order: the lines of the first frame first.

    `registers` holds register entries (`columns.REGISTER`); `open_pathways` is the `open` of the run before; `until` is the
    day up to which the run goes, the last day on which a line ends unless said. Sums hold exactly: the prices of all lines are
    the episodic value of all pathways and what lines are still paid by themselves. Memory is bounded by the number of
    `partitions` of patients, which changes nothing else. Raises ActivityError where registers or open pathways lack columns,
    DisagreementError where the activity is not that of the lines."""
    return bundle_care(
        priced, care_lines(priced, activity), definitions, registers, open_pathways, until=until, partitions=partitions
    )


def bundle_care(
    priced: pl.LazyFrame | pl.DataFrame,
    care: pl.LazyFrame,
    definitions: Definitions,
    registers: pl.LazyFrame | pl.DataFrame | None = None,
    open_pathways: pl.LazyFrame | pl.DataFrame | None = None,
    *,
    until: date | None = None,
    partitions: int | None = None,
    hand_on: Callable[[pl.DataFrame], None] | None = None,
) -> Bundled:
    """As `bundle`, of lines of care made before (`care.care_lines`); they are read once for each partition. What is for the next
    run goes to `hand_on`, partition by partition, where it is given, and is not held in memory; `open` is empty then."""
    opened = pl.DataFrame(schema=OPEN) if open_pathways is None else _read_open(open_pathways)
    listed = pl.DataFrame(schema=schema(REGISTER)) if registers is None else read_registers(registers)
    size, last_day = _extent(care)
    until = until or last_day or definitions.until
    count = partitions or partitions_for(size + opened.height)
    parts = []
    for number in range(count):
        *told, kept, changed = _partition(care, opened, listed, definitions, until, number, count)
        if hand_on is not None:
            hand_on(kept)
        parts.append((*told, kept if hand_on is None else kept.clear(), changed))
    placed, pathways, matrices, handed_on, restated = (list(each) for each in zip(*parts, strict=True))
    return Bundled(
        _with_places(priced.lazy(), pl.concat(placed)),
        pl.concat(pathways).sort("pathway_id", "patient_id", "start_date"),
        netted(pl.concat(matrices)),
        pl.concat(handed_on),
        pl.concat(restated).sort("kind", "provider", "line_id"),
    )


def bundle_under(
    priced: pl.LazyFrame | pl.DataFrame,
    activity: Sequence[pl.LazyFrame | pl.DataFrame],
    registers: pl.LazyFrame | pl.DataFrame | None = None,
    *,
    until: date | None = None,
) -> Callable[[Definitions], tuple[pl.DataFrame, int]]:
    """What `comparing.sensitivity` asks: under given definitions the pathways, and the pence still paid line by line."""

    def formed(definitions: Definitions) -> tuple[pl.DataFrame, int]:
        bundled = bundle(priced, activity, definitions, registers, until=until)
        still_paid = bundled.lines.select((pl.col("price_pence") - pl.col("pathway_pence")).sum()).collect()
        return bundled.pathways, int(still_paid.item())

    return formed


def _extent(care: pl.LazyFrame) -> tuple[int, date | None]:
    told = care.select(size=pl.len(), last_day=pl.col("end").max()).collect(engine="streaming")
    return int(told["size"][0]), told["last_day"][0]


def _read_open(open_pathways: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    frame = open_pathways.lazy()
    present = frame.collect_schema().names()
    faults = [
        Fault("open pathways", f"no column '{name}'", "give what the run before wrote") for name in OPEN if name not in present
    ]
    if faults:
        raise ActivityError(f"The open pathways lack {len(faults)} of their columns.", faults)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in OPEN.items()).collect()


def _partition(
    care: pl.LazyFrame, opened: pl.DataFrame, listed: pl.DataFrame, definitions: Definitions, until: date, number: int, count: int
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    its = of_partition(number, count)
    before = opened.filter(its)
    old_lines = before.filter(pl.col("record") == "line").select(*CARRIED).with_row_index(ROW)
    old_lines = old_lines.select((-1 - pl.col(ROW).cast(pl.Int64)).alias(ROW), *CARRIED)
    old_entries = before.filter(pl.col("record") == "register").select(names(REGISTER))
    new_lines = care.filter(its).collect(engine="streaming")
    all_lines = pl.concat([old_lines, new_lines])
    entries = _entries_now(old_entries, listed.filter(its))
    now = _form(all_lines, entries, definitions, until)
    earlier = _form(old_lines, old_entries, definitions, before["until"].max() or definitions.since)  # type: ignore[arg-type]
    return (
        now.lines.filter((pl.col(ROW) >= 0) & pl.col("pathway_id").is_not_null()).select(ROW, *PLACED),
        _changed(now.pathways, earlier.pathways),
        pl.concat([now.owed, earlier.owed.with_columns(-pl.col("lines", "pence"))]),
        carried(all_lines, entries, definitions, until),
        _restated(now.lines, earlier.lines),
    )


def _entries_now(old: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Entries given now, and those of earlier runs that are not given again."""
    key = ["patient_id", "register", "start_date", "provider"]
    return pl.concat([given, old.join(given, on=key, how="anti")])


def _form(lines: pl.DataFrame, registers: pl.DataFrame, definitions: Definitions, until: date) -> _Formed:
    entries = entries_for(registers, definitions)
    swept = sweep(lines, entries, definitions)
    pathways = pathway_table(swept, entries, definitions, until)
    names = pathways["pathway_id"]
    placed = swept.lines.with_columns(
        pathway_id=names.gather(swept.lines.select(pl.when(pl.col("window") >= 0).then("window"))["window"]),
        pathway_category=_categories(swept.lines["category"]),
    )
    return _Formed(placed, pathways, owed(placed, pathways))


def _categories(numbers: pl.Series) -> pl.Series:
    known = numbers.to_frame("its").select(pl.when(pl.col("its") >= 0).then("its").cast(pl.UInt8))["its"]
    return known.cat.to(PATHWAY_CATEGORY)


def _changed(now: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Pathways that are new or no longer what an earlier run told, with the change in what is paid."""
    told = earlier.select("pathway_id", "patient_id", earlier_pence="price_pence").unique(["pathway_id", "patient_id"])
    same = now.join(earlier, on=list(PATHWAY_SCHEMA), how="anti", nulls_equal=True)
    return (
        same.join(told, on=["pathway_id", "patient_id"], how="left")
        .with_columns(change_pence=pl.col("price_pence") - pl.col("earlier_pence").fill_null(0))
        .select(*PATHWAY_SCHEMA)
    )


def _restated(now: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Carried lines whose place is not what an earlier run told."""
    told = earlier.select(ROW, *(pl.col(name).alias(f"{name}_told") for name in PLACED))
    both = now.filter(pl.col(ROW) < 0).join(told, on=ROW, how="left").with_columns(pl.col("pathway_pence_told").fill_null(0))
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_told")) for name in PLACED)
    changed = both.filter(differs).with_columns(change_pence=pl.col("pathway_pence") - pl.col("pathway_pence_told"))
    return changed.select(pl.col(name).cast(dtype) for name, dtype in _RESTATED.items())


def _with_places(priced: pl.LazyFrame, placed: pl.DataFrame) -> pl.LazyFrame:
    """Priced lines, in their order, with the places found for them."""
    present = priced.collect_schema().names()
    return (
        priced.drop([name for name in PLACED if name in present])
        .with_row_index(ROW)
        .with_columns(pl.col(ROW).cast(pl.Int64))
        .join(placed.lazy(), on=ROW, how="left", maintain_order="left")
        .with_columns(pl.col("pathway_pence").fill_null(0))
        .select(*present, *(name for name in PLACED if name not in present))
    )
