"""`tariff price`: activity files in, priced lines out, a run card beside them.

Files are priced as they stream, in their own order, into a file, a run folder, or totals alone; each appears only when it is
whole. Row counts in and out and the components are reconciled from what was written, not from what was meant to be written."""

from tariff.batch.finished import card_of, not_as_written, rules_of
from tariff.batch.job import Job, PathwayJob, Progress, Run, card_path, is_one_file
from tariff.batch.running import price_files
from tariff.intake import damage_found

__all__ = [
    "Job",
    "PathwayJob",
    "Progress",
    "Run",
    "card_of",
    "card_path",
    "damage_found",
    "is_one_file",
    "not_as_written",
    "price_files",
    "rules_of",
]
