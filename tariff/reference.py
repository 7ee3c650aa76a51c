"""The second opinion: one line of activity priced slowly, from canonical row and pack *tables* to components, in plain
Python integers and fractions.

It is written from RULES section 1 and shares nothing with the kernels but the names of reasons and flags and one rounding
function, so that a mistake has to be made twice, in two ways, to go unseen. `tariff verify` and the agreement tests hold
the two together. Each function is one rule and cites its section; they stand in the order of RULES 1.8, and
`price_admitted` at the end calls them in that order.

Units: money in pence; market forces factors in millionths, until they multiply; days are whole days. A cell that is
missing, None, empty or all spaces is blank. Codes are compared as they are given: trimming them is the reader's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final, Literal, TypeVar, cast

from tariff.errors import Fault, RulesError
from tariff.money import AMOUNT_LIMIT_PENCE, BASIS_POINTS, MILLION, PENCE_PER_POUND, basis_points, half_up, millionths, pence
from tariff.reasons import OUTCOME_OF_REASON, OUTCOMES, PRICED, REASON_NUMBER, Basis

Dates = Literal["strict", "ignore"]
"""Whether activity completed outside the pack's dates is unpriced (`strict`) or priced and flagged (`ignore`)."""

Exact = int | Fraction
NO_FLAGS: Final = Basis(0)

ELECTIVE: Final = frozenset({"11", "12", "13"})
EMERGENCY: Final = frozenset({"21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"})
OTHER_NON_ELECTIVE: Final = frozenset({"31", "32", "81", "82", "83"})
ADMISSION_METHODS: Final = ELECTIVE | EMERGENCY | OTHER_NON_ELECTIVE
"""The three lists of admission methods (RULES 1.1)."""

ORDINARY, DAY_CASE, REGULAR_DAY, REGULAR_NIGHT, MOTHER_AND_BABY = "1", "2", "3", "4", "5"
PATIENT_CLASSIFICATIONS: Final = frozenset({ORDINARY, DAY_CASE, REGULAR_DAY, REGULAR_NIGHT, MOTHER_AND_BABY})
"""Patient classifications (RULES 1.1); 5 is treated as 1."""

PRIVATE_PATIENT: Final = frozenset({"02", "2"})
PRIVATE_COMMISSIONER: Final = "VPP00"
UNGROUPED_ROOT: Final = "UZ"
OLDEST_AGE: Final = 130
LONGEST_STAY_DAYS: Final = 200_000
TRUST_CODE_LENGTH: Final = 3


# --- the rule pack, as the reference reads it ------------------------------------------------------------------------

Rules = Mapping[str, Mapping[str, object]]
Cells = Mapping[str, str | None]
T = TypeVar("T")

METHODS: Final = {
    "setting": ("national",),
    "exclusions": ("national",),
    "short_stay": ("none", "price_table"),
    "long_stay": ("none", "per_day_beyond_trim"),
    "top_up": ("none", "highest_eligible"),
    "market_forces_factor": ("none", "by_provider"),
    "rounding": ("penny_once", "whole_pounds"),
}
"""The methods known here, by rule. Any other is refused: a rule that is not understood is never passed over."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One HRG's row of the admitted table: prices in pence, None where none is printed; trim points in days."""

    number: int
    hrg: str
    combined: int | None
    day_case: int | None
    ordinary_elective: int | None
    non_elective: int | None
    elective_trim: int | None
    non_elective_trim: int | None
    per_day_long_stay: int | None
    short_stay: int | None
    """The reduced short-stay emergency price, where the pack's rule and the row give one."""


@dataclass(frozen=True, slots=True)
class ShortStayRule:
    """When the short-stay emergency reduction applies (RULES 1.4)."""

    minimum_age: int
    maximum_stay_days: int
    grouping_methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class TopUp:
    """One specialised top-up: its share of the price and who may have it; `providers` None = every provider."""

    number: int
    share: Fraction
    minimum_age: int | None
    maximum_age: int | None
    providers: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class ReferencePack:
    """A rule pack's tables and rules, as the reference uses them; made by `from_plain`. A rule whose method is `none` is
    None (short stay, top-ups, factors) or False (long stay)."""

    label: str
    starts: date
    ends: date
    rows: Mapping[str, PriceRow]
    excluded_hrgs: frozenset[str]
    excluded_treatment_functions: frozenset[str]
    short_stay: ShortStayRule | None
    pays_long_stay: bool
    top_ups: Mapping[str, TopUp] | None
    top_up_includes_long_stay: bool
    factors: Mapping[str, int] | None
    default_factor: int | None
    whole_pounds: bool

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> ReferencePack:
        """The pack from `RulePack.plain()`: the tables after overlays with every cell as printed, and the rules.

        Raises RulesError for a method that is not known here, ValueError for a cell that is not what it should be."""
        rules = cast(Rules, plain["rules"])
        tables = cast(Mapping[str, Sequence[Cells] | None], plain["tables"])
        _refuse_unknown_methods(rules)
        reduces_short_stays = rules["short_stay"]["method"] == "price_table"
        has_top_ups = rules["top_up"]["method"] == "highest_eligible"
        has_factors = rules["market_forces_factor"]["method"] == "by_provider"
        return cls(
            label=str(plain.get("label") or plain["year"]),
            starts=_calendar_date(plain["starts"]),
            ends=_calendar_date(plain["ends"]),
            rows=_price_rows(tables["admitted"] or (), reduces_short_stays=reduces_short_stays),
            excluded_hrgs=_codes(rules["exclusions"].get("hrgs")),
            excluded_treatment_functions=_codes(rules["exclusions"].get("treatment_functions")),
            short_stay=_short_stay_rule(rules["short_stay"]) if reduces_short_stays else None,
            pays_long_stay=rules["long_stay"]["method"] == "per_day_beyond_trim",
            top_ups=_top_ups(tables.get("top_ups") or (), tables.get("top_up_providers")) if has_top_ups else None,
            top_up_includes_long_stay=has_top_ups and bool(rules["top_up"]["includes_long_stay"]),
            factors=_factors(tables.get("mff") or ()) if has_factors else None,
            default_factor=_cell(rules["market_forces_factor"], "default", millionths) if has_factors else None,
            whole_pounds=rules["rounding"]["method"] == "whole_pounds",
        )


def _refuse_unknown_methods(rules: Rules) -> None:
    faults = [
        Fault(f"rules.{rule}", f"the reference knows no method '{rules[rule]['method']}'", f"it knows: {', '.join(methods)}")
        for rule, methods in METHODS.items()
        if rules[rule]["method"] not in methods
    ]
    if faults:
        raise RulesError("The reference cannot price with this rule pack.", faults)


def _cell(cells: Mapping[str, object], name: str, read: Callable[[str], T]) -> T | None:
    text = str(cells.get(name) or "").strip()
    return read(text) if text else None


def _codes(values: object) -> frozenset[str]:
    return frozenset(str(value) for value in cast(Iterable[object], values or ()))


def _calendar_date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _price_rows(table: Iterable[Cells], *, reduces_short_stays: bool) -> dict[str, PriceRow]:
    return {
        str(cells["hrg"]): PriceRow(
            number=number,
            hrg=str(cells["hrg"]),
            combined=_cell(cells, "combined", pence),
            day_case=_cell(cells, "day_case", pence),
            ordinary_elective=_cell(cells, "ordinary_elective", pence),
            non_elective=_cell(cells, "non_elective", pence),
            elective_trim=_cell(cells, "elective_trim", int),
            non_elective_trim=_cell(cells, "non_elective_trim", int),
            per_day_long_stay=_cell(cells, "per_day_long_stay", pence),
            short_stay=short_stay_price(cells) if reduces_short_stays else None,
        )
        for number, cells in enumerate(table, start=1)
    }


def _short_stay_rule(rule: Mapping[str, object]) -> ShortStayRule:
    return ShortStayRule(
        minimum_age=cast(int, rule["minimum_age"]),
        maximum_stay_days=cast(int, rule["maximum_stay_days"]),
        grouping_methods=_codes(rule["grouping_methods"]),
    )


def _top_ups(table: Iterable[Cells], eligible: Sequence[Cells] | None) -> dict[str, TopUp]:
    def providers_of(code: str | None) -> frozenset[str] | None:
        return None if eligible is None else frozenset(str(row["provider"]) for row in eligible if row["top_up"] == code)

    return {
        str(cells["top_up"]): TopUp(
            number=number,
            share=Fraction(basis_points(str(cells["percent"])), BASIS_POINTS),
            minimum_age=_cell(cells, "minimum_age", int),
            maximum_age=_cell(cells, "maximum_age", int),
            providers=providers_of(cells["top_up"]),
        )
        for number, cells in enumerate(table, start=1)
    }


def _factors(table: Iterable[Cells]) -> dict[str, int]:
    return {str(cells["provider"]): millionths(str(cells["mff"])) for cells in table}


# --- the line, as the reference reads it -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spell:
    """The cells of one canonical admitted row that decide its price; None = blank. Money in pence."""

    read_fault: str | None
    spell_id: str | None
    provider: str | None
    commissioner: str | None
    admission_date: date | None
    discharge_date: date | None
    admission_method: str | None
    patient_classification: str | None
    age: int | None
    hrg: str | None
    treatment_function: str | None
    administrative_category: str | None
    commissioning_serial_number: str | None
    specialised_services: str | None
    grouping_method: str | None
    local_price: int | None
    length_of_stay: int | None
    days_away: tuple[int | None, ...]
    """Critical care, rehabilitation, specialist palliative and delayed-discharge days."""
    adjusted_length_of_stay: int | None

    @classmethod
    def of(cls, line: Mapping[str, object]) -> Spell:
        """The spell of one row of canonical activity (columns.ADMITTED); columns that are not there are blank."""
        return cls(
            read_fault=_text(line, "read_fault"),
            spell_id=_text(line, "spell_id"),
            provider=_text(line, "provider"),
            commissioner=_text(line, "commissioner"),
            admission_date=_day(line, "admission_date"),
            discharge_date=_day(line, "discharge_date"),
            admission_method=_text(line, "admission_method"),
            patient_classification=_text(line, "patient_classification"),
            age=_whole(line, "age"),
            hrg=_text(line, "hrg"),
            treatment_function=_text(line, "treatment_function"),
            administrative_category=_text(line, "administrative_category"),
            commissioning_serial_number=_text(line, "commissioning_serial_number"),
            specialised_services=_text(line, "specialised_services"),
            grouping_method=_text(line, "grouping_method"),
            local_price=_whole(line, "local_price"),
            length_of_stay=_whole(line, "length_of_stay"),
            days_away=(
                _whole(line, "critical_care_days"),
                _whole(line, "rehabilitation_days"),
                _whole(line, "palliative_care_days"),
                _whole(line, "delayed_discharge_days"),
            ),
            adjusted_length_of_stay=_whole(line, "adjusted_length_of_stay"),
        )


def _text(line: Mapping[str, object], name: str) -> str | None:
    value = cast(str | None, line.get(name))
    return value if value and not value.isspace() else None


def _whole(line: Mapping[str, object], name: str) -> int | None:
    return cast(int | None, line.get(name))


def _day(line: Mapping[str, object], name: str) -> date | None:
    return cast(date | None, line.get(name))


# --- RULES 1.1 and 1.2: what kind of stay it was ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stay:
    """Length of stay in days: gross and adjusted (net), None where the dates do not give one. The counts are as given: a line
    that holds an impossible one is rejected, and `published` never shows it."""

    gross: int | None
    adjusted: int | None
    flags: Basis
    published: int | None
    """The adjusted stay for the priced line: None where any count of days is out of range."""


def stay_of(spell: Spell) -> Stay:
    """The length of stay, net of the days that are paid otherwise (RULES 1.2.4, 1.5).

    A gross stay that is given goes before the dates; an adjusted stay that is given wins, and nothing is taken from it."""
    gross = spell.length_of_stay if spell.length_of_stay is not None else nights_between(spell)
    away = sum(days or 0 for days in spell.days_away)
    adjusted, flags = spell.adjusted_length_of_stay, Basis.STAY_GIVEN
    if adjusted is None:
        adjusted, flags = None if gross is None else max(0, gross - away), Basis.STAY_NETTED if away else NO_FLAGS
    return Stay(gross, adjusted, flags, None if days_out_of_range(spell) else adjusted)


def nights_between(spell: Spell) -> int | None:
    """Discharge minus admission in days; None where a date is blank or the order is impossible."""
    if spell.admission_date is None or spell.discharge_date is None or spell.discharge_date < spell.admission_date:
        return None
    return (spell.discharge_date - spell.admission_date).days


def days_out_of_range(spell: Spell) -> bool:
    """Whether any count of days, or the stay between the dates, is negative or beyond what the engine can hold."""
    given = (spell.length_of_stay, *spell.days_away, spell.adjusted_length_of_stay)
    if any(days is not None and not 0 <= days <= LONGEST_STAY_DAYS for days in given):
        return True
    return (nights_between(spell) or 0) > LONGEST_STAY_DAYS


def is_classified(spell: Spell) -> bool:
    """Whether admission method and patient classification are both in the national lists (RULES 1.1)."""
    return spell.admission_method in ADMISSION_METHODS and spell.patient_classification in PATIENT_CLASSIFICATIONS


def setting_of(spell: Spell, stay: Stay) -> str:
    """The price setting (RULES 1.1, 1.3). A day case is class 2, elective, with no night; an elective stay of any other
    kind takes the ordinary elective price; regular attenders stand apart. A stay that the dates do not give counts as 0."""
    if not is_classified(spell):
        return "not_classified"
    if spell.patient_classification == REGULAR_DAY:
        return "regular_day"
    if spell.patient_classification == REGULAR_NIGHT:
        return "regular_night"
    if spell.admission_method not in ELECTIVE:
        return "non_elective"
    return "day_case" if spell.patient_classification == DAY_CASE and not stay.gross else "ordinary_elective"


def point_of_delivery(spell: Spell, stay: Stay, pack: ReferencePack) -> str:
    """The national point-of-delivery code (RULES 1.1, 1.4; FORMATS 3).

    NELST is an emergency stay short enough, of an HRG with a reduced price, whatever the age or grouping method."""
    if not is_classified(spell):
        return "NOTCLASSIFIED"
    if spell.admission_method in OTHER_NON_ELECTIVE:
        return "NELNE"
    if spell.admission_method in EMERGENCY:
        row = pack.rows.get(spell.hrg or "")
        has_reduced_price = row is not None and row.short_stay is not None
        return "NELST" if has_reduced_price and is_short(stay, pack) else "NEL"
    if spell.patient_classification == REGULAR_DAY:
        return "RADAY"
    if spell.patient_classification == REGULAR_NIGHT:
        return "RANIGHT"
    return "DC" if setting_of(spell, stay) == "day_case" else "EL"


def is_short(stay: Stay, pack: ReferencePack) -> bool:
    """Whether the adjusted stay is within the days of the short-stay rule (RULES 1.4a)."""
    return pack.short_stay is not None and (stay.adjusted or 0) <= pack.short_stay.maximum_stay_days


# --- what keeps a line from a price, in the order in which the reasons go --------------------------------------------


def fault_of(spell: Spell) -> str | None:
    """The first reason why the row is impossible, unfinished or lacks what a price needs; None where it is sound.

    RULES 1.2.7 for unfinished spells, 1.1 for the code lists; the ranges are the engine's own."""
    faults = (
        (spell.read_fault or "", spell.read_fault is not None),
        ("missing_identifier", spell.spell_id is None),
        ("missing_organisation", spell.provider is None or spell.commissioner is None),
        ("missing_date", spell.admission_date is None),
        ("unfinished", spell.discharge_date is None),
        ("discharge_before_admission", is_backwards(spell)),
        ("missing_age", spell.age is None),
        ("age_out_of_range", spell.age is not None and not 0 <= spell.age <= OLDEST_AGE),
        ("days_out_of_range", days_out_of_range(spell)),
        ("admission_method", spell.admission_method not in ADMISSION_METHODS),
        ("patient_classification", spell.patient_classification not in PATIENT_CLASSIFICATIONS),
    )
    return next((reason for reason, holds in faults if holds), None)


def is_backwards(spell: Spell) -> bool:
    """Whether the discharge comes before the admission."""
    return spell.admission_date is not None and spell.discharge_date is not None and spell.discharge_date < spell.admission_date


def is_outside(activity_date: date | None, pack: ReferencePack) -> bool:
    """Whether the spell was completed outside the pack's dates: the discharge date chooses the year (RULES 1.1)."""
    return activity_date is not None and not pack.starts <= activity_date <= pack.ends


def is_not_nhs_funded(spell: Spell) -> bool:
    """Private patients: administrative category 02, or the commissioner code of private patients (RULES 1.1)."""
    return spell.administrative_category in PRIVATE_PATIENT or spell.commissioner == PRIVATE_COMMISSIONER


def exclusion_of(spell: Spell, pack: ReferencePack) -> str | None:
    """Why national prices do not cover the spell, so that only a local price can (RULES 1.1, 1.8 step 1; the pack)."""
    exclusions = (
        ("regular_attender", spell.patient_classification in {REGULAR_DAY, REGULAR_NIGHT}),
        ("outside_national_tariff", (spell.commissioning_serial_number or "").rstrip().endswith("=")),
        ("excluded_by_pack", is_listed(spell, pack)),
    )
    return next((reason for reason, holds in exclusions if holds), None)


def is_listed(spell: Spell, pack: ReferencePack) -> bool:
    """Whether the pack's own lists exclude the HRG or the treatment function (RULES 1.8 step 1)."""
    return spell.hrg in pack.excluded_hrgs or spell.treatment_function in pack.excluded_treatment_functions


# --- RULES 1.3: the price of the setting -----------------------------------------------------------------------------


def base_price(row: PriceRow, setting: str) -> tuple[int, Basis] | None:
    """The price of the setting in pence and where it came from; an elective price that is combined goes before the two
    separate ones (RULES 1.3). None where the row has no price there."""
    if setting == "non_elective":
        return None if row.non_elective is None else (row.non_elective, Basis.NON_ELECTIVE)
    if row.combined is not None:
        return row.combined, Basis.COMBINED
    if setting == "day_case":
        return None if row.day_case is None else (row.day_case, Basis.DAY_CASE)
    return None if row.ordinary_elective is None else (row.ordinary_elective, Basis.ORDINARY_ELECTIVE)


# --- RULES 1.4: short-stay emergency ---------------------------------------------------------------------------------


def short_stay_price(cells: Cells) -> int | None:
    """The reduced price of an HRG: the price printed, else the percentage of the non-elective price, half-up to the
    pound; none where the table does not say that a reduction applies (RULES 1.4)."""
    if (cells.get("short_stay_applies") or "").strip().lower() != "yes":
        return None
    printed = _cell(cells, "short_stay_price", pence)
    share = _cell(cells, "short_stay_percent", basis_points)
    non_elective = _cell(cells, "non_elective", pence)
    if printed is not None or share is None or non_elective is None:
        return printed
    return to_pounds(non_elective * Fraction(share, BASIS_POINTS))


def short_stay_reduction(spell: Spell, stay: Stay, row: PriceRow, base: int, pack: ReferencePack) -> tuple[int, Basis]:
    """What a short emergency stay takes off the price, zero or negative (RULES 1.4 a to e).

    Where the grouping method is blank its condition is not tested, and the reduction says so."""
    rule = pack.short_stay
    if rule is None or row.short_stay is None or spell.admission_method not in EMERGENCY or not is_short(stay, pack):
        return 0, NO_FLAGS
    if cast(int, spell.age) < rule.minimum_age:
        return 0, NO_FLAGS
    if spell.grouping_method is None:
        return row.short_stay - base, Basis.SHORT_STAY | Basis.GROUPING_METHOD_UNKNOWN
    if spell.grouping_method not in rule.grouping_methods:
        return 0, NO_FLAGS
    return row.short_stay - base, Basis.SHORT_STAY


# --- RULES 1.5: long stay --------------------------------------------------------------------------------------------


def trim_point(row: PriceRow, setting: str, pack: ReferencePack) -> int | None:
    """The trim point of the setting in days; a day case has none, nor has a pack without the rule (RULES 1.5)."""
    if not pack.pays_long_stay:
        return None
    return {"ordinary_elective": row.elective_trim, "non_elective": row.non_elective_trim}.get(setting)


def days_beyond(trim: int | None, stay: Stay, row: PriceRow) -> int:
    """Days of the adjusted stay beyond the trim point; none where the row has no trim point or per-day price (RULES 1.5)."""
    if trim is None or row.per_day_long_stay is None:
        return 0
    return max(0, cast(int, stay.adjusted) - trim)


# --- RULES 1.6: specialised top-up -----------------------------------------------------------------------------------


def top_up_of(spell: Spell, pack: ReferencePack) -> tuple[TopUp | None, Basis]:
    """The one top-up that the spell earns: the highest for which patient and provider are eligible, the first in the
    table where two are level (RULES 1.6). Codes that are unknown or not eligible are passed over, and flagged."""
    if pack.top_ups is None or spell.specialised_services is None:
        return None, NO_FLAGS
    best, flags = None, NO_FLAGS
    for code in filter(None, (part.strip() for part in spell.specialised_services.split(";"))):
        top_up = pack.top_ups.get(code)
        if top_up is None:
            flags |= Basis.TOP_UP_UNKNOWN
        elif not is_eligible(spell, top_up):
            flags |= Basis.TOP_UP_NOT_ELIGIBLE
        elif best is None or (top_up.share, -top_up.number) > (best.share, -best.number):
            best = top_up
    return best, flags if best is None else flags | Basis.TOP_UP


def is_eligible(spell: Spell, top_up: TopUp) -> bool:
    """Whether the patient's age is within the top-up's bounds, both included, and the provider is on its list, by whole
    code or by trust; with no list every provider is (RULES 1.6)."""
    age, provider = cast(int, spell.age), cast(str, spell.provider)
    if top_up.minimum_age is not None and age < top_up.minimum_age:
        return False
    if top_up.maximum_age is not None and age > top_up.maximum_age:
        return False
    return top_up.providers is None or bool({provider, provider[:TRUST_CODE_LENGTH]} & top_up.providers)


# --- RULES 1.7: market forces factor ---------------------------------------------------------------------------------


def market_forces_factor(provider: str, pack: ReferencePack) -> tuple[int, Basis] | None:
    """The provider's factor in millionths: its own, else its trust's (first three characters), else the pack's default;
    1 for everyone where the pack applies none (RULES 1.7). None where there is nothing to apply."""
    if pack.factors is None:
        return MILLION, NO_FLAGS
    if provider in pack.factors:
        return pack.factors[provider], Basis.MARKET_FORCES
    if provider[:TRUST_CODE_LENGTH] in pack.factors:
        return pack.factors[provider[:TRUST_CODE_LENGTH]], Basis.MARKET_FORCES | Basis.MARKET_FORCES_OF_TRUST
    return None if pack.default_factor is None else (pack.default_factor, Basis.MARKET_FORCES_DEFAULT)


# --- RULES 1.8: order and rounding -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Amounts:
    """The components of a price and the price, in pence; the first five add to the last."""

    base: int
    short_stay: int = 0
    long_stay: int = 0
    top_up: int = 0
    market_forces: int = 0

    @property
    def price(self) -> int:
        """What the components add to."""
        return self.base + self.short_stay + self.long_stay + self.top_up + self.market_forces

    def are_in_range(self) -> bool:
        """Whether every component, and the price, is within the bound of amounts."""
        return all(
            is_in_range(amount)
            for amount in (self.base, self.short_stay, self.long_stay, self.top_up, self.market_forces, self.price)
        )


def is_in_range(amount: int) -> bool:
    """Whether an amount is within the bound that money.AMOUNT_LIMIT_PENCE states, either way."""
    return abs(amount) <= AMOUNT_LIMIT_PENCE


def to_pence(amount: Exact) -> int:
    """An exact amount in pence, half-up to the penny."""
    return half_up(amount.numerator, amount.denominator)


def to_pounds(amount: Exact) -> int:
    """An exact amount in pence, half-up to the pound, still in pence."""
    return half_up(amount.numerator, amount.denominator * PENCE_PER_POUND) * PENCE_PER_POUND


def penny_once(base: int, short_stay: int, long_stay: int, top_up: Exact, factor: int) -> Amounts:
    """One rounding, half-up to the penny, of the exact price; the market forces amount balances it, or the top-up where
    the factor is 1 (RULES 1.8, rounding)."""
    exact = base + short_stay + long_stay + top_up
    if factor == MILLION:
        return Amounts(base, short_stay, long_stay, to_pence(exact) - base - short_stay - long_stay, 0)
    price = to_pence(exact * Fraction(factor, MILLION))
    shown = to_pence(top_up)
    return Amounts(base, short_stay, long_stay, shown, price - base - short_stay - long_stay - shown)


def whole_pounds(base: int, short_stay: int, long_stay: int, top_up: Exact, factor: int) -> Amounts:
    """Each component half-up to the pound, then the market forces amount half-up to the pound, as SUS did (RULES 1.8,
    rounding; FORMATS 4)."""
    parts = to_pounds(base), to_pounds(short_stay), to_pounds(long_stay), to_pounds(top_up)
    return Amounts(*parts, to_pounds(sum(parts) * Fraction(factor - MILLION, MILLION)))


def rounded(pack: ReferencePack, base: int, short_stay: int, long_stay: int, top_up: Exact, factor: int) -> Amounts:
    """The components by the pack's method of rounding. `top_up` may be a fraction of a penny; `factor` in millionths."""
    method = whole_pounds if pack.whole_pounds else penny_once
    return method(base, short_stay, long_stay, top_up, factor)


# --- the whole line --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Price:
    """A priced line: its amounts, the flags of the rules that acted, and the table rows they used (0 = none)."""

    amounts: Amounts
    flags: Basis
    factor: int = MILLION
    trim: int | None = None
    excess_days: int = 0
    price_row: int = 0
    top_up_row: int = 0


def national_price(spell: Spell, stay: Stay, row: PriceRow, pack: ReferencePack) -> Price | str:
    """The national price of a sound, covered spell in the order of RULES 1.8, or the reason why it has none."""
    setting = setting_of(spell, stay)
    based = base_price(row, setting)
    if based is None:
        return "no_price_in_setting"
    found = market_forces_factor(cast(str, spell.provider), pack)
    if found is None:
        return "no_market_forces_factor"
    base, base_flag = based
    factor, factor_flag = found
    reduction, reduction_flag = short_stay_reduction(spell, stay, row, base, pack)
    top_up, top_up_flag = top_up_of(spell, pack)
    trim = trim_point(row, setting, pack)
    excess_days = days_beyond(trim, stay, row)
    long_stay = excess_days * (row.per_day_long_stay or 0)

    share: Exact = 0 if top_up is None else top_up.share
    topped_up = share * (base + reduction)
    flags = base_flag | factor_flag | reduction_flag | top_up_flag | stay.flags
    if excess_days:
        flags |= Basis.LONG_STAY
    if top_up is not None and long_stay and pack.top_up_includes_long_stay:
        topped_up += share * long_stay
        flags |= Basis.TOP_UP_ON_LONG_STAY
    if spell.local_price is not None:
        flags |= Basis.LOCAL_PRICE_IGNORED
    return Price(
        amounts=rounded(pack, base, reduction, long_stay, topped_up, factor),
        flags=flags,
        factor=factor,
        trim=trim,
        excess_days=excess_days,
        price_row=row.number,
        top_up_row=0 if top_up is None else top_up.number,
    )


def local_price(spell: Spell, stay: Stay) -> Price | None:
    """The agreed local price, paid as given without market forces factor (DESIGN, settled cases); None where none is given."""
    if spell.local_price is None:
        return None
    return Price(amounts=Amounts(spell.local_price), flags=Basis.LOCAL_PRICE | stay.flags)


def decide(spell: Spell, stay: Stay, pack: ReferencePack, dates: Dates) -> Price | str:
    """The price of a spell, or the one reason why it has none: the first that applies."""
    if (fault := fault_of(spell)) is not None:
        return fault
    outside = is_outside(spell.discharge_date, pack)
    if outside and dates == "strict":
        return "outside_pack_dates"
    if is_not_nhs_funded(spell):
        return "not_nhs_funded"
    price = price_where_covered(spell, stay, pack)
    if isinstance(price, str):
        return price
    if not price.amounts.are_in_range():
        return "amount_out_of_range"
    return replace(price, flags=price.flags | Basis.DATES_IGNORED) if outside else price


def price_where_covered(spell: Spell, stay: Stay, pack: ReferencePack) -> Price | str:
    """The national price where national prices cover the spell; else its local price; else the reason (RULES 1.8 steps 1, 2)."""
    local = local_price(spell, stay)
    if (exclusion := exclusion_of(spell, pack)) is not None:
        return local or exclusion
    if spell.hrg is None:
        return "missing_currency"
    if spell.hrg.startswith(UNGROUPED_ROOT):
        return "ungrouped"
    row = pack.rows.get(spell.hrg)
    if row is None:
        return local or "unknown_currency"
    price = national_price(spell, stay, row, pack)
    return local or price if price == "no_price_in_setting" else price


def indicative_price(spell: Spell, stay: Stay, pack: ReferencePack) -> int | None:
    """What a line that is not priced would be worth at the best price known, in pence, so that nothing lost is without a
    size: its local price, else its HRG's price in its own setting, else in the first setting that has one, with the
    provider's factor. None where nothing is known; an amount beyond the bound is no price."""
    row = pack.rows.get(spell.hrg or "")
    known = None if row is None else best_price_known(row, setting_of(spell, stay))
    factor, _ = market_forces_factor(spell.provider or "", pack) or (MILLION, NO_FLAGS)
    national = None if known is None else rounded(pack, known, 0, 0, 0, factor).price
    return next((price for price in (spell.local_price, national) if price is not None and is_in_range(price)), None)


def best_price_known(row: PriceRow, setting: str) -> int | None:
    """The row's price in the setting, else in ordinary elective, day case, non-elective, in that order. A regular attender
    looks at the day case first; a line that is not classified has no setting of its own."""
    own = {"not_classified": "ordinary_elective", "regular_day": "day_case", "regular_night": "day_case"}.get(setting, setting)
    prices = (base_price(row, choice) for choice in (own, "ordinary_elective", "day_case", "non_elective"))
    return next((price for price, _ in filter(None, prices)), None)


def financial_year(day: date) -> tuple[str, int]:
    """The financial year such as `2017-18`, and the month of it, 1 = April."""
    starts = day.year if day.month >= 4 else day.year - 1
    return f"{starts}-{(starts + 1) % 100:02}", (day.month - 4) % 12 + 1


def price_admitted(line: Mapping[str, object], pack: ReferencePack, *, dates: Dates = "strict") -> dict[str, object]:
    """One row of canonical admitted activity priced: every column of a priced line (columns.PRICED_LINE), in its order, with
    text where the column is an enum.

    `line` maps canonical column names (columns.ADMITTED, and `read_fault`) to text, dates, whole days and pence. Never raises
    for what a row holds: an impossible row gets its reason."""
    spell = Spell.of(line)
    stay = stay_of(spell)
    decision = decide(spell, stay, pack, dates)
    reason = decision if isinstance(decision, str) else PRICED
    price = Price(Amounts(0), NO_FLAGS) if isinstance(decision, str) else decision
    year, month = (None, None) if spell.discharge_date is None else financial_year(spell.discharge_date)
    amounts = price.amounts
    return {
        "line_id": line.get("spell_id"),
        "parent_line_id": None,
        "kind": "admitted",
        "commissioner": line.get("commissioner"),
        "provider": line.get("provider"),
        "gp_practice": line.get("gp_practice"),
        "patient_id": line.get("patient_id"),
        "activity_date": spell.discharge_date,
        "financial_year": year,
        "month": month,
        "pod": point_of_delivery(spell, stay, pack),
        "setting": setting_of(spell, stay),
        "currency": line.get("hrg"),
        "treatment_function": line.get("treatment_function"),
        "units": 1,
        "adjusted_length_of_stay": stay.published,
        "trim_point": price.trim,
        "excess_days": price.excess_days,
        "base_pence": amounts.base,
        "short_stay_pence": amounts.short_stay,
        "long_stay_pence": amounts.long_stay,
        "top_up_pence": amounts.top_up,
        "mff_pence": amounts.market_forces,
        "price_pence": amounts.price,
        "mff_millionths": price.factor,
        "best_practice_pence": 0,
        "best_practice_at_stake_pence": 0,
        "basis": int(price.flags),
        "outcome": OUTCOMES[OUTCOME_OF_REASON[REASON_NUMBER[reason]]],
        "reason": reason,
        "indicative_pence": None if reason == PRICED else indicative_price(spell, stay, pack),
        "price_row": price.price_row,
        "top_up_row": price.top_up_row,
        "best_practice_row": 0,
        "pathway_id": None,
        "pack": pack.label,
    }
