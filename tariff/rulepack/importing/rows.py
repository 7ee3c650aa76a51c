"""From recognised sheets to the rows of a pack's tables. What cannot be read is left blank and listed; nothing is filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tariff.errors import Fault
from tariff.rulepack.importing.figures import is_nothing
from tariff.rulepack.importing.recognising import Fit, Wanted
from tariff.rulepack.importing.sheets import Sheet
from tariff.rulepack.importing.titles import years_named
from tariff.rulepack.rows import TABLES

Row = dict[str, str]

BLANKS: Final = {"short_stay_applies": "no"}
"""What a blank cell of a column says, where it says something."""
UNIT_NOT_STATED: Final = "item"


@dataclass(slots=True)
class Imported:
    """One table as imported: its rows with the place of each, the sheets they come from, and what to know about it."""

    table: str
    rows: list[Row] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    other_years: set[str] = field(default_factory=set)
    """The years that its titles name, where none of them is the one asked for."""

    @property
    def columns(self) -> list[str]:
        """Its columns, in the order of the pack's table."""
        held = {name for row in self.rows for name in row}
        return [name for name in (*TABLES[self.table].column_names, "source", "confidence") if name in held]

    def in_columns(self) -> list[Row]:
        """Its rows, each with every column."""
        columns = self.columns
        return [{name: row.get(name, "") for name in columns} for row in self.rows]


@dataclass(slots=True)
class Reading:
    """The tables of the pack, what was not placed (where, what), and what is wrong."""

    tables: dict[str, Imported] = field(default_factory=dict)
    left: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_tables(fits: Sequence[Fit], wanted: Wanted) -> Reading:
    """Read every recognised sheet into the table it belongs to."""
    reading = Reading()
    for fit in fits:
        placed = list(_placed(fit, reading))
        _unplaced_columns(fit, reading)
        table = "admitted" if fit.layout.table == "sus" else fit.layout.table
        imported = reading.tables.setdefault(table, Imported(table))
        imported.sheets.append(fit.sheet)
        imported.other_years |= _other_years(fit, wanted.year)
        for place, row in _SHAPES.get(fit.layout.table, _as_they_are)(placed, imported, wanted, reading):
            imported.rows.append(row)
            imported.places.append(place)
    for table, imported in list(reading.tables.items()):
        _repeated(imported, reading)
        if not imported.rows:
            del reading.tables[table]
            _without_rows(imported, wanted, reading)
    return reading


def _without_rows(imported: Imported, wanted: Wanted, reading: Reading) -> None:
    """A sheet of which no row is taken: of another year, or, where it is one of factors, damaged. (Prices without factors would
    be no workbook's meaning.)"""
    sheet = str(imported.sheets[0])
    if imported.table == "mff":
        remedy = "mend the cells listed below, or leave the sheet out with --skip SHEET: prices are then before the factor"
        reading.faults.append(Fault(sheet, "no provider on it has a factor that can be read", remedy))
    else:
        reading.left.append((sheet, f"no row of it belongs to a table of {wanted.year}"))


Placed = tuple[str, Row]
"""Where a row stands, and its cells by field."""


def _placed(fit: Fit, reading: Reading) -> Iterator[Placed]:
    """The rows below the titles that begin with a code of the table; others that hold anything are listed."""
    key = fit.columns[fit.layout.key]
    readers = {name: fit.layout.field(name).read for name in fit.columns}
    for number, cells in enumerate(fit.sheet.rows[fit.header + 1 :], start=fit.header + 1):
        code = cells[key].strip().upper() if key < len(cells) else ""
        if fit.layout.code.fullmatch(code) is None:
            _listed_row(fit, number, cells, reading)
            continue
        row: Row = {}
        for name, column in fit.columns.items():
            text = cells[column] if column < len(cells) else ""
            try:
                row[name] = BLANKS.get(name, "") if is_nothing(text) else readers[name](text)
            except ValueError as error:
                row[name] = BLANKS.get(name, "")
                reading.left.append((fit.sheet.place(number), f"{name} of {code}: {error}; left blank"))
        yield fit.sheet.place(number), row


def _listed_row(fit: Fit, number: int, cells: Sequence[str], reading: Reading) -> None:
    told = [cell for cell in cells if not is_nothing(cell)]
    if told:
        shown = " | ".join(told[:3])
        reading.left.append((fit.sheet.place(number), f"the row does not begin with a code of {fit.layout.title}: {shown[:120]}"))


def _unplaced_columns(fit: Fit, reading: Reading) -> None:
    """Columns whose title means nothing to the pack, with how many cells they hold."""
    for title in fit.waived.values():
        reading.left.append((fit.sheet.place(fit.header), f"column '{title}' is left out as asked (--without)"))
    for column, title in fit.unplaced.items():
        below = [row[column] for row in fit.sheet.rows[fit.header + 1 :] if column < len(row) and not is_nothing(row[column])]
        what = f"column '{title}' has no place in {fit.layout.table}.csv ({len(below):,} cells not taken)"
        reading.left.append((fit.sheet.place(fit.header), what))


def _other_years(fit: Fit, year: str) -> frozenset[str]:
    """The years that the titles that are read, or else the sheet, name, where none of them is the one asked for."""
    titles = " ".join(fit.sheet.rows[fit.header][column] for column in fit.columns.values())
    named = years_named(titles) or fit.years
    return frozenset() if year in named else named


def _as_they_are(placed: Iterable[Placed], _: Imported, _wanted: Wanted, _reading: Reading) -> Iterable[Placed]:
    return placed


def _admitted(placed: Iterable[Placed], imported: Imported, _wanted: Wanted, reading: Reading) -> Iterator[Placed]:
    """Where a workbook prices day case and ordinary elective apart throughout, equal prices stand as the combined price."""
    merged = 0
    for place, row in _with_trim_points(placed, reading):
        _reduce_or_not(place, row, reading)
        if "combined" not in row and row.get("day_case") and row["day_case"] == row.get("ordinary_elective"):
            row.update(combined=row["day_case"], day_case="", ordinary_elective="")
            merged += 1
        yield place, row
    if merged:
        imported.notes.append(_MERGED.format(count=merged))


def _reduce_or_not(place: str, row: Row, reading: Reading) -> None:
    """A short-stay price of an HRG to which the reduction does not apply is left blank and listed; a reduction without percentage
    and price is none, and listed where the workbook has columns for them."""
    applies = row.get("short_stay_applies", "no")
    if applies == "no" and row.get("short_stay_price"):
        reading.left.append((place, f"short_stay_price of {row['hrg']}: the reduction does not apply; left blank"))
        row["short_stay_price"] = ""
    elif applies == "yes" and not (row.get("short_stay_price") or row.get("short_stay_percent")):
        if "short_stay_price" in row or "short_stay_percent" in row:
            reading.left.append(
                (place, f"short_stay_applies of {row['hrg']}: no percentage and no price can be read; left at no")
            )
        row["short_stay_applies"] = "no"


_PRICES_OF_TRIM: Final = {"elective_trim": ("combined", "ordinary_elective"), "non_elective_trim": ("non_elective",)}


def _with_trim_points(placed: Iterable[Placed], reading: Reading) -> Iterator[Placed]:
    """A per-day payment of an HRG that lacks a trim point, in a column that others have filled, is not taken and is listed: from
    which day it would be paid is not known."""
    rows = list(placed)
    held = [trim for trim in _PRICES_OF_TRIM if any(row.get(trim) for _, row in rows)]
    for place, row in rows:
        lacking = [trim for trim in held if not row.get(trim) and any(row.get(price) for price in _PRICES_OF_TRIM[trim])]
        if lacking and row.get("per_day_long_stay"):
            what = f"per_day_long_stay of {row['hrg']}: {row['per_day_long_stay']} is not taken, as there is no"
            reading.left.append((place, f"{what} {' and no '.join(lacking)}: no day beyond the price is paid"))
            row["per_day_long_stay"] = ""
        yield place, row


_MERGED: Final = "{count:,} HRGs have equal day case and ordinary elective prices: these stand as the combined price."


def _sus(placed: Iterable[Placed], imported: Imported, _wanted: Wanted, reading: Reading) -> Iterator[Placed]:
    """Lines keyed by spell type, admission type and short stay, as one row an HRG (FORMATS, SUS tariff reference)."""
    lines: dict[str, list[Placed]] = {}
    for place, row in placed:
        lines.setdefault(row["hrg"], []).append((place, row))
    merged = 0
    pivoted: list[Placed] = []
    for hrg, own in lines.items():
        row, equal = _pivoted(hrg, own, reading)
        merged += equal
        pivoted.append((own[0][0], row))
    yield from _with_trim_points(pivoted, reading)
    if merged:
        imported.notes.append(_MERGED.format(count=merged))


_SUS_KEYS: Final = {
    ("DAY", "ELE", False): "day_case",
    ("ORD", "ELE", False): "ordinary_elective",
    ("DAY", "NON", False): "non_elective",
    ("ORD", "NON", False): "non_elective",
    ("DAY", "NON", True): "short_stay_price",
    ("ORD", "NON", True): "short_stay_price",
}


def _pivoted(hrg: str, lines: Sequence[Placed], reading: Reading) -> tuple[Row, bool]:
    row: Row = {"hrg": hrg}
    for place, line in lines:
        spell, admission = line["spell_type"][:3], line["admission_type"][:3]
        column = _SUS_KEYS.get((spell, admission, line["short_stay"] in {"SSEM", "Y", "YES", "1", "TRUE"}))
        if column is None:
            told = f"{line['spell_type']}, {line['admission_type']}, {line['short_stay'] or 'not short stay'}"
            reading.left.append((place, f"{hrg}: a price of {told} has no place"))
            continue
        trim = {"ordinary_elective": "elective_trim", "non_elective": "non_elective_trim"}.get(column)
        given = {column: line["price"], "per_day_long_stay": line.get("per_day"), "name": line.get("name")}
        if trim:
            given[trim] = line.get("trim")
        for name, text in given.items():
            if text is not None:
                _agreed(row, name, text, place, reading)
    equal = bool(row.get("day_case")) and row.get("day_case") == row.get("ordinary_elective")
    if equal:
        row.update(combined=row["day_case"], day_case="", ordinary_elective="")
    row["short_stay_applies"] = "yes" if row.get("short_stay_price") else "no"
    return row, equal


def _agreed(row: Row, name: str, text: str, place: str, reading: Reading) -> None:
    """Put a figure into a row; a second, other figure for the same cell is a fault."""
    if row.get(name) and text and row[name] != text:
        what = f"{name} of {row['hrg']} is {text} here and {row[name]} on another line"
        reading.faults.append(Fault(place, what, "the pack has one figure for both: mend the file, or leave one line out"))
    row[name] = row.get(name) or text


def _outpatient(placed: Iterable[Placed], _imported: Imported, _wanted: Wanted, reading: Reading) -> Iterator[Placed]:
    """One price for a non-face-to-face attendance, whoever attends: where single and multi-professional differ, neither."""
    for place, row in placed:
        for column, parts in _DISTANT.items():
            held = [name for name in parts if name in row]
            prices = {row.pop(name) for name in held} - {""}
            if len(prices) > 1:
                what = f"{column} of {row['treatment_function']}: single and multi-professional prices differ; left blank"
                reading.left.append((place, what))
            if held:
                row[column] = prices.pop() if len(prices) == 1 else ""
        yield place, row


_DISTANT: Final = {
    "first_non_face_to_face": ("first_distant", "first_distant_single", "first_distant_multi"),
    "follow_up_non_face_to_face": ("follow_distant", "follow_distant_single", "follow_distant_multi"),
}


def _unbundled(placed: Iterable[Placed], imported: Imported, _wanted: Wanted, _reading: Reading) -> Iterator[Placed]:
    """A unit that the workbook does not state is one item of the activity line."""
    unstated = 0
    for place, row in placed:
        unstated += not row.get("unit")
        unit = "_".join(row.get("unit", "").lower().replace("-", " ").split())
        yield place, {**row, "unit": unit if unit.replace("_", "").isalpha() else UNIT_NOT_STATED}
    if unstated:
        told = f"{unstated:,} unbundled currencies state no unit: '{UNIT_NOT_STATED}' stands for one unit of the line."
        imported.notes.append(told)


def _factors(placed: Iterable[Placed], _imported: Imported, _wanted: Wanted, reading: Reading) -> Iterator[Placed]:
    """A provider without a factor that can be read is left out and listed."""
    for place, row in placed:
        if row["mff"]:
            yield place, row
        else:
            what = f"{row['provider']} has no factor and is left out: its lines take that of its trust's code, or stay unpriced"
            reading.left.append((place, what))


def _top_ups(placed: Iterable[Placed], imported: Imported, wanted: Wanted, _reading: Reading) -> Iterator[Placed]:
    """The rates of the year asked for, where the sheet holds several; a service without a rate pays none and is left out."""
    other = 0
    for place, row in placed:
        year = row.pop("financial_year", "")
        if year and wanted.year not in years_named(year):
            other += 1
        elif row["percent"]:
            yield place, row
    if other:
        imported.notes.append(f"{other:,} top-up rates of other years were passed over.")


_SHAPES: Final = {
    "admitted": _admitted,
    "sus": _sus,
    "outpatient": _outpatient,
    "unbundled": _unbundled,
    "mff": _factors,
    "top_ups": _top_ups,
}


def _repeated(imported: Imported, reading: Reading) -> None:
    """A code that stands twice: once where the rows are alike, else a fault."""
    spec = TABLES[imported.table]
    kept: dict[tuple[str, ...], tuple[str, Mapping[str, str]]] = {}
    alike = Counter[tuple[str, ...]]()
    for place, row in zip(imported.places, imported.rows, strict=True):
        key = tuple(row[name] for name in spec.key)
        first = kept.setdefault(key, (place, row))
        if first[1] is row:
            continue
        if first[1] == row:
            alike[key] += 1
        else:
            what = f"{' '.join(key)} stands here and, with other figures, at {first[0]}"
            reading.faults.append(Fault(place, what, "mend the workbook, or leave a sheet out with --skip SHEET"))
    if alike:
        reading.left.append(
            (str(imported.sheets[0]), f"{alike.total():,} rows stand twice, word for word; one of each was taken")
        )
        imported.places = [place for place, _ in kept.values()]
        imported.rows = [dict(row) for _, row in kept.values()]
