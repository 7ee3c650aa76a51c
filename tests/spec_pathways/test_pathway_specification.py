"""Patient histories as text tables (`histories.txt`, `years.txt`, `readmissions.txt`), told by the sweeps and the
reference alike.

A line's `expect` is its pathway, its category and the pounds of it that the pathway pays, or `-` where it has no pathway; a
pathway that a register opened is written by its definition and `anchor-less`. `pays:` lists a pathway's level, price and episodic
value (`-`: none is paid), `flags:` one that is not paid and why, `owes:` what its lead provider owes another. Everyday values
are in conftest; `·` is a space."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tariff.money import pence

HERE = Path(__file__).parent
NAMES = {
    "line": "line_id", "patient": "patient_id", "function": "treatment_function", "method": "admission_method",
    "discharge": "discharge_method", "diagnosis": "primary_diagnosis", "pounds": "price_pence", "other": "secondary_diagnoses",
}  # fmt: skip
PODS = {"outpatient": "OPFASPCL", "emergency": "AE", "unbundled": "UNBOTHER"}


@dataclass
class Table:
    title: str
    lines: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    pays: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    owes: list[str] = field(default_factory=list)


def tables(name):
    found, heading = [], []
    for raw in (HERE / name).read_text(encoding="utf-8").splitlines():
        text = raw.strip()
        if text.startswith("== "):
            found.append(Table(text[3:]))
            heading = []
        elif text.split(":")[0] in ("pays", "flags", "owes") and found:
            word, _, rest = text.partition(":")
            if rest.strip() != "-":
                getattr(found[-1], word).append(rest.strip())
        elif text.startswith("register:"):
            found[-1].entries.append(entry_of(text.removeprefix("register:").split()))
        elif text.startswith("evidence:"):
            names = ("provider", "line_id", "tariff", "criterion", "met")
            found[-1].evidence.append(dict(zip(names, text.removeprefix("evidence:").split(), strict=True)))
        elif "|" in text:
            cells = [cell.strip() for cell in text.split("|")]
            if heading:
                row = dict(zip(heading, cells, strict=True))
                found[-1].expected[row["line"]] = row.pop("expect")
                found[-1].lines.append(row)
            else:
                heading = cells
    return found


def entry_of(words):
    register, level, start, end, provider = words if len(words) == 5 else (*words[:3], words[3], words[4])
    return {
        "patient_id": "P1", "register": register, "level": level, "start_date": date.fromisoformat(start),
        "end_date": None if end == ".." else date.fromisoformat(end), "provider": provider, "commissioner": "QA1",
    }  # fmt: skip


def line_of(row, everyday):
    said = {NAMES.get(name, name): cell.replace("·", " ") for name, cell in row.items()}
    said = {name: None if cell == "-" else cell for name, cell in said.items()}
    said |= {"start": date.fromisoformat(said["start"]), "end": date.fromisoformat(said["end"])}
    said["price_pence"] = pence(said["price_pence"])
    if "age" in said:
        said["age"] = int(said["age"])
    kind = said.get("kind", "admitted")
    if kind != "admitted":
        said |= {"pod": PODS[kind], "admission_method": None}
    elif "pod" not in said:
        said["pod"] = "NEL" if (said.get("admission_method") or "11").startswith("2") else "EL"
    return everyday(**said)


def short(pathway_id):
    """A pathway by its identifier, or by its definition where a register opened it."""
    return pathway_id if len(pathway_id.split(":")[-1]) < 12 else pathway_id.split(":")[0] + " anchor-less"


def place_text(place):
    pathway_id, category, amount = place
    if pathway_id is None:
        return "-"
    return f"{short(pathway_id)} {category}" + (f" {pounds(amount)}" if not category.startswith("outside") else "")


def pounds(amount):
    return f"{amount // 100}" if amount % 100 == 0 else f"{amount / 100:.2f}"


CASES = tables("histories.txt")


@pytest.mark.parametrize("table", CASES, ids=[table.title for table in CASES])
@pytest.mark.parametrize("engine", ["sweep", "reference"])
def test_history(world, everyday, table, engine):
    tell(world, everyday, table, engine, world.ends)


YEARS = tables("years.txt")


@pytest.mark.parametrize("table", YEARS, ids=[table.title for table in YEARS])
@pytest.mark.parametrize("engine", ["sweep", "reference"])
def test_history_over_a_year_end(year_after, everyday, table, engine):
    tell(year_after, everyday, table, engine, date(2018, 6, 30))


def tell(world, everyday, table, engine, until):
    lines = [line_of(row, everyday) for row in table.lines]
    told = getattr(world, f"by_{engine}")(lines, table.entries, until=until, evidence=table.evidence)
    assert {line["line_id"]: place_text(told.places.get(line["line_id"], (None, None, 0))) for line in lines} == table.expected
    rows = list(told.pathways.values())
    pays = [
        f"{short(row['pathway_id']).removesuffix(' anchor-less')} {row['level']} {pounds(row['price_pence'])}"
        f" episodic {pounds(row['episodic_pence'])}"
        for row in rows
        if row["flag"] is None
    ]
    assert sorted(pays) == sorted(table.pays)
    flags = [f"{short(row['pathway_id']).removesuffix(' anchor-less')} {row['flag']}" for row in rows if row["flag"] is not None]
    assert sorted(flags) == sorted(table.flags)
    if engine == "sweep":
        owed = world.bundle(lines, table.entries, until=until, evidence=table.evidence).owed
        told_owed = [
            f"{r['definition']} {r['debtor']} {r['creditor']} {pounds(r['pence'])}" for r in owed.to_dicts() if r["pence"]
        ]
        assert sorted(told_owed) == sorted(table.owes)


READMITTED = tables("readmissions.txt")


@pytest.mark.parametrize("table", READMITTED, ids=[table.title for table in READMITTED])
@pytest.mark.parametrize("engine", ["sweep", "reference"])
def test_readmission(world, everyday, table, engine):
    lines = [line_of(row, everyday) for row in table.lines]
    told = {line["line_id"]: "-" for line in lines}
    for row in getattr(world, f"readmissions_by_{engine}")(lines):
        paid = row["reason_excluded"] or pounds(row["pence"])
        told[row["line_id"]] = f"{row['initial_provider']}:{row['initial_line_id']} {row['days']} {paid}"
    assert told == table.expected
