"""Best practice in contracts: under the aligned payment the fixed element holds what was expected, and the year's difference in
volume is paid at the difference in price (RULES 5.8); some of it lies outside the marginal rate (RULES 5.1)."""

from __future__ import annotations


def aligned_payment_adjustment(actual_volume: int, expected_volume: int, best_practice_pence: int, unit_pence: int) -> int:
    """(actual - expected qualifying volume) x (best-practice price - unit price), in pence: negative where fewer lines qualified
    than were expected. Prices in pence, both with or both without market forces."""
    return (actual_volume - expected_volume) * (best_practice_pence - unit_pence)


def outside_marginal_rate(tariffs: str | None, statuses: str | None, listed: frozenset[str]) -> bool:
    """Whether a line is left out of the marginal rate for emergency admissions: a tariff that the pack lists (`listed`, rule
    `outside_marginal_rate`) is met on it (RULES 3.2, 5.1). `tariffs` and `statuses` as in a priced line."""
    met = zip((tariffs or "").split(";"), (statuses or "").split(";"), strict=False)
    return any(tariff in listed and status == "met" for tariff, status in met)


def also_inside_marginal_rate(tariffs: str | None, statuses: str | None, listed: frozenset[str]) -> bool:
    """Whether a line that is left out (`outside_marginal_rate`) also meets a tariff that is not listed: a priced line tells what
    best practice earned in one sum, and so that tariff's part of it is left out too."""
    met = zip((tariffs or "").split(";"), (statuses or "").split(";"), strict=False)
    others = any(tariff not in listed and status == "met" for tariff, status in met)
    return others and outside_marginal_rate(tariffs, statuses, listed)
