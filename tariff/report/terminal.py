"""The report on a terminal: counts first, then money. Colour and rules on a terminal, plain text where it is piped."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

import polars as pl

from tariff.report.compared import Compared
from tariff.report.suppression import CONFIDENTIAL
from tariff.report.table import Table
from tariff.report.tables import comparison_table, totals_table
from tariff.report.words import MOST_NAMED, counted

if TYPE_CHECKING:
    from rich.console import Console


def print_summary(report: Compared, console: Console | None = None) -> None:
    """Print the counts, the finding, and what each commissioner and each point of delivery comes to (of many models, what each
    comes to), to stdout."""
    from rich.console import Console
    from rich.text import Text  # text as it is: [c] would be taken for markup

    console = console or Console()
    if not console.is_terminal:
        console = Console(file=console.file, width=200, no_color=True, highlight=False)
    console.print(Text(_counts(report)))
    console.print(Text(report.headline, style="bold"), soft_wrap=True)
    for table in _tables(report):
        console.print()
        _print_table(table, console)
    for note in report.notes:
        console.print(Text(note if note.startswith("Warning: ") else f"Note: {note}"))


def as_text(report: Compared) -> str:
    """The summary as plain text."""
    from rich.console import Console

    page = StringIO()
    print_summary(report, Console(file=page, width=200, force_terminal=False))
    return page.getvalue()


def table_text(table: Table) -> str:
    """One table as plain text."""
    from rich.console import Console

    page = StringIO()
    _print_table(table, Console(file=page, width=250, no_color=True, highlight=False))
    return "\n".join(line.rstrip() for line in page.getvalue().rstrip().splitlines())


def _counts(report: Compared) -> str:
    """Lines by outcome. An outcome with a hidden reason is not counted here, or the reason could be found by subtraction."""
    hiding = pl.col("reason").is_in(list(report.hidden_reasons)).any()
    by_outcome = report.outcomes.group_by("outcome", maintain_order=True).agg(pl.col("lines").sum(), hiding.alias("hide"))
    parts = [f"{CONFIDENTIAL if hide else format(lines, ',')} {outcome}" for outcome, lines, hide in by_outcome.iter_rows()]
    whole = "Lines" if report.hides_line_count else counted(report.lines, "line", "lines")
    return f"{whole}: {', '.join(parts)}"


def _tables(report: Compared) -> Iterator[Table]:
    """What each commissioner and point of delivery comes to; what each model comes to where they are too many for columns."""
    if len(report.others) > MOST_NAMED:
        yield totals_table(report)
        return
    for dimension in report.dimensions:
        yield comparison_table(report, dimension)


def _print_table(table: Table, console: Console) -> None:
    """The finding on a line of its own, however narrow the table, then the table."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    plain = not console.is_terminal
    console.print(Text(table.finding), soft_wrap=True)
    shown = RichTable(box=box.ASCII2 if plain else box.SIMPLE_HEAD)
    for number, column in enumerate(table.columns):
        is_text = number == 0 or all(not row[number].number for row in table.rows)
        shown.add_column(Text(column), justify="left" if is_text else "right", no_wrap=number == 0 or plain)
    for row in table.rows:
        shown.add_row(*(Text(cell.text) for cell in row))
    if table.total:
        shown.add_section()
        shown.add_row(*(Text(cell.text) for cell in table.total), style="" if plain else "bold")
    console.print(shown)
