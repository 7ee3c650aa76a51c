"""Who may import whom (DESIGN section 2): each module only those of the layers below it. Read from the source, so imports inside
functions count too."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import tariff
from tariff.compiled import SOURCES

PACKAGE = Path(tariff.__file__).parent
LAYERS = (
    {"_version", "errors", "interruptions", "money", "reasons"},
    {"locks"},
    {"columns", "whole_files", "scratch", "buffers", "compiled", "facts"},
    {"texts"},
    {"repeated_keys"},
    {"activity", "rulepack", "reference"},
    {"intake"},
    {"kernels"},
    {"classify", "cells"},
    {"labels"},
    {"confidence"},
    {"best_practice"},
    {"kinds"},
    {"block"},
    {"pricing"},
    {"pathways", "totalling", "card_shape"},
    {"payment", "assumptions", "verification"},
    {"comparison", "coverage", "valuation", "waterfall", "run_card", "manifest"},
    {"priced_lines"},
    {"report", "printing", "run_folder", "aggregation", "changed_lines"},
    {"batch", "backtest", "synthetic"},
    {"demonstration", "run_file"},
    {"cli"},
    {"__main__"},
)
LAYER_OF = {module: number for number, layer in enumerate(LAYERS) for module in layer}
ONLY = {"reference": {"errors", "money", "reasons"}, "__main__": {"cli", "interruptions"}}
"""Modules that may import less than their layer would allow."""
KEPT_TO = {
    "numba": {"compiled"},
    "altair": {"report"},
    "vl_convert": {"report"},
    "jinja2": {"report"},
    "cyclopts": {"cli"},
    "pandas": set[str](),
    "duckdb": set[str](),
}
"""Libraries, and the modules that alone may import them."""


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """The module or subpackage directly below `tariff` that a file belongs to; `tariff` for its own `__init__`."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "tariff" if first == "__init__" else first


def imports(path: Path) -> Iterator[str]:
    """The dotted names of everything a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield from ([f"tariff.{alias.name}" for alias in node.names] if node.module == "tariff" else [str(node.module)])


IMPORTS = [(module_of(path), path, name) for path in sources() for name in imports(path)]
OURS = [(module, path, name.split(".")[1]) for module, path, name in IMPORTS if name.startswith("tariff.")]


def test_every_module_has_its_layer():
    modules = {module_of(path) for path in sources()} - {"tariff"}
    assert modules <= LAYER_OF.keys(), "say in LAYERS where a new module stands"


def test_modules_import_only_from_the_layers_below():
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {other}"
        for module, path, other in OURS
        if module not in ("tariff", other) and LAYER_OF[other] >= LAYER_OF[module]
    }
    assert wrong == set()


@pytest.mark.parametrize("module", ONLY)
def test_modules_that_import_less(module):
    assert {other for one, _, other in OURS if one == module} - {module} <= ONLY[module]


def test_the_reference_uses_nothing_but_the_standard_library():
    others = {name.split(".")[0] for module, _, name in IMPORTS if module == "reference"}
    assert others - {"tariff"} <= sys.stdlib_module_names


def test_nobody_imports_the_command_line():
    assert {module for module, _, other in OURS if other == "cli"} <= {"__main__", "cli"}


@pytest.mark.parametrize("library", KEPT_TO)
def test_libraries_that_are_kept_to_one_place(library):
    users = {module for module, _, name in IMPORTS if name.split(".")[0] == library}
    assert users <= KEPT_TO[library]


NOT_COMPILED_IN = {
    "errors.py",
    *(f"rulepack/{name}.py" for name in ("__init__", "pack", "rows", "model", "tables", "cell_text")),
}
"""Imported where kernels come from, but for errors, types and the reading of rows."""


def test_kernels_compiled_from_other_sources_are_not_found_in_the_cache():
    """Whatever the sources that name the cache import is one of them: else a changed constant would run from an old kernel."""
    named = {path for pattern in SOURCES for path in PACKAGE.glob(pattern)}
    imported = {name.split(".", 1)[1] for path in named for name in imports(path) if name.startswith("tariff.")}
    files = {path for name in imported for path in (PACKAGE / f"{name.replace('.', '/')}.py", PACKAGE / name / "__init__.py")}
    assert {str(path.relative_to(PACKAGE)) for path in files - named if path.exists()} <= NOT_COMPILED_IN


def test_no_module_bears_the_name_of_a_public_function():
    """`tariff.compare` would otherwise turn into the module once something imports it."""
    for init in PACKAGE.rglob("__init__.py"):
        name = ".".join(["tariff", *init.parent.relative_to(PACKAGE).parts])
        if name.startswith("tariff.kernels") or not hasattr(package := import_module(name), "__all__"):
            continue
        modules = {path.stem for path in init.parent.glob("*.py")} | {
            path.parent.name for path in init.parent.glob("*/__init__.py")
        }
        assert modules & set(package.__all__) <= {"__init__"}, name


def test_module_names_say_what_they_hold():
    vague = {"utils", "util", "helper", "helpers", "manager", "data", "misc", "common", "core"}
    assert {path.stem for path in sources()} & vague == set()


def test_no_name_of_a_file_is_taken_for_a_pattern() -> None:
    """`apc[1].parquet` is a name that mail programs give: Polars would look for others."""
    readers = {"scan_parquet", "read_parquet", "scan_csv", "read_csv"}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in readers:
                said = {one.arg for one in node.keywords}
                assert "glob" in said, f"{path.name}:{node.lineno} reads without glob=False"
