"""What every kind of activity shares once its price is known: local prices, the market forces factor, and the lines of care
that are one price times units (outpatient attendances, emergency care, unbundled items)."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.buffers import empty
from tariff.compiled import rule
from tariff.facts import FAULT, NOBODY
from tariff.kernels.rounding import half_up, times_factor, to_whole_pounds
from tariff.kernels.telling import is_set, told
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION, PENCE_PER_POUND
from tariff.reasons import LOCAL_PRICE_STANDS, REASON_CODES, REASON_NUMBER, Basis
from tariff.rulepack.book import NO_PRICE

BLANK: Final = np.iinfo(np.int32).min
"""A blank date, age or count of days."""
BLANK_PENCE: Final = np.iinfo(np.int64).min
HIGHEST_AGE: Final = 130

NOT_NHS_FUNDED, OUTSIDE_NATIONAL_TARIFF, EXCLUDED_BY_PACK = 1, 2, 4
"""Bits of `policy`."""
CODE_UNKNOWN, CODE_BLANK, CODE_UNGROUPED = 0, -1, -2
"""Rows of an HRG or currency that are no row."""

PRICED = REASON_NUMBER["priced"]
MISSING_ORGANISATION = REASON_NUMBER["missing_organisation"]
MISSING_DATE = REASON_NUMBER["missing_date"]
AGE_OUT_OF_RANGE = REASON_NUMBER["age_out_of_range"]
OUTSIDE_PACK_DATES = REASON_NUMBER["outside_pack_dates"]
REASON_NOT_NHS_FUNDED = REASON_NUMBER["not_nhs_funded"]
REASON_OUTSIDE_NATIONAL_TARIFF = REASON_NUMBER["outside_national_tariff"]
REASON_EXCLUDED_BY_PACK = REASON_NUMBER["excluded_by_pack"]
MISSING_CURRENCY = REASON_NUMBER["missing_currency"]
UNGROUPED = REASON_NUMBER["ungrouped"]
UNKNOWN_CURRENCY = REASON_NUMBER["unknown_currency"]
NO_PRICE_IN_SETTING = REASON_NUMBER["no_price_in_setting"]
NO_MARKET_FORCES_FACTOR = REASON_NUMBER["no_market_forces_factor"]
AMOUNT_OUT_OF_RANGE = REASON_NUMBER["amount_out_of_range"]

B_MARKET_FORCES = int(Basis.MARKET_FORCES)
B_MARKET_FORCES_OF_TRUST = int(Basis.MARKET_FORCES_OF_TRUST)
B_MARKET_FORCES_DEFAULT = int(Basis.MARKET_FORCES_DEFAULT)
B_MARKET_FORCES_INCLUDED = int(Basis.MARKET_FORCES_INCLUDED)
B_LOCAL_PRICE = int(Basis.LOCAL_PRICE)
B_LOCAL_PRICE_IGNORED = int(Basis.LOCAL_PRICE_IGNORED)
B_DATES_IGNORED = int(Basis.DATES_IGNORED)

_PLACES_REMEMBERED: Final = 1 << 14
_NO_FACTS: Final = (1 << 64) - 1
"""Of no line: all bits set is no reason that a line may have."""
_UPPER, _LOWER = np.uint64(0x61C88647), np.uint64(0x27D4EB2F)
_HALF, _HALF_BITS = np.uint64(32), np.uint64((1 << 32) - 1)
_PLACE_BITS, _LAST_PLACE = np.uint64(30), np.uint64(_PLACES_REMEMBERED - 1)
"""A number below 2³¹ for either half of the facts, so that their products and the sum stay within 64 bits; and the bits of the
sum that say where."""
_LOCAL_STANDS = np.array([code in LOCAL_PRICE_STANDS for code in REASON_CODES])


class PricedItems(NamedTuple):
    """What a kernel finds for lines that are a price times units; names as in the priced line. What explains a price comes last,
    and is empty where nobody asked."""

    reason: NDArray[np.uint8]
    setting: NDArray[np.uint8]
    pod: NDArray[np.uint8]
    base_pence: NDArray[np.int64]
    mff_pence: NDArray[np.int64]
    price_pence: NDArray[np.int64]
    indicative_pence: NDArray[np.int64]
    mff_millionths: NDArray[np.int32]
    basis: NDArray[np.int64]
    price_row: NDArray[np.int32]


class Remembered(NamedTuple):
    """What was found of lines that only their facts tell apart, for the next line with the same facts: the last line of each
    place. Most attendances of a block are like an earlier one, and a look is less than half the work of a price."""

    facts: NDArray[np.uint64]
    priced: PricedItems


@rule
def local_price_may_stand(reason):
    """A local price is paid where the line is outside national prices: by policy, or for want of one (DESIGN section 4)."""
    return _LOCAL_STANDS[reason]


@rule
def market_forces_factor(by_provider, provider, factor, default_factor):
    """Factor in millionths: the provider's, else the pack's default, else 0 (none known); 1 where the pack has no such rule."""
    if not by_provider:
        return np.int64(MILLION)
    return factor if provider != 0 else np.int64(default_factor)


@rule
def market_forces_flags(by_provider, provider_found):
    """How the factor that was applied was found; the row of a provider found by the first three characters is negative."""
    if not by_provider:
        return 0
    if provider_found == 0:
        return B_MARKET_FORCES_DEFAULT
    return B_MARKET_FORCES | B_MARKET_FORCES_OF_TRUST if provider_found < 0 else B_MARKET_FORCES


@rule
def flags_of_national_price(by_provider, provider_found, included, local_price):
    """How the factor of a national price was found, and that a local price was given with it in vain."""
    flags = B_MARKET_FORCES_INCLUDED if included else market_forces_flags(by_provider, provider_found)
    return flags if local_price == BLANK_PENCE else flags | B_LOCAL_PRICE_IGNORED


@rule
def fault_of(facts):
    """What was wrong with a row before it is priced: what the reader found, or a blank key; PRICED (0) where nothing was."""
    fault = told(facts, FAULT)
    return fault if fault != PRICED or not is_set(facts, NOBODY) else np.int64(MISSING_ORGANISATION)


@rule
def mff_amount_in_whole_pounds(pre_mff, factor):
    """Increment of the factor, half-up to the pound (whole-pounds method)."""
    return half_up(pre_mff * (factor - MILLION), PENCE_PER_POUND * MILLION) * PENCE_PER_POUND


@rule
def with_factor(base, factor, whole_pounds):
    """Base and price of an amount with the market forces factor, rounded as the pack says."""
    if whole_pounds:
        pre_mff = to_whole_pounds(base)
        return pre_mff, pre_mff + mff_amount_in_whole_pounds(pre_mff, factor)
    return base, times_factor(base, factor)


@rule
def value_with_factor(price, factor, whole_pounds):
    """An amount with the market forces factor, 1 where none is known."""
    _, value = with_factor(price, factor if factor != 0 else np.int64(MILLION), whole_pounds)
    return value


@rule
def amount_of(price, units):
    """Price times units; beyond the bound of amounts, just beyond it, so that nothing overflows."""
    if units > 0 and price > AMOUNT_LIMIT_PENCE // units:
        return np.int64(AMOUNT_LIMIT_PENCE + 1)
    return price * units


@rule
def is_possible_age(age):
    """Whether an age may be; a blank one may."""
    return age == BLANK or 0 <= age <= HIGHEST_AGE


@rule
def item_fault(fault, activity_date, age):
    """What makes a line impossible or incomplete whatever its kind; PRICED (0) where nothing does."""
    if fault != PRICED:
        return np.int64(fault)
    if activity_date == BLANK:
        return np.int64(MISSING_DATE)
    return np.int64(PRICED if is_possible_age(age) else AGE_OUT_OF_RANGE)


@rule
def settle(reason, price, units, factor, local_price, whole_pounds):
    """Reason, base, price and indicative value of a line that is `price` times `units`; `factor` 0 where none is known.

    Where `reason` says why there is no national price, a local price may stand in its place; else the line is worth what the
    price would have paid."""
    nothing = np.int64(0)
    has_local = local_price != BLANK_PENCE and abs(local_price) <= AMOUNT_LIMIT_PENCE
    if local_price != BLANK_PENCE and local_price_may_stand(reason):
        if has_local:
            return np.int64(PRICED), local_price, local_price, np.int64(BLANK_PENCE)
        reason = np.int64(AMOUNT_OUT_OF_RANGE)
    if reason == PRICED and factor == 0:
        reason = np.int64(NO_MARKET_FORCES_FACTOR)
    amount = amount_of(price, units) if price != NO_PRICE else np.int64(AMOUNT_LIMIT_PENCE + 1)
    value = np.int64(AMOUNT_LIMIT_PENCE + 1)
    base = amount
    if amount <= AMOUNT_LIMIT_PENCE:
        base, value = with_factor(amount, factor if factor != 0 else np.int64(MILLION), whole_pounds)
    if reason == PRICED and (value > AMOUNT_LIMIT_PENCE or base > AMOUNT_LIMIT_PENCE):
        reason = np.int64(AMOUNT_OUT_OF_RANGE)
    if reason == PRICED:
        return reason, base, value, np.int64(BLANK_PENCE)
    if has_local:
        return reason, nothing, nothing, local_price
    return reason, nothing, nothing, value if value <= AMOUNT_LIMIT_PENCE else np.int64(BLANK_PENCE)


@rule
def put(priced, i, reason, base, total, indicative, factor, flags, row, outside_dates):
    """Write what was found of line `i`; of a line that is not priced only the reason and what it would be worth."""
    is_priced = reason == PRICED
    priced.reason[i] = reason
    priced.base_pence[i] = base if is_priced else np.int64(0)
    priced.price_pence[i] = total if is_priced else np.int64(0)
    priced.mff_pence[i] = total - base if is_priced else np.int64(0)
    priced.indicative_pence[i] = np.int64(BLANK_PENCE) if is_priced else indicative
    if priced.basis.size != 0:
        priced.mff_millionths[i] = factor if is_priced else np.int64(MILLION)
        dated = flags | B_DATES_IGNORED if outside_dates else flags
        priced.basis[i] = dated if is_priced else 0
        priced.price_row[i] = row if is_priced else 0


@rule
def place_of(facts):
    """Where the price of lines with these facts is remembered: some bits of a sum of products that depend on all of them."""
    return (((facts >> _HALF) * _UPPER + (facts & _HALF_BITS) * _LOWER) >> _PLACE_BITS) & _LAST_PLACE


@rule
def copy_priced(items, i, source, at):
    """Write of line `i` all that was found of another."""
    items.reason[i], items.setting[i], items.pod[i] = source.reason[at], source.setting[at], source.pod[at]
    items.base_pence[i], items.mff_pence[i] = source.base_pence[at], source.mff_pence[at]
    items.price_pence[i], items.indicative_pence[i] = source.price_pence[at], source.indicative_pence[at]
    if items.basis.size != 0:
        items.mff_millionths[i], items.basis[i] = source.mff_millionths[at], source.basis[at]
        items.price_row[i] = source.price_row[at]


def room_for(count: int, *, explained: bool) -> PricedItems:
    """Room for what a kernel finds of `count` lines; without the columns that explain a price where they are not asked for."""
    more = count if explained else 0
    return PricedItems(
        reason=empty(count, np.uint8),
        setting=empty(count, np.uint8),
        pod=empty(count, np.uint8),
        base_pence=empty(count, np.int64),
        mff_pence=empty(count, np.int64),
        price_pence=empty(count, np.int64),
        indicative_pence=empty(count, np.int64),
        mff_millionths=empty(more, np.int32),
        basis=empty(more, np.int64),
        price_row=empty(more, np.int32),
    )


def nothing_remembered(*, explained: bool) -> Remembered:
    """What is remembered before the first line."""
    known = np.full(_PLACES_REMEMBERED, _NO_FACTS, np.uint64)
    return Remembered(facts=known, priced=room_for(known.size, explained=explained))
