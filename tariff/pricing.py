"""Activity in, priced lines out: the file to read first.

`price` takes any amount of activity as a LazyFrame and returns priced lines as a LazyFrame; `price_block` does the work on a
bounded block: check and classify (`tariff.classify`), price (`tariff.kernels`), and put the answer into the one schema of
priced lines. Every row comes back, in the order it went in, with its components, the rows of the rule pack that priced it,
and one reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.activity.blocks import Lines, as_they_come
from tariff.activity.files import Source
from tariff.activity.reading import PRICING_ONLY, REPEATED, activity_to_price
from tariff.best_practice.evidence import Evidence, evidence_of
from tariff.best_practice.standing import EvidenceOfPack
from tariff.best_practice.words import standing_columns
from tariff.classify.admitted import AdmittedCodes, encode_spells
from tariff.classify.best_practice import BestPracticeCodes
from tariff.classify.calendar import financial_month, financial_year
from tariff.classify.emergency import EmergencyCodes, encode_emergency
from tariff.classify.outpatient import OutpatientCodes, encode_attendances
from tariff.classify.unbundled import UnbundledCodes, encode_items
from tariff.columns import (
    ADMITTED,
    EMERGENCY,
    OUTCOME,
    OUTPATIENT,
    POD,
    PRICED_LINE,
    READ_FAULT,
    REASON,
    SETTING,
    UNBUNDLED,
    Column,
    names,
    schema,
)
from tariff.confidence import Refusals, read_confidences
from tariff.errors import ActivityError, Fault, UsageError, did_you_mean
from tariff.reasons import OUTCOME_OF_REASON
from tariff.rulepack.book import NO_TRIM, PriceBook, compile_book

if TYPE_CHECKING:
    from tariff.kernels.admitted import PricedSpells
    from tariff.kernels.best_practice import Cases, Standing
    from tariff.kernels.settling import PricedItems
    from tariff.rulepack import RulePack

    BestPractice = tuple[Cases, Standing]
    Priced = tuple[PricedSpells | PricedItems, BestPractice | None]
    """What a kernel finds, and the best-practice side of its lines; None for a kind that best practice does not cover."""

Dates = Literal["strict", "ignore"]
PRICED_SCHEMA: Final = schema(PRICED_LINE)
_OUTCOME_OF_REASON: Final = np.array(OUTCOME_OF_REASON, dtype=np.uint8)
_EXPLAINING: Final = frozenset(
    {"adjusted_length_of_stay", "trim_point", "excess_days", "mff_millionths", "basis", "price_row", "top_up_row"}
)
"""What a kernel finds of a line to explain its price."""
_OF_DATE: Final = {"financial_year": financial_year, "month": financial_month}
_PASSED_THROUGH: Final = (
    *("parent_line_id", "commissioner", "provider", "gp_practice", "patient_id", "treatment_function", "referral_source"),
)
_NOTHING: Final[dict[str, str | int]] = {
    "units": 1,
    "excess_days": 0,
    "short_stay_pence": 0,
    "long_stay_pence": 0,
    "top_up_pence": 0,
    "top_up_row": 0,
    "best_practice_pence": 0,
    "best_practice_at_stake_pence": 0,
    "best_practice_lost_pence": 0,
    "best_practice_row": 0,
    "pathway_pence": 0,
}
"""What a priced line holds where its kind has no such thing."""


@dataclass(frozen=True, slots=True)
class PricedKind:
    """One kind of activity: how it is told, which optional columns its price depends on, where its key columns are, and how
    a block of it is priced."""

    name: str
    told_by: str
    columns: tuple[Column, ...]
    reads: frozenset[str]
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
        self._codes: dict[str, AdmittedCodes | OutpatientCodes | EmergencyCodes | UnbundledCodes] = {
            "admitted": self.admitted,
            "outpatient": self.outpatient,
            "emergency": self.emergency,
            "unbundled": self.unbundled,
        }
        self.pack = pack
        self.best_practice = {kind: BestPracticeCodes(pack, kind) for kind in ("admitted", "outpatient", "unbundled")}
        self.evidence = None if evidence is None or not self.best_practice["admitted"].on else EvidenceOfPack(pack, evidence)

    def codes_read(self, kind: str) -> frozenset[str]:
        """The columns of codes that the price of a line of a kind depends on under this pack's rules."""
        asked = self._codes[kind].columns
        return asked | self.best_practice[kind].columns if kind in self.best_practice else asked

    def covered(self, block: pl.DataFrame, kind: str) -> tuple[Cases, Standing]:
        """The best-practice side of a block of a kind, and room for where its lines stand."""
        from tariff.kernels.best_practice import no_standing

        identifier, day, currency = _KEYS[kind]
        cases = self.best_practice[kind].cases(block, (identifier, day, currency), self.evidence)
        return cases, no_standing(cases.case.size - 1)


_KEYS: Final = {
    "admitted": ("spell_id", "discharge_date", "hrg"),
    "outpatient": ("attendance_id", "attendance_date", "hrg"),
    "unbundled": ("line_id", "date", "currency"),
}
"""Columns of identifier, date and currency, by kind of activity that best practice may cover."""


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


_POLICIES: Final = frozenset(
    {"administrative_category", "commissioning_serial_number", "treatment_function", "local_price", READ_FAULT}
)
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
_LED: Final = frozenset({"main_specialty", "consultant_led", "multi_professional"})

KINDS: Final = (
    PricedKind(
        name="admitted",
        told_by="spell_id",
        columns=ADMITTED,
        reads=_POLICIES | _STAYS | {"specialised_services", "grouping_method", "best_practice"},
        line_id="spell_id",
        activity_date="discharge_date",
        currency="hrg",
        price=_price_admitted,
    ),
    PricedKind(
        name="outpatient",
        told_by="attendance_date",
        columns=OUTPATIENT,
        reads=_POLICIES | _LED | {"best_practice"},
        line_id="attendance_id",
        activity_date="attendance_date",
        currency="hrg",
        price=_price_outpatient,
    ),
    PricedKind(
        name="emergency",
        told_by="arrival_date",
        columns=EMERGENCY,
        reads=_POLICIES | {"attendance_category"},
        line_id="attendance_id",
        activity_date="arrival_date",
        currency="hrg",
        price=_price_emergency,
    ),
    PricedKind(
        name="unbundled",
        told_by="currency",
        columns=UNBUNDLED,
        reads=_POLICIES | {"age"},
        line_id="line_id",
        activity_date="date",
        currency="currency",
        price=_price_unbundled,
    ),
)


_KIND_NAMED: Final = {kind.name: kind for kind in KINDS}


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


@lru_cache(maxsize=32)
def _compiled(pack: RulePack, accepted: frozenset[str] | None = None, evidence: Evidence | None = None) -> CompiledPack:
    return CompiledPack(pack, accepted, evidence)


def price(
    activity: pl.LazyFrame | pl.DataFrame | Source,
    rules: RulePack | Sequence[RulePack],
    *,
    dates: Dates = "strict",
    columns: Sequence[str] | None = None,
    confidence: Iterable[str] | None = None,
    evidence: Evidence | pl.LazyFrame | pl.DataFrame | None = None,
) -> pl.LazyFrame:
    """Price canonical activity under one rule pack, or each line under the pack of its own date.

    `activity` is a frame of canonical activity, or files of it as `read_activity` takes them, which cost less memory and time
    given so. It holds one kind of activity, told by its key column: the columns of `columns.ADMITTED`, `OUTPATIENT`, `EMERGENCY`
    or `UNBUNDLED` (required ones at least), one row a line. Returns a LazyFrame of `columns.PRICED_LINE`, one row for each
    row in, in the same order, money in pence; it streams, so a file of any size can be priced and sunk without being held in
    memory. `dates="ignore"` prices lines that a pack's dates do not cover (one pack only); `columns` makes only those columns
    of the priced line, which is faster where few are needed; `confidence` names the labels that are accepted, and leaves
    lines that rest on any other unpriced; `evidence` (`tariff.best_practice.evidence`) says which best practice was shown, and
    without it none counts as met that the line itself does not show. Raises ActivityError where a required column is
    missing. Rules: RULES 1.1 to 3.1."""
    if not isinstance(activity, pl.LazyFrame | pl.DataFrame):
        lines = activity_to_price(activity, as_filed=PRICING_ONLY | _unwanted(columns, confidence, evidence))
        priced = pricer(lines, rules, dates=dates, columns=columns, confidence=confidence, evidence=evidence)
        return as_they_come(lambda: lines.each_block(priced.inputs, priced), priced.schema)
    frame = activity.lazy()
    priced = pricer(Lines(frame), rules, dates=dates, columns=columns, confidence=confidence, evidence=evidence)
    return frame.select(priced.inputs).map_batches(priced, schema=priced.schema, streamable=True)


def _unwanted(columns: Sequence[str] | None, *asked_of_lines: object) -> frozenset[str]:
    """Codes that no wanted column repeats. Confidence labels and evidence are found by them all the same."""
    if columns is None or any(asked is not None for asked in asked_of_lines):
        return frozenset()
    return REPEATED - set(columns) - ({"hrg"} if "currency" in columns else set())


@dataclass(frozen=True, slots=True)
class Pricer:
    """Prices blocks of canonical activity of one kind that have the columns `inputs`; the priced lines have those of `wanted`,
    where `numbered` their enumerations as numbers, which cost less to make (only for one pack and any confidence)."""

    kind: PricedKind
    packs: tuple[CompiledPack, ...]
    dates: Dates
    inputs: tuple[str, ...]
    wanted: tuple[str, ...]
    numbered: bool = False

    def for_sums(self) -> Pricer:
        """The same for lines that are only summed: their enumerations are numbers where they can be."""
        one_pack = len(self.packs) == 1 and self.packs[0].refusals is None
        return replace(self, numbered=one_pack)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns and types of the priced lines."""
        return {name: PRICED_SCHEMA[name] for name in self.wanted}

    def __call__(self, block: pl.DataFrame) -> pl.DataFrame:
        """Priced lines of a block, one for each, in order."""
        if self.numbered:
            return price_block(block, self.kind, self.packs[0], dates=self.dates, wanted=self.wanted, numbered=True)
        return _price_by_date(block, self.kind, self.packs, self.dates, self.wanted)


def pricer(
    lines: Lines,
    rules: RulePack | Sequence[RulePack],
    *,
    dates: Dates = "strict",
    columns: Sequence[str] | None = None,
    confidence: Iterable[str] | None = None,
    evidence: Evidence | pl.LazyFrame | pl.DataFrame | None = None,
) -> Pricer:
    """How `price` prices blocks of `lines`. Arguments and errors as there."""
    packs = _in_date_order(rules, None if confidence is None else read_confidences(confidence), _evidence_given(evidence))
    if dates == "ignore" and len(packs) != 1:
        raise UsageError("Dates can be ignored under one rule pack only: name the year whose prices are wanted.")
    present, wanted = lines.whole.collect_schema().names(), _wanted(columns)
    kind = _KIND_NAMED.get(lines.kind) or kind_of(present)
    return Pricer(kind, packs, dates, tuple(_inputs(kind, packs, present, wanted, identified=lines.identified)), wanted)


def _evidence_given(evidence: Evidence | pl.LazyFrame | pl.DataFrame | None) -> Evidence | None:
    return evidence if evidence is None or isinstance(evidence, Evidence) else evidence_of(evidence)


def _wanted(columns: Sequence[str] | None) -> tuple[str, ...]:
    if columns is None:
        return tuple(PRICED_SCHEMA)
    unknown = [name for name in columns if name not in PRICED_SCHEMA]
    if unknown:
        told = [
            Fault("columns", f"'{name}' is no column of a priced line", did_you_mean(name, PRICED_SCHEMA)) for name in unknown
        ]
        raise UsageError("Some wanted columns do not exist.", told)
    return tuple(dict.fromkeys(columns))


def price_expression(
    rules: RulePack,
    columns: Sequence[str],
    *,
    dates: Dates = "strict",
    evidence: Evidence | pl.LazyFrame | pl.DataFrame | None = None,
) -> pl.Expr:
    """The same prices as an expression: a struct of `columns.PRICED_LINE` from the canonical `columns` of the frame; `dates` and
    `evidence` as for `price`.

    It works row by row, so it may stand in any lazy query: `frame.with_columns(priced=tariff.price_expression(rules, cols))`."""
    kind = kind_of(columns)
    packs = _in_date_order(rules, evidence=_evidence_given(evidence))

    def priced(series: Sequence[pl.Series]) -> pl.Series:
        return _price_by_date(pl.DataFrame(list(series)), kind, packs, dates, tuple(PRICED_SCHEMA)).to_struct("priced")

    return pl.map_batches(
        _inputs(kind, packs, columns, tuple(PRICED_SCHEMA)), priced, return_dtype=pl.Struct(PRICED_SCHEMA), is_elementwise=True
    )


def _in_date_order(
    rules: RulePack | Sequence[RulePack], accepted: frozenset[str] | None = None, evidence: Evidence | None = None
) -> tuple[CompiledPack, ...]:
    packs = tuple(rules) if isinstance(rules, Sequence) else (rules,)
    if not packs:
        raise UsageError("No rule pack was given to price with.")
    ordered = tuple(sorted((_compiled(pack, accepted, evidence) for pack in packs), key=lambda pack: pack.starts))
    for earlier, later in pairwise(ordered):
        if later.starts <= earlier.ends:
            raise UsageError(f"Rule packs {earlier.label} and {later.label} cover the same dates: give one of them.")
    return ordered


def _inputs(
    kind: PricedKind,
    packs: Iterable[CompiledPack],
    present: Sequence[str],
    wanted: Sequence[str],
    *,
    identified: bool = False,
) -> list[str]:
    """The columns of the frame that the wanted columns depend on. ActivityError where required ones are missing."""
    required = [name for name in names(kind.columns, required_only=True) if not (identified and name == kind.line_id)]
    missing = [name for name in required if name not in present]
    if missing:
        others = [name for name in present if name not in names(kind.columns)]
        faults = [Fault("activity", f"no column '{name}'", did_you_mean(name, others)) for name in missing]
        raise ActivityError(f"The activity lacks {len(missing)} of the columns that {kind.name} care needs.", faults)
    codes = frozenset().union(*(pack.codes_read(kind.name) for pack in packs))
    kept = {column.name for column in kind.columns if column.dtype == pl.String} - codes
    read = {*required, *(kind.reads - kept), *(name for name in wanted if name in _PASSED_THROUGH)}
    return [name for name in present if name in read]


def _price_by_date(
    block: pl.DataFrame, kind: PricedKind, packs: tuple[CompiledPack, ...], dates: Dates, wanted: tuple[str, ...]
) -> pl.DataFrame:
    """Each line under the pack of its own date; lines that no pack covers are unpriced `no_pack_for_date`."""
    if len(packs) == 1:
        return price_block(block, kind, packs[0], dates=dates, wanted=wanted)
    chosen, covered = _pack_of_each(block[kind.activity_date], packs)
    row = pl.Series("row", np.arange(block.height))
    parts = []
    for number, pack in enumerate(packs):
        its_own = pl.Series(chosen == number)
        if its_own.any() or (number == 0 and block.height == 0):
            priced = price_block(block.filter(its_own), kind, pack, wanted=tuple(PRICED_SCHEMA))
            parts.append(priced.with_columns(row.filter(its_own)))
    whole = pl.concat(parts).sort("row").drop("row")
    return (whole if covered.all() else _without_pack(whole, pl.Series(~covered))).select(wanted)


def _pack_of_each(dates: pl.Series, packs: tuple[CompiledPack, ...]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For every line the number of the pack of its date (the nearest before, where none covers it), and whether it covers it.
    A line without a date belongs to any pack: it is unfinished in all of them."""
    starts = np.array([pack.starts for pack in packs], dtype="datetime64[D]").astype(np.int32)
    ends = np.array([pack.ends for pack in packs], dtype="datetime64[D]").astype(np.int32)
    days = dates.to_physical()
    day = days.fill_null(int(starts[0])).to_numpy()
    chosen = np.maximum(np.searchsorted(starts, day, side="right") - 1, 0)
    covered = days.is_null().to_numpy() | ((day >= starts[chosen]) & (day <= ends[chosen]))
    return chosen, covered


def _without_pack(priced: pl.DataFrame, uncovered: pl.Series) -> pl.DataFrame:
    no_pack = uncovered & (priced["reason"] == "outside_pack_dates")
    return priced.with_columns(
        reason=pl.when(no_pack).then(pl.lit("no_pack_for_date", dtype=REASON)).otherwise("reason"),
        indicative_pence=pl.when(no_pack).then(None).otherwise("indicative_pence"),
        pack=pl.when(no_pack).then(None).otherwise("pack"),
    )


def price_block(
    block: pl.DataFrame,
    kind: PricedKind,
    pack: CompiledPack,
    *,
    dates: Dates = "strict",
    wanted: Sequence[str] = tuple(PRICED_SCHEMA),
    numbered: bool = False,
) -> pl.DataFrame:
    """Price one bounded block of canonical activity; rows come back in order, as columns of `columns.PRICED_LINE`. Where they are
    `numbered`, enumerations are the numbers of their words."""
    asked = wanted if pack.refusals is None else tuple(PRICED_SCHEMA)
    priced, best = kind.price(block, pack, dates == "strict", not _EXPLAINING.isdisjoint(asked))
    lines = _priced_lines(block, kind, priced, best, pack, asked, numbered=numbered)
    return lines if pack.refusals is None else pack.refusals.refuse(lines).select(wanted)


def _enumeration(codes: NDArray[np.uint8], dtype: pl.Enum, *, numbered: bool) -> pl.Series:
    return pl.Series(codes) if numbered else pl.Series(codes).cat.to(dtype)


def _with_blanks(numbers: NDArray[Any], blank: int) -> pl.Series:
    series = pl.Series(numbers)
    blanks = numbers == blank
    return series.set(pl.Series(blanks), None) if blanks.any() else series


def _priced_lines(
    block: pl.DataFrame,
    kind: PricedKind,
    priced: PricedSpells | PricedItems,
    best: BestPractice | None,
    pack: CompiledPack,
    wanted: Sequence[str],
    *,
    numbered: bool,
) -> pl.DataFrame:
    """The wanted columns of `columns.PRICED_LINE`; what is not wanted is not made."""
    from tariff.kernels.settling import BLANK, BLANK_PENCE

    blanks = {"adjusted_length_of_stay": BLANK, "trim_point": NO_TRIM, "indicative_pence": BLANK_PENCE}
    enumerations = {"pod": POD, "setting": SETTING, "reason": REASON}
    renamed = {"line_id": kind.line_id, "activity_date": kind.activity_date, "currency": kind.currency}
    same_throughout: dict[str, str | int] = {**_NOTHING, "kind": kind.name, "pack": pack.label}
    columns: dict[str, pl.Series] = {}
    if best is not None and best[0].place.size:
        columns.update(standing_columns(*best, pack.pack, pack.evidence, wanted))
    for name in wanted:
        dtype, source = PRICED_SCHEMA[name], renamed.get(name, name)
        if name in columns:
            continue
        if name in _OF_DATE:
            columns[name] = _OF_DATE[name](block[kind.activity_date])
        elif name == "outcome":
            columns[name] = _enumeration(_OUTCOME_OF_REASON[priced.reason], OUTCOME, numbered=numbered)
        elif name in enumerations:
            columns[name] = _enumeration(getattr(priced, name), enumerations[name], numbered=numbered)
        elif name in priced._fields:
            numbers = getattr(priced, name)
            columns[name] = _with_blanks(numbers, blanks[name]) if name in blanks else pl.Series(numbers)
        elif name == "units" and "units" in block.columns:
            columns[name] = block["units"].cast(dtype).fill_null(0)
        elif source in block.columns and (name in renamed or name in _PASSED_THROUGH):
            columns[name] = block[source].cast(dtype)
        else:
            columns[name] = pl.repeat(same_throughout.get(name), block.height, dtype=dtype, eager=True)
    return pl.DataFrame({name: columns[name] for name in wanted})
