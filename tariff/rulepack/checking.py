"""What must hold across a pack's tables and rules, once each table is sound on its own (rows.py) and overlays are laid on."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from typing import Any, Final

from tariff.errors import Fault, did_you_mean
from tariff.rulepack.best_practice_checking import best_practice_faults
from tariff.rulepack.best_practice_rows import BEST_PRACTICE
from tariff.rulepack.finding import OVERLAY_FILE, PACK_FILE
from tariff.rulepack.folders import Folder
from tariff.rulepack.model import NoEmergency, OverlayFile, PackFile
from tariff.rulepack.pack import RulePack
from tariff.rulepack.pathway_checking import pathway_faults
from tariff.rulepack.releases import released_digest
from tariff.rulepack.rows import (
    ADMITTED,
    EMERGENCY,
    MFF,
    PRICE_TABLES,
    TOP_UP_PROVIDERS,
    TOP_UPS,
    settings_without_trim_point,
)
from tariff.rulepack.tables import Table
from tariff.rulepack.toml_lines import line_of

Checked = tuple[list[Fault], list[Fault]]
"""Faults, warnings."""

_SHORT_STAY_COLUMNS: Final = "short_stay_applies, and short_stay_percent or short_stay_price"


def pack_faults(pack: RulePack, folders: Sequence[Folder[Any]]) -> Checked:
    """Rules without the table they need, tables that disagree, tables that no rule uses. A table with faults of its own is not
    held against others: what it lacks may be what is wrong in it."""
    faulty = {name for folder in folders for name, table in folder.tables.items() if table.faults}
    missing = (_needs(folders, *need) for need in _missing_tables(pack, faulty))
    return [
        *_no_prices(pack, faulty),
        *missing,
        *_missing_trim_points(pack, folders),
        *_top_ups_alike(folders),
        *_unknown_top_ups(pack, folders, faulty),
        *_unknown_emergency_currencies(pack, folders, faulty),
        *best_practice_faults(pack, faulty, lambda: _where_stated(folders, "best_practice")),
        *pathway_faults(pack, folders),
    ], [
        *_unused_tables(pack),
        *_emergency_currencies_without_a_price(pack, folders),
        *_trims_that_pay_nothing(pack),
    ]


def release_faults(pack: RulePack) -> Iterator[Fault]:
    """A pack beside `released.csv` that names it must have the digest it was released with."""
    released = released_digest(pack.folder.parent, pack.year)
    if released is not None and released != pack.digest:
        what = (
            f"pack {pack.year} differs from the pack released under that name ({pack.digest[:12]}, released as {released[:12]})"
        )
        remedy = f"a released pack is immutable; a correction is a new pack, {revision(pack.year)}: put the released files back"
        yield Fault(str(pack.folder), what, remedy)


def revision(year: str) -> str:
    """The label of the next correction of a pack: 2017-18 -> 2017-18.r2 -> 2017-18.r3."""
    number = year.removeprefix(unrevised(year)).removeprefix(".r")
    return f"{unrevised(year)}.r{int(number or 1) + 1}"


def unrevised(year: str) -> str:
    """The label of the pack that a correction corrects: 2017-18.r2 -> 2017-18."""
    return re.sub(r"\.r\d+$", "", year)


def overlay_faults(base: Folder[PackFile], overlays: Sequence[Folder[OverlayFile]]) -> Checked:
    """Overlays laid on a pack they are not made for; two of one name; replaced rows that lose columns."""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    names: set[str] = set()
    folders = {base.path.name}
    for folder in overlays:
        if folder.declared is None or base.declared is None:
            continue
        where, header, year = str(folder.path / OVERLAY_FILE), folder.declared.overlay, base.declared.pack.year
        if header.name in names:
            faults.append(Fault(where, f"overlay '{header.name}' is laid on twice", "use it once, or rename one"))
        if folder.path.name in folders:
            what = f"another folder of this run is named '{folder.path.name}' too, so its rows could not be told apart"
            faults.append(Fault(str(folder.path), what, "rename one of the folders"))
        names.add(header.name)
        folders.add(folder.path.name)
        if header.packs and year not in header.packs:
            faults.append(
                Fault(where, f"overlay '{header.name}' is not made for pack {year}", f"it is for: {', '.join(header.packs)}")
            )
        for name, table in folder.tables.items():
            warnings += _lost_columns(table, base.tables.get(name))
    return faults, warnings


def _lost_columns(table: Table[Any], below: Table[Any] | None) -> Iterator[Fault]:
    if below is None:
        return
    lost = [column for column in table.spec.column_names if column in below.header and column not in table.header]
    replaced = {below.key_of(cells) for cells in below.cells} & {table.key_of(cells) for cells in table.cells}
    if lost and replaced:
        what = f"{len(replaced)} replaced rows lose {', '.join(lost)}, which the pack's table has"
        yield Fault(str(table.path), what, "a row replaces the whole row: carry over what should stay")


def _no_prices(pack: RulePack, faulty: Container[str]) -> Iterator[Fault]:
    if not _has_prices(pack) and not any(name in faulty for name in PRICE_TABLES):
        what = f"there is none of {', '.join(f'{name}.csv' for name in PRICE_TABLES)}"
        yield Fault(str(pack.folder), what, "a pack needs at least one table of prices")


def _has_prices(pack: RulePack) -> bool:
    return any(pack.cells.get(name) for name in PRICE_TABLES)


def _missing_tables(pack: RulePack, faulty: Container[str]) -> Iterator[tuple[str, str, str]]:
    """Rule, method and the table it needs, where the pack has it not."""
    rules = pack.rules
    if rules.market_forces_factor.method == "by_provider" and not pack.provider_factors and MFF.name not in faulty:
        yield "market_forces_factor", "by_provider", MFF.file
    if rules.top_up.method == "highest_eligible" and not pack.top_ups and TOP_UPS.name not in faulty:
        yield "top_up", "highest_eligible", TOP_UPS.file
    if rules.best_practice.method == "evidence" and not pack.best_practice and BEST_PRACTICE.name not in faulty:
        yield "best_practice", "evidence", BEST_PRACTICE.file
    if not _has_prices(pack) or ADMITTED.name in faulty:
        return
    if rules.short_stay.method == "price_table" and not any(row.short_stay_applies for row in pack.admitted):
        yield "short_stay", "price_table", f"{ADMITTED.file} with {_SHORT_STAY_COLUMNS}"
    if rules.long_stay.method == "per_day_beyond_trim" and all(row.per_day_long_stay is None for row in pack.admitted):
        yield "long_stay", "per_day_beyond_trim", f"{ADMITTED.file} with trim points and per_day_long_stay"


def _needs(folders: Sequence[Folder[Any]], rule: str, method: str, table: str) -> Fault:
    what = f"[rules.{rule}] method '{method}' needs {table}, which the pack has not"
    return Fault(_where_stated(folders, rule), what, 'add it, or set method = "none" and say why in its source')


def _where_stated(folders: Sequence[Folder[Any]], rule: str) -> str:
    """File and line of the rule in force: the last overlay that states it, else the pack."""
    stating = [folder for folder in folders if folder.declared and rule in folder.declared.rules.model_fields_set]
    path = stating[-1].path / (OVERLAY_FILE if isinstance(stating[-1].declared, OverlayFile) else PACK_FILE)
    return f"{path}:{line_of(path.read_text(encoding='utf-8-sig'), ['rules', rule, 'method'])}"


def _top_ups_alike(folders: Sequence[Folder[Any]]) -> Iterator[Fault]:
    """Activity names a top-up in whatever case, so two may not differ by it alone."""
    first: dict[str, str] = {}
    for table in (folder.tables[TOP_UPS.name] for folder in folders if TOP_UPS.name in folder.tables):
        for row in table.rows:
            other = first.setdefault(row.top_up.upper(), row.top_up)
            if other != row.top_up:
                what = f"column top_up of {row.top_up}: differs from '{other}' only by case"
                yield Fault(f"{table.path}:{row.origin.line}", what, "write both the same way, or take one out")


def _unknown_top_ups(pack: RulePack, folders: Sequence[Folder[Any]], faulty: Container[str]) -> Iterator[Fault]:
    known = [row.top_up for row in pack.top_ups]
    tables = [folder.tables[TOP_UP_PROVIDERS.name] for folder in folders if TOP_UP_PROVIDERS.name in folder.tables]
    for table in tables if TOP_UPS.name not in faulty else []:
        for row in table.rows:
            if row.top_up not in known:
                what = f"column top_up of {row.top_up} {row.provider}: {TOP_UPS.file} has no top-up '{row.top_up}'"
                remedy = f"{did_you_mean(row.top_up, known)} add it to {TOP_UPS.file}, or take the line out".strip()
                yield Fault(f"{table.path}:{row.origin.line}", what, remedy)


def _named_currencies(pack: RulePack) -> list[str]:
    """The emergency currencies that the rule in force names as the price of others."""
    rule = pack.rules.emergency
    if isinstance(rule, NoEmergency):
        return []
    return [rule.simplest_currency, *([rule.dead_on_arrival_as] if rule.dead_on_arrival_as else [])]


def _unknown_emergency_currencies(pack: RulePack, folders: Sequence[Folder[Any]], faulty: Container[str]) -> Iterator[Fault]:
    known = [row.currency for row in pack.emergency]
    for currency in _named_currencies(pack) if known and EMERGENCY.name not in faulty else []:
        if currency not in known:
            what = f"[rules.emergency] names '{currency}', which {EMERGENCY.file} has not"
            yield Fault(_where_stated(folders, "emergency"), what, f"add it to {EMERGENCY.file}, or name one that stands there")


def _emergency_currencies_without_a_price(pack: RulePack, folders: Sequence[Folder[Any]]) -> Iterator[Fault]:
    bare = {row.currency for row in pack.emergency if row.price is None}
    for currency in _named_currencies(pack):
        if currency in bare:
            what = f"[rules.emergency] names '{currency}', whose price is blank"
            yield Fault(_where_stated(folders, "emergency"), what, "what should be paid at its price will be unpriced")


def _unused_tables(pack: RulePack) -> Iterator[Fault]:
    rules = pack.rules
    for rule, method, table, rows in (
        ("market_forces_factor", rules.market_forces_factor.method, "mff.csv", pack.provider_factors),
        ("top_up", rules.top_up.method, "top_ups.csv", pack.top_ups),
        ("outpatient", rules.outpatient.method, "outpatient.csv", pack.outpatient),
        ("emergency", rules.emergency.method, "emergency.csv", pack.emergency),
        ("unbundled", rules.unbundled.method, "unbundled.csv", pack.unbundled),
        ("best_practice", rules.best_practice.method, "best_practice.csv", pack.best_practice),
    ):
        if method == "none" and rows:
            yield Fault(
                str(pack.folder / table), f"is not used: [rules.{rule}] is none", "change the rule, or take the table out"
            )


def _missing_trim_points(pack: RulePack, folders: Sequence[Folder[Any]]) -> Iterator[Fault]:
    """Trim points that a row lacks in a setting for which the rule in force does not say so."""
    rule = pack.rules.long_stay
    for table in (folder.tables[ADMITTED.name] for folder in folders if ADMITTED.name in folder.tables):
        for row in table.rows if rule.method != "none" else ():
            for setting, fault in settings_without_trim_point(row):
                if setting not in rule.without_trim_points:
                    what = f"column {fault.column} of {row.hrg}: {fault.what}"
                    yield Fault(f"{table.path}:{row.origin.line}", what, fault.remedy)


def _trims_that_pay_nothing(pack: RulePack) -> Iterator[Fault]:
    if pack.rules.long_stay.method == "none":
        return
    bare = [row for row in pack.admitted if row.per_day_long_stay is None and (row.elective_trim or row.non_elective_trim)]
    if bare:
        what = f"trim points without a per_day_long_stay: {len(bare)}, the first {bare[0].hrg} ({bare[0].origin})"
        yield Fault(str(pack.folder), what, "days beyond the trim point are not paid for these")
