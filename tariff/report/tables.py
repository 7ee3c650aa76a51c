"""The tables of a comparison, the same for the page and the terminal: who pays what, who gains, what became of the lines and what
the figures rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import polars as pl

from tariff.columns import PODS
from tariff.reasons import PRICED
from tariff.report.assumed import COMPONENT_NAMES, Assumed, assumption_rows
from tariff.report.compared import Compared
from tariff.report.outcomes import reason_sentence
from tariff.report.suppression import CONFIDENTIAL, Key, hide_small, is_small
from tariff.report.table import LONGEST, Cell, Table, numbers, texts, whole_pounds
from tariff.report.words import DIMENSION_NAMES, MOST_NAMED, counted, listed, percentage, short_money, signed, value_name
from tariff.rulepack.model import CONFIDENCES

SIDE_BY_SIDE: Final = 3
"""Models whose payments are shown beside their differences; with more models, differences alone."""


def comparison_table(report: Compared, dimension: str) -> Table:
    """What each model makes commissioners pay, by one dimension."""
    groups = _groups(report.compare_by((dimension,)), dimension)
    hidden = report.hidden_values(dimension)
    shown, rest = _largest(groups, dimension, report)
    widest = max(
        (abs(row["difference_pence"]) for value, models in groups.items() for row in models if value not in hidden), default=0
    )
    rows = [_group_row(report, value_name(dimension, value), groups[value], widest, hide=value in hidden) for value in shown]
    if rest:
        gathered = _gathered(groups[value] for value in rest)
        name = f"Other {len(rest):,}: see comparison.csv"
        lone = len(hidden.intersection(shown)) == 1 or (report.suppress and is_small(gathered[0]["lines"]))
        rows.append(_group_row(report, name, gathered, 0, hide=lone))
    total = _group_row(report, "Total", report.totals, 0, hide=report.is_too_small)
    return Table(
        name=f"by-{dimension.replace('_', '-')}",
        finding=_finding(report, dimension, groups, hidden),
        caption=_caption(report),
        columns=(DIMENSION_NAMES[dimension], "Lines", *_model_columns(report)),
        rows=tuple(rows),
        total=total,
    )


def totals_table(report: Compared) -> Table:
    """What commissioners pay in all, a row a model."""
    rows = [
        (
            Cell(report.models[row["model"]].title, number=False),
            *numbers(
                [
                    whole_pounds(row["pence"]),
                    signed(whole_pounds(row["difference_pence"])),
                    signed(percentage(row["difference_pence"], row["baseline_pence"])),
                ],
                hide=report.is_too_small,
            ),
        )
        for row in report.totals
    ]
    return Table(
        name="totals",
        finding="By model; by commissioner and point of delivery: report.html and report.xlsx",
        caption=f"Payment under each model and difference from {report.models[report.baseline].in_a_sentence}, whole pounds",
        columns=("Model", "Payment", "Difference", "Share"),
        rows=tuple(rows),
    )


def bridge_table(report: Compared, model: str) -> Table:
    """The bridge from the baseline to one model, as a table."""
    steps = report.bridge_by(()).filter(pl.col("model") == model).to_dicts()
    rows = [(Cell(step["label"], number=False), Cell(_step_text(step, report))) for step in steps]
    return Table(
        name=f"bridge-{model}",
        finding="",
        caption=f"From {report.models[report.baseline].in_a_sentence} to {report.models[model].in_a_sentence}, whole pounds",
        columns=("Step", "Pounds"),
        rows=tuple(rows[:-1]),
        total=rows[-1],
    )


def outcome_table(report: Compared) -> Table:
    """Every line by what became of it."""
    rows = [_outcome_row(row, report) for row in report.outcomes.iter_rows(named=True)]
    counted = [CONFIDENTIAL, ""] if report.hides_line_count else [f"{report.lines:,}", "100.0%"]
    return Table(
        name="outcomes",
        finding="",
        caption="Every line that was read, by outcome and reason. Value: the price of priced lines; for the others, which are "
        "paid nothing here, an indication at the best price known",
        columns=("Outcome", "Reason", "Lines", "Share", "Value", "Lines of no known value"),
        rows=tuple(rows),
        total=(Cell("All lines", number=False), Cell("", number=False), *map(Cell, [*counted, "", ""])),
    )


def label_table(report: Compared) -> Table | None:
    """Pounds by how sure their figures are, least sure first. None where there is no run card."""
    if not report.assumptions:
        return None
    pence, lines = _by_label(report, "pence"), _by_label(report, "lines")
    counts: dict[Key, int] = {(label,): count for label, count in lines.items()}
    hidden = hide_small(counts).cells if report.suppress else frozenset()
    rows = [
        (
            *texts(label.capitalize(), LABEL_MEANINGS[label], _components_of(report, label)),
            *numbers([whole_pounds(pence[label])], hide=(label,) in hidden),
        )
        for label in reversed(CONFIDENCES)
        if label in pence
    ]
    return Table(
        name="labels",
        finding="",
        caption="Net pounds of price by how sure the figures behind them are, least sure first; reductions count as negative",
        columns=("Label", "Meaning", "Components", "Pounds"),
        rows=tuple(rows),
        total=(*texts("All priced lines", "", ""), *numbers([whole_pounds(sum(pence.values()))], hide=report.is_too_small)),
    )


def assumption_table(report: Compared) -> Table | None:
    """Pounds by component or contract term, label and source. None where there is nothing to tell."""
    rows = list(assumption_rows(report))
    if not rows:
        return None
    return Table(
        name="assumptions",
        finding="",
        caption="What each component of price and each contract term rests on, and the net pounds it adds or takes",
        columns=("Label", "Component or term", "Source", "Pounds", "Lines"),
        rows=tuple(_assumption_row(row) for row in rows[: 3 * LONGEST]),
    )


def gain_table(report: Compared) -> Table:
    """What each provider would gain or lose under each model."""
    table = comparison_table(report, "provider")
    return replace(table, name="by-provider", finding=_gains(report))


def pathway_table(report: Compared) -> Table | None:
    """What lies inside pathways, by definition. None where there are none."""
    if not report.pathways.height:
        return None
    rows = report.pathways.to_dicts()
    counts: dict[Key, int] = {(row["pathway"],): row["pathways"] for row in rows}
    hidden = hide_small(counts).cells if report.suppress else frozenset()
    shown = [
        (
            *texts(str(row["pathway"])),
            *numbers(
                [f"{row['pathways']:,}", f"{row['lines']:,}", whole_pounds(row["price_pence"])], hide=(row["pathway"],) in hidden
            ),
        )
        for row in rows
    ]
    return Table(
        name="pathways",
        finding="",
        caption="Pathways that the priced lines form, the lines inside them, and what those come to line by line",
        columns=("Pathway", "Pathways", "Lines inside", "Value by the line"),
        rows=tuple(shown),
    )


LABEL_MEANINGS: Final = {
    "published": "a national publication says so",
    "practice": "an NHS organisation's working practice",
    "local": "agreed locally, or given with the activity",
    "proxy": "another year's or place's figure standing in",
    "assumed": "believed, but no text was at hand",
    "illustrative": "invented, to show a mechanism",
}


def _groups(frame: pl.DataFrame, dimension: str) -> dict[object, list[dict[str, Any]]]:
    groups: dict[object, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        groups.setdefault(row[dimension], []).append(row)
    return groups


def _largest(
    groups: Mapping[object, Sequence[Mapping[str, Any]]], dimension: str, report: Compared
) -> tuple[list[object], list[object]]:
    """The values to show, in reading order, and the rest. Points of delivery and time keep their own order; all else goes by
    what the baseline pays. What belongs to the whole contract comes last."""
    values = [value for value in groups if value is not None]
    by_size = sorted(values, key=lambda value: (-groups[value][0]["baseline_pence"], str(value)))
    shown, rest = by_size[:LONGEST], by_size[LONGEST:]
    if dimension == "pod":
        shown.sort(key=lambda value: PODS.index(str(value)) if value in PODS else len(PODS))
    if dimension in {"month", "financial_year"}:
        shown.sort(key=lambda value: (isinstance(value, str), value if isinstance(value, str) else int(str(value))))
    whole = [None] if None in groups and any(row["pence"] or row["lines"] for row in groups[None]) else []
    return [*shown, *whole], rest


def _gathered(groups: Iterable[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    sums: dict[str, dict[str, Any]] = {}
    for rows in groups:
        for row in rows:
            entry = sums.setdefault(
                row["model"], {"model": row["model"], "lines": 0, "pence": 0, "baseline_pence": 0, "difference_pence": 0}
            )
            for name in ("lines", "pence", "baseline_pence", "difference_pence"):
                entry[name] += row[name]
    return list(sums.values())


def _model_columns(report: Compared) -> list[str]:
    columns = [report.baseline_title]
    for model in report.others:
        alone = model.title if len(report.others) > MOST_NAMED else f"{model.title}: difference"
        columns += [model.title, "Difference"] if len(report.others) < SIDE_BY_SIDE else [alone]
    return columns


def _group_row(report: Compared, name: str, rows: Sequence[Mapping[str, Any]], widest: int, *, hide: bool) -> tuple[Cell, ...]:
    by_model = {row["model"]: row for row in rows}
    base = by_model[report.baseline]
    cells = [Cell(name, number=False), Cell(f"{base['lines']:,}"), Cell(whole_pounds(base["pence"]))]
    for model in report.others:
        row = by_model[model.name]
        difference = row["difference_pence"]
        if len(report.others) < SIDE_BY_SIDE:
            cells.append(Cell(whole_pounds(row["pence"])))
        barred = widest and len(report.others) <= MOST_NAMED
        cells.append(Cell(signed(whole_pounds(difference)), bar=difference / widest if barred else None))
    return (cells[0], *(Cell(CONFIDENTIAL) for _ in cells[1:])) if hide else tuple(cells)


def _finding(
    report: Compared, dimension: str, groups: Mapping[object, Sequence[Mapping[str, Any]]], hidden: frozenset[object]
) -> str:
    """The largest difference of the table in words."""
    rows = [(value, row) for value, models in groups.items() for row in models if value is not None and value not in hidden]
    named = DIMENSION_NAMES[dimension].lower() if dimension != "currency" else "HRG"
    value, largest = max(rows, key=lambda pair: abs(pair[1]["difference_pence"]), default=(None, None))
    if largest is None or largest["difference_pence"] == 0 or report.is_too_small:
        return f"By {named}"
    change = signed(short_money(largest["difference_pence"]))
    model = report.models[largest["model"]].in_a_sentence
    return f"By {named}: the largest change is {change} for {value_name(dimension, value)} under {model}"


def _caption(report: Compared) -> str:
    hidden = f". {CONFIDENTIAL}: hidden, so that no count of 1 to 7 can be told" if report.suppress else ""
    if len(report.others) > MOST_NAMED:
        base = report.models[report.baseline].in_a_sentence
        return f"Payment under {base}; of the other models the difference from it, whole pounds{hidden}"
    return f"Payment under each model and difference from {report.models[report.baseline].in_a_sentence}, whole pounds{hidden}"


def _step_text(step: Mapping[str, Any], report: Compared) -> str:
    if report.is_too_small:
        return CONFIDENTIAL
    return signed(whole_pounds(step["pence"])) if step["kind"] == "cause" else whole_pounds(step["pence"])


def _outcome_row(row: Mapping[str, Any], report: Compared) -> tuple[Cell, ...]:
    priced = row["outcome"] == PRICED
    valued = row["lines"] if priced else row["valued"]
    value = row["price_pence"] if priced else row["indicative_pence"]
    unvalued = row["lines"] - valued
    figures = [
        f"{row['lines']:,}",
        percentage(row["lines"], report.lines),
        whole_pounds(value) if valued else "not known",
        CONFIDENTIAL if report.suppress and is_small(unvalued) else f"{unvalued:,}",
    ]
    return (
        *texts(row["outcome"].capitalize(), reason_sentence(row["reason"])),
        *numbers(figures, hide=row["reason"] in report.hidden_reasons),
    )


def _by_label(report: Compared, name: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in report.assumptions:
        sums[row["label"]] = sums.get(row["label"], 0) + row[name]
    return sums


def _components_of(report: Compared, label: str) -> str:
    found = {row["component"] for row in report.assumptions if row["label"] == label}
    return listed([in_order.lower() for component, in_order in COMPONENT_NAMES.items() if component in found]).capitalize()


def _assumption_row(row: Assumed) -> tuple[Cell, ...]:
    return (*texts(row.label, row.what, row.source), *numbers([whole_pounds(row.pence), f"{row.lines:,}"], hide=row.hidden))


def _gains(report: Compared) -> str:
    """How many providers would be paid more and how many less, under each model, in words."""
    hidden = report.hidden_values("provider")
    rows = [row for row in report.compare_by(("provider",)).iter_rows(named=True) if row["provider"] is not None]
    if hidden or report.is_too_small:
        return "What each provider would gain or lose"
    told = []
    for model in report.others:
        changes = [row["difference_pence"] for row in rows if row["model"] == model.name]
        more, less = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
        told.append(f"{more:,} would gain and {less:,} would lose under {model.in_a_sentence}")
    return f"Of {counted(len({row['provider'] for row in rows}), 'provider', 'providers')}, {'; '.join(told)}"
