"""Activity in, priced lines out: the file to read first.

`price` takes any amount of activity, as a frame or as files, and returns priced lines as a LazyFrame. The work is done on bounded
blocks, each by the kind of its activity (`tariff.kinds`) and under the pack of each line's own date: check and classify
(`tariff.classify`), price (`tariff.kernels`), and put the answer into the one schema of priced lines (`tariff.block`). Every row
comes back, in the order it went in, with its components, the rows of the rule pack that priced it, and one reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.activity.blocks import Lines, as_they_come
from tariff.activity.files import Source
from tariff.activity.reading import PRICING_ONLY, REPEATED, activity_to_price
from tariff.best_practice.evidence import Evidence, evidence_of
from tariff.block import PASSED_THROUGH, PRICED_SCHEMA, price_block
from tariff.columns import REASON, names, names_given
from tariff.confidence import read_confidences
from tariff.errors import ActivityError, Fault, UsageError, did_you_mean
from tariff.kinds import KIND_NAMED, CompiledPack, PricedKind, compiled_pack, kind_of, refuse_types

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

Dates = Literal["strict", "ignore"]


def price(
    activity: pl.LazyFrame | pl.DataFrame | Source,
    rules: RulePack | Sequence[RulePack],
    *,
    dates: Dates = "strict",
    columns: str | Sequence[str] | None = None,
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
    without it none counts as met that the line itself does not show. Unbundled items written on spells are lines of their own,
    not among these: price `activity.attached_items` besides, as `tariff price` does. Raises ActivityError where a required column
    is missing or a column is not of its canonical type, UsageError for other arguments. Rules: RULES 1.1 to 3.1."""
    columns = None if columns is None else names_given(columns)
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
            return price_block(
                block, self.kind, self.packs[0], strict_dates=self.dates == "strict", wanted=self.wanted, numbered=True
            )
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
    _refuse_dates(dates, len(packs))
    types, wanted = lines.whole.collect_schema(), _wanted(columns)
    kind = KIND_NAMED.get(lines.kind) or kind_of(types.names())
    inputs = _inputs(kind, packs, types.names(), wanted, identified=lines.identified)
    refuse_types(kind, {name: types[name] for name in inputs})
    return Pricer(kind, packs, dates, tuple(inputs), wanted)


def _refuse_dates(dates: str, packs: int) -> None:
    known = get_args(Dates)
    if dates not in known:
        told = Fault("dates", f"'{dates}' is none of {', '.join(known)}", did_you_mean(dates, known))
        raise UsageError("Dates cannot be treated so.", [told])
    if dates == "ignore" and packs != 1:
        raise UsageError("Dates can be ignored under one rule pack only: name the year whose prices are wanted.")


def _evidence_given(evidence: object) -> Evidence | None:
    if evidence is None or isinstance(evidence, Evidence):
        return evidence
    if not isinstance(evidence, pl.LazyFrame | pl.DataFrame):
        told = Fault("evidence", f"a {type(evidence).__name__} was given", "give tariff.read_evidence of the files, or a frame")
        raise UsageError("This is no evidence.", [told])
    return evidence_of(evidence)


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
    _refuse_dates(dates, len(packs))

    def priced(series: Sequence[pl.Series]) -> pl.Series:
        refuse_types(kind, {one.name: one.dtype for one in series})
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
    ordered = tuple(sorted((compiled_pack(pack, accepted, evidence) for pack in packs), key=lambda pack: pack.starts))
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
    read = {*required, *kind.numbers, *codes, *(name for name in wanted if name in PASSED_THROUGH)}
    return [name for name in present if name in read]


def _price_by_date(
    block: pl.DataFrame, kind: PricedKind, packs: tuple[CompiledPack, ...], dates: Dates, wanted: tuple[str, ...]
) -> pl.DataFrame:
    """Each line under the pack of its own date; lines that no pack covers are unpriced `no_pack_for_date`."""
    if len(packs) == 1:
        return price_block(block, kind, packs[0], strict_dates=dates == "strict", wanted=wanted)
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
