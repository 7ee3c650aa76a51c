"""The sweep over one partition: lines and register entries to arrays, windows opened, lines put into windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import PATHWAY_FLAGS
from tariff.kernels.pathways import (
    ALONGSIDE,
    ANCHORED,
    ANTENATAL,
    BIRTH,
    EARLIER_WINS,
    LATER_WINS,
    NOBODY,
    PHASED,
    POSTNATAL,
    YEARLY,
    merged_stays,
    open_episodes,
    open_phases,
    open_years,
    put_into_windows,
)
from tariff.pathways.definitions import Definitions
from tariff.pathways.registered import FOREVER
from tariff.pathways.selecting import code_for, fits_any, status_by
from tariff.rulepack.pathway_model import AnchoredEpisode, AnyPathway, FlaggedSelector, PhasedPathway, YearOfCare

Whole = NDArray[np.int64]
LINE_ORDER: Final = (
    "patient_id", "start", "end", "kind", "provider", "line_id", "currency", "price_pence", "commissioner",
)  # fmt: skip
"""The order of a patient's lines; what follows `end` breaks ties on one day, so that no order of the files matters."""
_NO_FACTOR, _STAY_ABOVE_LIMIT = (1 + PATHWAY_FLAGS.index(flag) for flag in ("no_factor", "stay_above_limit"))
PHASES: Final = {ANTENATAL: "antenatal", BIRTH: "birth", POSTNATAL: "postnatal"}
_DEATH: Final = "4"
"""Discharge method of a patient who died."""


@dataclass(frozen=True, slots=True)
class Swept:
    """Lines in the order of the sweep with `window`, `category` (number, -1 none) and `pathway_pence`; windows, one a row, as
    `kernels.pathways.Windows` names their columns, with the lead provider, commissioner and what is inside."""

    lines: pl.DataFrame
    windows: pl.DataFrame


def triggers(definitions: Definitions) -> list[pl.Expr]:
    """For every definition whether a line triggers it; none triggers a year of care."""
    never = pl.col("priced").is_null()
    return [
        (never if isinstance(definition, YearOfCare) else fits_any(definition.trigger)).alias(f"trigger_{number}")
        for number, definition in enumerate(definitions.pathways)
    ]


def sweep(lines: pl.DataFrame, entries: pl.DataFrame, definitions: Definitions) -> Swept:
    """Form the pathways of the patients in `lines` (`care.CARE`) and `entries` (`registered.entries_for`, sorted)."""
    lines = _of_patients_concerned(lines, entries, definitions).sort(LINE_ORDER)
    patients = pl.concat([lines["patient_id"], entries["patient_id"]]).unique().sort()
    providers, commissioners = (_codes(lines[name], entries[name]) for name in ("provider", "commissioner"))
    start, end = (lines[name].to_physical().cast(pl.Int64).to_numpy() for name in ("start", "end"))
    first, first_entry = _firsts(lines["patient_id"], patients), _firsts(entries["patient_id"], patients)
    method = np.array([_method(definition) for definition in definitions.pathways], dtype=np.int64)
    trigger = _table(lines, triggers(definitions), np.bool_)
    barred = _table(lines, [_barred(its, lines, definitions) for its in definitions.pathways], np.int64)
    stay = _stays(lines, first, start, end, providers[0], definitions)
    entry = {name: entries[name].to_numpy() for name in ("definition", "role", "start", "end", "barred")}
    in_turn = (first_entry, entry["definition"], entry["role"], entry["start"], entry["end"], entry["barred"])
    died = lines["discharge_method"].str.starts_with(_DEATH).to_numpy()
    found = _in_turn(
        open_episodes(first, start, end, died, stay, trigger, barred, method, _terms(definitions), _meetings(definitions)),
        open_phases(first, start, end, trigger, barred, method, _phase_terms(definitions), *in_turn),
        open_years(method, _longest_years(definitions), _since(definitions), *in_turn),
    )
    lead, payer = _lead(found, providers, definitions), _of_anchor_or_entry(found, *commissioners)
    settings = definitions.pathways
    window, category, pence, complications = put_into_windows(
        first,
        start,
        end,
        providers[0],
        commissioners[0],
        lines["price_pence"].to_numpy(),
        lines["priced"].to_numpy(),
        _table(lines, [code_for(its) for its in settings], np.uint8),
        trigger,
        barred,
        stay,
        np.searchsorted(found["patient"], np.arange(len(patients) + 1)),
        *(found[name] for name in ("definition", "phase", "status", "start", "end", "warranty_end", "anchor", "head")),
        lead,
        payer,
        np.array([its.same_commissioner_only for its in settings], dtype=np.bool_),
        np.array([its.lead_provider_only for its in settings], dtype=np.bool_),
        np.array([its.proration == "by_days" for its in settings], dtype=np.bool_),
        np.array([its.settlement_days for its in settings], dtype=np.int64),
        _phase_terms(definitions)[:, 0].copy(),
        np.where(method == YEARLY, _since(definitions), -FOREVER),
    )
    swept = lines.with_columns(
        window=pl.Series(window, dtype=pl.Int64),
        category=pl.Series(category, dtype=pl.Int16),
        pathway_pence=pl.Series(pence, dtype=pl.Int64),
    )
    windows = _windows(found, swept, entries, patients, complications)
    names, payers = providers[2], commissioners[2]
    return Swept(
        swept,
        windows.with_columns(
            lead_provider=names.gather(pl.Series(lead, dtype=pl.Int64)),
            commissioner=payers.gather(pl.Series(payer, dtype=pl.Int64)),
        ),
    )


def _of_patients_concerned(lines: pl.DataFrame, entries: pl.DataFrame, definitions: Definitions) -> pl.DataFrame:
    """Lines of patients with a trigger or a register entry; nobody else can have a pathway."""
    triggering = lines.filter(reduce(or_, triggers(definitions), pl.col("priced").is_null()))
    concerned = pl.concat([triggering.select("patient_id"), entries.select("patient_id")]).unique()
    return lines.join(concerned, on="patient_id", how="semi")


def _codes(of_lines: pl.Series, of_entries: pl.Series) -> tuple[Whole, Whole, pl.Series]:
    """Numbers for codes, of lines and of entries, and the codes by number."""
    codes = pl.concat([of_lines, of_entries]).unique().sort()
    enumeration = pl.Enum(codes)
    numbers = [series.cast(enumeration).to_physical().cast(pl.Int64).to_numpy() for series in (of_lines, of_entries)]
    return numbers[0], numbers[1], codes


def _firsts(sorted_patients: pl.Series, patients: pl.Series) -> Whole:
    """Where each patient's rows begin, and their number at the end."""
    firsts = sorted_patients.search_sorted(patients, side="left").cast(pl.Int64).to_numpy()
    return np.append(firsts, len(sorted_patients)).astype(np.int64)


def _table(lines: pl.DataFrame, expressions: list[pl.Expr], dtype: Any) -> NDArray[Any]:
    """Line by definition, row by row in memory."""
    table = np.zeros((lines.height, len(expressions)), dtype=dtype)
    for number, expression in enumerate(expressions):
        table[:, number] = lines.select(expression.alias("its"))["its"].to_numpy()
    return table


def _method(definition: AnyPathway) -> int:
    if isinstance(definition, AnchoredEpisode):
        return ANCHORED
    return PHASED if isinstance(definition, PhasedPathway) else YEARLY


def _barred(definition: AnyPathway, lines: pl.DataFrame, definitions: Definitions) -> pl.Expr:
    """Status of a line as an anchor: what the definition says of it, then whether its provider has a factor."""
    if isinstance(definition, YearOfCare):
        return pl.repeat(0, pl.len(), dtype=pl.Int64)
    flagged: tuple[FlaggedSelector, ...] = definition.not_opened if isinstance(definition, AnchoredEpisode) else ()
    status = status_by(flagged, without_price=definition.anchor_without_price == "opened")
    if isinstance(definition, PhasedPathway):
        days = (pl.col("end") - pl.col("start")).dt.total_days()
        status = pl.when((status == 0) & (days > definition.longest_birth_days)).then(_STAY_ABOVE_LIMIT).otherwise(status)
    if definition.market_forces:
        without = [code for code in lines["provider"].unique() if definitions.factor_of(code) is None]
        status = pl.when((status == 0) & pl.col("provider").is_in(without)).then(_NO_FACTOR).otherwise(status)
    return status


def _stays(lines: pl.DataFrame, first: Whole, start: Whole, end: Whole, provider: Whole, definitions: Definitions) -> Whole:
    rule = definitions.transfers
    if rule is None or not rule.admission_methods:
        return np.arange(lines.height)
    admitted = lines["kind"].cast(pl.String) == "admitted"
    moved = admitted & lines["admission_method"].str.contains(f"^(?:{'|'.join(rule.admission_methods)})")
    stays: Whole = merged_stays(
        first, start, end, provider, admitted.to_numpy(), moved.to_numpy(), rule.gap_days, rule.longest_stay_days
    )
    return stays


def _terms(definitions: Definitions) -> Whole:
    terms = np.zeros((len(definitions.pathways), 6), dtype=np.int64)
    for number, its in enumerate(definitions.pathways):
        if isinstance(its, AnchoredEpisode):
            terms[number] = (
                its.look_back_days,
                its.window_days,
                its.window_from == "admission",
                its.warranty_days,
                its.longest_anchor_days,
                its.death_in_anchor == "not_opened",
            )
    return terms


def _phase_terms(definitions: Definitions) -> Whole:
    terms = np.zeros((len(definitions.pathways), 3), dtype=np.int64)
    for number, its in enumerate(definitions.pathways):
        if isinstance(its, PhasedPathway):
            terms[number] = (its.same_birth_days, its.longest_antenatal_days, its.postnatal_days)
    return terms


def _longest_years(definitions: Definitions) -> Whole:
    longest = [its.longest_days if isinstance(its, YearOfCare) else None for its in definitions.pathways]
    return np.array([FOREVER if days is None else days for days in longest], dtype=np.int64)


def _since(definitions: Definitions) -> int:
    return (definitions.since - date(1970, 1, 1)).days


def _meetings(definitions: Definitions) -> Whole:
    """What an anchor of one definition (column) does in a window of another (row)."""
    names = [its.name for its in definitions.pathways]
    meetings = np.full((len(names), len(names)), EARLIER_WINS, dtype=np.int64)
    for number, its in enumerate(definitions.pathways):
        if isinstance(its, AnchoredEpisode):
            for other, name in enumerate(names):
                if name in its.yields_to:
                    meetings[number, other] = LATER_WINS
                elif name in its.alongside:
                    meetings[number, other] = ALONGSIDE
    return meetings


_WINDOW: Final = (
    "patient", "definition", "phase", "status", "opened", "start", "end", "warranty_end", "anchor", "head", "entry",
)  # fmt: skip


def _in_turn(*found: Whole) -> dict[str, Whole]:
    """All windows by patient and turn: the day they were opened, then definition, phase, anchor and entry."""
    columns = dict(zip(_WINDOW, np.concatenate(found, axis=1), strict=True))
    keys = ("entry", "anchor", "phase", "definition", "opened", "patient")
    order = np.lexsort([columns[name] for name in keys])
    return {name: np.ascontiguousarray(column[order]) for name, column in columns.items()}


def _of_anchor_or_entry(found: dict[str, Whole], of_lines: Whole, of_entries: Whole, _: pl.Series) -> Whole:
    """The number of a code: the register entry's where there is one, else the anchor's."""
    entry, anchor = found["entry"], found["anchor"]
    numbers = np.zeros(len(entry), dtype=np.int64)
    by_entry = entry != NOBODY
    numbers[by_entry] = of_entries[entry[by_entry]]
    numbers[~by_entry] = of_lines[anchor[~by_entry]]
    return numbers


def _lead(found: dict[str, Whole], providers: tuple[Whole, Whole, pl.Series], definitions: Definitions) -> Whole:
    lead = _of_anchor_or_entry(found, *providers)
    first_of_stay = np.array(
        [isinstance(its, AnchoredEpisode) and its.lead_provider == "first_of_stay" for its in definitions.pathways],
        dtype=np.bool_,
    )
    moved = first_of_stay[found["definition"]] if len(lead) else np.zeros(0, dtype=np.bool_)
    lead[moved] = providers[0][found["head"][moved]]
    return lead


def _windows(
    found: dict[str, Whole], lines: pl.DataFrame, entries: pl.DataFrame, patients: pl.Series, complications: NDArray[np.int32]
) -> pl.DataFrame:
    """Windows with what is inside: lines and their episodic value."""
    frame = pl.DataFrame({name: pl.Series(column, dtype=pl.Int64) for name, column in found.items()}).with_row_index("window")
    inside = (
        lines.filter((pl.col("category") >= 0) & (pl.col("category") < 4))
        .group_by("window")
        .agg(lines=pl.len().cast(pl.Int32), episodic_pence=pl.col("pathway_pence").sum())
    )
    return (
        frame.with_columns(
            pl.col("window").cast(pl.Int64),
            patient_id=patients.gather(frame["patient"]),
            complications=pl.Series(complications, dtype=pl.Int32),
        )
        .join(inside, on="window", how="left", maintain_order="left")
        .with_columns(pl.col("lines").fill_null(0), pl.col("episodic_pence").fill_null(0))
    )
