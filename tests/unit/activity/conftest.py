"""Small activity files, written for one test each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

HEADINGS = "spell_id,provider,commissioner,admission_date,discharge_date,admission_method,patient_classification,age,hrg"
SPELL = "S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E"

LINE_OF = {
    "admitted": dict(zip(HEADINGS.split(","), SPELL.split(","), strict=True)),
    "outpatient": {
        "attendance_id": "A1",
        "provider": "RXX",
        "commissioner": "99A",
        "attendance_date": "2017-04-01",
        "treatment_function": "110",
        "first_attendance": "1",
        "attended": "5",
        "age": "70",
        "hrg": "WF01B",
    },
    "emergency": {
        "attendance_id": "E1",
        "provider": "RXX",
        "commissioner": "99A",
        "arrival_date": "2017-04-01",
        "department_type": "01",
        "hrg": "VB08Z",
        "age": "70",
    },
    "unbundled": {
        "line_id": "U1",
        "provider": "RXX",
        "commissioner": "99A",
        "date": "2017-04-01",
        "currency": "XC07Z",
        "units": "3",
    },
}
"""One good line of each kind."""


@pytest.fixture(params=sorted(LINE_OF))
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of activity in turn."""
    return str(request.param)


@pytest.fixture
def lines() -> Callable[..., str]:
    """CSV text of a kind: a row for each set of changes to the good line, the good line itself where none is given."""

    def text(kind: str, *changes: dict[str, str], separator: str = ",") -> str:
        rows = [LINE_OF[kind] | change for change in changes or ({},)]
        headings = list(dict.fromkeys(name for row in rows for name in row))
        return "".join(
            separator.join(cells) + "\n" for cells in [headings, *([row.get(n, "") for n in headings] for row in rows)]
        )

    return text


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write text (or bytes as they stand) to a file of this test's own folder."""

    def written(content: str | bytes, name: str = "apc.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return written


@pytest.fixture
def spells() -> Callable[..., str]:
    """CSV text: the required headings and the rows given, else one good spell; `more` headings go at the end."""

    def text(*rows: str, more: str = "") -> str:
        return "\n".join([HEADINGS + (f",{more}" if more else ""), *(rows or (SPELL,))]) + "\n"

    return text


@pytest.fixture
def grouper_sample() -> Path:
    """The supplied sample of the grouper's input layout."""
    folder = os.environ.get("TARIFF_TEST_DATA")
    if not folder:
        pytest.skip("TARIFF_TEST_DATA is not set: the supplied grouper sample is not at hand")
    return Path(folder) / "grouper" / "APC_Sample_Test_Data.csv"
