"""What `pathways.toml` may say: rules of emergency readmission, and pathways that are paid as a whole. Every decision that
changes what is paid has a name here, so that two definitions of "a hip replacement" can be laid side by side and compared."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field, StrictStr, field_validator, model_validator

from tariff.columns import KINDS, PATHWAY_FLAGS, PODS, READMISSION_EXCLUSIONS
from tariff.money import basis_points, pence
from tariff.rulepack.model import Rule, Strict, check_price

Item = TypeVar("Item")
Several = Annotated[tuple[Item, ...], Field(strict=False)]
"""A TOML list."""
Days = Annotated[int, Field(ge=0, le=3_650)]
Percent = Annotated[StrictStr, Field(description="Such as 25%.")]
NAME_FORM: Final = r"^[a-z][a-z0-9_]*$"


def _share(text: str) -> int:
    share = basis_points(text)
    if not (text.strip().endswith("%") and 0 <= share <= 10_000):
        raise ValueError(f"'{text}' is not a percentage from 0% to 100%")
    return share


class Selector(Strict):
    """Lines of care: those that fit every criterion given; a criterion fits where one of its codes begins the line's."""

    kinds: Several[StrictStr] = Field(default=(), description="admitted, outpatient, emergency, unbundled.")
    pods: Several[StrictStr] = Field(default=(), description="Points of delivery, whole codes.")
    hrgs: Several[StrictStr] = Field(default=(), description="Beginnings of the HRG or other currency.")
    procedures: Several[StrictStr] = Field(default=(), description="Beginnings of the dominant procedure.")
    primary_diagnoses: Several[StrictStr] = Field(default=(), description="Beginnings of the primary diagnosis.")
    diagnoses: Several[StrictStr] = Field(default=(), description="Beginnings of the primary or any secondary diagnosis.")
    treatment_functions: Several[StrictStr] = Field(default=(), description="Beginnings of the treatment function.")
    admission_methods: Several[StrictStr] = Field(default=(), description="Beginnings of the admission method.")
    discharge_methods: Several[StrictStr] = Field(default=(), description="Beginnings of the discharge method.")
    commissioners: Several[StrictStr] = Field(default=(), description="Beginnings of the commissioner code.")
    minimum_age: int | None = Field(default=None, ge=0, le=130)
    maximum_age: int | None = Field(default=None, ge=0, le=130)

    @field_validator("kinds", "pods")
    @classmethod
    def _are_known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if code not in KINDS and code not in PODS:
                raise ValueError(f"'{code}' is no kind of activity and no point of delivery")
        return codes

    @field_validator(
        "hrgs", "procedures", "primary_diagnoses", "diagnoses", "treatment_functions", "admission_methods", "commissioners"
    )
    @classmethod
    def _are_codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not (code.isalnum() and code.isascii() and code == code.upper()):
                raise ValueError(f"'{code}' is no beginning of a code: capital letters and digits, without a dot")
        return codes

    @property
    def is_open(self) -> bool:
        """Whether it lets every line through."""
        return not any(getattr(self, name) not in ((), None) for name in Selector.model_fields)


class FlaggedSelector(Selector):
    """Lines that stay outside, or that open no pathway, and the flag that says why."""

    flag: StrictStr

    @field_validator("flag")
    @classmethod
    def _is_known(cls, flag: str) -> str:
        if flag not in PATHWAY_FLAGS:
            raise ValueError(f"'{flag}' is not known: {', '.join(PATHWAY_FLAGS)}")
        return flag


class Outliers(Strict):
    """Amounts beyond which episodic value is an outlier of its level, such as its 1st and 99th percentile in an earlier year: the
    value is drawn in to them, and the commissioner bears, or takes back, what lies beyond."""

    low: StrictStr | None = Field(default=None, description="Pounds; what a closed pathway cost below it is taken back.")
    high: StrictStr | None = Field(default=None, description="Pounds; what a pathway cost above it is paid on top.")

    @field_validator("low", "high")
    @classmethod
    def _is_a_price(cls, text: str | None) -> str | None:
        if text is not None:
            check_price(pence(text), text)
        return text

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Outliers:
        low, high = (None if text is None else pence(text) for text in (self.low, self.high))
        if low is None and high is None:
            raise ValueError("outliers need low, high or both")
        if low is not None and high is not None and low > high:
            raise ValueError("low must not be above high")
        return self


class Level(Selector):
    """A level and its price: the first whose criteria the anchor fits, so the last has none."""

    level: StrictStr = Field(min_length=1)
    price: StrictStr = Field(description="Pounds, as text.")
    outliers: Outliers | None = None

    @field_validator("price")
    @classmethod
    def _is_a_price(cls, text: str) -> str:
        check_price(pence(text), text)
        return text

    @property
    def price_pence(self) -> int:
        """The price in pence, before the market forces factor."""
        return pence(self.price)

    @property
    def outlier_pence(self) -> tuple[int | None, int | None]:
        """The amounts, low and high, to which episodic value is drawn in; None where it is not."""
        low, high = (None, None) if self.outliers is None else (self.outliers.low, self.outliers.high)
        return (None if low is None else pence(low), None if high is None else pence(high))


class RegisterLevel(Strict):
    """A level as the register states it, and its price; a pathway paid by days may add a price for each review."""

    level: StrictStr = Field(min_length=1)
    price: StrictStr = Field(description="Pounds, as text.")
    review_price: StrictStr | None = Field(default=None, description="Pounds for each review, the first on entry.")
    review_days: int | None = Field(default=None, ge=1, le=3_650, description="Longest time between reviews.")

    @field_validator("price", "review_price")
    @classmethod
    def _is_a_price(cls, text: str | None) -> str | None:
        if text is not None:
            check_price(pence(text), text)
        return text

    @model_validator(mode="after")
    def _reviews_are_whole(self) -> RegisterLevel:
        if (self.review_price is None) != (self.review_days is None):
            raise ValueError("review_price and review_days stand together")
        return self

    @property
    def price_pence(self) -> int:
        """The price in pence, before the market forces factor."""
        return pence(self.price)

    @property
    def review_pence(self) -> int:
        """The price of a review in pence, 0 where there is none."""
        return 0 if self.review_price is None else pence(self.review_price)


class StopLoss(Strict):
    """What is paid beyond the bundle for a pathway that costs far more: a share of what lies above a threshold."""

    above: StrictStr = Field(description="Pounds of episodic value from which it is paid.")
    share: Percent

    @field_validator("above")
    @classmethod
    def _is_a_price(cls, text: str) -> str:
        check_price(pence(text), text)
        return text

    @field_validator("share")
    @classmethod
    def _is_a_share(cls, text: str) -> str:
        _share(text)
        return text

    @property
    def above_pence(self) -> int:
        """The threshold in pence."""
        return pence(self.above)

    @property
    def share_bp(self) -> int:
        """The share in basis points."""
        return _share(self.share)


class Quality(Strict):
    """What of the bundle is withheld where the pathway went wrong: a complication inside it, or, where a best-practice tariff is
    named, its criteria not met by the evidence."""

    withheld: Percent
    tariff: StrictStr | None = Field(
        default=None, description="Year of care in best_practice.csv whose criteria decide, instead of complications."
    )
    without_evidence: Literal["withheld", "paid"] | None = Field(
        default=None, description="What becomes of the share where evidence says nothing; needed with a tariff."
    )

    @model_validator(mode="after")
    def _says_what_silence_means(self) -> Quality:
        if (self.tariff is None) != (self.without_evidence is None):
            raise ValueError("tariff and without_evidence stand together")
        return self

    @field_validator("withheld")
    @classmethod
    def _is_a_share(cls, text: str) -> str:
        _share(text)
        return text

    @property
    def withheld_bp(self) -> int:
        """The share in basis points."""
        return _share(self.withheld)


class Pathway(Rule):
    """What every pathway says: what is inside, what is outside and why, and how the care in it is settled."""

    name: StrictStr = Field(pattern=NAME_FORM)
    title: StrictStr = Field(min_length=1)
    active: bool = Field(description="Whether it is formed where no definition is named; alternatives to another are not.")
    inside: Several[Selector] = Field(min_length=1, description="Care that the bundle pays for.")
    outside: Several[FlaggedSelector] = Field(default=(), description="Care paid for itself; looked at before `inside`.")
    complications: Several[Selector] = Field(default=(), description="Care that is inside and counts as a complication.")
    same_commissioner_only: bool = Field(description="Care paid by another commissioner is outside (out_of_area).")
    lead_provider_only: bool = Field(description="Care at other providers is outside (other_provider).")
    proration: Literal["by_days", "by_start"] = Field(
        description="A stay that crosses the end of the window is inside for its days in the window, or by its first day."
    )
    settlement_days: Days = Field(description="Care that ends later than this after the window is no part of the pathway.")
    market_forces: bool = Field(description="Whether the bundle price is multiplied by the lead provider's factor.")
    stop_loss: StopLoss | None = None
    quality: Quality | None = None

    @property
    def registers(self) -> tuple[str, ...]:
        """The registers that it is formed from, beside lines."""
        return ()


class AnchoredEpisode(Pathway):
    """A bundle around an anchor: from so many days before an operation or an admission to so many after."""

    method: Literal["anchored_episode"]
    trigger: Several[Selector] = Field(min_length=1, description="The anchor.")
    not_opened: Several[FlaggedSelector] = Field(default=(), description="Anchors that open no pathway, and why.")
    death_in_anchor: Literal["not_opened", "opened"]
    anchor_without_price: Literal["not_opened", "opened"] = Field(description="An anchor without a national price.")
    longest_anchor_days: Days = Field(description="A longer stay opens no pathway (stay_above_limit).")
    look_back_days: Days
    window_days: Days
    window_from: Literal["admission", "discharge"]
    warranty_days: Days = Field(default=0, description="After discharge: complications are inside although the window is over.")
    yields_to: Several[StrictStr] = Field(
        default=(), description="Pathways (this one too) whose anchor inside the window cancels this one: later wins."
    )
    alongside: Several[StrictStr] = Field(
        default=(), description="Pathways whose anchor inside the window opens beside this one."
    )
    lead_provider: Literal["anchor", "first_of_stay"]
    levels: Several[Level] = Field(min_length=1)

    @model_validator(mode="after")
    def _levels_cover_everyone(self) -> AnchoredEpisode:
        _last_level_is_open(self.levels)
        return self

    @model_validator(mode="after")
    def _yields_or_stands_alongside(self) -> AnchoredEpisode:
        for other in self.yields_to:
            if other in self.alongside:
                raise ValueError(f"pathway '{self.name}' cannot both yield to '{other}' and stand alongside it")
        return self


class PhasedPathway(Pathway):
    """Antenatal, birth and postnatal care: one payment a phase to its lead provider."""

    method: Literal["phased"]
    trigger: Several[Selector] = Field(min_length=1, description="Births.")
    anchor_without_price: Literal["not_opened", "opened"] = Field(description="A birth without a national price.")
    same_birth_days: Days = Field(description="Births within so many days are of one pregnancy: one payment.")
    longest_birth_days: Days = Field(description="A longer stay opens no birth (stay_above_limit).")
    antenatal_register: StrictStr = Field(
        description="An entry starts at booking; its level and provider are those of the phase."
    )
    longest_antenatal_days: Days = Field(description="From booking to birth at most.")
    antenatal: Several[RegisterLevel] = Field(min_length=1)
    birth: Several[Level] = Field(min_length=1)
    postnatal_register: StrictStr = Field(
        description="Gives level and provider: the entry begun last by the end of the birth, else the first begun after it."
    )
    postnatal_days: Days
    postnatal: Several[RegisterLevel] = Field(min_length=1, description="The first is that of a mother without an entry.")

    @model_validator(mode="after")
    def _levels_cover_everyone(self) -> PhasedPathway:
        _last_level_is_open(self.birth)
        return self

    @property
    def registers(self) -> tuple[str, ...]:
        """Without the first of them no antenatal phase is formed; births are, by their lines."""
        return (self.antenatal_register, self.postnatal_register)


class YearOfCare(Pathway):
    """A price a year, or a day, for each patient on a register, by level, for the days with the provider."""

    method: Literal["year_of_care"]
    register_name: StrictStr = Field(alias="register", description="The register, as its file names it.")
    per: Literal["year", "day"]
    longest_days: Days | None = Field(
        default=None, description="From entry, a first year only; an entry that follows without a gap goes on with it."
    )
    levels: Several[RegisterLevel] = Field(min_length=1)

    @property
    def registers(self) -> tuple[str, ...]:
        """Without its register none is formed."""
        return (self.register_name,)


class ReadmissionExclusion(Selector):
    """Readmissions that are paid all the same."""

    flag: StrictStr
    of: Literal["readmission", "initial", "either"] = Field(description="Which of the two spells fits the criteria.")

    @field_validator("flag")
    @classmethod
    def _is_known(cls, flag: str) -> str:
        if flag not in READMISSION_EXCLUSIONS:
            raise ValueError(f"'{flag}' is not known: {', '.join(READMISSION_EXCLUSIONS)}")
        return flag


class ReadmissionRule(Rule):
    """Emergency readmission soon after discharge (RULES 5.2); it holds for readmissions that end in its dates."""

    starts: date
    ends: date
    within_days: Annotated[int, Field(ge=0, le=365)]
    elective_share: Percent = Field(description="Share not paid after an elective spell.")
    non_elective_share: Percent = Field(description="Share not paid after a non-elective spell.")
    longest_stay_days: Days = Field(description="A longer readmission is no readmission.")
    exclusions: Several[ReadmissionExclusion] = ()

    @field_validator("elective_share", "non_elective_share")
    @classmethod
    def _is_a_share(cls, text: str) -> str:
        _share(text)
        return text

    @property
    def shares_bp(self) -> tuple[int, int]:
        """Shares not paid in basis points: after elective, after non-elective spells."""
        return _share(self.elective_share), _share(self.non_elective_share)


class Transfers(Rule):
    """Stays at several providers, one after the other, that are one stay: merged before anything is triggered."""

    admission_methods: Several[StrictStr] = Field(
        description="Beginnings of admission methods that are transfers; none: no merging."
    )
    gap_days: Days = Field(description="From discharge to admission, at most.")
    longest_stay_days: Days = Field(description="A transfer to a longer stay is not merged.")


AnyPathway = Annotated[AnchoredEpisode | PhasedPathway | YearOfCare, Field(discriminator="method")]


class PathwayFile(Strict):
    """`pathways.toml` of a rule pack or an overlay."""

    layout: Literal[1] = Field(alias="schema", description="Version of this layout.")
    transfers: Transfers | None = None
    readmission: Several[ReadmissionRule] = ()
    pathway: Several[AnyPathway] = ()

    @model_validator(mode="after")
    def _names_stand_once(self) -> PathwayFile:
        names = [pathway.name for pathway in self.pathway]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"pathway '{name}' stands twice")
        return self

    @model_validator(mode="after")
    def _readmission_rules_take_turns(self) -> PathwayFile:
        ordered = sorted(self.readmission, key=lambda rule: rule.starts)
        if any(rule.ends < rule.starts for rule in ordered) or any(b.starts <= a.ends for a, b in pairwise(ordered)):
            raise ValueError("readmission rules must not overlap, and each ends after it starts")
        return self


def _last_level_is_open(levels: tuple[Any, ...]) -> None:
    if not levels[-1].is_open:
        raise ValueError("the last level must have no criteria, so that every anchor has a level")


def laid_over(below: PathwayFile | None, above: PathwayFile | None) -> PathwayFile | None:
    """Definitions of an overlay on those of a pack: a pathway replaces the pathway of its name, readmission rules and transfers
    as a whole where the overlay states them."""
    if below is None or above is None:
        return above or below
    by_name = {pathway.name: pathway for pathway in (*below.pathway, *above.pathway)}
    return below.model_copy(
        update={
            "transfers": above.transfers or below.transfers,
            "readmission": above.readmission or below.readmission,
            "pathway": tuple(by_name.values()),
        }
    )
