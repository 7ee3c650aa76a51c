"""Unbundled items written on the spell they belong to (RULES 1.9): the column `unbundled` of admitted activity as lines of
their own, and what to do where the same items come as lines too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple, TypeVar

import polars as pl

from tariff.activity.cells import UNREADABLE_DATE, UNREADABLE_NUMBER, whole_number
from tariff.activity.column_map import ColumnMap
from tariff.activity.files import Source
from tariff.activity.reading import FittedFile, canonical, fit
from tariff.activity.spells import EPISODE_MARK
from tariff.columns import READ_FAULT, UNBUNDLED, schema

T = TypeVar("T")
_INHERITED: Final = (
    "patient_id",
    "gp_practice",
    "treatment_function",
    "administrative_category",
    "commissioning_serial_number",
)
_OF_THE_SPELL: Final = ("spell_id", "provider", "commissioner", "admission_date", "discharge_date", "unbundled", READ_FAULT)
_FAULTS_OF_THE_SPELL_ALONE: Final = (UNREADABLE_DATE, UNREADABLE_NUMBER, "days_out_of_range", "conflicting_hrg")
_SPELLS_AT_ONCE: Final = 50_000
"""Spells with items that are counted at once."""
_MOST_LISTS: Final = 100_000
"""So many lists of items are kept taken apart at most, and those of one block."""
_SOME_SPELL: Final = "?"
"""Stands for the identifiers of spells that were left out."""
AT_ONCE: Final = 16
"""Files whose items are looked at in one query: what Polars needs to plan one grows faster than its files."""
_IDENTITY_WITHOUT_DATE: Final = ("provider", "parent_line_id", "currency")
_IDENTITY: Final = (*_IDENTITY_WITHOUT_DATE, "date")
"""What an item is known by, whichever way it is given."""

ATTACHED: Final = {
    name: dtype
    for name, dtype in (schema(UNBUNDLED) | {READ_FAULT: pl.String()}).items()
    if name in {"line_id", "commissioner", "units", READ_FAULT, *_IDENTITY, *_INHERITED}
}
"""The columns of attached items: of `columns.UNBUNDLED` those that an item has from its spell, and `read_fault`."""


def read_attached_items(source: Source, columns: ColumnMap | str | Path | None = None) -> pl.LazyFrame:
    """`attached_items` of files of admitted activity, lazily, at little cost where few spells have any. Errors as
    `read_activity`, which the same files are read by for their spells."""
    return items_attached_in(fit(source, "admitted", columns))


def items_attached_in(fitted: Sequence[FittedFile], *, patients: bool = True) -> pl.LazyFrame:
    """The same of files of admitted activity that are fitted already; without `patients`, whose pseudonyms cost as much as all
    else to read, `patient_id` is null."""
    with_items = [one for one in fitted if "unbundled" in one.present]
    if not with_items:
        return pl.LazyFrame(schema=ATTACHED)
    spells = canonical(with_items, holding="unbundled")
    return attached_items(spells if patients else spells.drop("patient_id", strict=False))


def attached_items(spells: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    """The unbundled items attached to canonical admitted activity, lazily, as canonical unbundled activity (`ATTACHED`).

    An item is `HRG` or `HRG*units`; several are separated by `;`. A day count stands on every instance of its currency, so in
    one cell the same currency with the same count is one item of that count; without a count each instance counts 1; other
    counts of the same currency, and those of other episodes, are further items. `line_id` is `<spell_id>/<currency>`, with
    `#2`, `#3` at further items; `date` is the day of discharge, else of admission. An item whose count cannot be read has the
    fault `unreadable_number`; one whose spell's cells may have shifted, or whose date cannot be known, has its spell's; one of a
    spell without discharge is `unfinished` as its spell is, for it comes again when the spell is complete (RULES 1.2.7)."""
    spells = spells.lazy()
    present = spells.collect_schema().names()
    if "unbundled" not in present:
        return pl.LazyFrame(schema=ATTACHED)
    with_items = spells.filter(pl.col("unbundled").is_not_null())
    return with_items.select(name for name in (*_OF_THE_SPELL, *_INHERITED) if name in present).map_batches(
        partial(_items, _Lists()), schema=ATTACHED, streamable=True
    )


class ItemsOfBlocks:
    """The items of spells that are gone through block by block for their own sake. No list of items is asked for twice."""

    def __init__(self) -> None:
        self._lists = _Lists()

    @staticmethod
    def read(present: Iterable[str]) -> list[str]:
        """The columns of the spells that items are made of: patients are not among them."""
        return [name for name in present if name in {*_OF_THE_SPELL, *_INHERITED} - {"patient_id"}]

    def __call__(self, spells: pl.DataFrame) -> pl.DataFrame:
        """The items (`ATTACHED`) of a block of spells with those columns. Where identifiers are left out, every spell is known to
        have one."""
        with_items = spells.filter(pl.col("unbundled").is_not_null())
        if "spell_id" not in spells.columns:
            with_items = with_items.with_columns(spell_id=pl.lit(_SOME_SPELL))
        return _items(self._lists, with_items.with_columns(pl.col(READ_FAULT).cast(pl.String)))


def count_attached_in(fitted: Sequence[FittedFile]) -> int:
    """How many items `items_attached_in` has, for which only their lists are read."""
    with_items = [one for one in fitted if "unbundled" in one.present]
    if not with_items:
        return 0
    lists, known = canonical(with_items, holding="unbundled").select(pl.col("unbundled").cast(pl.String)), _Lists()
    blocks = lists.collect_batches(chunk_size=_SPELLS_AT_ONCE)
    return sum(_how_many_on(block["unbundled"].drop_nulls(), known) for block in blocks)


def _how_many_on(lists: pl.Series, known: _Lists) -> int:
    times = lists.value_counts(name="times")
    items = times.join(known.items_of(times["unbundled"]).group_by("unbundled").len("items"), on="unbundled")
    return int(items.select((pl.col("times").cast(pl.Int64) * pl.col("items")).sum()).item())


class _Lists:
    """Lists of items, each taken apart once, as nearly all of them come again and again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._known: set[str] = set()
        self._items = _counted(_pieces(pl.Series(dtype=pl.String)))

    def items_of(self, distinct: pl.Series) -> pl.DataFrame:
        """The items of some lists, as `_counted` tells them, and perhaps of others."""
        with self._lock:
            if len(self._known) > _MOST_LISTS:
                self._forget()
            new = [text for text in distinct.to_list() if text not in self._known]
            if new:
                self._items = pl.concat([self._items, _counted(_pieces(pl.Series(new, dtype=pl.String)))])
                self._known.update(new)
            return self._items


def _items(known: _Lists, spells: pl.DataFrame) -> pl.DataFrame:
    """The items of a block of spells, in their order. A spell's items all stand in one cell, so blocks are independent."""
    blank = [pl.lit(None, pl.String).alias(name) for name in (*_INHERITED, READ_FAULT) if name not in spells.columns]
    lists = spells.with_columns(pl.col("unbundled").cast(pl.String), *blank)
    items = known.items_of(lists["unbundled"].unique())
    of_their_spells = lists.join(items, on="unbundled", how="inner", maintain_order="left_right")
    return of_their_spells.select(
        _line_id(pl.col("currency").fill_null(""), pl.col("number")).alias("line_id"),
        *(pl.col(name).cast(pl.String) for name in ("provider", "commissioner", *_INHERITED)),
        pl.coalesce("discharge_date", "admission_date").alias("date"),
        "currency",
        "units",
        pl.col("spell_id").cast(pl.String).alias("parent_line_id"),
        pl.coalesce(_inherited_fault(), pl.col("fault"), _unfinished()).alias(READ_FAULT),
    ).select(*ATTACHED)


def _pieces(lists: pl.Series) -> pl.DataFrame:
    """One row for each piece between semicolons: its list, its episode's place in it, its code, the text of its count where it
    has one, and the count."""
    piece = pl.col("piece").str.strip_chars()
    code = piece.str.extract(r"^([^*]*)").str.strip_chars().str.to_uppercase()
    count = piece.str.extract(r"(?s)^[^*]*\*(.*)$").str.strip_chars()
    return (
        lists.to_frame("unbundled")
        .with_columns(pl.col("unbundled").str.split(EPISODE_MARK).alias("episode"))
        .explode("episode")
        .with_row_index("place")
        .with_columns(pl.col("episode").str.split(";").alias("piece"))
        .explode("piece")
        .filter(piece != "")
        .select("unbundled", "place", code.replace("", None).alias("currency"), count.alias("count"))
        .with_columns(whole_number(pl.col("count"), pl.Int32()).alias("units"))
    )


def _counted(pieces: pl.DataFrame) -> pl.DataFrame:
    """One row an item: pieces of the same currency and count in one cell, numbered within their list and currency."""
    no_count, unread = pl.col("count").is_null(), pl.col("count").is_not_null() & pl.col("units").is_null()
    key = ("unbundled", "place", "currency", "units", no_count.alias("no_count"), pl.when(unread).then("count").alias("unread"))
    items = pieces.group_by(*key, maintain_order=True).agg(pl.len().cast(pl.Int32).alias("instances"))
    unreadable = pl.col("unread").is_not_null() | pl.col("currency").is_null()
    return items.select(
        "unbundled",
        "currency",
        pl.when("no_count").then("instances").otherwise("units").alias("units"),
        pl.int_range(1, pl.len() + 1).over("unbundled", "currency").alias("number"),
        pl.when(unreadable).then(pl.lit(UNREADABLE_NUMBER)).alias("fault"),
    )


def _line_id(currency: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Blank where the spell's own identifier is, so that the item is rejected as its spell is."""
    spell = pl.col("spell_id").cast(pl.String)
    further = pl.when(number > 1).then("#" + number.cast(pl.String)).otherwise(pl.lit(""))
    return pl.when(spell.str.strip_chars() != "").then(pl.concat_str(spell, pl.lit("/"), currency, further))


def _unfinished() -> pl.Expr:
    return pl.when(pl.col("discharge_date").is_null()).then(pl.lit("unfinished"))


def _inherited_fault() -> pl.Expr:
    """A fault of the spell that may bear on its items too: not one of its age, days, HRG or admission date alone."""
    of_the_spell_alone = pl.col(READ_FAULT).is_in(_FAULTS_OF_THE_SPELL_ALONE) & pl.col("discharge_date").is_not_null()
    return pl.when(~of_the_spell_alone).then(pl.col(READ_FAULT).cast(pl.String))


def some_at_once(files: Sequence[T]) -> Iterator[Sequence[T]]:
    """Files, or what is read of each, as many together as are looked at in one query."""
    return (files[first : first + AT_ONCE] for first in range(0, len(files), AT_ONCE))


class Kept(NamedTuple):
    """Attached items that are lines of their own: `items`; how many came as lines of a file too (`also_given`); and how many of
    `items` have a line of the same provider, spell and currency, but of another date (`of_another_date`)."""

    items: pl.LazyFrame
    also_given: int
    of_another_date: int


def without_given(attached: pl.LazyFrame, *given: pl.LazyFrame) -> Kept:
    """Attached items without those that canonical unbundled activity `given` holds as lines.

    An item is the same where provider, spell (`parent_line_id`), currency and date are. The line stands, whatever its units;
    the attached item is left out, so that it is counted once. One of another date may be care of its own, so both stand. Reads
    `given`, and `attached` where `given` names any spell."""
    known = known_items(given)
    return Kept(besides(attached, known), *count_known(attached, known))


def known_items(given: Iterable[pl.LazyFrame]) -> pl.DataFrame:
    """What the items are known by that canonical unbundled activity `given` holds as lines of a spell, each once."""
    of_spells = [lines for lines in given if "parent_line_id" in lines.collect_schema().names()]
    keys = [
        pl.concat(lines.select(pl.col(name).cast(ATTACHED[name]) for name in _IDENTITY) for lines in some)
        .filter(pl.col("parent_line_id").is_not_null())
        .unique()
        .collect(engine="streaming")
        for some in some_at_once(of_spells)
    ]
    return pl.concat([pl.DataFrame(schema={name: ATTACHED[name] for name in _IDENTITY}), *keys]).unique()


def besides(attached: pl.LazyFrame, known: pl.DataFrame) -> pl.LazyFrame:
    """Attached items without those that are known."""
    return attached.join(known.lazy(), on=_IDENTITY, how="anti", maintain_order="left") if known.height else attached


def count_known(attached: pl.LazyFrame, known: pl.DataFrame) -> tuple[int, int]:
    """How many attached items are known, and how many are but for their date."""
    if not known.height:
        return 0, 0
    also_given, alike = (_how_many(attached, known.lazy(), key) for key in (_IDENTITY, _IDENTITY_WITHOUT_DATE))
    return also_given, alike - also_given


def _how_many(attached: pl.LazyFrame, known: pl.LazyFrame, key: Sequence[str]) -> int:
    return int(attached.join(known, on=key, how="semi").select(pl.len()).collect(engine="streaming").item())
