"""Every outcome, every reason and every basis flag, once: its code, the step that decides it, a sentence for a clerk, and
the rule it comes from. Kernels, the reference, explain, the README and the reports all read this module.

The position of a reason in `REASONS` is its number in the kernels, so new reasons go to the end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

PRICED: Final = "priced"
EXCLUDED: Final = "excluded"
UNPRICED: Final = "unpriced"
REJECTED: Final = "rejected"
OUTCOMES: Final = (PRICED, EXCLUDED, UNPRICED, REJECTED)
"""priced; excluded by policy; unpriced (no price, or data that cannot be priced); rejected (unreadable or impossible)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a line ended as it did. `step` is the stage that decides it: read, spells, check, classify or price."""

    code: str
    outcome: str
    step: str
    sentence: str
    rule: str


REASONS: Final = (
    Reason(PRICED, PRICED, "price", "Priced from the rule pack, or at its agreed local price.", "RULES 1.8"),
    # read: faults of single cells, found as a file is read
    Reason("unreadable_date", REJECTED, "read", "A date could not be read in any of the accepted formats.", "engine"),
    Reason("unreadable_number", REJECTED, "read", "A number (age, days, units or money) could not be read.", "engine"),
    # spells: episodes that do not make one spell
    Reason("conflicting_hrg", REJECTED, "spells", "The episodes of this spell carry different spell HRGs.", "RULES 1.2"),
    # check: rows that are impossible, or lack what a price needs
    Reason("missing_identifier", REJECTED, "check", "The row has no identifier of its own.", "engine"),
    Reason("missing_organisation", REJECTED, "check", "The provider or the commissioner is blank.", "engine"),
    Reason("missing_date", REJECTED, "check", "The date that starts the activity is blank.", "engine"),
    Reason("discharge_before_admission", REJECTED, "check", "The discharge date is before the admission date.", "engine"),
    Reason("missing_age", REJECTED, "check", "The age is blank.", "engine"),
    Reason("age_out_of_range", REJECTED, "check", "The age is not between 0 and 130.", "engine"),
    Reason(
        "days_out_of_range", REJECTED, "check", "A length of stay or a count of days is negative or beyond 200,000.", "engine"
    ),
    Reason("admission_method", REJECTED, "check", "The admission method is not in any of the national lists.", "RULES 1.1"),
    Reason("patient_classification", REJECTED, "check", "The patient classification is not 1 to 5.", "RULES 1.1"),
    # classify: which pack, and what policy keeps out of national prices
    Reason(
        "unfinished", EXCLUDED, "classify", "The spell has no discharge date: it is priced when it is complete.", "RULES 1.2.7"
    ),
    Reason(
        "outside_pack_dates", UNPRICED, "classify", "The activity was completed outside the dates of the rule pack.", "RULES 1.1"
    ),
    Reason("no_pack_for_date", UNPRICED, "classify", "No rule pack covers the date the activity was completed.", "RULES 1.1"),
    Reason("not_nhs_funded", EXCLUDED, "classify", "Private or overseas patient: no NHS commissioner pays.", "RULES 1.1"),
    Reason(
        "regular_attender",
        EXCLUDED,
        "classify",
        "Regular day or night attender: outside national prices, and no local price given.",
        "RULES 1.1",
    ),
    Reason(
        "outside_national_tariff",
        EXCLUDED,
        "classify",
        "The commissioning serial number ends in '=': a local agreement, and no local price given.",
        "RULES 1.1",
    ),
    Reason(
        "excluded_by_pack",
        EXCLUDED,
        "classify",
        "The rule pack excludes this HRG or treatment function from national prices.",
        "rule pack",
    ),
    # price: no price to be had
    Reason("missing_currency", UNPRICED, "price", "The HRG or currency is blank.", "engine"),
    Reason("ungrouped", UNPRICED, "price", "The HRG is UZ: the data were invalid for grouping.", "RULES 1.1"),
    Reason("unknown_currency", UNPRICED, "price", "The rule pack does not hold this HRG or currency.", "engine"),
    Reason("no_price_in_setting", UNPRICED, "price", "The HRG has no national price in this setting.", "RULES 1.3"),
    Reason(
        "no_market_forces_factor",
        UNPRICED,
        "price",
        "The rule pack holds no market forces factor for this provider.",
        "RULES 1.7",
    ),
    Reason("amount_out_of_range", REJECTED, "price", "The amount is beyond £10,000,000,000 on one line.", "engine"),
    Reason(
        "unreadable_row",
        REJECTED,
        "read",
        "The row has more cells than headings: values may stand in the wrong columns.",
        "engine",
    ),
    Reason("confidence", UNPRICED, "price", "The price rests on a figure whose confidence this run refuses.", "run option"),
    # outpatients, emergency care, unbundled care
    Reason(
        "attendance_status",
        REJECTED,
        "check",
        "The attended-or-did-not-attend code is blank or not a national code.",
        "RULES 2.1",
    ),
    Reason("first_attendance", REJECTED, "check", "The first attendance code is not 1 to 4.", "RULES 2.1"),
    Reason("department_type", REJECTED, "check", "The emergency department type is not 1 to 4.", "RULES 2.5"),
    Reason("units_out_of_range", REJECTED, "check", "The units are blank, or not between 1 and 10,000,000.", "engine"),
    Reason("not_attended", EXCLUDED, "classify", "The patient did not attend or was not seen: nothing is paid.", "RULES 2.1"),
    Reason(
        "not_consultant_led",
        EXCLUDED,
        "classify",
        "Not consultant-led: outside national prices, and no local price given.",
        "RULES 2.1",
    ),
    Reason(
        "follow_up_not_in_scope",
        EXCLUDED,
        "classify",
        "A follow-up with a procedure that has no price: outside the scope of this pack's method.",
        "RULES 2.2",
    ),
    Reason(
        "planned_follow_up",
        EXCLUDED,
        "classify",
        "A planned follow-up in an emergency department: no national price, and no local price given.",
        "RULES 2.5",
    ),
    Reason(
        "walk_in_centre",
        EXCLUDED,
        "classify",
        "An NHS walk-in centre: outside national prices, and no local price given.",
        "RULES 2.5",
    ),
    Reason(
        "no_attendance_price",
        UNPRICED,
        "price",
        "The treatment function has no price for this kind of attendance, and the pack no default.",
        "RULES 2.2",
    ),
    Reason("no_pass_through_cost", UNPRICED, "price", "A pass-through drug or device came without its cost.", "RULES 1.9"),
)

REASON_CODES: Final = tuple(reason.code for reason in REASONS)
REASON_NUMBER: Final = {code: number for number, code in enumerate(REASON_CODES)}
OUTCOME_OF_REASON: Final = tuple(OUTCOMES.index(reason.outcome) for reason in REASONS)
"""By reason number, the position of its outcome in `OUTCOMES`."""

LOCAL_PRICE_STANDS: Final = frozenset(
    {
        "regular_attender",
        "outside_national_tariff",
        "excluded_by_pack",
        "unknown_currency",
        "no_price_in_setting",
        "not_consultant_led",
        "follow_up_not_in_scope",
        "planned_follow_up",
        "walk_in_centre",
        "no_attendance_price",
    }
)
"""Reasons that put a line outside national prices, so that a local price given with it is paid instead."""


class Basis(IntFlag):
    """Which rules acted on a line; bits of the `basis` column. Sentences in `BASIS_SENTENCES`."""

    COMBINED = 1 << 0
    DAY_CASE = 1 << 1
    ORDINARY_ELECTIVE = 1 << 2
    NON_ELECTIVE = 1 << 3
    SHORT_STAY = 1 << 4
    LONG_STAY = 1 << 5
    TOP_UP = 1 << 6
    TOP_UP_ON_LONG_STAY = 1 << 7
    MARKET_FORCES = 1 << 8
    MARKET_FORCES_OF_TRUST = 1 << 9
    MARKET_FORCES_DEFAULT = 1 << 10
    LOCAL_PRICE = 1 << 11
    LOCAL_PRICE_IGNORED = 1 << 12
    GROUPING_METHOD_UNKNOWN = 1 << 13
    STAY_GIVEN = 1 << 14
    STAY_NETTED = 1 << 15
    TOP_UP_UNKNOWN = 1 << 16
    TOP_UP_NOT_ELIGIBLE = 1 << 17
    DATES_IGNORED = 1 << 18
    OUTPATIENT_PROCEDURE = 1 << 19
    ATTENDANCE = 1 << 20
    PROCEDURE_AS_ATTENDANCE = 1 << 21
    MULTI_PROFESSIONAL = 1 << 22
    NON_FACE_TO_FACE = 1 << 23
    DEFAULT_PRICE = 1 << 24
    EMERGENCY_CARE = 1 << 25
    SIMPLEST_CURRENCY = 1 << 26
    UNIT_PRICE = 1 << 27
    PASS_THROUGH = 1 << 28
    MARKET_FORCES_INCLUDED = 1 << 29
    BEST_PRACTICE = 1 << 30
    BEST_PRACTICE_NOT_MET = 1 << 31
    BEST_PRACTICE_NO_EVIDENCE = 1 << 32
    BEST_PRACTICE_UNKNOWN = 1 << 33


BASIS_SENTENCES: Final = {
    Basis.COMBINED: "Combined day case and ordinary elective price.",
    Basis.DAY_CASE: "Day case price.",
    Basis.ORDINARY_ELECTIVE: "Ordinary elective price.",
    Basis.NON_ELECTIVE: "Non-elective price.",
    Basis.SHORT_STAY: "Reduced short-stay emergency price.",
    Basis.LONG_STAY: "Long-stay payment for days beyond the trim point.",
    Basis.TOP_UP: "Specialised top-up.",
    Basis.TOP_UP_ON_LONG_STAY: "The top-up also covers the long-stay payment.",
    Basis.MARKET_FORCES: "Market forces factor of the provider.",
    Basis.MARKET_FORCES_OF_TRUST: "The factor was found by the first three characters of the provider code.",
    Basis.MARKET_FORCES_DEFAULT: "The pack's default market forces factor, the provider having none of its own.",
    Basis.LOCAL_PRICE: "Local price, paid as given, without market forces factor.",
    Basis.LOCAL_PRICE_IGNORED: "A local price was given but the line has a national price, which stands.",
    Basis.GROUPING_METHOD_UNKNOWN: "Short-stay reduction applied without knowing whether a diagnosis set the HRG.",
    Basis.STAY_GIVEN: "The adjusted length of stay stands as it was given, or as it was netted episode by episode.",
    Basis.STAY_NETTED: "Critical care, rehabilitation, palliative or delayed days were taken off the stay.",
    Basis.TOP_UP_UNKNOWN: "A specialised service code that the rule pack does not hold was passed over.",
    Basis.TOP_UP_NOT_ELIGIBLE: "A specialised service was coded but the provider or patient is not eligible for its top-up.",
    Basis.DATES_IGNORED: "Priced under a pack whose dates do not cover the activity, as the run asked.",
    Basis.OUTPATIENT_PROCEDURE: "Outpatient procedure price, instead of the attendance.",
    Basis.ATTENDANCE: "Outpatient attendance price of the treatment function.",
    Basis.PROCEDURE_AS_ATTENDANCE: "The procedure has no outpatient price, so the attendance was paid.",
    Basis.MULTI_PROFESSIONAL: "Multi-professional attendance.",
    Basis.NON_FACE_TO_FACE: "Non-face-to-face attendance.",
    Basis.DEFAULT_PRICE: "The pack's default price, the treatment function having none of its own.",
    Basis.EMERGENCY_CARE: "Emergency care attendance price.",
    Basis.SIMPLEST_CURRENCY: "Department of type 3: paid at the simplest currency.",
    Basis.UNIT_PRICE: "Price per unit, times the units.",
    Basis.PASS_THROUGH: "Pass-through at cost, without market forces factor or top-up.",
    Basis.MARKET_FORCES_INCLUDED: "The price already holds local market forces, so no factor is applied.",
    Basis.BEST_PRACTICE: "Best practice was shown and is paid, as a price or an addition; an addition lies in the base price.",
    Basis.BEST_PRACTICE_NOT_MET: "A best-practice tariff covers the line and its criteria are not met.",
    Basis.BEST_PRACTICE_NO_EVIDENCE: "A best-practice tariff covers the line and evidence is lacking: it counts as not met.",
    Basis.BEST_PRACTICE_UNKNOWN: "A best-practice code that the rule pack does not hold was passed over.",
}


def basis_sentences(basis: int) -> list[str]:
    """The sentences of the flags set in `basis`, in flag order."""
    return [sentence for flag, sentence in BASIS_SENTENCES.items() if basis & flag]
