"""Emergency care: the price of an attendance by its currency and the type of the department (RULES 2.5)."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.columns import PODS, SETTINGS
from tariff.compiled import compiled, rule
from tariff.facts import DEPARTMENT_TYPE, EMERGENCY_CURRENCY, PLANNED, POLICY, PROVIDER
from tariff.kernels.settling import (
    B_LOCAL_PRICE,
    BLANK,
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
    fault_of,
    flags_of_national_price,
    item_fault,
    market_forces_factor,
    put,
    room_for,
    settle,
)
from tariff.kernels.telling import cell, is_set, told
from tariff.money import MILLION
from tariff.reasons import REASON_NUMBER, Basis
from tariff.rulepack.book import NO_PRICE, PriceBook

OTHER_DEPARTMENT, WALK_IN_CENTRE_TYPE = 3, 4


class EmergencyAttendances(NamedTuple):
    """Encoded emergency care lines, one element an attendance; a column that is blank throughout may be empty."""

    facts: NDArray[np.uint64]  # what the codes say (tariff.facts)
    activity_date: NDArray[np.int32]
    age: NDArray[np.int32]
    local_price: NDArray[np.int64]


REASON_DEPARTMENT_TYPE = REASON_NUMBER["department_type"]
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
    if planned:
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
    for i in range(lines.facts.size):
        facts, age, activity_date = lines.facts[i], cell(lines.age, i, BLANK), cell(lines.activity_date, i, BLANK)
        local_price, provider_found = cell(lines.local_price, i, BLANK_PENCE), told(facts, PROVIDER)
        currency, department_type = told(facts, EMERGENCY_CURRENCY), told(facts, DEPARTMENT_TYPE)
        provider = abs(provider_found)
        own = max(currency, 0)
        if own >= book.price.size:  # the pack prices no emergency care: every currency it lists is without a price
            own = 0
        simplest = department_type == OTHER_DEPARTMENT and book.simplest[own] != 0
        price, row = book.price[own], book.price_row[own]
        if department_type == OTHER_DEPARTMENT:
            price, row = book.type_3_price[own], book.type_3_row[own]
        included = book.mff_included[row] != 0

        outside_dates = not year.starts <= activity_date <= year.ends
        reason = item_fault(fault_of(facts), activity_date, age)
        if reason == PRICED and department_type == 0:
            reason = REASON_DEPARTMENT_TYPE
        if reason == PRICED:
            planned = is_set(facts, PLANNED)
            reason = policy_reason(told(facts, POLICY), planned, department_type, strict_dates and outside_dates)
        if reason == PRICED:
            reason = currency_reason(currency, price)

        factor = np.int64(MILLION)
        if not included:
            factor = market_forces_factor(by_provider, provider, year.factor[provider], default_factor)
        reason_found, base, total, indicative = settle(reason, price, np.int64(1), factor, local_price, whole_pounds)
        priced.setting[i], priced.pod[i] = S_EMERGENCY_CARE, P_AE
        if reason != PRICED:
            flags, factor, row = B_LOCAL_PRICE, np.int64(MILLION), 0
        else:
            flags = B_EMERGENCY_CARE | flags_of_national_price(by_provider, provider_found, included, local_price)
            if simplest:
                flags |= B_SIMPLEST_CURRENCY
        put(priced, i, reason_found, base, total, indicative, factor, flags, row, outside_dates)


def price(lines: EmergencyAttendances, book: PriceBook, *, strict_dates: bool, explained: bool = True) -> PricedItems:
    """`price_emergency` with types; without `explained` the columns that explain a price stay empty."""
    priced = room_for(lines.facts.size, explained=explained)
    price_emergency(lines, book.year, book.emergency, strict_dates, priced)
    return priced
