"""On which line of a TOML text something stands, so that a fault can be told by file and line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

_HEADER: Final = re.compile(r"^\s*\[(?P<item>\[?)\s*(?P<name>[\w-]+(?:\s*\.\s*[\w-]+)*)\s*\]\]?")
_KEY: Final = re.compile(r"^\s*(?P<name>[\w-]+)\s*=")


def line_of(text: str, location: Sequence[str | int]) -> int:
    """The line of a TOML text on which the key at `location` stands, as in `("model", 0, "terms", 1, "marginal_rate")`;
    where the key is not written, the header of the nearest table around it."""
    wanted, best = tuple(location), 1
    counts: Counter[tuple[str | int, ...]] = Counter()
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            path = [name.strip() for name in header["name"].split(".")]
            table = _array_item(path, counts) if header["item"] else (*_latest(path[:-1], counts), path[-1])
            best = number if wanted[: len(table)] == table else best
        elif key and wanted[: len(table) + 1] == (*table, key["name"]):
            return number
    return best


def _array_item(names: list[str], counts: Counter[tuple[str | int, ...]]) -> tuple[str | int, ...]:
    """Where the array table `[[a.b]]` just met stands: the next `b` of the latest `a`."""
    *parents, last = names
    path = (*_latest(parents, counts), last)
    counts[path] += 1
    return (*path, counts[path] - 1)


def _latest(parents: Sequence[str], counts: Counter[tuple[str | int, ...]]) -> tuple[str | int, ...]:
    """Where nested tables stand: in the latest item of those that are arrays."""
    path: tuple[str | int, ...] = ()
    for parent in parents:
        path = (*path, parent)
        path = (*path, counts[path] - 1) if counts[path] else path
    return path
