"""Best practice in the workbook: all tariffs, every tariff by provider with its 95% interval and the limits of its funnel, and
the criteria that lines lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tariff.best_practice.achievement import MONEY
from tariff.report.best_practice import KNOWN, OPEN, BestPractice, Part, criteria_rows, setting_rows
from tariff.report.sheet import NOT_APPLICABLE, NOT_AVAILABLE, Chart, Sheet, Value, in_lines, in_pounds
from tariff.report.suppression import CONFIDENTIAL, Key

_FIGURES: Final = ("Lines", "Met", "Not met", "No evidence", "Share met", "95% from", "95% to")
_MONEY: Final = ("Earned (£)", "Lost (£)", "At stake (£)")


def best_practice_sheets(found: BestPractice) -> Iterator[Sheet]:
    """Sheets for what there is to tell; none where no line is covered."""
    if found.is_empty:
        return
    yield _tariffs(found)
    yield _providers(found)
    criteria = tuple(criteria_rows(found))
    if criteria:
        yield Sheet(
            "Best practice criteria",
            "The criteria that lines lack",
            "Lines on which a criterion is said not to be met, or is not known. A line may lack several.",
            ("Tariff", "Criterion", "Not met", "Not known"),
            criteria,
        )
    settings = [(*row[:5], CONFIDENTIAL if row[5] is None else row[5] / 100) for row in setting_rows(found)]
    if settings:
        yield Sheet(
            "Best practice by setting",
            "What prices by setting paid where",
            "Mean base price of a line before market forces. Care elsewhere loses nothing: it is paid its own setting's price.",
            ("Tariff", "HRG", "Setting", "Covered", "Lines", "Mean price (£)"),
            tuple(settings),
            frozenset({5}),
        )


def _tariffs(found: BestPractice) -> Sheet:
    hidden = found.hidden_tariffs
    rows = [(found.name_of(row["tariff"]), *_figures(found, row, (row["tariff"],), hidden)) for row in found.rows]
    money = tuple(range(len(_FIGURES) + 1, len(_FIGURES) + 1 + len(_MONEY)))
    drawable = rows and not any(hidden.values())
    chart = Chart(
        "Best practice earned, lost and at stake by tariff",
        "Bars of the pounds that each tariff earned, lost and has at stake, as in the table.",
        money,
        len(rows),
    )
    return Sheet(
        "Best practice",
        "Best practice by tariff",
        "Lines that a tariff covers, share met of those with evidence, pounds with market forces. A line counts for each tariff "
        "that covers it; its money counts once.",
        ("Tariff", *_FIGURES, *_MONEY),
        tuple(rows),
        frozenset(money),
        chart if drawable else None,
        shares=frozenset({5, 6, 7}),
    )


def _providers(found: BestPractice) -> Sheet:
    rows = []
    for tariff in found.rows:
        code = str(tariff["tariff"])
        hidden = {part: found.hidden_providers(code, part) for part in (KNOWN, OPEN)}
        for row in found.providers_of(code):
            key = (row["provider"],)
            figures = _figures(found, row, key, hidden)
            limits = _shares(row, ("funnel_low", "funnel_high"), hide=key in hidden[KNOWN], sample=not found.is_gate(code))
            counted, money = figures[: len(_FIGURES)], figures[len(_FIGURES) :]
            rows.append((found.name_of(code), str(row["provider"]), *counted, *limits, *money))
    about = "As by tariff. Outside the limits, a provider differs from the tariff's share by more than chance explains."
    columns = ("Tariff", "Provider", *_FIGURES, "Limits from", "Limits to", *_MONEY)
    return Sheet(
        "Best practice by provider",
        "Best practice by tariff and provider",
        f"{about} {NOT_APPLICABLE}: a provider gate, whose lines are no sample; {NOT_AVAILABLE}: no evidence.",
        columns,
        tuple(rows),
        frozenset(range(len(columns) - len(_MONEY), len(columns))),
        shares=frozenset(range(6, 11)),
    )


def _figures(found: BestPractice, row: Mapping[str, Any], key: Key, hidden: Mapping[Part, frozenset[Key]]) -> tuple[Value, ...]:
    known, unknown = key in hidden[KNOWN], key in hidden[OPEN]
    return (
        in_lines(row["eligible"], hide=known or unknown),
        *(in_lines(row[status], hide=known) for status in KNOWN),
        in_lines(row["no_evidence"], hide=unknown),
        *_shares(row, ("achievement",), hide=known, sample=True),
        *_shares(row, ("interval_low", "interval_high"), hide=known, sample=not found.is_gate(row["tariff"])),
        *(in_pounds(row[name], hide=known) for name in MONEY[:2]),
        in_pounds(row[MONEY[2]], hide=unknown),
    )


def _shares(row: Mapping[str, Any], names: tuple[str, ...], *, hide: bool, sample: bool) -> Iterator[Value]:
    for name in names:
        if hide:
            yield CONFIDENTIAL
        elif not sample:
            yield NOT_APPLICABLE
        else:
            yield NOT_AVAILABLE if row[name] is None else row[name]
