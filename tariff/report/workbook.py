"""The report as a workbook, to the Analysis Function's guidance on spreadsheets: cover, contents, notes; one marked-up table a
sheet with its title in A1; no merged or blank cells; values, not formulas; native charts with a text alternative. The same report
written on the same date gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from tariff._version import __version__
from tariff.comparison import CAUSE
from tariff.reasons import PRICED
from tariff.report.assumed import assumption_rows
from tariff.report.best_practice_sheets import best_practice_sheets
from tariff.report.compared import Compared
from tariff.report.outcomes import evidence_not_used, reason_sentence
from tariff.report.pathway_sheets import pathway_sheets
from tariff.report.sheet import NOT_APPLICABLE, NOT_AVAILABLE, Chart, Sheet, Value, in_lines, in_pounds
from tariff.report.suppression import CONFIDENTIAL, is_small
from tariff.report.words import DIMENSION_NAMES, value_name

_COLOURS: Final = ("#12436D", "#F46A25", "#28A197", "#801650")
"""The Analysis Function's data colours; two series are navy and orange."""

_MOST_BARS: Final = 20
_WIDEST: Final = 60
_MONEY: Final = "#,##0.00;−#,##0.00;0.00"


def write_workbook(report: Compared, path: Path, written: date) -> None:
    """Write the report to `path`. `written` is the date on the cover and in the file."""
    import xlsxwriter  # imported where it is used

    book = xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    )
    moment = datetime.combine(written, time(), UTC).replace(tzinfo=None)
    book.set_properties({"title": report.headline, "author": f"tariff {__version__}", "created": moment})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14, "font_color": "#005EB8"}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "bottom"}),
        "money": book.add_format({"num_format": _MONEY, "align": "right"}),
        "share": book.add_format({"num_format": "0.0%", "align": "right"}),
        "count": book.add_format({"num_format": "#,##0", "align": "right"}),
        "mark": book.add_format({"align": "right"}),
    }
    tables = list(_sheets(report))
    _write_words(book, formats, "Cover", _cover(report, written))
    _write_sheet(book, formats, _contents(tables), "contents")
    _write_words(book, formats, "Notes", _notes(report))
    for number, sheet in enumerate(tables, start=1):
        _write_sheet(book, formats, sheet, f"table_{number}")
    book.close()


def _sheets(report: Compared) -> Iterator[Sheet]:
    yield _totals(report)
    for dimension in report.told_by:
        yield _by_dimension(report, dimension)
    if report.others:
        yield _bridge(report)
    yield from best_practice_sheets(report.best_practice)
    if not report.is_too_small:
        yield from pathway_sheets(report.pathway_figures)
    yield _outcomes(report)
    unused = tuple(evidence_not_used(report))
    if unused:
        yield Sheet(
            "Evidence not used",
            "Evidence of best practice that changed no price",
            "Rows of the evidence files by what is wrong with them. What is not used counts as no evidence.",
            ("What is wrong", "Rows of evidence"),
            unused,
        )
    assumed = list(assumption_rows(report))
    if assumed:
        yield Sheet(
            "Assumptions",
            "What the figures rest on",
            "Net pounds of price and of contract terms by how sure the figure behind them is. Reductions count as negative.",
            ("Label", "Component or term", "Source", "Pounds", "Lines"),
            tuple(
                (row.label, row.what, row.source, in_pounds(row.pence, hide=row.hidden), in_lines(row.lines, hide=row.hidden))
                for row in assumed
            ),
            frozenset({3}),
        )


def _totals(report: Compared) -> Sheet:
    rows = []
    for row in report.totals:
        name, hide = report.models[row["model"]].title, report.is_too_small
        amounts = (in_pounds(row["pence"], hide=hide), in_pounds(row["difference_pence"], hide=hide))
        rows.append((name, *amounts, report.models[row["model"]].words))
    told = "; ".join(f"{row[0]} {row[1]:,.2f}" if isinstance(row[1], float) else f"{row[0]} {row[1]}" for row in rows)
    return Sheet(
        "Totals",
        f"What commissioners pay under each model. {report.headline}",
        f"Pounds. Difference from {report.baseline_title}.",
        ("Model", "Payment (£)", "Difference (£)", "What is paid"),
        tuple(rows),
        frozenset({1, 2}),
        None
        if report.is_too_small
        else Chart(report.headline, f"Bars of the payment under each model: {told}.", (1,), len(rows)),
    )


def _by_dimension(report: Compared, dimension: str) -> Sheet:
    hidden = report.hidden_values(dimension)
    groups: dict[object, dict[str, Mapping[str, Any]]] = {}
    for row in report.compare_by((dimension,)).iter_rows(named=True):
        groups.setdefault(row[dimension], {})[row["model"]] = row
    groups = {
        value: models for value, models in groups.items() if value is not None or any(row["pence"] for row in models.values())
    }
    name = DIMENSION_NAMES[dimension]
    rows = [(value_name(dimension, value), *_figures(report, models, hide=value in hidden)) for value, models in groups.items()]
    rows.append(("Total", *_figures(report, {row["model"]: row for row in report.totals}, hide=report.is_too_small)))
    others = [model.title for model in report.others]
    columns = (name, "Lines", f"{report.baseline_title} (£)", *(f"{title} (£)" for title in others))
    columns += tuple(f"{title}: difference (£)" for title in others)
    bars = tuple(range(len(columns) - len(others), len(columns)))
    drawable = 1 < len(groups) <= _MOST_BARS and bars and not hidden
    chart = Chart(
        f"Difference from {report.baseline_title} by {name.lower()}",
        f"Bars of the difference of {', '.join(others)} from {report.baseline_title} by {name.lower()}, as in the table.",
        bars[: len(_COLOURS)],
        len(groups),
    )
    about = f"Pounds, and lines priced. {_SUPPRESSED if report.suppress else _UNSUPPRESSED}"
    money = frozenset(range(2, len(columns)))
    return Sheet(
        f"By {name.lower()}"[:31],
        f"What commissioners pay by {name.lower()}",
        about,
        columns,
        tuple(rows),
        money,
        chart if drawable else None,
    )


def _figures(report: Compared, models: Mapping[str, Mapping[str, Any]], *, hide: bool) -> tuple[Value, ...]:
    base = models[report.baseline]
    others = [models[model.name] for model in report.others]
    return (
        in_lines(base["lines"], hide=hide),
        in_pounds(base["pence"], hide=hide),
        *(in_pounds(row["pence"], hide=hide) for row in others),
        *(in_pounds(row["difference_pence"], hide=hide) for row in others),
    )


def _bridge(report: Compared) -> Sheet:
    steps = report.bridge_by(()).to_dicts()
    sentences = {cause.line: cause.sentence for ledger in report.ledgers for cause in ledger.causes}
    rows = tuple(
        (
            report.models[step["model"]].title,
            {"start": "Start", CAUSE: "Cause", "end": "End"}[step["kind"]],
            step["label"],
            in_pounds(step["pence"], hide=report.is_too_small),
            sentences.get(step["cause"], NOT_APPLICABLE),
        )
        for step in steps
    )
    about = "Pounds. For each model, the start and its causes add to the end."
    title = f"Why each model differs from {report.baseline_title}"
    return Sheet("Bridge", title, about, ("Model", "Step", "Cause", "Pounds", "What it is"), rows, frozenset({3}))


def _outcomes(report: Compared) -> Sheet:
    rows = []
    for row in report.outcomes.iter_rows(named=True):
        hide = row["reason"] in report.hidden_reasons
        valued = row["lines"] if row["outcome"] == PRICED else row["valued"]
        pence = row["price_pence"] if row["outcome"] == PRICED else row["indicative_pence"]
        unvalued = row["lines"] - valued
        hide_unvalued = hide or (report.suppress and is_small(unvalued))
        amount = in_pounds(pence, hide=hide) if valued else NOT_AVAILABLE
        texts = (row["outcome"].capitalize(), reason_sentence(row["reason"]))
        rows.append((*texts, in_lines(row["lines"], hide=hide), amount, in_lines(unvalued, hide=hide_unvalued)))
    about = "Every line read. Value: the price of priced lines; for the others an indication at the best price known."
    columns = ("Outcome", "Reason", "Lines", "Value (£)", "Lines of no known value")
    return Sheet("Data quality", "What became of every line", about, columns, tuple(rows), frozenset({3}))


_SUPPRESSED: Final = f"{CONFIDENTIAL}: hidden, so that no count of 1 to 7 can be told; totals are unchanged."
_UNSUPPRESSED: Final = "Small numbers are shown: for internal use only."


def _cover(report: Compared, written: date) -> list[str]:
    packs = ", ".join(label or "not known" for label in report.packs["pack"])
    return [
        "Payment models compared",
        report.headline,
        f"Written {written.day} {written:%B %Y} by tariff {__version__}. Rule packs: {packs or 'none'}.",
        _SUPPRESSED if report.suppress else _UNSUPPRESSED,
        "Everything in full, unrounded: comparison.parquet and ledger.parquet beside this workbook.",
    ]


def _contents(tables: Sequence[Sheet]) -> Sheet:
    rows = (("Notes", "What a reader should know"), *((sheet.name, sheet.title) for sheet in tables))
    return Sheet("Contents", "Contents", "One table a sheet.", ("Sheet", "What it holds"), rows)


def _notes(report: Compared) -> list[str]:
    told = ["Notes", "Money is in pounds, from whole pence; − is less and + is more than the baseline."]
    told.append(f"{NOT_AVAILABLE} not available; {NOT_APPLICABLE} not applicable; {CONFIDENTIAL} confidential.")
    told += report.notes
    for model in report.models:
        sources = " ".join(f"Source: {term.source} ({term.confidence})." for term in model.terms)
        told.append(" ".join(part for part in (f"{model.title}: {model.words}", sources, model.note) if part))
    told += [f"Models from {origin.name}, sha256 {origin.digest}." for origin in report.models.origins]
    if report.plan is not None:
        told.append(f"Plan: {report.plan.name}, {report.plan.rows:,} rows, sha256 {report.plan.digest or 'not known'}.")
    return told


def _write_words(book: Any, formats: Mapping[str, Any], name: str, lines: Sequence[str]) -> None:
    page = book.add_worksheet(name)
    page.set_column(0, 0, 100)
    page.hide_gridlines(2)
    for row, line in enumerate(lines):
        page.write_string(row, 0, line, formats["title" if row == 0 else "text"])


def _write_sheet(book: Any, formats: Mapping[str, Any], sheet: Sheet, table: str) -> None:
    """Title in A1, what to know in A2, the table from A4; the chart, if any, to the right."""
    page = book.add_worksheet(sheet.name)
    page.write_string(0, 0, sheet.title, formats["title"])
    page.write_string(1, 0, sheet.about)
    top = 3
    for column in range(len(sheet.columns)):
        page.set_column(column, column, _width(sheet, column))
    for row, values in enumerate(sheet.rows, start=top + 1):
        for column, value in enumerate(values):
            number = "money" if column in sheet.money else "share" if column in sheet.shares else "count"
            _write_value(page, formats, (row, column), value, number)
    headers = [{"header": column, "header_format": formats["head"]} for column in sheet.columns]
    options = {"name": table, "columns": headers, "style": "Table Style Light 1", "autofilter": False}
    page.add_table(top, 0, top + max(len(sheet.rows), 1), len(sheet.columns) - 1, options)
    page.freeze_panes(top + 1, 1)
    if sheet.chart is not None:
        _insert_chart(book, page, sheet, sheet.chart, top)


def _write_value(page: Any, formats: Mapping[str, Any], where: tuple[int, int], value: Value, number: str) -> None:
    if isinstance(value, str):
        mark = value in {CONFIDENTIAL, NOT_APPLICABLE, NOT_AVAILABLE}
        page.write_string(*where, value or NOT_APPLICABLE, formats["mark" if mark else "text"])
    else:
        page.write_number(*where, value, formats[number])


def _insert_chart(book: Any, page: Any, sheet: Sheet, chart: Chart, top: int) -> None:
    drawn = book.add_chart({"type": "bar"})
    first, last = top + 1, top + chart.rows
    for number, column in enumerate(chart.columns):
        drawn.add_series(
            {
                "name": [sheet.name, top, column],
                "categories": [sheet.name, first, 0, last, 0],
                "values": [sheet.name, first, column, last, column],
                "fill": {"color": _COLOURS[number]},
                "gap": 60,
            }
        )
    drawn.set_title({"name": chart.title[:250], "name_font": {"size": 11}, "overlay": False})
    drawn.set_x_axis(
        {"name": "Pounds", "num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#D5D9DC"}}}
    )
    drawn.set_y_axis({"reverse": True, "label_position": "low"})
    drawn.set_legend({"none": True} if len(chart.columns) == 1 else {"position": "bottom"})
    drawn.set_size({"width": 720, "height": max(260, 60 + 28 * chart.rows * max(1, len(chart.columns) // 2))})
    page.insert_chart(top, len(sheet.columns) + 1, drawn, {"description": chart.description, "object_position": 2})


def _width(sheet: Sheet, column: int) -> int:
    """Wide enough for the longest text, within reason; numbers as they are shown."""
    texts = [sheet.columns[column]] if column else [sheet.columns[column], "Not applicable"]
    shown = [f"{value:,.2f}" if isinstance(value, float) else str(value) for value in (row[column] for row in sheet.rows)]
    return min(_WIDEST, max(len(text) for text in [*texts, *shown]) + 2)
