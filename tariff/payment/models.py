"""What a payment model may say: what is paid per line, then contract terms in order. Models are data; each kind of term has
a file of its own beside this one and joins the union here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from tariff.payment.block import Block
from tariff.payment.cost_and_volume import CostAndVolume
from tariff.payment.term import Cause, ContractTerm, PlanTerm
from tariff.rulepack.model import Strict

Term = Annotated[Block | CostAndVolume, Field(discriminator="term")]
TERMS: Final[dict[str, type[ContractTerm]]] = {"block": Block, "cost_and_volume": CostAndVolume}
"""Every kind of term by the name a models file gives it."""


class Model(Strict):
    """One way of paying: `per_line`, then `terms` in order. `phrase` is how a sentence names it (`a block contract`), `title`
    how a table does."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    title: str = Field(min_length=1, max_length=60)
    phrase: str = ""
    note: str = ""
    per_line: Literal["episodic"] = "episodic"
    terms: Annotated[tuple[Term, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _pay_each_line_once(self) -> Model:
        settling = [term.term for term in self.terms if term.settles]
        if len(settling) > 1:
            raise ValueError(
                f"the terms {' and '.join(settling)} both settle what is paid for every line: it would be paid twice"
            )
        return self

    @property
    def in_a_sentence(self) -> str:
        """What a sentence calls it: its phrase, else its title with a small initial (but `API 2022/23` stays)."""
        return self.phrase or (self.title[0].lower() + self.title[1:] if self.title[1:2].islower() else self.title)

    @property
    def needs_plan(self) -> bool:
        """Whether a term needs a plan."""
        return any(isinstance(term, PlanTerm) for term in self.terms)

    @property
    def words(self) -> str:
        """What is paid, in a sentence or two."""
        return " ".join(term.words for term in self.terms) or "Every priced line is paid at its price."

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The ledger lines its terms can write, in the order of the terms."""
        return tuple(cause for term in self.terms for cause in term.causes)


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
