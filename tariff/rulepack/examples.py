"""`examples.csv`: worked lines of a pack. Each is an activity line with the components a reader can check by hand, and says
where the expectation comes from. The kernels and the reference must both reproduce it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tariff import money
from tariff.columns import ADMITTED, EMERGENCY, KINDS, OUTPATIENT, UNBUNDLED, names
from tariff.errors import Fault, did_you_mean
from tariff.reasons import OUTCOMES, REASON_CODES
from tariff.rulepack.tables import Cells, Origin, Record, read_records

EXAMPLES_FILE: Final = "examples.csv"
EXPECTED_AMOUNTS: Final = ("base", "short_stay", "long_stay", "top_up", "market_forces", "price")
"""Expected components in pounds; they add to the price."""
_EXPECTED: Final = (*EXPECTED_AMOUNTS, "outcome", "reason")
_REQUIRED: Final = ("example", "kind", *_EXPECTED, "source")
_COLUMNS_OF_KIND: Final = {
    kind: frozenset(names(columns)) for kind, columns in zip(KINDS, (ADMITTED, OUTPATIENT, EMERGENCY, UNBUNDLED), strict=True)
}
_KNOWN: Final = tuple(dict.fromkeys([*_REQUIRED, *names(ADMITTED), *names(OUTPATIENT), *names(EMERGENCY), *names(UNBUNDLED)]))


class Example(NamedTuple):
    """One worked line: `activity` by canonical column (blank cells left out), `expected` in pence, outcome and reason."""

    name: str
    kind: str
    activity: Cells
    expected: dict[str, int]
    outcome: str
    reason: str
    source: str
    origin: Origin


def read_examples(path: Path) -> tuple[tuple[Example, ...], list[Fault]]:
    """The worked lines at `path` and every fault found in them; none where there is no such file."""
    if not path.is_file():
        return (), []
    header, records, faults = read_records(path, _REQUIRED)
    for name in header:
        if name not in _KNOWN:
            faults.append(
                Fault(f"{path}:1", f"column '{name}' is not known", f"{did_you_mean(name, _KNOWN)} use canonical names".strip())
            )
    seen: set[str] = set()
    for record in records if not faults else []:
        faults += [Fault(f"{path}:{record.line}", what, remedy) for what, remedy in _problems(record, seen)]
    if faults:
        return (), faults
    shown = f"{path.parent.name}/{path.name}"
    return tuple(_example(record, Origin(shown, record.line)) for record in records), []


def _example(record: Record, origin: Origin) -> Example:
    cells = record.cells
    activity = {name: text for name, text in cells.items() if text and name not in _REQUIRED}
    expected = {name: money.pence(cells[name] or "0") for name in EXPECTED_AMOUNTS}
    return Example(
        cells["example"], cells["kind"], activity, expected, cells["outcome"], cells["reason"], cells["source"], origin
    )


def _problems(record: Record, seen: set[str]) -> Iterator[tuple[str, str]]:
    cells = record.cells
    if not cells["example"] or cells["example"] in seen:
        yield f"column example: '{cells['example']}' is blank or stands twice", "give each worked line a name of its own"
    seen.add(cells["example"])
    if not cells["source"]:
        yield "column source: is blank", "say where the expected figures come from"
    for column, known in (("kind", KINDS), ("outcome", OUTCOMES), ("reason", REASON_CODES)):
        if cells[column] not in known:
            remedy = did_you_mean(cells[column], known) or f"known: {', '.join(known)}"
            yield f"column {column}: '{cells[column]}' is not known", remedy
    yield from _misplaced_cells(cells)
    yield from _amount_problems(cells)


def _misplaced_cells(cells: Cells) -> Iterator[tuple[str, str]]:
    """Cells in columns that activity of the line's kind has not: they would never be read."""
    if cells["kind"] not in _COLUMNS_OF_KIND:
        return
    for column, text in cells.items():
        if text and column not in _REQUIRED and column not in _COLUMNS_OF_KIND[cells["kind"]]:
            yield f"column {column}: {cells['kind']} activity has no such column", "leave the cell blank, or mend the kind"


def _amount_problems(cells: Cells) -> Iterator[tuple[str, str]]:
    amounts: list[int] = []
    for column in EXPECTED_AMOUNTS:
        try:
            amounts.append(money.pence(cells[column] or "0"))
        except ValueError as error:
            yield f"column {column}: {error}", "write pounds, such as 1,237.00; blank = 0"
            return
    *components, price = amounts
    if sum(components) != price:
        told = f"{money.pounds(sum(components))}, not {money.pounds(price)}"
        yield f"column price: the components add to {told}", "mend the expectation"
