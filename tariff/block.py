"""A bounded block of one kind of activity under one rule pack: into the kernel, and out of it into the one schema of priced
lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.best_practice.words import standing_columns
from tariff.buffers import empty, repeated, with_blanks
from tariff.classify.calendar import financial_month, financial_year
from tariff.columns import OUTCOME, POD, PRICED_LINE, REASON, SETTING, schema
from tariff.kinds import CompiledPack, PricedKind
from tariff.reasons import OUTCOME_OF_REASON
from tariff.rulepack.book import NO_TRIM

if TYPE_CHECKING:
    from tariff.kernels.admitted import PricedSpells
    from tariff.kernels.best_practice import Cases, Standing
    from tariff.kernels.settling import PricedItems

    BestPractice = tuple[Cases, Standing]

PRICED_SCHEMA: Final = schema(PRICED_LINE)
_OUTCOME_OF_REASON: Final = np.array(OUTCOME_OF_REASON, dtype=np.uint8)
_EXPLAINING: Final = frozenset(
    {"adjusted_length_of_stay", "trim_point", "excess_days", "mff_millionths", "basis", "price_row", "top_up_row"}
)
"""What a kernel finds of a line to explain its price."""
_OF_DATE: Final = {"financial_year": financial_year, "month": financial_month}
PASSED_THROUGH: Final = frozenset(
    {"parent_line_id", "commissioner", "provider", "gp_practice", "patient_id", "treatment_function", "referral_source"}
)
"""Columns of activity that a priced line repeats under their own names."""
_NOTHING: Final[dict[str, str | int]] = {
    "units": 1,
    "excess_days": 0,
    "short_stay_pence": 0,
    "long_stay_pence": 0,
    "top_up_pence": 0,
    "top_up_row": 0,
    "best_practice_pence": 0,
    "best_practice_at_stake_pence": 0,
    "best_practice_lost_pence": 0,
    "best_practice_row": 0,
    "pathway_pence": 0,
}
"""What a priced line holds where its kind has no such thing."""


def price_block(
    block: pl.DataFrame,
    kind: PricedKind,
    pack: CompiledPack,
    *,
    strict_dates: bool = True,
    wanted: Sequence[str] = tuple(PRICED_SCHEMA),
    numbered: bool = False,
) -> pl.DataFrame:
    """Price one bounded block of canonical activity; rows come back in order, as columns of `columns.PRICED_LINE`. Where they are
    `numbered`, enumerations are the numbers of their words."""
    asked = wanted if pack.refusals is None else tuple(PRICED_SCHEMA)
    priced, best = kind.price(block, pack, strict_dates, not _EXPLAINING.isdisjoint(asked))
    lines = _priced_lines(block, kind, priced, best, pack, asked, numbered=numbered)
    return lines if pack.refusals is None else pack.refusals.refuse(lines).select(wanted)


def _outcomes(reasons: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from tariff.kernels.tables import look_up

    outcomes: NDArray[np.uint8] = empty(reasons.size, np.uint8)
    assert look_up(reasons, 0, _OUTCOME_OF_REASON, outcomes)
    return outcomes


def _enumeration(codes: NDArray[np.uint8], dtype: pl.Enum, *, numbered: bool) -> pl.Series:
    return pl.Series(codes) if numbered else pl.Series(codes).cat.to(dtype)


def _priced_lines(
    block: pl.DataFrame,
    kind: PricedKind,
    priced: PricedSpells | PricedItems,
    best: BestPractice | None,
    pack: CompiledPack,
    wanted: Sequence[str],
    *,
    numbered: bool,
) -> pl.DataFrame:
    """The wanted columns of `columns.PRICED_LINE`; what is not wanted is not made."""
    from tariff.kernels.settling import BLANK, BLANK_PENCE

    blanks = {"adjusted_length_of_stay": BLANK, "trim_point": NO_TRIM, "indicative_pence": BLANK_PENCE}
    enumerations = {"pod": POD, "setting": SETTING, "reason": REASON}
    renamed = {"line_id": kind.line_id, "activity_date": kind.activity_date, "currency": kind.currency}
    same_throughout: dict[str, str | int] = {**_NOTHING, "kind": kind.name, "pack": pack.label}
    columns: dict[str, pl.Series] = {}
    if best is not None and best[0].place.size:
        columns.update(standing_columns(*best, pack.pack, pack.evidence, wanted))
    for name in wanted:
        dtype, source = PRICED_SCHEMA[name], renamed.get(name, name)
        if name in columns:
            continue
        if name in _OF_DATE:
            columns[name] = _OF_DATE[name](block[kind.activity_date])
        elif name == "outcome":
            columns[name] = _enumeration(_outcomes(priced.reason), OUTCOME, numbered=numbered)
        elif name in enumerations:
            columns[name] = _enumeration(getattr(priced, name), enumerations[name], numbered=numbered)
        elif name in priced._fields:
            numbers = getattr(priced, name)
            columns[name] = with_blanks(numbers, numbers == blanks[name]) if name in blanks else pl.Series(numbers)
        elif name == "units" and "units" in block.columns:
            columns[name] = block["units"].cast(dtype).fill_null(0)
        elif source in block.columns and (name in renamed or name in PASSED_THROUGH):
            columns[name] = block[source].cast(dtype)
        else:
            columns[name] = repeated(same_throughout.get(name), block.height, dtype)
    return pl.DataFrame({name: columns[name] for name in wanted})
