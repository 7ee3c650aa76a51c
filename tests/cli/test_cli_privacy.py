"""No patient identifier is printed, logged, or put into a run card or a report, whatever goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

PATIENTS = [f"PATIENT-{number}-943476{number:04}" for number in range(40)]
MARK = "943476"


def rows(**of_all: str) -> list[dict[str, str]]:
    spoiled = [
        {"age": "sixty"},
        {"discharge_date": "never"},
        {"hrg": "ZZ99Z"},
        {"admission_method": "99"},
        {"discharge_date": ""},
    ]
    return [{"patient_id": patient, **(spoiled[n] if n < len(spoiled) else {}), **of_all} for n, patient in enumerate(PATIENTS)]


def told_by_files(folder: Path) -> str:
    """The text of every file that people read."""
    kinds = {".json", ".html", ".csv", ".txt", ".md"}
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.suffix in kinds)


@pytest.mark.parametrize("name", ["apc.csv", "apc.parquet"])
def test_a_run_and_its_report(tariff, spells, folder, name):
    (folder / "in").mkdir()
    file = spells(*rows(), {"patient_id": PATIENTS[0], "spell_id": "S9"}, name=f"in/{name}")
    told = [
        tariff("price", file, "--rules", "example", "--out", "out/priced.parquet"),
        tariff("compare", "out/priced.parquet", "--models", "preset:episodic", "--out", "out/report", "--no-suppress"),
        tariff("explain", "out/priced.parquet", "--line", "S9"),
        tariff("explain", "out/priced.parquet", "--line", "S1"),
        tariff("verify", "out/priced.parquet"),
    ]
    assert [one.code for one in told] == [0] * len(told)
    assert MARK not in "".join(one.out + one.err for one in told)
    assert MARK not in told_by_files(folder / "out")
    assert "patient_id" not in json.dumps(json.loads(Path("out/priced.run_card.json").read_text())["inputs"])
    ledger = pl.read_parquet("out/report/ledger.parquet")
    assert "patient_id" not in ledger.columns
    assert pl.read_parquet("out/priced.parquet")["patient_id"].to_list() == [*PATIENTS, PATIENTS[0]], "priced lines are complete"


def test_a_tampered_line_is_shown_without_its_patient(tariff, spells):
    assert tariff("price", spells(*rows()), "--rules", "example", "--out", "priced.parquet").code == 0
    lines = pl.read_parquet("priced.parquet")
    lines.with_columns(price_pence=pl.col("price_pence") + 1, patient_id=pl.lit(PATIENTS[3])).write_parquet("priced.parquet")
    done = tariff("verify", "priced.parquet")
    assert done.code == 5
    assert MARK not in done.out + done.err


SPOILERS = {
    "cut short": lambda text: text[:-30],
    "a stray quotation mark": lambda text: text.replace(PATIENTS[7], f'{PATIENTS[7]}" of'),
    "an unclosed cell": lambda text: text.replace(PATIENTS[9], f'"{PATIENTS[9]}'),
    "a heading short": lambda text: text.replace(",hrg", "", 1),
    "shifted columns": lambda text: text.replace("patient_id,", "age_group,").replace("spell_id", "patient_id"),
    "no headings": lambda text: text.split("\n", 1)[1],
    "dates unreadable": lambda text: text.replace("2017-", "17/"),
    "undecodable": lambda text: text.replace(PATIENTS[5], f"{PATIENTS[5]}\udc81\udc8d"),
}


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_files_that_cannot_be_used(tariff, spells, spoiler):
    file = spells(*rows())
    spoiled = SPOILERS[spoiler](file.read_text(encoding="utf-8"))
    file.write_bytes(spoiled.encode("utf-8", "surrogateescape"))
    done = tariff("price", file, "--rules", "example", "--out", "priced.parquet")
    assert done.code in (0, 3)
    assert MARK not in done.out + done.err
    if done.code == 0:
        assert MARK not in Path("priced.run_card.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("fails", ["tariff.batch.settling.totals_of", "tariff.kinds.encode_spells"])
def test_an_unforeseen_fault_that_quotes_a_cell(tariff, spells, monkeypatch, fails):
    def broken(*_: object) -> None:
        raise ValueError(f"could not convert {PATIENTS[0]}")

    monkeypatch.setattr(fails, broken)
    done = tariff("price", spells(*rows()), "--rules", "example", "--out", "priced.parquet")
    assert done.code == 70
    assert MARK not in done.out + done.err
