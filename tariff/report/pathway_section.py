"""Pathways of a run in the report: what they are paid beside the same care line by line, who gains and who loses, the price at
which a level breaks even, and what lead providers owe for care that others gave. The figures are those of `tariff.pathways`;
here they are added up and made readable, and small numbers are hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import polars as pl

from tariff.pathways import break_even, price_against_cost
from tariff.pathways.settling import netted, owed
from tariff.report.suppression import CONFIDENTIAL, Hidden, Key, hide_small, is_small
from tariff.report.table import LONGEST, Cell, Table, numbers, texts, whole_pounds
from tariff.report.words import counted, short_money, signed

_LEVEL: Final = ("definition", "phase", "level")
_FIGURES: Final = ("pathways", "episodic_pence", "bundle_pence", "gain_pence")
_NEEDED: Final = ("pathway_id", *_LEVEL, "lead_provider", "flag", "price_pence", "episodic_pence")
_UNHIDDEN: Final = Hidden(frozenset(), (frozenset(), frozenset()))

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PathwayFigures:
    """Pathways that are paid: `by_level_and_provider` (`pathways.price_against_cost`), `by_level` (`pathways.break_even`), who
    owes whom over all definitions (`columns.OWED` without its definition), and titles by definition. `suppress` governs what
    people read."""

    by_level_and_provider: pl.DataFrame = field(default_factory=pl.DataFrame)
    by_level: pl.DataFrame = field(default_factory=pl.DataFrame)
    owed: pl.DataFrame = field(default_factory=pl.DataFrame)
    titles: Mapping[str, str] = field(default_factory=dict)
    suppress: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether no pathway is paid, or the table of pathways does not tell what for."""
        return self.by_level_and_provider.height == 0

    def name_of(self, row: Row) -> str:
        """The pathway of a row in words, with its phase where it has phases."""
        title = self.titles.get(row["definition"]) or str(row["definition"]).replace("_", " ").capitalize()
        return f"{title}, {row['phase']}" if row["phase"] else title

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """A row a level and lead provider."""
        return self.by_level_and_provider.select(*_LEVEL, "lead_provider", *_FIGURES).to_dicts()

    @cached_property
    def levels(self) -> list[dict[str, Any]]:
        """A row a level: its sums, its mean price and the price at which it breaks even."""
        sums = self.by_level_and_provider.group_by(_LEVEL).agg(pl.col(_FIGURES).sum())
        prices = self.by_level.select(*_LEVEL, "mean_price_pence", "break_even_pence")
        return sums.join(prices, on=_LEVEL, nulls_equal=True).sort(_LEVEL, nulls_last=True).to_dicts()

    @cached_property
    def providers(self) -> list[dict[str, Any]]:
        """A row a lead provider, who gains most first; those that are hidden last, so that their place tells nothing."""
        found = self.by_level_and_provider.group_by("lead_provider").agg(pl.col(_FIGURES).sum()).to_dicts()
        return sorted(found, key=lambda row: _place(row["lead_provider"], row["gain_pence"], self.hidden.margins[1]))

    @cached_property
    def balances(self) -> list[dict[str, Any]]:
        """A row a provider: lines of its pathways that others gave, what it owes for them, what it is owed, and the net."""
        found: dict[str, dict[str, Any]] = {}
        for row in self.owed.to_dicts():
            for who in (row["debtor"], row["creditor"]):
                found.setdefault(who, {"provider": who, "lines": 0, "owes_pence": 0, "is_owed_pence": 0})
            found[row["debtor"]]["lines"] += row["lines"]
            found[row["debtor"]]["owes_pence"] += row["pence"]
            found[row["creditor"]]["is_owed_pence"] += row["pence"]
        rows = [{**row, "net_pence": row["is_owed_pence"] - row["owes_pence"]} for row in found.values()]
        return sorted(rows, key=lambda row: _place(row["provider"], row["net_pence"], self.unbalanced))

    @property
    def total(self) -> dict[str, int]:
        """All pathways that are paid."""
        return {name: sum(row[name] for row in self.cells) for name in _FIGURES}

    @property
    def hides_total(self) -> bool:
        """Whether there are so few pathways that even their sum is hidden."""
        return self.suppress and is_small(self.total["pathways"])

    @cached_property
    def hidden(self) -> Hidden:
        """What to hide of levels (first dimension) by lead providers (second), and of both alone: in one, so that no table gives
        away what another hides."""
        counts: dict[Key, int] = {(level_of(row), row["lead_provider"]): row["pathways"] for row in self.cells}
        return hide_small(counts) if self.suppress and counts else _UNHIDDEN

    @cached_property
    def hidden_debts(self) -> Hidden:
        """What to hide of debtors (first dimension) by creditors (second), and of both alone."""
        counts: dict[Key, int] = {(row["debtor"], row["creditor"]): row["lines"] for row in self.owed.to_dicts()}
        return hide_small(counts) if self.suppress and counts else _UNHIDDEN

    @property
    def unbalanced(self) -> frozenset[object]:
        """The providers whose net is hidden: a side of it is."""
        return self.hidden_debts.margins[0] | self.hidden_debts.margins[1]

    @property
    def hides_debt(self) -> bool:
        """Whether so few lines were given elsewhere that even their sum is hidden."""
        return self.suppress and is_small(sum(row["lines"] for row in self.balances))


def pathway_figures(
    lines: pl.LazyFrame,
    pathways: pl.DataFrame | None,
    told: pl.DataFrame | None,
    cards: Sequence[Mapping[str, Any]],
    *,
    suppress: bool,
) -> PathwayFigures:
    """Figures of priced lines and their pathways (`columns.PATHWAY`), named as the run cards name them. `told`: who owes whom as
    the runs told it (`columns.OWED`; runs that go on from another tell what changes); made from the lines where it is not there.
    Nothing where the pathways lack what they are paid and what for: those of a model made by hand need not tell it."""
    if pathways is None or any(name not in pathways.columns for name in _NEEDED):
        return PathwayFigures(suppress=suppress)
    # A later run tells an earlier run's pathway again as it stands now; runs are given in their order.
    latest = pathways.unique("pathway_id", keep="last", maintain_order=True)
    if "complications" not in latest.columns:
        latest = latest.with_columns(pl.lit(0, pl.Int64).alias("complications"))
    return PathwayFigures(
        price_against_cost(latest),
        break_even(latest),
        _owed_in_all(_owed_by_lines(lines, latest) if told is None else told),
        dict(_titles(cards)),
        suppress,
    )


def level_of(row: Row) -> Key:
    """What tells levels apart."""
    return tuple(row[name] for name in _LEVEL)


def pathway_finding(found: PathwayFigures) -> str:
    """The section in one sentence."""
    if found.hides_total:
        return "Pathways"
    total, kinds = found.total, len({row["definition"] for row in found.cells})
    change = total["gain_pence"]
    told = f"{short_money(abs(change))} {'less' if change < 0 else 'more'} than" if change else "the same as"
    many = counted(total["pathways"], "pathway", "pathways")
    of_kinds = f" of {kinds} kinds" if kinds > 1 else ""
    return f"{many}{of_kinds} pay{'s' if total['pathways'] == 1 else ''} {told} the same care line by line"


def level_table(found: PathwayFigures) -> Table:
    """Pathways by definition and level: value line by line, what is paid, the difference and the break-even price."""
    hidden = found.hidden.margins[0]
    rows = [
        (
            *texts(found.name_of(row), str(row["level"] or "–").replace("_", " ")),
            *numbers([f"{row['pathways']:,}", *_money(row), *_prices(row)], hide=level_of(row) in hidden),
        )
        for row in found.levels
    ]
    total = found.total
    return Table(
        name="pathways",
        finding="",
        caption="Pathways that are paid, by level: the care inside at prices by the line, what is paid in its place, and the "
        f"price at which a level would pay as much as line by line{_hidden_note(found)}",
        columns=("Pathway", "Level", "Pathways", "Line by line", "As pathways", "Difference", "Mean price", "Break-even price"),
        rows=tuple(rows),
        total=(
            *texts("All pathways", ""),
            *numbers([f"{total['pathways']:,}", *_money(total)], hide=found.hides_total),
            Cell(""),
            Cell(""),
        ),
    )


def provider_finding(found: PathwayFigures) -> str:
    """How many lead providers gain and how many lose, in words; without figures where any is hidden."""
    if found.hides_total or found.hidden.margins[1]:
        return "What each lead provider gains or loses"
    gains = [row["gain_pence"] for row in found.providers]
    more, less = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return f"Of {counted(len(gains), 'lead provider', 'lead providers')}, {more:,} would gain and {less:,} would lose by pathways"


def provider_table(found: PathwayFigures) -> Table:
    """What each lead provider is paid as pathways and would be line by line: who gains and who loses."""
    hidden = found.hidden.margins[1]
    shown = _widest(found.providers, "gain_pence")
    widest = max((abs(row["gain_pence"]) for row in shown if row["lead_provider"] not in hidden), default=0)
    rows = [
        (
            *texts(str(row["lead_provider"])),
            *_barred([f"{row['pathways']:,}", *_money(row)], row["gain_pence"], widest, hide=row["lead_provider"] in hidden),
        )
        for row in shown
    ]
    total = found.total
    return Table(
        name="pathways-by-provider",
        finding=provider_finding(found),
        caption="Lead providers: what they are paid for pathways, and what all care inside would be paid line by line, whoever "
        f"gave it{_of_all(shown, found.providers)}{_hidden_note(found)}",
        columns=("Lead provider", "Pathways", "Line by line", "As pathways", "Difference"),
        rows=tuple(rows),
        total=(*texts("All lead providers"), *numbers([f"{total['pathways']:,}", *_money(total)], hide=found.hides_total)),
    )


def owed_finding(found: PathwayFigures) -> str:
    """How much care inside pathways other providers gave, in words."""
    if found.hides_debt or found.hides_total:
        return "What lead providers owe others"
    lines, pence = (sum(row[name] for row in found.balances) for name in ("lines", "owes_pence"))
    return f"Leakage: lead providers owe others {short_money(pence)} for {counted(lines, 'line', 'lines')} of care inside"


def owed_table(found: PathwayFigures) -> Table | None:
    """What each provider owes others for care inside its pathways, is owed, and the net. None where all care was its own."""
    if not found.balances:
        return None
    shown = _widest(found.balances, "net_pence")
    widest = max((abs(row["net_pence"]) for row in shown if row["provider"] not in found.unbalanced), default=0)
    lines, pence = (sum(row[name] for row in found.balances) for name in ("lines", "owes_pence"))
    return Table(
        name="pathways-owed",
        finding=owed_finding(found),
        caption="Care inside pathways that others than the lead provider gave, at prices by the line; net: + is owed, − owes"
        f"{_of_all(shown, found.balances)}. Who owes whom: report.xlsx{_hidden_note(found)}",
        columns=("Provider", "Lines elsewhere", "Owes", "Is owed", "Net"),
        rows=tuple(_balance(found, row, widest) for row in shown),
        total=(
            *texts("All providers"),
            *numbers([f"{lines:,}", whole_pounds(pence), whole_pounds(pence)], hide=found.hides_debt),
            *numbers([whole_pounds(0)], hide=False),
        ),
    )


def _balance(found: PathwayFigures, row: Row, widest: int) -> tuple[Cell, ...]:
    owes, is_owed = (row["provider"] in margin for margin in found.hidden_debts.margins)
    return (
        *texts(str(row["provider"])),
        *numbers([f"{row['lines']:,}", whole_pounds(row["owes_pence"])], hide=owes),
        *numbers([whole_pounds(row["is_owed_pence"])], hide=is_owed),
        *_barred([signed(whole_pounds(row["net_pence"]))], row["net_pence"], widest, hide=owes or is_owed),
    )


def _barred(figures: Sequence[str], difference: int, widest: int, *, hide: bool) -> Iterator[Cell]:
    """Cells of numbers, the last of which is a difference with its bar."""
    yield from numbers(figures[:-1], hide=hide)
    yield Cell(CONFIDENTIAL) if hide else Cell(figures[-1], bar=difference / widest if widest else None)


def _money(row: Row) -> Iterator[str]:
    yield from (whole_pounds(row[name]) for name in ("episodic_pence", "bundle_pence"))
    yield signed(whole_pounds(row["gain_pence"]))


def _prices(row: Row) -> Iterator[str]:
    yield from (whole_pounds(row[name]) for name in ("mean_price_pence", "break_even_pence"))


def _widest(rows: Sequence[Row], difference: str) -> list[Row]:
    """The rows that the page shows, in their order: those that differ most."""
    chosen = sorted(range(len(rows)), key=lambda number: -abs(rows[number][difference]))[:LONGEST]
    return [rows[number] for number in sorted(chosen)]


def _of_all(shown: Sequence[Row], rows: Sequence[Row]) -> str:
    return f"; the {len(shown)} that differ most of {len(rows):,}, all in report.xlsx" if len(shown) < len(rows) else ""


def _hidden_note(found: PathwayFigures) -> str:
    return f". {CONFIDENTIAL}: hidden, so that no count of 1 to 7 can be told" if found.suppress else ""


def _place(name: str, difference: int, hidden: frozenset[object]) -> tuple[bool, int, str]:
    return name in hidden, 0 if name in hidden else -difference, name


def _titles(cards: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for card in cards:
        for pack in card.get("packs", ()):
            for said in pack.get("pathways", ()):
                yield said["name"], said["title"]


def _owed_by_lines(lines: pl.LazyFrame, pathways: pl.DataFrame) -> pl.DataFrame:
    names = ("provider", "pathway_id", "pathway_pence")
    if "pathway_pence" not in lines.collect_schema().names():
        return owed(pl.DataFrame(schema={"provider": pl.String, "pathway_id": pl.String, "pathway_pence": pl.Int64}), pathways)
    inside = lines.filter(pl.col("pathway_pence") != 0).select(names).collect(engine="streaming")
    return owed(inside, pathways)


def _owed_in_all(matrix: pl.DataFrame) -> pl.DataFrame:
    """Who owes whom, all definitions and runs together."""
    whole = netted(matrix.select("debtor", "creditor", "lines", "pence", definition=pl.lit("")))
    return whole.filter((pl.col("lines") != 0) | (pl.col("pence") != 0) | (pl.col("net_pence") != 0)).drop("definition")
