"""Register entries as definitions need them: which definition each is for, at which level, and why it cannot be paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from tariff.activity.files import opened
from tariff.columns import PATHWAY_FLAGS, REGISTER, names, schema
from tariff.errors import ActivityError, Fault, did_you_mean
from tariff.kernels.pathways import OPENED, ROLE_BOOKING, ROLE_POSTNATAL, ROLE_YEAR
from tariff.pathways.definitions import Definition, Definitions
from tariff.rulepack.pathway_model import PhasedPathway, RegisterLevel, YearOfCare

FOREVER: Final = 3_000_000
"""Last day (since 1970-01-01) of an entry that goes on."""
_NO_LEVEL, _NO_FACTOR = (1 + PATHWAY_FLAGS.index(flag) for flag in ("no_level", "no_factor"))


ENTRY: Final = ("patient_id", "register", "start_date", "provider")
"""What tells one register entry from another."""


def read_registers(registers: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """Register entries (`columns.REGISTER`) in canonical types. Entries without patient, register, day of start or provider are
    left out, and of entries of one patient on one register from one day with one provider all but the one that ends last and has
    the highest level. ActivityError where a required column is missing."""
    frame = registers.lazy()
    present = frame.collect_schema().names()
    lacking = [name for name in names(REGISTER, required_only=True) if name not in present]
    faults = [Fault("registers", f"no column '{name}'", did_you_mean(name, present)) for name in lacking]
    if faults:
        raise ActivityError(f"The registers lack {len(faults)} of their columns.", faults)
    codes = ("register", "level", "provider", "commissioner")
    clean = [pl.col(name).cast(pl.String).str.strip_chars() for name in codes]
    return (
        frame.select(
            (pl.col(name) if name in present else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in schema(REGISTER).items()
        )
        .with_columns(*clean)
        .with_columns(pl.col("provider").str.to_uppercase(), pl.col("commissioner").str.to_uppercase())
        .filter(
            (pl.col("patient_id").str.strip_chars() != "")
            & (pl.col("provider") != "")
            & pl.col("register").is_not_null()
            & pl.col("start_date").is_not_null()
        )
        .sort(pl.col("end_date").is_null(), "end_date", "level", "commissioner")
        .unique(list(ENTRY), keep="last", maintain_order=True)
        .collect()
    )


def scan_registers(path: Path) -> pl.LazyFrame:
    """The register entries of a CSV or Parquet file, their dates read. ActivityError where it cannot be used, or a date in it is
    none: an entry must not be lost for how its day is written."""
    frame = opened(path).frame
    frame = frame.rename({name: name.strip().lower() for name in frame.collect_schema().names()})
    types = frame.collect_schema()
    written = [name for name in ("start_date", "end_date") if name in types and types[name] == pl.String]
    if not written:
        return frame
    text = {name: pl.col(name).str.strip_chars() for name in written}
    days = {name: text[name].str.to_date("%Y-%m-%d", strict=False) for name in written}
    unread = frame.select(
        (text[name].str.len_chars().gt(0) & days[name].is_null()).sum().alias(name) for name in written
    ).collect()
    faults = [
        Fault(str(path), f"{unread[name].item():,} cells of {name} are no dates", "write them as 2017-04-01")
        for name in written
        if unread[name].item()
    ]
    if faults:
        raise ActivityError("The registers cannot be used.", faults)
    return frame.with_columns(**days)


def entries_for(registers: pl.DataFrame, definitions: Definitions) -> pl.DataFrame:
    """An entry for each definition it serves: `definition`, `role`, `level_number` (place among the levels), `barred` (status),
    `start` and `end` in days since 1970-01-01. A booking is of the pack of its own date alone."""
    parts = [
        _entries(registers, number, definition, role)
        for number, definition in enumerate(definitions.pathways)
        for role in _roles(definition, definitions)
    ]
    return pl.concat(parts or [_entries(registers.clear(), 0, None, _Role("", ROLE_YEAR, ()))])


def registers_named(definitions: Definitions) -> set[str]:
    """The registers that definitions read."""
    return {role.register for definition in definitions.pathways for role in _roles(definition, definitions)}


@dataclass(frozen=True, slots=True)
class _Role:
    """What the entries of a register, those that begin in `begins`, are to a definition."""

    register: str
    number: int
    levels: tuple[RegisterLevel, ...]
    begins: tuple[date, date] = (date.min, date.max)


def _roles(definition: Definition, definitions: Definitions) -> list[_Role]:
    its, pack = definition
    if isinstance(its, YearOfCare):
        return [_Role(its.register_name, ROLE_YEAR, its.levels)]
    if isinstance(its, PhasedPathway):
        return [
            _Role(its.antenatal_register, ROLE_BOOKING, its.antenatal, definitions.bounds(pack)),
            _Role(its.postnatal_register, ROLE_POSTNATAL, its.postnatal),
        ]
    return []


def _entries(registers: pl.DataFrame, number: int, definition: Definition | None, role: _Role) -> pl.DataFrame:
    own = registers.filter((pl.col("register") == role.register) & pl.col("start_date").is_between(*role.begins))
    positions = {level.level: position for position, level in enumerate(role.levels)}
    position = pl.col("level").replace_strict(positions, default=-1, return_dtype=pl.Int64).fill_null(-1)
    without = pl.col("provider").is_in(_without_factor(own["provider"], definition))
    return own.select(
        "patient_id",
        "register",
        pl.col("level").fill_null(""),
        "provider",
        pl.col("commissioner").fill_null(""),
        start=pl.col("start_date").to_physical().cast(pl.Int64),
        end=pl.col("end_date").to_physical().cast(pl.Int64).fill_null(FOREVER),
        definition=pl.lit(number, dtype=pl.Int64),
        role=pl.lit(role.number, dtype=pl.Int64),
        level_number=position,
        barred=pl.when(position < 0).then(_NO_LEVEL).when(without).then(_NO_FACTOR).otherwise(OPENED).cast(pl.Int64),
    )


def _without_factor(providers: pl.Series, definition: Definition | None) -> list[str]:
    if definition is None or not definition.its.market_forces:
        return []
    return [code for code in providers.unique() if definition.pack.factor_of(code) is None]
