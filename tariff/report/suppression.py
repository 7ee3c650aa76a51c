"""Small numbers kept from print. A count of 1 to 7 could point to a person, so it and its money are shown as `[c]`; and
where a single hidden figure could be found by taking the others from their total, the next smallest is hidden too. Totals
stay as they are. (Figures are protected against subtraction along each row, column and margin, and between any two tables of
one dimension whose values belong together, as the providers of a commissioner; not against every sum of more tables than two that
a reader might put together.)"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

CONFIDENTIAL: Final = "[c]"
SMALLEST: Final = 1
LARGEST: Final = 7
"""Counts from SMALLEST to LARGEST are hidden."""

Key = tuple[Hashable, ...]
_Named = TypeVar("_Named", bound=Hashable)
_Told = tuple[int, Hashable]
"""Which of two tables, and a value of its dimension."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What to hide: `cells` of a table of one or more dimensions, and by dimension the values whose margin is hidden."""

    cells: frozenset[Key]
    margins: tuple[frozenset[Hashable], ...]


def is_small(count: int) -> bool:
    """Whether a count is one to keep from print."""
    return SMALLEST <= count <= LARGEST


def hide_small(
    counts: Mapping[Key, int], beside: Collection[Key] = (), margins_hidden: Sequence[Collection[Hashable]] = ()
) -> Hidden:
    """What to hide of a table of counts, given by key; a key has one value for each dimension.

    `beside` are keys of no count that hold money all the same, as what is paid for a whole contract: they are hidden where the
    contract is, and tell each other by subtraction as counts do. `margins_hidden`: by dimension the values that another table of
    the same report hides already."""
    dimensions = range(len(next(iter(counts), ())))
    lines = [line for dimension in dimensions for line in _lines_along(counts, dimension)]
    members = [_members(counts, dimension) for dimension in dimensions]
    margins = [{value: sum(counts[key] for key in keys) for value, keys in member.items()} for member in members]
    holding = [{key[dimension] for key in beside} for dimension in dimensions]
    cells = {key for key, count in counts.items() if is_small(count)}
    values = [{value for value, count in margin.items() if is_small(count)} for margin in margins]
    for hidden, already in zip(values, margins_hidden, strict=False):
        hidden.update(already)
    before = -1
    while before != (before := len(cells) + sum(map(len, values))):
        cells |= {key for key in beside if any(value is not None and value in values[at] for at, value in enumerate(key))}
        for line in lines:
            cells |= _companion({key: counts[key] for key in line}, cells, beside)
        if len(values) == 2:  # a table of rows and columns, whose totals are those of its lines
            for hidden, member in zip(values, members, strict=True):
                hidden.update(value for value, keys in member.items() if _stands_alone(keys, counts, cells, beside))
        for hidden, margin, member, held in zip(values, margins, members, holding, strict=True):
            hidden.update(_companion(margin, hidden, held))
            for value in hidden:
                if cells.isdisjoint(member.get(value, ())):
                    cells |= _smallest({key: counts[key] for key in member.get(value, ())}, beside)
    return Hidden(frozenset(cells), tuple(map(frozenset, values)))


def hide_between(
    counts: tuple[Mapping[Hashable, int], Mapping[Hashable, int]],
    hidden: tuple[Collection[Hashable], Collection[Hashable]],
    met: Collection[tuple[Hashable, Hashable]],
) -> tuple[set[Hashable], set[Hashable]]:
    """What else to hide of two tables of one dimension each, given by value, so that neither tells what the other hides.

    `met`: which value of the one shares lines or money with which of the other. Values that share with no others come to the same
    in both tables, so what is hidden among them comes to something known where one of the tables hides none of them, or where no
    other such group is hidden in both: a lone hidden figure would then be told."""
    both: dict[_Told, int] = {(at, value): count for at, table in enumerate(counts) for value, count in table.items()}
    concealed = {(at, value) for at, values in enumerate(hidden) for value in values}
    groups = _groups(met)
    within = [[{told for told in group & concealed if told[0] == at} for at in (0, 1)] for group in groups]
    open_groups = sum(map(all, within))
    found: set[_Told] = set()
    for group, sides in zip(groups, within, strict=True):
        if not all(sides) or open_groups == 1:
            for lone in (side for side in sides if len(side) == 1):
                found |= _beside_the_lone(next(iter(lone))[0], group, both.keys() - concealed, both)
    return {value for at, value in found if at == 0}, {value for at, value in found if at == 1}


def _beside_the_lone(at: int, group: set[_Told], shown: set[_Told], both: Mapping[_Told, int]) -> set[_Told]:
    """The smallest figure to hide beside a lone one of table `at`: of its own table and group, else of its group, else any."""
    own = {told for told in group if told[0] == at}
    for among in (own & shown, group & shown, shown):
        if chosen := _smallest({told: both[told] for told in among}, among):
            return chosen
    return set()


def _groups(met: Collection[tuple[Hashable, Hashable]]) -> list[set[_Told]]:
    """The values of two tables that hang together by sharing lines, told by the table that each is of."""
    group_of: dict[_Told, set[_Told]] = {}
    for first, second in met:
        one, other = group_of.setdefault((0, first), {(0, first)}), group_of.setdefault((1, second), {(1, second)})
        if one is not other:
            fewer, more = sorted((one, other), key=len)
            more |= fewer
            group_of.update(dict.fromkeys(fewer, more))
    return list({id(group): group for group in group_of.values()}.values())


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


def _stands_alone(line: list[Key], counts: Mapping[Key, int], hidden: set[Key], beside: Collection[Key]) -> bool:
    """Whether a hidden figure is all that its row or column holds, so that its total would tell it."""
    present = [key for key in line if counts[key] or key in beside]
    return len(present) == 1 and present[0] in hidden


def _companion(counts: Mapping[_Named, int], hidden: set[_Named], beside: Collection[_Named]) -> set[_Named]:
    """The figure to hide beside a single hidden one, so that it cannot be found by subtraction."""
    shown = {key: count for key, count in counts.items() if key not in hidden}
    return _smallest(shown, beside) if len(counts) - len(shown) == 1 else set()


def _smallest(counts: Mapping[_Named, int], beside: Collection[_Named]) -> set[_Named]:
    """The smallest count that is there; what has none but holds money only where there is no other."""
    present = [(not count, count, repr(key), key) for key, count in counts.items() if count > 0 or key in beside]
    return {min(present)[3]} if present else set()
