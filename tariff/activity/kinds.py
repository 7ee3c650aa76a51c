"""The kinds of activity and how a file's kind is told: by its key column, once the column map has been applied.

A kind is a row of `KINDS` with a contract of columns; nothing else in reading depends on which kind a file is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from tariff.columns import ADMITTED, EMERGENCY, EPISODE, OUTPATIENT, UNBUNDLED, Column, names
from tariff.errors import Fault, UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of activity. `key` tells it, `identifier` names its lines, `columns` is its contract.

    Where a line is made of parts (a spell of episodes), `part_key` tells a file of parts and `part_columns` is its contract.
    """

    name: str
    key: str
    identifier: str
    columns: tuple[Column, ...]
    part_key: str = ""
    part_columns: tuple[Column, ...] = ()

    @property
    def known(self) -> tuple[Column, ...]:
        """Every column a file or a column map of this kind may name."""
        return self.part_columns or self.columns

    def in_parts(self, present: Collection[str]) -> bool:
        """Whether a file with these canonical columns holds parts (episodes), not whole lines."""
        return bool(self.part_key) and self.part_key in present

    def contract(self, present: Collection[str]) -> tuple[Column, ...]:
        """The columns that hold for a file with these canonical columns."""
        return self.part_columns if self.in_parts(present) else self.columns


KINDS: Final = (
    Kind("admitted", "spell_id", "spell_id", ADMITTED, "episode_number", EPISODE),
    Kind("outpatient", "attendance_date", "attendance_id", OUTPATIENT),
    Kind("emergency", "arrival_date", "attendance_id", EMERGENCY),
    Kind("unbundled", "currency", "line_id", UNBUNDLED),
)
KIND_BY_NAME: Final = {kind.name: kind for kind in KINDS}
_MOST: Final = 0.5
_KEYS_IN_WORDS: Final = ", ".join(f"{kind.key} ({kind.name})" for kind in KINDS)


def kind_named(name: str) -> Kind:
    """The kind called `name`. UsageError where there is none."""
    if name not in KIND_BY_NAME:
        raise UsageError(
            f"'{name}' is not a kind of activity: {', '.join(KIND_BY_NAME)}. {did_you_mean(name, KIND_BY_NAME)}".rstrip()
        )
    return KIND_BY_NAME[name]


def told_by_keys(
    where: str, held: Mapping[str, frozenset[str]], constant_in: Mapping[str, frozenset[str]], headings: Collection[str]
) -> Kind | Fault:
    """The kind whose key column a file has, or the fault where none or several match.

    By name of kind, `held` names the canonical columns the file has under that kind's section of the map, `constant_in` those
    the section holds constant: such a key is in every file, so it tells the kind only where no file's own column does.
    `headings` are the file's own."""
    told = [kind for kind in KINDS if kind.key in held[kind.name]] or [
        kind for kind in KINDS if kind.key in constant_in[kind.name]
    ]
    if len(told) == 1:
        return told[0]
    if told:
        found = " and ".join(f"{kind.key} ({kind.name})" for kind in told)
        return Fault(where, f"has the key columns of more than one kind of activity: {found}", "say which kind it is")
    likely = _most_alike({kind.name: held[kind.name] | constant_in[kind.name] for kind in KINDS})
    if likely is not None:
        return likely
    return Fault(where, f"has none of the columns that tell the kind of activity: {_KEYS_IN_WORDS}", _nearest_key(headings))


def _most_alike(present: Mapping[str, frozenset[str]]) -> Kind | None:
    """The kind of which the file has the largest part of the required columns, if more than half, though not the key: its
    missing columns can then be named."""

    def part_present(kind: Kind) -> float:
        required = names(kind.columns, required_only=True)
        return sum(name in present[kind.name] for name in required) / len(required)

    likely = max(KINDS, key=part_present)
    return likely if part_present(likely) > _MOST else None


def _nearest_key(headings: Collection[str]) -> str:
    lower = [heading.lower() for heading in headings]
    near = [f"'{kind.key}': {question}" for kind in KINDS if (question := did_you_mean(kind.key, lower))]
    return "; ".join(near) or "name the file's own headings in a column map"
