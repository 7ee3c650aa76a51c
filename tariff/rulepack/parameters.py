"""Yearly figures that no price table holds: marginal rate, readmission rule, CQUIN, top-up rates, price uplifts, thresholds and
shares. They stand dated in `rules/parameters.csv`, each with its source and how sure we are of it (RULES 0, 1.6, 2.2, 5).

A value of `none` says that the rule did not act; a blank value says that it is not known, which is never taken for 0."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from tariff.errors import Fault, RulesError, did_you_mean
from tariff.money import PENCE_PER_POUND, basis_points, pence, pounds
from tariff.rulepack.cell_text import read_yes_or_no
from tariff.rulepack.finding import rules_folders
from tariff.rulepack.model import CONFIDENCES
from tariff.rulepack.sources import Label
from tariff.rulepack.tables import Placed, TableColumn, TableSpec, read_table

PARAMETERS_FILE: Final = "parameters.csv"
NONE: Final = "none"
"""The value of a rule that did not act in a period."""

UNITS: Final[Mapping[str, Callable[[str], int | bool | str]]] = {
    "share": basis_points,
    "pounds": pence,
    "days": int,
    "years": int,
    "yes_no": read_yes_or_no,
    "text": str,
}
"""By unit, how a value is read: shares to basis points, pounds to pence."""

_YEAR: Final = re.compile(r"(?P<first>\d{4})-(?P<last>\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Placed):
    """A figure and the days on which it held. `value` is in basis points (share), pence (pounds), days, years, True or False
    (yes_no) or text; None where the rule did not act (`acted` is False) or the figure is not known (`known` is False)."""

    parameter: str
    starts: date
    ends: date
    text: str
    unit: str
    confidence: str
    source: str
    note: str

    @property
    def known(self) -> bool:
        """Whether the figure is known, be it that the rule did not act."""
        return self.text != ""

    @property
    def acted(self) -> bool:
        """Whether the rule acted, with a figure that is known."""
        return self.known and self.text != NONE

    @property
    def value(self) -> int | bool | str | None:
        """The figure in whole units."""
        return UNITS[self.unit](self.text) if self.acted else None

    @property
    def label(self) -> Label:
        """How sure we are of the figure, and where it comes from."""
        return Label(self.confidence, self.source)

    def __str__(self) -> str:
        if not self.known:
            return "not known"
        if not self.acted:
            return NONE
        if self.unit == "pounds":
            return pounds(pence(self.text), whole=pence(self.text) % PENCE_PER_POUND == 0)
        return f"{self.text} {self.unit}" if self.unit in {"days", "years"} else self.text


class Parameters:
    """The dated parameters of a rules folder, in the order of their file."""

    def __init__(self, rows: Iterable[Parameter]) -> None:
        self.rows = tuple(rows)
        self.names = tuple(dict.fromkeys(row.parameter for row in self.rows))

    def on(self, name: str, day: date) -> Parameter | None:
        """The parameter as it stood on `day`; None where the file says nothing of that day. RulesError for an unknown name."""
        if name not in self.names:
            nearest = did_you_mean(name, self.names) or f"known: {', '.join(self.names)}"
            raise RulesError("There is no such parameter.", [Fault(PARAMETERS_FILE, f"'{name}' is not there", nearest)])
        return next((row for row in self.rows if row.parameter == name and row.starts <= day <= row.ends), None)

    def of_year(self, year: str) -> Mapping[str, tuple[Parameter, ...]]:
        """By name the parameters of a financial year such as `2017-18`, in order of date; several where one changed within
        the year. RulesError where the file says nothing of the year."""
        starts, ends = financial_year_dates(year)
        within = [row for row in self.rows if row.starts <= ends and row.ends >= starts]
        if not within:
            first, last = min(row.starts for row in self.rows), max(row.ends for row in self.rows)
            told = f"holds nothing of {year}; it goes from {first} to {last}"
            raise RulesError("There are no parameters of that year.", [Fault(PARAMETERS_FILE, told, "add what the year decided")])
        ordered = sorted(within, key=lambda row: (row.parameter, row.starts))
        return {name: tuple(row for row in ordered if row.parameter == name) for name in self.names if _names(ordered, name)}


def financial_year_dates(year: str) -> tuple[date, date]:
    """First and last day of a financial year such as `2017-18`. RulesError where it is not one."""
    match = _YEAR.fullmatch(year)
    if match is None or (int(match["first"]) + 1) % 100 != int(match["last"]):
        raise RulesError("This is not a financial year.", [Fault("", f"'{year}'", "write it as 2025-26")])
    first = int(match["first"])
    return date(first, 4, 1), date(first + 1, 3, 31)


def parameters_of(year: str, rules_folder: Path | None = None) -> Mapping[str, tuple[Parameter, ...]]:
    """By name the parameters of a financial year such as `2017-18`, each with its dates, source and confidence.

    RulesError where the year is not one, or the file of parameters is missing or faulty or says nothing of the year."""
    return load_parameters(rules_folder).of_year(year)


def load_parameters(rules_folder: Path | None = None) -> Parameters:
    """The dated parameters: of `rules_folder` if given, else the first found where packs are looked for. RulesError where
    there are none, or with every fault where they cannot be used."""
    looked = [folder / PARAMETERS_FILE for folder in rules_folders(rules_folder)]
    found = next((path for path in looked if path.is_file()), None)
    if found is None:
        raise RulesError("There are no dated parameters.", [Fault(str(path), "not found") for path in looked])
    return _read(found, found.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Parameters:
    table = read_table(path, _PARAMETERS)
    faults = [*table.faults, *_overlaps(path, table.rows)]
    if faults:
        raise RulesError(f"{path} cannot be used: {len(faults)} faults", faults)
    return Parameters(table.rows)


def _names(rows: Iterable[Parameter], name: str) -> bool:
    return any(row.parameter == name for row in rows)


def _value_fault(row: Parameter) -> str | None:
    try:
        _ = row.value
    except ValueError as error:
        return str(error)
    return "ends before it starts" if row.ends < row.starts else None


def _overlaps(path: Path, rows: Iterable[Parameter]) -> list[Fault]:
    """Values that cannot be read, and two figures of one name for one day."""
    faults: list[Fault] = []
    before: dict[str, Parameter] = {}
    for row in rows:
        what = _value_fault(row)
        if what:
            faults.append(Fault(f"{path}:{row.origin.line}", f"column value of {row.parameter}: {what}", "mend the value"))
        earlier = before.get(row.parameter)
        if earlier is not None and row.starts <= earlier.ends:
            what = f"column starts of {row.parameter}: line {earlier.origin.line} holds until {earlier.ends}"
            faults.append(Fault(f"{path}:{row.origin.line}", what, "give every day one figure, in order of date"))
        before[row.parameter] = row
    return faults


def _one_of(name: str, known: Iterable[str]) -> TableColumn:
    listed = tuple(known)

    def read(text: str) -> str:
        if text not in listed:
            raise ValueError(f"'{text}' is not known")
        return text

    return TableColumn(name, read, f"one of {', '.join(listed)}", f"known: {', '.join(listed)}", required=True)


_DATE = "write a date such as 2017-04-01"
_PARAMETERS: Final = TableSpec(
    name="parameters",
    columns=(
        TableColumn("parameter", str, "what it is", "name the parameter", required=True),
        TableColumn("starts", date.fromisoformat, "first day on which it held", _DATE, required=True),
        TableColumn("ends", date.fromisoformat, "last day on which it held", _DATE, required=True),
        TableColumn("value", str, "the figure; none = the rule did not act; blank = not known", "", blank=""),
        _one_of("unit", UNITS),
        _one_of("confidence", CONFIDENCES),
        TableColumn("source", str, "where it comes from", "say where the figure comes from", required=True),
        TableColumn("note", str, "anything a reader should know", "", blank=""),
    ),
    row=lambda *, value, **given: Parameter(text=value, **given),
    key=("parameter", "starts"),
    labels=(),
)


def parameters_text(year: str, rules_folder: Path | None = None) -> str:
    """The parameters of a year for a terminal: each with its value, dates where it changed within the year, and source."""
    starts, ends = financial_year_dates(year)
    lines = [f"Dated parameters of {year}"]
    for name, found in parameters_of(year, rules_folder).items():
        for one in found:
            within = "" if one.starts <= starts and one.ends >= ends else f", {max(one.starts, starts)} to {min(one.ends, ends)}"
            lines.append(f"  {name.replace('_', ' ')}: {one}{within} [{one.confidence}]")
            lines += [f"      {text}" for text in (one.source, one.note) if text]
    return "\n".join(lines)
