"""Pathways in the workbook: by level, by lead provider, by both, and who owes whom for care inside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tariff.report.pathway_section import PathwayFigures, level_of, pathway_finding
from tariff.report.sheet import NOT_APPLICABLE, Chart, Sheet, Value, in_lines, in_pounds

_FIGURES: Final = ("Pathways", "Line by line (£)", "As pathways (£)", "Difference (£)")
_MOST_BARS: Final = 20


def pathway_sheets(found: PathwayFigures) -> Iterator[Sheet]:
    """Sheets for what there is to tell; none where no pathway is paid."""
    if found.is_empty:
        return
    yield _levels(found)
    yield _providers(found)
    yield _cells(found)
    if found.balances:
        yield _balances(found)
        yield _debts(found)


def _levels(found: PathwayFigures) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    for row in found.levels:
        hide = level_of(row) in found.hidden.margins[0]
        prices = (in_pounds(row[name], hide=hide) for name in ("mean_price_pence", "break_even_pence"))
        rows.append((*_named(found, row), *_figures(row, hide=hide), *prices))
    rows.append(("Total", NOT_APPLICABLE, *_figures(found.total, hide=found.hides_total), NOT_APPLICABLE, NOT_APPLICABLE))
    return Sheet(
        "Pathways",
        f"Pathways by level. {pathway_finding(found)}",
        "Pathways that are paid. Line by line: all care inside at its own prices. At the break-even price both come to the same.",
        ("Pathway", "Level", *_FIGURES, "Mean price (£)", "Break-even price (£)"),
        tuple(rows),
        frozenset(range(3, 8)),
    )


def _providers(found: PathwayFigures) -> Sheet:
    hidden = found.hidden.margins[1]
    rows = [(str(row["lead_provider"]), *_figures(row, hide=row["lead_provider"] in hidden)) for row in found.providers]
    chart = Chart(
        "What each lead provider gains or loses by pathways",
        "Bars of the difference between payment as pathways and line by line by lead provider, as in the table.",
        (4,),
        len(rows),
    )
    drawable = 1 < len(rows) <= _MOST_BARS and not hidden
    rows.append(("Total", *_figures(found.total, hide=found.hides_total)))
    return Sheet(
        "Pathways by provider",
        "Pathways by lead provider: who gains and who loses",
        "Line by line: all care inside, whoever gave it. + the lead provider gains by pathways, − it loses.",
        ("Lead provider", *_FIGURES),
        tuple(rows),
        frozenset({2, 3, 4}),
        chart if drawable else None,
    )


def _cells(found: PathwayFigures) -> Sheet:
    rows = tuple(
        (
            *_named(found, row),
            str(row["lead_provider"]),
            *_figures(row, hide=(level_of(row), row["lead_provider"]) in found.hidden.cells),
        )
        for row in found.cells
    )
    return Sheet(
        "Pathways level by provider",
        "Pathways by level and lead provider",
        "As by level and by lead provider.",
        ("Pathway", "Level", "Lead provider", *_FIGURES),
        rows,
        frozenset({4, 5, 6}),
    )


def _balances(found: PathwayFigures) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    for row in found.balances:
        owes, is_owed = (row["provider"] in margin for margin in found.hidden_debts.margins)
        amounts = (in_pounds(row["owes_pence"], hide=owes), in_pounds(row["is_owed_pence"], hide=is_owed))
        net = in_pounds(row["net_pence"], hide=owes or is_owed)
        rows.append((str(row["provider"]), in_lines(row["lines"], hide=owes), *amounts, net))
    lines, pence = (sum(row[name] for row in found.balances) for name in ("lines", "owes_pence"))
    sums = in_pounds(pence, hide=found.hides_debt)
    rows.append(("Total", in_lines(lines, hide=found.hides_debt), sums, sums, in_pounds(0, hide=False)))
    return Sheet(
        "Pathways owed",
        "Care inside pathways that others than the lead provider gave",
        "At prices by the line. Lines elsewhere: of the provider's pathways, given by others. Net: + is owed, − owes.",
        ("Provider", "Lines elsewhere", "Owes (£)", "Is owed (£)", "Net (£)"),
        tuple(rows),
        frozenset({2, 3, 4}),
    )


def _debts(found: PathwayFigures) -> Sheet:
    hidden = found.hidden_debts.cells
    rows = []
    for row in found.owed.to_dicts():
        hide, back = (row["debtor"], row["creditor"]) in hidden, (row["creditor"], row["debtor"]) in hidden
        figures = (in_lines(row["lines"], hide=hide), in_pounds(row["pence"], hide=hide))
        rows.append((str(row["debtor"]), str(row["creditor"]), *figures, in_pounds(row["net_pence"], hide=hide or back)))
    return Sheet(
        "Who owes whom",
        "Who owes whom for care inside pathways",
        "All pathways together. Net: what the lead provider owes less what it is owed by the same provider.",
        ("Lead provider", "Provider of care", "Lines", "Owes (£)", "Net (£)"),
        tuple(rows),
        frozenset({3, 4}),
    )


def _named(found: PathwayFigures, row: Mapping[str, Any]) -> tuple[str, str]:
    return found.name_of(row), str(row["level"] or NOT_APPLICABLE).replace("_", " ")


def _figures(row: Mapping[str, Any], *, hide: bool) -> tuple[Value, ...]:
    pence = ("episodic_pence", "bundle_pence", "gain_pence")
    return in_lines(row["pathways"], hide=hide), *(in_pounds(row[name], hide=hide) for name in pence)
