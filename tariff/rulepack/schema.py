"""JSON Schemas of `pack.toml`, `overlay.toml` and `pathways.toml`, generated from the models so that editors can check a pack as
it is typed.

python -m tariff.rulepack.schema        rewrites rules/*.schema.json"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tariff.rulepack.finding import shipped_rules_folder
from tariff.rulepack.model import OverlayFile, PackFile, Strict
from tariff.rulepack.pathway_model import PathwayFile

SCHEMA_FILES: Final[dict[str, type[Strict]]] = {
    "pack.schema.json": PackFile,
    "overlay.schema.json": OverlayFile,
    "pathways.schema.json": PathwayFile,
}


def schema_text(model: type[Strict]) -> str:
    """The JSON Schema of a file, as it is published."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write the schemas to `folder`."""
    for name, model in SCHEMA_FILES.items():
        (folder / name).write_text(schema_text(model), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_schemas(shipped_rules_folder())
