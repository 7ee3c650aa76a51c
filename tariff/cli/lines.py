"""Commands that look into priced lines: explain one, verify them, and backtest one run against another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from tariff.cli.conversation import DISAGREES, DONE, say


def explain(priced: Path, /, *, line: str, provider: str | None = None) -> int:
    """Explain one priced line: each component, the rule in words, the rule pack's file and line, the source.

    Parameters
    ----------
    priced
        What `tariff price` wrote: a file or a run folder.
    line
        The line's identifier.
    provider
        Its provider, where several share the identifier.
    """
    from tariff.batch import card_of, damage_found, rules_of
    from tariff.priced_lines import scan_lines
    from tariff.waterfall import explain as explain_line

    lines = scan_lines(priced)
    rules = rules_of(card_of(priced))
    with damage_found([([priced], lines)]):
        print(explain_line(lines, rules, line=line, provider=provider))
    return DONE


def verify(
    priced: Path,
    /,
    *,
    activity: Annotated[list[str] | None, Parameter(negative="", consume_multiple=True)] = None,
    sample: Annotated[int, Parameter(validator=Number(gte=1))] = 10_000,
    every_line: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Price the activity again with the slow reference and compare every column; exit code 5 where they disagree.

    Parameters
    ----------
    priced
        What `tariff price` wrote: a file or a run folder.
    activity
        The activity files, where they have moved since the run. They are known by their bytes, not their names.
    sample
        How many lines to compare.
    every_line
        Compare every line.
    """
    from tariff.batch import card_of, damage_found, not_as_written, rules_of
    from tariff.intake import named_files
    from tariff.priced_lines import lines_of
    from tariff.verification import evidence_again, read_again, verify_lines

    lines = lines_of(priced)
    card = card_of(priced)
    changed = not_as_written(priced)
    for fault in changed:
        say(f"tariff: {fault}")
    again = read_again(card, [path for _, path in named_files(activity)] if activity else [])
    size, evidence = None if every_line else sample, evidence_again(card)
    with damage_found([*((part.paths, part.lines) for part in again.parts), ([priced], lines.whole)]):
        found = verify_lines(again, lines, rules_of(card), dates=card["options"]["dates"], sample=size, evidence=evidence)
    print(found)
    return DISAGREES if found.disagreements or changed else DONE


def backtest(
    before: Path,
    after: Path,
    /,
    *,
    out: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Compare two runs line by line: every line that changed, by cause, and what each cause is worth; exit code 5 for any.

    Parameters
    ----------
    before
        What `tariff price` wrote: a file or a run folder.
    after
        What a later run wrote.
    out
        NAME.parquet or NAME.csv for the lines that changed; without it only the totals are printed.
    overwrite
        Replace an existing output.
    """
    from tariff.backtest import backtest as compare_runs
    from tariff.backtest import write_changed
    from tariff.whole_files import refuse_existing

    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    with compare_runs(before, after) as found:
        if out is not None:
            write_changed(found, out, overwrite=overwrite)
        print(found)
    if out is not None:
        say(f"written to {out}")
    return DISAGREES if found.lines_changed else DONE
