"""Figures as a models file writes them – shares, rates, pounds, counts, names of files – read exactly, and the small CSV files
that a term may need beside it, refused by file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import polars as pl
from pydantic import BeforeValidator, PlainSerializer, ValidationInfo

from tariff.errors import Fault, RulesError, did_you_mean
from tariff.money import AMOUNT_LIMIT_PENCE, BASIS_POINTS, PENCE_PER_POUND, basis_points, pence, scaled
from tariff.payment.small_tables import read_small_table

FACTOR_SCALE: Final = 10_000
"""Weights, ratios and measured results are held in ten-thousandths."""


MOST_POUNDS: Final = AMOUNT_LIMIT_PENCE // PENCE_PER_POUND
MOST_CHANGE: Final = 10 * BASIS_POINTS
MOST_COUNTED: Final = 10**9
MOST_TIMES: Final = 10**5
"""Beyond these a figure is mistyped: more pounds than any price, ten times all, more than there are patients. Products of those
within fit int64."""


def percentage(share_bp: int) -> str:
    """Basis points for people: 7,000 is `70%`, 6,250 is `62.5%`."""
    sign = "−" if share_bp < 0 else ""
    whole, part = divmod(abs(share_bp), 100)
    return sign + f"{whole}.{part:02}".rstrip("0").rstrip(".") + "%"


def _rate(given: object) -> int:
    """A share as text: `70%` or `0.7`. A bare 70 would be ambiguous and is refused."""
    if not isinstance(given, str):  # pydantic turns ValueError, and no other, into a fault
        raise ValueError(  # noqa: TRY004
            f"{given!r} is not a share: write it as text, such as '70%' or '0.7'"
        )
    return change_in_words(given)


def change_in_words(given: str) -> int:
    """A share or change as people write it, `2.15%` or `0.0215`, in basis points. ValueError where it is neither, and for a
    number above 1 without a percent sign, which may be meant either way."""
    share = basis_points(given)
    if share > MOST_CHANGE:
        raise ValueError(f"'{given}' is more than {percentage(MOST_CHANGE)}")
    if abs(share) > BASIS_POINTS and not given.strip().endswith("%"):
        raise ValueError(f"'{given}' may mean {given.strip()}% or {percentage(share)}: write the percent sign")
    return share


def _share(given: object) -> int:
    share = _rate(given)
    if not 0 <= share <= BASIS_POINTS:
        raise ValueError(f"'{given}' is not between 0% and 100%")
    return share


def _change(given: object) -> int:
    change = _rate(given)
    if change < -BASIS_POINTS:
        raise ValueError(f"'{given}' takes more than all of it off: write -100% or more")
    return change


def _margin(given: object) -> int:
    share = _rate(given)
    if share < 0:
        raise ValueError(f"'{given}' is negative")
    return share


def _pounds(given: object) -> int:
    amount = given * PENCE_PER_POUND if isinstance(given, int) and not isinstance(given, bool) else pence(str(given))
    if amount < 0:
        raise ValueError(f"'{given}' is negative")
    return within_bound(given, amount)


def within_bound(given: object, amount_pence: int) -> int:
    """An amount that may be meant. ValueError for one that is more than any price."""
    if abs(amount_pence) > AMOUNT_LIMIT_PENCE:
        raise ValueError(f"'{given}' is more than £{MOST_POUNDS:,}")
    return amount_pence


def _factor(given: object) -> int:
    factor = scaled(str(given), 4)
    if factor < 0:
        raise ValueError(f"'{given}' is negative")
    if factor > MOST_TIMES * FACTOR_SCALE:
        raise ValueError(f"'{given}' is more than {MOST_TIMES:,}")
    return factor


Share = Annotated[int, BeforeValidator(_share)]
"""From 0% to 100%, written as text; held in basis points."""

Margin = Annotated[int, BeforeValidator(_margin)]
"""A share of a plan or target, 0% or more, written as text; held in basis points."""

Change = Annotated[int, BeforeValidator(_change)]
"""A change such as `-3%`, no less than -100%, written as text; held in basis points."""

Pounds = Annotated[int, BeforeValidator(_pounds)]
"""An amount in pounds, not negative; held in pence."""

Factor = Annotated[int, BeforeValidator(_factor)]
"""A ratio such as 2.5, not negative; held in ten-thousandths."""


@dataclass(frozen=True)
class TermFile:
    """A file that a term names, found from the folder of the models file. Outputs tell its name, never where it lay."""

    path: Path

    def __str__(self) -> str:
        return self.path.name

    @cached_property
    def digest(self) -> str:
        """The sha256 of its bytes. RulesError where it cannot be read."""
        try:
            return sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            told = f"cannot be read: {error.strerror}"
            raise RulesError("a file that a contract term needs is missing", [Fault(str(self.path), told)]) from error


def _file(given: object, info: ValidationInfo) -> TermFile:
    if isinstance(given, TermFile):
        return given
    if not isinstance(given, str) or not given.strip():
        raise ValueError(f"{given!r} is not the name of a file")
    folder = (info.context or {}).get("folder") or Path()
    path = Path(folder) / given
    if not path.is_file():
        raise ValueError(f"the file '{given}' is not there")
    return TermFile(path)


FileName = Annotated[TermFile, BeforeValidator(_file), PlainSerializer(str)]
"""The name of a file beside the models file (or, for a parameter of a preset, in the working folder)."""


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """A column of a term's file: how a cell is read, its type, and whether it may be blank or missing."""

    read: Callable[[str], str | int]
    dtype: pl.DataType
    optional: bool = False


TEXT: Final = FigureColumn(str, pl.String())
TEXT_OR_ALL: Final = FigureColumn(str, pl.String(), optional=True)
AMOUNT: Final = FigureColumn(lambda cell: within_bound(cell, pence(cell)), pl.Int64())
SHARE: Final = FigureColumn(_share, pl.Int64())
FACTOR: Final = FigureColumn(_factor, pl.Int64())


def month_number(cell: str) -> int:
    """A month from 1 (April) to 12 (March)."""
    if not cell.isdecimal() or not 1 <= int(cell) <= 12:
        raise ValueError(f"'{cell}' is not 1 (April) to 12 (March)")
    return int(cell)


def whole_number(cell: str) -> int:
    """A whole number, not negative, with thousands commas or without."""
    digits = cell.replace(",", "")
    if not digits.isdecimal():
        raise ValueError(f"'{cell}' is not a whole number of 0 or more")
    if int(digits) > MOST_COUNTED:
        raise ValueError(f"'{cell}' is more than {MOST_COUNTED:,}")
    return int(digits)


COUNT: Final = FigureColumn(whole_number, pl.Int64())
MONTH_OR_ALL: Final = FigureColumn(month_number, pl.Int8(), optional=True)


def read_figures(file: TermFile, columns: Mapping[str, FigureColumn], key: Sequence[str]) -> pl.DataFrame:
    """The figures of a CSV file, `columns` and no others; two rows of one `key` would count twice. RulesError tells every
    fault by file and line."""
    source = file.path
    table = read_small_table(source, "a contract term's file cannot be read")
    faults = [*table.faults, *_header_faults(source, table.columns, columns)]
    _refuse(source, faults)
    rows = []
    seen: dict[tuple[str | int | None, ...], int] = {}
    for number, written in table.rows:
        row = {name: _cell(f"{source}:{number}", name, written.get(name), column, faults) for name, column in columns.items()}
        identity = tuple(row[name] for name in key)
        if identity in seen:
            faults.append(Fault(f"{source}:{number}", f"says again what line {seen[identity]} says", "leave one out"))
        seen.setdefault(identity, number)
        rows.append(row)
    _refuse(source, faults)
    return pl.DataFrame(rows, schema={name: column.dtype for name, column in columns.items()})


def _cell(where: str, name: str, written: str | None, column: FigureColumn, faults: list[Fault]) -> str | int | None:
    text = (written or "").strip()
    if not text:
        if not column.optional:
            faults.append(Fault(where, f"{name} is blank", "it may not be: give it, or leave the row out"))
        return None
    try:
        return column.read(text)
    except ValueError as error:
        faults.append(Fault(where, f"{name}: {error}", "mend the cell"))
        return None


def _header_faults(source: Path, header: Sequence[str], columns: Mapping[str, FigureColumn]) -> Iterator[Fault]:
    for name in header:
        if name not in columns:
            remedy = f"{did_you_mean(name, columns)} known: {', '.join(columns)}".strip()
            yield Fault(f"{source}:1", f"column '{name}' is not known", remedy)
    for name, column in columns.items():
        if name not in header and not column.optional:
            yield Fault(f"{source}:1", f"column '{name}' is missing", f"the file has: {', '.join(header)}")


def _refuse(source: Path, faults: list[Fault]) -> None:
    if faults:
        counted = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
        shown = faults if len(faults) <= 20 else [*faults[:20], Fault("", f"and {len(faults) - 20:,} more")]
        raise RulesError(f"{source.name} cannot be used: {counted}", shown)
