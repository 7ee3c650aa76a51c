"""The JSON Schemas beside the packs are those of the models, and rules/README.md lists the columns that the readers read."""

from __future__ import annotations

import json
import tomllib

import pytest

from tariff.rulepack import shipped_packs
from tariff.rulepack.examples import EXAMPLES_FILE
from tariff.rulepack.finding import shipped_rules_folder
from tariff.rulepack.rows import TABLES
from tariff.rulepack.schema import SCHEMA_FILES, schema_text
from tariff.rulepack.sources import SOURCES


@pytest.mark.parametrize("name", SCHEMA_FILES)
def test_schema_is_current(name: str) -> None:
    published = (shipped_rules_folder() / name).read_text(encoding="utf-8")
    assert published == schema_text(SCHEMA_FILES[name]), "run: python -m tariff.rulepack.schema"


def test_schema_names_every_rule_and_method() -> None:
    schema = json.loads(schema_text(SCHEMA_FILES["pack.schema.json"]))
    rules = schema["$defs"]["Rules"]
    written = tomllib.loads((shipped_packs()[0] / "pack.toml").read_text(encoding="utf-8"))
    assert set(rules["required"]) == set(written["rules"])
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["PriceTableShortStay"]["properties"]["method"]["const"] == "price_table"


@pytest.mark.parametrize("spec", [*TABLES.values(), SOURCES], ids=lambda spec: spec.name)
def test_the_guide_lists_every_column(spec: object) -> None:
    guide = (shipped_rules_folder() / "README.md").read_text(encoding="utf-8")
    assert f"`{spec.file}`" in guide  # type: ignore[attr-defined]
    for column in spec.columns:  # type: ignore[attr-defined]
        assert f"| `{column.name}` | {column.meaning} |" in guide
    assert f"`{EXAMPLES_FILE}`" in guide
