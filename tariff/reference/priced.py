"""What every kind of activity shares: cells, the provider's factor, local prices, the order of the first reasons, and the
priced line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, Literal, NamedTuple, cast

from tariff.money import AMOUNT_LIMIT_PENCE, MILLION
from tariff.reasons import OUTCOME_OF_REASON, OUTCOMES, PRICED, REASON_CODES, Basis
from tariff.reference.amounts import Amounts, Exact, is_in_range, penny_once, whole_pounds
from tariff.reference.best_practice import (
    NO_STANDING,
    Effect,
    Facts,
    Standing,
    candidates_of,
    effect_of,
    is_met,
    named_tariffs,
    standing_flags,
    standing_of,
)
from tariff.reference.pack import ReferencePack

Dates = Literal["strict", "ignore"]
"""Whether activity completed outside the pack's dates is unpriced (`strict`) or priced and flagged (`ignore`)."""

Row = Mapping[str, object]
"""A row of canonical activity: text, dates, whole numbers and pence by column name."""

NO_FLAGS: Final = Basis(0)

PRIVATE_PATIENT: Final = frozenset({"02", "2"})
PRIVATE_COMMISSIONER: Final = "VPP00"
UNGROUPED_ROOT: Final = "UZ"
OLDEST_AGE: Final = 130
TRUST_CODE_LENGTH: Final = 3
OUTCOME_OF: Final = {reason: OUTCOMES[outcome] for reason, outcome in zip(REASON_CODES, OUTCOME_OF_REASON, strict=True)}


# --- cells -----------------------------------------------------------------------------------------------------------


def text(row: Row, name: str) -> str | None:
    """A cell of text as it stands; None where it is blank."""
    value = cast(str | None, row.get(name))
    return value if value and not value.isspace() else None


def code(row: Row, name: str) -> str | None:
    """A code without surrounding blanks, in capitals; None where it is blank."""
    value = cast(str | None, row.get(name))
    return (value.strip().upper() or None) if value else None


def digit(row: Row, name: str) -> str | None:
    """A code of one digit, however many zeros lead it: `01` is `1`."""
    value = code(row, name)
    return (value.lstrip("0") or "0") if value else None


def whole(row: Row, name: str) -> int | None:
    """A whole number, or an amount in pence."""
    return cast(int | None, row.get(name))


def day(row: Row, name: str) -> date | None:
    """A date."""
    return cast(date | None, row.get(name))


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


def rounded(pack: ReferencePack, base: int, short_stay: int, long_stay: int, top_up: Exact, factor: int) -> Amounts:
    """The components by the pack's method of rounding. `top_up` may be a fraction of a penny; `factor` in millionths."""
    method = whole_pounds if pack.whole_pounds else penny_once
    return method(base, short_stay, long_stay, top_up, factor)


# --- prices ----------------------------------------------------------------------------------------------------------


class Price(NamedTuple):
    """A priced line: its amounts, the flags of the rules that acted, and the table rows they used (0 = none)."""

    amounts: Amounts
    flags: Basis
    factor: int = MILLION
    trim: int | None = None
    excess_days: int = 0
    price_row: int = 0
    top_up_row: int = 0
    standing: Standing = NO_STANDING


NOTHING: Final = Price(Amounts(0), NO_FLAGS)


def is_outside(activity_date: date | None, pack: ReferencePack) -> bool:
    """Whether the activity was completed outside the pack's dates: its date chooses the year (RULES 1.1)."""
    return activity_date is not None and not pack.starts <= activity_date <= pack.ends


def settle(
    fault: str | None,
    activity_date: date | None,
    is_nhs_funded: bool,
    pack: ReferencePack,
    dates: Dates,
    price_where_covered: Callable[[], Price | str],
) -> Price | str:
    """The price of a line, or the one reason why it has none, the first that applies: a fault of the row, dates outside the
    pack, no NHS commissioner, whatever `price_where_covered` finds, an amount beyond the bound."""
    if fault is not None:
        return fault
    outside = is_outside(activity_date, pack)
    if outside and dates == "strict":
        return "outside_pack_dates"
    if not is_nhs_funded:
        return "not_nhs_funded"
    price = price_where_covered()
    if isinstance(price, str):
        return price
    if not price.amounts.are_in_range():
        return "amount_out_of_range"
    return price._replace(flags=price.flags | Basis.DATES_IGNORED) if outside else price


# --- the line --------------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """The cells that lines of every kind share; codes without surrounding blanks and in capitals, None = blank. Money in
    pence."""

    read_fault: str | None
    identifier: str | None
    provider: str | None
    commissioner: str | None
    activity_date: date | None
    age: int | None
    currency: str | None
    treatment_function: str | None
    administrative_category: str | None
    commissioning_serial_number: str | None
    local_price: int | None

    @classmethod
    def of(cls, row: Row, *, key: str, activity_date: str, currency: str) -> Line:
        """The line of a canonical row, in which these three columns have a name of the kind's own."""
        return cls(
            read_fault=text(row, "read_fault"),
            identifier=text(row, key),
            provider=code(row, "provider"),
            commissioner=code(row, "commissioner"),
            activity_date=day(row, activity_date),
            age=whole(row, "age"),
            currency=code(row, currency),
            treatment_function=code(row, "treatment_function"),
            administrative_category=code(row, "administrative_category"),
            commissioning_serial_number=code(row, "commissioning_serial_number"),
            local_price=whole(row, "local_price"),
        )

    def fault(self) -> str | None:
        """The first reason why a row of outpatient, emergency or unbundled care is unreadable, impossible or lacks what a price
        needs; its age may be blank."""
        if self.read_fault is not None:
            return self.read_fault
        if self.identifier is None:
            return "missing_identifier"
        if self.provider is None or self.commissioner is None:
            return "missing_organisation"
        if self.activity_date is None:
            return "missing_date"
        return "age_out_of_range" if self.age is not None and not 0 <= self.age <= OLDEST_AGE else None

    @property
    def is_nhs_funded(self) -> bool:
        """Not a private patient: administrative category 02, or the commissioner code of private patients (RULES 1.1)."""
        return self.administrative_category not in PRIVATE_PATIENT and self.commissioner != PRIVATE_COMMISSIONER

    @property
    def is_outside_national_tariff(self) -> bool:
        """Whether the serial number says that a local agreement covers the line (RULES 1.1)."""
        return (self.commissioning_serial_number or "").endswith("=")

    def is_listed(self, pack: ReferencePack) -> bool:
        """Whether the pack's own lists exclude the currency or the treatment function (RULES 1.8 step 1)."""
        return self.currency in pack.excluded_hrgs or self.treatment_function in pack.excluded_treatment_functions

    def exclusion(self, pack: ReferencePack) -> str | None:
        """Why national prices do not cover the line, so that only a local price can; None where they may."""
        if self.is_outside_national_tariff:
            return "outside_national_tariff"
        return "excluded_by_pack" if self.is_listed(pack) else None

    @property
    def is_ungrouped(self) -> bool:
        """Whether the data were invalid for grouping (RULES 1.1)."""
        return self.currency is not None and self.currency.startswith(UNGROUPED_ROOT)


# --- outpatients, emergency care, unbundled care: one price and a factor ---------------------------------------------


class Charge(NamedTuple):
    """A national price found for a line, before market forces: pence, where it came from, the table row (0 = none), and
    whether a factor applies; it does not where the table says that the price holds local market forces already."""

    base: int
    flags: Basis
    price_row: int
    mff: bool = True


def national_price(line: Line, charge: Charge, pack: ReferencePack) -> Price | str:
    """A charge with the provider's market forces factor (RULES 1.7, 1.8), or the reason why it has none. A local price beside
    it is not used, and flagged."""
    found = market_forces_factor(line.provider or "", pack) if charge.mff else (MILLION, Basis.MARKET_FORCES_INCLUDED)
    if found is None:
        return "no_market_forces_factor"
    factor, factor_flag = found
    flags = charge.flags | factor_flag
    if line.local_price is not None:
        flags |= Basis.LOCAL_PRICE_IGNORED
    return Price(rounded(pack, charge.base, 0, 0, 0, factor), flags, factor, price_row=charge.price_row)


class Covered(NamedTuple):
    """A line of outpatient or unbundled care as best practice sees it: what decides which tariffs cover it, the tariffs it
    names, its units, and what its charge is but for the amount where there is no ordinary one."""

    facts: Facts
    named: str | None
    units: int
    bare: Charge


def price_with_best_practice(line: Line, charge: Charge | None, covered: Covered, pack: ReferencePack) -> Price | str | None:
    """The charge as best practice changes it (RULES 3.1), with the provider's factor; None where there is no price at all."""
    book = pack.best_practice
    if book is None:
        return None if charge is None else national_price(line, charge, pack)
    names, flag = named_tariffs(covered.named, book)
    candidates = candidates_of(covered.facts._replace(named=names), book)

    def charged(effect: Effect) -> Charge | None:
        if charge is None and effect.price is None:
            return None
        plain = covered.bare if charge is None else charge
        base = plain.base if effect.price is None else effect.price * covered.units
        return plain._replace(base=base + effect.addition * covered.units)

    def worth(effect: Effect) -> int:
        other = charged(effect)
        price = None if other is None else national_price(line, other, pack)
        if price is None or isinstance(price, str):
            return 0
        return price.amounts.price if price.amounts.are_in_range() else AMOUNT_LIMIT_PENCE

    paid = charged(effect_of(candidates, is_met, book))
    price = None if paid is None else national_price(line, paid, pack)
    if price is None or isinstance(price, str):
        return price
    flags = price.flags | flag | standing_flags(candidates, book)
    return price._replace(flags=flags, standing=standing_of(candidates, price.amounts.price, worth, book))


def local_price_or(reason: str, line: Line) -> Price | str:
    """The agreed local price of a line that national prices do not cover, paid as given without market forces factor
    (DESIGN, settled cases); the reason where none is given."""
    return reason if line.local_price is None else Price(Amounts(line.local_price), Basis.LOCAL_PRICE)


def indicative_price(line: Line, charge: Charge | None, pack: ReferencePack) -> int | None:
    """What a line that is not priced would be worth, in pence, so that nothing lost is without a size: its local price, else
    `charge` with the provider's factor, 1 where it has none. An amount beyond the bound is no price."""
    national = None
    if charge is not None:
        factor, _ = (market_forces_factor(line.provider or "", pack) if charge.mff else None) or (MILLION, NO_FLAGS)
        national = rounded(pack, charge.base, 0, 0, 0, factor).price
    return best_in_range(line.local_price, national)


def best_in_range(*amounts: int | None) -> int | None:
    """The first amount that is given and within the bound."""
    return next((amount for amount in amounts if amount is not None and is_in_range(amount)), None)


# --- the priced line -------------------------------------------------------------------------------------------------


def financial_year(activity_date: date) -> tuple[str, int]:
    """The financial year such as `2017-18`, and the month of it, 1 = April."""
    starts = activity_date.year if activity_date.month >= 4 else activity_date.year - 1
    return f"{starts}-{(starts + 1) % 100:02}", (activity_date.month - 4) % 12 + 1


class Placed(NamedTuple):
    """Where a line belongs, whatever its outcome: what it is, when it was, how it is classified and counted."""

    kind: str
    line_id: object
    parent_line_id: object
    activity_date: date | None
    pod: str
    setting: str
    currency: object
    units: int = 1
    adjusted_length_of_stay: int | None = None


def priced_line(
    row: Row, placed: Placed, decision: Price | str, pack: ReferencePack, indicative: Callable[[], int | None]
) -> dict[str, object]:
    """Every column of a priced line (columns.PRICED_LINE), in its order, with text where the column is an enum. `indicative`
    is asked for a line that is not priced."""
    reason, price = (decision, NOTHING) if isinstance(decision, str) else (PRICED, decision)
    year, month = (None, None) if placed.activity_date is None else financial_year(placed.activity_date)
    amounts = price.amounts
    return {
        "line_id": placed.line_id,
        "parent_line_id": placed.parent_line_id,
        "kind": placed.kind,
        "commissioner": row.get("commissioner"),
        "provider": row.get("provider"),
        "gp_practice": row.get("gp_practice"),
        "patient_id": row.get("patient_id"),
        "activity_date": placed.activity_date,
        "financial_year": year,
        "month": month,
        "pod": placed.pod,
        "setting": placed.setting,
        "currency": placed.currency,
        "treatment_function": row.get("treatment_function"),
        "units": placed.units,
        "adjusted_length_of_stay": placed.adjusted_length_of_stay,
        "trim_point": price.trim,
        "excess_days": price.excess_days,
        "base_pence": amounts.base,
        "short_stay_pence": amounts.short_stay,
        "long_stay_pence": amounts.long_stay,
        "top_up_pence": amounts.top_up,
        "mff_pence": amounts.market_forces,
        "price_pence": amounts.price,
        "mff_millionths": price.factor,
        "best_practice_pence": price.standing.earned,
        "best_practice_at_stake_pence": price.standing.at_stake,
        "basis": int(price.flags),
        "outcome": OUTCOME_OF[reason],
        "reason": reason,
        "indicative_pence": None if reason == PRICED else indicative(),
        "price_row": price.price_row,
        "top_up_row": price.top_up_row,
        "best_practice_row": price.standing.row,
        "pathway_id": None,
        "pack": pack.label,
        "best_practice_lost_pence": price.standing.lost,
        "best_practice_tariff": price.standing.tariff,
        "best_practice_status": price.standing.status,
        "best_practice_missing": price.standing.missing,
        "pathway_category": None,
        "pathway_pence": 0,
        "referral_source": row.get("referral_source") if placed.kind == "outpatient" else None,
    }
