"""What one run hands to the next, so that monthly runs come to what one annual run would.

Pathways are a function of a patient's lines and register entries, so lines are carried, not results: the next run forms its
pathways from carried and new lines together, forms once more what the carried ones alone had said, and tells the difference.
A line need not be carried once nothing that may still come can have to do with it: definitions bound how far apart lines can
be that bear on each other (look-back, longest anchor, window, warranty, settlement)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from tariff.columns import REGISTER, schema
from tariff.pathways.care import CARE, CARRIED, ROW
from tariff.pathways.definitions import Definitions
from tariff.pathways.registered import registers_named
from tariff.pathways.sweeping import triggers
from tariff.rulepack.pathway_model import AnchoredEpisode, PhasedPathway, YearOfCare

OPEN: Final[dict[str, pl.DataType]] = {
    "record": pl.Enum(("line", "register", "evidence")),
    "until": pl.Date(),
    "pack": pl.String(),
    **CARRIED,
    **{name: dtype for name, dtype in schema(REGISTER).items() if name not in CARRIED},
    "tariff": pl.String(),
    "criterion": pl.String(),
    "met": pl.Boolean(),
}
"""`pathways_open.parquet`: carried lines of care, register entries and evidence of those lines, the day up to which the run went,
and what governs the line's date or that day: label and digest of a pack's definitions, null where none does."""


def nearest_reach(definitions: Definitions) -> int:
    """Days back from a line that is yet to come within which lines can bear on it where no pathway is near: the look-back of
    an anchor, a transfer, a readmission."""
    days = [0]
    for its, _ in definitions.pathways:
        if isinstance(its, AnchoredEpisode):
            days.append(its.look_back_days + its.longest_anchor_days)
    rules = (pack.transfers for pack in definitions.packs)
    days += [rule.longest_stay_days + rule.gap_days for rule in rules if rule is not None]
    days += [rule.within_days + rule.longest_stay_days for rule in definitions.readmissions]
    return max(days) + 1


def farthest_reach(definitions: Definitions) -> int:
    """Days between the ends of two lines beyond which neither bears on the other's pathway; a year, where one is paid for."""
    days = [nearest_reach(definitions), *(pack.year_days for pack in definitions.packs)]
    for its, _ in definitions.pathways:
        if isinstance(its, AnchoredEpisode):
            after = max(its.window_days, its.warranty_days)
            days.append(its.look_back_days + its.longest_anchor_days + after + its.settlement_days)
        elif isinstance(its, PhasedPathway):
            days.append(2 * its.longest_antenatal_days + its.longest_birth_days + its.postnatal_days + its.settlement_days)
    return max(days) + 1


def carried(
    lines: pl.LazyFrame,
    others: pl.LazyFrame,
    registers: pl.DataFrame,
    answers: pl.DataFrame,
    definitions: Definitions,
    given: Definitions,
    until: date,
) -> pl.LazyFrame:
    """What to hand to the next run (`OPEN`): of the lines of patients that were swept, of those of others, of register entries,
    and of `answers`, the evidence of years of care with its patient. `definitions` are those that were formed, `given` all that
    there are."""
    near, far = (timedelta(days=days) for days in (nearest_reach(definitions), farthest_reach(definitions)))
    swept = lines.select(*CARRIED).collect(engine="streaming")
    triggering = swept.filter(triggers(definitions))["patient_id"].unique()
    booked = registers.filter(pl.col("register").is_in(_phased(definitions)))["patient_id"].unique()
    chained = pl.col("patient_id").is_in(pl.concat([triggering, booked]).implode())
    yearly = registers.filter(pl.col("register").is_in(registers_named(definitions)))["patient_id"].unique()
    this_year = pl.col("patient_id").is_in(yearly.implode()) & (pl.col("end") >= _first_year(definitions))
    parts = [
        swept.filter(~chained & ((pl.col("end") >= until - near) | this_year)).lazy(),
        _since_last_gap(swept.filter(chained), far, until).lazy(),
        others.filter((pl.col("patient_id") != "") & (pl.col("end") >= until - near)).select(*CARRIED),
    ]
    entries = registers.filter(
        pl.col("register").is_in(registers_named(definitions))
        & (pl.col("end_date").is_null() | (pl.col("end_date") >= until - far))
    )
    return pl.concat(
        [
            _in_schema(pl.concat(parts), "line", until, _mark(pl.col("end"), given)),
            _in_schema(entries.lazy(), "register", until, _mark(pl.lit(until), given)),
            _in_schema(answers.lazy(), "evidence", until, _mark(pl.lit(until), given)),
        ]
    )


def _mark(day: pl.Expr, definitions: Definitions) -> pl.Expr:
    """What governs a day: the mark of a pack's definitions."""
    mark = pl.lit(None, pl.String)
    for pack in definitions.packs:
        mark = pl.when(day.is_between(*definitions.bounds(pack))).then(pl.lit(pack.mark)).otherwise(mark)
    return mark


def with_carried(care: pl.LazyFrame, open_pathways: pl.LazyFrame | pl.DataFrame | None) -> pl.LazyFrame:
    """Lines of care and those carried from the run before, whose `row` is null."""
    if open_pathways is None:
        return care
    lines = open_pathways.lazy().filter(pl.col("record").cast(pl.String) == "line")
    old = lines.select(pl.lit(None).alias(ROW), *CARRIED)
    return pl.concat([old.select(pl.col(name).cast(dtype) for name, dtype in CARE.items()), care])


def _first_year(definitions: Definitions) -> date:
    """First day of the first year that is paid by the year of care."""
    return min((pack.since for its, pack in definitions.pathways if isinstance(its, YearOfCare)), default=date.max)


def _phased(definitions: Definitions) -> list[str]:
    return [
        name
        for its, _ in definitions.pathways
        if isinstance(its, PhasedPathway)
        for name in (its.antenatal_register, its.postnatal_register)
    ]


def _since_last_gap(lines: pl.DataFrame, far: timedelta, until: date) -> pl.DataFrame:
    """Each patient's lines since the last time that none ended for longer than `far`."""
    lines = lines.sort("patient_id", "end")
    following = pl.col("end").shift(-1).over("patient_id", order_by="end").fill_null(until)
    breaks = lines.with_columns(gap=(following - pl.col("end")) > far)
    after = pl.col("gap").cast(pl.Int32).reverse().cum_sum().reverse().over("patient_id")
    return breaks.with_columns(broken=after).filter(pl.col("broken") == 0).drop("gap", "broken")


def _in_schema(frame: pl.LazyFrame, record: str, until: date, mark: pl.Expr) -> pl.LazyFrame:
    told = frame.with_columns(record=pl.lit(record), until=pl.lit(until), pack=mark)
    present = told.collect_schema().names()
    return told.select(
        (pl.col(name) if name in present else pl.lit(None)).cast(dtype).alias(name) for name, dtype in OPEN.items()
    )
