"""The sweep over one partition: lines and register entries to arrays, windows opened, lines put into windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import PATHWAY_FLAGS
from tariff.kernels.pathways import (
    ALONGSIDE,
    ANTENATAL,
    BIRTH,
    C_FIRST_FLAG,
    EARLIER_WINS,
    EPISODE,
    LATER_WINS,
    NO_CODE,
    NOBODY,
    OPENED,
    POSTNATAL,
    PREGNANCY,
    SETTLED,
    WINDOW,
    merged_stays,
    open_episodes,
    open_phases,
    open_years,
    put_into_windows,
)
from tariff.pathways.care import CARE
from tariff.pathways.definitions import Definition, Definitions
from tariff.pathways.registered import FOREVER
from tariff.pathways.selecting import code_for, columns_read, fits_any, status_by
from tariff.pathways.turns import NUMBER, Whole, firsts, numbered, turns
from tariff.rulepack.pathway_model import AnchoredEpisode, FlaggedSelector, PhasedPathway, YearOfCare

_TIES: Final = ("kind", "provider", "line_id", "currency", "price_pence", "commissioner")
"""What breaks ties between a patient's lines of the same days, so that no order of the files matters."""
_NO_FACTOR, _STAY_ABOVE_LIMIT, _MISSING_PATIENT = (
    1 + PATHWAY_FLAGS.index(flag) for flag in ("no_factor", "stay_above_limit", "missing_patient")
)
PHASES: Final = {ANTENATAL: "antenatal", BIRTH: "birth", POSTNATAL: "postnatal"}
_DEATH: Final = "4"
"""Discharge method of a patient who died."""


@dataclass(frozen=True, slots=True)
class Swept:
    """Lines in the order of the sweep with `window`, `category` (number, -1 none) and `pathway_pence`; register entries in
    theirs; windows, one a row, as `kernels.pathways.WINDOW` names their columns, with patient, lead provider, commissioner and
    what is inside."""

    lines: pl.DataFrame
    entries: pl.DataFrame
    windows: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Lines and entries by patient and turn, and as arrays. Providers and commissioners are numbers of `codes`."""

    lines: pl.DataFrame
    entries: pl.DataFrame
    first: Whole
    first_entry: Whole
    start: Whole
    end: Whole
    provider: Whole
    commissioner: Whole
    entry_provider: Whole
    entry_commissioner: Whole
    codes: pl.Series


_LOOKED_AT: Final = (
    "row", "patient_id", "kind", "provider", "line_id", "commissioner", "start", "end", "currency", "discharge_method",
    "admission_method", "priced", "without_price", "other_payer", "price_pence", "pod", "treatment_function", "financial_year",
    "month",
)  # fmt: skip


def columns_swept(definitions: Definitions) -> list[str]:
    """The columns of lines of care that a sweep needs: those that order and settle lines, and those that definitions look at."""
    read = set(_LOOKED_AT)
    for its, _ in definitions.pathways:
        read |= columns_read((*its.inside, *its.outside, *its.complications))
        if not isinstance(its, YearOfCare):
            read |= columns_read(its.trigger)
        if isinstance(its, AnchoredEpisode):
            read |= columns_read((*its.not_opened, *its.levels))
        if isinstance(its, PhasedPathway):
            read |= columns_read(its.birth)
    return [name for name in CARE if name in read]


def triggers(definitions: Definitions) -> pl.Expr:
    """Whether a line triggers a definition of the pack of its date; none triggers a year of care."""
    return reduce(or_, (_triggers(definition, definitions) for definition in definitions.pathways), pl.col("priced").is_null())


def _triggers(definition: Definition, definitions: Definitions) -> pl.Expr:
    its, pack = definition
    if isinstance(its, YearOfCare):
        return pl.col("priced").is_null()
    since, until = definitions.bounds(pack)
    return fits_any(its.trigger) & pl.col("end").is_between(since, until)


def sweep(lines: pl.DataFrame, entries: pl.DataFrame, definitions: Definitions) -> Swept:
    """Form the pathways of the patients in `lines` (`care.CARE`) and `entries` (`registered.entries_for`)."""
    by_turn = _sorted(lines, entries)
    lines, entries, first = by_turn.lines, by_turn.entries, by_turn.first
    trigger, barred = _triggered(lines, definitions)
    stay, following = _stays(by_turn, definitions)
    died = lines["discharge_method"].str.starts_with(_DEATH).to_numpy()
    settled = _settled(definitions)
    entry = [entries[name].to_numpy() for name in ("definition", "role", "start", "end", "barred")]
    windows = _by_turn(
        open_episodes(
            first, by_turn.start, by_turn.end, died, stay, following, trigger, barred, _families(definitions, AnchoredEpisode),
            _episode_terms(definitions), _meetings(definitions),
        ),
        open_phases(
            first, by_turn.start, by_turn.end, trigger, barred, _families(definitions, PhasedPathway), _family_of(definitions),
            _pregnancy_terms(definitions), by_turn.first_entry, *entry,
        ),
        open_years(_yearly(definitions), _longest_years(definitions), settled, by_turn.first_entry, *entry),
    )  # fmt: skip
    lead, payer = (
        _lead(windows, by_turn, definitions),
        _of_anchor_or_entry(windows, by_turn.commissioner, by_turn.entry_commissioner),
    )
    window, category, pence, complications = put_into_windows(
        first, by_turn.start, by_turn.end, by_turn.provider, by_turn.commissioner, lines["price_pence"].to_numpy(),
        lines["priced"].to_numpy(), _codes(lines, windows, definitions), following, trigger, barred,
        firsts(windows[0], len(first) - 1), windows, lead, payer, settled, int(_episode_terms(definitions)[:, 0].max(initial=0)),
    )  # fmt: skip
    swept = lines.with_columns(
        window=pl.Series(window, dtype=pl.Int64),
        category=pl.Series(category, dtype=pl.Int16),
        pathway_pence=pl.Series(pence, dtype=pl.Int64),
    )
    told = {"lead_provider": by_turn.codes.gather(lead), "commissioner": by_turn.codes.gather(payer)}
    return Swept(swept, entries, _windows(windows, swept, entries, complications).with_columns(**told))


# --- lines and entries as arrays -------------------------------------------------------------------------------------------


def _sorted(lines: pl.DataFrame, entries: pl.DataFrame) -> _Sorted:
    of_lines, of_entries, patients = _patient_numbers(lines["patient_id"], entries["patient_id"])
    lines = lines.with_columns(pl.Series(NUMBER, of_lines))
    lines = lines[turns(lines, _TIES)]
    entries = entries.with_columns(pl.Series(NUMBER, of_entries)).sort(
        NUMBER, "start", "end", "provider", "level", "definition", "role"
    )
    coded = [lines["provider"], lines["commissioner"], entries["provider"], entries["commissioner"]]
    codes = pl.concat(coded).unique().sort()
    provider, commissioner, entry_provider, entry_commissioner = (_numbers(series, codes) for series in coded)
    start, end = (lines[name].to_physical().cast(pl.Int64).to_numpy() for name in ("start", "end"))
    first, first_entry = (firsts(frame[NUMBER].to_numpy(), patients) for frame in (lines, entries))
    return _Sorted(
        lines, entries, first, first_entry, start, end, provider, commissioner, entry_provider, entry_commissioner, codes
    )


def _patient_numbers(of_lines: pl.Series, of_entries: pl.Series) -> tuple[Whole, Whole, int]:
    """A number for the patient of every line and entry, and how many there are. Every line without a patient is a patient of its
    own: it is nobody's, and least of all the next one's."""
    together = pl.concat([of_lines, of_entries])
    numbers = numbered(together)
    nobody = (together == "").to_numpy()
    known = int(numbers.max(initial=-1)) + 1
    unknown = int(nobody.sum())
    numbers = np.where(nobody, known + np.cumsum(nobody) - 1, numbers)
    return numbers[: len(of_lines)], numbers[len(of_lines) :], known + unknown


def _numbers(series: pl.Series, codes: pl.Series) -> Whole:
    numbers: Whole = series.cast(pl.Enum(codes)).to_physical().cast(pl.Int64).to_numpy()
    return numbers


def _triggered(lines: pl.DataFrame, definitions: Definitions) -> tuple[Whole, Whole]:
    """Line by family: the definition that a line triggers, or NOBODY, and its status as an anchor of it."""
    shape = (lines.height, len(definitions.families))
    trigger, barred = np.full(shape, NOBODY, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for number, definition in enumerate(definitions.pathways):
        if isinstance(definition.its, YearOfCare):
            continue
        family = definitions.family_of(definition)
        opening = np.flatnonzero(lines.select(its=_triggers(definition, definitions))["its"].to_numpy())
        anchors = lines[opening]
        trigger[opening, family] = number
        barred[opening, family] = anchors.select(its=_barred(definition, anchors))["its"].to_numpy()
    return trigger, barred


def _barred(definition: Definition, anchors: pl.DataFrame) -> pl.Expr:
    """Status of a line as an anchor: without a patient, what the definition says of it, whether its provider has a factor."""
    its, pack = definition
    assert not isinstance(its, YearOfCare)
    flagged: tuple[FlaggedSelector, ...] = its.not_opened if isinstance(its, AnchoredEpisode) else ()
    status = status_by(flagged, without_price=its.anchor_without_price == "opened")
    if isinstance(its, PhasedPathway):
        days = (pl.col("end") - pl.col("start")).dt.total_days()
        status = pl.when((status == OPENED) & (days > its.longest_birth_days)).then(_STAY_ABOVE_LIMIT).otherwise(status)
    if its.market_forces:
        without = [code for code in anchors["provider"].unique() if pack.factor_of(code) is None]
        status = pl.when((status == OPENED) & pl.col("provider").is_in(without)).then(_NO_FACTOR).otherwise(status)
    return pl.when(pl.col("patient_id") == "").then(_MISSING_PATIENT).otherwise(status).cast(pl.Int64)


def _codes(lines: pl.DataFrame, windows: Whole, definitions: Definitions) -> NDArray[np.uint8]:
    """Line by definition: what a line is to it. Definitions without a window are nothing to any line."""
    codes = np.full((lines.height, len(definitions.pathways)), NO_CODE, dtype=np.uint8)
    for number in np.unique(windows[WINDOW.index("definition")]):
        codes[:, number] = lines.select(its=code_for(definitions.pathways[number].its))["its"].to_numpy()
    return codes


def _stays(by_turn: _Sorted, definitions: Definitions) -> tuple[Whole, Whole]:
    """The first line of every line's stay, and the next one of it."""
    lines = by_turn.lines
    admitted = lines["kind"] == "admitted"
    moved = np.zeros(lines.height, dtype=np.bool_)
    gap_days, longest_stay = np.zeros(lines.height, dtype=np.int64), np.zeros(lines.height, dtype=np.int64)
    for pack in definitions.packs:
        rule = pack.transfers
        if rule is None or not rule.admission_methods:
            continue
        by_transfer = reduce(or_, (lines["admission_method"].str.starts_with(method) for method in rule.admission_methods))
        own = (admitted & by_transfer & lines["end"].is_between(*definitions.bounds(pack))).to_numpy()
        moved |= own
        gap_days[own], longest_stay[own] = rule.gap_days, rule.longest_stay_days
    if not moved.any():
        return np.arange(lines.height), np.full(lines.height, NOBODY, dtype=np.int64)
    stay, following = merged_stays(
        by_turn.first, by_turn.start, by_turn.end, by_turn.provider, admitted.to_numpy(), moved, gap_days, longest_stay
    )
    return stay, following


# --- what definitions say, as arrays ---------------------------------------------------------------------------------------


def _family_of(definitions: Definitions) -> Whole:
    return np.array([definitions.family_of(definition) for definition in definitions.pathways], dtype=np.int64)


def _families(definitions: Definitions, method: type[AnchoredEpisode | PhasedPathway]) -> NDArray[np.bool_]:
    """Which families are formed by a method; no line triggers a definition of another method under the same name."""
    names = {its.name for its, _ in definitions.pathways if isinstance(its, method)}
    return np.array([name in names for name in definitions.families], dtype=np.bool_)


def _yearly(definitions: Definitions) -> NDArray[np.bool_]:
    return np.array([isinstance(its, YearOfCare) for its, _ in definitions.pathways], dtype=np.bool_)


def _table(rows: Iterator[dict[str, int] | None], columns: tuple[str, ...]) -> Whole:
    told = [[0 if row is None else row[name] for name in columns] for row in rows]
    return np.array(told, dtype=np.int64).reshape(len(told), len(columns))


def _episode_terms(definitions: Definitions) -> Whole:
    def terms(its: object) -> dict[str, int] | None:
        if not isinstance(its, AnchoredEpisode):
            return None
        return {
            "look_back": its.look_back_days,
            "window": its.window_days,
            "from_admission": its.window_from == "admission",
            "warranty": its.warranty_days,
            "longest_anchor": its.longest_anchor_days,
            "death_bars": its.death_in_anchor == "not_opened",
        }

    return _table((terms(its) for its, _ in definitions.pathways), EPISODE)


def _pregnancy_terms(definitions: Definitions) -> Whole:
    def terms(its: object) -> dict[str, int] | None:
        if not isinstance(its, PhasedPathway):
            return None
        return {
            "same_birth": its.same_birth_days,
            "longest_antenatal": its.longest_antenatal_days,
            "postnatal": its.postnatal_days,
        }

    return _table((terms(its) for its, _ in definitions.pathways), PREGNANCY)


def _settled(definitions: Definitions) -> Whole:
    def settled(definition: Definition) -> dict[str, int]:
        its, pack = definition
        yearly = isinstance(its, YearOfCare)
        return {
            "same_commissioner": its.same_commissioner_only,
            "lead_only": its.lead_provider_only,
            "by_days": its.proration == "by_days",
            "settlement": its.settlement_days,
            "same_birth": its.same_birth_days if isinstance(its, PhasedPathway) else 0,
            "ends_from": day_number(pack.since) if yearly else -FOREVER,
            "ends_until": day_number(pack.until) if yearly else FOREVER,
            "family": definitions.family_of(definition),
        }

    return _table((settled(definition) for definition in definitions.pathways), SETTLED)


def _longest_years(definitions: Definitions) -> Whole:
    longest = [its.longest_days if isinstance(its, YearOfCare) else None for its, _ in definitions.pathways]
    return np.array([FOREVER if days is None else days for days in longest], dtype=np.int64)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def _meetings(definitions: Definitions) -> Whole:
    """What an anchor of one family (column) does in a window of a definition (row)."""
    meetings = np.full((len(definitions.pathways), len(definitions.families)), EARLIER_WINS, dtype=np.int64)
    for number, (its, _) in enumerate(definitions.pathways):
        if isinstance(its, AnchoredEpisode):
            for family, name in enumerate(definitions.families):
                if name in its.yields_to:
                    meetings[number, family] = LATER_WINS
                elif name in its.alongside:
                    meetings[number, family] = ALONGSIDE
    return meetings


# --- windows ---------------------------------------------------------------------------------------------------------------


def _by_turn(*found: Whole) -> Whole:
    """All windows by patient and turn: the day they were opened, then definition, phase, anchor and entry."""
    windows = np.concatenate(found, axis=1)
    keys = ("entry", "anchor", "phase", "definition", "opened", "patient")
    order = np.lexsort([windows[WINDOW.index(name)] for name in keys])
    return np.ascontiguousarray(windows[:, order])


def _of_anchor_or_entry(windows: Whole, of_lines: Whole, of_entries: Whole) -> Whole:
    """The number of a code: the register entry's where there is one, else the anchor's."""
    entry, anchor = windows[WINDOW.index("entry")], windows[WINDOW.index("anchor")]
    numbers = np.zeros(len(entry), dtype=np.int64)
    by_entry = entry != NOBODY
    numbers[by_entry] = of_entries[entry[by_entry]]
    numbers[~by_entry] = of_lines[anchor[~by_entry]]
    return numbers


def _lead(windows: Whole, by_turn: _Sorted, definitions: Definitions) -> Whole:
    lead = _of_anchor_or_entry(windows, by_turn.provider, by_turn.entry_provider)
    first_of_stay = np.array(
        [isinstance(its, AnchoredEpisode) and its.lead_provider == "first_of_stay" for its, _ in definitions.pathways],
        dtype=np.bool_,
    )
    if first_of_stay.any():
        moved = first_of_stay[windows[WINDOW.index("definition")]]
        lead[moved] = by_turn.provider[windows[WINDOW.index("head")][moved]]
    return lead


def _windows(windows: Whole, lines: pl.DataFrame, entries: pl.DataFrame, complications: NDArray[np.int32]) -> pl.DataFrame:
    """Windows with their patient and what is inside: lines and their episodic value."""
    columns = {name: pl.Series(row, dtype=pl.Int64) for name, row in zip(WINDOW, windows, strict=True)}
    frame = pl.DataFrame(columns).with_row_index("window").with_columns(pl.col("window").cast(pl.Int64))
    inside = lines.filter(pl.col("category").is_between(0, C_FIRST_FLAG - 1))
    worth = inside.group_by("window").agg(lines=pl.len().cast(pl.Int32), episodic_pence=pl.col("pathway_pence").sum())
    by_anchor, by_entry = (pl.when(pl.col(name) != NOBODY).then(name) for name in ("anchor", "entry"))
    return (
        frame.with_columns(
            patient_id=pl.coalesce(pl.lit(lines["patient_id"]).gather(by_anchor), pl.lit(entries["patient_id"]).gather(by_entry)),
            complications=pl.Series(complications, dtype=pl.Int32),
        )
        .join(worth, on="window", how="left", maintain_order="left")
        .with_columns(pl.col("lines").fill_null(0), pl.col("episodic_pence").fill_null(0))
    )
