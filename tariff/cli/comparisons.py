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
    baseline: str | None = None,
    pathways: Annotated[list[Path] | None, Parameter(negative="")] = None,
    readmissions: Annotated[list[Path] | None, Parameter(negative="")] = None,
    suppress: Annotated[bool, Parameter(negative="--no-suppress")] = True,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Compare what commissioners pay for the same priced lines under several payment models.

    Parameters
    ----------
    priced
        What `tariff price` wrote: files or run folders.
    models
        Models files and presets (preset:NAME), separated by commas; `tariff models` lists the presets and contract terms. The
        first model is the baseline unless --baseline says otherwise.
    out
        Folder for report.html, report.xlsx, comparison.parquet, comparison.csv, ledger.parquet, bridge.csv and run_card.json.
    plan
        The contract's planned activity and value, where a model pays by plan; `tariff plan` makes one.
    by
        Columns to compare by, separated by commas: commissioner, provider, gp_practice, financial_year, month, pod,
        treatment_function, currency, hrg_chapter.
    baseline
        The name of the model that the others are compared with.
    pathways
        The NAME.pathways.parquet of the priced lines, where it does not stand beside them. May be repeated.
    readmissions
        The NAME.readmissions.parquet of the priced lines, where it does not stand beside them. May be repeated.
    suppress
        Hide counts of 1 to 7 and their money in report and CSV. Switch off for internal use only.
    overwrite
        Replace an existing output.
    """
    from tariff.batch import damage_found
    from tariff.priced_lines import scan_written
    from tariff.report import compare as compare_models
    from tariff.report.report import FILES
    from tariff.whole_files import refuse_existing

    refuse_existing(out, overwrite=overwrite, holding=FILES)
    dimensions = [name.strip() for name in by.split(",") if name.strip()]
    with damage_found([([path], scan_written(path)) for path in priced]):
        report = compare_models(
            list(priced),
            models,
            by=dimensions,
            plan=plan,
            pathways=pathways,
            readmissions=readmissions,
            baseline=baseline,
            suppress=suppress,
        )
    report.write(out, overwrite=overwrite)
    print(report)
    say(f"written to {out}")
    return DONE


def list_models() -> int:
    """List the presets that ship, what each needs, and the contract terms that a models file may hold with their keys."""
    from tariff.payment.guide import models_text

    print(models_text())
    return DONE
