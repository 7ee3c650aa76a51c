"""Unbundled care and other currencies: a price per unit, or a pass-through at cost (RULES 1.9)."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.columns import SETTINGS
from tariff.kernels.best_practice import (
    B_BEST_PRACTICE_UNKNOWN,
    NO_CASES,
    Cases,
    Standing,
    effect_of,
    no_standing,
    stand_item,
    standing_flags,
    standing_of,
    with_addition,
)
from tariff.kernels.compiled import compiled, rule
from tariff.kernels.emergency import currency_reason
from tariff.kernels.settling import (
    AMOUNT_OUT_OF_RANGE,
    B_DATES_IGNORED,
    B_LOCAL_PRICE,
    B_LOCAL_PRICE_IGNORED,
    B_MARKET_FORCES_INCLUDED,
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
    item_fault,
    market_forces_factor,
    market_forces_flags,
    nothing_priced,
    settle,
)
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION
from tariff.reasons import REASON_NUMBER, Basis
from tariff.rulepack.best_practice_book import ANY_ATTENDANCE
from tariff.rulepack.book import PriceBook

MOST_UNITS = 10_000_000


class Items(NamedTuple):
    """Encoded unbundled lines, one element an item."""

    fault: NDArray[np.uint8]
    activity_date: NDArray[np.int32]
    age: NDArray[np.int32]
    units: NDArray[np.int32]
    currency: NDArray[np.int32]  # row of the unbundled table
    pod: NDArray[np.uint8]
    policy: NDArray[np.uint8]
    provider: NDArray[np.int32]
    by_trust: NDArray[np.uint8]
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
    for i in range(lines.currency.size):
        currency, provider, local_price, units = lines.currency[i], lines.provider[i], lines.local_price[i], lines.units[i]
        row = max(currency, 0)
        if row >= book.price.size:  # the pack prices no unbundled care
            row = 0
        price, included, pass_through = book.price[row], book.mff_included[row] != 0, book.pass_through[row] != 0

        outside_dates = not year.starts <= lines.activity_date[i] <= year.ends
        reason = item_fault(lines.fault[i], lines.activity_date[i], lines.age[i])
        if reason == PRICED and not 1 <= units <= MOST_UNITS:
            reason = UNITS_OUT_OF_RANGE
        if reason == PRICED:
            reason = policy_reason(lines.policy[i], strict_dates and outside_dates)
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
                lines.age[i],
                ANY_ATTENDANCE,
            )
            price, addition, _, paying_row = effect_of(best_practice, cases.rows, case_start, covering, met, ordinary)
        if reason == PRICED:
            reason = pass_through_reason(local_price) if pass_through else currency_reason(currency, price)
        priced.setting[i], priced.pod[i] = S_UNBUNDLED, lines.pod[i]

        if pass_through and reason == PRICED:
            priced.base_pence[i] = priced.price_pence[i] = local_price
            priced.basis[i] = B_PASS_THROUGH | (B_DATES_IGNORED if outside_dates else 0)
            priced.price_row[i] = row
            continue
        if reason != PRICED:
            price, addition = ordinary, np.int64(0)
        factor = np.int64(MILLION)
        if not included:
            factor = market_forces_factor(by_provider, provider, year.factor[provider], default_factor)
        paid, count = with_addition(price, addition), np.int64(max(units, 0))
        reason_found, base, total, indicative = settle(reason, paid, count, factor, local_price, whole_pounds)
        priced.reason[i] = reason_found
        if reason_found != PRICED:
            if candidates != 0:  # a line that is not priced is worth its ordinary price
                _, _, _, indicative = settle(reason_found, ordinary, count, factor, local_price, whole_pounds)
            has_local = local_price != BLANK_PENCE and abs(local_price) <= AMOUNT_LIMIT_PENCE
            if has_local or 1 <= units <= MOST_UNITS:  # a price times impossible units is no size
                priced.indicative_pence[i] = indicative
            continue
        priced.base_pence[i], priced.price_pence[i], priced.mff_pence[i] = base, total, total - base
        if reason != PRICED:
            flags = B_LOCAL_PRICE
        else:
            flags = B_UNIT_PRICE
            flags |= B_MARKET_FORCES_INCLUDED if included else market_forces_flags(by_provider, provider, lines.by_trust[i])
            if local_price != BLANK_PENCE:
                flags |= B_LOCAL_PRICE_IGNORED
            if candidates != 0:
                flags |= standing_flags(candidates, met, not_met, paying_row)
                stand_item(
                    standing,
                    place,
                    best_practice,
                    cases.rows,
                    case_start,
                    covering,
                    candidates,
                    met,
                    not_met,
                    elsewhere,
                    paying_row or first_row,
                    ordinary,
                    count,
                    factor,
                    whole_pounds,
                    total,
                )
            if place != 0 and cases.unknown[place] != 0:
                flags |= B_BEST_PRACTICE_UNKNOWN
            priced.mff_millionths[i], priced.price_row[i] = factor, row
        if outside_dates:
            flags |= B_DATES_IGNORED
        priced.basis[i] = flags


def price(
    lines: Items, book: PriceBook, *, strict_dates: bool, cases: Cases = NO_CASES, standing: Standing | None = None
) -> PricedItems:
    """`price_items` with types; `cases` is the best-practice side of the lines, and where they stand goes to `standing`."""
    priced = nothing_priced(lines.fault.size)
    stands = no_standing(0) if standing is None else standing
    price_items(lines, cases, book.year, book.unbundled, book.best_practice, strict_dates, priced, stands)
    return priced
