"""What `pack.toml` and `overlay.toml` may say. Every rule names its method, its values, where they come from and how sure we
are of them; anything else in the file is a fault. `rules/pack.schema.json` is generated from these models."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator, model_validator

from tariff.money import MILLION, millionths

Confidence = Literal["published", "practice", "local", "proxy", "assumed", "illustrative"]
CONFIDENCES: Final[tuple[Confidence, ...]] = get_args(Confidence)
"""From best to worst: a national publication says so; an NHS organisation's working practice; a local agreement; another
year's or place's figure standing in; believed, with no text at hand; invented to show a mechanism."""

HRG_FORM: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z]")
"""An HRG: two letters (subchapter), two digits, one letter (split; Z = none)."""

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


class RoundingRule(Rule):
    """Where a price is rounded, always half-up (RULES 1.8)."""

    method: Literal["penny_once", "whole_pounds"] = Field(
        description="penny_once: the exact price once to the penny. whole_pounds: each component and the MFF amount to the pound."
    )


ShortStayRule = Annotated[NoShortStay | PriceTableShortStay, Field(discriminator="method")]
TopUpRule = Annotated[NoTopUp | HighestEligibleTopUp, Field(discriminator="method")]
MarketForcesFactorRule = Annotated[NoMarketForcesFactor | ByProviderMarketForcesFactor, Field(discriminator="method")]


class Rules(Strict):
    """The rules of a year. All must be stated: a rule that a year lacks is `none`, with its reason."""

    setting: SettingRule
    exclusions: ExclusionsRule
    short_stay: ShortStayRule
    long_stay: LongStayRule
    top_up: TopUpRule
    market_forces_factor: MarketForcesFactorRule
    rounding: RoundingRule


class OverlayRules(Strict):
    """The rules an overlay replaces, each as a whole; a rule not stated stays the pack's."""

    setting: SettingRule | None = None
    exclusions: ExclusionsRule | None = None
    short_stay: ShortStayRule | None = None
    long_stay: LongStayRule | None = None
    top_up: TopUpRule | None = None
    market_forces_factor: MarketForcesFactorRule | None = None
    rounding: RoundingRule | None = None


class PackHeader(Strict):
    """What the year is."""

    year: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", description="Label, such as 2017-18; a correction is 2017-18.r2.")
    title: str = Field(min_length=1, description="What the pack holds, in a line.")
    starts: date = Field(description="First day of activity it prices (by discharge date).")
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
