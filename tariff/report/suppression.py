"""Small numbers kept from print. A count of 1 to 7 could point to a person, so it and its money are shown as `[c]`; and
where a single hidden figure could be found by taking the others from their total, the next smallest is hidden too. Totals
stay as they are. (Figures are protected against subtraction along each row, column and margin, not against every combination
of tables that a reader might put together.)"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

CONFIDENTIAL: Final = "[c]"
SMALLEST: Final = 1
LARGEST: Final = 7
"""Counts from SMALLEST to LARGEST are hidden."""

Key = tuple[Hashable, ...]
_Named = TypeVar("_Named", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What to hide: `cells` of a table of one or more dimensions, and by dimension the values whose margin is hidden."""

    cells: frozenset[Key]
    margins: tuple[frozenset[Hashable], ...]


def is_small(count: int) -> bool:
    """Whether a count is one to keep from print."""
    return SMALLEST <= count <= LARGEST


def hide_small(counts: Mapping[Key, int]) -> Hidden:
    """What to hide of a table of counts, given by key; a key has one value for each dimension."""
    dimensions = range(len(next(iter(counts), ())))
    lines = [line for dimension in dimensions for line in _lines_along(counts, dimension)]
    members = [_members(counts, dimension) for dimension in dimensions]
    margins = [{value: sum(counts[key] for key in keys) for value, keys in member.items()} for member in members]
    cells = {key for key, count in counts.items() if is_small(count)}
    values = [{value for value, count in margin.items() if is_small(count)} for margin in margins]
    before = -1
    while before != (before := len(cells) + sum(map(len, values))):
        for line in lines:
            cells |= _companion({key: counts[key] for key in line}, cells)
        if len(values) == 2:  # a table of rows and columns, whose totals are those of its lines
            for hidden, member in zip(values, members, strict=True):
                hidden.update(value for value, keys in member.items() if _stands_alone(keys, counts, cells))
        for hidden, margin, member in zip(values, margins, members, strict=True):
            hidden.update(_companion(margin, hidden))
            for value in hidden:
                if cells.isdisjoint(member[value]):
                    cells |= _smallest({key: counts[key] for key in member[value]})
    return Hidden(frozenset(cells), tuple(map(frozenset, values)))


def _lines_along(counts: Mapping[Key, int], dimension: int) -> Iterator[list[Key]]:
    """The keys that differ in one dimension alone: a row or a column, which has a total of its own."""
    lines: dict[Key, list[Key]] = defaultdict(list)
    for key in counts:
        lines[key[:dimension] + key[dimension + 1 :]].append(key)
    yield from lines.values()


def _members(counts: Mapping[Key, int], dimension: int) -> dict[Hashable, list[Key]]:
    members: dict[Hashable, list[Key]] = defaultdict(list)
    for key in counts:
        members[key[dimension]].append(key)
    return members


def _stands_alone(line: list[Key], counts: Mapping[Key, int], hidden: set[Key]) -> bool:
    """Whether a hidden figure is all that its row or column holds, so that its total would tell it."""
    present = [key for key in line if counts[key]]
    return len(present) == 1 and present[0] in hidden


def _companion(counts: Mapping[_Named, int], hidden: set[_Named]) -> set[_Named]:
    """The figure to hide beside a single hidden one, so that it cannot be found by subtraction."""
    shown = {key: count for key, count in counts.items() if key not in hidden}
    return _smallest(shown) if len(counts) - len(shown) == 1 else set()


def _smallest(counts: Mapping[_Named, int]) -> set[_Named]:
    present = [(count, repr(key), key) for key, count in counts.items() if count > 0]
    return {min(present)[2]} if present else set()
