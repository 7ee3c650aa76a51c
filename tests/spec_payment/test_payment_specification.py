"""Contract terms as tables of activity and what must be paid for it. Each `.txt` file beside this one is a kind of contract; each
row of its tables is settled by the engine, from a models file as a user would write it, and by the plain twins at the end of
this file, which know nothing of the engine.

How to read a table, and write one:

    == Title of the table
    Words about it.
    term: marginal_rate                         the kind of term; then its keys, as in a models file
    rate: 30%
    file quality.csv: provider,score / XP1,{score}      a file beside the models file; {column} stands for the row's cell
    before: term = "local_price", change = "{change}"   a term that stands before it

    NEL           | plan NEL      | paid                a heading, then the rows
    22,500,000.00 | 20,000,000.00 | 20,750,000.00

A column named by a point of delivery is what its activity is worth at tariff, `plan` before it what is planned; `units` before it
its units, `consultants` and `others` how many of them who referred; `earned` what of it best practice of the tariff `trauma`
earned, `again` what one readmission among it is worth at tariff, `again earned` its best practice. A column named like a key of
the term gives that key, any other stands for the files. `paid` is what is paid in all, `line` before a line of the ledger what
stands on it. Money is in pounds; one commissioner XC1, one provider XP1, 2024-25."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from pathlib import Path

import polars as pl
import pytest

from tariff.columns import COMPONENTS, PODS, PRICED_LINE, READMISSION, schema
from tariff.payment import (
    CELL,
    Beside,
    Ledger,
    check_plan,
    gather_best_practice,
    gather_readmissions,
    load_models,
    readmitted_lines,
    settle,
)
from tariff.payment.models import TERMS

HERE = Path(__file__).parent
PRICED_LINE_SCHEMA = schema(PRICED_LINE)


@dataclass
class Table:
    file: str
    title: str
    keys: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def term(self) -> str:
        return self.keys["term"]


def read_tables(path: Path) -> Iterator[Table]:
    table, heading = None, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("== "):
            if table is not None:
                yield table
            table, heading = Table(path.name, line[3:]), None
        elif table is None or not line.strip():
            continue
        elif named := re.match(r"file (?P<name>\S+): (?P<text>.*)", line):
            table.files[named["name"]] = "\n".join(part.strip() for part in named["text"].split(" / ")) + "\n"
        elif line.startswith("before: "):
            table.before.append(line.removeprefix("before: "))
        elif "|" in line:
            cells = [cell.strip() for cell in line.split("|")]
            if heading is None:
                heading = cells
            else:
                table.rows.append((number, dict(zip(heading, cells, strict=True))))
        elif heading is None and (key := re.match(r"(?P<key>[a-z_]+): (?P<value>.*)", line)):
            table.keys[key["key"]] = key["value"].strip()
    if table is not None:
        yield table


TABLES = [table for path in sorted(HERE.glob("*.txt")) for table in read_tables(path)]
CASES = [pytest.param(table, row, id=f"{table.file}:{number}") for table in TABLES for number, row in table.rows]


def pence(cell: str) -> int:
    return int(Fraction(cell.replace(",", "").replace("−", "-")) * 100)


def settled(folder: Path, table: Table, row: dict[str, str]) -> Ledger:
    """The row settled by the engine."""
    for name, text in table.files.items():
        (folder / name).write_text(text.format_map(row), encoding="utf-8")
    keys = {**table.keys, **{name: cell for name, cell in row.items() if name in TERMS[table.term].model_fields and cell}}
    written = "\n".join(f"{key} = {_toml(value)}" for key, value in keys.items())
    said = "\n[[model.terms]]\n" + 'source = "spec"\nconfidence = "local"\n'
    head = 'schema = 1\n[[model]]\nname = "m"\ntitle = "M"'
    before = "".join(said + term.format_map(row).replace(", ", "\n") for term in table.before if _stands(term, row))
    (folder / "models.toml").write_text(head + before + said + written + "\n", encoding="utf-8")
    (ledger,) = settle(_cells(row), load_models(folder / "models.toml"), _plan(row), _beside(row))
    return ledger


def _stands(term: str, row: dict[str, str]) -> bool:
    """A term before another is left off where the row leaves the cells blank that it asks for."""
    return all(row[name] for name in re.findall(r"{(\w+)}", term))


def _beside(row: dict[str, str]) -> Beside:
    """Who referred the patient, what best practice earned and which line is a readmission, where a row says it."""
    told = [(pod, "05" if who == "consultants" else "03", int(row[f"{who} {pod}"])) for who, pod in _referrals(row)]
    keys = {"commissioner": "XC1", "provider": "XP1", "financial_year": "2024-25", "month": 1, "treatment_function": "100"}
    rows = [{**keys, "pod": pod, "currency": "AA22C", "referral_source": source, "units": units} for pod, source, units in told]
    types = {name: pl.Int8 if name == "month" else pl.String for name in CELL if name != "gp_practice"}
    referred = {**types, "referral_source": pl.String, "units": pl.Int64}
    return Beside(
        referrals=pl.DataFrame(rows, schema=referred) if rows else None,
        best_practice=gather_best_practice(_trauma(row).lazy(), {}) if row.get("earned NEL") else None,
        readmissions=_readmissions(row) if row.get("again NEL") else None,
    )


def _trauma(row: dict[str, str]) -> pl.DataFrame:
    """The emergency admissions of a row as priced lines: the one that is a readmission, and the rest."""
    again = {"line_id": "again", "price": pence(row.get("again NEL") or "0"), "earned": pence(row.get("again earned NEL") or "0")}
    rest = {"line_id": "rest", "price": pence(row["NEL"]) - again["price"], "earned": pence(row["earned NEL"]) - again["earned"]}
    keys = {"commissioner": "XC1", "provider": "XP1", "financial_year": "2024-25", "month": 1, "treatment_function": "100"}
    said = {"best_practice_tariff": "trauma", "best_practice_status": "met", "pack": "2024-25", "currency": "AA22C", "pod": "NEL"}
    rows = [
        {
            **keys,
            **said,
            "kind": "admitted",
            "outcome": "priced",
            "line_id": line["line_id"],
            "price_pence": line["price"],
            "best_practice_pence": line["earned"],
        }
        for line in (again, rest)
    ]
    return pl.DataFrame([{name: row.get(name) for name in PRICED_LINE_SCHEMA} for row in rows], schema=PRICED_LINE_SCHEMA)


def _readmissions(row: dict[str, str]) -> pl.DataFrame:
    keys = {"commissioner": "XC1", "provider": "XP1", "financial_year": "2024-25", "month": 1, "treatment_function": "100"}
    said = {"line_id": "again", "pod": "NEL", "currency": "AA22C", "initial_provider": "XP1", "initial_elective": True}
    one = {**keys, **said, "share_bp": 10_000, "price_pence": pence(row["again NEL"])}
    contract = schema(READMISSION)
    found = pl.DataFrame([{name: one.get(name) for name in contract}], schema=contract)
    return gather_readmissions(found, readmitted_lines(found, _trauma(row).lazy(), None, None))


def _referrals(row: dict[str, str]) -> list[tuple[str, str]]:
    named = [name.split() for name in row if row[name] and name.startswith(("consultants ", "others "))]
    return [(who, pod) for who, pod in named]


def _toml(value: str) -> str:
    return value if value.startswith(("{", "[")) or value in {"true", "false"} else f'"{value}"'


def _cells(row: dict[str, str]) -> pl.DataFrame:
    cells = [
        {
            **dict.fromkeys(CELL),
            "commissioner": "XC1",
            "provider": "XP1",
            "financial_year": "2024-25",
            "month": 1,
            "pod": pod,
            "treatment_function": "100",
            "currency": "AA22C",
            "lines": 1,
            "units": int(row.get(f"units {pod}", "1").replace(",", "")),
            **dict.fromkeys(COMPONENTS, 0),
            "best_practice_pence": 0,
            "base_pence": pence(row[pod]),
            "price_pence": pence(row[pod]),
        }
        for pod in PODS
        if row.get(pod)
    ]
    types = {name: pl.Int8 if name == "month" else pl.String for name in CELL}
    money = dict.fromkeys(["lines", "units", *COMPONENTS, "price_pence", "best_practice_pence"], pl.Int64)
    return pl.DataFrame(cells, schema={**types, **money})


def _plan(row: dict[str, str]) -> pl.DataFrame | None:
    planned = [
        {"commissioner": "XC1", "provider": "XP1", "pod": name.removeprefix("plan").strip() or None, "pence": pence(cell)}
        for name, cell in row.items()
        if re.match(r"plan( [A-Z0-9]+)?$", name)
    ]
    if not planned:
        return None
    types = {"commissioner": pl.String, "provider": pl.String, "pod": pl.String, "pence": pl.Int64}
    return check_plan(pl.DataFrame(planned, schema=types).with_columns(pl.lit("2024-25").alias("financial_year")))


@pytest.mark.parametrize(("table", "row"), CASES)
def test_the_engine_pays_what_the_table_says(tmp_path: Path, table: Table, row: dict[str, str]) -> None:
    ledger = settled(tmp_path, table, row)
    lines = ledger.frame().collect()
    if row.get("paid"):
        assert lines["pence"].sum() == pence(row["paid"])
    for cause in ledger.model.causes:
        if row.get(f"line {cause.line}"):
            assert lines.filter(pl.col("line") == cause.line)["pence"].sum() == pence(row[f"line {cause.line}"])


@pytest.mark.parametrize(("table", "row"), [case for case in CASES if case.values[1].get("paid")])  # type: ignore[attr-defined]
def test_the_plain_twin_pays_what_the_table_says(table: Table, row: dict[str, str]) -> None:
    assert TWINS[table.term]({**table.keys, **row}) == pence(row["paid"])


def test_every_term_has_a_table_and_a_twin() -> None:
    assert {table.term for table in TABLES} == set(TERMS) == set(TWINS)


# The twins: exact fractions, in the words of RULES sections 4 and 5. `row` holds the keys of the term and the cells of the row.

Row = dict[str, str]


def share(row: Row, name: str, otherwise: str = "0%") -> Fraction:
    text = (row.get(name) or otherwise).replace("−", "-")
    return Fraction(text.removesuffix("%")) / 100 if text.endswith("%") else Fraction(text)


def nearest(amount: Fraction) -> int:
    """Half-up: halves go away from zero."""
    size = floor(abs(amount) + Fraction(1, 2))
    return size if amount >= 0 else -size


def value(row: Row, pods: Callable[[str], bool] = lambda _: True) -> int:
    return sum(pence(cell) for name, cell in row.items() if name in PODS and cell and pods(name))


def plan(row: Row, pods: Callable[[str], bool] = lambda _: True) -> int:
    return sum(pence(cell) for name, cell in row.items() if name.startswith("plan") and pods(name.removeprefix("plan").strip()))


def emergency(pod: str) -> bool:
    return pod in {"NEL", "NELST"}


def blended_care(pod: str) -> bool:
    return pod in {"AE", "NEL", "NELST"}


def elective(pod: str) -> bool:
    return pod in {"DC", "EL", "OPFASPCL", "OPPROC"}


def clip(amount: int, row: Row, planned: int) -> int:
    if row.get("cap"):
        amount = min(amount, nearest(planned * (1 + share(row, "cap"))))
    if row.get("collar"):
        amount = max(amount, nearest(planned * (1 - share(row, "collar"))))
    return amount


def cost_and_volume(row: Row) -> int:
    worth, planned = value(row), plan(row)
    tiers = [(share(dict([tier]), "x"), rate) for tier, rate in ((("x", above), rate) for above, rate in _tiers(row))]
    paid, at, rate = Fraction(min(worth, planned)), Fraction(planned), share(row, "marginal_rate")
    for above, next_rate in [*tiers, (Fraction(10**9), Fraction(0))]:
        end = planned * (1 + above) if above < 10**9 else Fraction(max(worth, planned)) + at
        paid += max(Fraction(0), min(Fraction(worth), end) - at) * rate
        at, rate = end, next_rate
    return clip(nearest(paid), row, planned)


def _tiers(row: Row) -> list[tuple[str, Fraction]]:
    found = re.findall(r'above = "([^"]*)", rate = "([^"]*)"', row.get("tiers", ""))
    return [(above, Fraction(rate.removesuffix("%")) / 100) for above, rate in found]


def marginal_rate(row: Row) -> int:
    """Of what is paid before it (RULES 1.8: prices and readmissions first), without what of that is best practice outside."""
    paid, earned = value(row, emergency), pence(row.get("earned NEL") or "0")
    again, again_earned = pence(row.get("again NEL") or "0"), pence(row.get("again earned NEL") or "0")
    if row.get("agreed"):
        paid, earned, again_earned = pence(row["agreed"]) * int(row.get("units NEL", 1)), 0, 0
        again = pence(row["agreed"]) if again else 0
    elif row.get("change"):
        amounts, change = (paid, earned, again, again_earned), share(row, "change")
        paid, earned, again, again_earned = (amount + nearest(amount * change) for amount in amounts)
    paid -= nearest(again * share(row, "back"))
    earned -= nearest(again_earned * share(row, "back"))
    above = max(0, paid - earned - plan(row, emergency))
    return value(row, lambda pod: not emergency(pod)) + paid - above + nearest(above * share(row, "rate"))


def blended(row: Row) -> int:
    """Model B: (1 − v) · P + v · A. The engine is written as model A."""
    worth, planned, variable = value(row, blended_care), plan(row, blended_care), share(row, "variable_share")
    if row.get("break_glass") and abs(worth - planned) > planned * share(row, "break_glass"):
        return value(row)
    return value(row) - worth + nearest((1 - variable) * planned + variable * worth)


def aligned_payment(row: Row) -> int:
    fixed = plan(row, lambda pod: not elective(pod))
    base, actual = plan(row, elective), value(row, elective)
    limit = row.get("low_value_threshold")
    total = fixed + base
    if limit and (total <= pence(limit) if row.get("low_value_at_threshold") else total < pence(limit)):
        return total
    varying = nearest(base + share(row, "variable_share") * (actual - base))
    if row.get("ceiling"):
        varying = min(varying, nearest(base * (1 + share(row, "ceiling"))))
    if row.get("recovery_fund"):
        fund = pence(row["fund"])
        varying = max(varying, base - (fund - nearest(fund * share(row, "floor"))))
    return fixed + varying


def readmissions(row: Row) -> int:
    elective_part = nearest(pence(row["after elective"]) * share(row, "elective_share"))
    return value(row) - elective_part - nearest(pence(row["after other"]) * share(row, "other_share"))


def capitation(row: Row) -> int:
    heads = sum(int(row[f"people {band}"]) * Fraction(row[f"weight {band}"]) for band in ("young", "old"))
    budget, worth = nearest(heads * pence(row["per_head"])), value(row)
    if not row.get("corridor"):
        return budget
    high, low = budget * (1 + share(row, "corridor")), budget * (1 - share(row, "corridor"))
    return budget + nearest((max(Fraction(0), worth - high) - max(Fraction(0), low - worth)) * share(row, "share_beyond", "100%"))


def reconciled(row: Row, spend: int, target: int) -> int:
    """The pseudocode of RULES 4.4."""
    own = row.get("own discount") or row.get("discount") or "0%"
    target = nearest(target * (1 - share({"d": own}, "d")))
    npra = Fraction(target - spend)
    npra *= share(row, "saving_paid", "100%") if npra > 0 else share(row, "overspend_borne", "100%")
    npra = Fraction(nearest(npra))
    if row.get("stop_gain"):
        npra = min(npra, Fraction(nearest(target * share(row, "stop_gain"))))
    if row.get("stop_loss"):
        npra = max(npra, Fraction(-nearest(target * share(row, "stop_loss"))))
    if row.get("acceptable") and Fraction(row["score"]) < Fraction(row["acceptable"]) and npra > 0:
        return 0
    return int(npra)


def gain_share(row: Row) -> int:
    return value(row) + reconciled(row, value(row), plan(row))


def episode_reconciliation(row: Row) -> int:
    pairs = [(pence(row[f"spend {n}"]), pence(row[f"cap {n}"]) if row[f"cap {n}"] else None) for n in (1, 2)]
    spend = sum(cost if most is None else min(cost, most) for cost, most in pairs)
    return value(row) + reconciled(row, spend, pence(row["target 1"]) + pence(row["target 2"]))


def goals_met(row: Row) -> Fraction:
    if not row.get("goals"):
        return share(row, "achieved", "100%")
    return share(row, "first met") * Fraction(3, 4) + share(row, "second met") / 4


def cquin(row: Row) -> int:
    return value(row) + nearest(value(row) * share(row, "rate") * goals_met(row))


def withhold(row: Row) -> int:
    return value(row) - nearest(value(row) * share(row, "rate") * (1 - goals_met(row)))


def outcome(row: Row) -> int:
    met = Fraction(0)
    if Fraction(row["gain"]) >= Fraction("0.4"):
        met += Fraction(6, 10)
    if Fraction(row["complications"]) <= Fraction("0.03"):
        met += Fraction(4, 10)
    return value(row) - nearest(value(row) * share(row, "at_risk") * (1 - met))


def activity_cap(row: Row) -> int:
    units, first = int(row["units OPFUPSPCL"]), int(row["units OPFASPCL"])
    beyond = max(Fraction(0), units - Fraction(row["ratio"]) * first)
    return value(row) - nearest(pence(row["OPFUPSPCL"]) * beyond / units)


def referral_cap(row: Row) -> int:
    units, referred = int(row["units OPFASPCL"]), int(row["consultants OPFASPCL"])
    beyond = max(Fraction(0), referred - share(row, "share") * units)
    return value(row) - nearest(pence(row["OPFASPCL"]) * beyond / units)


def sanctions(row: Row) -> int:
    return value(row) - int(row["waits"]) * pence(row["each"]) - 3 * 10_000_00


def local_price(row: Row) -> int:
    if row.get("change"):
        return value(row) + sum(nearest(pence(row[pod]) * share(row, "change")) for pod in PODS if row.get(pod))
    return value(row) - pence(row["DC"]) + int(row["units DC"]) * pence(row["agreed"])


def best_practice_adjustment(row: Row) -> int:
    return value(row) + (int(row["actual"]) - int(row["expected"])) * (pence(row["best practice"]) - pence(row["unit"]))


TWINS: dict[str, Callable[[Row], int]] = {
    "block": plan,
    "cost_and_volume": cost_and_volume,
    "cap_and_collar": lambda row: clip(value(row), row, plan(row)),
    "marginal_rate": marginal_rate,
    "readmissions": readmissions,
    "blended": blended,
    "aligned_payment": aligned_payment,
    "best_practice_adjustment": best_practice_adjustment,
    "capitation": capitation,
    "gain_share": gain_share,
    "episode_reconciliation": episode_reconciliation,
    "cquin": cquin,
    "withhold": withhold,
    "outcome": outcome,
    "activity_cap": activity_cap,
    "referral_cap": referral_cap,
    "sanctions": sanctions,
    "local_price": local_price,
}
