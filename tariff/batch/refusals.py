"""Everything that can be known to be wrong with an output before there is anything to write."""

from __future__ import annotations

from typing import Final

from tariff.aggregation import ALSO
from tariff.batch.job import RUN_FOLDER, Job, card_path, is_one_file
from tariff.batch.pathways_beside import tables_beside
from tariff.errors import Fault, OutputError, UsageError
from tariff.whole_files import refuse_existing

_OTHER_ENDINGS: Final = frozenset({".csv", ".txt", ".tsv", ".json", ".xls", ".xlsx", ".pq", ".parq"})
"""Endings of an output that was meant to be a file: it would be surprising to find a folder of that name."""

_MAY_BE_RESUMED: Final = "choose another name or give --overwrite; --resume goes on with the same run, or finds it whole"


def refuse_output(job: Job) -> None:
    """UsageError or OutputError for an output that cannot be, or stands there already."""
    if job.out.suffix.lower() in _OTHER_ENDINGS:
        told = Fault(str(job.out), "is not a name for priced lines", "give NAME.parquet for one file, or the name of a folder")
        raise UsageError("Priced lines are written as Parquet.", [told])
    out = job.out.resolve()
    for _, path in job.files:
        if out == path.resolve() or out in path.resolve().parents:
            told = Fault(str(job.out), f"would take the place of {path}, which is to be priced", "choose another name")
            raise OutputError("The output would replace the activity.", [told])
    if job.aggregate:
        _refuse_aggregate(job)
    elif job.aggregate_by:
        raise UsageError("What lines have is in the lines.", [Fault("--aggregate-by", "is for totals", "give --aggregate too")])
    if is_one_file(job.out):
        if job.resume:
            told = Fault(str(job.out), "is one file, which is written at once", "name a folder for a run that can be continued")
            raise UsageError("Only a run folder can be resumed.", [told])
        beside = [] if job.pathways is None else tables_beside(job.out).values()
        for path in (job.out, card_path(job.out), *beside):
            refuse_existing(path, overwrite=job.overwrite)
    elif not job.resume:
        refuse_existing(job.out, overwrite=job.overwrite, holding=RUN_FOLDER, remedy=_MAY_BE_RESUMED)


def _refuse_aggregate(job: Job) -> None:
    unknown = [name for name in job.aggregate_by if name not in ALSO]
    if unknown:
        faults = [Fault("--aggregate-by", f"'{name}' is not known", f"known: {', '.join(ALSO)}") for name in unknown]
        raise UsageError("Totals cannot be told apart so.", faults)
    if not is_one_file(job.out):
        told = Fault(str(job.out), "is the name of a run folder, which holds lines", "give NAME.parquet for their totals")
        raise UsageError("Totals cannot be written there.", [told])
    unfit = {"evidence": bool(job.evidence), "pathways": job.pathways is not None, "dates ignored": job.dates == "ignore"}
    if told_of := [name for name, asked in unfit.items() if asked]:
        told = Fault("--aggregate", f"does not go with {' and '.join(told_of)}, which need the lines", "price the lines")
        raise UsageError("Totals alone are not enough for what was asked.", [told])
