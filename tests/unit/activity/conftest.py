"""Small activity files, written for one test each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

HEADINGS = "spell_id,provider,commissioner,admission_date,discharge_date,admission_method,patient_classification,age,hrg"
SPELL = "S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E"


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
