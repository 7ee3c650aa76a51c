"""The shape of a run card as others rely on it: what a card must hold to be read again. It may hold more."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tariff.rulepack.model import Confidence


class _Told(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Input(_Told):
    file: str
    path: str
    kind: Literal["admitted", "outpatient", "emergency", "unbundled"]
    rows: int
    lines: int
    sha256: str
    ignored: list[str]


class _Overlay(_Told):
    name: str
    digest: str
    path: str


class _Rule(_Told):
    rule: str
    method: str
    source: str
    note: str


class _Tariff(_Told):
    tariff: str
    name: str
    mechanism: str
    outside_marginal_rate: bool
    criteria: dict[str, str]


class _Named(_Told):
    name: str
    title: str


class _Pack(_Told):
    label: str
    title: str
    digest: str
    folder: str
    overlays: list[_Overlay]
    rules: list[_Rule]
    best_practice: list[_Tariff]
    pathways: list[_Named]
    notes: list[str]
    lines_priced: int


class _Options(_Told):
    dates: Literal["strict", "ignore"]
    columns: str | None


class _Counts(_Told):
    in_: Annotated[int, Field(alias="in")]
    priced: int
    excluded: int
    unpriced: int
    rejected: int


class _Reason(_Told):
    reason: str
    outcome: str
    lines: int
    indicative_pence: int
    sentence: str


class _Lacked(_Told):
    currency: str
    lines: int


class _Coverage(_Told):
    pack: str
    currencies: int
    currencies_lacked: int
    lines_lacked: int
    lines_valued: int
    own_year_pence: int
    lacked: list[_Lacked]


class _Pathways(_Told):
    registers: str | None
    open_pathways: str | None
    definitions: list[str] | None
    paid: int
    flagged: int
    still_open: int


class _File(_Told):
    path: str
    sha256: str


class _NotUsed(_Told):
    rows: int
    sentence: str
    examples: list[str]


class _Evidence(_Told):
    files: list[_File]
    answers_of_lines: int
    answers_of_gates: int
    not_used: list[_NotUsed]


class _Components(_Told):
    model_config = ConfigDict(extra="forbid")
    base_pence: int
    short_stay_pence: int
    long_stay_pence: int
    top_up_pence: int
    mff_pence: int


class _Resting(_Told):
    component: str
    label: Confidence
    source: str
    pence: int
    lines: int


class _Warning(_Told):
    lines: int
    price_pence: int
    sentence: str


class CardShape(_Told):
    """A run card that can be read again."""

    card: Literal[1]
    command: list[str]
    inputs: list[_Input]
    packs: list[_Pack]
    options: _Options
    attached_items: dict[str, int]
    counts: _Counts
    reasons: list[_Reason]
    coverage: _Coverage | None = None
    pathways: _Pathways | None = None
    evidence: _Evidence | None = None
    sha256: str | None = None
    components: _Components
    price_pence: int
    assumptions: list[_Resting]
    warnings: list[_Warning]
    control_totals: list[dict[str, Any]]
