from __future__ import annotations

import polars as pl
import pytest

from tariff.rulepack import RulePack, load_pack
from tariff.synthetic import admitted
from tariff.synthetic.blocks import year_blocks, year_model
from tariff.synthetic.frames import in_contract_types
from tariff.synthetic.mix import Cells, national_cells

SPELLS = 40_000


@pytest.fixture(scope="session")
def pack_2024() -> RulePack:
    return load_pack("2024-25")


@pytest.fixture(scope="session")
def cells(pack_2024: RulePack) -> Cells:
    return national_cells({row.hrg for row in pack_2024.admitted})


@pytest.fixture(scope="session")
def year(pack_2024: RulePack) -> pl.DataFrame:
    """One year, made once and only read."""
    return admitted(SPELLS, seed=7, pack=pack_2024)


@pytest.fixture(scope="session")
def clean(year: pl.DataFrame) -> pl.DataFrame:
    """The spells that are finished and carry no wrong value, with their stay in days."""
    sound = year.filter(
        pl.col("age") < 130,
        pl.col("admission_method") != "99",
        pl.col("patient_classification") != "8",
        pl.all_horizontal(pl.col("hrg", "commissioner", "admission_date", "discharge_date").is_not_null()),
    )
    return sound.with_columns(stay=(pl.col("discharge_date") - pl.col("admission_date")).dt.total_days())


LINKED_SPELLS = 20_000
NAMES = ("admitted", "outpatient", "emergency", "unbundled", "registers", "evidence")


@pytest.fixture(scope="session")
def linked(pack_2024: RulePack) -> dict[str, pl.DataFrame]:
    """Every frame of one year, by name; made once and only read."""
    (block,) = year_blocks(year_model(pack_2024), LINKED_SPELLS, 7, NAMES)
    return {name: in_contract_types(frame) for name, frame in block.items()}
