"""A rule pack compiled to arrays: what the kernels read. Row 0 of every table means "none", the order of codes is the order
of rows, and every array is read-only, C-contiguous and of fixed width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.money import MILLION, PENCE_PER_POUND, half_up

if TYPE_CHECKING:
    from tariff.rulepack import RulePack
    from tariff.rulepack.rows import AdmittedRow

NO_PRICE: Final = -1
"""No national price, no per-day payment, no short-stay price: a blank cell of the table."""
NO_TRIM: Final = -1
DAY_CASE, ORDINARY_ELECTIVE, NON_ELECTIVE = range(3)
"""Columns of the arrays that differ by price setting."""


class PriceBook(NamedTuple):
    """The admitted tables and rules of one pack. Money in pence, factors in millionths, top-ups in basis points, dates in
    days since 1970-01-01."""

    price: NDArray[np.int64]  # (hrg, setting)
    combined: NDArray[np.uint8]  # (hrg,) the elective price is the combined one
    trim_point: NDArray[np.int32]  # (hrg, setting) days
    per_day: NDArray[np.int64]  # (hrg,) long-stay payment
    short_stay_price: NDArray[np.int64]  # (hrg,) reduced short-stay emergency price
    factor: NDArray[np.int64]  # (provider,) market forces factor
    top_up: NDArray[np.int64]  # (top_up,) basis points
    top_up_age: NDArray[np.int32]  # (top_up, lowest and highest)
    top_up_eligible: NDArray[np.uint8]  # (top_up, eligible provider)
    starts: int
    ends: int
    short_stay_minimum_age: int
    short_stay_maximum_stay: int
    top_up_includes_long_stay: bool
    factor_by_provider: bool
    default_factor: int
    whole_pounds: bool


TRUST_CODE_LENGTH: Final = 3


def trust_of(provider: str) -> str:
    """The first three characters of a provider code: its trust."""
    return provider[:TRUST_CODE_LENGTH]


def _read_only(array: NDArray[Any]) -> Any:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _column(values: Iterable[int | None], none: int, dtype: type, first: int | None = None) -> Any:
    """One value a row, with `none` for a blank cell and in row 0 (or `first`, where row 0 means something)."""
    return _read_only(np.array([none if first is None else first, *(none if v is None else v for v in values)], dtype=dtype))


def _elective(row: AdmittedRow, own: int | None) -> int | None:
    """Combined price if present, else the price of the setting (RULES 1.3)."""
    return row.combined if row.combined is not None else own


def short_stay_price(row: AdmittedRow) -> int | None:
    """The table's reduced price; where it prints only the percentage, half-up to whole pounds of it (RULES 1.4)."""
    if not row.short_stay_applies:
        return None
    if row.short_stay_price is not None:
        return row.short_stay_price
    if row.short_stay_percent is None or row.non_elective is None:
        return None
    return half_up(row.non_elective * row.short_stay_percent, PENCE_PER_POUND * 10_000) * PENCE_PER_POUND


def _eligible(pack: RulePack, codes: Sequence[str]) -> Any:
    """Who may have which top-up; where the pack holds no list of providers, everyone (provider row 0)."""
    if pack.top_up_providers is None:
        return _read_only(np.ones((len(pack.top_ups) + 1, 1), dtype=np.uint8))
    listed = set(pack.top_up_providers)
    # a site that is listed itself is eligible for what its trust is listed for, too
    eligible = [
        [(top_up.top_up, code) in listed or (top_up.top_up, trust_of(code)) in listed for code in codes]
        for top_up in pack.top_ups
    ]
    table = np.zeros((len(pack.top_ups) + 1, len(codes) + 1), dtype=np.uint8)
    table[1:, 1:] = np.array(eligible, dtype=np.uint8).reshape(len(pack.top_ups), len(codes))
    return _read_only(table)


def eligible_providers(pack: RulePack) -> tuple[str, ...]:
    """The provider codes that stand in the pack's top-up eligibility, in order of the compiled columns."""
    return tuple(sorted({provider for _, provider in pack.top_up_providers or ()}))


def compile_book(pack: RulePack) -> PriceBook:
    """The arrays of `pack`. A rule whose method is `none` compiles to "no such price", so that loops need not ask."""
    rules, rows = pack.rules, pack.admitted
    day_number = np.datetime64("1970-01-01", "D")
    short_stay_on = rules.short_stay.method != "none"
    long_stay_on = rules.long_stay.method != "none"
    top_ups_on = rules.top_up.method != "none"
    by_provider = rules.market_forces_factor.method == "by_provider"
    prices = [(_elective(r, r.day_case), _elective(r, r.ordinary_elective), r.non_elective) for r in rows]
    trims = [(None, r.elective_trim, r.non_elective_trim) if long_stay_on else (None, None, None) for r in rows]
    default = getattr(rules.market_forces_factor, "default_millionths", None) if by_provider else None
    return PriceBook(
        price=_read_only(
            np.array([(NO_PRICE,) * 3, *(tuple(NO_PRICE if p is None else p for p in three) for three in prices)], dtype=np.int64)
        ),
        combined=_column((r.combined is not None for r in rows), 0, np.uint8),
        trim_point=_read_only(
            np.array([(NO_TRIM,) * 3, *(tuple(NO_TRIM if t is None else t for t in three) for three in trims)], dtype=np.int32)
        ),
        per_day=_column((r.per_day_long_stay if long_stay_on else None for r in rows), NO_PRICE, np.int64),
        short_stay_price=_column((short_stay_price(r) if short_stay_on else None for r in rows), NO_PRICE, np.int64),
        factor=_column((f.mff for f in pack.provider_factors), MILLION, np.int64),
        top_up=_column((t.percent if top_ups_on else 0 for t in pack.top_ups), 0, np.int64),
        top_up_age=_read_only(
            np.array(
                [
                    (0, 999),
                    *((t.minimum_age or 0, 999 if t.maximum_age is None else t.maximum_age) for t in pack.top_ups),
                ],
                dtype=np.int32,
            )
        ),
        top_up_eligible=_eligible(pack, eligible_providers(pack)),
        starts=int((np.datetime64(pack.starts, "D") - day_number).astype(np.int64)),
        ends=int((np.datetime64(pack.ends, "D") - day_number).astype(np.int64)),
        short_stay_minimum_age=getattr(rules.short_stay, "minimum_age", 0),
        short_stay_maximum_stay=getattr(rules.short_stay, "maximum_stay_days", -1) if short_stay_on else -1,
        top_up_includes_long_stay=bool(getattr(rules.top_up, "includes_long_stay", False)),
        factor_by_provider=by_provider,
        default_factor=default or 0,
        whole_pounds=rules.rounding.method == "whole_pounds",
    )
