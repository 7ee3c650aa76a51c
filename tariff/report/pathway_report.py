"""Tables of a run's pathways for people: price against episodic cost, winners and losers, break-even prices, leakage, who owes
whom, what stays outside and why, and what each decision of a definition moves. Money is in pounds; counts of 1 to 7 and their
money are hidden, with as many others as keep them from being worked out."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import polars as pl

from tariff.activity import damage_named
from tariff.buffers import repeated
from tariff.columns import PATHWAY, names
from tariff.errors import ActivityError, Fault, UsageError
from tariff.money import pounds
from tariff.pathways import (
    break_even,
    care_lines,
    definitions_of,
    leakage,
    left_out,
    paid_under,
    price_against_cost,
    sensitivity,
    winners_and_losers,
)
from tariff.pathways.partitions import laid_aside, partitions_for
from tariff.pathways.registered import scan_registers
from tariff.pathways.settling import owed
from tariff.report.suppression import Hidden, Key, hide_small
from tariff.report.text_files import write_csv
from tariff.rulepack import RulePack

TABLES: Final = {
    "price_against_cost": (("definition", "phase", "level", "lead_provider"), "pathways"),
    "winners_and_losers": (("definition", "lead_provider"), "pathways"),
    "break_even": (("definition", "phase", "level"), "pathways"),
    "leakage": (("definition", "lead_provider"), "elsewhere_lines"),
    "who_owes_whom": (("definition", "debtor", "creditor"), "lines"),
    "left_outside": (("pathway", "category"), "lines"),
    "sensitivity": (("decision", "definition"), "pathways"),
}
"""Each table, what tells its rows apart, and the count that decides what is hidden."""
FILES: Final = frozenset(f"{name}.csv" for name in TABLES)
_COUNTS: Final = ("pathways", "pathways_changed", "lines", "elsewhere_lines", "complications", "elsewhere_bp")


@dataclass(frozen=True)
class PathwayReport:
    """Tables by name; `suppress` hides small counts where they are written."""

    tables: Mapping[str, pl.DataFrame]
    suppress: bool = True

    def write(self, folder: Path) -> None:
        """One CSV a table into a folder that is there."""
        for name, table in self.tables.items():
            write_csv(table, folder / f"{name}.csv", hidden=self._hidden(name), counts=_COUNTS)

    def __str__(self) -> str:
        """What each definition pays beside line by line, and what each decision moves."""
        return "\n".join([*self._by_definition(), *self._by_decision()])

    def _hidden(self, name: str) -> pl.Series:
        table = self.tables[name]
        if not self.suppress or table.is_empty():
            return repeated(value=False, count=table.height, dtype=pl.Boolean)
        hidden = self._hidden_keys[name]
        return pl.Series([row in hidden for row in self._keys(name)], dtype=pl.Boolean())

    def _keys(self, name: str) -> list[Key]:
        return list(self.tables[name].select(TABLES[name][0]).iter_rows())

    @cached_property
    def _hidden_keys(self) -> Mapping[str, frozenset[Key]]:
        """What to hide of each table, so that none gives away what another hides: break-even prices and winners are sums of price
        against cost; debts are of care in a lead provider's pathways, leakage is their sum, and a net tells both sides."""
        hidden = {name: self._hidden_alone(name) for name in self.tables}
        if "price_against_cost" not in hidden:
            return hidden
        cells = self._by_definition_of("price_against_cost", rows=slice(1, 3))
        few = frozenset((its, who) for its, found in cells.items() for who in found.margins[1])
        levels = frozenset((its, *cast("Key", level)) for its, found in cells.items() for level in found.margins[0])
        owed = self._by_definition_of("who_owes_whom", rows=slice(1, 2))
        debts = {(its, *cast("Key", debtor), creditor) for its, found in owed.items() for debtor, creditor in found.cells}
        debts |= {key for key in self._keys("who_owes_whom") if key[:2] in few}
        debtors = {(its, *cast("Key", debtor)) for its, found in owed.items() for debtor in found.margins[0]}
        return {
            **hidden,
            "price_against_cost": frozenset(
                (its, *cast("Key", level), who) for its, found in cells.items() for level, who in found.cells
            ),
            "break_even": levels,
            "winners_and_losers": few,
            "leakage": few | debtors,
            "who_owes_whom": frozenset(debts | {(its, creditor, debtor) for its, debtor, creditor in debts}),
        }

    def _hidden_alone(self, name: str) -> frozenset[Key]:
        """By every count that says how many some money of a row is about."""
        counts = [TABLES[name][1], *(["pathways_changed"] if name == "sensitivity" else [])]
        found = (dict(zip(self._keys(name), self.tables[name][count].to_list(), strict=True)) for count in counts)
        return frozenset().union(*(hide_small(of_rows).cells for of_rows in found))

    def _by_definition_of(self, name: str, rows: slice) -> dict[Hashable, Hidden]:
        """What to hide of a table of each definition: its rows are told apart by the keys `rows`, its columns by the last."""
        counts: dict[Hashable, dict[Key, int]] = {}
        for key, count in zip(self._keys(name), self.tables[name][TABLES[name][1]].to_list(), strict=True):
            counts.setdefault(key[0], {})[key[rows], key[-1]] = count
        return {definition: hide_small(found) for definition, found in counts.items()}

    def _by_definition(self) -> Iterator[str]:
        sums = (
            self.tables["price_against_cost"]
            .group_by("definition")
            .agg(pl.col("pathways", "bundle_pence", "episodic_pence").sum())
        )
        counts: dict[Key, int] = {(row["definition"],): row["pathways"] for row in sums.to_dicts()}
        hidden = hide_small(counts).cells if self.suppress and counts else frozenset()
        for row in sums.sort("definition").to_dicts():
            if (row["definition"],) in hidden:
                yield f"{row['definition']}: [c]"
                continue
            bundle, episodic = (pounds(row[name], whole=True) for name in ("bundle_pence", "episodic_pence"))
            yield f"{row['definition']}: {row['pathways']:,} pathways paid {bundle}; line by line {episodic}"
        if sums.is_empty():
            yield "No pathway is paid."

    def _by_decision(self) -> Iterator[str]:
        if "sensitivity" not in self.tables:
            return
        table = self.tables["sensitivity"].filter(~self._hidden("sensitivity"))
        for row in table.filter(pl.col("definition") != "").sort(pl.col("moves_pence").abs(), descending=True).to_dicts():
            yield f"{row['definition']}, {row['decision']}: moves {pounds(row['moves_pence'], whole=True)}"


def pathways_of(priced: Path) -> pl.DataFrame:
    """The table of pathways of priced lines: in their run folder, or beside their file. ActivityError where there is none, or it
    is not such a table."""
    path = priced / "pathways.parquet" if priced.is_dir() else priced.with_suffix(".pathways.parquet")
    if not path.is_file():
        told = Fault(str(priced), "no table of pathways stands beside it", "price with --pathways, or --registers")
        raise ActivityError("There are no pathways to tell of.", [told])
    with damage_named([path]):
        found = pl.read_parquet(path, glob=False)
    lacking = [name for name in names(PATHWAY) if name not in found.columns]
    if lacking:
        told = Fault(str(path), f"lacks {', '.join(lacking[:3])}", "form the pathways again")
        raise ActivityError("This is no table of pathways.", [told])
    return found.select(names(PATHWAY))


def pathway_report(lines: pl.LazyFrame, pathways: pl.DataFrame, *, suppress: bool = True) -> PathwayReport:
    """The tables of priced lines (with their places) and their pathways (`columns.PATHWAY`)."""
    inside = (
        lines.filter(pl.col("pathway_pence") != 0).select("provider", "pathway_id", "pathway_pence").collect(engine="streaming")
    )
    return PathwayReport(
        {
            "price_against_cost": price_against_cost(pathways),
            "winners_and_losers": winners_and_losers(pathways),
            "break_even": break_even(pathways),
            "leakage": leakage(lines, pathways),
            "who_owes_whom": owed(inside, pathways),
            "left_outside": left_out(lines),
        },
        suppress,
    )


def with_sensitivity(
    report: PathwayReport,
    lines: pl.LazyFrame,
    activity: Sequence[pl.LazyFrame],
    packs: Sequence[RulePack],
    formed: Mapping[str, Any],
    *,
    any_date: bool,
    beside: Path,
) -> PathwayReport:
    """The report with what each decision moves: pathways are formed again under each, from the activity of the run. `formed` is
    what the run card says of its pathways; what is laid aside meanwhile goes to a folder in `beside`."""
    if formed["open_pathways"] is not None:
        told = Fault("--sensitivity", "the run went on from open pathways", "form the pathways of the whole year in one run")
        raise UsageError("What a decision moves cannot be told of part of a year.", [told])
    definitions = definitions_of(packs, formed["definitions"], any_date=any_date)
    registers = None if formed["registers"] is None else scan_registers(_still_there(formed["registers"]))
    care = care_lines(lines, activity)
    size = lines.select(height=pl.len(), pence=pl.col("price_pence").sum()).collect(engine="streaming")
    height, pence = int(size["height"][0]), int(size["pence"][0])
    with TemporaryDirectory(dir=beside) as folder:
        parts = laid_aside(care, partitions_for(height), Path(folder))
        moved = sensitivity(paid_under(parts, height, pence, registers), definitions)
    return PathwayReport({**report.tables, "sensitivity": moved}, report.suppress)


def _still_there(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise ActivityError(
            "The registers of the run are not there any more.", [Fault(name, "there is no such file", "put it back")]
        )
    return path
