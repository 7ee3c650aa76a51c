"""How far providers met the goals that money hangs on: a file of provider, goal, weight and share achieved."""

from __future__ import annotations

from typing import Final

import polars as pl

from tariff.errors import Fault
from tariff.money import BASIS_POINTS
from tariff.payment.figures import SHARE, TEXT, TEXT_OR_ALL, TermFile, percentage, read_figures

SCALE: Final = BASIS_POINTS**2
"""Achievement is held exactly, as weight times share achieved."""

_GOALS: Final = {"provider": TEXT, "commissioner": TEXT_OR_ALL, "goal": TEXT, "weight": SHARE, "achieved": SHARE}


def read_achievement(file: TermFile) -> dict[tuple[str, str | None], int]:
    """Σ weight × achieved by (provider, commissioner; None = all), in units of 1/`SCALE`."""
    return {key: achieved for key, (_, achieved) in _sums(file).items()}


def achievement_faults(file: TermFile) -> list[Fault]:
    """Providers whose weights do not add to 100%."""
    return [
        Fault(str(file), f"the weights of provider {provider} add to {percentage(weight)}, not 100%", "mend the weights")
        for (provider, _), (weight, _) in sorted(_sums(file).items(), key=str)
        if weight != BASIS_POINTS
    ]


def achieved_by(achievement: dict[tuple[str, str | None], int], commissioner: str, provider: str) -> int | None:
    """What a provider achieved for a commissioner, else for all; None where the file does not say."""
    return achievement.get((provider, commissioner), achievement.get((provider, None)))


def _sums(file: TermFile) -> dict[tuple[str, str | None], tuple[int, int]]:
    goals = read_figures(file, _GOALS, ("provider", "commissioner", "goal"))
    product = (pl.col("weight") * pl.col("achieved")).sum().alias("achieved")
    sums = goals.group_by("provider", "commissioner").agg(pl.col("weight").sum(), product)
    return {(provider, commissioner): (weight, achieved) for provider, commissioner, weight, achieved in sums.iter_rows()}
