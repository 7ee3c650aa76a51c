"""What a payment model may say: what is paid per line, then contract terms in order. Models are data; each kind of term has
a file of its own beside this one and joins the union here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Annotated, Final, Literal

from pydantic import Field, PrivateAttr, model_validator

from tariff.payment.activity_cap import ActivityCap
from tariff.payment.aligned_payment import AlignedPayment
from tariff.payment.best_practice_adjustment import BestPracticeAdjustment
from tariff.payment.blended import Blended
from tariff.payment.block import Block
from tariff.payment.cap_and_collar import CapAndCollar
from tariff.payment.capitation import Capitation
from tariff.payment.cost_and_volume import CostAndVolume
from tariff.payment.cquin import Cquin, Withhold
from tariff.payment.figures import TermFile
from tariff.payment.gain_share import EpisodeReconciliation, GainShare
from tariff.payment.local_price import LocalPrice
from tariff.payment.marginal_rate import MarginalRate
from tariff.payment.outcome import Outcome
from tariff.payment.pathways import BUNDLE, EVERY, INSIDE
from tariff.payment.plan_term import PlanTerm
from tariff.payment.readmissions import Readmissions
from tariff.payment.referral_cap import ReferralCap
from tariff.payment.sanctions import Sanctions
from tariff.payment.term import Cause, ContractTerm
from tariff.rulepack.model import Codes, Strict

Term = Annotated[
    ActivityCap
    | AlignedPayment
    | BestPracticeAdjustment
    | Blended
    | Block
    | CapAndCollar
    | Capitation
    | CostAndVolume
    | Cquin
    | EpisodeReconciliation
    | GainShare
    | LocalPrice
    | MarginalRate
    | Outcome
    | Readmissions
    | ReferralCap
    | Sanctions
    | Withhold,
    Field(discriminator="term"),
]
TERMS: Final[dict[str, type[ContractTerm]]] = {
    "block": Block,
    "cost_and_volume": CostAndVolume,
    "cap_and_collar": CapAndCollar,
    "marginal_rate": MarginalRate,
    "readmissions": Readmissions,
    "blended": Blended,
    "aligned_payment": AlignedPayment,
    "best_practice_adjustment": BestPracticeAdjustment,
    "capitation": Capitation,
    "gain_share": GainShare,
    "episode_reconciliation": EpisodeReconciliation,
    "cquin": Cquin,
    "withhold": Withhold,
    "outcome": Outcome,
    "activity_cap": ActivityCap,
    "referral_cap": ReferralCap,
    "sanctions": Sanctions,
    "local_price": LocalPrice,
}
"""Every kind of term by the name a models file gives it."""


BEST_PRACTICE: Final = Cause(
    "best_practice", "Best practice, not paid", "What evidence of best practice earned, with the market forces factor."
)


class Model(Strict):
    """One way of paying: `per_line`, then `terms` in order. `phrase` is how a sentence names it (`a block contract`), `title`
    how a table does. `per_line`: each line's price, or the price without what evidence of best practice earned on it. `pathways`:
    the pathways (or `all`) that are paid as a whole in place of the lines inside them."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    title: str = Field(min_length=1, max_length=60)
    phrase: str = ""
    note: str = ""
    per_line: Literal["episodic", "without_best_practice"] = "episodic"
    pathways: Codes = ()
    terms: Annotated[tuple[Term, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _pay_each_line_once(self) -> Model:
        for first, second in combinations([term for term in self.terms if term.settles], 2):
            if first.settles == second.settles and first.scope.overlaps(second.scope):
                both = "every line" if first.scope.is_everything and second.scope.is_everything else "some lines"
                raise ValueError(
                    f"the terms {first.term} and {second.term} both settle what is paid for {both}: it would be paid twice"
                )
        return self

    @model_validator(mode="after")
    def _set_prices_first(self) -> Model:
        """An agreed price that came after them would undo what readmissions, caps and payments took or added (RULES 1.8)."""
        for first, second in pairwise(self.terms):
            if second.settles == "price" and first.settles != "price":
                raise ValueError(f"the term {second.term} sets prices: put it before {first.term}, which goes by them")
        return self

    @model_validator(mode="after")
    def _price_no_line_of_a_pathway(self) -> Model:
        """Which lines lie in a pathway only the run knows: prices set for lines beside it could pay them twice."""
        pricing = [term.term for term in self.terms if term.settles == "price"]
        if self.pathways and pricing:
            raise ValueError(f"the term {pricing[0]} prices lines that its pathways may pay as a whole: use one or the other")
        return self

    @model_validator(mode="after")
    def _take_back_no_more_than_is_paid(self) -> Model:
        """Readmissions take the price of lines back (RULES 1.8, step 10): once, after what sets it and before the terms of the
        contract (step 11), which pay something else than the line's price."""
        taking = [term for term in self.terms if isinstance(term, Readmissions)]
        for first, second in combinations(taking, 2):
            if first.scope.overlaps(second.scope):
                raise ValueError(
                    "two terms readmissions take the same lines back: give one both shares, or each a scope of its own"
                )
        for number, term in enumerate(self.terms):
            before = [other.term for other in self.terms[:number] if other.settles != "price" and other not in taking]
            if term in taking and before:
                raise ValueError(
                    f"the term readmissions takes the price of lines back: put it before {before[0]}, which acts on the rest"
                )
        if any(term.file is not None for term in taking) and (self.pathways or not self.pays_best_practice):
            how = "its pathways pay" if self.pathways else "is best practice, which it does not pay"
            remedy = "find readmissions when pricing, or list what is taken back as a sanction"
            raise ValueError(f"the file of readmissions does not say what of them {how}: {remedy}")
        return self

    _places: tuple[str, ...] = PrivateAttr(default=())

    def place(self, term: int | None = None) -> str:
        """Where the model, or its term of a number, stands in a models file (`models.toml:12`); nothing where it is in none."""
        number = 0 if term is None else term + 1
        return self._places[number] if self._places else ""

    def placed(self, places: Sequence[str]) -> Model:
        """The same model, standing at these places: its own, then each term's."""
        there = self.model_copy()
        there._places = tuple(places)
        return there

    @property
    def in_a_sentence(self) -> str:
        """What a sentence calls it: its phrase, else its title with a small initial (but `API 2022/23` stays)."""
        return self.phrase or (self.title[0].lower() + self.title[1:] if self.title[1:2].islower() else self.title)

    @property
    def needs_plan(self) -> bool:
        """Whether a term needs the run's plan."""
        return any(isinstance(term, PlanTerm) and term.needs_run_plan for term in self.terms)

    @property
    def pays_best_practice(self) -> bool:
        """Whether a line's price is paid with what best practice earned."""
        return self.per_line != "without_best_practice"

    @property
    def needs_readmitted_lines(self) -> bool:
        """Whether it takes back readmissions of whose price some is not paid by the line, or lies outside a marginal rate."""
        taking = any(isinstance(term, Readmissions) and term.file is None for term in self.terms)
        outside = any(isinstance(term, MarginalRate) and term.best_practice_outside for term in self.terms)
        return taking and bool(self.pathways or not self.pays_best_practice or outside)

    @property
    def needs_referrals(self) -> bool:
        """Whether a term asks who referred the patient."""
        return any(isinstance(term, ReferralCap) for term in self.terms)

    @property
    def files(self) -> tuple[TermFile, ...]:
        """The files that its terms name."""
        return tuple(dict.fromkeys(file for term in self.terms for file in term.files))

    @property
    def words(self) -> str:
        """What is paid, in a sentence or two."""
        told = [term.words for term in self.terms]
        if self.pathways:
            named = "All pathways" if EVERY in self.pathways else f"The pathways {', '.join(self.pathways)}"
            told.insert(0, f"{named} are paid as a whole, in place of the lines inside them.")
        if not self.pays_best_practice:
            told.insert(0, "Every priced line is paid at its price, less what evidence of best practice earned.")
        return " ".join(told) or "Every priced line is paid at its price."

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The ledger lines that it can write beside the components of price, in order."""
        own = [] if self.pays_best_practice else [BEST_PRACTICE]
        own += [INSIDE, BUNDLE] if self.pathways else []
        return tuple(dict.fromkeys([*own, *(cause for term in self.terms for cause in term.causes)]))


class ModelsFile(Strict):
    """A models file: `schema = 1` and one or more `[[model]]`."""

    schema_: Literal[1] = Field(alias="schema")
    model: Annotated[tuple[Model, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _hold_a_model(self) -> ModelsFile:
        if not self.model:
            raise ValueError("the file holds no model: add a [[model]] with a name and a title")
        return self


@dataclass(frozen=True, slots=True)
class ModelsOrigin:
    """Where models came from: a file or `preset:NAME`, and the sha256 of the text (line ends read as LF)."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Models:
    """Payment models in the order given; the first is the baseline unless another is named."""

    models: tuple[Model, ...]
    origins: tuple[ModelsOrigin, ...] = ()

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    def __getitem__(self, name: str) -> Model:
        return next(model for model in self.models if model.name == name)

    @property
    def names(self) -> list[str]:
        """The names of the models, in order."""
        return [model.name for model in self.models]
