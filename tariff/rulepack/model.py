"""What `pack.toml` and `overlay.toml` may say. Every rule names its method, its values, where they come from and how sure we
are of them; anything else in the file is a fault. `rules/pack.schema.json` is generated from these models."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator, model_validator

from tariff.money import AMOUNT_LIMIT_PENCE, MILLION, millionths, pence, pounds

Confidence = Literal["published", "practice", "local", "proxy", "assumed", "illustrative"]
CONFIDENCES: Final[tuple[Confidence, ...]] = get_args(Confidence)
"""From best to worst: a national publication says so; an NHS organisation's working practice; a local agreement; another
year's or place's figure standing in; believed, with no text at hand; invented to show a mechanism."""

HRG_FORM: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z]")
"""An HRG: two letters (subchapter), two digits, one letter (split; Z = none)."""

TREATMENT_FUNCTION_FORM: Final = re.compile(r"\d{3}")
"""A treatment function: three digits."""

CURRENCY_FORM: Final = re.compile(r"[A-Z0-9]{2,}")
"""A currency: an HRG or another code of capital letters and digits (activity is upper-cased before it is looked up)."""

MFF_BOUNDS: Final = (8 * MILLION // 10, 16 * MILLION // 10)
"""The payment index has its minimum at 1.000000 and has never reached 1.31 (RULES 1.7). Anything outside 0.8 to 1.6 is a
slip: a percentage, or a factor with its decimal point misplaced."""

Codes = Annotated[tuple[StrictStr, ...], Field(strict=False)]
"""A TOML list of codes."""


class Strict(BaseModel):
    """Nothing is coerced, nothing unknown is let through, nothing changes after loading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Rule(Strict):
    """What every rule carries beside its method and values."""

    source: str = Field(min_length=1, description="Where the rule and its values come from.")
    confidence: Confidence = Field(description="How sure we are of them, from published to illustrative.")
    note: str = Field(default="", description="What a reader of the run card should know.")


class SettingRule(Rule):
    """Which price a spell is paid at (RULES 1.1, 1.3)."""

    method: Literal["national"] = Field(
        description="Elective, class 2, gross stay 0: day case; other elective: ordinary elective; other methods: non-elective."
    )


class ExclusionsRule(Rule):
    """What stays outside national prices (RULES 1.1)."""

    method: Literal["national"] = Field(
        description="Private patients, regular attenders, serial numbers ending '=', and the lists."
    )
    hrgs: Codes = Field(default=(), description="HRGs outside national prices.")
    treatment_functions: Codes = Field(default=(), description="Treatment function codes outside national prices.")

    @field_validator("hrgs")
    @classmethod
    def _are_hrgs(cls, hrgs: tuple[str, ...]) -> tuple[str, ...]:
        for hrg in hrgs:
            if not HRG_FORM.fullmatch(hrg):
                raise ValueError(f"'{hrg}' has not the form of an HRG (two letters, two digits, one letter)")
        return hrgs


class NoShortStay(Rule):
    """No short-stay reduction."""

    method: Literal["none"] = Field(description="The full non-elective price whatever the stay.")


class PriceTableShortStay(Rule):
    """The reduced price of short emergency stays (RULES 1.4)."""

    method: Literal["price_table"] = Field(
        description="The row's short_stay_price, else non_elective x short_stay_percent half-up to the pound, where it applies."
    )
    minimum_age: int = Field(ge=0, le=130, description="Age on admission from which the reduction applies.")
    maximum_stay_days: int = Field(ge=0, le=365, description="Longest adjusted stay that is short, in days.")
    grouping_methods: Codes = Field(min_length=1, description="Grouping methods under which it applies: D = by diagnosis.")

    @field_validator("grouping_methods")
    @classmethod
    def _are_flags(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for method in methods:
            if method not in {"P", "D", "B", "M", "G", "O"}:
                raise ValueError(f"'{method}' is not a grouping method (P, D, B, M, G or O)")
        return methods


class LongStayRule(Rule):
    """Payment for days beyond the trim point (RULES 1.5)."""

    method: Literal["none", "per_day_beyond_trim"] = Field(
        description="none, or max(0, adjusted stay - the setting's trim point) x the row's per-day payment."
    )
    without_trim_points: Annotated[tuple[Literal["ordinary_elective", "non_elective"], ...], Field(strict=False)] = Field(
        default=(), description="Settings whose trim points the pack lacks: where a row has none, no day is paid in them."
    )


class NoTopUp(Rule):
    """No specialised top-ups."""

    method: Literal["none"] = Field(description="Specialised service codes change no price.")


class HighestEligibleTopUp(Rule):
    """Specialised top-ups (RULES 1.6)."""

    method: Literal["highest_eligible"] = Field(description="Of the top-ups a spell is eligible for, the highest alone is paid.")
    includes_long_stay: bool = Field(description="Whether the percentage is paid on the long-stay payment too.")


class NoMarketForcesFactor(Rule):
    """A market forces factor of 1 for everyone."""

    method: Literal["none"] = Field(description="1.000000 for every provider.")


class ByProviderMarketForcesFactor(Rule):
    """The market forces factor of the provider (RULES 1.7)."""

    method: Literal["by_provider"] = Field(
        description="From mff.csv: by the whole provider code, then by its first three characters."
    )
    default: str | None = Field(default=None, description="Factor of a provider that mff.csv lacks, as text, at most 6 decimals.")
    default_source: str | None = Field(default=None, description="Where the default comes from.")
    default_confidence: Confidence | None = Field(default=None, description="How sure we are of the default.")

    @field_validator("default")
    @classmethod
    def _is_a_factor(cls, text: str | None) -> str | None:
        if text is not None:
            check_factor(millionths(text), text)
        return text

    @model_validator(mode="after")
    def _default_is_labelled(self) -> ByProviderMarketForcesFactor:
        if self.default is not None and not (self.default_source and self.default_confidence):
            raise ValueError("a default factor needs default_source and default_confidence")
        return self

    @property
    def default_millionths(self) -> int | None:
        """The default factor in millionths, or None where the pack states none."""
        return None if self.default is None else millionths(self.default)


class NoOutpatient(Rule):
    """No outpatient prices."""

    method: Literal["none"] = Field(description="No attendance and no outpatient procedure has a national price.")

    @property
    def default_first_pence(self) -> None:
        """There is no default."""

    @property
    def default_follow_up_pence(self) -> None:
        """There is no default."""


class PricedOutpatient(Rule):
    """What outpatient attendances and procedures are paid (RULES 2.1, 2.2)."""

    non_face_to_face: Literal["own_price", "face_to_face_price"] = Field(
        description="Price of a telephone attendance: its own column, or that of the same attendance face to face."
    )
    no_price_treatment_functions: Codes = Field(default=(), description="Treatment functions whose attendances have no price.")
    default_first: str | None = Field(
        default=None, description="Price of a first attendance whose treatment function has none, pounds as text."
    )
    default_follow_up: str | None = Field(
        default=None, description="Price of a follow-up attendance whose treatment function has none, pounds as text."
    )
    default_source: str | None = Field(default=None, description="Where the default prices come from.")
    default_confidence: Confidence | None = Field(default=None, description="How sure we are of the default prices.")

    @field_validator("no_price_treatment_functions")
    @classmethod
    def _are_treatment_functions(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_treatment_function(code) for code in codes)

    @field_validator("default_first", "default_follow_up")
    @classmethod
    def _is_a_price(cls, text: str | None) -> str | None:
        if text is not None:
            check_price(pence(text), text)
        return text

    @model_validator(mode="after")
    def _defaults_are_labelled(self) -> PricedOutpatient:
        stated = self.default_first is not None or self.default_follow_up is not None
        if stated and not (self.default_source and self.default_confidence):
            raise ValueError("a default price needs default_source and default_confidence")
        return self

    @property
    def default_first_pence(self) -> int | None:
        """The default price of a first attendance in pence, or None where the pack states none."""
        return None if self.default_first is None else pence(self.default_first)

    @property
    def default_follow_up_pence(self) -> int | None:
        """The default price of a follow-up attendance in pence, or None where the pack states none."""
        return None if self.default_follow_up is None else pence(self.default_follow_up)


class NationalOutpatient(PricedOutpatient):
    """Outpatients under the national tariff (RULES 2.2)."""

    method: Literal["national"] = Field(
        description="A procedure without a price is paid as the attendance, first and follow-up alike."
    )


class ElectiveRecoveryOutpatient(PricedOutpatient):
    """Outpatients under the elective recovery fund and its successors (RULES 2.2, 2.3)."""

    method: Literal["erf"] = Field(
        description="A procedure without a price is paid as the attendance where it is a first one; follow-ups are out of scope."
    )


class NoEmergency(Rule):
    """No emergency care prices."""

    method: Literal["none"] = Field(description="No emergency care attendance has a national price.")


class NationalEmergency(Rule):
    """What emergency care attendances are paid (RULES 2.5)."""

    method: Literal["national"] = Field(
        description="Departments of types 1 and 2: the currency's price; type 3: its type 3 price, else the simplest currency's."
    )
    simplest_currency: str = Field(description="Currency at whose price a department of type 3 is paid, such as VB11Z.")
    dead_on_arrival_as: str | None = Field(
        default=None, description="Currency at whose price VB99Z is paid where it has none of its own; say in the note how sure."
    )

    @field_validator("simplest_currency", "dead_on_arrival_as")
    @classmethod
    def _is_a_currency(cls, code: str | None) -> str | None:
        return None if code is None else check_currency(code)


class UnbundledRule(Rule):
    """What unbundled care and other currencies are paid (RULES 1.9)."""

    method: Literal["none", "price_list"] = Field(
        description="none, or the currency's price x units; a pass-through currency at the cost that the line states."
    )


class NoBestPractice(Rule):
    """No best-practice tariffs."""

    method: Literal["none"] = Field(description="Best-practice codes and evidence change no price.")


class EvidenceBestPractice(Rule):
    """Best-practice tariffs (RULES 3): best_practice.csv holds their prices, best_practice_criteria.csv what must be shown."""

    method: Literal["evidence"] = Field(
        description="Best practice is paid where the line, or evidence given with the run, shows that its criteria are met."
    )
    precedence: Codes = Field(
        default=(), description="Tariffs, the first winning where several set the price; others follow in order of the table."
    )
    exclusive: Annotated[tuple[Codes, ...], Field(strict=False)] = Field(
        default=(), description="Groups of tariffs of which one alone is paid on a line, such as the levels of major trauma."
    )
    replaces_short_stay: Codes = Field(
        default=(), description="Tariffs whose price stands instead of the short-stay reduction, such as same-day emergency care."
    )
    outside_marginal_rate: Codes = Field(
        default=(), description="Tariffs whose spells the marginal rate for emergency admissions leaves out."
    )


class RoundingRule(Rule):
    """Where a price is rounded, always half-up (RULES 1.8)."""

    method: Literal["penny_once", "whole_pounds"] = Field(
        description="penny_once: the exact price once to the penny. whole_pounds: each component and the MFF amount to the pound."
    )


ShortStayRule = Annotated[NoShortStay | PriceTableShortStay, Field(discriminator="method")]
TopUpRule = Annotated[NoTopUp | HighestEligibleTopUp, Field(discriminator="method")]
OutpatientRule = Annotated[NoOutpatient | NationalOutpatient | ElectiveRecoveryOutpatient, Field(discriminator="method")]
EmergencyRule = Annotated[NoEmergency | NationalEmergency, Field(discriminator="method")]
BestPracticeRule = Annotated[NoBestPractice | EvidenceBestPractice, Field(discriminator="method")]
MarketForcesFactorRule = Annotated[NoMarketForcesFactor | ByProviderMarketForcesFactor, Field(discriminator="method")]


class Rules(Strict):
    """The rules of a year. All must be stated: a rule that a year lacks is `none`, with its reason."""

    setting: SettingRule
    exclusions: ExclusionsRule
    short_stay: ShortStayRule
    long_stay: LongStayRule
    top_up: TopUpRule
    outpatient: OutpatientRule
    emergency: EmergencyRule
    unbundled: UnbundledRule
    best_practice: BestPracticeRule
    market_forces_factor: MarketForcesFactorRule
    rounding: RoundingRule


class OverlayRules(Strict):
    """The rules an overlay replaces, each as a whole; a rule not stated stays the pack's."""

    setting: SettingRule | None = None
    exclusions: ExclusionsRule | None = None
    short_stay: ShortStayRule | None = None
    long_stay: LongStayRule | None = None
    top_up: TopUpRule | None = None
    outpatient: OutpatientRule | None = None
    emergency: EmergencyRule | None = None
    unbundled: UnbundledRule | None = None
    best_practice: BestPracticeRule | None = None
    market_forces_factor: MarketForcesFactorRule | None = None
    rounding: RoundingRule | None = None


class PackHeader(Strict):
    """What the year is."""

    year: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", description="Label, such as 2017-18; a correction is 2017-18.r2.")
    title: str = Field(min_length=1, description="What the pack holds, in a line.")
    starts: date = Field(description="First day of activity it prices (by date of completion).")
    ends: date = Field(description="Last day of activity it prices.")
    grouper: str = Field(min_length=1, description="The grouper whose HRGs the prices belong to.")
    illustrative: bool = Field(default=False, description="Invented figures: `--rules auto` never picks it.")
    notes: Codes = Field(default=(), description="What the pack lacks or what to know, in words; shown in every run card.")

    @model_validator(mode="after")
    def _dates_in_order(self) -> PackHeader:
        if self.ends < self.starts:
            raise ValueError(f"the pack ends ({self.ends}) before it starts ({self.starts})")
        return self


class PackFile(Strict):
    """`pack.toml` of a rule pack."""

    layout: Literal[1] = Field(alias="schema", description="Version of this layout.")
    pack: PackHeader
    rules: Rules


class OverlayHeader(Strict):
    """What the overlay is."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", description="Follows the year in the pack label: 2024-25+name.")
    note: str = Field(default="", description="What it changes and why; shown in every run card.")
    packs: Codes = Field(default=(), description="Labels of the packs it is made for; blank = any.")


class OverlayFile(Strict):
    """`overlay.toml` of an overlay: a folder of the same tables holding only changed rows."""

    layout: Literal[1] = Field(default=1, alias="schema", description="Version of this layout.")
    overlay: OverlayHeader
    rules: OverlayRules = OverlayRules()


def check_factor(value: int, text: str) -> int:
    """`value` millionths, if it lies within MFF_BOUNDS. ValueError otherwise."""
    low, high = MFF_BOUNDS
    if not low <= value <= high:
        raise ValueError(f"'{text}' lies outside {low / MILLION} to {high / MILLION}, the bounds of a market forces factor")
    return value


def check_price(amount: int, text: str) -> int:
    """`amount` pence, if it is a price. ValueError where it is 0 or negative, or beyond any price."""
    if amount == 0:
        raise ValueError(f"'{text}' is a printed 0, which is not a price")
    if not 0 < amount <= AMOUNT_LIMIT_PENCE:
        raise ValueError(f"'{text}' is not between £0.01 and {pounds(AMOUNT_LIMIT_PENCE)}")
    return amount


def check_treatment_function(text: str) -> str:
    """`text`, if it has the form of a treatment function. ValueError otherwise."""
    if not TREATMENT_FUNCTION_FORM.fullmatch(text):
        raise ValueError(f"'{text}' has not the form of a treatment function (three digits)")
    return text


def check_currency(text: str) -> str:
    """`text`, if it has the form of a currency. ValueError otherwise."""
    if not CURRENCY_FORM.fullmatch(text):
        raise ValueError(f"'{text}' has not the form of a currency (capital letters and digits)")
    return text
