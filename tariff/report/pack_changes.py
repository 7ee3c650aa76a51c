"""What changed from one rule pack to another, and what it is worth on one's own activity: as text, page and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff._version import __version__
from tariff.money import pounds
from tariff.report.charts import BridgeStep, ChartText, bridge_scale, bridge_svg, wrap_label
from tariff.report.pack_tables import (
    VALUED_BY,
    chapter_tables,
    coverage_table,
    covered_share,
    effect_table,
    hidden_of,
    lacking_words,
    largest_table,
    rule_table,
    spread_table,
    value_table,
)
from tariff.report.page import KeyFigure
from tariff.report.suppression import CONFIDENTIAL, is_small
from tariff.report.table import Table
from tariff.report.text_files import write_csv
from tariff.report.words import more_or_less, percentage, short_money, signed
from tariff.rulepack.chapters import chapter_of
from tariff.rulepack.differences import (
    SETTINGS,
    PackDifferences,
    as_text,
    chapter_settings,
    spread_of,
    table_lines,
    trim_lines,
)
from tariff.valuation import EFFECTS, Valuation, effect_rows
from tariff.whole_files import whole_folder

FACT_FILES: Final = ("differences.html", "prices.csv", "hrgs.csv", "trim_points.csv", "tables.csv", "rules.csv")
VALUE_FILES: Final = tuple(f"value_by_{name}.csv" for name in VALUED_BY)
FILES: Final = (*FACT_FILES, *VALUE_FILES)
"""What a folder of differences holds."""


@dataclass(frozen=True)
class PackChanges:
    """The differences of two packs, and their value where there was activity. `suppress` hides counts of 1 to 7 in print."""

    packs: PackDifferences
    valuation: Valuation | None = None
    suppress: bool = True

    @property
    def is_too_small(self) -> bool:
        """Whether there is too little activity to print anything of it."""
        return self.valuation is not None and self.suppress and is_small(self.valuation.total["lines"])

    @property
    def headline(self) -> str:
        """The finding in one sentence."""
        before, after = self.packs.before.label, self.packs.after.label
        if self.valuation is None or self.is_too_small:
            moved = "".join(f"{average}, " for average in _averages(self.packs))
            return f"{after} against {before}: {moved}{len(self.packs.new):,} HRGs new, {len(self.packs.withdrawn):,} withdrawn"
        total = self.valuation.total
        difference = total["difference_pence"]
        share = f" ({signed(percentage(difference, total['before_pence']))})" if total["before_pence"] else ""
        told = more_or_less(difference, short_money(abs(difference)))
        return f"This activity costs {told} under {after} than under {before}{share}" if difference else _the_same(before, after)

    def __str__(self) -> str:
        parts = [self.headline, as_text(self.packs)]
        if self.valuation is not None and not self.is_too_small:
            parts.append(_value_text(self.valuation, suppress=self.suppress))
        return "\n\n".join(parts)

    def write(self, folder: Path, *, overwrite: bool = False, written: date | None = None) -> Path:
        """Write `FILES` into `folder` (the valued ones where there was activity), which appears only when it is whole.

        OutputError where it exists and is not to be overwritten, or cannot be written."""
        with whole_folder(folder, overwrite=overwrite, holding=FILES) as partial:
            for name, frame in _facts(self.packs):
                write_csv(frame, partial / name, hidden=pl.Series([False] * frame.height, dtype=pl.Boolean), counts=())
            if self.valuation is not None:
                for dimension in VALUED_BY:
                    _write_value(self.valuation, dimension, partial, suppress=self.suppress)
            page = render_changes(self, written or date.today())
            (partial / "differences.html").write_text(page, encoding="utf-8", newline="\n")
        return folder


def _averages(packs: PackDifferences) -> Iterator[str]:
    """How elective and non-elective prices move on average."""
    for setting in chapter_settings(packs):
        spread = spread_of(packs.of_setting(setting))
        if spread is not None:
            yield f"{'elective' if setting == 'combined' else SETTINGS[setting]} prices ×{spread.mean:.4f} on average"


def _the_same(before: str, after: str) -> str:
    return f"This activity costs the same under {after} as under {before}"


def _value_text(valuation: Valuation, *, suppress: bool) -> str:
    total = valuation.total
    width = max(len(valuation.before.label), len(valuation.after.label), *(len(effect.title) for effect in EFFECTS))
    steps = [(valuation.before.label, total["before_pence"])]
    steps += [(effect.title, pence) for effect, pence in effect_rows(total)]
    steps += [(valuation.after.label, total["after_pence"])]
    lines = [f"On {total['lines']:,} lines of activity"]
    for title, pence in steps:
        lines.append(f"  {title:<{width}}  {pounds(pence):>20}")
    lines += ["", lacking_words(valuation, suppress=suppress)]
    for dimension in VALUED_BY:
        lines += ["", *_aligned(value_table(valuation, dimension, suppress=suppress))]
    return "\n".join(lines)


_TOLD: Final = 10


def _aligned(table: Table) -> Iterator[str]:
    """The first rows of a table for a terminal."""
    columns = table.columns[:5]
    rows = [columns, *([cell.text for cell in row[: len(columns)]] for row in table.rows[:_TOLD])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(columns))]
    for row in rows:
        first, *rest = (text.ljust(w) if n == 0 else text.rjust(w) for n, (text, w) in enumerate(zip(row, widths, strict=True)))
        yield "  ".join(["", first, *rest]).rstrip()


def _facts(packs: PackDifferences) -> Iterator[tuple[str, pl.DataFrame]]:
    """The tables of facts, by file name."""
    prices = [
        (move.hrg, move.name, chapter_of(move.hrg), move.setting, move.kind, move.before, move.after, _ratio(move.ratio))
        for move in packs.moves
    ]
    yield "prices.csv", _frame(("hrg", "name", "chapter", "price", "change", "before_pence", "after_pence", "ratio"), prices)
    hrgs = [(row.hrg, row.name, change) for change, rows in (("new", packs.new), ("withdrawn", packs.withdrawn)) for row in rows]
    yield "hrgs.csv", _frame(("hrg", "name", "change"), hrgs)
    yield "trim_points.csv", _frame(("hrg", "name", "trim_point", "before_days", "after_days"), packs.trims)
    yield "tables.csv", _frame(("table", "key", "column", "before", "after"), packs.cells)
    yield "rules.csv", _frame(("rule", "what", "before", "after", "sentence"), packs.rules)


def _ratio(ratio: Any) -> str:
    return f"{float(ratio):.6f}" if ratio is not None else ""


def _frame(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    schema = {name: pl.Int64() if name.endswith(("_pence", "_days")) else pl.String() for name in columns}
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")


def _write_value(valuation: Valuation, dimension: str, folder: Path, *, suppress: bool) -> None:
    frame = valuation.by(dimension)
    hidden = hidden_of(frame, dimension, suppress=suppress)
    small = suppress and is_small(valuation.total["lines"])
    mask = pl.Series([small or value in hidden for value in frame[dimension]], dtype=pl.Boolean)
    write_csv(frame, folder / f"value_by_{dimension}.csv", hidden=mask)


def render_changes(changes: PackChanges, written: date) -> str:
    """The page as HTML: no address outside itself, the chart as inline SVG."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tariff.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    packs, valuation, suppress = changes.packs, changes.valuation, changes.suppress
    values = None if valuation is None or changes.is_too_small else valuation
    return environment.get_template("pack_changes.html.j2").render(
        headline=changes.headline,
        packs=packs,
        version=__version__,
        written=f"{written.day} {written:%B %Y}",
        valued=values is not None,
        too_small=changes.is_too_small,
        figures=[] if values is None else _figures(values),
        svg="" if values is None else _chart(values),
        effects=None if values is None else effect_table(values, suppress=suppress),
        sentences=[(effect.title, effect.sentence) for effect in EFFECTS],
        value_tables=[] if values is None else [value_table(values, name, suppress=suppress) for name in VALUED_BY],
        coverage=None if values is None else coverage_table(values, suppress=suppress),
        coverage_finding="" if values is None else _coverage_finding(values, suppress=suppress),
        lacking="" if values is None else lacking_words(values, suppress=suppress),
        spread=spread_table(packs),
        chapters=chapter_tables(packs),
        largest=largest_table(packs),
        rules=rule_table(packs),
        trims=trim_lines(packs),
        tables=table_lines(packs),
        confidential=CONFIDENTIAL,
        suppress=suppress,
    )


def _figures(valuation: Valuation) -> list[KeyFigure]:
    total, difference = valuation.total, valuation.total["difference_pence"]
    share = signed(percentage(difference, total["before_pence"]))
    return [
        KeyFigure(valuation.before.label, short_money(total["before_pence"]), "before", valuation.before.title),
        KeyFigure(valuation.after.label, short_money(total["after_pence"]), "after", valuation.after.title),
        KeyFigure("Difference", signed(short_money(difference)), share, f"on {total['lines']:,} lines of activity"),
    ]


def _chart(valuation: Valuation) -> str:
    """The bridge from the earlier pack to the later, effect by effect; none where nothing moves."""
    total = valuation.total
    steps = [BridgeStep(wrap_label(effect.title), pence) for effect, pence in effect_rows(total) if pence]
    if not steps:
        return ""
    net = BridgeStep("Difference in all", total["difference_pence"])
    told = "; ".join(f"{step.label} {signed(short_money(step.pence))}" for step in steps)
    before, after = valuation.before.label, valuation.after.label
    title = f"From {before} to {after}: {signed(short_money(net.pence))}"
    ends = f"from {before}, {short_money(total['before_pence'])}, to {after}, {short_money(total['after_pence'])}"
    text = ChartText(title, f"Waterfall {ends}: {told}.", f"Difference from {before} ({short_money(total['before_pence'])})")
    return bridge_svg("chart-effects", text, steps, net, bridge_scale([(steps, net)]))


def _coverage_finding(valuation: Valuation, *, suppress: bool) -> str:
    both, either = covered_share(valuation)
    if not either or (suppress and (is_small(either - both) or is_small(both))):
        return "What each pack covers"
    return f"{percentage(both, either)} of the lines that either pack prices are priced by both"
