"""Price NHS hospital activity coded to HRG4 and show what commissioners pay under each payment model.

    import tariff

    rules = tariff.load_rules("2017-18")
    activity = tariff.read_activity("apc.parquet", kind="admitted")
    priced = tariff.price(activity, rules)

Names are imported as they are first used, so that importing the package costs nothing it does not need."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tariff._version import __version__

if TYPE_CHECKING:
    from tariff.activity import attached_items, read_activity
    from tariff.best_practice import best_practice_achievement, budget_test, read_evidence
    from tariff.errors import TariffError
    from tariff.payment import load_models
    from tariff.pricing import price, price_expression
    from tariff.report import compare
    from tariff.rulepack.choosing import load_rules
    from tariff.totalling import totals
    from tariff.waterfall import explain

_HOME = {
    "TariffError": "tariff.errors",
    "attached_items": "tariff.activity",
    "best_practice_achievement": "tariff.best_practice",
    "budget_test": "tariff.best_practice",
    "compare": "tariff.report",
    "explain": "tariff.waterfall",
    "load_models": "tariff.payment",
    "load_rules": "tariff.rulepack.choosing",
    "price": "tariff.pricing",
    "price_expression": "tariff.pricing",
    "read_activity": "tariff.activity",
    "read_evidence": "tariff.best_practice",
    "totals": "tariff.totalling",
}

__all__ = [
    "TariffError",
    "__version__",
    "attached_items",
    "best_practice_achievement",
    "budget_test",
    "compare",
    "explain",
    "load_models",
    "load_rules",
    "price",
    "price_expression",
    "read_activity",
    "read_evidence",
    "totals",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tariff' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
