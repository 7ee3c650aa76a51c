"""The plan: what commissioner and provider agreed for a year, in money. A blank in the middle of a plan row means all, so
rows may be as coarse as one sum for a provider and as fine as one HRG in one month; no two may cover the same activity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Final

import polars as pl

from tariff.columns import PLAN, PODS, names, schema
from tariff.errors import Fault, RulesError, did_you_mean
from tariff.money import pence
from tariff.payment.cells import NOT_GIVEN
from tariff.payment.small_tables import SmallTable, read_small_table

FIXED: Final = ("commissioner", "financial_year")
"""Plan keys that are never blank."""

BLANKABLE: Final = ("provider", "pod", "treatment_function", "currency", "month")
"""Plan keys in which a blank means all."""

MONEY: Final = ("pounds", "pence")
"""A plan file gives its money in one of these columns: pounds such as 1,234.56, or whole pence."""

_POD_NAMES: Final = frozenset({*PODS, NOT_GIVEN})

MOST_PENCE: Final = 10**13
MOST_UNITS: Final = 10**12
"""More than these, £100bn or a million million units, is mistyped in a row of a plan."""

SHOWN: Final = 20
"""Faults told one by one before the rest are counted."""


def read_plan(path: str | Path) -> pl.DataFrame:
    """A plan from CSV or Parquet, as `columns.PLAN`; money in pounds (column `pounds`) or in whole pence (column `pence`).

    Every cell is read as text and blank means all; text is read as that of activity files is. RulesError lists the faults by file
    and line: columns missing or not known, unreadable or negative money and units, months and points of delivery that are none,
    blank keys, and rows that cover the same activity, which would pay it twice."""
    source = Path(path)
    table = _read_parquet(source) if source.suffix.lower() == ".parquet" else read_small_table(source, "the plan cannot be read")
    _refuse([*table.faults, *_header_faults(source, table.columns)])
    faults: list[Fault] = []
    rows = [_row(f"{source}:{line}", row, faults) for line, row in table.rows]
    _refuse(faults)
    plan = pl.DataFrame(rows, schema=schema(PLAN))
    _refuse(list(_overlap_faults(source, plan, [line for line, _ in table.rows])))
    return plan


def check_plan(plan: pl.DataFrame) -> pl.DataFrame:
    """A plan frame made elsewhere, brought to `columns.PLAN` and held to the same rules. RulesError as `read_plan`."""
    _refuse([Fault("plan", f"column '{name}' is missing") for name in (*FIXED, "pence") if name not in plan.columns])
    shaped = plan.select(
        (pl.col(name) if name in plan.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema(PLAN).items()
    )
    blanks = [(name, shaped[name].null_count()) for name in (*FIXED, "pence")]
    _refuse([Fault("plan", f"{count:,} rows have no {name}") for name, count in blanks if count])
    known = shaped["pod"].is_null() | shaped["pod"].is_in(_POD_NAMES)
    unknown = shaped.filter(~known)["pod"].unique().sort()
    _refuse([fault for pod in unknown for fault in _pod_faults("plan", pod)])
    negative = [(name, int((shaped[name] < 0).sum())) for name in ("units", "pence")]
    _refuse([Fault("plan", f"{count:,} rows have negative {name}") for name, count in negative if count])
    large = [(name, int((shaped[name] > most).sum())) for name, most in (("units", MOST_UNITS), ("pence", MOST_PENCE))]
    _refuse([Fault("plan", f"{count:,} rows have {name} too large to be meant") for name, count in large if count])
    _refuse(list(_overlap_faults(Path("plan"), shaped, range(2, shaped.height + 2))))
    return shaped


def by_pattern(
    plan: pl.DataFrame, fixed: Sequence[str] = FIXED, blankable: Sequence[str] = BLANKABLE
) -> Iterator[tuple[list[str], pl.DataFrame]]:
    """The rows of a plan by which of their keys are given: those keys, and the rows. Rows of one pattern meet activity in
    one join; 32 patterns are possible, plans use one to three."""
    flags = [f"has_{name}" for name in blankable]
    marked = plan.with_columns(pl.col(name).is_not_null().alias(flag) for name, flag in zip(blankable, flags, strict=True))
    for pattern, rows in marked.group_by(flags, maintain_order=True):
        keys = [name for name, given in zip(blankable, pattern, strict=True) if given]
        yield [*fixed, *keys], rows.drop(flags)


def columns_given(rows: pl.DataFrame, blankable: Sequence[str]) -> frozenset[str]:
    """Which of the keys in which a blank means all are given in some row."""
    return frozenset(name for name in blankable if rows[name].null_count() < rows.height)


def first_faults(faults: list[Fault]) -> list[Fault]:
    """The first `SHOWN` faults, and how many more there are."""
    more = len(faults) - SHOWN
    return faults if more <= 0 else [*faults[:SHOWN], Fault("", f"and {more:,} more")]


def _refuse(faults: list[Fault]) -> None:
    if faults:
        counted = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
        raise RulesError(f"the plan cannot be used: {counted}", first_faults(faults))


def _read_parquet(source: Path) -> SmallTable:
    """The same of a Parquet file, whose rows are numbered as if it were text."""
    try:
        raw = pl.read_parquet(source, glob=False).rename(lambda name: name.strip().lower())
    except (OSError, pl.exceptions.PolarsError) as error:
        told = (str(error) or type(error).__name__).splitlines()[0]
        raise RulesError("the plan cannot be read", [Fault(str(source), told, "give a CSV or Parquet file")]) from error
    trimmed = pl.all().cast(pl.String).str.strip_chars()
    texts = raw.select(pl.when(trimmed != "").then(trimmed))
    return SmallTable(texts.columns, list(enumerate(texts.iter_rows(named=True), start=2)), [])


def _header_faults(source: Path, header: list[str]) -> Iterator[Fault]:
    where, known = f"{source}:1", [*names(PLAN), "pounds"]
    for name in header:
        if name not in known:
            remedy = f"{did_you_mean(name, known)} known: {', '.join(known)}".strip()
            yield Fault(where, f"column '{name}' is not known", remedy)
    for name in FIXED:
        if name not in header:
            yield Fault(where, f"column '{name}' is missing", f"the file has: {', '.join(header)}")
    money = [name for name in MONEY if name in header]
    if len(money) != 1:
        found = "both 'pounds' and 'pence'" if money else "neither 'pounds' nor 'pence'"
        yield Fault(where, f"the plan has {found}", "give its money once: pounds such as 1234.56, or whole pence")


def _row(where: str, written: dict[str, str | None], faults: list[Fault]) -> dict[str, str | int | None]:
    """One plan row. What cannot be read joins `faults`."""
    money = "pounds" if "pounds" in written else "pence"
    for name in (*FIXED, money):
        if written[name] is None:
            faults.append(Fault(where, f"{name} is blank", "it may not be: give it, or leave the row out"))
    faults += _pod_faults(where, written.get("pod"))
    return {
        **{name: written.get(name) for name in (*FIXED, *BLANKABLE)},
        "month": _number(where, "month", written.get("month"), _month, faults),
        "units": _number(where, "units", written.get("units"), _within(MOST_UNITS, _whole), faults),
        "pence": _number(where, money, written[money], _within(MOST_PENCE, pence if money == "pounds" else _whole), faults),
    }


def _pod_faults(where: str, pod: str | None) -> list[Fault]:
    """A point of delivery that no line has: its row would meet no activity."""
    if pod is None or pod in _POD_NAMES:
        return []
    remedy = f"{did_you_mean(pod, PODS)} known: {', '.join(PODS)}".strip()
    return [Fault(where, f"pod: '{pod}' is not a point of delivery", remedy)]


def _number(where: str, name: str, cell: str | None, read: Callable[[str], int], faults: list[Fault]) -> int | None:
    if cell is None:
        return None
    try:
        return read(cell)
    except ValueError as error:
        faults.append(Fault(where, f"{name}: {error}", "mend the cell"))
        return None


def _within(most: int, read: Callable[[str], int]) -> Callable[[str], int]:
    """A plan is of activity and what it pays; what is taken back is a contract term's."""

    def checked(cell: str) -> int:
        number = read(cell)
        if number < 0:
            raise ValueError(f"'{cell}' is negative")
        if number > most:
            raise ValueError(f"'{cell}' is too large to be meant")
        return number

    return checked


def _whole(cell: str) -> int:
    digits = cell.replace(",", "")
    if not digits.removeprefix("-").isdecimal():
        raise ValueError(f"'{cell}' is not a whole number")
    return int(digits)


def _month(cell: str) -> int:
    month = _whole(cell)
    if not 1 <= month <= 12:
        raise ValueError(f"{month} is not 1 (April) to 12 (March)")
    return month


def _overlap_faults(source: Path, plan: pl.DataFrame, lines: Sequence[int]) -> Iterator[Fault]:
    """Pairs of rows that cover the same activity: they are equal wherever both give a key. `lines` are those of the file."""
    patterns = list(by_pattern(plan.with_row_index("row")))
    remedy = "leave one out, or split the coarser into what the finer does not cover"
    for (left_keys, left), (right_keys, right) in combinations_with_replacement(patterns, 2):
        shared = [key for key in left_keys if key in right_keys]
        met = left.join(right.select(*shared, "row"), on=shared, suffix="_other").select("row", "row_other")
        for first, second in (
            met.filter(pl.col("row") < pl.col("row_other") if left is right else pl.lit(True)).sort(pl.all()).iter_rows()
        ):
            covered = _in_words(plan.row(second, named=True))
            where, other = f"{source}:{lines[second]}", lines[first]
            yield Fault(where, f"the row ({covered}) covers what line {other} covers: paid twice", remedy)


def _in_words(row: dict[str, object]) -> str:
    return ", ".join(f"{name} {row[name]}" for name in (*FIXED, *BLANKABLE) if row[name] is not None)
