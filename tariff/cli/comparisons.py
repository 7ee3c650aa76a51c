"""The command that compares payment models on priced lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tariff.cli.conversation import DONE, say


def compare(
    priced: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    models: str,
    out: Path,
    plan: Path | None = None,
    by: str = "commissioner,pod",
    suppress: Annotated[bool, Parameter(negative="--no-suppress")] = True,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Compare what commissioners pay for the same priced lines under several payment models.

    Parameters
    ----------
    priced
        What `tariff price` wrote: files or run folders.
    models
        Models files and presets, separated by commas; the first model is the baseline. Presets: preset:episodic,
        preset:block, preset:cost-and-volume.
    out
        Folder for report.html, report.xlsx, comparison.parquet, comparison.csv, ledger.parquet, bridge.csv and run_card.json.
    plan
        The contract's planned activity and value, where a model pays by plan.
    by
        Columns to compare by, separated by commas.
    suppress
        Hide counts of 1 to 7 and their money in report and CSV. Switch off for internal use only.
    overwrite
        Replace an existing output.
    """
    from tariff.batch import damage_found
    from tariff.report import compare as compare_models
    from tariff.report.priced_lines import scan_lines
    from tariff.report.report import FILES
    from tariff.whole_files import refuse_existing

    refuse_existing(out, overwrite=overwrite, holding=FILES)
    dimensions = [name.strip() for name in by.split(",") if name.strip()]
    with damage_found([([path], scan_lines(path)) for path in priced]):
        report = compare_models(list(priced), models, by=dimensions, plan=plan, suppress=suppress)
    report.write(out, overwrite=overwrite)
    print(report)
    say(f"written to {out}")
    return DONE
