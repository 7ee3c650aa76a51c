"""Which sheet holds which table, and which column which figure. A sheet is taken only where its titles say so without doubt:
what is missing or could be two things is a fault or is listed, with what was found and what an official workbook prints."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from tariff.errors import Fault
from tariff.rulepack.importing.figures import is_nothing
from tariff.rulepack.importing.layouts import LAYOUTS, LEFT_ALONE, Field, Layout
from tariff.rulepack.importing.sheets import Sheet
from tariff.rulepack.importing.titles import words, years_named

_DEEPEST_HEADER: Final = 60
"""Rows among which the titles are looked for."""
_TITLES_TOLD: Final = 24


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for: the year, columns that the workbook is known to lack, sheets to pass over."""

    year: str
    without: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fit:
    """A sheet read as a layout: the row of its titles, by field the number of its column, titles that mean nothing here, those
    of columns that are said to be missing, titles between which a field cannot be told, and what is missing."""

    sheet: Sheet
    layout: Layout
    header: int
    columns: dict[str, int]
    unplaced: dict[int, str]
    waived: dict[int, str]
    doubtful: dict[str, tuple[str, ...]]
    missing: tuple[Field, ...]
    coded: bool

    @property
    def is_whole(self) -> bool:
        """Whether the sheet holds the table."""
        return not self.missing and not self.doubtful and self.coded

    @property
    def titled(self) -> int:
        """How many columns of the table the titles name."""
        return len(self.columns) + len(self.doubtful)

    @property
    def is_mostly_there(self) -> bool:
        """Whether the titles name most of the columns that the table cannot do without; a code and a price tell too little."""
        needed = len(self.layout.required({*self.columns, *self.doubtful}))
        return needed > 2 and 2 * len(self.missing) < needed

    @property
    def years(self) -> frozenset[str]:
        """The years that the sheet's name and the rows above its titles name."""
        above = " ".join(cell for row in self.sheet.rows[: self.header] for cell in row)
        return years_named(f"{self.sheet.name} {above}")

    def fault(self) -> Fault:
        """What is wrong with it, and what an official workbook prints."""
        where = self.sheet.place(self.header)
        titles = [cell for cell in self.sheet.rows[self.header] if cell]
        found = f"found: {_listed(titles)}"
        if self.doubtful:
            told = "; ".join(f"{name} could be {' or '.join(repr(t) for t in two)}" for name, two in self.doubtful.items())
            return Fault(where, f"{self.layout.title}: {told}", "rename or remove the columns that are not meant")
        if self.missing:
            lacking = ", ".join(f"{field.name} ('{field.printed}')" for field in self.missing)
            return Fault(where, f"{self.layout.title}: no column for {lacking}", f"{found}. {self._without()}")
        what = f"{self.layout.title}: column '{titles[0]}' holds no codes such as this table has"
        return Fault(where, what, f"{found}. Check that the sheet is what its titles say")

    def _without(self) -> str:
        """How to import the sheet all the same; not where the codes are missing, without which there is no row."""
        names = [field.name for field in self.missing]
        if self.layout.key in names:
            return "Give the column its title, or leave the sheet out with --skip SHEET"
        return f"If the workbook really lacks it, say so: --without {','.join(names)}"


@dataclass(slots=True)
class Recognised:
    """What was found in the sheets: tables to read, in order; what was left out, and why; and what is wrong."""

    fits: list[Fit] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def recognise(sheets: Sequence[Sheet], wanted: Wanted) -> Recognised:
    """What each sheet holds."""
    found = Recognised()
    whole: dict[str, list[Fit]] = {}
    part: list[Fit] = []
    for sheet in sheets:
        fits = sorted(_fits(sheet, wanted), key=_goodness, reverse=True)
        reason = _passed_over(sheet, wanted)
        best = fits[0] if fits else None
        if reason:
            found.left.append((str(sheet), reason))
        elif best is None or best.titled < 2:
            found.left.append((str(sheet), "no table was found on it"))
        elif not best.is_whole:
            part.append(best)
        elif _belied(best):
            found.faults.append(_belying(best))
        else:
            whole.setdefault(best.layout.table, []).append(best)
    for fit in part:
        _not_taken(fit, whole, found)
    for table, fits in whole.items():
        found.fits += _of_the_year(table, fits, wanted, found)
    _once(found)
    if not any(fit.layout.table in _PRICED for fit in found.fits) and not found.faults:
        found.faults.append(_nothing(sheets))
    return found


_PRICED: Final = frozenset({"admitted", "sus", "outpatient", "emergency", "unbundled"})


def _passed_over(sheet: Sheet, wanted: Wanted) -> str:
    if sheet.name in wanted.skip:
        return "left out as asked (--skip)"
    return next((why for meant, why in LEFT_ALONE if meant.is_said_by(sheet.name)), "")


def _belied(fit: Fit) -> bool:
    """Whether the sheet's name claims other tables than the one its titles fit."""
    claimed = [layout.table for layout in LAYOUTS if layout.claims(fit.sheet.name)]
    table = "admitted" if fit.layout.table == "sus" else fit.layout.table
    return bool(claimed) and fit.layout.table not in claimed and table not in claimed


def _belying(fit: Fit) -> Fault:
    claimed = " or ".join(layout.title for layout in LAYOUTS if layout.claims(fit.sheet.name))
    what = f"by its name this is {claimed}; by its titles it is {fit.layout.title}"
    return Fault(fit.sheet.place(fit.header), what, f"found: {_listed(fit.sheet.rows[fit.header])}")


def _not_taken(fit: Fit, whole: Collection[str], found: Recognised) -> None:
    """A sheet that does not hold the table which its name, or most of its titles, say that it holds is a fault, unless by its
    titles alone and another sheet holds the table; any other is listed with what it was nearest to."""
    fault = fit.fault()
    if fit.layout.claims(fit.sheet.name) or (fit.is_mostly_there and fit.layout.table not in whole):
        found.faults.append(fault)
    else:
        found.left.append((fault.where, f"{fault.what}; {fault.remedy}"))


def _fits(sheet: Sheet, wanted: Wanted) -> Iterator[Fit]:
    """The sheet as each layout that any of its first rows has titles of."""
    for layout in LAYOUTS:
        rows = sheet.rows[:_DEEPEST_HEADER]
        matched = [_matched(row, layout, wanted.year) for row in rows]
        if not matched:
            continue
        header = max(range(len(rows)), key=lambda row: (len(matched[row][0]), -row))
        columns, doubtful = (_not_waived(found, wanted) for found in matched[header])
        waived = {number: rows[header][number] for name, number in matched[header][0].items() if name in wanted.without}
        if columns or doubtful:
            taken = {*columns.values(), *waived}
            unplaced = {n: title for n, title in enumerate(rows[header]) if title and n not in taken}
            missing = tuple(layout.missing({*columns, *doubtful}, wanted.without))
            needed = {name: titles for name, titles in doubtful.items() if name in layout.required({*columns, *doubtful})}
            coded = _is_coded(sheet, header, columns.get(layout.key), layout)
            yield Fit(sheet, layout, header, columns, unplaced, waived, needed, missing, coded)


Found = TypeVar("Found")


def _not_waived(by_field: dict[str, Found], wanted: Wanted) -> dict[str, Found]:
    """What was found, without the columns that the workbook is said to lack: one that it holds all the same is not taken."""
    return {name: found for name, found in by_field.items() if name not in wanted.without}


def _matched(row: Sequence[str], layout: Layout, year: str) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """By field the column whose title means it, and the fields that several titles mean. A title that means several fields
    means none of them; of several titles the one that names the year wins. Of `Provider code` and `Provider` the one that
    says code is the key, and the other the name."""
    candidates: dict[str, list[int]] = {}
    for number, title in enumerate(row):
        meant = [one.name for one in layout.fields if title and one.is_titled(title)]
        if len(meant) == 1:
            candidates.setdefault(meant[0], []).append(number)
    columns: dict[str, int] = {}
    doubtful: dict[str, tuple[str, ...]] = {}
    for name, numbers in candidates.items():
        of_year = [number for number in numbers if year in years_named(row[number])]
        coded = [number for number in numbers if name == layout.key and "code" in words(row[number])]
        chosen = of_year or coded or numbers
        if len(chosen) == 1:
            columns[name] = chosen[0]
        else:
            doubtful[name] = tuple(row[number] for number in chosen)
    beside = [number for number in candidates.get(layout.key, ()) if number != columns.get(layout.key)]
    if layout.key in columns and "name" not in candidates and len(beside) == 1 and layout.is_named:
        columns["name"] = beside[0]
    return columns, doubtful


def _is_coded(sheet: Sheet, header: int, column: int | None, layout: Layout) -> bool:
    """Whether most of the cells below the key's title look like its codes."""
    if column is None:
        return False
    cells = [row[column].strip().upper() for row in sheet.rows[header + 1 :] if column < len(row) and not is_nothing(row[column])]
    return bool(cells) and 2 * sum(layout.code.fullmatch(cell) is not None for cell in cells) > len(cells)


def _goodness(fit: Fit) -> tuple[bool, int, bool, bool, bool]:
    """Tables that are whole, that the name claims, or that are mostly there, before mere likenesses; of these the one that most
    titles mean, so that a price sheet which lacks a column is not taken for a small table that a few of its titles would make."""
    claimed = fit.layout.claims(fit.sheet.name)
    likely = fit.is_whole or (claimed and fit.titled > 1) or fit.is_mostly_there
    return likely, fit.titled, fit.is_whole, claimed, fit.coded


def _of_the_year(table: str, fits: list[Fit], wanted: Wanted, found: Recognised) -> list[Fit]:
    """Of several sheets that hold the same table, those of the year asked for."""
    named = [fit for fit in fits if wanted.year in fit.years]
    others = [fit for fit in fits if fit.years and wanted.year not in fit.years]
    if len(fits) > 1 and named and len(named) + len(others) == len(fits):
        found.left += [(str(fit.sheet), f"of {', '.join(sorted(fit.years))}, not of {wanted.year}") for fit in others]
        fits = named
    if len(fits) > 1 and not fits[0].layout.several:
        sheets = " and ".join(f"'{fit.sheet.name}'" for fit in fits)
        remedy = "leave all but one out with --skip SHEET"
        found.faults.append(Fault(fits[0].sheet.file, f"several sheets hold {fits[0].layout.title}: {sheets}", remedy))
    return fits


def _once(found: Recognised) -> None:
    """SUS reference and a price sheet both hold admitted care: one of them must be left out."""
    both = [fit for fit in found.fits if fit.layout.table in {"admitted", "sus"}]
    if len({fit.layout.table for fit in both}) > 1:
        sheets = " and ".join(f"'{fit.sheet.name}'" for fit in both)
        found.faults.append(Fault("", f"admitted care stands in {sheets}", "leave one out with --skip SHEET"))


def _nothing(sheets: Sequence[Sheet]) -> Fault:
    """No table of prices was recognised."""
    told = "; ".join(f"'{sheet.name}'{_first_row(sheet)}" for sheet in sheets) or "no sheets"
    expected = "; ".join(f"{one.title} ({', '.join(f.printed for f in one.fields[:6])}, ...)" for one in LAYOUTS[:5])
    return Fault("", f"no sheet holds a table of prices. Found: {told}", f"expected one of: {expected}")


def _first_row(sheet: Sheet) -> str:
    """The fullest of the first rows, as the likeliest titles."""
    rows = [[cell for cell in row if cell] for row in sheet.rows[:_DEEPEST_HEADER]]
    fullest = max(rows, key=len, default=[])
    return f" ({_listed(fullest[:6])})" if fullest else " (empty)"


def _listed(titles: Collection[str]) -> str:
    shown = [f"'{title}'" for title in titles if title]
    more = f" and {len(shown) - _TITLES_TOLD} more" if len(shown) > _TITLES_TOLD else ""
    return ", ".join(shown[:_TITLES_TOLD]) + more
