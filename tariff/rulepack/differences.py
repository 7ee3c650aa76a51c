"""What changed from one rule pack to another: HRGs, prices, trim points, rates and rules, as facts and in words. It compares
what the packs say; what that is worth on somebody's activity is said by `tariff.valuation`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from tariff.money import pounds
from tariff.rulepack.book import short_stay_price
from tariff.rulepack.chapters import chapter_name, chapter_of
from tariff.rulepack.finding import known_packs
from tariff.rulepack.loading import load_pack
from tariff.rulepack.pack import RulePack
from tariff.rulepack.rows import ADMITTED, TABLES, AdmittedRow

SETTINGS: Final[dict[str, str]] = {
    "combined": "combined day case and ordinary elective",
    "day_case": "day case",
    "ordinary_elective": "ordinary elective",
    "non_elective": "non-elective",
    "short_stay": "short-stay emergency",
    "outpatient_procedure": "outpatient procedure",
    "per_day_long_stay": "per-day long stay",
}
"""What an HRG is paid, in the order it is told."""

MOVED, UNCHANGED, GAINED, LOST = "moved", "unchanged", "gained", "lost"


class Move(NamedTuple):
    """A price of an HRG that both packs have: pence before and after, None = no price."""

    hrg: str
    name: str
    setting: str
    before: int | None
    after: int | None

    @property
    def kind(self) -> str:
        """moved, unchanged, gained (a price where there was none) or lost."""
        if self.before is None or self.after is None:
            return GAINED if self.before is None else LOST
        return MOVED if self.before != self.after else UNCHANGED

    @property
    def ratio(self) -> Fraction | None:
        """After ÷ before, exactly; None where there is none."""
        return Fraction(self.after, self.before) if self.before and self.after is not None else None


class Spread(NamedTuple):
    """How ratios of prices lie: their number, mean, standard deviation, smallest, quartiles, largest."""

    number: int
    mean: float
    deviation: float
    smallest: float
    lower: float
    median: float
    upper: float
    largest: float


def spread_of(moves: Iterable[Move]) -> Spread | None:
    """How the ratios after ÷ before of `moves` lie; None where there are none."""
    ratios = sorted(float(move.ratio) for move in moves if move.ratio is not None)
    if not ratios:
        return None
    lower, median, upper = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else (ratios[0],) * 3
    deviation = statistics.stdev(ratios) if len(ratios) > 1 else 0.0
    return Spread(len(ratios), statistics.fmean(ratios), deviation, ratios[0], lower, median, upper, ratios[-1])


class TrimMove(NamedTuple):
    """A trim point that changed, in days; None = none."""

    hrg: str
    name: str
    column: str
    before: int | None
    after: int | None


class CellMove(NamedTuple):
    """A cell of another table that changed: the row's key, its column, the text before and after. A whole row that is new or
    gone has the column `row`."""

    table: str
    key: str
    column: str
    before: str
    after: str


class RuleChange(NamedTuple):
    """A rule that changed: which, what of it, before and after, and the sentence that says so."""

    rule: str
    what: str
    before: str
    after: str
    sentence: str


@dataclass(frozen=True)
class PackDifferences:
    """Two packs and everything in which they differ."""

    before: RulePack
    after: RulePack

    @cached_property
    def _rows(self) -> tuple[dict[str, AdmittedRow], dict[str, AdmittedRow]]:
        return ({row.hrg: row for row in self.before.admitted}, {row.hrg: row for row in self.after.admitted})

    @cached_property
    def new(self) -> tuple[AdmittedRow, ...]:
        """HRGs that only the later pack has."""
        return tuple(row for row in self.after.admitted if row.hrg not in self._rows[0])

    @cached_property
    def withdrawn(self) -> tuple[AdmittedRow, ...]:
        """HRGs that only the earlier pack has."""
        return tuple(row for row in self.before.admitted if row.hrg not in self._rows[1])

    @cached_property
    def kept(self) -> tuple[tuple[AdmittedRow, AdmittedRow], ...]:
        """HRGs of both packs, in the order of the earlier."""
        return tuple((row, self._rows[1][row.hrg]) for row in self.before.admitted if row.hrg in self._rows[1])

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """Every price that the HRGs of both packs have or had, changed or not."""
        return tuple(move for before, after in self.kept for move in _moves(before, after))

    @cached_property
    def trims(self) -> tuple[TrimMove, ...]:
        """Trim points that changed."""
        return tuple(
            TrimMove(before.hrg, after.name or before.name, column, getattr(before, column), getattr(after, column))
            for before, after in self.kept
            for column in ("elective_trim", "non_elective_trim")
            if getattr(before, column) != getattr(after, column)
        )

    @cached_property
    def cells(self) -> tuple[CellMove, ...]:
        """What changed in the tables other than admitted care, cell by cell."""
        return tuple(move for name in TABLES if name != ADMITTED.name for move in _cell_moves(name, self.before, self.after))

    @cached_property
    def rules(self) -> tuple[RuleChange, ...]:
        """What changed in the rules."""
        return tuple(change for name in type(self.before.rules).model_fields for change in _rule_changes(name, self))

    def of_setting(self, setting: str) -> list[Move]:
        """The prices of one setting."""
        return [move for move in self.moves if move.setting == setting]

    def split(self) -> list[str]:
        """HRGs of both packs that have separate day case and ordinary elective prices in either."""
        return [before.hrg for before, after in self.kept if _is_split(before) or _is_split(after)]

    def unpriced(self) -> list[str]:
        """HRGs of both packs that have no price in either."""
        return [before.hrg for before, after in self.kept if not before.has_price and not after.has_price]

    def largest(self, count: int) -> list[Move]:
        """The prices that moved most, by ratio: the furthest from 1 first."""
        moved = [(move, ratio) for move in self.moves if move.kind == MOVED and (ratio := move.ratio) is not None]
        ordered = sorted(moved, key=lambda pair: (-abs(pair[1] - 1), pair[0].hrg, pair[0].setting))
        return [move for move, _ in ordered[:count]]

    def by_chapter(self, setting: str) -> Iterator[tuple[str, Spread]]:
        """How the prices of a setting moved, for each chapter in which one did."""
        moves = self.of_setting(setting)
        for chapter in sorted({chapter_of(move.hrg) for move in moves if move.kind == MOVED}):
            spread = spread_of(move for move in moves if chapter_of(move.hrg) == chapter)
            if spread is not None:
                yield chapter, spread


def difference(before: RulePack, after: RulePack) -> PackDifferences:
    """What changed from `before` to `after`. Packs of one label are told apart by their folders."""
    if before.label == after.label:
        by_name = before.folder.name != after.folder.name
        before, after = (_relabelled(pack, pack.folder.name if by_name else str(pack.folder)) for pack in (before, after))
    return PackDifferences(before, after)


def _relabelled(pack: RulePack, folder: str) -> RulePack:
    return pack if folder == pack.label else replace(pack, label=f"{pack.label} ({folder})")


def pack_with_overlays(named: str, more: Sequence[str | Path] = (), rules_folder: Path | None = None) -> RulePack:
    """The pack called `named`, as run cards call it: `2024-25`, a folder, or with overlays laid on, `2024-25+my-contract`; and
    `more` overlays on top.

    RulesError where there is no such pack or overlay, or it cannot be used."""
    if Path(named).exists() or any(folder.name == named for folder in known_packs(rules_folder)):
        return load_pack(named, more, rules_folder)
    base, *overlays = named.split("+")
    return load_pack(base, [*overlays, *more], rules_folder)


def _is_split(row: AdmittedRow) -> bool:
    return row.combined is None and (row.day_case is not None or row.ordinary_elective is not None)


def _moves(before: AdmittedRow, after: AdmittedRow) -> Iterator[Move]:
    """The prices of one HRG. Combined is held against combined; where either pack prices day case and ordinary elective apart,
    setting is held against setting, a combined price counting in both."""
    pairs = {name: (read(before), read(after)) for name, read in _PRICES.items()}
    if before.combined is None or after.combined is None:
        del pairs["combined"]
    else:
        del pairs["day_case"], pairs["ordinary_elective"]
    name = after.name or before.name
    for setting, (was, now) in pairs.items():
        if was is not None or now is not None:
            yield Move(before.hrg, name, setting, was, now)


_PRICES: Final[dict[str, Callable[[AdmittedRow], int | None]]] = {
    "combined": lambda row: row.combined,
    "day_case": lambda row: row.day_case if row.combined is None else row.combined,
    "ordinary_elective": lambda row: row.ordinary_elective if row.combined is None else row.combined,
    "non_elective": lambda row: row.non_elective,
    "short_stay": short_stay_price,
    "outpatient_procedure": lambda row: row.outpatient_procedure,
    "per_day_long_stay": lambda row: row.per_day_long_stay,
}


def _cell_moves(table: str, before: RulePack, after: RulePack) -> Iterator[CellMove]:
    spec = TABLES[table]
    was, now = ({tuple(row[name] for name in spec.key): row for row in pack.cells.get(table, ())} for pack in (before, after))
    for key in [*was, *(key for key in now if key not in was)]:
        shown = " ".join(key)
        if key not in was or key not in now:
            yield CellMove(table, shown, "row", "yes" if key in was else "", "yes" if key in now else "")
            continue
        for column in spec.columns:
            old, new = was[key][column.name], now[key][column.name]
            if column.name != "name" and _meant(column, old) != _meant(column, new):
                yield CellMove(table, shown, column.name, old, new)


def _meant(column: Any, text: str) -> object:
    """What a cell says, however it is printed."""
    return column.read(text) if text else column.blank


def _rule_changes(name: str, packs: PackDifferences) -> Iterator[RuleChange]:
    before, after = getattr(packs.before.rules, name), getattr(packs.after.rules, name)
    shown = name.replace("_", " ")
    if before.method != after.method:
        sentence = f"{shown}: {before.method} becomes {after.method} ({_described(after)})"
        yield RuleChange(name, "method", before.method, after.method, sentence)
    if before.confidence != after.confidence:
        sentence = f"{shown}: {before.confidence} before, {after.confidence} now"
        yield RuleChange(name, "confidence", before.confidence, after.confidence, sentence)
    told = [{key: value for key, value in rule.model_dump().items() if key not in _LABELS} for rule in (before, after)]
    for key in dict.fromkeys([*told[0], *told[1]]):
        was, now = (_value(values.get(key)) for values in told)
        if was != now:
            sentence = f"{shown}: {key.replace('_', ' ')} {was or 'not stated'} becomes {now or 'not stated'}"
            yield RuleChange(name, key, was, now, sentence)


_LABELS: Final = frozenset({"method", "source", "confidence", "note", "default_source", "default_confidence"})


def _described(rule: Any) -> str:
    return str(type(rule).model_fields["method"].description).rstrip(".")


def _value(value: object) -> str:
    match value:
        case None | () | []:
            return ""
        case bool():
            return "yes" if value else "no"
        case tuple() | list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def as_text(packs: PackDifferences, largest: int = 10) -> str:
    """The differences for a terminal: HRGs, prices by setting and chapter, the largest moves, trim points, tables, rules."""
    return "\n\n".join("\n".join(part) for part in (_head(packs), *_parts(packs, largest)) if part)


def _head(packs: PackDifferences) -> list[str]:
    before, after = packs.before, packs.after
    lines = [f"{before.label} to {after.label}", f"  {before.label}: {before.title}", f"  {after.label}: {after.title}"]
    counts = f"{len(before.admitted):,} HRGs before, {len(after.admitted):,} after"
    lines.append(f"  {counts}: {len(packs.kept):,} in both, {len(packs.new):,} new, {len(packs.withdrawn):,} withdrawn")
    for told, hrgs in (
        ("new", [row.hrg for row in packs.new]),
        ("withdrawn", [row.hrg for row in packs.withdrawn]),
        ("with separate day case and ordinary elective prices", packs.split()),
        ("without any price in either", packs.unpriced()),
    ):
        if hrgs:
            lines.append(f"  {told}: {len(hrgs):,} ({_some(hrgs)})")
    return lines


_NAMED: Final = 30


def _some(codes: Sequence[str]) -> str:
    return ", ".join(codes[:_NAMED]) + (f" and {len(codes) - _NAMED:,} more" if len(codes) > _NAMED else "")


def _parts(packs: PackDifferences, largest: int) -> Iterator[list[str]]:
    yield [_COLUMNS.format("Prices, after ÷ before"), *_setting_lines(packs)]
    for setting in chapter_settings(packs):
        chapters = [_spread_line(chapter_name(chapter)[:43], spread) for chapter, spread in packs.by_chapter(setting)]
        if chapters:
            yield [_COLUMNS.format(f"{SETTINGS[setting].capitalize()}, by chapter"), *chapters]
    moves = packs.largest(largest)
    if moves:
        yield ["Largest moves", *(f"  {move_in_words(move)}" for move in moves)]
    yield ["Trim points", *(f"  {line}" for line in trim_lines(packs))]
    yield ["Other tables", *(f"  {line}" for line in table_lines(packs))]
    yield ["Rules", *(f"  {change.sentence}" for change in packs.rules)] if packs.rules else ["Rules", "  no change"]


def chapter_settings(packs: PackDifferences) -> tuple[str, ...]:
    """The settings worth telling chapter by chapter: the elective price as most HRGs have it, and the non-elective price."""
    elective = ("combined",) if packs.of_setting("combined") else ("day_case", "ordinary_elective")
    return (*elective, "non_elective")


_COLUMNS: Final = "{:<45}  count    mean      sd     min   lower  median   upper     max"


def _setting_lines(packs: PackDifferences) -> Iterator[str]:
    for setting, words in SETTINGS.items():
        moves = packs.of_setting(setting)
        spread = spread_of(moves)
        if spread is not None:
            yield _spread_line(words, spread)
        moved = spread_of(move for move in moves if move.kind == MOVED)
        if spread is not None and moved is not None and moved.number < spread.number:
            yield _spread_line("  of which moved", moved)
        for kind, told in ((GAINED, "have a price now that had none"), (LOST, "have no price any more")):
            hrgs = [move.hrg for move in moves if move.kind == kind]
            if hrgs:
                yield f"    {words}: {len(hrgs):,} {told} ({_some(hrgs)})"


def _spread_line(words: str, spread: Spread) -> str:
    figures = "  ".join(f"{figure:.4f}" for figure in spread[1:])
    return f"  {words:<43}  {spread.number:>5}  {figures}"


def move_in_words(move: Move) -> str:
    """`HN22E combined: £5,528 becomes £5,591 (×1.0114)`."""
    ratio = f" (×{float(move.ratio):.4f})" if move.ratio is not None else ""
    was, now = (pounds(amount, whole=amount % 100 == 0) if amount is not None else "none" for amount in (move.before, move.after))
    return f"{move.hrg} {SETTINGS[move.setting]}: {was} becomes {now}{ratio}"


def trim_lines(packs: PackDifferences) -> list[str]:
    """What changed in trim points, in words."""
    lines = []
    for column, words in (("elective_trim", "ordinary elective"), ("non_elective_trim", "non-elective")):
        trims = [trim for trim in packs.trims if trim.column == column]
        both = [trim.after - trim.before for trim in trims if trim.before is not None and trim.after is not None]
        if both:
            longer, shorter = sum(change > 0 for change in both), sum(change < 0 for change in both)
            lines.append(f"{words}: {longer:,} longer, {shorter:,} shorter, by {min(both):+} to {max(both):+} days")
        gained, lost = (sum(getattr(trim, end) is None for trim in trims) for end in ("before", "after"))
        if gained or lost:
            lines.append(f"{words}: {gained:,} HRGs have a trim point now that had none, {lost:,} have none any more")
    return lines or ["no change"]


def table_lines(packs: PackDifferences) -> list[str]:
    """What changed in the tables beside admitted care, in words."""
    lines = []
    for name, spec in TABLES.items():
        moves = [move for move in packs.cells if move.table == name]
        new, gone = (sum(move.column == "row" and bool(getattr(move, end)) for move in moves) for end in ("after", "before"))
        changed = len({move.key for move in moves if move.column != "row"})
        if moves:
            lines.append(f"{spec.file}: {new:,} rows new, {gone:,} gone, {changed:,} changed")
    return lines or ["no change"]
