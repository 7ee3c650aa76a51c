"""Unbundled care and other currencies: a price per unit, or a pass-through at cost (RULES 1.9)."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.columns import SETTINGS
from tariff.compiled import compiled, rule
from tariff.facts import ITEM_CURRENCY, ITEM_POD, POLICY, PROVIDER
from tariff.kernels.best_practice import (
    B_BEST_PRACTICE_UNKNOWN,
    NO_CASES,
    Cases,
    Standing,
    effect_of,
    no_standing,
    stand_item,
    standing_of,
    with_addition,
)
from tariff.kernels.emergency import currency_reason
from tariff.kernels.settling import (
    AMOUNT_OUT_OF_RANGE,
    B_LOCAL_PRICE,
    BLANK,
    BLANK_PENCE,
    EXCLUDED_BY_PACK,
    NOT_NHS_FUNDED,
    OUTSIDE_NATIONAL_TARIFF,
    OUTSIDE_PACK_DATES,
    PRICED,
    REASON_EXCLUDED_BY_PACK,
    REASON_NOT_NHS_FUNDED,
    REASON_OUTSIDE_NATIONAL_TARIFF,
    PricedItems,
    fault_of,
    flags_of_national_price,
    item_fault,
    market_forces_factor,
    put,
    room_for,
    settle,
)
from tariff.kernels.telling import cell, told
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION
from tariff.reasons import REASON_NUMBER, Basis
from tariff.rulepack.best_practice_book import ANY_ATTENDANCE
from tariff.rulepack.book import PriceBook

MOST_UNITS = 10_000_000


class Items(NamedTuple):
    """Encoded unbundled lines, one element an item; a column that is blank throughout may be empty."""

    facts: NDArray[np.uint64]  # what the codes say (tariff.facts)
    activity_date: NDArray[np.int32]
    age: NDArray[np.int32]
    units: NDArray[np.int32]
    local_price: NDArray[np.int64]


UNITS_OUT_OF_RANGE = REASON_NUMBER["units_out_of_range"]
NO_PASS_THROUGH_COST = REASON_NUMBER["no_pass_through_cost"]
S_UNBUNDLED = SETTINGS.index("unbundled")
B_UNIT_PRICE = int(Basis.UNIT_PRICE)
B_PASS_THROUGH = int(Basis.PASS_THROUGH)


@rule
def policy_reason(policy, outside_pack_dates):
    """The year, then what keeps an item out of national prices; PRICED where nothing does."""
    if outside_pack_dates:
        return OUTSIDE_PACK_DATES
    if policy & NOT_NHS_FUNDED:
        return REASON_NOT_NHS_FUNDED
    if policy & OUTSIDE_NATIONAL_TARIFF:
        return REASON_OUTSIDE_NATIONAL_TARIFF
    return REASON_EXCLUDED_BY_PACK if policy & EXCLUDED_BY_PACK else PRICED


@rule
def pass_through_reason(local_price):
    """A pass-through is paid at the cost given with it."""
    if local_price == BLANK_PENCE:
        return NO_PASS_THROUGH_COST
    return PRICED if abs(local_price) <= AMOUNT_LIMIT_PENCE else AMOUNT_OUT_OF_RANGE


@compiled
def price_items(lines, cases, year, book, best_practice, strict_dates, priced, standing):
    """Prices every line of `Items` into `priced` (`PricedItems`), and their best-practice side (`Cases`) into `standing`. Never
    raises."""
    has_cases = cases.place.size != 0
    by_provider, default_factor, whole_pounds = year.factor_by_provider, year.default_factor, year.whole_pounds
    for i in range(lines.facts.size):
        facts, age, activity_date = lines.facts[i], cell(lines.age, i, BLANK), cell(lines.activity_date, i, BLANK)
        local_price, units = cell(lines.local_price, i, BLANK_PENCE), cell(lines.units, i, BLANK)
        currency, provider_found = told(facts, ITEM_CURRENCY), told(facts, PROVIDER)
        provider = abs(provider_found)
        row = max(currency, 0)
        if row >= book.price.size:  # the pack prices no unbundled care
            row = 0
        price, included, pass_through = book.price[row], book.mff_included[row] != 0, book.pass_through[row] != 0

        outside_dates = not year.starts <= activity_date <= year.ends
        reason = item_fault(fault_of(facts), activity_date, age)
        if reason == PRICED and not 1 <= units <= MOST_UNITS:
            reason = UNITS_OUT_OF_RANGE
        if reason == PRICED:
            reason = policy_reason(told(facts, POLICY), strict_dates and outside_dates)
        # best practice: a price instead of the ordinary one, an addition
        ordinary, addition, case_start, first_row, paying_row = price, np.int64(0), 0, 0, 0
        candidates = met = not_met = elsewhere = covering = np.int64(0)
        place = cases.place[i] if has_cases else 0
        if place != 0 and reason == PRICED and row != 0 and not pass_through:
            case_start = cases.start[cases.case[place]]
            candidates, met, not_met, elsewhere, covering, first_row = standing_of(
                best_practice,
                cases.rows,
                case_start,
                cases.start[cases.case[place] + 1],
                cases.status,
                cases.evidence[place],
                S_UNBUNDLED,
                False,
                np.int32(0),
                age,
                ANY_ATTENDANCE,
            )
            price, addition, _, paying_row = effect_of(best_practice, cases.rows, case_start, covering, met, ordinary)
        if reason == PRICED:
            reason = pass_through_reason(local_price) if pass_through else currency_reason(currency, price)
        priced.setting[i], priced.pod[i] = S_UNBUNDLED, told(facts, ITEM_POD)

        if pass_through and reason == PRICED:
            nothing, no_factor = np.int64(BLANK_PENCE), np.int64(MILLION)
            put(priced, i, reason, local_price, local_price, nothing, no_factor, B_PASS_THROUGH, row, outside_dates)
            continue
        if reason != PRICED:
            price, addition = ordinary, np.int64(0)
        factor = np.int64(MILLION)
        if not included:
            factor = market_forces_factor(by_provider, provider, year.factor[provider], default_factor)
        paid, count = with_addition(price, addition), np.int64(max(units, 0))
        reason_found, base, total, indicative = settle(reason, paid, count, factor, local_price, whole_pounds)
        if reason_found != PRICED:
            if candidates != 0:  # a line that is not priced is worth its ordinary price
                _, _, _, indicative = settle(reason_found, ordinary, count, factor, local_price, whole_pounds)
            has_local = local_price != BLANK_PENCE and abs(local_price) <= AMOUNT_LIMIT_PENCE
            if not has_local and not 1 <= units <= MOST_UNITS:  # a price times impossible units is no size
                indicative = np.int64(BLANK_PENCE)
            flags = 0
        elif reason != PRICED:
            flags, factor, row = B_LOCAL_PRICE, np.int64(MILLION), 0
        else:
            flags = B_UNIT_PRICE | flags_of_national_price(by_provider, provider_found, included, local_price)
            if candidates != 0:
                flags |= stand_item(
                    standing, place, best_practice, cases.rows, case_start, covering, candidates, met, not_met, elsewhere,
                    paying_row, first_row, ordinary, count, factor, whole_pounds, total,
                )  # fmt: skip
            if place != 0 and cases.unknown[place] != 0:
                flags |= B_BEST_PRACTICE_UNKNOWN
        put(priced, i, reason_found, base, total, indicative, factor, flags, row, outside_dates)


def price(
    lines: Items,
    book: PriceBook,
    *,
    strict_dates: bool,
    cases: Cases = NO_CASES,
    standing: Standing | None = None,
    explained: bool = True,
) -> PricedItems:
    """`price_items` with types; `cases` is the best-practice side of the lines, and where they stand goes to `standing`. Without
    `explained` the columns that explain a price stay empty."""
    priced = room_for(lines.facts.size, explained=explained)
    stands = no_standing(0) if standing is None else standing
    price_items(lines, cases, book.year, book.unbundled, book.best_practice, strict_dates, priced, stands)
    return priced
