"""The modules of a report stand in an order: what was found, how it is told, the files. None needs one that needs it."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import tariff.report

PREFIX = "tariff.report."


def test_no_module_needs_one_that_needs_it() -> None:
    needs: dict[str, set[str]] = {}
    for path in Path(tariff.report.__file__).parent.glob("*.py"):
        found = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom))
        own = {str(node.module) for node in found if str(node.module).startswith(PREFIX)}
        needs[path.stem] = {name.removeprefix(PREFIX) for name in own}
    order = list(TopologicalSorter(needs).static_order())
    assert order.index("compared") < order.index("page") < order.index("report")
