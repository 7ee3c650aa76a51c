"""Outpatients: the price of an attendance, or of the procedure instead of it (RULES 2.1, 2.2).

An attendance is first or follow-up, single- or multi-professional, face to face or not; its HRG says so where it is a WF
code, else its own columns do."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.columns import PODS, SETTINGS
from tariff.compiled import compiled, rule
from tariff.facts import (
    ATTENDANCE_HRG,
    ATTENDED,
    CONSULTANT_SPECIALTY,
    FIRST_ATTENDANCE,
    FORM,
    LED,
    MULTI_PROFESSIONAL,
    POLICY,
    PROVIDER,
    SHAPE,
    TREATMENT_FUNCTION,
)
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
from tariff.kernels.settling import (
    B_LOCAL_PRICE,
    BLANK,
    BLANK_PENCE,
    CODE_UNGROUPED,
    CODE_UNKNOWN,
    EXCLUDED_BY_PACK,
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
    copy_priced,
    fault_of,
    flags_of_national_price,
    is_possible_age,
    item_fault,
    market_forces_factor,
    nothing_remembered,
    place_of,
    put,
    room_for,
    settle,
)
from tariff.kernels.telling import cell, is_set, told
from tariff.money import MILLION
from tariff.reasons import REASON_NUMBER, Basis
from tariff.rulepack.book import (
    FIRST_MULTI,
    FIRST_NON_FACE_TO_FACE,
    FIRST_SINGLE,
    FOLLOW_UP_MULTI,
    FOLLOW_UP_NON_FACE_TO_FACE,
    FOLLOW_UP_SINGLE,
    NO_PRICE,
    OUTPATIENT_ERF,
    OUTPATIENT_NONE,
    PriceBook,
)

SEEN, NOT_SEEN = 1, 2
"""Answers to `attended`; 0 is no national code."""
NO_FORM, FORM_FOLLOW_UP, FORM_FIRST, FORM_FOLLOW_UP_REMOTE, FORM_FIRST_REMOTE, FORM_REMOTE = range(6)
"""What the letter of a WF HRG says; `FORM_MULTI` is added for WF02."""
FORM_MULTI = 8
IS_FIRST, IS_REMOTE, IS_MULTI, IS_LED = 1, 2, 4, 8
"""What an attendance is by its shape (`shape_of`)."""
NO_PRICE_FUNCTION = -1
"""Row of a treatment function whose attendances the pack leaves without a price."""


class Attendances(NamedTuple):
    """Encoded outpatient lines, one element an attendance; a column that is blank throughout may be empty."""

    facts: NDArray[np.uint64]  # what the codes say (tariff.facts)
    activity_date: NDArray[np.int32]
    age: NDArray[np.int32]
    local_price: NDArray[np.int64]


REASON_FIRST_ATTENDANCE = REASON_NUMBER["first_attendance"]
ATTENDANCE_STATUS = REASON_NUMBER["attendance_status"]
NOT_ATTENDED = REASON_NUMBER["not_attended"]
NOT_CONSULTANT_LED = REASON_NUMBER["not_consultant_led"]
FOLLOW_UP_NOT_IN_SCOPE = REASON_NUMBER["follow_up_not_in_scope"]
NO_ATTENDANCE_PRICE = REASON_NUMBER["no_attendance_price"]

S_NOT_CLASSIFIED = SETTINGS.index("not_classified")
S_OUTPATIENT_PROCEDURE = SETTINGS.index("outpatient_procedure")
S_ATTENDANCE = SETTINGS.index("attendance")
P_NOT_CLASSIFIED = PODS.index("NOTCLASSIFIED")
P_OPPROCFA, P_OPPROCFUP, P_NF2FFA, P_NF2FFUP = (PODS.index(pod) for pod in ("OPPROCFA", "OPPROCFUP", "NF2FFA", "NF2FFUP"))
P_ATTENDANCE = np.array(
    [PODS.index(f"OP{stage}{who}{led}") for stage in ("FUP", "FA") for who in ("SP", "MP") for led in ("NCL", "CL")],
    dtype=np.uint8,
)

B_OUTPATIENT_PROCEDURE = int(Basis.OUTPATIENT_PROCEDURE)
B_ATTENDANCE = int(Basis.ATTENDANCE)
B_PROCEDURE_AS_ATTENDANCE = int(Basis.PROCEDURE_AS_ATTENDANCE)
B_MULTI_PROFESSIONAL = int(Basis.MULTI_PROFESSIONAL)
B_NON_FACE_TO_FACE = int(Basis.NON_FACE_TO_FACE)
B_DEFAULT_PRICE = int(Basis.DEFAULT_PRICE)


@rule
def is_first(form, first_attendance):
    """First attendance, by the HRG where it says so, else by the attendance code (RULES 2.1)."""
    letter = form % FORM_MULTI
    if letter in (FORM_FIRST, FORM_FIRST_REMOTE):
        return True
    if letter in (FORM_FOLLOW_UP, FORM_FOLLOW_UP_REMOTE):
        return False
    return first_attendance in (1, 3)


@rule
def is_remote(form, first_attendance):
    """Not face to face, by the HRG where it is an attendance, else by the attendance code (RULES 2.1)."""
    letter = form % FORM_MULTI
    if letter == NO_FORM:
        return first_attendance in (3, 4)
    return letter in (FORM_FOLLOW_UP_REMOTE, FORM_FIRST_REMOTE, FORM_REMOTE)


@rule
def led_by_consultant(facts):
    """As the line says, else as its main specialty does (RULES 2.1)."""
    led = told(facts, LED)
    return is_set(facts, CONSULTANT_SPECIALTY) if led == 0 else led == 1


@rule
def shape_of(facts):
    """First, remote, multi-professional and consultant-led, as bits: the same for all attendances of one shape, and so worked out
    once for each and looked up."""
    form, first_attendance = told(facts, FORM), told(facts, FIRST_ATTENDANCE)
    shape = IS_FIRST if is_first(form, first_attendance) else 0
    shape |= IS_REMOTE if is_remote(form, first_attendance) else 0
    multi = form >= FORM_MULTI if form != NO_FORM else is_set(facts, MULTI_PROFESSIONAL)
    shape |= IS_MULTI if multi else 0
    return shape | (IS_LED if led_by_consultant(facts) else 0)


@rule
def point_of_delivery(procedure, first, remote, multi, consultant_led):
    """National point of delivery (FORMATS section 3)."""
    if procedure:
        return P_OPPROCFA if first else P_OPPROCFUP
    if remote:
        return P_NF2FFA if first else P_NF2FFUP
    return P_ATTENDANCE[4 * first + 2 * multi + consultant_led]


@rule
def attendance_column(first, remote, multi):
    """Column of the attendance prices."""
    if remote:
        return FIRST_NON_FACE_TO_FACE if first else FOLLOW_UP_NON_FACE_TO_FACE
    if first:
        return FIRST_MULTI if multi else FIRST_SINGLE
    return FOLLOW_UP_MULTI if multi else FOLLOW_UP_SINGLE


@rule
def attendance_reason(first_attendance, attended):
    """A code without which an attendance cannot be told; PRICED where both are national codes."""
    if first_attendance == 0:
        return REASON_FIRST_ATTENDANCE
    return ATTENDANCE_STATUS if attended == 0 else PRICED


@rule
def policy_reason(policy, attended, outside_pack_dates):
    """The year, then the policies that keep an attendance out of national prices; PRICED where none does."""
    if outside_pack_dates:
        return OUTSIDE_PACK_DATES
    if policy & NOT_NHS_FUNDED:
        return REASON_NOT_NHS_FUNDED
    if attended != SEEN:
        return NOT_ATTENDED
    if policy & OUTSIDE_NATIONAL_TARIFF:
        return REASON_OUTSIDE_NATIONAL_TARIFF
    if policy & EXCLUDED_BY_PACK:
        return REASON_EXCLUDED_BY_PACK
    return PRICED


@rule
def scope_reason(method, hrg, unpriced_procedure, by_procedure, first, consultant_led, price):
    """Why an attendance has no national price; PRICED where it has one (RULES 2.1, 2.2)."""
    if hrg == CODE_UNGROUPED:
        return UNGROUPED
    if hrg == CODE_UNKNOWN:
        return UNKNOWN_CURRENCY
    if by_procedure:
        return PRICED
    if method == OUTPATIENT_ERF and unpriced_procedure and not first:
        return FOLLOW_UP_NOT_IN_SCOPE
    if method != OUTPATIENT_NONE and not consultant_led:
        return NOT_CONSULTANT_LED
    return NO_ATTENDANCE_PRICE if price == NO_PRICE else PRICED


@compiled
def price_attendances(lines, cases, year, book, best_practice, strict_dates, priced, standing, known_facts, known):
    """Prices every line of `Attendances` into `priced` (`PricedItems`), and their best-practice side (`Cases`) into `standing`.
    Never raises: what cannot be priced has its reason. `known_facts` and `known` are what is `Remembered`."""
    has_cases = cases.place.size != 0
    by_provider, default_factor, whole_pounds = year.factor_by_provider, year.default_factor, year.whole_pounds
    shapes = np.empty(1 << SHAPE.bits, np.uint8)
    for number in range(shapes.size):
        shapes[number] = shape_of(np.uint64(number) << np.uint64(SHAPE.shift))
    for i in range(lines.facts.size):
        facts, age, activity_date = lines.facts[i], cell(lines.age, i, BLANK), cell(lines.activity_date, i, BLANK)
        local_price = cell(lines.local_price, i, BLANK_PENCE)
        outside_dates = not year.starts <= activity_date <= year.ends
        place = cases.place[i] if has_cases else 0
        at = place_of(facts)
        told_by_facts = not outside_dates and local_price == BLANK_PENCE and place == 0 and is_possible_age(age)
        if told_by_facts and known_facts[at] == facts:
            copy_priced(priced, i, known, at)
            continue
        provider_found = told(facts, PROVIDER)
        first_attendance, form, hrg = told(facts, FIRST_ATTENDANCE), told(facts, FORM), told(facts, ATTENDANCE_HRG)
        function, provider, attended = told(facts, TREATMENT_FUNCTION), abs(provider_found), told(facts, ATTENDED)
        shape = shapes[told(facts, SHAPE)]
        first, remote = shape & IS_FIRST != 0, shape & IS_REMOTE != 0
        multi, consultant_led = shape & IS_MULTI != 0, shape & IS_LED != 0
        procedure = form == NO_FORM and (hrg > 0 or hrg == CODE_UNKNOWN)

        # the price: of the procedure, else of the attendance
        row, included, flags = max(hrg, 0), False, 0
        price = book.procedure[row] if procedure and book.method != OUTPATIENT_NONE else np.int64(NO_PRICE)
        by_procedure = price != NO_PRICE
        if by_procedure:
            flags |= B_OUTPATIENT_PROCEDURE
        elif book.method != OUTPATIENT_NONE and function != NO_PRICE_FUNCTION:
            face_to_face = not remote or book.non_face_to_face_as_face_to_face
            price = book.attendance[function, attendance_column(first, not face_to_face, multi)]
            row, included = function, book.mff_included[function] != 0
            if price == NO_PRICE and face_to_face:
                price = np.int64(book.default_first if first else book.default_follow_up)
                row, included = 0, False
                if price != NO_PRICE:
                    flags |= B_DEFAULT_PRICE
        if not by_procedure:
            flags |= B_ATTENDANCE
            if procedure:
                flags |= B_PROCEDURE_AS_ATTENDANCE
            if multi:
                flags |= B_MULTI_PROFESSIONAL
            if remote:
                flags |= B_NON_FACE_TO_FACE

        # what it is, and why it may not be priced
        setting = S_OUTPATIENT_PROCEDURE if by_procedure else S_ATTENDANCE
        kind_of_attendance = attendance_column(first, remote, multi)
        is_told = first_attendance != 0
        priced.pod[i] = point_of_delivery(procedure, first, remote, multi, consultant_led) if is_told else P_NOT_CLASSIFIED
        priced.setting[i] = setting if is_told else S_NOT_CLASSIFIED
        reason = item_fault(fault_of(facts), activity_date, age)
        if reason == PRICED:
            reason = attendance_reason(first_attendance, attended)
        if reason == PRICED:
            reason = policy_reason(told(facts, POLICY), attended, strict_dates and outside_dates)
        # best practice: a price instead of the ordinary one, an addition
        ordinary, addition, case_start, first_row, paying_row = price, np.int64(0), 0, 0, 0
        candidates = met = not_met = elsewhere = covering = np.int64(0)
        if place != 0 and reason == PRICED and book.method != OUTPATIENT_NONE:
            case_start = cases.start[cases.case[place]]
            candidates, met, not_met, elsewhere, covering, first_row = standing_of(
                best_practice,
                cases.rows,
                case_start,
                cases.start[cases.case[place] + 1],
                cases.status,
                cases.evidence[place],
                setting,
                False,
                np.int32(0),
                age,
                kind_of_attendance,
            )
            price, addition, _, paying_row = effect_of(best_practice, cases.rows, case_start, covering, met, ordinary)
        if reason == PRICED:
            lacks_price = procedure and not by_procedure
            reason = scope_reason(
                book.method, hrg if form == NO_FORM else 1, lacks_price, by_procedure, first, consultant_led, price
            )

        if reason != PRICED:
            price, addition = ordinary, np.int64(0)
        elif ordinary == NO_PRICE:
            row, included = 0, False
        factor = np.int64(MILLION)
        if not included:
            factor = market_forces_factor(by_provider, provider, year.factor[provider], default_factor)
        paid, one = with_addition(price, addition), np.int64(1)
        reason_found, base, total, indicative = settle(reason, paid, one, factor, local_price, whole_pounds)
        if reason_found != PRICED:
            if candidates != 0:  # a line that is not priced is worth its ordinary price
                _, _, _, indicative = settle(reason_found, ordinary, one, factor, local_price, whole_pounds)
            if reason_found == NOT_ATTENDED:
                indicative = np.int64(BLANK_PENCE)
        elif reason != PRICED:
            flags, factor, row = B_LOCAL_PRICE, np.int64(MILLION), 0
        else:
            flags |= flags_of_national_price(by_provider, provider_found, included, local_price)
            if candidates != 0:
                flags |= stand_item(
                    standing, place, best_practice, cases.rows, case_start, covering, candidates, met, not_met, elsewhere,
                    paying_row, first_row, ordinary, one, factor, whole_pounds, total,
                )  # fmt: skip
            if place != 0 and cases.unknown[place] != 0:
                flags |= B_BEST_PRACTICE_UNKNOWN
        put(priced, i, reason_found, base, total, indicative, factor, flags, row, outside_dates)
        if told_by_facts:
            known_facts[at] = facts
            copy_priced(known, at, priced, i)


def price(
    lines: Attendances,
    book: PriceBook,
    *,
    strict_dates: bool,
    cases: Cases = NO_CASES,
    standing: Standing | None = None,
    explained: bool = True,
) -> PricedItems:
    """`price_attendances` with types; `cases` is the best-practice side of the lines, and where they stand goes to `standing`.
    Without `explained` the columns that explain a price stay empty."""
    priced = room_for(lines.facts.size, explained=explained)
    stands = no_standing(0) if standing is None else standing
    remembered = nothing_remembered(explained=explained)
    price_attendances(lines, cases, book.year, book.outpatient, book.best_practice, strict_dates, priced, stands, *remembered)
    return priced
