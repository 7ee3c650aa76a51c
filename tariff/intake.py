"""The activity of a run: which files are read together, in which order, and the unbundled items that spells carry with them.
Pricing and verification both take it from here, so that they see the same lines in the same order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff.activity import FileFacts, damage_named, load_map
from tariff.activity.attached import besides, count_attached_in, count_known, items_attached_in, known_items, some_at_once
from tariff.activity.blocks import Lines
from tariff.activity.facts import facts_of_file
from tariff.activity.files import paths_of
from tariff.activity.kinds import kind_named
from tariff.activity.reading import PRICING_ONLY, FittedFile, canonical, grouped, lines_to_price, refuse_unreadable
from tariff.activity.spells import EPISODES, REPEATED_EPISODES
from tariff.errors import DisagreementError, Fault


@dataclass(frozen=True, slots=True)
class AttachedItems:
    """Items attached to the spells of some files, without those `known` from lines that were given; how many there are."""

    files: tuple[FittedFile, ...]
    known: pl.DataFrame
    count: int

    def lines(self, *, patients: bool = True) -> pl.LazyFrame:
        """The items as canonical activity; `patients` as `items_attached_in` takes it."""
        return besides(items_attached_in(self.files, patients=patients), self.known)


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of one kind that are read together. `paths` are the files they come from; `source` are those files, fitted, or the
    items attached to their spells. Lines are made when they are asked for: of thousands of files only those that are being read
    take memory."""

    kind: str
    paths: tuple[Path, ...]
    source: tuple[FittedFile, ...] | AttachedItems

    @property
    def items(self) -> int:
        """How many lines there are, where they are items attached to spells."""
        return self.source.count if isinstance(self.source, AttachedItems) else 0

    @property
    def fitted(self) -> tuple[FittedFile, ...]:
        """The files, where the lines are of files."""
        return () if isinstance(self.source, AttachedItems) else self.source

    @property
    def to_price(self) -> Lines:
        """The lines as pricing takes them, some codes of which may stand as they are in the file."""
        return self._in_blocks(PRICING_ONLY)

    @property
    def in_blocks(self) -> Lines:
        """The lines as canonical activity, to be gone through block by block."""
        return self._in_blocks(frozenset())

    def to_total(self, as_filed: frozenset[str]) -> Lines:
        """The lines as totals take them: codes of the columns `as_filed` as they stand, and no identifiers."""
        return self._in_blocks(as_filed, identifiers=False)

    def _in_blocks(self, as_filed: frozenset[str], *, identifiers: bool = True) -> Lines:
        if isinstance(self.source, AttachedItems):
            return Lines(self.source.lines(patients=identifiers))
        return lines_to_price(self.source, as_filed, identifiers=identifiers)

    @property
    def lines(self) -> pl.LazyFrame:
        """The lines as canonical activity."""
        return self.source.lines() if isinstance(self.source, AttachedItems) else canonical(self.source)


@dataclass(frozen=True, slots=True)
class Intake:
    """The activity of a run in the order in which it is priced, and how many items written on spells are lines of it, came as
    lines of a file too and so are left out (`also_given`), or came as lines of another date and are not."""

    parts: tuple[Part, ...]
    attached: int = 0
    also_given: int = 0
    of_another_date: int = 0

    @property
    def of_files(self) -> tuple[Part, ...]:
        """The parts without items attached to spells."""
        return tuple(part for part in self.parts if part.fitted)

    @property
    def of_spells(self) -> tuple[Part, ...]:
        """The parts of items attached to spells."""
        return tuple(part for part in self.parts if not part.fitted)

    @property
    def attached_items(self) -> dict[str, int]:
        """What the run card says of them."""
        return {"items": self.attached, "also_given": self.also_given, "of_another_date": self.of_another_date}


def take_in(files: Sequence[tuple[str | None, Path]], columns: Path | str | None = None) -> Intake:
    """The lines of `files`, (kind or None, path), lazily; items attached to spells come last.

    Raises ActivityError with every fault of every file that cannot be used as a whole, RulesError for the column map."""
    groups = grouped(files, columns)
    refuse_unreadable([one for group in groups for one in group.fitted])
    parts = [Part(group.kind, group.paths, group.fitted) for group in groups]
    admitted = [one for part in parts if part.kind == "admitted" for one in part.fitted]
    if not admitted:
        return Intake(tuple(parts))
    with damage_named([path for part in parts for path in part.paths]), damage_found((part.paths, part.lines) for part in parts):
        known = known_items(part.lines for part in parts if part.kind == "unbundled")
        found = [_items_of(some, known) for some in _read_together(admitted)]
    counts = [sum(counted) for counted in zip(*((items.count, *others) for items, others in found), strict=True)]
    attached = [Part("unbundled", tuple(one.file.path for one in items.files), items) for items, _ in found if items.count]
    return Intake((*parts, *attached), *counts)


def _read_together(admitted: Sequence[FittedFile]) -> Iterator[Sequence[FittedFile]]:
    """The files some at once, those of episodes together, as the episodes of a spell may lie in several."""
    whole, parts = [one for one in admitted if not one.in_parts], [one for one in admitted if one.in_parts]
    yield from some_at_once(whole)
    if parts:
        yield parts


def _items_of(files: Sequence[FittedFile], known: pl.DataFrame) -> tuple[AttachedItems, tuple[int, int]]:
    """The items of some files, and how many are known, and known but for their date."""
    if not known.height:
        return AttachedItems(tuple(files), known, count_attached_in(files)), (0, 0)
    every = items_attached_in(files)
    count = int(besides(every, known).select(pl.len()).collect(engine="streaming").item())
    return AttachedItems(tuple(files), known, count), count_known(every, known)


def facts_of(intake: Intake, columns: Path | str | None = None) -> Iterator[dict[str, Any]]:
    """What the run card says of each input file. `lines` are what is priced of a file: its rows, or for files of episodes the
    spells they make, which stand at the first of them."""
    column_map = load_map(columns).name
    for part in intake.of_files:
        facts = [facts_of_file(one, column_map) for one in part.fitted]
        lines, repeated = [one.rows for one in facts], [0] * len(facts)
        if facts[0].in_episodes:
            spells, repeated[0] = _spells_of(part, facts)
            lines = [spells, *[0] * (len(facts) - 1)]
        for one, count, again in zip(facts, lines, repeated, strict=True):
            yield {
                "file": one.name,
                "path": str(one.path.resolve()),
                "kind": one.kind,
                "rows": one.rows,
                "episodes": one.in_episodes,
                "lines": count,
                "episodes_repeated": again,
                "bytes": one.size,
                "sha256": one.sha256,
                "encoding": one.encoding,
                "separator": one.separator,
                "ignored": [heading_told(heading) for heading in one.ignored],
                "column_map": one.column_map,
            }


def heading_told(heading: str) -> str:
    """A heading as it may be told. Where a file lacks its headings or they are garbled, the first row stands there: what has
    digits as an identifier of a person has is not repeated."""
    return "(a heading with digits)" if re.search(r"(\d[ -]?){5}", heading) else heading


def _spells_of(part: Part, facts: Sequence[FileFacts]) -> tuple[int, int]:
    """Spells that the episodes of a part make, and episodes whose number came before in their spell; DisagreementError unless
    every episode is in a spell."""
    with damage_found([(part.paths, part.lines)]):
        spells, episodes, repeated = part.lines.select(pl.len(), pl.col(EPISODES, REPEATED_EPISODES).sum()).collect().row(0)
    rows = sum(one.rows for one in facts)
    if episodes != rows:
        told = [Fault(facts[0].name, f"{rows:,} episodes came in and {episodes:,} are in spells")]
        raise DisagreementError("The run does not reconcile. This is a fault of the engine: please report it.", told)
    return int(spells), int(repeated)


_KEY_OF_SPELL: Final = ("provider", "spell_id")


def spells_with_repeated_episodes(intake: Intake) -> pl.DataFrame:
    """Provider and identifier of the spells of which an episode's number came twice, each once."""
    parts = [part.lines for part in intake.parts if part.kind == "admitted" and any(one.in_parts for one in part.fitted)]
    named = [lines.filter(pl.col(REPEATED_EPISODES) > 0).select(_KEY_OF_SPELL).collect() for lines in parts]
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(_KEY_OF_SPELL, pl.String())), *named])


@contextmanager
def damage_found(sources: Iterable[tuple[Sequence[Path], pl.LazyFrame]]) -> Iterator[None]:
    """Where Polars fails, reads each of `sources` again by itself, and raises ActivityError naming the one that is damaged.

    Polars reports a damaged input and a full disk alike, and in words that may quote cells: what it says is not shown."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        for paths, frame in sources:
            with damage_named(list(paths)):
                frame.sink_batches(lambda _: None)
        raise


def named_files(given: Sequence[str], folder: Path | None = None) -> list[tuple[str | None, Path]]:
    """`FILE` or `kind=FILE`, patterns expanded, relative to `folder` where one is given. ActivityError where a file is not found
    or is given twice, UsageError for an unknown kind."""
    asked = [_kind_and_path(text, folder or Path()) for text in given]
    paths_of([path for _, path in asked])
    return [(kind, file) for kind, path in asked for file in paths_of(path)]


def _kind_and_path(text: str, folder: Path) -> tuple[str | None, Path]:
    kind, separator, path = text.partition("=")
    if not separator or not kind.isalpha() or (folder / text).exists():
        return None, folder / text
    return kind_named(kind).name, folder / path
