"""Evidence for best practice, as an audit gives it (RULES 3, DESIGN section 4): of single lines, criterion by criterion, or of a
provider over a period.

Two shapes, which one file may mix:

    provider, line_id, tariff, criterion, met                     a line; criterion blank = the tariff as a whole
    provider, tariff, criterion, period_start, period_end, met    a provider gate; criterion blank = the gate as a whole

`met` is yes or no; blank says nothing. Nothing is silently met: a row that cannot be read, and rows that contradict each other,
are left out, counted and told; what is left out counts as no evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from tariff.activity.cells import DATE_FORMATS, DEFAULT_DATE_FORMATS
from tariff.activity.csv_file import SURPLUS
from tariff.activity.files import opened
from tariff.columns import EVIDENCE, names
from tariff.errors import ActivityError, Fault, did_you_mean

COLUMNS: Final = tuple(names(EVIDENCE))
LINE_SCHEMA: Final = {name: pl.String() for name in ("provider", "line_id", "tariff", "criterion")} | {"met": pl.Boolean()}
GATE_SCHEMA: Final = {name: pl.String() for name in ("provider", "tariff", "criterion")} | {
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "met": pl.Boolean(),
}
_YES: Final = ("yes", "y", "true", "1", "met")
_NO: Final = ("no", "n", "false", "0", "not met", "not_met")
_MOST_EXAMPLES: Final = 3
_CODE_LIKE: Final = r"^(?:[a-z_]+[0-9]{0,3})*$"
"""Words with short numbers, such as surgery_within_36_hours; a blank criterion too."""


@dataclass(frozen=True, slots=True)
class EvidenceProblem:
    """Rows of evidence that were not used: what is wrong, how many rows, and up to three of the codes (never identifiers)."""

    problem: str
    rows: int
    sentence: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = f" ({', '.join(self.examples)})" if self.examples else ""
        return f"{self.rows:,} row{'' if self.rows == 1 else 's'} of evidence: {self.sentence}{shown}"


@dataclass(frozen=True, eq=False)
class Evidence:
    """Evidence as read: each (provider, line_id, tariff, criterion) once in `lines`, gates with their dates in `gates`; a blank
    criterion is empty text. `problems` tells what was left out."""

    lines: pl.DataFrame
    gates: pl.DataFrame
    problems: tuple[EvidenceProblem, ...] = ()


NO_EVIDENCE: Final = Evidence(pl.DataFrame(schema=LINE_SCHEMA), pl.DataFrame(schema=GATE_SCHEMA))


def read_evidence(paths: Iterable[str | Path]) -> Evidence:
    """The evidence in CSV or Parquet files. ActivityError where a file cannot be used or lacks a column that evidence needs."""
    frames = [opened(Path(path)) for path in paths]
    return evidence_of(pl.concat([_named(file.frame, str(file.path)) for file in frames]) if frames else NO_EVIDENCE.lines.lazy())


def evidence_rows(paths: Iterable[str | Path]) -> list[dict[str, str | None]]:
    """The rows of evidence files as text, by the known columns: what the reference reads for itself."""
    return [row for path in paths for row in _named(opened(Path(path)).frame, str(path)).collect().iter_rows(named=True)]


def evidence_of(frame: pl.LazyFrame | pl.DataFrame) -> Evidence:
    """Evidence from a frame with the columns of either shape, or both. ActivityError where it lacks one that every row needs."""
    rows = _cleaned(_named(frame.lazy(), "evidence")).collect()
    is_gate = rows["line_id"].is_null() & rows["period_start"].is_not_null() & rows["period_end"].is_not_null()
    sound = rows["provider"].is_not_null() & rows["tariff"].is_not_null() & rows["met"].is_not_null()
    lines, one_sided = _without_contradictions(rows.filter(sound & rows["line_id"].is_not_null()).select(list(LINE_SCHEMA)))
    stated = rows.filter(sound & is_gate).select(list(GATE_SCHEMA)).unique(maintain_order=True)
    gates = stated.filter(pl.col("period_start") <= pl.col("period_end"))
    unusable = rows.filter(~rows["said_nothing"] & ~(sound & (rows["line_id"].is_not_null() | is_gate)))
    problems = (
        problem("unreadable", unusable.height, _UNREADABLE, ()),
        problem("silent", int(rows["said_nothing"].sum()), "'met' is blank: they say nothing", ()),
        one_sided,
        problem("backward_period", stated.height - gates.height, "the period of a gate ends before it starts", ()),
        _contradictory_gates(gates),
    )
    return Evidence(lines, gates, tuple(problem for problem in problems if problem.rows))


_UNREADABLE: Final = "a cell that a line or a gate needs is blank or cannot be read, or there are more cells than headings"


def _named(frame: pl.LazyFrame, where: str) -> pl.LazyFrame:
    """The known columns by their names in small letters, as text; those that are not there are blank."""
    present = {name.strip().lower(): name for name in frame.collect_schema().names()}
    given = [name.strip().lower() for name in frame.collect_schema().names()]
    faults = [Fault(where, f"column '{name}' stands twice", "leave one out") for name in COLUMNS if given.count(name) > 1]
    faults += [
        Fault(where, f"no column '{name}'", did_you_mean(name, present))
        for name in names(EVIDENCE, required_only=True)
        if name not in present
    ]
    if "line_id" not in present and not {"period_start", "period_end"} <= present.keys():
        faults.append(Fault(where, "neither line_id, nor period_start and period_end", "evidence is of lines or of periods"))
    if faults:
        raise ActivityError("The evidence cannot be used.", faults)
    cells = [(pl.col(present[name]) if name in present else pl.lit(None)).cast(pl.String).alias(name) for name in COLUMNS]
    if SURPLUS not in frame.collect_schema():
        return frame.select(cells)
    # a cell beyond the last heading means that the cells of the row may have shifted: none of them can be trusted
    distrusted = [pl.lit("unreadable" if name == "met" else None, pl.String) for name in COLUMNS]
    return frame.select(
        pl.when(pl.col(SURPLUS).is_null()).then(cell).otherwise(other).alias(name)
        for name, cell, other in zip(COLUMNS, cells, distrusted, strict=True)
    )


def _cleaned(rows: pl.LazyFrame) -> pl.LazyFrame:
    blank_is_null = [
        pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name).str.strip_chars()).alias(name) for name in COLUMNS
    ]
    said = pl.col("met").str.to_lowercase()
    return rows.select(blank_is_null).with_columns(
        pl.col("provider").str.to_uppercase(),
        pl.col("tariff").str.to_lowercase(),
        pl.col("criterion").str.to_lowercase().fill_null(""),
        *(_day(name) for name in ("period_start", "period_end")),
        met=pl.when(said.is_in(_YES)).then(pl.lit(value=True)).when(said.is_in(_NO)).then(pl.lit(value=False)),
        said_nothing=said.is_null(),
    )


def _day(name: str) -> pl.Expr:
    """A day written 2017-04-01, 01/04/2017 or 20170401; blank where it is written otherwise, or there is no such day."""
    text = pl.col(name)
    read = [
        pl.when(text.str.contains(shape)).then(text).str.to_date(written, strict=False)
        for shape, written in (DATE_FORMATS[known] for known in DEFAULT_DATE_FORMATS)
    ]
    return pl.coalesce(read).alias(name)


def _without_contradictions(rows: pl.DataFrame) -> tuple[pl.DataFrame, EvidenceProblem]:
    """Each question once; one that is answered both yes and no is left out."""
    key = ["provider", "line_id", "tariff", "criterion"]
    asked = rows.group_by(key, maintain_order=True).agg(
        pl.col("met").first(), contradictory=pl.col("met").n_unique() > 1, rows=pl.len()
    )
    both = asked.filter("contradictory")
    sentence = "one criterion of one line is said to be both met and not met; it counts as no evidence"
    told = problem("contradictory", int(both["rows"].sum()), sentence, codes_of(both, "tariff", "criterion"))
    return asked.filter(~pl.col("contradictory")).select(list(LINE_SCHEMA)), told


def _contradictory_gates(gates: pl.DataFrame) -> EvidenceProblem:
    """Gates that are said to be both passed and not on days that their periods share; on these days they are no evidence."""
    key = ["provider", "tariff", "criterion"]
    numbered = gates.with_row_index("row")
    passed, failed = (numbered.filter(pl.col("met") == met) for met in (True, False))
    both = passed.join(failed, on=key, suffix="_failed").filter(
        (pl.col("period_start") <= pl.col("period_end_failed")) & (pl.col("period_start_failed") <= pl.col("period_end"))
    )
    rows = pl.concat([both["row"], both["row_failed"]]).n_unique()
    sentence = "a gate is said to be both passed and not for days that its periods share; on these it counts as no evidence"
    return problem("contradictory_gates", rows, sentence, codes_of(both, "tariff", "criterion"))


def problem(name: str, rows: int, sentence: str, examples: tuple[str, ...]) -> EvidenceProblem:
    """A problem of so many rows, which may be none."""
    return EvidenceProblem(name, int(rows), sentence, examples)


def codes_of(rows: pl.DataFrame, *columns: str) -> tuple[str, ...]:
    """Up to three examples of codes. What does not look like one may be an identifier in the wrong column, and is not told."""
    looks_like_codes = [pl.col(name).str.contains(_CODE_LIKE) for name in columns]
    distinct = rows.select(columns).unique().filter(looks_like_codes).sort(columns).head(_MOST_EXAMPLES)
    return tuple(" ".join(code for code in row if code) for row in distinct.iter_rows())
