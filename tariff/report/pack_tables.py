"""Tables of what changed between two rule packs and of what it is worth, the same for the page and the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from tariff.money import pounds
from tariff.reasons import REASON_NUMBER, REASONS
from tariff.report.suppression import CONFIDENTIAL, Key, hide_small, is_small
from tariff.report.table import LONGEST, Cell, Table
from tariff.report.words import signed
from tariff.rulepack.chapters import chapter_name
from tariff.rulepack.differences import (
    MOVED,
    SETTINGS,
    Move,
    PackDifferences,
    Spread,
    chapter_settings,
    spread_of,
)
from tariff.valuation import BOTH, COVERAGE, EFFECTS, ONLY_AFTER, ONLY_BEFORE, Effect, Valuation, effect_rows

VALUED_BY: Final = {
    "provider": "Provider",
    "commissioner": "Commissioner",
    "chapter": "HRG chapter",
    "currency": "HRG or currency",
}
"""The dimensions of the valuation, and what they are called."""

_SPREAD: Final = ("HRGs", "Mean", "SD", "Least", "Lower quartile", "Median", "Upper quartile", "Most")


def hidden_of(frame: pl.DataFrame, dimension: str, *, suppress: bool) -> frozenset[object]:
    """The values of a dimension whose figures are kept from print."""
    if not suppress:
        return frozenset()
    counts: dict[Key, int] = {(value,): lines for value, lines in frame.select(dimension, "lines").iter_rows()}
    return frozenset(key[0] for key in hide_small(counts).cells) if counts else frozenset()


def value_table(valuation: Valuation, dimension: str, *, suppress: bool) -> Table:
    """The value of the change by one dimension, largest first, with the effects it consists of."""
    frame = valuation.by(dimension)
    hidden = hidden_of(frame, dimension, suppress=suppress)
    rows = frame.to_dicts()
    shown, rest = rows[:LONGEST], rows[LONGEST:]
    too_small = suppress and is_small(valuation.total["lines"])
    acting = [effect for effect in EFFECTS if (valuation.cells[f"{effect.name}_pence"] != 0).any()]
    widest = max((abs(row["difference_pence"]) for row in shown if row[dimension] not in hidden), default=0)
    named = [(str(row[dimension] if row[dimension] is not None else "Not known"), row, row[dimension] in hidden) for row in shown]
    if rest:
        gathered = {name: sum(row[name] for row in rest) for name in valuation.total}
        lone = sum(hide for _, _, hide in named) == 1 or (suppress and is_small(gathered["lines"]))
        named.append((f"Other {len(rest):,}: see value_by_{dimension}.csv", gathered, lone))
    return Table(
        name=f"value-by-{dimension}",
        finding=_finding(VALUED_BY[dimension], shown, dimension, hidden),
        caption=f"Before: {valuation.before.label}; after: {valuation.after.label}; difference and the effects it consists of, "
        "whole pounds" + (f". {CONFIDENTIAL}: hidden, so that no count of 1 to 7 can be told" if suppress else ""),
        columns=(VALUED_BY[dimension], "Lines", "Before", "After", "Difference", *(effect.title for effect in acting)),
        rows=tuple(_value_row(name, row, widest, acting, hide=hide or too_small) for name, row, hide in named),
        total=_value_row("Total", valuation.total, 0, acting, hide=too_small),
    )


def _finding(named: str, shown: Sequence[Mapping[str, Any]], dimension: str, hidden: Iterable[object]) -> str:
    first = next((row for row in shown if row[dimension] is not None and row[dimension] not in frozenset(hidden)), None)
    if first is None or not first["difference_pence"]:
        return f"By {named[0].lower() + named[1:] if named[:3] != 'HRG' else named}"
    change = signed(pounds(first["difference_pence"], whole=True))
    return f"{named}: the largest change is {change} for {first[dimension]}"


def _value_row(name: str, row: Mapping[str, int], widest: int, acting: Sequence[Effect], *, hide: bool) -> tuple[Cell, ...]:
    difference = row["difference_pence"]
    cells = (
        Cell(f"{row['lines']:,}"),
        Cell(_money(row["before_pence"])),
        Cell(_money(row["after_pence"])),
        Cell(signed(_money(difference)), bar=difference / widest if widest else None),
        *(Cell(signed(_money(row[f"{effect.name}_pence"]))) for effect in acting),
    )
    return (Cell(name, number=False), *(Cell(CONFIDENTIAL) for _ in cells)) if hide else (Cell(name, number=False), *cells)


def effect_table(valuation: Valuation, *, suppress: bool) -> Table:
    """From the earlier pack's total to the later's, effect by effect."""
    total = valuation.total
    hide = suppress and is_small(total["lines"])
    steps = [
        (valuation.before.label, _money(total["before_pence"])),
        *((effect.title, signed(_money(pence))) for effect, pence in effect_rows(total)),
        (valuation.after.label, _money(total["after_pence"])),
    ]
    rows = [(Cell(title, number=False), Cell(CONFIDENTIAL if hide else text)) for title, text in steps]
    caption = f"From {valuation.before.label} to {valuation.after.label}, effects in the order in which they are taken"
    return Table("effects", "", caption, ("Step", "Pounds"), tuple(rows[:-1]), rows[-1])


def coverage_table(valuation: Valuation, *, suppress: bool) -> Table:
    """How the activity is covered by the two packs, with why a pack does not price a line."""
    frame = valuation.by("coverage", "reason").sort(["coverage", "lines", "reason"], descending=[False, True, False])
    counts: dict[str, dict[Key, int]] = {}
    for coverage, reason, lines in frame.select("coverage", "reason", "lines").iter_rows():
        counts.setdefault(coverage, {})[reason,] = lines
    hidden = {(coverage, key[0]) for coverage, by in counts.items() for key in hide_small(by).cells} if suppress else set()
    order = [name for name in COVERAGE if name in counts]
    rows = [
        (
            Cell(COVERAGE[row["coverage"]].capitalize(), number=False),
            Cell(_why(row["coverage"], row["reason"]), number=False),
            *_counted(row, hide=(row["coverage"], row["reason"]) in hidden),
        )
        for coverage in order
        for row in frame.filter(pl.col("coverage") == coverage).iter_rows(named=True)
    ]
    return Table(
        name="coverage",
        finding="",
        caption="Every line, by which pack prices it nationally; what one pack alone prices is valued at that pack's price",
        columns=("Coverage", "Why not priced", "Lines", "Before", "After"),
        rows=tuple(rows),
    )


def _why(coverage: str, reason: str) -> str:
    return "" if reason == "priced" and coverage not in {ONLY_BEFORE, ONLY_AFTER} else _sentence(reason)


def _sentence(reason: str) -> str:
    return "at a local price" if reason == "priced" else REASONS[REASON_NUMBER[reason]].sentence


def _counted(row: Mapping[str, int], *, hide: bool) -> tuple[Cell, ...]:
    texts = (f"{row['lines']:,}", _money(row["before_pence"]), _money(row["after_pence"]))
    return tuple(Cell(CONFIDENTIAL if hide else text) for text in texts)


def lacking_words(valuation: Valuation, *, suppress: bool) -> str:
    """How many HRGs the later pack does not price where the earlier does, and what they are worth at the earlier's price."""
    lacking = valuation.lacking
    lines = int(lacking["lines"].sum())
    if not lines:
        return f"Every HRG that {valuation.before.label} prices on this activity is priced by {valuation.after.label} too."
    if suppress and is_small(lines):
        return f"{valuation.after.label} does not price a few lines that {valuation.before.label} does."
    worth = pounds(int(lacking["before_pence"].sum()), whole=True)
    named = ", ".join(str(code) for code in lacking["currency"][:10] if code)
    return (
        f"{lacking.height:,} HRGs or currencies have lines ({lines:,}) that {valuation.after.label} does not price; they stay "
        f"unpriced, worth {worth} at {valuation.before.label}'s own price. The largest: {named}."
    )


def spread_table(packs: PackDifferences) -> Table:
    """How prices moved, setting by setting."""
    rows = []
    for setting, words in SETTINGS.items():
        moves = packs.of_setting(setting)
        for title, chosen in ((words.capitalize(), moves), (f"{words.capitalize()}, of which moved", _moved(moves))):
            spread = spread_of(chosen)
            if spread is not None and (chosen is moves or len(chosen) < len(moves)):
                rows.append(_spread_row(title, spread))
    caption = f"Price in {packs.after.label} ÷ price in {packs.before.label}, HRGs of both packs"
    return Table("spread", "", caption, ("Price", *_SPREAD), tuple(rows))


def _moved(moves: Sequence[Move]) -> list[Move]:
    return [move for move in moves if move.kind == MOVED]


def chapter_tables(packs: PackDifferences) -> list[Table]:
    """How prices moved, chapter by chapter."""
    return [
        Table(
            name=f"chapters-{setting.replace('_', '-')}",
            finding=f"{SETTINGS[setting].capitalize()} prices by chapter",
            caption=f"Price in {packs.after.label} ÷ price in {packs.before.label}",
            columns=("Chapter", *_SPREAD),
            rows=tuple(_spread_row(chapter_name(chapter), spread) for chapter, spread in packs.by_chapter(setting)),
        )
        for setting in chapter_settings(packs)
        if any(packs.by_chapter(setting))
    ]


def _spread_row(title: str, spread: Spread) -> tuple[Cell, ...]:
    return (Cell(title, number=False), Cell(f"{spread.number:,}"), *(Cell(f"{figure:.4f}") for figure in spread[1:]))


def largest_table(packs: PackDifferences) -> Table:
    """The prices that moved most, by ratio."""
    rows = [
        (
            Cell(move.hrg, number=False),
            Cell(move.name, number=False),
            Cell(SETTINGS[move.setting], number=False),
            Cell(pounds(move.before or 0)),
            Cell(pounds(move.after or 0)),
            Cell(signed(pounds((move.after or 0) - (move.before or 0)))),
            Cell(f"{float(move.ratio):.4f}" if move.ratio is not None else ""),
        )
        for move in packs.largest(LONGEST)
    ]
    columns = ("HRG", "Name", "Price", packs.before.label, packs.after.label, "Difference", "Ratio")
    caption = f"The {len(rows)} prices that moved furthest from 1, pounds before market forces factor; all are in prices.csv"
    return Table("largest", "", caption, columns, tuple(rows))


def rule_table(packs: PackDifferences) -> Table:
    """What changed in the rules."""
    rows = [
        tuple(Cell(text, number=False) for text in (change.rule.replace("_", " "), change.sentence)) for change in packs.rules
    ]
    return Table("rules", "", "Rules that differ", ("Rule", "Change"), tuple(rows))


def covered_share(valuation: Valuation) -> tuple[int, int]:
    """Lines priced nationally by both packs, and by either."""
    lines = {row["coverage"]: row["lines"] for row in valuation.by("coverage").iter_rows(named=True)}
    both = lines.get(BOTH, 0)
    return both, both + lines.get(ONLY_BEFORE, 0) + lines.get(ONLY_AFTER, 0)


def _money(pence: int) -> str:
    return pounds(pence, whole=True)
