"""Admitted patient care: the price of a spell, rule by rule in the order of RULES 1.8.

The rule functions are scalar and carry the field's names; `price_spells` calls them line by line. Arrays come from
`tariff.classify` (lines) and `tariff.rulepack.book` (prices); a blank number is `BLANK`, a blank amount `BLANK_PENCE`."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.buffers import empty
from tariff.columns import PODS, SETTINGS
from tariff.compiled import compiled, rule
from tariff.facts import ELIGIBLE_PROVIDER, GROUPING, METHOD_GROUP, PATIENT_CLASSIFICATION, POLICY, PROVIDER, SPELL_HRG
from tariff.kernels.best_practice import (
    B_BEST_PRACTICE_UNKNOWN,
    NO_CASES,
    Cases,
    Standing,
    effect_of,
    no_standing,
    standing_flags,
    standing_of,
    worth,
)
from tariff.kernels.rounding import exact_times_factor, half_up, times_factor, to_whole_pounds
from tariff.kernels.settling import (
    AGE_OUT_OF_RANGE,
    AMOUNT_OUT_OF_RANGE,
    B_DATES_IGNORED,
    B_LOCAL_PRICE,
    BLANK,
    BLANK_PENCE,
    CODE_BLANK,
    CODE_UNGROUPED,
    CODE_UNKNOWN,
    EXCLUDED_BY_PACK,
    HIGHEST_AGE,
    MISSING_CURRENCY,
    MISSING_DATE,
    NO_MARKET_FORCES_FACTOR,
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
    fault_of,
    flags_of_national_price,
    local_price_may_stand,
    market_forces_factor,
    mff_amount_in_whole_pounds,
    value_with_factor,
)
from tariff.kernels.stays import adjusted_stay, days_in_range, days_not_counted, given, nights_between
from tariff.kernels.telling import cell, told
from tariff.money import AMOUNT_LIMIT_PENCE, BASIS_POINTS, MILLION, PENCE_PER_POUND
from tariff.reasons import REASON_NUMBER, Basis
from tariff.rulepack.best_practice_book import ANY_ATTENDANCE
from tariff.rulepack.book import DAY_CASE, NO_PRICE, NO_TRIM, NON_ELECTIVE, ORDINARY_ELECTIVE, PriceBook

UNKNOWN, ELECTIVE, EMERGENCY, OTHER_NON_ELECTIVE = range(4)
"""Groups of admission methods (RULES 1.1)."""
GROUPING_BLANK, GROUPING_COUNTS, GROUPING_OTHER = range(3)
"""Whether the HRG was set in a way that the short-stay rule asks for (RULES 1.4 e)."""


class Spells(NamedTuple):
    """Encoded admitted lines, one element a spell; a column that is blank throughout may be empty."""

    facts: NDArray[np.uint64]  # what the codes say (tariff.facts)
    admission_date: NDArray[np.int32]  # days since 1970-01-01
    discharge_date: NDArray[np.int32]
    age: NDArray[np.int32]
    length_of_stay: NDArray[np.int32]
    adjusted_length_of_stay: NDArray[np.int32]
    critical_care_days: NDArray[np.int32]
    rehabilitation_days: NDArray[np.int32]
    palliative_care_days: NDArray[np.int32]
    delayed_discharge_days: NDArray[np.int32]
    services: NDArray[np.int32]  # set of specialised services
    service_start: NDArray[np.int32]  # per set: where its top-up rows begin in service_rows
    service_rows: NDArray[np.int32]
    service_unknown: NDArray[np.uint8]  # per set: it holds a code the pack lacks
    local_price: NDArray[np.int64]


class PricedSpells(NamedTuple):
    """What the kernel finds, one element a spell; names as in the priced line. What explains a price comes last, and is empty
    where nobody asked."""

    reason: NDArray[np.uint8]
    setting: NDArray[np.uint8]
    pod: NDArray[np.uint8]
    base_pence: NDArray[np.int64]
    short_stay_pence: NDArray[np.int64]
    long_stay_pence: NDArray[np.int64]
    top_up_pence: NDArray[np.int64]
    mff_pence: NDArray[np.int64]
    price_pence: NDArray[np.int64]
    indicative_pence: NDArray[np.int64]
    adjusted_length_of_stay: NDArray[np.int32]
    trim_point: NDArray[np.int32]
    excess_days: NDArray[np.int32]
    mff_millionths: NDArray[np.int32]
    basis: NDArray[np.int64]
    price_row: NDArray[np.int32]
    top_up_row: NDArray[np.int32]


_REASON: Final = REASON_NUMBER
UNFINISHED = _REASON["unfinished"]
DISCHARGE_BEFORE_ADMISSION = _REASON["discharge_before_admission"]
MISSING_AGE = _REASON["missing_age"]
DAYS_OUT_OF_RANGE = _REASON["days_out_of_range"]
ADMISSION_METHOD = _REASON["admission_method"]
REASON_PATIENT_CLASSIFICATION = _REASON["patient_classification"]
REGULAR_ATTENDER = _REASON["regular_attender"]

S_NOT_CLASSIFIED = SETTINGS.index("not_classified")
S_DAY_CASE = SETTINGS.index("day_case")
S_ORDINARY_ELECTIVE = SETTINGS.index("ordinary_elective")
S_NON_ELECTIVE = SETTINGS.index("non_elective")
S_REGULAR_DAY = SETTINGS.index("regular_day")
S_REGULAR_NIGHT = SETTINGS.index("regular_night")
P_NOT_CLASSIFIED = PODS.index("NOTCLASSIFIED")
P_DC, P_EL, P_NEL, P_NELST = (PODS.index(pod) for pod in ("DC", "EL", "NEL", "NELST"))
P_NELNE, P_RADAY, P_RANIGHT = (PODS.index(pod) for pod in ("NELNE", "RADAY", "RANIGHT"))

B_COMBINED = int(Basis.COMBINED)
B_SETTING = (int(Basis.DAY_CASE), int(Basis.ORDINARY_ELECTIVE), int(Basis.NON_ELECTIVE))
B_SHORT_STAY = int(Basis.SHORT_STAY)
B_LONG_STAY = int(Basis.LONG_STAY)
B_TOP_UP = int(Basis.TOP_UP)
B_TOP_UP_ON_LONG_STAY = int(Basis.TOP_UP_ON_LONG_STAY)
B_GROUPING_METHOD_UNKNOWN = int(Basis.GROUPING_METHOD_UNKNOWN)
B_STAY_GIVEN = int(Basis.STAY_GIVEN)
B_STAY_NETTED = int(Basis.STAY_NETTED)
B_TOP_UP_UNKNOWN = int(Basis.TOP_UP_UNKNOWN)
B_TOP_UP_NOT_ELIGIBLE = int(Basis.TOP_UP_NOT_ELIGIBLE)


@rule
def row_fault(fault, admission_date, discharge_date, age, days_are_possible, method_group, patient_classification):
    """What makes the row impossible or incomplete, in the published order; PRICED (0) where nothing does."""
    if fault != PRICED:
        return np.int64(fault)
    if admission_date == BLANK:
        return MISSING_DATE
    if discharge_date == BLANK:
        return UNFINISHED
    if discharge_date < admission_date:
        return DISCHARGE_BEFORE_ADMISSION
    if age == BLANK:
        return MISSING_AGE
    if not 0 <= age <= HIGHEST_AGE:
        return AGE_OUT_OF_RANGE
    if not days_are_possible:
        return DAYS_OUT_OF_RANGE
    if method_group == UNKNOWN:
        return ADMISSION_METHOD
    if patient_classification == 0:
        return REASON_PATIENT_CLASSIFICATION
    return PRICED


@rule
def setting_of(method_group, patient_classification, gross):
    """Price setting by admission method, patient classification and gross stay (RULES 1.1, 1.3)."""
    if method_group == UNKNOWN or patient_classification == 0:
        return S_NOT_CLASSIFIED
    if patient_classification == 3:
        return S_REGULAR_DAY
    if patient_classification == 4:
        return S_REGULAR_NIGHT
    if method_group != ELECTIVE:
        return S_NON_ELECTIVE
    return S_DAY_CASE if patient_classification == 2 and gross == 0 else S_ORDINARY_ELECTIVE


@rule
def point_of_delivery(method_group, patient_classification, gross, adjusted, has_short_stay_price, maximum_stay):
    """National point of delivery (FORMATS section 3)."""
    if method_group == UNKNOWN or patient_classification == 0:
        return P_NOT_CLASSIFIED
    if method_group == ELECTIVE:
        if patient_classification == 3:
            return P_RADAY
        if patient_classification == 4:
            return P_RANIGHT
        return P_DC if patient_classification == 2 and gross == 0 else P_EL
    if method_group == OTHER_NON_ELECTIVE:
        return P_NELNE
    return P_NELST if has_short_stay_price and adjusted <= maximum_stay else P_NEL


@rule
def policy_reason(policy, patient_classification, outside_pack_dates):
    """The year, then the policies that keep a spell out of national prices (RULES 1.1); PRICED where none does."""
    if outside_pack_dates:
        return OUTSIDE_PACK_DATES
    if policy & NOT_NHS_FUNDED:
        return REASON_NOT_NHS_FUNDED
    if patient_classification == 3 or patient_classification == 4:
        return REGULAR_ATTENDER
    if policy & OUTSIDE_NATIONAL_TARIFF:
        return REASON_OUTSIDE_NATIONAL_TARIFF
    if policy & EXCLUDED_BY_PACK:
        return REASON_EXCLUDED_BY_PACK
    return PRICED


@rule
def price_reason(hrg, price, factor):
    """Why there is no national price to be had; PRICED where there is one."""
    if hrg == CODE_BLANK:
        return MISSING_CURRENCY
    if hrg == CODE_UNGROUPED:
        return UNGROUPED
    if hrg == CODE_UNKNOWN:
        return UNKNOWN_CURRENCY
    if price == NO_PRICE:
        return NO_PRICE_IN_SETTING
    if factor == 0:
        return NO_MARKET_FORCES_FACTOR
    return PRICED


@rule
def short_stay_applies(method_group, adjusted, maximum_stay, age, minimum_age, grouping, short_stay_price):
    """RULES 1.4 a to e: emergency, a stay within the rule's days, an adult, an HRG with a reduced price, and an HRG set on
    a diagnosis where the file says how it was set."""
    return (
        short_stay_price != NO_PRICE
        and method_group == EMERGENCY
        and adjusted <= maximum_stay
        and age >= minimum_age
        and grouping != GROUPING_OTHER
    )


@rule
def long_stay_days(adjusted, trim_point, per_day):
    """Days beyond the trim point (RULES 1.5)."""
    return 0 if trim_point == NO_TRIM or per_day == NO_PRICE else max(0, adjusted - trim_point)


@rule
def highest_top_up(rows, eligible_provider, age, eligible, ages, percents):
    """Row of the highest top-up among `rows` that provider and patient are eligible for, 0 none; and whether one was refused
    (RULES 1.6)."""
    best, refused = 0, False
    for row in rows:
        if eligible[row, eligible_provider] == 0 or not ages[row, 0] <= age <= ages[row, 1]:
            refused = True
        elif best == 0 or percents[row] > percents[best]:
            best = row
    return best, refused


@rule
def components(price, addition, short_stay_price, long_stay, share, on_long_stay, factor, whole_pounds):
    """Base, short stay, long stay, top-up, market forces amount and total of a spell whose setting price is `price`, by the
    order of RULES 1.8 with the one rounding; a total beyond the bound is just beyond it. An `addition` for best practice lies
    in the base, and no top-up is paid on it. `short_stay_price` NO_PRICE where no reduction applies; it never raises a
    price."""
    short_stay = min(np.int64(0), short_stay_price - price) if short_stay_price != NO_PRICE else np.int64(0)
    base, top_up, mff, beyond = price + addition, np.int64(0), np.int64(0), np.int64(AMOUNT_LIMIT_PENCE + 1)
    if base > AMOUNT_LIMIT_PENCE or long_stay > AMOUNT_LIMIT_PENCE:
        return base, short_stay, long_stay, top_up, mff, beyond
    exact_top_up = (price + short_stay + (long_stay if on_long_stay else 0)) * share  # in ten-thousandths of a penny
    if whole_pounds:
        base, short_stay, long_stay = to_whole_pounds(base), to_whole_pounds(short_stay), to_whole_pounds(long_stay)
        top_up = half_up(exact_top_up, PENCE_PER_POUND * BASIS_POINTS) * PENCE_PER_POUND
        pre_mff = base + short_stay + long_stay + top_up
        mff = mff_amount_in_whole_pounds(pre_mff, factor)
        total = pre_mff + mff
    elif exact_top_up == 0:
        total = times_factor(base + short_stay + long_stay, factor)
        mff = total - base - short_stay - long_stay
    else:
        top_up = half_up(exact_top_up, BASIS_POINTS)
        total = exact_times_factor((base + short_stay + long_stay) * BASIS_POINTS + exact_top_up, factor)
        mff = total - base - short_stay - long_stay - top_up
    return base, short_stay, long_stay, top_up, mff, beyond if top_up > AMOUNT_LIMIT_PENCE else total


@rule
def best_price_known(setting, day_case, ordinary_elective, non_elective):
    """For a line that is not priced: its own setting's price, else the first of ordinary elective, day case and non-elective
    that the HRG has. A regular attender counts as a day case."""
    own = np.int64(NO_PRICE)
    if setting == S_ORDINARY_ELECTIVE:
        own = ordinary_elective
    elif setting == S_NON_ELECTIVE:
        own = non_elective
    elif setting != S_NOT_CLASSIFIED:
        own = day_case
    for price in (own, ordinary_elective, day_case, non_elective):
        if price != NO_PRICE:
            return price
    return np.int64(NO_PRICE)


@compiled
def price_spells(lines, days_off, cases, year, book, best_practice, strict_dates, priced, standing, explained):
    """Prices every line of `Spells` with its `DaysOff` into `priced` (`PricedSpells`), and the best-practice side of the lines
    (`Cases`) into `standing`. Never raises: what cannot be priced has its reason. `strict_dates` refuses discharges outside the
    pack's dates. `explained` is True where what explains a price is wanted, else None, for which the loop is compiled without
    it."""
    # a tuple handed to a rule would cost a reference count for each of its arrays, so rules are handed scalars
    minimum_age, maximum_stay = book.short_stay_minimum_age, book.short_stay_maximum_stay
    whole_pounds, on_long_stay = year.whole_pounds, book.top_up_includes_long_stay
    terms, has_cases = best_practice, cases.place.size != 0

    for i in range(lines.facts.size):
        facts, age, local_price = lines.facts[i], cell(lines.age, i, BLANK), cell(lines.local_price, i, BLANK_PENCE)
        admission_date, discharge_date = cell(lines.admission_date, i, BLANK), cell(lines.discharge_date, i, BLANK)
        method_group, patient_classification = told(facts, METHOD_GROUP), told(facts, PATIENT_CLASSIFICATION)
        hrg, provider_found = told(facts, SPELL_HRG), told(facts, PROVIDER)
        provider = abs(provider_found)
        adjusted_given = cell(lines.adjusted_length_of_stay, i, BLANK)
        row = max(hrg, 0)
        short_stay_price = book.hrgs[row]["short_stay_price"]
        flags = 0

        # the stay, and what the spell is
        nights = nights_between(admission_date, discharge_date)
        stated = cell(lines.length_of_stay, i, BLANK)
        gross = nights if stated == BLANK else stated
        days_are_possible = (
            days_in_range(gross) and days_in_range(nights) and days_in_range(adjusted_given) and days_off.are_possible[i]
        )
        days_taken_off = days_off.taken_off[i]
        usable_gross = given(gross)
        adjusted = adjusted_stay(usable_gross, days_taken_off, adjusted_given)
        setting = setting_of(method_group, patient_classification, usable_gross)
        priced.setting[i] = setting
        priced.pod[i] = point_of_delivery(
            method_group, patient_classification, usable_gross, adjusted, short_stay_price != NO_PRICE, maximum_stay
        )
        found_stay, found_trim, found_excess = BLANK, NO_TRIM, 0
        found_factor, found_row, found_top_up, indicative = MILLION, 0, 0, np.int64(BLANK_PENCE)

        # 1 exclusions, 2 setting price
        column = setting - S_DAY_CASE
        national = S_DAY_CASE <= setting <= S_NON_ELECTIVE
        price = book.hrgs[row]["price"][column] if national else np.int64(NO_PRICE)
        factor = market_forces_factor(year.factor_by_provider, provider, year.factor[provider], year.default_factor)
        outside_dates = not year.starts <= discharge_date <= year.ends
        reason = row_fault(
            fault_of(facts), admission_date, discharge_date, age, days_are_possible, method_group, patient_classification
        )
        if (gross != BLANK or adjusted_given != BLANK) and days_are_possible and reason != DAYS_OUT_OF_RANGE:
            found_stay = adjusted
        if reason == PRICED:
            reason = policy_reason(told(facts, POLICY), patient_classification, strict_dates and outside_dates)
        # 2 and 6 best practice: a price instead of the setting's, an addition
        ordinary, addition, replaces_short_stay = price, np.int64(0), False
        candidates = met = not_met = elsewhere = covering = np.int64(0)
        place, case_start, best_practice_row, paying_row = cases.place[i] if has_cases else 0, 0, 0, 0
        if place != 0 and reason == PRICED and national:
            case_start = cases.start[cases.case[place]]
            candidates, met, not_met, elsewhere, covering, best_practice_row = standing_of(
                terms,
                cases.rows,
                case_start,
                cases.start[cases.case[place] + 1],
                cases.status,
                cases.evidence[place],
                setting,
                method_group == EMERGENCY,
                adjusted,
                age,
                ANY_ATTENDANCE,
            )
            price, addition, replaces_short_stay, paying_row = effect_of(terms, cases.rows, case_start, covering, met, ordinary)
        if reason == PRICED:
            reason = price_reason(hrg, price, factor)
        is_local = local_price != BLANK_PENCE and local_price_may_stand(reason)

        base = short_stay = long_stay = top_up = mff = total = np.int64(0)
        if is_local:
            reason = PRICED if abs(local_price) <= AMOUNT_LIMIT_PENCE else AMOUNT_OUT_OF_RANGE
            base = total = local_price
            flags |= B_LOCAL_PRICE
        elif reason == PRICED:
            is_combined = setting != S_NON_ELECTIVE and book.hrgs[hrg]["combined"] != 0
            flags |= B_COMBINED if is_combined else B_SETTING[column]
            # 3 short-stay emergency
            reduced_price, grouping = np.int64(NO_PRICE), told(facts, GROUPING)
            if setting == S_NON_ELECTIVE and short_stay_applies(
                method_group, adjusted, maximum_stay, age, minimum_age, grouping, short_stay_price
            ):
                reduced_price = short_stay_price
                if not replaces_short_stay:
                    flags |= B_SHORT_STAY
                    if grouping == GROUPING_BLANK:
                        flags |= B_GROUPING_METHOD_UNKNOWN
            # 5 long stay
            trim_point, per_day = book.hrgs[hrg]["trim_point"][column], book.hrgs[hrg]["per_day"]
            excess = long_stay_days(adjusted, trim_point, per_day)
            if excess > 0:
                long_stay = excess * per_day
                flags |= B_LONG_STAY
            # 4 specialised top-up; after 5, because it may cover the long stay
            services, share = cell(lines.services, i, 0), np.int64(0)
            if services != 0:
                rows = lines.service_rows[lines.service_start[services] : lines.service_start[services + 1]]
                top_up_row, refused = highest_top_up(
                    rows, abs(told(facts, ELIGIBLE_PROVIDER)), age, book.top_up_eligible, book.top_up_age, book.top_up
                )
                if refused:
                    flags |= B_TOP_UP_NOT_ELIGIBLE
                if lines.service_unknown[services] != 0:
                    flags |= B_TOP_UP_UNKNOWN
                if top_up_row != 0:
                    flags |= B_TOP_UP
                    if on_long_stay and long_stay > 0:
                        flags |= B_TOP_UP_ON_LONG_STAY
                    share = book.top_up[top_up_row]
                    found_top_up = top_up_row
            # 8 pre-MFF, 9 market forces factor, with the one rounding
            kept_price = np.int64(NO_PRICE) if replaces_short_stay else reduced_price
            paid_days = long_stay
            base, short_stay, long_stay, top_up, mff, total = components(
                price, addition, kept_price, long_stay, share, on_long_stay, factor, whole_pounds
            )
            if total > AMOUNT_LIMIT_PENCE:
                reason = AMOUNT_OUT_OF_RANGE
                found_top_up = 0
            else:
                found_trim, found_excess, found_factor, found_row = trim_point, excess, factor, hrg
                if candidates != 0:
                    flags |= standing_flags(candidates, met, not_met, paying_row)
                    standing.best_practice_row[place] = paying_row or best_practice_row
                    standing.candidates[place], standing.met[place] = candidates, met
                    standing.not_met[place], standing.elsewhere[place] = not_met, elsewhere
                    opened, failed = candidates & ~not_met, met | (not_met & ~elsewhere)
                    for otherwise in range(3):
                        counted = np.int64(0) if otherwise == 0 else opened if otherwise == 1 else failed
                        if counted == met:
                            continue
                        other, added, replaces, _ = effect_of(terms, cases.rows, case_start, covering, counted, ordinary)
                        reduced = np.int64(NO_PRICE) if replaces else reduced_price
                        _, _, _, _, _, would_be = components(
                            other, added, reduced, paid_days, share, on_long_stay, factor, whole_pounds
                        )
                        difference = worth(other, would_be) - total
                        if otherwise == 0:
                            standing.best_practice_pence[place] = -difference
                        elif otherwise == 1:
                            standing.best_practice_at_stake_pence[place] = difference
                        else:
                            standing.best_practice_lost_pence[place] = difference
                if place != 0 and cases.unknown[place] != 0:
                    flags |= B_BEST_PRACTICE_UNKNOWN
            flags |= flags_of_national_price(year.factor_by_provider, provider_found, False, local_price)

        if reason == PRICED:
            if adjusted_given != BLANK:
                flags |= B_STAY_GIVEN
            elif days_taken_off > 0:
                flags |= B_STAY_NETTED
            if outside_dates:
                flags |= B_DATES_IGNORED
        else:
            base = short_stay = long_stay = top_up = mff = total = np.int64(0)
            flags = 0
            if local_price != BLANK_PENCE and abs(local_price) <= AMOUNT_LIMIT_PENCE:
                indicative = local_price
            elif hrg > 0:
                prices = book.hrgs[hrg]["price"]
                known = best_price_known(setting, prices[DAY_CASE], prices[ORDINARY_ELECTIVE], prices[NON_ELECTIVE])
                if known != NO_PRICE and known <= AMOUNT_LIMIT_PENCE:
                    value = value_with_factor(known, factor, whole_pounds)
                    indicative = value if value <= AMOUNT_LIMIT_PENCE else indicative
        priced.reason[i] = reason
        priced.base_pence[i], priced.short_stay_pence[i], priced.long_stay_pence[i] = base, short_stay, long_stay
        priced.top_up_pence[i], priced.mff_pence[i], priced.price_pence[i] = top_up, mff, total
        priced.indicative_pence[i] = indicative
        if explained is not None:
            priced.adjusted_length_of_stay[i], priced.trim_point[i], priced.excess_days[i] = found_stay, found_trim, found_excess
            priced.mff_millionths[i], priced.basis[i] = found_factor, flags
            priced.price_row[i], priced.top_up_row[i] = found_row, found_top_up


def room_for(count: int, *, explained: bool) -> PricedSpells:
    """Room for what the kernel finds of `count` spells; without the columns that explain a price where they are not asked for."""
    more = count if explained else 0
    return PricedSpells(
        reason=empty(count, np.uint8),
        setting=empty(count, np.uint8),
        pod=empty(count, np.uint8),
        base_pence=empty(count, np.int64),
        short_stay_pence=empty(count, np.int64),
        long_stay_pence=empty(count, np.int64),
        top_up_pence=empty(count, np.int64),
        mff_pence=empty(count, np.int64),
        price_pence=empty(count, np.int64),
        indicative_pence=empty(count, np.int64),
        adjusted_length_of_stay=empty(more, np.int32),
        trim_point=empty(more, np.int32),
        excess_days=empty(more, np.int32),
        mff_millionths=empty(more, np.int32),
        basis=empty(more, np.int64),
        price_row=empty(more, np.int32),
        top_up_row=empty(more, np.int32),
    )


def price(
    lines: Spells,
    book: PriceBook,
    *,
    strict_dates: bool,
    cases: Cases = NO_CASES,
    standing: Standing | None = None,
    explained: bool = True,
) -> PricedSpells:
    """`price_spells` with types: prices encoded lines (`Spells`) from `book`; `cases` is their best-practice side, and where they
    stand goes to `standing`. Without `explained` the columns that explain a price stay empty."""
    priced = room_for(lines.facts.size, explained=explained)
    stands = no_standing(0) if standing is None else standing
    wanted = True if explained else None
    off = days_not_counted(
        lines.facts.size,
        (lines.critical_care_days, lines.rehabilitation_days, lines.palliative_care_days, lines.delayed_discharge_days),
    )
    price_spells(lines, off, cases, book.year, book.admitted, book.best_practice, strict_dates, priced, stands, wanted)
    return priced
