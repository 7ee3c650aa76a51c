"""The rules as tables of lines and the pence they must come to. Each `.txt` file beside this one is a rule; each table in
it is priced by the reference and by the engine, one line at a time and as one file.

How to read a table, and write one:

    == Title of the table
    Words about it.
    kind: outpatient                       the kind of activity: admitted unless said; `attached`: the items of a spell
    pack: 2017-18                          the pack: the test pack beside this file unless said
    rules: long_stay.method = "none"       rules changed for this table (TOML; `;` between them)
    without: top_up_providers              a table of the pack left out
    dates: ignore                          --dates
    gate: RNO joint 2017-04-01 2018-03-31 yes      evidence of a provider gate; of one of its criteria: joint.proms

    hrg   | stay | price    | flags                      a heading, then the lines; a line of dashes is skipped
    TA01A | 11   | 5,300.00 | combined long_stay         blank input = blank cell; blank expectation = not looked at

A column that a table does not name takes its everyday value: an elective ordinary stay of 2 days of a patient of 40; a first
attendance, seen, of treatment function 100; a first attendance in a department of type 1; one unit; all at provider RNO, whose
market forces factor is 1. A column `evidence` holds the best-practice evidence of its line: `hip.surgery=yes hip=no`. Money is in
pounds. `none` is a null; `flags` lists every flag that is set; `says` is what a clerk reads: the sentence of the reason, or those
of the rules that acted; `·` in a cell is a space.
"""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariff import money
from tariff.activity import attached_items
from tariff.best_practice.evidence import COLUMNS as EVIDENCE
from tariff.columns import ADMITTED, COMPONENTS, EMERGENCY, OUTPATIENT, PRICED_LINE, READ_FAULT, UNBUNDLED, Column, names, schema
from tariff.pricing import price
from tariff.reasons import BASIS_SENTENCES, PRICED, REASON_NUMBER, REASONS, Basis, basis_sentences
from tariff.reference import ReferencePack, price_line
from tariff.rulepack import RulePack, load_pack

HERE = Path(__file__).parent
TEST_PACK = "tests/spec/pack"

CONTRACTS: dict[str, tuple[Column, ...]] = {
    "admitted": ADMITTED,
    "outpatient": OUTPATIENT,
    "emergency": EMERGENCY,
    "unbundled": UNBUNDLED,
}
ATTACHED = "attached"
ACTIVITY = {kind: [*names(columns), READ_FAULT] for kind, columns in CONTRACTS.items()}
"""The columns of a line of each kind."""

_ANYWHERE = {"provider": "RNO", "commissioner": "QAA"}
EVERYDAY: dict[str, dict[str, Any]] = {
    "admitted": _ANYWHERE
    | {"spell_id": "S1", "admission_method": "11", "patient_classification": "1", "age": 40, "hrg": "TA01A"},
    "outpatient": _ANYWHERE
    | {"attendance_id": "A1", "treatment_function": "100", "first_attendance": "1", "attended": "5", "age": 40, "hrg": None},
    "emergency": _ANYWHERE | {"attendance_id": "E1", "department_type": "1", "age": 40, "hrg": "VB01Z"},
    "unbundled": _ANYWHERE | {"line_id": "U1", "currency": "SB12Z", "units": 1},
}
EVERYDAY_STAY = 2
DAY = {"admitted": "discharge_date", "outpatient": "attendance_date", "emergency": "arrival_date", "unbundled": "date"}
"""The day that chooses the year: three months into the pack's unless said."""
KEY = {"admitted": "spell_id", "outpatient": "attendance_id", "emergency": "attendance_id", "unbundled": "line_id"}

INPUTS = {
    "method": "admission_method",
    "class": "patient_classification",
    "gross": "length_of_stay",
    "net": "adjusted_length_of_stay",
    "critical": "critical_care_days",
    "rehab": "rehabilitation_days",
    "palliative": "palliative_care_days",
    "delayed": "delayed_discharge_days",
    "grouping": "grouping_method",
    "services": "specialised_services",
    "serial": "commissioning_serial_number",
    "category": "administrative_category",
    "local": "local_price",
    "function": "treatment_function",
    "admitted": "admission_date",
    "discharged": "discharge_date",
    "fault": READ_FAULT,
    "first": "first_attendance",
    "multi": "multi_professional",
    "led": "consultant_led",
    "specialty": "main_specialty",
    "type": "department_type",
    "again": "attendance_category",
    "parent": "parent_line_id",
}
"""Short headings for canonical columns of the activity; canonical names do as well."""

NUMBERS = {"days beyond", "trim", "net stay", "factor", "month", "row", "top-up row", "counted", "best row"}
OUTPUTS = {
    "base": "base_pence",
    "short stay": "short_stay_pence",
    "long stay": "long_stay_pence",
    "top-up": "top_up_pence",
    "mff": "mff_pence",
    "price": "price_pence",
    "indicative": "indicative_pence",
    "days beyond": "excess_days",
    "trim": "trim_point",
    "net stay": "adjusted_length_of_stay",
    "factor": "mff_millionths",
    "year": "financial_year",
    "month": "month",
    "flags": "basis",
    "outcome": "outcome",
    "reason": "reason",
    "pod": "pod",
    "setting": "setting",
    "row": "price_row",
    "top-up row": "top_up_row",
    "counted": "units",
    "says": "says",
    "items": "items",
    "dated": "dated",
    "best practice": "best_practice_pence",
    "at stake": "best_practice_at_stake_pence",
    "lost": "best_practice_lost_pence",
    "tariffs": "best_practice_tariff",
    "status": "best_practice_status",
    "missing": "best_practice_missing",
    "best row": "best_practice_row",
}
"""Headings of what is expected, and the column of the priced line each looks at; `says` is made of its
reason and flags; `items` and `dated` are those of attached items."""


@dataclass
class Table:
    """One table: its lines of activity (headings and cells as written) and how they are to be priced."""

    file: str
    title: str
    told_kind: str = "admitted"
    pack: str = TEST_PACK
    rules: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    dates: str = "strict"
    evidence: list[dict[str, str]] = field(default_factory=list)
    heading: list[str] = field(default_factory=list)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The kind of its lines of activity."""
        return "admitted" if self.told_kind == ATTACHED else self.told_kind

    @property
    def variant(self) -> str:
        """What names the pack as this table changes it."""
        return json.dumps([self.pack, self.rules, self.without], sort_keys=True)

    def expectations(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Line of the file, and the column values expected of that row."""
        for line, cells in self.rows:
            yield line, {OUTPUTS[head]: expected(head, text) for head, text in cells.items() if head in OUTPUTS and text}


def tables_of(path: Path) -> list[Table]:
    """The tables of one file."""
    tables: list[Table] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if text.startswith("== "):
            tables.append(Table(path.stem, text[3:].strip()))
        elif "|" in text and not set(text) <= set("-| "):
            add_row(tables[-1], number, [cell.strip() for cell in text.split("|")])
        elif tables:
            add_setting(tables[-1], text)
    return tables


def add_row(table: Table, number: int, cells: list[str]) -> None:
    if not table.heading:
        table.heading = cells
        known = {*OUTPUTS, "stay", "evidence", *ACTIVITY[table.kind]}
        unknown = [head for head in cells if head not in known and column_of(table.kind, head) not in known]
        assert not unknown, f"{table.file}.txt:{number}: no such column: {', '.join(unknown)}"
    else:
        assert len(cells) == len(table.heading), (
            f"{table.file}.txt:{number}: the heading has {len(table.heading)} cells, not {len(cells)}"
        )
        table.rows.append((number, dict(zip(table.heading, cells, strict=True))))
        take_evidence(table, *table.rows[-1])


def take_evidence(table: Table, number: int, cells: dict[str, str]) -> None:
    """Move the evidence of a line to the table, under an identifier of the line's own."""
    if "evidence" in cells:
        cells.setdefault("id", f"L{number}")
        whose = {"provider": cells.get("provider", _ANYWHERE["provider"]), "line_id": cells["id"]}
        for said in cells.pop("evidence").split():
            about, _, met = said.partition("=")
            tariff, _, criterion = about.partition(".")
            table.evidence.append({**whose, "tariff": tariff, "criterion": criterion, "met": met})


def gate_evidence(provider: str, about: str, starts: str, ends: str, met: str) -> dict[str, str]:
    tariff, _, criterion = about.partition(".")
    period = {"period_start": starts, "period_end": ends}
    return {"provider": provider, "tariff": tariff, "criterion": criterion, "met": met, **period}


def add_setting(table: Table, text: str) -> None:
    key, colon, value = text.partition(":")
    if not colon or key not in {"kind", "pack", "rules", "without", "dates", "gate"}:
        return
    value = value.strip()
    if key == "gate":
        table.evidence.append(gate_evidence(*value.split()))
        return
    if key == "kind":
        table.told_kind = value
    elif key == "rules":
        table.rules = tomllib.loads("\n".join(value.split(";")))
    elif key == "without":
        table.without = tuple(value.split())
    else:
        setattr(table, key, value)


def column_of(kind: str, head: str) -> str:
    """The canonical column of a heading."""
    return {"id": KEY[kind], "on": DAY[kind]}.get(head) or INPUTS.get(head, head)


def expected(head: str, text: str) -> Any:
    """A cell of an expectation as the value of its column."""
    column = OUTPUTS[head]
    if text == "none":
        return 0 if column == "basis" else None
    if column.endswith("_pence"):
        return money.pence(text)
    if column == "basis":
        return sum(Basis[flag.upper()] for flag in text.split())
    return int(text) if head in NUMBERS else text


def activity_of(table: Table, starts: date) -> pl.DataFrame:
    """The rows of a table as canonical activity."""
    lines = [activity_line(table.kind, cells, starts + timedelta(days=90)) for _, cells in table.rows]
    return pl.DataFrame(lines, schema={**schema(CONTRACTS[table.kind]), READ_FAULT: pl.String()})


def activity_line(kind: str, cells: Mapping[str, str], day: date) -> dict[str, Any]:
    line: dict[str, Any] = {**dict.fromkeys(ACTIVITY[kind]), **EVERYDAY[kind], DAY[kind]: day}
    columns = {column_of(kind, head): text for head, text in cells.items() if head not in OUTPUTS}
    given = {column: cell(column, text) for column, text in columns.items()}
    stay = given.pop("stay", EVERYDAY_STAY)
    line |= given
    if kind == "admitted" and "admission_date" not in given:
        line["admission_date"] = (line["discharge_date"] or day) - timedelta(days=stay)
    return line


def cell(column: str, text: str) -> Any:
    """A cell of activity as the value of its canonical column."""
    if not text:
        return None
    if column in DAY.values() or column.endswith("_date"):
        return date.fromisoformat(text)
    if column == "local_price":
        return money.pence(text)
    return (
        int(text)
        if column in {"stay", "age", "units"} or column.endswith(("_days", "length_of_stay"))
        else text.replace("·", " ")
    )


# --- the pack of a table ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pack_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Table], RulePack]:
    """Loads the pack of a table, once for each way of changing it."""
    loaded: dict[str, RulePack] = {}

    def load(table: Table) -> RulePack:
        if table.variant not in loaded:
            if table.pack == TEST_PACK:
                folder = tmp_path_factory.mktemp("spec") / "pack"
                write_changed_pack(table, folder)
                loaded[table.variant] = load_pack(folder)
            else:
                loaded[table.variant] = load_pack(table.pack)
        return loaded[table.variant]

    return load


def write_changed_pack(table: Table, folder: Path) -> None:
    """The test pack with the rules and tables as the table wants them, in `folder`."""
    shutil.copytree(HERE / "pack", folder)
    contents = tomllib.loads((folder / "pack.toml").read_text(encoding="utf-8"))
    for rule, changes in table.rules.items():
        kept = {"source", "confidence"} if "method" in changes else set(contents["rules"][rule])
        contents["rules"][rule] = {key: value for key, value in contents["rules"][rule].items() if key in kept} | changes
    (folder / "pack.toml").write_text(toml_of(contents), encoding="utf-8")
    for name in table.without:
        (folder / f"{name}.csv").unlink()
    leave_out_sources(folder / "sources.csv", table.without)


def toml_of(contents: dict[str, Any]) -> str:
    """TOML of a pack: a schema number, a header and rules."""
    blocks = {"pack": contents["pack"]} | {f"rules.{rule}": values for rule, values in contents["rules"].items()}
    lines = [f"schema = {contents['schema']}"]
    for name, block in blocks.items():
        lines += ["", f"[{name}]", *(f"{key} = {toml_value(value)}" for key, value in block.items())]
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def leave_out_sources(path: Path, tables: tuple[str, ...]) -> None:
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row["table"] not in tables)


# --- the two implementations -----------------------------------------------------------------------------------------


Said = Sequence[Mapping[str, str]]
"""Rows of evidence."""


def priced_by_reference(
    kind: str, activity: pl.DataFrame, pack: RulePack, dates: Any, evidence: Said = ()
) -> list[dict[str, Any]]:
    rules = ReferencePack.from_plain(pack.plain(), evidence)
    return [price_line(kind, line, rules, dates=dates) for line in activity.iter_rows(named=True)]


def priced_by_engine(kind: str, activity: pl.DataFrame, pack: RulePack, dates: Any, evidence: Said = ()) -> list[dict[str, Any]]:
    said = pl.DataFrame(list(evidence), schema=dict.fromkeys(EVIDENCE, pl.String()))
    priced = price(activity, pack, dates=dates, evidence=said).collect()
    assert set(priced["kind"]) <= {kind}
    return priced.to_dicts()


WAYS = {"reference": priced_by_reference, "engine": priced_by_engine}
FILES = sorted(HERE.glob("*.txt"))
TABLES = [table for path in FILES for table in tables_of(path)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.file}: {table.title}")
def test_table(table: Table, way: str, pack_of: Callable[[Table], RulePack]) -> None:
    pack = pack_of(table)
    activity = activity_of(table, pack.starts)
    if table.told_kind == ATTACHED:
        check(table, [priced_items(spell, way, pack) for spell in activity.iter_slices(1)])
        return
    priced = WAYS[way](table.kind, activity, pack, table.dates, table.evidence)
    check(table, priced)
    assert all(sum(line[component] for component in COMPONENTS) == line["price_pence"] for line in priced)
    assert [list(line) for line in priced] == [names(PRICED_LINE)] * len(priced)


def check(table: Table, priced: list[dict[str, Any]]) -> None:
    """The expectations of every row of a table hold."""
    wrong = [
        f"{table.file}.txt:{number}: {column} is {told(column, seen(line, column))}, expected {told(column, value)}"
        for (number, values), line in zip(table.expectations(), priced, strict=True)
        for column, value in values.items()
        if seen(line, column) != value
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def priced_items(spell: pl.DataFrame, way: str, pack: RulePack) -> dict[str, Any]:
    """What the items attached to one spell are, and come to together."""
    items = attached_items(spell.lazy()).collect()
    told = [
        "{} {} {}".format(line_id, "none" if units is None else units, fault or "").strip()
        for line_id, units, fault in items.select("line_id", "units", READ_FAULT).rows()
    ]
    prices = [line["price_pence"] for line in WAYS[way]("unbundled", items, pack, "strict")]
    return {"items": "; ".join(told), "dated": "; ".join(map(str, items["date"])), "price_pence": sum(prices)}


def seen(line: Mapping[str, Any], column: str) -> Any:
    """A column of a priced line, or what a clerk reads of it."""
    if column != "says":
        return line[column]
    return (
        " ".join(basis_sentences(line["basis"])) if line["reason"] == PRICED else REASONS[REASON_NUMBER[line["reason"]]].sentence
    )


def told(column: str, value: Any) -> str:
    """A value in the words of the tables."""
    if column == "basis":
        return " ".join(flag.name.lower() for flag in Basis if flag & value and flag.name) or "none"
    return money.pounds(value) if column.endswith("_pence") and value is not None else "none" if value is None else str(value)


def test_every_table_has_lines() -> None:
    assert FILES
    assert [table.title for table in TABLES if not table.rows] == []


DECIDED_ELSEWHERE = {"no_pack_for_date", "confidence"}
"""Decided where a pack is chosen by date, and where a run refuses figures; `read` and `spells` have their own tests."""


def test_every_reason_and_every_flag_is_specified() -> None:
    expectations = [values for table in TABLES for _, values in table.expectations()]
    specified = {values.get("reason") for values in expectations}
    wanted = {reason.code for reason in REASONS if reason.step not in {"read", "spells"}}
    flags = [values["basis"] for values in expectations if "basis" in values]
    assert wanted - specified == DECIDED_ELSEWHERE
    assert [flag.name for flag in Basis if not any(flag & basis for basis in flags)] == []


LONGEST_SENTENCE = 110


def test_every_sentence_can_be_read_by_a_clerk() -> None:
    """One short sentence each, in words: no code of ours, and no two alike."""
    sentences = [reason.sentence for reason in REASONS] + [BASIS_SENTENCES[flag] for flag in Basis]
    assert len(set(sentences)) == len(sentences)
    wrong = [
        sentence
        for sentence in sentences
        if not sentence[0].isupper() or not sentence.endswith(".") or "_" in sentence or len(sentence) > LONGEST_SENTENCE
    ]
    assert wrong == []
    assert [reason.code for reason in REASONS if reason.code in reason.sentence and "_" in reason.code] == []
