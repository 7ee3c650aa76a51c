"""Register entries as definitions need them: which definition each is for, at which level, and why it cannot be paid."""

from __future__ import annotations

from typing import Final

import polars as pl

from tariff.columns import PATHWAY_FLAGS, REGISTER, names, schema
from tariff.errors import ActivityError, Fault, did_you_mean
from tariff.kernels.pathways import OPENED, ROLE_BOOKING, ROLE_POSTNATAL, ROLE_YEAR
from tariff.pathways.definitions import Definitions
from tariff.rulepack.pathway_model import PhasedPathway, RegisterLevel, YearOfCare

FOREVER: Final = 3_000_000
"""Last day (since 1970-01-01) of an entry that goes on."""
_NO_LEVEL, _NO_FACTOR = (1 + PATHWAY_FLAGS.index(flag) for flag in ("no_level", "no_factor"))
_ORDER: Final = ("patient_id", "start", "end", "provider", "level", "definition", "role")


def read_registers(registers: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """Register entries (`columns.REGISTER`) in canonical types, each once; entries without patient, register, day of
    start or provider are left out. ActivityError where a required column is missing."""
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
        .unique()
        .collect()
    )


def entries_for(registers: pl.DataFrame, definitions: Definitions) -> pl.DataFrame:
    """An entry for each definition it serves: `definition`, `role`, `level_number` (place among the levels), `barred` (status),
    `start` and `end` in days since 1970-01-01; sorted by patient and turn."""
    parts = [
        _entries(registers, number, register, role, levels, definitions)
        for number, definition in enumerate(definitions.pathways)
        for register, role, levels in _registers_of(definition)
    ]
    return pl.concat(parts or [_entries(registers.clear(), 0, "", ROLE_YEAR, (), definitions)]).sort(_ORDER)


def registers_named(definitions: Definitions) -> set[str]:
    """The registers that definitions read."""
    return {register for definition in definitions.pathways for register, _, _ in _registers_of(definition)}


def _registers_of(definition: object) -> list[tuple[str, int, tuple[RegisterLevel, ...]]]:
    if isinstance(definition, YearOfCare):
        return [(definition.register_name, ROLE_YEAR, definition.levels)]
    if isinstance(definition, PhasedPathway):
        return [
            (definition.antenatal_register, ROLE_BOOKING, definition.antenatal),
            (definition.postnatal_register, ROLE_POSTNATAL, definition.postnatal),
        ]
    return []


def _entries(
    registers: pl.DataFrame,
    number: int,
    register: str,
    role: int,
    levels: tuple[RegisterLevel, ...],
    definitions: Definitions,
) -> pl.DataFrame:
    own = registers.filter(pl.col("register") == register)
    positions = {level.level: position for position, level in enumerate(levels)}
    without_factor = [code for code in own["provider"].unique() if definitions.factor_of(code) is None]
    priced_with_factor = bool(definitions.pathways) and definitions.pathways[number].market_forces
    position = pl.col("level").replace_strict(positions, default=-1, return_dtype=pl.Int64).fill_null(-1)
    return own.select(
        "patient_id",
        "register",
        pl.col("level").fill_null(""),
        "provider",
        pl.col("commissioner").fill_null(""),
        start=pl.col("start_date").to_physical().cast(pl.Int64),
        end=pl.col("end_date").to_physical().cast(pl.Int64).fill_null(FOREVER),
        definition=pl.lit(number, dtype=pl.Int64),
        role=pl.lit(role, dtype=pl.Int64),
        level_number=position,
        barred=pl.when(position < 0)
        .then(_NO_LEVEL)
        .when(pl.col("provider").is_in(without_factor) & priced_with_factor)
        .then(_NO_FACTOR)
        .otherwise(OPENED)
        .cast(pl.Int64),
    )
