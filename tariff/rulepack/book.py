"""A rule pack compiled to arrays: what the kernels read. Row 0 of every table means "none", the order of codes is the order
of rows, and every array is read-only, C-contiguous and of fixed width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.money import BASIS_POINTS, MILLION, PENCE_PER_POUND, half_up
from tariff.rulepack.best_practice_book import BestPracticeBook, compile_best_practice

if TYPE_CHECKING:
    from tariff.rulepack import RulePack
    from tariff.rulepack.rows import AdmittedRow

NO_PRICE: Final = -1
"""No national price, no per-day payment, no short-stay price: a blank cell of the table."""
NO_TRIM: Final = -1
DAY_CASE, ORDINARY_ELECTIVE, NON_ELECTIVE = range(3)
"""Columns of the arrays that differ by price setting."""


FIRST_SINGLE, FIRST_MULTI, FOLLOW_UP_SINGLE, FOLLOW_UP_MULTI, FIRST_NON_FACE_TO_FACE, FOLLOW_UP_NON_FACE_TO_FACE = range(6)
"""Columns of the attendance prices."""
OUTPATIENT_NONE, OUTPATIENT_NATIONAL, OUTPATIENT_ERF = range(3)
"""Methods of paying outpatients (RULES 2.2)."""


class YearBook(NamedTuple):
    """What holds for every kind of activity. Factors in millionths, dates in days since 1970-01-01."""

    starts: int
    ends: int
    factor: NDArray[np.int64]  # (provider,) market forces factor
    factor_by_provider: bool
    default_factor: int  # 0 = none
    whole_pounds: bool


HRG: Final = np.dtype(
    {
        "names": ["price", "short_stay_price", "per_day", "trim_point", "combined"],
        "formats": [(np.int64, 3), np.int64, np.int64, (np.int32, 3), np.uint8],
        "offsets": [0, 24, 32, 40, 52],
        "itemsize": 64,
    }
)
"""What a pack says of an HRG in admitted care, which a spell needs all at once, in one line of memory: prices by setting, reduced
short-stay emergency price, long-stay payment a day, trim points by setting (days), and whether its elective price is the combined
one."""


class AdmittedBook(NamedTuple):
    """Admitted care. Money in pence, top-ups in basis points, trim points in days."""

    hrgs: NDArray[np.void]  # (hrg,) of `HRG`
    top_up: NDArray[np.int64]  # (top_up,) basis points
    top_up_age: NDArray[np.int32]  # (top_up, lowest and highest)
    top_up_eligible: NDArray[np.uint8]  # (top_up, eligible provider)
    short_stay_minimum_age: int
    short_stay_maximum_stay: int
    top_up_includes_long_stay: bool


class OutpatientBook(NamedTuple):
    """Outpatients. Money in pence."""

    procedure: NDArray[np.int64]  # (hrg,) outpatient procedure price, rows of the admitted table
    attendance: NDArray[np.int64]  # (treatment function, kind of attendance)
    mff_included: NDArray[np.uint8]  # (treatment function,)
    default_first: int
    default_follow_up: int
    method: int
    non_face_to_face_as_face_to_face: bool


class EmergencyBook(NamedTuple):
    """Emergency care. Money in pence."""

    price: NDArray[np.int64]  # (currency,) department types 1 and 2
    price_row: NDArray[np.int32]  # (currency,) the row whose price that is
    type_3_price: NDArray[np.int64]  # (currency,)
    type_3_row: NDArray[np.int32]  # (currency,)
    mff_included: NDArray[np.uint8]  # (currency,)
    simplest: NDArray[np.uint8]  # (currency,) type 3 is paid at the simplest currency


class UnbundledBook(NamedTuple):
    """Unbundled care and other currencies. Money in pence a unit."""

    price: NDArray[np.int64]  # (currency,)
    pass_through: NDArray[np.uint8]  # (currency,)
    mff_included: NDArray[np.uint8]  # (currency,)


class PriceBook(NamedTuple):
    """One rule pack, compiled."""

    year: YearBook
    admitted: AdmittedBook
    outpatient: OutpatientBook
    emergency: EmergencyBook
    unbundled: UnbundledBook
    best_practice: BestPracticeBook


TRUST_CODE_LENGTH: Final = 3


def trust_of(provider: str) -> str:
    """The first three characters of a provider code: its trust."""
    return provider[:TRUST_CODE_LENGTH]


def _read_only(array: NDArray[Any]) -> Any:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _column(values: Iterable[int | None], none: int, dtype: type) -> Any:
    """One value a row, with `none` for a blank cell and in row 0."""
    return _read_only(np.array([none, *(none if value is None else value for value in values)], dtype=dtype))


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
    reduced = half_up(row.non_elective * row.short_stay_percent, PENCE_PER_POUND * BASIS_POINTS) * PENCE_PER_POUND
    return min(reduced, row.non_elective)  # a percentage near 100 on a price with pence would round above it


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
    return PriceBook(
        _year(pack), _admitted(pack), _outpatient(pack), _emergency(pack), _unbundled(pack), compile_best_practice(pack)
    )


def _day_number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))


def _year(pack: RulePack) -> YearBook:
    factor_rule = pack.rules.market_forces_factor
    return YearBook(
        starts=_day_number(pack.starts),
        ends=_day_number(pack.ends),
        factor=_column((row.mff for row in pack.provider_factors), MILLION, np.int64),
        factor_by_provider=factor_rule.method == "by_provider",
        default_factor=getattr(factor_rule, "default_millionths", None) or 0,
        whole_pounds=pack.rules.rounding.method == "whole_pounds",
    )


def _table(rows: Iterable[Sequence[int | None]], width: int, none: int, dtype: type) -> Any:
    """Several values a row, with `none` for a blank cell and throughout row 0."""
    filled = [[none] * width, *([none if value is None else value for value in row] for row in rows)]
    return _read_only(np.array(filled, dtype=dtype))


def _hrgs(count: int, **columns: NDArray[Any]) -> NDArray[np.void]:
    """The columns side by side, every row within one line of memory."""
    memory = np.zeros((count + 1) * HRG.itemsize, np.uint8)
    first = -memory.ctypes.data % HRG.itemsize
    hrgs: NDArray[np.void] = memory[first : first + count * HRG.itemsize].view(HRG)
    for name, column in columns.items():
        hrgs[name] = column
    hrgs.flags.writeable = False
    return hrgs


def _admitted(pack: RulePack) -> AdmittedBook:
    rules, rows = pack.rules, pack.admitted
    short_stay_on, long_stay_on = rules.short_stay.method != "none", rules.long_stay.method != "none"
    ages = [(top_up.minimum_age or 0, 999 if top_up.maximum_age is None else top_up.maximum_age) for top_up in pack.top_ups]
    prices = ((_elective(r, r.day_case), _elective(r, r.ordinary_elective), r.non_elective) for r in rows)
    trims = ((None, r.elective_trim, r.non_elective_trim) if long_stay_on else (None,) * 3 for r in rows)
    return AdmittedBook(
        hrgs=_hrgs(
            len(rows) + 1,
            price=_table(prices, 3, NO_PRICE, np.int64),
            combined=_column((row.combined is not None for row in rows), 0, np.uint8),
            trim_point=_table(trims, 3, NO_TRIM, np.int32),
            per_day=_column((row.per_day_long_stay if long_stay_on else None for row in rows), NO_PRICE, np.int64),
            short_stay_price=_column((short_stay_price(row) if short_stay_on else None for row in rows), NO_PRICE, np.int64),
        ),
        top_up=_column((top_up.percent for top_up in pack.top_ups), 0, np.int64),
        top_up_age=_table(ages, 2, 0, np.int32),
        top_up_eligible=_eligible(pack, eligible_providers(pack)),
        short_stay_minimum_age=getattr(rules.short_stay, "minimum_age", 0),
        short_stay_maximum_stay=getattr(rules.short_stay, "maximum_stay_days", -1),
        top_up_includes_long_stay=bool(getattr(rules.top_up, "includes_long_stay", False)),
    )


_OUTPATIENT_METHODS: Final = {"none": OUTPATIENT_NONE, "national": OUTPATIENT_NATIONAL, "erf": OUTPATIENT_ERF}


def _outpatient(pack: RulePack) -> OutpatientBook:
    rule, rows = pack.rules.outpatient, pack.outpatient
    prices = (
        (
            row.first_single,
            row.first_multi,
            row.follow_up_single,
            row.follow_up_multi,
            row.first_non_face_to_face,
            row.follow_up_non_face_to_face,
        )
        for row in rows
    )
    first, follow_up = getattr(rule, "default_first_pence", None), getattr(rule, "default_follow_up_pence", None)
    return OutpatientBook(
        procedure=_column((row.outpatient_procedure for row in pack.admitted), NO_PRICE, np.int64),
        attendance=_table(prices, 6, NO_PRICE, np.int64),
        mff_included=_column((not row.mff for row in rows), 0, np.uint8),
        default_first=NO_PRICE if first is None else first,
        default_follow_up=NO_PRICE if follow_up is None else follow_up,
        method=_OUTPATIENT_METHODS[rule.method],
        non_face_to_face_as_face_to_face=getattr(rule, "non_face_to_face", "") == "face_to_face_price",
    )


DEAD_ON_ARRIVAL: Final = "VB99Z"


def _emergency(pack: RulePack) -> EmergencyBook:
    """Which row pays a currency: its own, that of the simplest currency in a department of type 3, or for a patient dead on
    arrival the one that the pack names (RULES 2.5)."""
    rule = pack.rules.emergency
    rows = pack.emergency if rule.method != "none" else ()
    row_of = {row.currency: number for number, row in enumerate(rows, start=1)}
    simplest_row = row_of.get(getattr(rule, "simplest_currency", ""), 0)
    instead_row = row_of.get(getattr(rule, "dead_on_arrival_as", None) or "", 0)
    price_rows, type_3_rows, type_3_prices = [], [], []
    for number, row in enumerate(rows, start=1):
        price_rows.append(instead_row if row.price is None and row.currency == DEAD_ON_ARRIVAL and instead_row else number)
        own = row.type_3_price is not None
        type_3_rows.append(number if own else simplest_row)
        type_3_prices.append(row.type_3_price if own else rows[simplest_row - 1].price if simplest_row else None)
    return EmergencyBook(
        price=_column((rows[number - 1].price for number in price_rows), NO_PRICE, np.int64),
        price_row=_column(price_rows, 0, np.int32),
        type_3_price=_column(type_3_prices, NO_PRICE, np.int64),
        type_3_row=_column(type_3_rows, 0, np.int32),
        mff_included=_column((not row.mff for row in rows), 0, np.uint8),
        simplest=_column((row.type_3_price is None for row in rows), 0, np.uint8),
    )


def _unbundled(pack: RulePack) -> UnbundledBook:
    rows = pack.unbundled if pack.rules.unbundled.method != "none" else ()
    return UnbundledBook(
        price=_column((row.price for row in rows), NO_PRICE, np.int64),
        pass_through=_column((row.pass_through for row in rows), 0, np.uint8),
        mff_included=_column((not row.mff for row in rows), 0, np.uint8),
    )
