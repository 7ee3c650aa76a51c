"""The command about pathways that were formed: their tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tariff.cli.conversation import DONE, say


def pathways(
    priced: Path,
    /,
    *,
    out: Path,
    sensitivity: Annotated[bool, Parameter(negative="")] = False,
    activity: Annotated[list[Path] | None, Parameter(negative="", consume_multiple=True)] = None,
    suppress: Annotated[bool, Parameter(negative="--no-suppress")] = True,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Tables of a run's pathways: price against episodic cost by provider and level, winners and losers, break-even prices,
    leakage, who owes whom, what stays outside and why; with --sensitivity what each decision of a definition moves.

    Parameters
    ----------
    priced
        What `tariff price --pathways` wrote: a file or a run folder.
    out
        Folder for the tables, one CSV each.
    sensitivity
        Form the pathways again with windows, exclusions, overlap and the other decisions changed one by one.
    activity
        The activity files, where they have moved since the run; for --sensitivity.
    suppress
        Hide counts of 1 to 7 and their money. Switch off for internal use only.
    overwrite
        Replace an existing output.
    """
    from tariff.batch import card_of, damage_found, rules_of
    from tariff.priced_lines import scan_lines
    from tariff.report.pathway_report import FILES, pathway_report, pathways_of, with_sensitivity
    from tariff.verification import read_again
    from tariff.whole_files import refuse_existing, whole_folder

    refuse_existing(out, overwrite=overwrite, holding=FILES)
    lines, found = scan_lines(priced), pathways_of(priced)
    with damage_found([([priced], lines)]):
        report = pathway_report(lines, found, suppress=suppress)
    if sensitivity:
        card = card_of(priced)
        again = read_again(card, activity or [])
        with damage_found([*((part.paths, part.lines) for part in again.parts), ([priced], lines)]):
            report = with_sensitivity(
                report,
                lines,
                [part.lines for part in again.parts],
                rules_of(card),
                card["pathways"],
                any_date=card["options"]["dates"] == "ignore",
                beside=out.absolute().parent,
            )
    with whole_folder(out, overwrite=overwrite, holding=FILES) as folder:
        report.write(folder)
    print(report)
    say(f"written to {out}")
    return DONE
