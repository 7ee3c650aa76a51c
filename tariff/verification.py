"""`tariff verify`: read the activity again, price a sample of it with the slow reference, and compare column by column."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff.activity import read_activity
from tariff.activity.files import digest
from tariff.columns import PRICED_LINE
from tariff.errors import ActivityError, Fault
from tariff.reference import ReferencePack, price_admitted
from tariff.rulepack import RulePack

_NOT_COMPARED: Final = frozenset({"pack", "patient_id", "pathway_id"})
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
    """How many lines were compared, and what differed."""

    lines: int
    compared: int
    disagreements: Sequence[Disagreement]

    def __str__(self) -> str:
        told = f"{self.compared:,} of {self.lines:,} lines priced again by the reference: "
        if not self.disagreements:
            return told + "no disagreement."
        shown = [str(one) for one in self.disagreements[:_MOST_SHOWN]]
        more = len(self.disagreements) - len(shown)
        return "\n".join([f"{told}{len(self.disagreements):,} disagreements.", *shown, *([f"and {more:,} more"] if more else [])])


def read_again(card: Mapping[str, Any], files: Sequence[Path] = ()) -> pl.LazyFrame:
    """The activity that a run card names, in the order it was priced in. `files` say where it is now, in any order and under
    any name: each is known by its bytes.

    ActivityError where a file is missing, or its bytes are not those that were priced."""
    columns = card["options"]["columns"]
    known = {facts["sha256"]: facts for facts in card["inputs"]}
    found = {digest(path): path for path in files} if files else dict(_where_they_were(card["inputs"]))
    strangers = [Fault(str(found[one]), "is not a file that was priced", _AS_IT_WAS) for one in found if one not in known]
    missing = [Fault(known[one]["file"], "is not among the files given", _AS_IT_WAS) for one in known if one not in found]
    if strangers or missing:
        raise ActivityError("The activity is not what was priced.", [*strangers, *(missing if files else [])])
    frames = [read_activity(found[facts["sha256"]], kind=facts["kind"], columns=columns) for facts in card["inputs"]]
    return pl.concat(frames, how="diagonal")


def _where_they_were(inputs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Path]]:
    paths = [Path(facts["path"]) for facts in inputs]
    remedy = "say with --activity where it is now"
    gone = [Fault(str(path), "is not there any more", remedy) for path in paths if not path.is_file()]
    if gone:
        raise ActivityError("The activity cannot be found.", gone)
    yield from ((digest(path), path) for path in paths)


def verify_lines(
    activity: pl.LazyFrame, priced: pl.LazyFrame, packs: Sequence[RulePack], *, dates: str, sample: int | None, seed: int = 1
) -> Verification:
    """Price `sample` lines of `activity` (all where None) with the reference and compare them with `priced`, row by row.

    Both frames hold the same lines in the same order, as `tariff price` writes them."""
    lines = int(priced.select(pl.len()).collect().item())
    chosen = range(lines) if sample is None or sample >= lines else sorted(random.Random(seed).sample(range(lines), sample))
    rows = pl.LazyFrame({"row": pl.Series(list(chosen), dtype=pl.UInt32)})
    theirs = priced.with_row_index("row").join(rows, on="row", how="semi").sort("row").collect()
    ours = activity.with_row_index("row").join(rows, on="row", how="semi").sort("row").collect()
    if ours.height != theirs.height:
        raise ActivityError(
            "Activity and priced lines are not of one run.", [Fault("", f"{ours.height:,} lines against {theirs.height:,}")]
        )
    by_label = {pack.label: ReferencePack.from_plain(pack.plain()) for pack in packs}
    only = next(iter(by_label.values())) if len(by_label) == 1 else None
    compared, found = 0, list[Disagreement]()
    for line, engine in zip(ours.iter_rows(named=True), theirs.iter_rows(named=True), strict=True):
        pack = by_label.get(engine["pack"]) or only  # no pack covers a line that is `no_pack_for_date`
        if pack is not None:
            compared += 1
            found += _differences(engine, price_admitted(line, pack, dates="ignore" if dates == "ignore" else "strict"))
    return Verification(lines, compared, found)


def _differences(engine: Mapping[str, object], reference: Mapping[str, object]) -> list[Disagreement]:
    provider, line_id = engine["provider"], engine["line_id"]
    return [
        Disagreement(str(provider), str(line_id), column.name, engine[column.name], reference[column.name])
        for column in PRICED_LINE
        if column.name in reference and column.name not in _NOT_COMPARED and engine[column.name] != reference[column.name]
    ]
