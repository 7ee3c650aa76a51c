"""Admitted care priced slowly, one spell at a time: RULES 1.1 to 1.8. The functions stand in the order of RULES 1.8, and
`price_admitted` at the end calls them in that order."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple, cast

from tariff.money import AMOUNT_LIMIT_PENCE, MILLION
from tariff.reasons import Basis
from tariff.reference.amounts import Amounts, Exact
from tariff.reference.best_practice import (
    Candidate,
    Effect,
    Facts,
    candidates_of,
    effect_of,
    is_met,
    named_tariffs,
    standing_flags,
    standing_of,
)
from tariff.reference.pack import PriceRow, ReferencePack, TopUp
from tariff.reference.priced import (
    NO_FLAGS,
    OLDEST_AGE,
    TRUST_CODE_LENGTH,
    Dates,
    Line,
    Placed,
    Price,
    Row,
    best_in_range,
    code,
    day,
    market_forces_factor,
    priced_line,
    rounded,
    settle,
    text,
    whole,
)

ELECTIVE: Final = frozenset({"11", "12", "13"})
EMERGENCY: Final = frozenset({"21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"})
OTHER_NON_ELECTIVE: Final = frozenset({"31", "32", "81", "82", "83"})
ADMISSION_METHODS: Final = ELECTIVE | EMERGENCY | OTHER_NON_ELECTIVE
"""The three lists of admission methods (RULES 1.1)."""

ORDINARY, DAY_CASE, REGULAR_DAY, REGULAR_NIGHT, MOTHER_AND_BABY = "1", "2", "3", "4", "5"
PATIENT_CLASSIFICATIONS: Final = frozenset({ORDINARY, DAY_CASE, REGULAR_DAY, REGULAR_NIGHT, MOTHER_AND_BABY})
"""Patient classifications (RULES 1.1); 5 is treated as 1."""

LONGEST_STAY_DAYS: Final = 200_000

BASE_FLAG: Final = {
    "day_case": Basis.DAY_CASE,
    "ordinary_elective": Basis.ORDINARY_ELECTIVE,
    "non_elective": Basis.NON_ELECTIVE,
}
"""The flag of a best-practice price in a setting that has no price of its own."""


# --- the line, as the reference reads it -----------------------------------------------------------------------------


class Spell(NamedTuple):
    """The cells of one canonical admitted row that decide its price; None = blank. The day of the line is the discharge."""

    line: Line
    admission_date: date | None
    admission_method: str | None
    patient_classification: str | None
    specialised_services: str | None
    best_practice: str | None
    grouping_method: str | None
    length_of_stay: int | None
    days_away: tuple[int | None, ...]
    """Critical care, rehabilitation, specialist palliative and delayed-discharge days."""
    adjusted_length_of_stay: int | None

    @classmethod
    def of(cls, row: Row) -> Spell:
        """The spell of a row (columns.ADMITTED); columns that are not there are blank."""
        return cls(
            line=Line.of(row, key="spell_id", activity_date="discharge_date", currency="hrg"),
            admission_date=day(row, "admission_date"),
            admission_method=code(row, "admission_method"),
            patient_classification=code(row, "patient_classification"),
            specialised_services=text(row, "specialised_services"),
            best_practice=text(row, "best_practice"),
            grouping_method=code(row, "grouping_method"),
            length_of_stay=whole(row, "length_of_stay"),
            days_away=(
                whole(row, "critical_care_days"),
                whole(row, "rehabilitation_days"),
                whole(row, "palliative_care_days"),
                whole(row, "delayed_discharge_days"),
            ),
            adjusted_length_of_stay=whole(row, "adjusted_length_of_stay"),
        )

    @property
    def discharge_date(self) -> date | None:
        """The day on which the spell was completed; None = unfinished."""
        return self.line.activity_date


# --- RULES 1.1 and 1.2: what kind of stay it was ---------------------------------------------------------------------


class Stay(NamedTuple):
    """Length of stay in days: gross and adjusted (net), None where the dates do not give one. The counts are as given: a line
    that holds an impossible one is rejected, and `published` never shows it."""

    gross: int | None
    adjusted: int | None
    flags: Basis
    published: int | None
    """The adjusted stay for the priced line: None where any count of days, of the spell or of an episode, is out of range."""


def stay_of(spell: Spell) -> Stay:
    """The length of stay, net of the days that are paid otherwise (RULES 1.2.4, 1.5).

    A gross stay that is given goes before the dates; an adjusted stay that is given wins, and nothing is taken from it."""
    gross = spell.length_of_stay if spell.length_of_stay is not None else nights_between(spell)
    away = sum(days or 0 for days in spell.days_away)
    adjusted, flags = spell.adjusted_length_of_stay, Basis.STAY_GIVEN
    if adjusted is None:
        adjusted, flags = None if gross is None else max(0, gross - away), Basis.STAY_NETTED if away else NO_FLAGS
    is_impossible = spell.line.read_fault == "days_out_of_range" or days_out_of_range(spell)
    return Stay(gross, adjusted, flags, None if is_impossible else adjusted)


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
        row = pack.rows.get(spell.line.currency or "")
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
        (spell.line.read_fault or "", spell.line.read_fault is not None),
        ("missing_identifier", spell.line.identifier is None),
        ("missing_organisation", spell.line.provider is None or spell.line.commissioner is None),
        ("missing_date", spell.admission_date is None),
        ("unfinished", spell.discharge_date is None),
        ("discharge_before_admission", is_backwards(spell)),
        ("missing_age", spell.line.age is None),
        ("age_out_of_range", spell.line.age is not None and not 0 <= spell.line.age <= OLDEST_AGE),
        ("days_out_of_range", days_out_of_range(spell)),
        ("admission_method", spell.admission_method not in ADMISSION_METHODS),
        ("patient_classification", spell.patient_classification not in PATIENT_CLASSIFICATIONS),
    )
    return next((reason for reason, holds in faults if holds), None)


def is_backwards(spell: Spell) -> bool:
    """Whether the discharge comes before the admission."""
    return spell.admission_date is not None and spell.discharge_date is not None and spell.discharge_date < spell.admission_date


def exclusion_of(spell: Spell, pack: ReferencePack) -> str | None:
    """Why national prices do not cover the spell, so that only a local price can (RULES 1.1, 1.8 step 1; the pack)."""
    if spell.patient_classification in {REGULAR_DAY, REGULAR_NIGHT}:
        return "regular_attender"
    return spell.line.exclusion(pack)


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


def short_stay_reduction(spell: Spell, stay: Stay, row: PriceRow, base: int, pack: ReferencePack) -> tuple[int, Basis]:
    """What a short emergency stay takes off the price, zero or negative (RULES 1.4 a to e).

    Where the grouping method is blank its condition is not tested, and the reduction says so."""
    rule = pack.short_stay
    if rule is None or row.short_stay is None or spell.admission_method not in EMERGENCY or not is_short(stay, pack):
        return 0, NO_FLAGS
    if cast(int, spell.line.age) < rule.minimum_age:
        return 0, NO_FLAGS
    if spell.grouping_method is None:
        return min(0, row.short_stay - base), Basis.SHORT_STAY | Basis.GROUPING_METHOD_UNKNOWN
    if spell.grouping_method not in rule.grouping_methods:
        return 0, NO_FLAGS
    return min(0, row.short_stay - base), Basis.SHORT_STAY


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
    table where two are level (RULES 1.6). Case has no meaning in their codes.
    Those that are unknown or not eligible are passed over, and flagged."""
    if pack.top_ups is None or spell.specialised_services is None:
        return None, NO_FLAGS
    best, flags = None, NO_FLAGS
    for service in filter(None, (part.strip() for part in spell.specialised_services.split(";"))):
        top_up = pack.top_ups.get(service.upper())
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
    age, provider = cast(int, spell.line.age), cast(str, spell.line.provider)
    if top_up.minimum_age is not None and age < top_up.minimum_age:
        return False
    if top_up.maximum_age is not None and age > top_up.maximum_age:
        return False
    return top_up.providers is None or bool({provider, provider[:TRUST_CODE_LENGTH]} & top_up.providers)


# --- the whole line --------------------------------------------------------------------------------------------------


def best_practice_facts(spell: Spell, stay: Stay, named: frozenset[str]) -> Facts:
    """What decides which best-practice tariffs cover the spell."""
    return Facts(
        kind="admitted",
        provider=cast(str, spell.line.provider),
        line_id=cast(str, spell.line.identifier).strip(),
        day=spell.discharge_date,
        currency=spell.line.currency,
        treatment_function=spell.line.treatment_function,
        named=named,
        setting=setting_of(spell, stay),
        is_emergency=spell.admission_method in EMERGENCY,
        stay=cast(int, stay.adjusted),
        age=spell.line.age,
        attendance=None,
    )


def best_practice_candidates(spell: Spell, stay: Stay, pack: ReferencePack) -> tuple[list[Candidate], Basis]:
    """The tariffs that cover the spell, and a flag where it names one that the pack has not."""
    if pack.best_practice is None:
        return [], NO_FLAGS
    named, flag = named_tariffs(spell.best_practice, pack.best_practice)
    return candidates_of(best_practice_facts(spell, stay, named), pack.best_practice), flag


def national_price(spell: Spell, stay: Stay, row: PriceRow, pack: ReferencePack) -> Price | str:
    """The national price of a sound, covered spell, with what evidence shows of best practice (RULES 3), or the reason why it
    has none."""
    candidates, flag = best_practice_candidates(spell, stay, pack)
    if pack.best_practice is None:
        return price_with(spell, stay, row, pack, Effect(None))
    price = price_with(spell, stay, row, pack, effect_of(candidates, is_met, pack.best_practice))
    if isinstance(price, str):
        return price

    def worth(effect: Effect) -> int:
        other = price_with(spell, stay, row, pack, effect)
        if isinstance(other, str):
            return 0
        return other.amounts.price if other.amounts.are_in_range() else AMOUNT_LIMIT_PENCE

    standing = standing_of(candidates, price.amounts.price, worth, pack.best_practice)
    flags = price.flags | flag | standing_flags(candidates, pack.best_practice)
    return price._replace(flags=flags, standing=standing)


def price_with(spell: Spell, stay: Stay, row: PriceRow, pack: ReferencePack, effect: Effect) -> Price | str:
    """The national price in the order of RULES 1.8, where best practice does as `effect` says: its price stands in place of the
    setting's, its addition lies in the base, and no top-up is paid on the addition."""
    setting = setting_of(spell, stay)
    based = base_price(row, setting)
    if based is None:
        if effect.price is None:
            return "no_price_in_setting"
        based = effect.price, BASE_FLAG[setting]
    found = market_forces_factor(cast(str, spell.line.provider), pack)
    if found is None:
        return "no_market_forces_factor"
    base, base_flag = based
    if effect.price is not None:
        base = effect.price
    factor, factor_flag = found
    reduction, reduction_flag = 0, NO_FLAGS
    if not effect.replaces_short_stay:
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
    if spell.line.local_price is not None:
        flags |= Basis.LOCAL_PRICE_IGNORED
    return Price(
        amounts=rounded(pack, base + effect.addition, reduction, long_stay, topped_up, factor),
        flags=flags,
        factor=factor,
        trim=trim,
        excess_days=excess_days,
        price_row=row.number,
        top_up_row=0 if top_up is None else top_up.number,
    )


def local_price(spell: Spell, stay: Stay) -> Price | None:
    """The agreed local price, paid as given without market forces factor (DESIGN, settled cases); None where none is given."""
    if spell.line.local_price is None:
        return None
    return Price(amounts=Amounts(spell.line.local_price), flags=Basis.LOCAL_PRICE | stay.flags)


def price_where_covered(spell: Spell, stay: Stay, pack: ReferencePack) -> Price | str:
    """The national price where national prices cover the spell; else its local price; else the reason (RULES 1.8 steps 1, 2)."""
    local = local_price(spell, stay)
    if (exclusion := exclusion_of(spell, pack)) is not None:
        return local or exclusion
    if spell.line.currency is None:
        return "missing_currency"
    if spell.line.is_ungrouped:
        return "ungrouped"
    row = pack.rows.get(spell.line.currency)
    if row is None:
        return local or "unknown_currency"
    price = national_price(spell, stay, row, pack)
    return local or price if price == "no_price_in_setting" else price


def indicative_price(spell: Spell, stay: Stay, pack: ReferencePack) -> int | None:
    """What a line that is not priced would be worth at the best price known, in pence, so that nothing lost is without a
    size: its local price, else its HRG's price in its own setting, else in the first setting that has one, with the
    provider's factor. None where nothing is known; an amount beyond the bound is no price."""
    row = pack.rows.get(spell.line.currency or "")
    known = None if row is None else best_price_known(row, setting_of(spell, stay))
    factor, _ = market_forces_factor(spell.line.provider or "", pack) or (MILLION, NO_FLAGS)
    national = None if known is None else rounded(pack, known, 0, 0, 0, factor).price
    return best_in_range(spell.line.local_price, national)


def best_price_known(row: PriceRow, setting: str) -> int | None:
    """The row's price in the setting, else in ordinary elective, day case, non-elective, in that order. A regular attender
    looks at the day case first; a line that is not classified has no setting of its own."""
    own = {"not_classified": "ordinary_elective", "regular_day": "day_case", "regular_night": "day_case"}.get(setting, setting)
    prices = (base_price(row, choice) for choice in (own, "ordinary_elective", "day_case", "non_elective"))
    return next((price for price, _ in filter(None, prices)), None)


def price_admitted(row: Row, pack: ReferencePack, *, dates: Dates = "strict") -> dict[str, object]:
    """One row of canonical admitted activity (columns.ADMITTED, and `read_fault`) priced: every column of a priced line, in its
    order. Never raises for what a row holds: an impossible row gets its reason."""
    spell = Spell.of(row)
    stay = stay_of(spell)
    decision = settle(
        fault_of(spell),
        spell.discharge_date,
        spell.line.is_nhs_funded,
        pack,
        dates,
        lambda: price_where_covered(spell, stay, pack),
    )
    placed = Placed(
        kind="admitted",
        line_id=row.get("spell_id"),
        parent_line_id=None,
        activity_date=spell.discharge_date,
        pod=point_of_delivery(spell, stay, pack),
        setting=setting_of(spell, stay),
        currency=row.get("hrg"),
        adjusted_length_of_stay=stay.published,
    )
    return priced_line(row, placed, decision, pack, lambda: indicative_price(spell, stay, pack))
