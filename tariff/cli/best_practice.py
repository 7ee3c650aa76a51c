"""Commands about best practice beyond the price of a line: gates counted from evidence, the budget test, the catalogue."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tariff.cli.conversation import DONE, say


def gates(
    priced: Path,
    /,
    *,
    evidence: Annotated[list[Path], Parameter(negative="")],
    out: Path,
    starts: str | None = None,
    ends: str | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Count provider gates from evidence of single lines: which provider passed which threshold. The result is evidence, to be
    given to `tariff price --evidence` beside the rest.

    Parameters
    ----------
    priced
        What `tariff price` wrote: a file or a run folder.
    evidence
        Evidence of lines (CSV or Parquet). May be repeated. A line that none of it speaks of did not meet the criterion.
    out
        CSV for the gates.
    starts
        First day of the period, such as 2024-04-01; that of each rule pack unless given.
    ends
        Last day of the period; that of each rule pack unless given.
    overwrite
        Replace an existing output.
    """
    import polars as pl

    from tariff.batch import card_of, damage_found, rules_of
    from tariff.best_practice import read_evidence
    from tariff.best_practice.gates import counted_gates
    from tariff.best_practice.not_used import problems_of_counting
    from tariff.priced_lines import scan_lines
    from tariff.whole_files import refuse_existing, whole_file

    refuse_existing(out, overwrite=overwrite)
    first, last = (None if text is None else _day(text) for text in (starts, ends))
    lines, packs, said = scan_lines(priced), rules_of(card_of(priced)), read_evidence(evidence)
    with damage_found([([priced], lines)]):
        counted = [
            counted_gates(lines.filter(pl.col("pack") == pack.label), said, pack, first or pack.starts, last or pack.ends)
            for pack in packs
        ]
        not_used = problems_of_counting(said, packs, lines)
    found = pl.concat(counted)
    with whole_file(out) as partial:
        found.with_columns(met=pl.when("met").then(pl.lit("yes")).otherwise(pl.lit("no"))).write_csv(partial)
    for row in found.iter_rows(named=True):
        passed = "passed" if row["met"] else "not passed"
        share = f"{row['met_lines']:,} of {row['lines']:,} lines, threshold {row['threshold'] / 100:g}%"
        print(f"{row['provider']}  {row['tariff']} {row['criterion']}: {passed} ({share})")
    if not found.height:
        print("No gate of these rule packs has a threshold that covers a line.")
    for problem in not_used:
        print(f"Warning: {problem}.")
    say(f"written to {out}")
    return DONE


def budget(priced: Path, /, *, tariff: str, neutral_at: str = "75%") -> int:
    """The budget test: the base price of every HRG at which commissioners pay no more than without the tariff at a stated
    achievement, and what they pay as achievement moves from 0 to 100%.

    Parameters
    ----------
    priced
        What `tariff price` wrote: a file or a run folder.
    tariff
        Code of the best-practice tariff, such as hip_fracture.
    neutral_at
        The achievement at which nothing more is to be spent, such as 75%.
    """
    from tariff.batch import card_of, damage_found, rules_of
    from tariff.best_practice.budget_of_lines import budget_test
    from tariff.errors import UsageError
    from tariff.money import basis_points
    from tariff.priced_lines import scan_lines
    from tariff.printing import printed_budget

    try:
        share = basis_points(neutral_at)
    except ValueError as error:
        raise UsageError(f"--neutral-at '{neutral_at}' is no share: write it as 75%.") from error
    lines = scan_lines(priced)
    rules = rules_of(card_of(priced))
    with damage_found([([priced], lines)]):
        found = budget_test(lines, rules, tariff.strip().lower(), share)
    print(printed_budget(found))
    return DONE


def catalogue(tariff: str = "", /) -> int:
    """What is known of best-practice tariffs since 2010/11: first year, mechanism, figures with their source and confidence.

    Parameters
    ----------
    tariff
        Only tariffs whose code starts so.
    """
    from tariff.money import pounds
    from tariff.rulepack.best_practice_catalogue import best_practice_catalogue

    for line in best_practice_catalogue():
        if line.tariff.startswith(tariff):
            amount = f"{pounds(line.amount, whole=line.amount % 100 == 0)}, " if line.amount is not None else ""
            year = f"{line.year}: " if line.year else ""
            print(f"{line.tariff} ({line.mechanism}), from {line.first_year}. {year}{amount}{line.what or line.name}")
            print(f"    {line.confidence} · {line.source}{'. ' + line.note if line.note else ''}")
    return DONE


def _day(text: str) -> date:
    from tariff.errors import UsageError

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no day: write it as 2024-04-01.") from error
