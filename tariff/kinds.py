"""The kinds of activity as they are priced: what tells each, what its price depends on, and how a block of it is priced under
one rule pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.best_practice.evidence import Evidence
from tariff.best_practice.standing import EvidenceOfPack
from tariff.classify.admitted import AdmittedCodes, encode_spells
from tariff.classify.best_practice import BestPracticeCodes
from tariff.classify.emergency import EmergencyCodes, encode_emergency
from tariff.classify.outpatient import OutpatientCodes, encode_attendances
from tariff.classify.unbundled import UnbundledCodes, encode_items
from tariff.columns import ADMITTED, EMERGENCY, OUTPATIENT, UNBUNDLED, Column
from tariff.confidence import Refusals
from tariff.errors import ActivityError, Fault
from tariff.rulepack.book import PriceBook, compile_book

if TYPE_CHECKING:
    from tariff.kernels.admitted import PricedSpells
    from tariff.kernels.best_practice import Cases, Standing
    from tariff.kernels.settling import PricedItems
    from tariff.rulepack import RulePack

    Priced = tuple[PricedSpells | PricedItems, tuple[Cases, Standing] | None]
    """What a kernel finds, and the best-practice side of its lines; None for a kind that best practice does not cover."""


@dataclass(frozen=True, slots=True)
class PricedKind:
    """One kind of activity: how it is told, which optional numbers its price depends on (which codes, the questions of a rule
    pack say), where its key columns are, and how a block of it is priced."""

    name: str
    told_by: str
    columns: tuple[Column, ...]
    numbers: frozenset[str]
    line_id: str
    activity_date: str
    currency: str
    price: Callable[[pl.DataFrame, CompiledPack, bool, bool], Priced]


class CompiledPack:
    """A rule pack ready to price: its book of arrays and the maps from codes to the book's rows."""

    def __init__(self, pack: RulePack, accepted: frozenset[str] | None = None, evidence: Evidence | None = None) -> None:
        self.refusals = None if accepted is None else Refusals(pack, accepted)
        self.label: str = pack.label
        self.starts: date = pack.starts
        self.ends: date = pack.ends
        self.book: PriceBook = compile_book(pack)
        self.admitted = AdmittedCodes(pack)
        self.outpatient = OutpatientCodes(pack)
        self.emergency = EmergencyCodes(pack)
        self.unbundled = UnbundledCodes(pack)
        self.pack = pack
        self.best_practice = {
            kind: BestPracticeCodes(pack, kind, KIND_NAMED[kind].currency) for kind in ("admitted", "outpatient", "unbundled")
        }
        self.evidence = None if evidence is None or not self.best_practice["admitted"].on else EvidenceOfPack(pack, evidence)

    def codes_read(self, kind: str) -> frozenset[str]:
        """The columns of codes that the price of a line of a kind depends on under this pack's rules."""
        asked: frozenset[str] = getattr(self, kind).columns
        return asked | self.best_practice[kind].columns if kind in self.best_practice else asked

    def covered(self, block: pl.DataFrame, kind: str) -> tuple[Cases, Standing]:
        """The best-practice side of a block of a kind, and room for where its lines stand."""
        from tariff.kernels.best_practice import no_standing

        own = KIND_NAMED[kind]
        cases = self.best_practice[kind].cases(block, (own.line_id, own.activity_date), self.evidence)
        return cases, no_standing(cases.case.size - 1)


def _price_admitted(block: pl.DataFrame, pack: CompiledPack, strict: bool, explained: bool) -> Priced:
    from tariff.kernels import admitted

    spells = encode_spells(block, pack.admitted)
    cases, standing = pack.covered(block, "admitted")
    priced = admitted.price(spells, pack.book, strict_dates=strict, cases=cases, standing=standing, explained=explained)
    return priced, (cases, standing)


def _price_outpatient(block: pl.DataFrame, pack: CompiledPack, strict: bool, explained: bool) -> Priced:
    from tariff.kernels import outpatient

    attendances = encode_attendances(block, pack.outpatient)
    cases, standing = pack.covered(block, "outpatient")
    priced = outpatient.price(attendances, pack.book, strict_dates=strict, cases=cases, standing=standing, explained=explained)
    return priced, (cases, standing)


def _price_emergency(block: pl.DataFrame, pack: CompiledPack, strict: bool, explained: bool) -> Priced:
    from tariff.kernels import emergency

    attendances = encode_emergency(block, pack.emergency)
    return emergency.price(attendances, pack.book, strict_dates=strict, explained=explained), None


def _price_unbundled(block: pl.DataFrame, pack: CompiledPack, strict: bool, explained: bool) -> Priced:
    from tariff.kernels import unbundled

    items = encode_items(block, pack.unbundled)
    cases, standing = pack.covered(block, "unbundled")
    priced = unbundled.price(items, pack.book, strict_dates=strict, cases=cases, standing=standing, explained=explained)
    return priced, (cases, standing)


_STAYS: Final = frozenset(
    {
        "length_of_stay",
        "critical_care_days",
        "rehabilitation_days",
        "palliative_care_days",
        "delayed_discharge_days",
        "adjusted_length_of_stay",
    }
)
_LOCAL: Final = frozenset({"local_price"})

KINDS: Final = (
    PricedKind(
        name="admitted",
        told_by="spell_id",
        columns=ADMITTED,
        numbers=_LOCAL | _STAYS,
        line_id="spell_id",
        activity_date="discharge_date",
        currency="hrg",
        price=_price_admitted,
    ),
    PricedKind(
        name="outpatient",
        told_by="attendance_date",
        columns=OUTPATIENT,
        numbers=_LOCAL,
        line_id="attendance_id",
        activity_date="attendance_date",
        currency="hrg",
        price=_price_outpatient,
    ),
    PricedKind(
        name="emergency",
        told_by="arrival_date",
        columns=EMERGENCY,
        numbers=_LOCAL,
        line_id="attendance_id",
        activity_date="arrival_date",
        currency="hrg",
        price=_price_emergency,
    ),
    PricedKind(
        name="unbundled",
        told_by="currency",
        columns=UNBUNDLED,
        numbers=_LOCAL | {"age"},
        line_id="line_id",
        activity_date="date",
        currency="currency",
        price=_price_unbundled,
    ),
)


KIND_NAMED: Final = {kind.name: kind for kind in KINDS}


def kind_of(present: Sequence[str]) -> PricedKind:
    """The kind of activity that a frame with these columns holds. ActivityError where none or several match."""
    told = [kind for kind in KINDS if kind.told_by in present]
    if len(told) == 1:
        return told[0]
    found = " and ".join(f"{kind.told_by} ({kind.name})" for kind in told or KINDS)
    what = "has the key columns of several kinds" if told else "has none of the columns that tell the kind of activity"
    raise ActivityError(
        "The kind of activity cannot be told.", [Fault("activity", f"{what}: {found}", "name the columns as canonical")]
    )


def refuse_types(kind: PricedKind, types: Mapping[str, pl.DataType]) -> None:
    """ActivityError where a column of a frame is not of its canonical type: nothing is rounded or taken for what it may mean.
    Numbers may be whole ones of any width, codes may be coded, and a column may be blank throughout."""
    faults = []
    for column in kind.columns:
        found = types.get(column.name)
        if found is not None and found != pl.Null and not _is_such(found, column.dtype):
            wanted = f"{_WANTED[column.dtype]}{' of pence' if column.unit.startswith('pence') else ''}"
            faults.append(Fault("activity", f"the column '{column.name}' is of type {found}; {wanted} are needed", _READ_FILES))
    if faults:
        raise ActivityError(f"{len(faults)} of the activity's columns are not of the canonical types.", faults)


_WANTED: Final = {pl.String(): "texts", pl.Date(): "dates", pl.Int32(): "whole numbers", pl.Int64(): "whole numbers"}
_READ_FILES: Final = "convert it, or let tariff.read_activity read the file, which takes columns as they are filed"


def _is_such(found: pl.DataType, wanted: pl.DataType) -> bool:
    if wanted == pl.String:
        return found in (pl.String, pl.Enum, pl.Categorical)
    return found == wanted if wanted == pl.Date else found.is_integer() and found not in (pl.UInt64, pl.Int128)


@lru_cache(maxsize=32)
def compiled_pack(pack: RulePack, accepted: frozenset[str] | None = None, evidence: Evidence | None = None) -> CompiledPack:
    """The pack ready to price, made once."""
    return CompiledPack(pack, accepted, evidence)
