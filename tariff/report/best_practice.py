"""The best-practice section of a report: achievement by tariff and provider against its 95% interval, what was earned, lost and
is at stake, and the criteria that fail most. All of it is computed by `tariff.best_practice.achievement`; here it is made
readable, and small numbers are hidden.

A tariff, and a provider's row of it, falls into two parts that are hidden apart: what evidence knows (met, not met, with the
share and the money of both) and what it does not (no evidence, with the money at stake)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import polars as pl

from tariff.best_practice.achievement import MONEY, best_practice_achievement, criteria_missing, prices_by_setting
from tariff.report.charts import ChartText
from tariff.report.funnel import Funnel, FunnelPoint, funnel_svg
from tariff.report.suppression import CONFIDENTIAL, Key, hide_small, is_small
from tariff.report.table import LONGEST, Cell, Table, numbers, texts, whole_pounds
from tariff.report.words import counted, listed, short_money
from tariff.rulepack.best_practice_rows import CONTRADICTORY, SETTING

Part = tuple[str, ...]
KNOWN: Final[Part] = ("met", "not_met")
OPEN: Final[Part] = ("no_evidence",)
MOST_TARIFFS: Final = 12
"""Tariffs that the page tells provider by provider; the workbook tells all."""
PROVIDER_GATE: Final = "provider_gate"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TariffFacts:
    """What the run card says of a tariff: its name, its mechanism, and its criteria in words by their codes."""

    name: str
    mechanism: str = ""
    criteria: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BestPractice:
    """Achievement as `best_practice_achievement` finds it, by tariff and by tariff and provider; the criteria that lines lack;
    what was paid in which setting; and what is known of the tariffs. `suppress` governs what people read."""

    by_tariff: pl.DataFrame = field(default_factory=pl.DataFrame)
    by_provider: pl.DataFrame = field(default_factory=pl.DataFrame)
    missing: pl.DataFrame = field(default_factory=pl.DataFrame)
    settings: pl.DataFrame = field(default_factory=pl.DataFrame)
    facts: Mapping[str, TariffFacts] = field(default_factory=dict)
    suppress: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether no priced line is covered by a tariff."""
        return self.by_tariff.height == 0

    def name_of(self, tariff: str) -> str:
        """A tariff in words."""
        return self.facts[tariff].name if tariff in self.facts else tariff.replace("_", " ").capitalize()

    def is_gate(self, tariff: str) -> bool:
        """Whether all of a provider's lines meet the tariff together, so that they are no sample of anything."""
        return tariff in self.facts and self.facts[tariff].mechanism == PROVIDER_GATE

    def criterion_in_words(self, tariff: str, criterion: str) -> str:
        """A criterion in words."""
        if criterion == SETTING:
            return "Given in another setting, or for longer"
        if criterion == CONTRADICTORY:
            return "Evidence that contradicts itself or the line"
        named = self.facts[tariff].criteria if tariff in self.facts else {}
        return named.get(criterion) or criterion.replace("_", " ").capitalize()

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row a tariff, the most money first."""
        return sorted(self.by_tariff.to_dicts(), key=lambda row: (-sum(row[name] for name in MONEY), row["tariff"]))

    def providers_of(self, tariff: str) -> list[dict[str, Any]]:
        """A row a provider of the tariff, the most lines first."""
        found = self.by_provider.filter(pl.col("tariff") == tariff).to_dicts()
        return sorted(found, key=lambda row: (-row["eligible"], str(row["provider"])))

    @cached_property
    def hidden_tariffs(self) -> dict[Part, frozenset[Key]]:
        """By part, the tariffs whose figures are hidden in it."""
        return {part: self._hidden(self.rows, "tariff", part) for part in (KNOWN, OPEN)}

    def hidden_providers(self, tariff: str, part: Part) -> frozenset[Key]:
        """The providers whose figures of the tariff are hidden in a part: all of them where the tariff's own are."""
        rows = self.providers_of(tariff)
        if (tariff,) in self.hidden_tariffs[part]:
            return frozenset((row["provider"],) for row in rows)
        return self._hidden(rows, "provider", part)

    def hides(self, criterion: Row, name: str, part: Part) -> bool:
        """Whether the lines that lack a criterion are hidden: a small count, or one that would tell what its tariff hides."""
        return self.suppress and (is_small(criterion[name]) or (criterion["tariff"],) in self.hidden_tariffs[part])

    def _hidden(self, rows: Sequence[Row], name: str, part: Part) -> frozenset[Key]:
        if not self.suppress:
            return frozenset()
        counts: dict[Key, int] = {(row[name],): min((row[status] for status in part if row[status]), default=0) for row in rows}
        return hide_small(counts).cells


@dataclass(frozen=True, slots=True)
class TariffSection:
    """One tariff provider by provider: its finding, the funnel plot (blank for a gate, or where nothing can be drawn), what to
    know of it, the criteria that failed most with their lines, and its table."""

    name: str
    finding: str
    svg: str
    note: str
    failed: tuple[tuple[str, str], ...]
    table: Table


def achieved(priced: pl.LazyFrame, cards: Sequence[Mapping[str, Any]], *, suppress: bool) -> BestPractice:
    """Best practice on priced lines, named as the run cards name it."""
    by_provider = best_practice_achievement(priced)
    if not by_provider.height:
        return BestPractice(suppress=suppress)
    by_tariff = best_practice_achievement(priced, by=())
    missing, by_setting = criteria_missing(priced), prices_by_setting(priced)
    return BestPractice(by_tariff, by_provider, missing, by_setting, dict(_facts(cards)), suppress)


def _facts(cards: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, TariffFacts]]:
    for card in cards:
        for pack in card.get("packs", ()):
            for said in pack.get("best_practice", ()):
                yield said["tariff"], TariffFacts(said["name"], said["mechanism"], said["criteria"])


def best_practice_finding(found: BestPractice) -> str:
    """The section in one sentence."""
    earned, lost, at_stake = (sum(row[name] for row in found.rows) for name in MONEY)
    more = [
        f"{short_money(pence)} {words}"
        for pence, words in ((lost, "was lost where criteria failed"), (at_stake, "hangs on missing evidence"))
        if pence
    ]
    return "; ".join([f"Best practice earned providers {short_money(earned)}", *([listed(more)] if more else [])])


def tariff_table(found: BestPractice) -> Table:
    """Achievement and money by tariff. A line counts for each tariff that covers it, its money once, so only money adds."""
    rows = [
        _row(row, found.name_of(row["tariff"]), (row["tariff"],), found.hidden_tariffs, gate=found.is_gate(row["tariff"]))
        for row in found.rows
    ]
    sums = [whole_pounds(sum(row[name] for row in found.rows)) for name in MONEY]
    total = (*texts("All tariffs"), *(Cell("") for _ in range(6)), *numbers(sums, hide=False))
    return Table(
        name="best-practice",
        finding="",
        caption="Lines that a best-practice tariff covers, by what evidence says of them; the share met of those with evidence, "
        "with its 95% interval; and with market forces, what was earned, was lost, and is at stake"
        + (f". {CONFIDENTIAL}: hidden, so that no count of 1 to 7 can be told" if found.suppress else ""),
        columns=("Tariff", *_COLUMNS),
        rows=tuple(rows),
        total=total,
    )


def tariff_sections(found: BestPractice) -> list[TariffSection]:
    """The tariffs with most money, provider by provider."""
    return [_section(found, row) for row in found.rows[:MOST_TARIFFS]]


def criteria_rows(found: BestPractice) -> Iterator[tuple[str, str, int | str, int | str]]:
    """Tariff, criterion, and lines on which it failed or is not known: what every line lacks, most failed first."""
    for tariff in found.rows:
        for row in found.missing.filter(pl.col("tariff") == tariff["tariff"]).iter_rows(named=True):
            parts = {"failed": KNOWN, "unknown": OPEN}
            counts = [CONFIDENTIAL if found.hides(row, name, part) else int(row[name]) for name, part in parts.items()]
            yield found.name_of(row["tariff"]), found.criterion_in_words(row["tariff"], row["criterion"]), counts[0], counts[1]


def setting_rows(found: BestPractice) -> Iterator[tuple[str, str, str, str, int | str, int | None]]:
    """Of prices by setting: tariff, HRG, setting, whether the tariff covers it, lines, and mean price in pence (None: hidden)."""
    for rows in found.settings.partition_by("tariff", maintain_order=True) if found.settings.height else ():
        counts: dict[Key, int] = {(number,): count for number, count in enumerate(rows["lines"])}
        hidden = hide_small(counts).cells if found.suppress else frozenset()
        for number, row in enumerate(rows.iter_rows(named=True)):
            hide = (number,) in hidden or (row["tariff"],) in found.hidden_tariffs[KNOWN]
            where = (row["currency"], row["setting"].replace("_", " ").capitalize(), "yes" if row["covered"] else "no")
            count, price = (CONFIDENTIAL, None) if hide else (row["lines"], row["base_pence"])
            yield found.name_of(row["tariff"]), *where, count, price


def settings_table(found: BestPractice) -> Table | None:
    """What was paid in which setting, of prices by setting. None where no line is in another setting."""
    rows = [
        (
            *texts(*told[:4]),
            Cell(told[4] if isinstance(told[4], str) else f"{told[4]:,}"),
            Cell(CONFIDENTIAL if told[5] is None else whole_pounds(told[5])),
        )
        for told in setting_rows(found)
    ]
    if not rows:
        return None
    return Table(
        name="best-practice-settings",
        finding="",
        caption="Prices by setting: mean base price of a line before market forces, where the tariff covers setting and stay and "
        "where it does not. Care elsewhere loses nothing: it is paid the price of its own setting",
        columns=("Tariff", "HRG", "Setting", "Covered", "Lines", "Mean price"),
        rows=tuple(rows[: 2 * LONGEST]),
    )


_COLUMNS: Final = ("Lines", "Met", "Not met", "No evidence", "Share met", "95% interval", "Earned", "Lost", "At stake")
_FEWEST_DRAWN: Final = 2
"""Providers of whom a funnel says anything."""
_MOST_FAILED: Final = 4
"""Criteria that the page names for a tariff; the workbook names all."""


def _row(row: Row, name: str, key: Key, hidden: Mapping[Part, frozenset[Key]], *, gate: bool) -> tuple[Cell, ...]:
    known, unknown = key in hidden[KNOWN], key in hidden[OPEN]
    return (
        *texts(name),
        Cell(_count(row["eligible"], hide=known or unknown)),
        *(Cell(_count(row[status], hide=known)) for status in KNOWN),
        Cell(_count(row["no_evidence"], hide=unknown)),
        *numbers([share_in_words(row["achievement"]), _interval(row, gate=gate)], hide=known),
        *numbers([whole_pounds(row[name]) for name in MONEY[:2]], hide=known),
        *numbers([whole_pounds(row[MONEY[2]])], hide=unknown),
    )


def _count(count: int, *, hide: bool) -> str:
    return CONFIDENTIAL if hide else f"{count:,}"


def share_in_words(share: float | None) -> str:
    """A share in percent; a dash where nothing is known."""
    return "–" if share is None else f"{100 * share:.1f}%"


def _interval(row: Row, *, gate: bool) -> str:
    if gate or row["interval_low"] is None:
        return "–"
    return f"{100 * row['interval_low']:.0f} to {100 * row['interval_high']:.0f}%"


def _section(found: BestPractice, row: Row) -> TariffSection:
    tariff, name = str(row["tariff"]), found.name_of(str(row["tariff"]))
    rows = found.providers_of(tariff)
    hidden = {part: found.hidden_providers(tariff, part) for part in (KNOWN, OPEN)}
    drawn = [one for one in rows if one["achievement"] is not None and (one["provider"],) not in hidden[KNOWN]]
    gate = found.is_gate(tariff)
    finding = f"{name}: {_gate_finding(rows, drawn) if gate else _finding(row, drawn)}"
    svg = "" if gate or len(drawn) < _FEWEST_DRAWN else _funnel(tariff, finding, row, drawn)
    table = Table(
        name=f"best-practice-{tariff.replace('_', '-')}",
        finding="",
        caption=f"{name}: achievement and money by provider",
        columns=("Provider", *_COLUMNS),
        rows=tuple(_row(one, str(one["provider"]), (one["provider"],), hidden, gate=gate) for one in rows[:LONGEST]),
    )
    return TariffSection(
        tariff, finding, svg, _note(rows, drawn if svg else rows, gate=gate), tuple(_failed_most(found, tariff)), table
    )


def _failed_most(found: BestPractice, tariff: str) -> Iterator[tuple[str, str]]:
    failed = found.missing.filter((pl.col("tariff") == tariff) & (pl.col("failed") > 0))
    for row in failed.head(_MOST_FAILED).iter_rows(named=True):
        count = CONFIDENTIAL if found.hides(row, "failed", KNOWN) else f"{row['failed']:,}"
        yield found.criterion_in_words(tariff, row["criterion"]), count


def outside_limits(row: Row) -> int:
    """Whether a provider lies below the limits (−1), above (1) or within (0)."""
    share = row["achievement"]
    return int(share > row["funnel_high"]) - int(share < row["funnel_low"])


def _finding(row: Row, drawn: Sequence[Row]) -> str:
    if row["expected"] is None:
        return "no evidence"
    if not drawn:
        return "too few lines to tell by provider"
    if len(drawn) < _FEWEST_DRAWN:
        return f"{share_in_words(row['expected'])} met"
    told = [
        f"{listed([str(one['provider']) for one in drawn if outside_limits(one) == side])} {words}"
        for side, words in ((1, "above"), (-1, "below"))
        if any(outside_limits(one) == side for one in drawn)
    ]
    beyond = f"{', '.join(told)} what chance explains" if told else "no provider differs by more than chance explains"
    return f"{share_in_words(row['expected'])} met; {beyond}"


def _gate_finding(rows: Sequence[Row], drawn: Sequence[Row]) -> str:
    if len(drawn) < len(rows):
        return "a provider gate"
    passed = [one for one in rows if one["met"] and not one["not_met"]]
    failed = [one for one in rows if one["not_met"] and not one["met"]]
    return f"{counted(len(passed), 'provider', 'providers')} passed all year, {len(failed):,} failed all year"


def _note(rows: Sequence[Row], drawn: Sequence[Row], *, gate: bool) -> str:
    told = []
    if gate:
        told.append(
            "A provider's lines pass or fail the gate together: they are no sample, so there is no interval and no funnel."
        )
    if len(drawn) < len(rows) and not gate:
        told.append(f"{counted(len(rows) - len(drawn), 'provider', 'providers')} not drawn: hidden, or without evidence.")
    if len(rows) > LONGEST:
        told.append(f"{len(rows) - LONGEST:,} smaller providers: see report.xlsx.")
    return " ".join(told)


def _funnel(tariff: str, finding: str, row: Row, drawn: Sequence[Row]) -> str:
    points = [
        FunnelPoint(str(one["provider"]), one["met"] + one["not_met"], one["achievement"], outside_limits(one)) for one in drawn
    ]
    told = "; ".join(f"{point.provider} {share_in_words(point.share)} of {point.lines:,}" for point in points)
    words = (
        "Funnel plot of the share of lines that met best practice against the number of lines with evidence, a point a "
        f"provider, around {share_in_words(row['expected'])} with its 95% limits: {told}."
    )
    text = ChartText(finding, words, "Lines with evidence")
    return funnel_svg(f"funnel-{tariff.replace('_', '-')}", text, Funnel(row["expected"], tuple(points)))
