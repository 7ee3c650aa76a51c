"""Emergency care: the price of an attendance by its currency and the type of the department (RULES 2.5)."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.columns import PODS, SETTINGS
from tariff.kernels.compiled import compiled, rule
from tariff.kernels.settling import (
    B_DATES_IGNORED,
    B_LOCAL_PRICE,
    B_LOCAL_PRICE_IGNORED,
    B_MARKET_FORCES_INCLUDED,
    BLANK_PENCE,
    CODE_BLANK,
    CODE_UNGROUPED,
    CODE_UNKNOWN,
    EXCLUDED_BY_PACK,
    MISSING_CURRENCY,
    NO_PRICE_IN_SETTING,
    NOT_NHS_FUNDED,
    OUTSIDE_NATIONAL_TARIFF,
    OUTSIDE_PACK_DATES,
    PRICED,
    REASON_EXCLUDED_BY_PACK,
    REASON_NOT_NHS_FUNDED,
    REASON_OUTSIDE_NATIONAL_TARIFF,
    UNGROUPED,
    UNKNOWN_CURRENCY,
    PricedItems,
    item_fault,
    market_forces_factor,
    market_forces_flags,
    nothing_priced,
    settle,
)
from tariff.money import MILLION
from tariff.reasons import REASON_NUMBER, Basis
from tariff.rulepack.book import NO_PRICE, PriceBook

OTHER_DEPARTMENT, WALK_IN_CENTRE_TYPE = 3, 4


class EmergencyAttendances(NamedTuple):
    """Encoded emergency care lines, one element an attendance."""

    fault: NDArray[np.uint8]
    activity_date: NDArray[np.int32]
    age: NDArray[np.int32]
    department_type: NDArray[np.uint8]  # 1-4, 0 unknown
    planned: NDArray[np.uint8]
    currency: NDArray[np.int32]  # row of the emergency table
    policy: NDArray[np.uint8]
    provider: NDArray[np.int32]
    by_trust: NDArray[np.uint8]
    local_price: NDArray[np.int64]


DEPARTMENT_TYPE = REASON_NUMBER["department_type"]
PLANNED_FOLLOW_UP = REASON_NUMBER["planned_follow_up"]
WALK_IN_CENTRE = REASON_NUMBER["walk_in_centre"]
S_EMERGENCY_CARE = SETTINGS.index("emergency_care")
P_AE = PODS.index("AE")
B_EMERGENCY_CARE = int(Basis.EMERGENCY_CARE)
B_SIMPLEST_CURRENCY = int(Basis.SIMPLEST_CURRENCY)


@rule
def policy_reason(policy, planned, department_type, outside_pack_dates):
    """The year, then what keeps an attendance out of national prices; PRICED where nothing does."""
    if outside_pack_dates:
        return OUTSIDE_PACK_DATES
    if policy & NOT_NHS_FUNDED:
        return REASON_NOT_NHS_FUNDED
    if policy & OUTSIDE_NATIONAL_TARIFF:
        return REASON_OUTSIDE_NATIONAL_TARIFF
    if planned != 0:
        return PLANNED_FOLLOW_UP
    if policy & EXCLUDED_BY_PACK:
        return REASON_EXCLUDED_BY_PACK
    return WALK_IN_CENTRE if department_type == WALK_IN_CENTRE_TYPE else PRICED


@rule
def currency_reason(currency, price):
    """Why a currency has no national price; PRICED where it has one."""
    if currency == CODE_BLANK:
        return MISSING_CURRENCY
    if currency == CODE_UNGROUPED:
        return UNGROUPED
    if currency == CODE_UNKNOWN:
        return UNKNOWN_CURRENCY
    return NO_PRICE_IN_SETTING if price == NO_PRICE else PRICED


@compiled
def price_emergency(lines, year, book, strict_dates, priced):
    """Prices every line of `EmergencyAttendances` into `priced` (`PricedItems`). Never raises."""
    by_provider, default_factor, whole_pounds = year.factor_by_provider, year.default_factor, year.whole_pounds
    for i in range(lines.currency.size):
        currency, provider, local_price = lines.currency[i], lines.provider[i], lines.local_price[i]
        department_type = lines.department_type[i]
        own = max(currency, 0)
        if own >= book.price.size:  # the pack prices no emergency care: every currency it lists is without a price
            own = 0
        simplest = department_type == OTHER_DEPARTMENT and book.simplest[own] != 0
        price, row = book.price[own], book.price_row[own]
        if department_type == OTHER_DEPARTMENT:
            price, row = book.type_3_price[own], book.type_3_row[own]
        included = book.mff_included[row] != 0

        outside_dates = not year.starts <= lines.activity_date[i] <= year.ends
        reason = item_fault(lines.fault[i], lines.activity_date[i], lines.age[i])
        if reason == PRICED and department_type == 0:
            reason = DEPARTMENT_TYPE
        if reason == PRICED:
            reason = policy_reason(lines.policy[i], lines.planned[i], department_type, strict_dates and outside_dates)
        if reason == PRICED:
            reason = currency_reason(currency, price)

        factor = np.int64(MILLION)
        if not included:
            factor = market_forces_factor(by_provider, provider, year.factor[provider], default_factor)
        reason_found, base, total, indicative = settle(reason, price, np.int64(1), factor, local_price, whole_pounds)
        priced.setting[i], priced.pod[i], priced.reason[i] = S_EMERGENCY_CARE, P_AE, reason_found
        if reason_found != PRICED:
            priced.indicative_pence[i] = indicative
            continue
        priced.base_pence[i], priced.price_pence[i], priced.mff_pence[i] = base, total, total - base
        if reason != PRICED:
            flags = B_LOCAL_PRICE
        else:
            flags = B_EMERGENCY_CARE
            flags |= B_MARKET_FORCES_INCLUDED if included else market_forces_flags(by_provider, provider, lines.by_trust[i])
            if simplest:
                flags |= B_SIMPLEST_CURRENCY
            if local_price != BLANK_PENCE:
                flags |= B_LOCAL_PRICE_IGNORED
            priced.mff_millionths[i], priced.price_row[i] = factor, row
        if outside_dates:
            flags |= B_DATES_IGNORED
        priced.basis[i] = flags


def price(lines: EmergencyAttendances, book: PriceBook, *, strict_dates: bool) -> PricedItems:
    """`price_emergency` with types."""
    priced = nothing_priced(lines.fault.size)
    price_emergency(lines, book.year, book.emergency, strict_dates, priced)
    return priced
