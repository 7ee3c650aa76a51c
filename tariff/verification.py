"""`tariff verify`: read the activity again, price a sample of it with the slow reference, and compare column by column."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from tariff.activity.blocks import Lines
from tariff.activity.files import digest
from tariff.best_practice.evidence import evidence_rows
from tariff.columns import PRICED_LINE
from tariff.errors import ActivityError, Fault
from tariff.intake import Intake, take_in
from tariff.reference import ReferencePack, price_line
from tariff.rulepack import RulePack

_NOT_COMPARED: Final = frozenset({"pack", "patient_id", "pathway_id", "pathway_category", "pathway_pence"})
"""The label of the pack is not the reference's to know, and identifiers of patients are not looked at."""
_MOST_SHOWN: Final = 20
_AS_IT_WAS: Final = "give the files as they were priced, or price again"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One column of one line on which the engine and the reference differ."""

    provider: str | None
    line_id: str | None
    column: str
    engine: object
    reference: object

    def __str__(self) -> str:
        line = f"line {self.line_id} of provider {self.provider}"
        return f"{line}: {self.column} is {self.engine}, the reference says {self.reference}"


@dataclass(frozen=True, slots=True)
class Verification:
    """How many lines were compared, how many of the sample were left out, being unpriced for a reason of the run's own (no pack
    for their date, a label it refuses), and what differed."""

    lines: int
    compared: int
    left_out: int
    disagreements: Sequence[Disagreement]

    def __str__(self) -> str:
        told = f"{self.compared:,} of {self.lines:,} lines priced again by the reference: "
        if not self.disagreements:
            return f"{told}no disagreement.{self._why_not()}"
        shown = [str(one) for one in self.disagreements[:_MOST_SHOWN]]
        more = len(self.disagreements) - len(shown)
        head = f"{told}{len(self.disagreements):,} disagreements.{self._why_not()}"
        return "\n".join([head, *shown, *([f"and {more:,} more"] if more else [])])

    def _why_not(self) -> str:
        if not self.left_out:
            return ""
        were = "was not compared: the run left it" if self.left_out == 1 else "were not compared: the run left them"
        return f" {self.left_out:,} {were} unpriced, for the date or for the label of a figure."


def read_again(card: Mapping[str, Any], files: Sequence[Path] = ()) -> Intake:
    """The activity that a run card names, in the order it was priced in. `files` say where it is now, in any order and under
    any name: each is known by its bytes.

    ActivityError where a file is missing, or its bytes are not those that were priced."""
    known = {facts["sha256"]: facts for facts in card["inputs"]}
    found = {digest(path): path for path in files} if files else dict(_where_they_were(card["inputs"]))
    strangers = [Fault(str(found[one]), "is not a file that was priced", _AS_IT_WAS) for one in found if one not in known]
    missing = [Fault(known[one]["file"], "is not among the files given", _AS_IT_WAS) for one in known if one not in found]
    if strangers or missing:
        raise ActivityError("The activity is not what was priced.", [*strangers, *(missing if files else [])])
    return take_in([(facts["kind"], found[facts["sha256"]]) for facts in card["inputs"]], card["options"]["columns"])


def evidence_again(card: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """The evidence of best practice that a run card names, row by row. ActivityError where a file is missing or has changed."""
    files = card.get("evidence", {}).get("files", [])
    faults = [
        Fault(told["path"], "is not there any more, or is not what was priced with", _AS_IT_WAS)
        for told in files
        if not Path(told["path"]).is_file() or digest(Path(told["path"])) != told["sha256"]
    ]
    if faults:
        raise ActivityError("The evidence is not that of the run.", faults)
    return evidence_rows(told["path"] for told in files)


def _where_they_were(inputs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Path]]:
    paths = [Path(facts["path"]) for facts in inputs]
    remedy = "say with --activity where it is now"
    gone = [Fault(str(path), "is not there any more", remedy) for path in paths if not path.is_file()]
    if gone:
        raise ActivityError("The activity cannot be found.", gone)
    yield from ((digest(path), path) for path in paths)


def verify_lines(
    intake: Intake,
    priced: Lines,
    packs: Sequence[RulePack],
    *,
    dates: str,
    sample: int | None,
    seed: int = 1,
    evidence: Sequence[Mapping[str, object]] = (),
) -> Verification:
    """Price `sample` lines of the activity (all where None) with the reference and compare them with `priced`, row by row;
    `evidence` of best practice as its files hold it.

    Both hold the same lines in the same order, as `tariff price` writes them."""
    counts = [int(part.lines.select(pl.len()).collect().item()) for part in intake.parts]
    lines = int(priced.whole.select(pl.len()).collect().item())
    if sum(counts) != lines:
        told = Fault("", f"{sum(counts):,} lines of activity against {lines:,} priced")
        raise ActivityError("Activity and priced lines are not of one run.", [told])
    chosen = range(lines) if sample is None or sample >= lines else sorted(random.Random(seed).sample(range(lines), sample))
    by_label = {pack.label: ReferencePack.from_plain(pack.plain(), evidence) for pack in packs}
    compared, left_out, start, found, theirs = 0, 0, 0, list[Disagreement](), _rows(priced, chosen)
    for part, count in zip(intake.parts, counts, strict=True):
        rows = [row - start for row in chosen if start <= row < start + count]
        for line in _rows(part.in_blocks, rows):
            engine = next(theirs)
            pack = by_label.get(str(engine["pack"])) or (next(iter(by_label.values())) if len(by_label) == 1 else None)
            if pack is None or engine["reason"] in _NOT_THE_REFERENCES:
                left_out += 1
                continue
            compared += 1
            found += _differences(engine, price_line(part.kind, line, pack, dates="ignore" if dates == "ignore" else "strict"))
        start += count
    return Verification(lines, compared, left_out, found)


_NOT_THE_REFERENCES: Final = frozenset({"no_pack_for_date", "confidence"})
"""Reasons that are the run's and not a rule's: no pack covers the date, or the run refuses a figure."""


def _rows(lines: Lines, rows: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Lines by their numbers, in order, in memory for a few blocks."""
    wanted, first = np.array(rows, dtype=np.int64), 0
    if wanted.size:
        for block in lines.each_block(lines.whole.collect_schema().names(), lambda block: block):
            here = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, first + block.height)] - first
            yield from block[here].iter_rows(named=True)
            first += block.height


def _differences(engine: Mapping[str, object], reference: Mapping[str, object]) -> list[Disagreement]:
    provider, line_id = engine["provider"], engine["line_id"]
    return [
        Disagreement(str(provider), str(line_id), column.name, engine[column.name], reference[column.name])
        for column in PRICED_LINE
        if column.name in reference and column.name not in _NOT_COMPARED and engine[column.name] != reference[column.name]
    ]
